use std::collections::HashSet;

use bangban_codes::{ReceiptNumber, Serial};
use proptest::prelude::*;

use crate::reason;

fn receipt(district_number: u32, serial: u64) -> ReceiptNumber {
    ReceiptNumber::new(district_number, serial).unwrap()
}

#[test]
fn a_receipt_number_is_grouped_for_dictation() {
    let number = receipt(42, 12_345_678);
    assert_eq!(number.to_string(), "00042-1234-5678-0");
    assert_eq!(number.compact(), "00042123456780");
    assert_eq!(number.spoken_zh(), "零零零四二，幺二三四，五六七八，零");
    assert_eq!(
        (number.district_number(), number.serial()),
        (42, 12_345_678)
    );
}

#[test]
fn a_dictated_number_is_understood() {
    for text in [
        "00042-1234-5678-0",
        "00042123456780",
        " 00042 1234 5678 0 ",
        "０００４２－１２３４－５６７８－０",
        "00042—1234—5678—0",
        "零零零四二，幺二三四，五六七八，零",
        "〇〇〇四两 一二三四 五六七八 〇",
        "零零零肆贰、壹贰叁肆、伍陆柒捌、零。",
        "洞洞洞四二杠幺两三四杠五六拐八杠洞",
        "零零零四二1234五六七八0",
    ] {
        assert_eq!(
            ReceiptNumber::parse(text),
            Ok(receipt(42, 12_345_678)),
            "{text}"
        );
    }
}

#[test]
fn refusals_say_why() {
    for (text, expected) in [
        ("", "EMPTY"),
        ("--", "EMPTY"),
        ("00042-1234-5678", "LENGTH_WRONG"),
        ("42-1234-5678-0", "LENGTH_WRONG"),
        ("000042-1234-5678-0", "LENGTH_WRONG"),
        ("00042-1234-5678-1", "CHECKSUM_MISMATCH"),
        ("00042-1234-5678-X", "CHARACTER_NOT_ALLOWED"),
        ("00042/1234/5678/0", "CHARACTER_NOT_ALLOWED"),
        ("四十二", "CHARACTER_NOT_ALLOWED"),
    ] {
        assert_eq!(reason(text, ReceiptNumber::parse(text)), expected, "{text}");
    }
}

#[test]
fn numbers_too_large_for_their_place_are_refused() {
    assert_eq!(
        receipt(99_999, 99_999_999).compact()[..13],
        *"9999999999999"
    );
    for (district_number, serial) in [(100_000, 0), (0, 100_000_000), (0, u64::MAX), (u32::MAX, 0)]
    {
        let refused = ReceiptNumber::new(district_number, serial).unwrap_err();
        assert_eq!(refused.reason(), "NUMBER_OUT_OF_RANGE");
    }
}

/// Every single wrong digit and every swap of neighbours, for numbers that put each pair of digits
/// at each pair of places. That it holds for all numbers follows from the table's own test.
#[test]
fn every_single_error_and_every_swap_of_neighbours_is_found() {
    let mut tried = 0_u32;
    for district_number in (0..100_000).step_by(317) {
        for serial in (0..100_000_000_u64).step_by(1_234_567) {
            let number = receipt(district_number, serial);
            let right = number.compact().into_bytes();
            for at in 0..right.len() {
                for by in 1..10 {
                    let mut wrong = right.clone();
                    wrong[at] = b'0' + (wrong[at] - b'0' + by) % 10;
                    assert_refused(&wrong);
                    tried += 1;
                }
                if at > 0 && right[at] != right[at - 1] {
                    let mut wrong = right.clone();
                    wrong.swap(at, at - 1);
                    assert_refused(&wrong);
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 3_000_000);
}

fn assert_refused(wrong: &[u8]) {
    let wrong = std::str::from_utf8(wrong).unwrap();
    assert_eq!(
        ReceiptNumber::parse(wrong).unwrap_err().reason(),
        "CHECKSUM_MISMATCH",
        "{wrong}"
    );
}

#[test]
fn one_hundred_thousand_counters_give_as_many_serials() {
    for key in [0, 1, u64::MAX, 0x0123_4567_89ab_cdef] {
        let serials: HashSet<u32> = (0..100_000)
            .map(|counter| Serial::scramble(counter, key).unwrap())
            .collect();
        assert_eq!(serials.len(), 100_000);
        assert!(serials.iter().all(|&serial| serial < Serial::COUNT));
    }
}

/// Volumes stay hidden: serials of consecutive counters fall evenly into ten parts, and neighbours
/// do not stay near each other.
#[test]
fn consecutive_counters_are_spread_over_all_serials() {
    let serials: Vec<u32> = (0..10_000)
        .map(|n| Serial::scramble(n, 7).unwrap())
        .collect();
    let mut parts = [0_u32; 10];
    for serial in &serials {
        parts[(serial / 10_000_000) as usize] += 1;
    }
    assert!(
        parts.iter().all(|count| (850..1_150).contains(count)),
        "{parts:?}"
    );
    let near = serials
        .windows(2)
        .filter(|pair| pair[0].abs_diff(pair[1]) < 1_000_000)
        .count();
    // Two of a hundred lie so near by chance.
    assert!((130..270).contains(&near), "{near}");
}

#[test]
fn a_used_up_counter_is_refused() {
    for number in [Serial::COUNT, u32::MAX] {
        assert_eq!(
            Serial::scramble(number, 1).unwrap_err().reason(),
            "NUMBER_OUT_OF_RANGE"
        );
        assert_eq!(
            Serial::unscramble(number, 1).unwrap_err().reason(),
            "NUMBER_OUT_OF_RANGE"
        );
    }
}

proptest! {
    #[test]
    fn scrambling_has_an_inverse_both_ways(number in 0..Serial::COUNT, key in any::<u64>()) {
        let serial = Serial::scramble(number, key).unwrap();
        prop_assert!(serial < Serial::COUNT);
        prop_assert_eq!(Serial::unscramble(serial, key), Ok(number));
        prop_assert_eq!(Serial::scramble(Serial::unscramble(number, key).unwrap(), key), Ok(number));
    }

    #[test]
    fn receipts_survive_writing_and_speaking(district in 0_u32..100_000, serial in 0_u64..100_000_000) {
        let number = receipt(district, serial);
        prop_assert_eq!(ReceiptNumber::parse(&number.to_string()), Ok(number));
        prop_assert_eq!(ReceiptNumber::parse(&number.compact()), Ok(number));
        prop_assert_eq!(ReceiptNumber::parse(&number.spoken_zh()), Ok(number));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        let _ = ReceiptNumber::parse(&text);
    }
}
