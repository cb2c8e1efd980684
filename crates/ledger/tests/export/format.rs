use bangban_ledger::{Entry, EntryRef, START, verify_each};

use crate::sample::{bytes, case, entry, good, lines, report};

/// Made by a Python script from `docs/ledger-format.md`, not by this crate. It may never change: exports are kept for as
/// long as archives are.
const GOLDEN: &str = include_str!("golden-v1.jsonl");

#[test]
fn version_one_is_written_byte_for_byte_as_ever() {
    assert_eq!(String::from_utf8(bytes(&good())).unwrap(), GOLDEN);
}

/// Expected values computed with Python's hashlib from the description in `docs/ledger-format.md`.
#[test]
fn hashes_are_those_of_an_independent_implementation() {
    let first = entry("case/a", 1).hash(&START);
    let second = entry("case/a", 2).hash(&first);
    assert_eq!(
        hex::encode(first),
        "60273d67c978ecf026ad7c88f61fb01373b6574f9406ec2cc34325416e40bd92"
    );
    assert_eq!(
        hex::encode(second),
        "2ed3ed8d326b2a3fabe63d983889bb428dbc190d9235b0e89c2f80010fba4e17"
    );
}

#[test]
fn an_entry_and_its_borrow_hash_alike() {
    let entry = entry("case/a", 2);
    assert_eq!(entry.hash(&START), EntryRef::from(&entry).hash(&START));
}

#[test]
fn text_that_moves_between_neighbouring_fields_changes_the_hash() {
    let one = Entry {
        actor: "ab".to_owned(),
        actor_site: "c".to_owned(),
        ..entry("case/a", 1)
    };
    let other = Entry {
        actor: "a".to_owned(),
        actor_site: "bc".to_owned(),
        ..entry("case/a", 1)
    };
    assert_ne!(one.hash(&START), other.hash(&START));
}

#[test]
fn a_good_export_verifies() {
    let report = report(&good());
    assert!(report.is_good(), "{report:?}");
    assert_eq!((report.cases, report.acts, report.verified), (3, 6, 3));
    assert_eq!(report.head.unwrap(), crate::sample::head());
}

#[test]
fn an_export_of_no_case_verifies() {
    let report = report(&lines(&[]));
    assert!(report.is_good(), "{report:?}");
    assert_eq!((report.cases, report.verified), (0, 0));
}

#[test]
fn every_head_is_handed_out_for_comparison() {
    let mut heads = Vec::new();
    verify_each(&*bytes(&good()), |ledger| {
        heads.push((
            ledger.subject.to_owned(),
            ledger.act_count,
            *ledger.head,
            ledger.holds,
        ));
    })
    .unwrap();
    let mut expected = START;
    for act in case("case/a", 3) {
        expected = act.hash(&expected);
    }
    assert_eq!(heads.len(), 3);
    assert_eq!(heads[0], ("case/a".to_owned(), 3, expected, true));
}
