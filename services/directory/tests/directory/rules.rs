//! Rules of service.

use bangban_proto::bangban::{
    directory::v1::{rule_service_server::RuleService as _, *},
    types::v1::Tier,
};

use crate::instance::*;

on_both! {
    bb_5_1_rules_are_versions_that_sites_attest_to
}

fn rule(version: u32, from: &str) -> PublishRuleRequest {
    PublishRuleRequest {
        district: DISTRICT.into(),
        request_id: id(),
        rule: Some(Rule {
            code: "first-contact".into(),
            version,
            title: "首问负责制".into(),
            text: "首问责任人负责到底。".into(),
            effective_from: from.into(),
            attested_by: vec!["nobody".into()],
        }),
    }
}

fn attest(version: u32, site: &str) -> AttestRuleRequest {
    AttestRuleRequest {
        district: DISTRICT.into(),
        request_id: id(),
        rule: "first-contact".into(),
        version,
        site: site.into(),
    }
}

async fn bb_5_1_rules_are_versions_that_sites_attest_to(at: &Instance) {
    at.found_district().await;
    at.create_site(site("town", Tier::Town, "420527101")).await;
    at.create_site(site("other", Tier::Town, "420527102")).await;
    let published = at
        .directory
        .publish_rule(by(&operator(), rule(1, "2026-01-01")));
    let published = published.await.expect("published").into_inner();
    let published = published.rule.expect("a rule");
    assert!(
        published.attested_by.is_empty(),
        "sites attest, not authors"
    );
    let answer = at
        .directory
        .publish_rule(by(&operator(), rule(1, "2026-06-01")));
    assert_eq!(refused(answer.await), with("VERSION_EXISTS", "BB-5.1"));
    let answer = at
        .directory
        .publish_rule(by(&operator(), rule(2, "2026-02-30")));
    assert_eq!(refused(answer.await), with("DATE_IMPOSSIBLE", ""));
    let published = at
        .directory
        .publish_rule(by(&operator(), rule(2, "2026-07-01")));
    published.await.expect("published");

    let town = from_region("420527101");
    let answer = at.directory.publish_rule(by(&town, rule(3, "2026-08-01")));
    assert_eq!(refused(answer.await), with("SCOPE_TOO_NARROW", "BB-1"));
    for _ in 0..2 {
        let attested = at.directory.attest_rule(by(&town, attest(2, "town"))).await;
        let attested = attested.expect("attested").into_inner().rule;
        assert_eq!(attested.expect("a rule").attested_by, ["town"]);
    }
    let answer = at
        .directory
        .attest_rule(by(&town, attest(2, "other")))
        .await;
    assert_eq!(refused(answer), with("SITE_UNKNOWN", "BB-1"));
    let answer = at.directory.attest_rule(by(&town, attest(9, "town"))).await;
    assert_eq!(refused(answer), with("RULE_UNKNOWN", "BB-5.1"));

    let list = ListRulesRequest {
        district: DISTRICT.into(),
        ..ListRulesRequest::default()
    };
    let nobody = bangban_kit::identity::Caller::public();
    let rules = at.directory.list_rules(by(&nobody, list)).await;
    let rules = rules.expect("listed").into_inner().rules;
    let told: Vec<_> = rules
        .iter()
        .map(|r| (r.version, r.attested_by.len()))
        .collect();
    assert_eq!(told, [(2, 1), (1, 0)], "the newest first");
}
