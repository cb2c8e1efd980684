use bangban_ledger::{Entry, verify};
use proptest::prelude::*;
use serde_json::json;

use crate::sample::{bytes, edit, good, lines, report, reseal};

fn cases() -> impl Strategy<Value = Vec<Vec<Entry>>> {
    let act = (
        ".{0,12}",
        any::<i64>(),
        ".{0,12}",
        any::<bool>(),
        prop::collection::vec(any::<u8>(), 0..40),
    );
    prop::collection::btree_map(".{1,12}", prop::collection::vec(act, 1..6), 1..5).prop_map(
        |cases| {
            cases
                .into_iter()
                .map(|(subject, acts)| {
                    (1..)
                        .zip(acts)
                        .map(|(number, act)| entry(&subject, number, act))
                        .collect()
                })
                .collect()
        },
    )
}

fn entry(subject: &str, number: u64, act: (String, i64, String, bool, Vec<u8>)) -> Entry {
    let (kind, acted_at_us, actor, is_demonstration, payload) = act;
    Entry {
        district: "shu-he".to_owned(),
        subject: subject.to_owned(),
        number,
        kind,
        acted_at_us,
        actor,
        actor_site: "site/3".to_owned(),
        is_demonstration,
        payload,
    }
}

#[test]
fn any_truncation_is_found() {
    let whole = bytes(&good());
    for length in 0..whole.len() {
        assert!(
            !verify(&whole[..length]).unwrap().is_good(),
            "cut to {length} bytes"
        );
    }
}

#[test]
fn any_change_of_one_byte_is_found() {
    let mut bytes = bytes(&good());
    for at in 0..bytes.len() {
        let was = bytes[at];
        for byte in [was ^ 1, was ^ 0x20, b'\n', b' ', b'0'] {
            bytes[at] = byte;
            assert!(
                byte == was || !verify(&*bytes).unwrap().is_good(),
                "byte {at}: {was} to {byte}"
            );
        }
        bytes[at] = was;
    }
}

#[test]
fn any_deleted_byte_is_found() {
    let whole = bytes(&good());
    for at in 0..whole.len() {
        let mut less = whole.clone();
        less.remove(at);
        assert!(!verify(&*less).unwrap().is_good(), "byte {at}");
    }
}

#[test]
fn any_deleted_repeated_or_swapped_line_is_found_although_the_end_line_is_restated() {
    let whole = good();
    for at in 0..whole.len() {
        let mut less = whole.clone();
        less.remove(at);
        reseal(&mut less);
        assert!(!report(&less).is_good(), "line {at} deleted");
        for other in 0..whole.len() {
            let mut more = whole.clone();
            more.insert(other, whole[at].clone());
            reseal(&mut more);
            assert!(!report(&more).is_good(), "line {at} repeated at {other}");
            let mut swapped = whole.clone();
            swapped.swap(at, other);
            reseal(&mut swapped);
            assert!(
                at == other || !report(&swapped).is_good(),
                "lines {at} and {other} swapped"
            );
        }
    }
}

proptest! {
    #[test]
    fn whatever_was_done_verifies(cases in cases()) {
        let report = report(&lines(&cases));
        prop_assert!(report.is_good(), "{:?}", report);
        prop_assert_eq!(report.verified, cases.len() as u64);
        prop_assert_eq!(report.acts, cases.iter().map(Vec::len).sum::<usize>() as u64);
    }

    #[test]
    fn any_changed_field_is_found_although_the_end_line_is_restated(
        cases in cases(), pick in any::<prop::sample::Index>(), field in 0..9_usize,
    ) {
        let mut lines = lines(&cases);
        let acts: Vec<usize> = (0..lines.len()).filter(|&at| lines[at].starts_with("{\"line\":\"act\"")).collect();
        edit(&mut lines[acts[pick.index(acts.len())]], |act| match field {
            0 => act["number"] = json!(act["number"].as_u64().unwrap() + 1),
            1 => act["kind"] = json!(format!("{}!", act["kind"].as_str().unwrap())),
            2 => act["acted_at_us"] = json!(act["acted_at_us"].as_i64().unwrap() ^ 1),
            3 => act["actor"] = json!(format!("{}!", act["actor"].as_str().unwrap())),
            4 => act["actor_site"] = json!(""),
            5 => act["is_demonstration"] = json!(!act["is_demonstration"].as_bool().unwrap()),
            6 => act["payload"] = json!(format!("AAAA{}", act["payload"].as_str().unwrap())),
            7 => act["previous"] = json!("11".repeat(32)),
            _ => act["hash"] = json!("11".repeat(32)),
        });
        reseal(&mut lines);
        let report = report(&lines);
        prop_assert!(!report.is_good());
        prop_assert_eq!(report.verified, cases.len() as u64 - 1);
    }

    #[test]
    fn any_replaced_bytes_are_found(
        cases in cases(), start in any::<prop::sample::Index>(), by in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let whole = bytes(&lines(&cases));
        let start = start.index(whole.len());
        let end = (start + by.len()).min(whole.len());
        let changed = [&whole[..start], &by, &whole[end..]].concat();
        prop_assert!(changed == whole || !verify(&*changed).unwrap().is_good());
    }

    #[test]
    fn no_input_makes_it_panic(input in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!verify(&*input).unwrap().is_good());
    }
}
