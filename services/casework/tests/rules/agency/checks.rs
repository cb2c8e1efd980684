//! Each act is checked against the agreement (BX-4).

use bangban_casework::domain::{
    delegation, department, material, reserved,
    responsibility::{self, Who},
};
use bangban_kit::identity::Caller;
use bangban_proto::bangban::{
    casework::v1::{self, CaseKind, CaseState, Continuation, DelegationEnd, SupplyForm},
    directory::v1::Power,
};

use super::{acts_for_principal, day, revoking, sweep, tried};
use crate::story::{Story, agent, clerk, ending, filing, take};

#[test]
fn bx_4_each_act_is_checked_against_the_agreement() {
    type Change = fn(&mut Story, Power);
    let changes: [(&str, Change, Option<&str>); 12] = [
        ("nothing", |_, _| (), None),
        (
            "another agent",
            |s, _| s.caller = agent("zhao", "station"),
            Some("NOT_THE_DELEGATE"),
        ),
        (
            "another institution",
            |s, _| s.caller = agent("li-na", "town"),
            Some("NOT_THE_DELEGATE"),
        ),
        (
            "another item",
            |s, _| s.case.agreements[0].item = "food-licence".to_owned(),
            Some("ITEM_NOT_COVERED"),
        ),
        (
            "another version",
            |s, _| s.case.agreements[0].item_version = 2,
            Some("ITEM_NOT_COVERED"),
        ),
        (
            "without the power",
            |s, power| {
                s.case.agreements[0]
                    .powers
                    .retain(|p| *p != i32::from(power));
            },
            Some("POWER_NOT_GRANTED"),
        ),
        (
            "with the power alone",
            |s, power| s.case.agreements[0].powers = vec![power.into()],
            None,
        ),
        (
            "not begun",
            |s, _| s.case.agreements[0].from = "2026-03-03".to_owned(),
            Some("DELEGATION_NOT_STARTED"),
        ),
        (
            "the last minute of the term",
            |s, _| day(s, "2026-03-31T15:59:00Z"),
            None,
        ),
        (
            "over, and no sweep has run",
            |s, _| day(s, "2026-03-31T16:00:00Z"),
            Some("DELEGATION_OVER"),
        ),
        (
            "never signed",
            |s, _| s.case.agreements[0].signed_at = None,
            Some("DELEGATION_MISSING"),
        ),
        (
            "no agreement",
            |s, _| s.case.agreements.clear(),
            Some("DELEGATION_MISSING"),
        ),
    ];
    for (what, change, expected) in changes {
        for (act, power, mut story) in acts_for_principal() {
            change(&mut story, power);
            let requirement = if expected == Some("DELEGATION_MISSING") {
                "BB-3.2"
            } else {
                "BX-4"
            };
            assert_eq!(
                tried(act, &story),
                expected.map(|reason| (reason, requirement)),
                "{act}: {what}"
            );
        }
    }
}

#[test]
fn bx_4_after_each_end_nothing_is_done_for_the_principal_any_more() {
    type End = fn(&mut Story);
    let ends: [(&str, End, DelegationEnd); 6] = [
        (
            "revoked",
            |s| s.does(delegation::revoke, revoking()),
            DelegationEnd::Revoked,
        ),
        (
            "resigned",
            |s| {
                s.does(
                    delegation::end,
                    ending(DelegationEnd::Resigned, Continuation::Unspecified, ""),
                );
            },
            DelegationEnd::Resigned,
        ),
        (
            "expired",
            |s| {
                day(s, "2026-03-31T16:00:00Z");
                sweep(s);
            },
            DelegationEnd::Expired,
        ),
        (
            "died",
            |s| {
                s.does(
                    delegation::end,
                    ending(DelegationEnd::Death, Continuation::Unspecified, "a paper"),
                );
            },
            DelegationEnd::Death,
        ),
        (
            "incapable",
            |s| {
                s.does(
                    delegation::end,
                    ending(
                        DelegationEnd::Incapacity,
                        Continuation::Unspecified,
                        "a paper",
                    ),
                );
            },
            DelegationEnd::Incapacity,
        ),
        (
            "dissolved",
            |s| {
                s.case.is_enterprise = true;
                s.does(
                    delegation::end,
                    ending(
                        DelegationEnd::Dissolution,
                        Continuation::Unspecified,
                        "a paper",
                    ),
                );
            },
            DelegationEnd::Dissolution,
        ),
    ];
    for (what, end, kind) in ends {
        for (act, _, mut story) in acts_for_principal() {
            end(&mut story);
            let agreement = story.agreement();
            assert_eq!(agreement.end(), kind, "{what}");
            assert_eq!(agreement.ended_at, story.at(), "at once");
            let is_over = matches!(kind, DelegationEnd::Death | DelegationEnd::Dissolution);
            let refused = tried(act, &story);
            if is_over {
                // The case has ended with the principal: heirs open a matter of their own.
                assert_eq!(refused, Some(("OUT_OF_ORDER", "BB-8d")), "{act}: {what}");
                assert_eq!(story.case.state(), CaseState::Ended);
            } else if matches!(act, "file" | "receive") {
                // In the same second.
                assert_eq!(refused, Some(("DELEGATION_ENDED", "BX-4")), "{act}: {what}");
            } else {
                // The applicant acts from here on, and is assisted.
                assert_eq!(refused, None, "{act}: {what}");
                assert_eq!(story.case.kind(), CaseKind::Assist);
            }
        }
    }
}

#[test]
fn bx_4_a_clerk_of_the_department_reports_without_a_power_and_does_nothing_for_the_principal() {
    for (act, power, mut story) in acts_for_principal() {
        story.case.agreements[0].powers.clear();
        story.caller = clerk();
        let refused = tried(act, &story);
        if power == Power::ReceiveNotices {
            assert_eq!(refused, None, "{act}");
        } else {
            assert_eq!(refused, Some(("NOT_THE_DELEGATE", "BX-4")), "{act}");
        }
    }
    // A clerk of another department is nobody here.
    let story = Story::filed_for_principal();
    let other = Caller {
        department: "market".to_owned(),
        ..clerk()
    };
    assert!(responsibility::may(Who::Department, &story.case, &clerk()).is_ok());
    assert_eq!(
        responsibility::may(Who::Department, &story.case, &other)
            .expect_err("refused")
            .reason,
        "NOT_RESPONSIBLE"
    );
}

#[test]
fn bx_4_acts_that_the_law_reserves_to_the_person_come_before_filing() {
    let record = |code: &str| v1::RecordInPersonActRequest {
        code: code.to_owned(),
        proof: "seen".to_owned(),
        ..Default::default()
    };
    let mut story = Story::delegated();
    story.takes_all_steps();
    story.refused(department::file, filing(false), "IN_PERSON_MISSING", "BX-4");
    story.refused(
        reserved::in_person,
        record("DANCE"),
        "IN_PERSON_ACT_UNKNOWN",
        "BX-4",
    );
    story.does(reserved::in_person, record("REAL_NAME_CHECK"));
    story.refused(
        reserved::in_person,
        record("REAL_NAME_CHECK"),
        "ALREADY_DONE",
        "BX-4",
    );
    story.does(department::file, filing(false));
}

#[test]
fn bx_4_only_what_was_handed_over_is_filed() {
    let mut story = Story::delegated();
    story.is_ready();
    let torn = v1::TakeMaterialRequest {
        is_valid: false,
        ..take("identity-card", SupplyForm::Brought)
    };
    story.does(material::take, torn);
    story.refused(department::file, filing(false), "MATERIALS_MISSING", "BX-4");
    // The original went back to the principal, and nothing stayed.
    let lent = |copies| v1::TakeMaterialRequest {
        originals: 1,
        copies,
        receipt: "R-1".to_owned(),
        ..take("identity-card", SupplyForm::Brought)
    };
    let back = || v1::ReturnMaterialRequest {
        material: "identity-card".to_owned(),
        receipt: "R-2".to_owned(),
        ..Default::default()
    };
    story.does(material::take, lent(0));
    story.does(material::give_back, back());
    story.refused(department::file, filing(false), "MATERIALS_MISSING", "BX-4");
    // A copy stayed.
    story.does(material::take, lent(1));
    story.does(material::give_back, back());
    story.does(department::file, filing(false));
}
