//! What directory is asked: who an applicant is, once, until its feed says that something has changed.

use bangban_kit::{access::Deadline, identity::Caller, refusal::Refusal};
use bangban_learned::absence;
use bangban_net::peer::Peer;
use bangban_proto::bangban::directory::v1::{
    GetApplicantRequest, applicant_service_client::ApplicantServiceClient,
};
use bangban_store::Now;
use tonic::Status;

use crate::store::Person;

/// How long what directory said holds: age makes people elderly without an act.
const KNOWN_FOR_US: i64 = 86_400_000_000;

/// Whether what directory said of a person holds.
pub(super) fn is_known(person: &Person, now: Now) -> bool {
    person.is_known && now.us() - person.known_us < KNOWN_FOR_US
}

/// The person with what directory says, asked where it is not known here.
///
/// # Errors
/// Directory's refusals; APPLICANT_ERASED (BB-10.1.1c); DIRECTORY_UNAVAILABLE when it cannot be asked.
pub(crate) async fn known(
    directory: &Peer,
    deadline: Option<Deadline>,
    mut person: Person,
    now: Now,
) -> Result<Person, Status> {
    if is_known(&person, now) {
        return Ok(person);
    }
    let request = GetApplicantRequest {
        district: person.district.clone(),
        applicant: person.id.clone(),
        after: String::new(),
    };
    let request = directory.request(&Caller::system("scheduling"), deadline, request)?;
    let mut applicants = ApplicantServiceClient::new(directory.channel.clone());
    let applicant = applicants
        .get_applicant(request)
        .await
        .map_err(|status| absence::told(status, deadline))?;
    let applicant = applicant.into_inner();
    if applicant.is_erased {
        return Err(Refusal::precondition(
            "APPLICANT_ERASED",
            "BB-10.1.1c",
            "该服务对象的个人信息已删除，请重新登记",
            "the person was forgotten: register the person anew",
        )
        .into());
    }
    person.is_known = true;
    person.known_us = now.us();
    person.mask = applicant.name_mask;
    person.groups = applicant.groups;
    Ok(person)
}
