//! Contacts with the applicant because something came up, each with its limit (BB-10.2.3).

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::{
    casework::v1::{
        Case, ClockName, CloseContactRequest, Contact, ContactClosed, ContactOpened, ContactReason,
        OpenContactRequest,
    },
    directory::v1::LimitName,
};

use super::{
    Act, Outside, clock,
    outside::{going_on, next_number},
};

/// A contact begins, with its limit.
///
/// # Errors
/// INTERNAL for what the calendar cannot count.
pub fn begin(
    case: &Case,
    reason: ContactReason,
    text: &str,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    let number = next_number(&case.contacts);
    let at = outside.at().unwrap_or_default();
    let mut acts = vec![Act::ContactOpened(ContactOpened {
        contact: Some(Contact {
            number,
            reason: reason.into(),
            text: text.to_owned(),
            opened_at: Some(at),
            ..Contact::default()
        }),
    })];
    acts.extend(clock::start(
        case,
        (ClockName::Contact, LimitName::Contact),
        &format!("contact-{number}"),
        &at,
        outside,
    )?);
    Ok(acts)
}

/// Opens a contact because something came up; its limit runs (BB-10.2.3).
///
/// # Errors
/// OUT_OF_ORDER.
pub fn open(
    case: &Case,
    request: &OpenContactRequest,
    outside: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    going_on(case)?;
    begin(case, request.reason(), &request.text, outside)
}

/// Records the outcome of a contact.
///
/// # Errors
/// CONTACT_UNKNOWN, CONTACT_CLOSED.
pub fn close(
    case: &Case,
    request: &CloseContactRequest,
    _: &Outside<'_>,
) -> Result<Vec<Act>, Refusal> {
    let contact = case
        .contacts
        .iter()
        .find(|c| c.number == request.number)
        .ok_or_else(|| {
            Refusal::not_found(
                "CONTACT_UNKNOWN",
                "BB-10.2.3",
                "没有该联系记录",
                "there is no such contact",
            )
        })?;
    if contact.closed_at.is_some() {
        return Err(Refusal::precondition(
            "CONTACT_CLOSED",
            "BB-10.2.3",
            "该联系已了结",
            "the contact is closed",
        ));
    }
    let mut acts = vec![Act::ContactClosed(ContactClosed {
        number: request.number,
        is_reached: request.is_reached,
        outcome: request.outcome.clone(),
        channel: request.channel,
    })];
    acts.extend(clock::ended(
        case,
        &format!("contact-{}", request.number),
        None,
    ));
    Ok(acts)
}
