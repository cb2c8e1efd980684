//! The texts of the delegation agreement and of the authorisation for the department, from templates by version
//! (BB-10.2.2.1; 民法典 arts. 165, 919). The principal stands in them by mask and id: names come with the paper.

use bangban_proto::bangban::{
    casework::v1::{Agreement, Case},
    directory::v1::Power,
};
use sha2::{Digest as _, Sha256};

/// Version of the templates that new agreements are drawn up from.
pub const VERSION: u32 = 1;

const AGREEMENT: &str = include_str!("../../templates/agreement.v1.txt");
const AUTHORISATION: &str = include_str!("../../templates/authorisation.v1.txt");

/// A power as it stands in the texts.
#[must_use]
pub fn power(power: Power) -> &'static str {
    match power {
        Power::Submit => "提交申请",
        Power::Supplement => "提交补正材料",
        Power::ReceiveNotices => "接收主管部门的通知和文书",
        Power::ReceiveDocument => "领取证件和决定文书",
        Power::Unspecified => "",
    }
}

/// Draws up both texts of a draft, with their digest.
pub fn draw_up(agreement: &mut Agreement, case: &Case) {
    let powers: Vec<String> = agreement
        .powers()
        .enumerate()
        .map(|(at, one)| format!("（{}）{}", at + 1, power(one)))
        .collect();
    let version = agreement.item_version.to_string();
    let values = [
        ("{principal}", case.applicant_mask.as_str()),
        ("{applicant}", &case.applicant),
        ("{institution}", &agreement.institution),
        ("{agent}", &agreement.agent),
        ("{item}", &case.item_name),
        ("{version}", &version),
        ("{powers}", &powers.join("\n")),
        ("{from}", &agreement.from),
        ("{until}", &agreement.until),
    ];
    let filled = |template: &str| {
        values
            .iter()
            .fold(template.to_owned(), |text, (name, value)| {
                text.replace(name, value)
            })
    };
    let (text, authorisation) = (filled(AGREEMENT), filled(AUTHORISATION));
    let mut digest = Sha256::new();
    for part in [&text, &authorisation] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    agreement.template_version = VERSION;
    agreement.digest = digest.finalize().to_vec();
    agreement.text = text;
    agreement.authorisation = authorisation;
}
