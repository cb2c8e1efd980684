//! Why a text is not the code it was said to be. Fieldless on purpose: an error that cannot hold
//! the refused text cannot leak it.

use std::fmt;

/// What was being parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A region code of 2, 4, 6, 9 or 12 digits.
    RegionCode,
    /// A zero-padded statistical region code.
    StatisticalCode,
    /// A resident identity number.
    ResidentId,
    /// A passport number.
    Passport,
    /// A mainland travel permit of Hong Kong and Macao residents.
    HkMacaoTravelPermit,
    /// A mainland travel permit of Taiwan residents.
    TaiwanTravelPermit,
    /// A residence permit of Hong Kong, Macao and Taiwan residents.
    HkMacaoTaiwanResidencePermit,
    /// A foreigner's permanent residence identity card.
    ForeignPermanentResidence,
    /// A unified social credit code.
    CreditCode,
    /// A telephone number.
    Telephone,
    /// A postal code.
    PostalCode,
    /// A person's name.
    PersonName,
    /// A receipt number.
    ReceiptNumber,
    /// A district's id.
    DistrictId,
}

impl Subject {
    /// The subject in English, for logs and developers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.words().0
    }

    /// The subject in Chinese, for citizens and agents.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        self.words().1
    }

    /// The expected form in English.
    #[must_use]
    pub const fn form(self) -> &'static str {
        self.forms().0
    }

    /// The expected form in Chinese.
    #[must_use]
    pub const fn form_zh(self) -> &'static str {
        self.forms().1
    }

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::RegionCode => ("region code", "行政区划代码"),
            Self::StatisticalCode => ("statistical region code", "统计用区划代码"),
            Self::ResidentId => ("resident identity number", "居民身份证号码"),
            Self::Passport => ("passport number", "护照号码"),
            Self::HkMacaoTravelPermit => (
                "mainland travel permit of Hong Kong and Macao residents",
                "港澳居民来往内地通行证号码",
            ),
            Self::TaiwanTravelPermit => (
                "mainland travel permit of Taiwan residents",
                "台湾居民来往大陆通行证号码",
            ),
            Self::HkMacaoTaiwanResidencePermit => (
                "residence permit of Hong Kong, Macao and Taiwan residents",
                "港澳台居民居住证号码",
            ),
            Self::ForeignPermanentResidence => (
                "foreigner's permanent residence identity card number",
                "外国人永久居留身份证号码",
            ),
            Self::CreditCode => ("unified social credit code", "统一社会信用代码"),
            Self::Telephone => ("telephone number", "电话号码"),
            Self::PostalCode => ("postal code", "邮政编码"),
            Self::PersonName => ("name", "姓名"),
            Self::ReceiptNumber => ("receipt number", "回执号"),
            Self::DistrictId => ("district id", "辖区标识"),
        }
    }

    const fn forms(self) -> (&'static str, &'static str) {
        match self {
            Self::RegionCode => ("2, 4, 6, 9 or 12 digits", "应为2、4、6、9或12位数字"),
            Self::StatisticalCode => (
                "6, 9 or 12 digits padded with zeros",
                "应为以0补足的6、9或12位数字",
            ),
            Self::ResidentId => (
                "18 characters: 17 digits and a digit or X",
                "应为18位：17位数字和1位数字或X",
            ),
            Self::Passport => ("5 to 12 letters and digits", "应为5至12位字母和数字"),
            Self::HkMacaoTravelPermit => (
                "H or M and 8 or 10 digits, or HA or MA and 7 digits",
                "应为H或M加8位或10位数字，或HA、MA加7位数字",
            ),
            Self::TaiwanTravelPermit => ("8 or 10 digits", "应为8位或10位数字"),
            Self::HkMacaoTaiwanResidencePermit => (
                "18 characters beginning with 81, 82 or 83",
                "应为18位，以81、82或83开头",
            ),
            Self::ForeignPermanentResidence => (
                "18 characters beginning with 9, or 3 letters and 12 digits",
                "应为以9开头的18位，或3位字母加12位数字",
            ),
            Self::CreditCode => (
                "18 digits and capital letters without I, O, S, V, Z",
                "应为18位数字和大写字母（不含I、O、S、V、Z）",
            ),
            Self::Telephone => (
                "a mobile number of 11 digits, an area code with 7 or 8 digits, or a service hotline",
                "应为11位手机号、区号加7至8位固定电话号码，或服务热线",
            ),
            Self::PostalCode => ("6 digits", "应为6位数字"),
            Self::PersonName => ("1 to 50 characters", "应为1至50个字"),
            Self::ReceiptNumber => ("14 digits", "应为14位数字"),
            Self::DistrictId => (
                "3 to 32 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen",
                "应为3至32位小写字母、数字或连字符，以字母开头，不以连字符结尾",
            ),
        }
    }
}

/// What is wrong with a text. The reason strings are part of the contract: they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Nothing was given.
    Empty,
    /// Too few or too many characters.
    LengthWrong,
    /// A character that cannot occur at its place.
    CharacterNotAllowed,
    /// The right characters in an arrangement no issuer uses.
    FormUnknown,
    /// The region part is none of the forms of GB/T 2260 and the statistical codes.
    RegionUnknownForm,
    /// The date part is no day of the calendar, or too long ago.
    DateImpossible,
    /// The date part lies after the date given as today.
    DateInFuture,
    /// The check character belongs to another number: one was mistyped or two were swapped.
    ChecksumMismatch,
    /// A 15-digit identity number, void since 2013-01-01.
    DocumentVoid,
    /// A number of another kind of document.
    DocumentKindMismatch,
    /// A number larger than its place in the code.
    NumberOutOfRange,
}

impl Fault {
    /// The stable, machine-readable reason.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Empty => "EMPTY",
            Self::LengthWrong => "LENGTH_WRONG",
            Self::CharacterNotAllowed => "CHARACTER_NOT_ALLOWED",
            Self::FormUnknown => "FORM_UNKNOWN",
            Self::RegionUnknownForm => "REGION_UNKNOWN_FORM",
            Self::DateImpossible => "DATE_IMPOSSIBLE",
            Self::DateInFuture => "DATE_IN_FUTURE",
            Self::ChecksumMismatch => "CHECKSUM_MISMATCH",
            Self::DocumentVoid => "DOCUMENT_VOID",
            Self::DocumentKindMismatch => "DOCUMENT_KIND_MISMATCH",
            Self::NumberOutOfRange => "NUMBER_OUT_OF_RANGE",
        }
    }

    const fn sentences(self) -> (&'static str, &'static str) {
        match self {
            Self::Empty => ("is missing", "未填写"),
            Self::LengthWrong => ("has the wrong length", "位数不对"),
            Self::CharacterNotAllowed => (
                "contains a character that is not allowed",
                "含有不允许的字符",
            ),
            Self::FormUnknown => ("has an unknown form", "格式不对"),
            Self::RegionUnknownForm => ("has no valid region part", "中的地区代码不符合编码规则"),
            Self::DateImpossible => ("contains an impossible date", "中的日期不存在"),
            Self::DateInFuture => ("contains a date in the future", "中的日期晚于今天"),
            Self::ChecksumMismatch => (
                "does not match its check character; a character may be wrong or two may be swapped",
                "校验不通过，请核对是否有输错或颠倒的字符",
            ),
            Self::DocumentVoid => (
                "has 15 digits; such cards have been void since 2013",
                "为15位，15位号码的证件自2013年起已停止使用",
            ),
            Self::DocumentKindMismatch => (
                "belongs to another kind of document",
                "属于另一种证件，请核对证件类型",
            ),
            Self::NumberOutOfRange => ("is out of range", "超出允许范围"),
        }
    }

    /// Whether telling the expected form helps the reader.
    const fn is_about_form(self) -> bool {
        matches!(
            self,
            Self::Empty | Self::LengthWrong | Self::CharacterNotAllowed | Self::FormUnknown
        )
    }
}

/// A refusal to accept a text as a code. Never holds the text.
///
/// `Display` is an English sentence, [`Error::zh`] a Chinese one, [`Error::reason`] the stable
/// string for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub struct Error {
    subject: Subject,
    fault: Fault,
}

impl Error {
    pub(crate) const fn new(subject: Subject, fault: Fault) -> Self {
        Self { subject, fault }
    }

    /// What was being parsed.
    #[must_use]
    pub const fn subject(&self) -> Subject {
        self.subject
    }

    /// What is wrong with it.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.fault
    }

    /// The stable reason, such as `CHECKSUM_MISMATCH`.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        self.fault.reason()
    }

    /// A sentence in Chinese for the person who typed it.
    #[must_use]
    pub fn zh(&self) -> String {
        let (subject, fault) = (self.subject.zh(), self.fault.sentences().1);
        if self.fault.is_about_form() {
            format!("{subject}{fault}，{}。", self.subject.form_zh())
        } else {
            format!("{subject}{fault}。")
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (subject, fault) = (self.subject.name(), self.fault.sentences().0);
        write!(f, "the {subject} {fault}")?;
        if self.fault.is_about_form() {
            write!(f, "; expected {}", self.subject.form())?;
        }
        Ok(())
    }
}
