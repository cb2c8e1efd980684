//! Applicants: what is read from their documents, what may be shown, what is sealed.

use bangban_codes::{
    document::{Document, DocumentKind as Kind},
    name::{PersonName, mask_address, mask_enterprise},
    telephone::Telephone,
};
use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::{
    directory::v1::{Applicant, DocumentKind},
    types::v1::SpecialGroup,
};
use chrono::NaiveDate;

/// Age from which somebody counts as elderly (BB-7.1.1).
const ELDERLY: u32 = 60;

/// The sealed fields, in their normal forms. Never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Personal {
    /// Name.
    pub name: String,
    /// Document number.
    pub document: String,
    /// Telephone.
    pub telephone: String,
    /// Address.
    pub address: String,
}

impl Personal {
    /// What a commitment binds: each field with its length in front.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for field in [&self.name, &self.document, &self.telephone, &self.address] {
            bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
            bytes.extend_from_slice(field.as_bytes());
        }
        bytes
    }
}

/// A refusal of a code, with the field that holds it.
#[must_use]
pub fn refused(error: bangban_codes::Error, field: &str) -> Refusal {
    Refusal::invalid(error.reason(), "", error.zh(), error.to_string()).field(field, error.reason())
}

/// The kind of a document in the terms of its codes; none when no document was shown.
#[must_use]
pub fn kind(kind: DocumentKind) -> Option<Kind> {
    Some(match kind {
        DocumentKind::NotShown => return None,
        DocumentKind::Passport => Kind::Passport,
        DocumentKind::HkMacaoPermit => Kind::HkMacaoTravelPermit,
        DocumentKind::TaiwanPermit => Kind::TaiwanTravelPermit,
        DocumentKind::HmtResidencePermit => Kind::HkMacaoTaiwanResidencePermit,
        DocumentKind::ForeignResidencePermit => Kind::ForeignPermanentResidence,
        DocumentKind::CreditCode => Kind::UnifiedSocialCredit,
        DocumentKind::ResidentId | DocumentKind::Unspecified => Kind::ResidentId,
    })
}

/// Reads a document number; none when no document was shown (BB-10.1.1c).
///
/// # Errors
/// DOCUMENT_NOT_EXPECTED, DOCUMENT_MISSING; the document's own, for example CHECKSUM_MISMATCH.
pub fn document(
    of: DocumentKind,
    text: &str,
    today: NaiveDate,
) -> Result<Option<Document>, Refusal> {
    let is_given = !text.trim().is_empty();
    match kind(of) {
        None if is_given => Err(Refusal::invalid(
            "DOCUMENT_NOT_EXPECTED",
            "",
            "选择“未出示证件”时不能填写证件号码",
            "no document was shown, yet there is a number: leave it out or say which document it is",
        )
        .field("document", "is not expected")),
        None => Ok(None),
        Some(kind) if is_given => Document::parse(kind, text, today)
            .map(Some)
            .map_err(|e| refused(e, "document")),
        Some(_) => Err(Refusal::invalid(
            "DOCUMENT_MISSING",
            "",
            "请填写证件号码；只咨询的，可以选择“未出示证件”",
            "the document number is missing; who only asks a question may show none",
        )
        .field("document", "is missing")),
    }
}

/// The document that somebody who had shown none shows now; none when nothing is shown.
///
/// # Errors
/// DOCUMENT_SHOWN_ALREADY, DOCUMENT_KIND_MISSING; those of [`document`].
pub fn first_document(
    held: &Applicant,
    of: DocumentKind,
    text: &str,
    today: NaiveDate,
) -> Result<Option<Document>, Refusal> {
    if of == DocumentKind::Unspecified && text.trim().is_empty() {
        return Ok(None);
    }
    if held.document_kind() != DocumentKind::NotShown {
        return Err(Refusal::precondition(
            "DOCUMENT_SHOWN_ALREADY",
            "",
            "该申请人已出示过证件，不能更换",
            "this applicant has shown a document already: it is not replaced",
        )
        .field("document", "was shown already"));
    }
    if of == DocumentKind::Unspecified {
        return Err(Refusal::invalid(
            "DOCUMENT_KIND_MISSING",
            "",
            "请选择证件种类",
            "say which kind of document it is",
        )
        .field("document_kind", "is missing"));
    }
    document(of, text, today)
}

/// Refuses one who has shown no document: a case is filed with it, and its record would never be complete.
///
/// # Errors
/// DOCUMENT_NOT_SHOWN (BB-8d).
pub fn document_shown(applicant: &Applicant) -> Result<(), Refusal> {
    if applicant.document_kind() != DocumentKind::NotShown {
        return Ok(());
    }
    Err(Refusal::precondition(
        "DOCUMENT_NOT_SHOWN",
        "BB-8d",
        "该申请人尚未出示证件，请先登记证件再办理",
        "this applicant has shown no document: a case needs one, record it first",
    ))
}

/// Reads a telephone number.
///
/// # Errors
/// The number's own.
pub fn telephone(text: &str) -> Result<Telephone, Refusal> {
    Telephone::parse(text).map_err(|e| refused(e, "telephone"))
}

/// The name in its normal form, and its mask.
///
/// # Errors
/// The name's own.
pub fn name(text: &str, is_enterprise: bool) -> Result<(String, String), Refusal> {
    if is_enterprise {
        let name = text.trim();
        if name.is_empty() {
            return Err(
                Refusal::invalid("EMPTY", "", "请填写名称", "the name is missing")
                    .field("name", "is missing"),
            );
        }
        return Ok((name.to_owned(), mask_enterprise(name)));
    }
    let name = PersonName::parse(text).map_err(|e| refused(e, "name"))?;
    Ok((name.as_str().to_owned(), name.mask()))
}

/// The mask of an address; empty for none.
#[must_use]
pub fn address_mask(address: &str) -> String {
    if address.is_empty() {
        String::new()
    } else {
        mask_address(address)
    }
}

/// Groups on a day: what was declared, and what follows from the date of birth.
#[must_use]
pub fn groups(declared: &[i32], born: Option<NaiveDate>, today: NaiveDate) -> Vec<i32> {
    let mut groups = declared.to_vec();
    if born
        .and_then(|b| today.years_since(b))
        .is_some_and(|age| age >= ELDERLY)
    {
        groups.push(SpecialGroup::Elderly as i32);
    }
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// What stays of a person who was forgotten.
#[must_use]
pub fn erased(applicant: &Applicant, version: u64) -> Applicant {
    Applicant {
        id: applicant.id.clone(),
        is_enterprise: applicant.is_enterprise,
        is_erased: true,
        etag: super::etag(version),
        created_at: applicant.created_at,
        ..Applicant::default()
    }
}

/// Refuses a person who was forgotten.
///
/// # Errors
/// APPLICANT_ERASED (PIPL art. 47).
pub fn not_erased(applicant: &Applicant) -> Result<(), Refusal> {
    if !applicant.is_erased {
        return Ok(());
    }
    Err(Refusal::precondition(
        "APPLICANT_ERASED",
        "",
        "该申请人的个人信息已删除",
        "the person was forgotten: nothing is left to change or show",
    ))
}

/// Whether `given` is the whole document number or its last six characters.
#[must_use]
pub fn proves(document: &str, given: &str) -> bool {
    let given: String = given
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect::<String>()
        .to_uppercase();
    (given == document && !document.is_empty())
        || (given.len() == 6 && document.len() > 6 && document.ends_with(&given))
}

/// APPLICANT_UNKNOWN.
#[must_use]
pub fn applicant_unknown() -> Refusal {
    Refusal::not_found(
        "APPLICANT_UNKNOWN",
        "",
        "没有该申请人",
        "there is no such applicant",
    )
}

/// APPLICANT_EXISTS (BB-4.1c): what is held is not asked for again.
#[must_use]
pub fn applicant_exists() -> Refusal {
    Refusal::exists(
        "APPLICANT_EXISTS",
        "BB-4.1c",
        "该证件已登记，请按证件号码查找",
        "the document is registered: find the applicant by it",
    )
}

/// APPLICANT_EXISTS, where somebody who had shown none shows a document that is registered (BB-4.1c).
#[must_use]
pub fn document_taken() -> Refusal {
    Refusal::exists(
        "APPLICANT_EXISTS",
        "BB-4.1c",
        "该证件已登记在另一位申请人名下，请改用那位申请人（按证件号码查找）",
        "the document is registered for another applicant: use that one, found by the document",
    )
    .field("document", "is registered")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_makes_a_group_from_the_sixtieth_birthday_on() {
        let born = NaiveDate::from_ymd_opt(1966, 11, 24);
        let on = |d| {
            groups(
                &[2],
                born,
                NaiveDate::from_ymd_opt(2026, 11, d).expect("a day"),
            )
        };
        assert_eq!(on(23), [2]);
        assert_eq!(on(24), [1, 2]);
    }

    #[test]
    fn a_document_proves_whole_or_by_its_last_six() {
        assert!(proves("42052719440308002X", "08002x"));
        assert!(proves("42052719440308002X", "42052719440308002x"));
        assert!(
            !proves("42052719440308002X", "002X")
                && !proves("123456", "")
                && !proves("1234567", "123456")
        );
    }

    #[test]
    fn a_wrong_check_character_is_the_documents_own_refusal() {
        let today = NaiveDate::from_ymd_opt(2026, 11, 24).expect("a day");
        let refused =
            document(DocumentKind::ResidentId, "420527194403080021", today).expect_err("refused");
        assert_eq!(refused.reason, "CHECKSUM_MISMATCH");
        assert!(!refused.en.contains("420527"));
    }

    #[test]
    fn there_is_a_number_where_a_document_was_shown_and_only_there() {
        let today = NaiveDate::from_ymd_opt(2026, 11, 24).expect("a day");
        let read = |kind, text| document(kind, text, today).map_err(|r| r.reason);
        assert_eq!(read(DocumentKind::NotShown, " "), Ok(None));
        assert_eq!(
            read(DocumentKind::NotShown, "42052719440308002X"),
            Err("DOCUMENT_NOT_EXPECTED")
        );
        for kind in [DocumentKind::ResidentId, DocumentKind::Passport] {
            assert_eq!(read(kind, " "), Err("DOCUMENT_MISSING"));
        }
        assert!(read(DocumentKind::ResidentId, "42052719440308002X").is_ok_and(|d| d.is_some()));
    }
}
