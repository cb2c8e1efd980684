//! Documents that prove who an applicant is, under one enum.
//!
//! To add a kind: a file in `document/` with its type, a [`Subject`], a variant of [`Document`] and
//! of [`DocumentKind`]; the compiler names the rest.

mod foreign;
mod passport;
mod residence;
mod travel;

pub use foreign::ForeignPermanentResidence;
pub use passport::Passport;
pub use residence::HkMacaoTaiwanResidencePermit;
pub use travel::{HkMacaoTravelPermit, TaiwanTravelPermit};

use chrono::NaiveDate;

use crate::enterprise::CreditCode;
use crate::person::{ResidentId, Sex};
use crate::{Error, Subject};

/// The kinds of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    /// 居民身份证.
    ResidentId,
    /// 护照, of any country.
    Passport,
    /// 港澳居民来往内地通行证(回乡证).
    HkMacaoTravelPermit,
    /// 台湾居民来往大陆通行证(台胞证).
    TaiwanTravelPermit,
    /// 港澳台居民居住证.
    HkMacaoTaiwanResidencePermit,
    /// 外国人永久居留身份证.
    ForeignPermanentResidence,
    /// 统一社会信用代码, of an organisation.
    UnifiedSocialCredit,
}

impl DocumentKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::ResidentId,
        Self::Passport,
        Self::HkMacaoTravelPermit,
        Self::TaiwanTravelPermit,
        Self::HkMacaoTaiwanResidencePermit,
        Self::ForeignPermanentResidence,
        Self::UnifiedSocialCredit,
    ];

    /// The stable name in storage and in blind indexes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ResidentId => "RESIDENT_ID",
            Self::Passport => "PASSPORT",
            Self::HkMacaoTravelPermit => "HK_MACAO_TRAVEL_PERMIT",
            Self::TaiwanTravelPermit => "TAIWAN_TRAVEL_PERMIT",
            Self::HkMacaoTaiwanResidencePermit => "HK_MACAO_TAIWAN_RESIDENCE_PERMIT",
            Self::ForeignPermanentResidence => "FOREIGN_PERMANENT_RESIDENCE",
            Self::UnifiedSocialCredit => "UNIFIED_SOCIAL_CREDIT",
        }
    }

    /// The kind of a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The document's name in Chinese.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        match self {
            Self::ResidentId => "居民身份证",
            Self::Passport => "护照",
            Self::HkMacaoTravelPermit => "港澳居民来往内地通行证",
            Self::TaiwanTravelPermit => "台湾居民来往大陆通行证",
            Self::HkMacaoTaiwanResidencePermit => "港澳台居民居住证",
            Self::ForeignPermanentResidence => "外国人永久居留身份证",
            Self::UnifiedSocialCredit => "统一社会信用代码",
        }
    }

    /// What errors about this kind are about.
    #[must_use]
    pub const fn subject(self) -> Subject {
        match self {
            Self::ResidentId => Subject::ResidentId,
            Self::Passport => Subject::Passport,
            Self::HkMacaoTravelPermit => Subject::HkMacaoTravelPermit,
            Self::TaiwanTravelPermit => Subject::TaiwanTravelPermit,
            Self::HkMacaoTaiwanResidencePermit => Subject::HkMacaoTaiwanResidencePermit,
            Self::ForeignPermanentResidence => Subject::ForeignPermanentResidence,
            Self::UnifiedSocialCredit => Subject::CreditCode,
        }
    }

    /// Whether the document is an organisation's, not a person's.
    #[must_use]
    pub const fn is_of_organisation(self) -> bool {
        matches!(self, Self::UnifiedSocialCredit)
    }
}

/// A document's number. `Debug` shows the mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Document {
    /// A resident identity number.
    ResidentId(ResidentId),
    /// A passport number.
    Passport(Passport),
    /// A mainland travel permit of a Hong Kong or Macao resident.
    HkMacaoTravelPermit(HkMacaoTravelPermit),
    /// A mainland travel permit of a Taiwan resident.
    TaiwanTravelPermit(TaiwanTravelPermit),
    /// A residence permit of a Hong Kong, Macao or Taiwan resident.
    HkMacaoTaiwanResidencePermit(HkMacaoTaiwanResidencePermit),
    /// A foreigner's permanent residence identity card.
    ForeignPermanentResidence(ForeignPermanentResidence),
    /// A unified social credit code.
    UnifiedSocialCredit(CreditCode),
}

impl Document {
    /// Parses `text` as a number of `kind`. `today` bounds dates of birth.
    ///
    /// # Errors
    /// Those of the kind's own `parse`.
    pub fn parse(kind: DocumentKind, text: &str, today: NaiveDate) -> Result<Self, Error> {
        Ok(match kind {
            DocumentKind::ResidentId => Self::ResidentId(ResidentId::parse(text, today)?),
            DocumentKind::Passport => Self::Passport(Passport::parse(text)?),
            DocumentKind::HkMacaoTravelPermit => {
                Self::HkMacaoTravelPermit(HkMacaoTravelPermit::parse(text)?)
            }
            DocumentKind::TaiwanTravelPermit => {
                Self::TaiwanTravelPermit(TaiwanTravelPermit::parse(text)?)
            }
            DocumentKind::HkMacaoTaiwanResidencePermit => Self::HkMacaoTaiwanResidencePermit(
                HkMacaoTaiwanResidencePermit::parse(text, today)?,
            ),
            DocumentKind::ForeignPermanentResidence => {
                Self::ForeignPermanentResidence(ForeignPermanentResidence::parse(text, today)?)
            }
            DocumentKind::UnifiedSocialCredit => {
                Self::UnifiedSocialCredit(CreditCode::parse(text)?)
            }
        })
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> DocumentKind {
        match self {
            Self::ResidentId(_) => DocumentKind::ResidentId,
            Self::Passport(_) => DocumentKind::Passport,
            Self::HkMacaoTravelPermit(_) => DocumentKind::HkMacaoTravelPermit,
            Self::TaiwanTravelPermit(_) => DocumentKind::TaiwanTravelPermit,
            Self::HkMacaoTaiwanResidencePermit(_) => DocumentKind::HkMacaoTaiwanResidencePermit,
            Self::ForeignPermanentResidence(_) => DocumentKind::ForeignPermanentResidence,
            Self::UnifiedSocialCredit(_) => DocumentKind::UnifiedSocialCredit,
        }
    }

    /// The whole number in its one normal form, to be sealed. Never log it.
    #[must_use]
    pub fn normalized(&self) -> &str {
        match self {
            Self::ResidentId(id) => id.as_str(),
            Self::Passport(passport) => passport.as_str(),
            Self::HkMacaoTravelPermit(permit) => permit.as_str(),
            Self::TaiwanTravelPermit(permit) => permit.as_str(),
            Self::HkMacaoTaiwanResidencePermit(permit) => permit.as_str(),
            Self::ForeignPermanentResidence(card) => card.as_str(),
            Self::UnifiedSocialCredit(code) => code.as_str(),
        }
    }

    /// What a blind index hashes under its key: the kind and the part of the number that stays with
    /// the holder for life, so that a renewed travel permit finds the same person. Never log or
    /// store it unhashed.
    #[must_use]
    pub fn index_form(&self) -> String {
        let lifelong = match self {
            Self::HkMacaoTravelPermit(permit) => permit.lifelong(),
            Self::TaiwanTravelPermit(permit) => permit.lifelong(),
            _ => self.normalized(),
        };
        format!("{}:{lifelong}", self.kind().as_str())
    }

    /// What may be shown in lists: a person's number with its first and last character, a credit
    /// code with its first two and last four.
    #[must_use]
    pub fn mask(&self) -> String {
        match self {
            Self::ResidentId(id) => id.mask(),
            Self::Passport(passport) => passport.mask(),
            Self::HkMacaoTravelPermit(permit) => permit.mask(),
            Self::TaiwanTravelPermit(permit) => permit.mask(),
            Self::HkMacaoTaiwanResidencePermit(permit) => permit.mask(),
            Self::ForeignPermanentResidence(card) => card.mask(),
            Self::UnifiedSocialCredit(code) => code.mask(),
        }
    }

    /// The date of birth, where the number contains it in full.
    #[must_use]
    pub fn birth_date(&self) -> Option<NaiveDate> {
        match self {
            Self::ResidentId(id) => Some(id.birth_date()),
            Self::HkMacaoTaiwanResidencePermit(permit) => Some(permit.birth_date()),
            Self::ForeignPermanentResidence(card) => card.birth_date(),
            _ => None,
        }
    }

    /// The sex, where the number contains it.
    #[must_use]
    pub const fn sex(&self) -> Option<Sex> {
        match self {
            Self::ResidentId(id) => Some(id.sex()),
            Self::HkMacaoTaiwanResidencePermit(permit) => Some(permit.sex()),
            Self::ForeignPermanentResidence(card) => card.sex(),
            _ => None,
        }
    }
}
