//! Rules of service as versioned documents (BB-5.1).

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::directory::v1::{
    Rule, RuleAttested, RulePublished, directory_act::Act,
};

use super::{Decision, day};

/// Publishes a version of a rule.
///
/// # Errors
/// VERSION_EXISTS (BB-5.1); DATE_IMPOSSIBLE.
pub fn publish(exists: bool, rule: &Rule) -> Decision<Rule> {
    if exists {
        return Err(Refusal::exists(
            "VERSION_EXISTS",
            "BB-5.1",
            "该制度版本已发布",
            "this version of the rule is published",
        )
        .field("rule.version", "is published"));
    }
    day(&rule.effective_from, "rule.effective_from")?;
    let rule = Rule {
        attested_by: Vec::new(),
        ..rule.clone()
    };
    Ok((
        Act::RulePublished(RulePublished {
            rule: Some(rule.clone()),
        }),
        rule,
    ))
}

/// A site attests that it carries out a version.
#[must_use]
pub fn attest(mut rule: Rule, site: &str) -> (Act, Rule) {
    if !rule.attested_by.iter().any(|s| s == site) {
        rule.attested_by.push(site.to_owned());
        rule.attested_by.sort();
    }
    let act = RuleAttested {
        code: rule.code.clone(),
        version: rule.version,
        site: site.to_owned(),
    };
    (Act::RuleAttested(act), rule)
}

/// RULE_UNKNOWN.
#[must_use]
pub fn rule_unknown() -> Refusal {
    Refusal::not_found(
        "RULE_UNKNOWN",
        "BB-5.1",
        "没有该制度版本",
        "there is no such version of the rule",
    )
}
