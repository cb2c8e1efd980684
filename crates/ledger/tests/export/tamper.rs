use bangban_ledger::ProblemKind::{self, *};
use serde_json::json;

use crate::sample::{bytes, case, edit, entry, good, kinds, lines, report, reseal};

/// Lines of `good()`, from 0: head, case a, acts 1 to 3, case b, act 1, case c, acts 1 and 2, end.
const CASE_A: usize = 1;
const ACT_2: usize = 3;

fn after(change: impl FnOnce(&mut Vec<String>)) -> Vec<ProblemKind> {
    let mut lines = good();
    change(&mut lines);
    reseal(&mut lines);
    kinds(&report(&lines))
}

#[test]
fn a_changed_act_is_named() {
    let mut lines = good();
    edit(&mut lines[ACT_2], |act| act["actor"] = json!("staff/8"));
    reseal(&mut lines);
    let report = report(&lines);
    let [problem] = &*report.problems else {
        panic!("{report:?}")
    };
    assert_eq!(
        (problem.line, problem.kind, problem.number),
        (4, ActChanged, Some(2))
    );
    assert_eq!(problem.subject.as_deref(), Some("case/a"));
    assert_eq!(report.verified, 2);
}

#[test]
fn an_act_with_a_restated_hash_breaks_the_chain_behind_it() {
    let mut lines = good();
    let mut other = entry("case/a", 2);
    other.actor = "staff/8".to_owned();
    edit(&mut lines[ACT_2], |act| {
        let previous = hex::decode(act["previous"].as_str().unwrap())
            .unwrap()
            .try_into()
            .unwrap();
        act["actor"] = json!(other.actor);
        act["hash"] = json!(hex::encode(other.hash(&previous)));
    });
    reseal(&mut lines);
    let report = report(&lines);
    assert_eq!(kinds(&report), [ChainBroken]);
    assert_eq!(report.problems[0].number, Some(3));
}

#[test]
fn a_missing_act_is_a_gap() {
    let mut lines = good();
    lines.remove(ACT_2);
    reseal(&mut lines);
    let report = report(&lines);
    assert_eq!(kinds(&report), [ActMissing, CaseCountDiffers]);
    assert!(report.problems[0].en.contains("2–2"), "{report:?}");
}

#[test]
fn missing_first_and_last_acts_are_noticed() {
    assert_eq!(
        after(|lines| drop(lines.remove(ACT_2 - 1))),
        [ActMissing, CaseCountDiffers]
    );
    assert_eq!(
        after(|lines| drop(lines.remove(ACT_2 + 1))),
        [CaseCountDiffers, CaseHeadDiffers]
    );
}

#[test]
fn reordered_and_repeated_acts_are_noticed() {
    assert_eq!(
        after(|lines| lines.swap(ACT_2, ACT_2 + 1)),
        [ActMissing, ActMisplaced]
    );
    assert_eq!(
        after(|lines| lines.insert(ACT_2, lines[ACT_2].clone())),
        [ActMisplaced, CaseCountDiffers]
    );
}

#[test]
fn a_missing_case_is_missed_by_the_end_line() {
    let mut lines = good();
    lines.drain(5..7);
    assert_eq!(kinds(&report(&lines)), [EndCountDiffers, EndDigestDiffers]);
}

#[test]
fn repeated_and_reordered_cases_are_noticed() {
    assert_eq!(
        kinds(&report(&lines(&[case("case/a", 1), case("case/a", 1)]))),
        [CaseRepeated]
    );
    assert_eq!(
        kinds(&report(&lines(&[case("case/b", 1), case("case/a", 1)]))),
        [CaseMisplaced]
    );
}

#[test]
fn an_empty_case_proves_nothing() {
    let report = report(&lines(&[Vec::new()]));
    assert_eq!(kinds(&report), [CaseEmpty]);
    assert_eq!(report.verified, 0);
}

#[test]
fn a_cut_end_is_noticed() {
    let mut lines = good();
    lines.pop();
    assert_eq!(kinds(&report(&lines)), [EndMissing]);
    lines.pop();
    assert_eq!(
        kinds(&report(&lines)),
        [CaseCountDiffers, CaseHeadDiffers, EndMissing]
    );
}

#[test]
fn a_restated_case_line_is_noticed() {
    assert_eq!(
        after(|lines| edit(&mut lines[CASE_A], |case| case["act_count"] = json!(2))),
        [CaseCountDiffers]
    );
    assert_eq!(
        after(|lines| edit(&mut lines[CASE_A], |case| case["head"] =
            json!("00".repeat(32)))),
        [CaseHeadDiffers]
    );
    assert_eq!(
        after(|lines| edit(&mut lines[CASE_A], |case| case["head"] = json!("0"))),
        [BadLine, CaseHeadDiffers]
    );
}

#[test]
fn another_case_or_district_changes_every_act() {
    assert_eq!(
        after(|lines| edit(&mut lines[CASE_A], |case| case["subject"] = json!("case/0"))),
        [ActChanged; 3]
    );
    assert_eq!(
        after(|lines| edit(&mut lines[0], |head| head["district"] = json!("other"))),
        [ActChanged; 6]
    );
}

#[test]
fn local_times_must_be_the_instants_beside_them() {
    let wrong = json!("2026-11-23T12:00:00.000000+08:00");
    assert_eq!(
        after(|lines| edit(&mut lines[ACT_2], |act| act["acted_at"] = wrong.clone())),
        [TimeDiffers]
    );
    assert_eq!(
        after(|lines| edit(&mut lines[0], |head| head["exported_at"] = wrong.clone())),
        [TimeDiffers]
    );
}

#[test]
fn lines_of_no_known_kind_are_reported_and_the_rest_is_verified() {
    let mut lines = good();
    lines.insert(5, r#"{"line":"seal","root":"00"}"#.to_owned());
    reseal(&mut lines);
    let report = report(&lines);
    assert_eq!(kinds(&report), [UnknownLine]);
    assert_eq!(report.verified, 3);
}

#[test]
fn bad_lines_are_reported_and_their_case_does_not_hold() {
    for bad in [
        "",
        "{",
        "[]",
        "{\"line\":\"case\"}",
        "{\"line\":\"x\",\"line\":\"x\"}",
    ] {
        assert_eq!(
            after(|lines| lines.insert(ACT_2 + 2, bad.to_owned())),
            [BadLine],
            "{bad}"
        );
    }
    assert_eq!(
        after(|lines| edit(&mut lines[ACT_2], |act| drop(
            act.insert("note".to_owned(), json!(1))
        )))[0],
        BadLine
    );
    assert_eq!(
        after(|lines| edit(&mut lines[ACT_2], |act| act["payload"] = json!("*")))[0],
        BadLine
    );
    assert_eq!(
        after(|lines| lines[ACT_2] = lines[ACT_2].replace("\"hash\":\"", "\"hash\":\"A"))[0],
        BadLine
    );
}

#[test]
fn an_act_before_any_case_is_noticed() {
    assert_eq!(after(|lines| lines.swap(1, 2))[0], ActWithoutCase);
}

#[test]
fn only_a_head_of_a_known_version_begins_an_export() {
    assert_eq!(after(|lines| drop(lines.remove(0))), [HeadMissing]);
    assert_eq!(kinds(&report(&[])), [HeadMissing, EndMissing]);
    assert_eq!(
        after(|lines| lines.insert(1, lines[0].clone())),
        [HeadRepeated]
    );
    assert_eq!(
        after(|lines| edit(&mut lines[0], |head| head["version"] = json!(2))),
        [UnknownVersion]
    );
    assert_eq!(
        after(|lines| edit(&mut lines[0], |head| head["format"] = json!("x"))),
        [UnknownVersion]
    );
}

#[test]
fn nothing_follows_the_end() {
    let mut lines = good();
    lines.push(lines[1].clone());
    assert_eq!(kinds(&report(&lines)), [AfterEnd]);
    assert_eq!(
        kinds(&bangban_ledger::verify(&*[bytes(&good()), b" ".to_vec()].concat()).unwrap()),
        [AfterEnd]
    );
}

/// The limits of a chain without a signature, stated so that nobody promises more.
#[test]
fn what_no_hash_covers_is_found_by_the_digest_alone() {
    let mut lines = good();
    edit(&mut lines[ACT_2], |act| act["text"] = json!("拒收材料"));
    edit(&mut lines[CASE_A], |case| case["receipt"] = json!(null));
    assert_eq!(kinds(&report(&lines)), [EndDigestDiffers]);
    reseal(&mut lines);
    assert!(report(&lines).is_good());
}
