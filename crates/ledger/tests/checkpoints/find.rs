use bangban_ledger::{
    Kept, Problem,
    ProblemKind::{self, *},
    Trust,
};

use crate::district::{District, bytes, key, report, seeded};

fn first(district: &District, trust: &Trust) -> Problem {
    let report = report(&district.bytes(), trust);
    report.problems.first().expect("a problem").clone()
}

fn kinds(lines: &[String], trust: &Trust) -> Vec<ProblemKind> {
    let report = report(&bytes(lines), trust);
    report.problems.iter().map(|problem| problem.kind).collect()
}

/// Made when the format was new. It may never change: exports are kept for as long as archives are.
const GOLDEN: &str = include_str!("golden-v1.jsonl");

#[test]
fn bx_6_checkpoints_are_written_byte_for_byte_as_ever() {
    assert_eq!(
        String::from_utf8(District::sample().bytes()).unwrap(),
        GOLDEN
    );
}

#[test]
fn bx_6_a_good_export_is_compared_with_its_checkpoints() {
    let district = District::sample();
    let report = report(&district.bytes(), &district.trust());
    assert!(report.is_good(), "{report:?}");
    assert_eq!(
        (report.checkpoints, report.covered, report.verified),
        (4, 7, 8)
    );
    assert_eq!(report.last_checkpoint, Some((4, "2026-11-24".to_owned())));
    assert_eq!(report.signers, [key().id()]);
}

#[test]
fn bx_6_a_case_that_was_cut_is_named_with_its_last_act() {
    let mut district = District::sample();
    let trust = district.trust();
    district.chains.get_mut("cases/e").unwrap().truncate(2);
    let problem = first(&district, &trust);
    assert_eq!((problem.kind, problem.number), (CaseCut, Some(2)));
    assert_eq!(problem.subject.as_deref(), Some("cases/e"));
    assert_eq!(problem.checkpoint, Some(2));
}

#[test]
fn bx_6_a_case_that_was_rewritten_is_named_with_the_act() {
    let mut district = District::sample();
    let trust = district.trust();
    district.chains.get_mut("cases/a").unwrap()[1]
        .0
        .payload
        .clear();
    district.recompute("cases/a", 2);
    let problem = first(&district, &trust);
    assert_eq!((problem.kind, problem.number), (CaseRewritten, Some(3)));
    assert_eq!(problem.subject.as_deref(), Some("cases/a"));
    assert!(problem.en.contains("checkpoint 检查点 1"), "{}", problem.en);
}

#[test]
fn bx_6_a_missing_case_is_named() {
    let mut district = District::sample();
    let trust = district.trust();
    district.chains.remove("cases/d");
    district.chains.remove("cases/g");
    let report = report(&district.bytes(), &trust);
    let told: Vec<_> = report
        .problems
        .iter()
        .map(|p| (p.kind, p.subject.as_deref()))
        .collect();
    let missing = ["cases/d", "cases/g"].map(|subject| (CaseMissing, Some(subject)));
    assert_eq!(told, missing);
    assert_eq!(report.verified, 6);
}

#[test]
fn bx_6_an_end_that_was_cut_off_with_its_checkpoint_is_found_by_one_that_is_kept() {
    let mut district = District::sample();
    let trust = district.trust();
    district.checkpoints.pop();
    district.leaves.pop();
    district.chains.remove("cases/g");
    assert!(report(&district.bytes(), &Trust::default()).is_good());
    let problem = first(&district, &trust);
    assert_eq!((problem.kind, problem.checkpoint), (KeptMissing, Some(4)));
}

#[test]
fn bx_6_checkpoints_of_another_key_are_found_when_the_key_is_given() {
    let mut district = District::sample();
    let leaves = std::mem::take(&mut district.leaves);
    district.checkpoints.clear();
    leaves
        .into_iter()
        .for_each(|leaves| district.close(leaves, &seeded(9)));
    assert!(report(&district.bytes(), &Trust::default()).is_good());
    let given = Trust {
        keys: vec![key().public()],
        kept: Vec::new(),
    };
    assert_eq!(first(&district, &given).kind, CheckpointKeyUnknown);
}

#[test]
fn bx_6_missing_reordered_and_forged_checkpoints_are_told_apart() {
    let (lines, none) = (District::sample().lines(None), Trust::default());
    let after = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = lines.clone();
        change(&mut lines);
        kinds(&lines, &none)[0]
    };
    assert_eq!(after(&|lines| drop(lines.remove(2))), CheckpointMissing);
    assert_eq!(
        after(&|lines| lines.insert(2, lines[1].clone())),
        CheckpointMisplaced
    );
    let last = lines.len() - 1;
    assert_eq!(
        after(&|lines| lines.insert(last, lines[1].clone())),
        CheckpointMisplaced
    );
    let replaced = |from: &str, to: &str| after(&|lines| lines[1] = lines[1].replace(from, to));
    assert_eq!(replaced("2026-11-21", "2026-11-20"), CheckpointChanged);
    assert_eq!(replaced("\"signature\":\"", "\"signature\":\"00"), BadLine);
    let mut district = District::sample();
    district.checkpoints[1].signature[3] ^= 1;
    assert_eq!(first(&district, &none).kind, CheckpointForged);
    let mut district = District::sample();
    district.leaves[1].pop();
    let problem = first(&district, &none);
    assert_eq!(
        (problem.kind, problem.line, problem.checkpoint),
        (CheckpointRootDiffers, 3, Some(2))
    );
}

#[test]
fn bx_6_one_case_proves_its_leaves() {
    let (district, subject) = (District::sample(), Some("cases/a"));
    let lines = district.lines(subject);
    let report = report(&bytes(&lines), &district.trust());
    assert!(report.is_good() && report.is_filtered(), "{report:?}");
    assert_eq!((report.verified, report.covered), (1, 1));
    let mut other = district.clone();
    other.leaves[0][0].head = [1; 32];
    assert!(kinds(&other.lines(subject), &district.trust()).contains(&LeafUnproven));
}

#[test]
fn bx_6_what_is_kept_must_be_of_the_district_and_signed() {
    let district = District::sample();
    let with = |change: &dyn Fn(&mut Kept)| {
        let mut trust = district.trust();
        change(&mut trust.kept[1]);
        first(&district, &trust).kind
    };
    assert_eq!(
        with(&|kept| kept.district = "zigui".to_owned()),
        KeptForeign
    );
    assert_eq!(with(&|kept| kept.day = "2026-11-20".to_owned()), KeptForged);
    assert_eq!(with(&|kept| kept.signature = "00".repeat(64)), KeptForged);
    let line = serde_json::to_string(&district.kept()[0]).unwrap();
    assert_eq!(Kept::parse(&line), Ok(district.kept()[0].clone()));
    assert!(Kept::parse(&line.replace("2026-11-21", "2026-11-22")).is_err());
}
