//! Free text carries no personal data: those have one place, the applicant's record in directory.

use bangban_codes::{person::ResidentId, telephone::Telephone};
use bangban_kit::refusal::Refusal;
use chrono::NaiveDate;

/// Characters of a resident identity number.
const ID_LENGTH: usize = 18;

/// Refuses texts that look like carrying an identity number (GB 11643, valid checksum) or a mobile number. Each text
/// comes with the path of its field; `today` bounds dates of birth.
///
/// # Errors
/// PERSONAL_DATA_IN_TEXT (BB-10.1.1c), naming every field.
pub fn impersonal<'a>(
    today: NaiveDate,
    texts: impl IntoIterator<Item = (String, &'a str)>,
) -> Result<(), Refusal> {
    let found = texts
        .into_iter()
        .filter(|(_, text)| is_personal(text, today));
    let fields: Vec<String> = found.map(|(field, _)| field).collect();
    if fields.is_empty() {
        return Ok(());
    }
    let refusal = Refusal::invalid(
        "PERSONAL_DATA_IN_TEXT",
        "BB-10.1.1c",
        "文字中疑似含有身份证号或手机号，请删除；个人信息只登记在服务对象档案中",
        "the text seems to carry an identity or mobile number: take it out, personal data stand in the applicant's record",
    );
    Err(fields.into_iter().fold(refusal, |refusal, field| {
        refusal.field(field, "seems to carry personal data")
    }))
}

/// [`impersonal`] for a single text.
///
/// # Errors
/// PERSONAL_DATA_IN_TEXT.
pub fn impersonal_field(today: NaiveDate, field: &str, text: &str) -> Result<(), Refusal> {
    impersonal(today, [(field.to_owned(), text)])
}

/// Whether a text seems to carry an identity number or a mobile number, also one that is written in groups.
#[must_use]
pub fn is_personal(text: &str, today: NaiveDate) -> bool {
    runs(text).iter().any(|groups| {
        (0..groups.len()).any(|first| {
            let mut joined = String::new();
            groups[first..].iter().any(|group| {
                joined.push_str(group);
                joined.len() <= ID_LENGTH && is_number(&joined, today)
            })
        })
    })
}

fn is_number(digits: &str, today: NaiveDate) -> bool {
    if digits.len() == ID_LENGTH {
        return match ResidentId::parse(digits, today) {
            Ok(_) => true,
            // Right in itself, and the number of a residence permit or of a foreigner.
            Err(error) => error.reason() == "DOCUMENT_KIND_MISMATCH",
        };
    }
    let national = ["0086", "86", ""]
        .iter()
        .find_map(|prefix| digits.strip_prefix(prefix).filter(|rest| rest.len() == 11));
    national.is_some_and(|number| Telephone::parse(number).is_ok_and(|t| t.is_mobile()))
}

/// Numbers in a text: groups of digits with at most one space, hyphen or dot between them. Full-width digits count.
fn runs(text: &str) -> Vec<Vec<String>> {
    let mut runs: Vec<Vec<String>> = Vec::new();
    // How far the last digit lies behind: 0 in a group, 1 behind a separator.
    let mut distance = usize::MAX;
    for character in text.chars() {
        let digit = match character {
            '0'..='9' => Some(character),
            '０'..='９' => char::from_digit(u32::from(character) - u32::from('０'), 10),
            'x' | 'X' | 'ｘ' | 'Ｘ' if distance == 0 => Some('X'),
            _ => None,
        };
        let is_separator = matches!(character, ' ' | '-' | '.' | '\u{a0}' | '\u{3000}' | '－');
        match digit {
            Some(digit) => {
                match (distance, runs.last_mut()) {
                    (0, Some(run)) => match run.last_mut() {
                        Some(group) => group.push(digit),
                        None => run.push(digit.to_string()),
                    },
                    (1, Some(run)) => run.push(digit.to_string()),
                    _ => runs.push(vec![digit.to_string()]),
                }
                distance = 0;
            }
            None if is_separator && distance == 0 => distance = 1,
            None => distance = usize::MAX,
        }
    }
    runs
}
