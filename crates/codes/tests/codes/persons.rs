use bangban_codes::{ResidentId, Sex};
use chrono::NaiveDate;
use proptest::prelude::*;

use crate::{reason, today};

/// The samples of GB 11643-1999, and one published with a validator.
const SAMPLES: [&str; 3] = [
    "11010519491231002X",
    "440524188001010014",
    "440308199901101512",
];

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn id(text: &str) -> ResidentId {
    ResidentId::parse(text, today()).unwrap()
}

#[test]
fn the_samples_of_the_standard_are_accepted() {
    let woman = id(SAMPLES[0]);
    assert_eq!(woman.birth_date(), day(1949, 12, 31));
    assert_eq!(woman.sex(), Sex::Female);
    assert_eq!(woman.issued_in().unwrap().as_str(), "110105");
    let man = id(SAMPLES[1]);
    assert_eq!(man.birth_date(), day(1880, 1, 1));
    assert_eq!(man.sex(), Sex::Male);
    assert_eq!(id(SAMPLES[2]).birth_date(), day(1999, 1, 10));
}

#[test]
fn what_people_type_comes_to_one_normal_form() {
    for text in [
        "11010519491231002x",
        " 110105 19491231 002X ",
        "１１０１０５１９４９１２３１００２ｘ",
        "11010519491231002Ⅹ",
        "\u{3000}11010519491231002ⅹ\n",
    ] {
        assert_eq!(id(text).as_str(), SAMPLES[0]);
    }
}

#[test]
fn an_age_is_complete_on_the_birthday() {
    let person = id(SAMPLES[0]);
    assert_eq!(person.age_on(day(2029, 12, 30)), Some(79));
    assert_eq!(person.age_on(day(2029, 12, 31)), Some(80));
    assert_eq!(person.age_on(day(1949, 12, 31)), Some(0));
    assert_eq!(person.age_on(day(1949, 12, 30)), None);
    let leap = id("330327200002290021");
    assert_eq!(leap.age_on(day(2026, 2, 28)), Some(25));
    assert_eq!(leap.age_on(day(2026, 3, 1)), Some(26));
    assert_eq!(leap.age_on(day(2028, 2, 29)), Some(28));
}

#[test]
fn refusals_say_why() {
    for (text, expected) in [
        ("", "EMPTY"),
        ("1101051949123100", "LENGTH_WRONG"),
        ("11010519491231002X0", "LENGTH_WRONG"),
        ("1101051949123100AX", "CHARACTER_NOT_ALLOWED"),
        ("11010519491231002Y", "CHARACTER_NOT_ALLOWED"),
        ("X1010519491231002X", "CHARACTER_NOT_ALLOWED"),
        ("110105-19491231-002X", "CHARACTER_NOT_ALLOWED"),
        ("一10105194912310020", "CHARACTER_NOT_ALLOWED"),
        ("110105194912310021", "CHECKSUM_MISMATCH"),
        ("330327198002300015", "DATE_IMPOSSIBLE"),
        ("330327170001010011", "DATE_IMPOSSIBLE"),
        ("330327300001010014", "DATE_IN_FUTURE"),
        ("00032719800101001X", "REGION_UNKNOWN_FORM"),
        ("810000199408230021", "DOCUMENT_KIND_MISMATCH"),
        ("830000199201300022", "DOCUMENT_KIND_MISMATCH"),
        ("911124198108030024", "DOCUMENT_KIND_MISMATCH"),
        ("610104620927690", "DOCUMENT_VOID"),
        ("61010462092769A", "LENGTH_WRONG"),
    ] {
        assert_eq!(
            reason(text, ResidentId::parse(text, today())),
            expected,
            "{text}"
        );
    }
    assert_eq!(
        reason("", ResidentId::parse(&"1".repeat(10_000), today())),
        "LENGTH_WRONG"
    );
}

#[test]
fn a_birth_is_not_later_than_the_day_given() {
    assert!(ResidentId::parse(SAMPLES[0], day(1949, 12, 31)).is_ok());
    assert_eq!(
        ResidentId::parse(SAMPLES[0], day(1949, 12, 30))
            .unwrap_err()
            .reason(),
        "DATE_IN_FUTURE"
    );
}

#[test]
fn fifteen_digits_are_accepted_in_old_records_only() {
    let old = ResidentId::parse_historical("610104620927690", today()).unwrap();
    assert_eq!(old.as_str(), "610104196209276908");
    assert_eq!(old, id("610104196209276908"));
    let centenarian = ResidentId::parse_historical("330327950101998", today()).unwrap();
    assert_eq!(centenarian.birth_date(), day(1895, 1, 1));
    for (sequence, year) in [(995, 1995), (996, 1895), (999, 1895)] {
        let text = format!("330327950101{sequence}");
        let person = ResidentId::parse_historical(&text, today()).unwrap();
        assert_eq!(person.birth_date(), day(year, 1, 1));
    }
    assert_eq!(
        ResidentId::parse_historical(SAMPLES[0], today()),
        Ok(id(SAMPLES[0]))
    );
    for (text, expected) in [
        ("610104621327690", "DATE_IMPOSSIBLE"),
        ("990104620927690", "DOCUMENT_KIND_MISMATCH"),
        ("61010462092769", "LENGTH_WRONG"),
        ("11010519491231002", "LENGTH_WRONG"),
        ("110105194912310021", "CHECKSUM_MISMATCH"),
    ] {
        assert_eq!(
            reason(text, ResidentId::parse_historical(text, today())),
            expected,
            "{text}"
        );
    }
}

#[test]
fn masks_and_debug_show_the_first_and_last_character_only() {
    let person = id(SAMPLES[0]);
    assert_eq!(person.mask(), "1****************X");
    assert_eq!(format!("{person:?}"), "ResidentId(1****************X)");
}

#[test]
fn every_single_error_and_every_swap_of_neighbours_in_the_samples_is_found() {
    for sample in SAMPLES {
        for at in 0..18 {
            for other in b"0123456789X"
                .iter()
                .filter(|&&c| c != sample.as_bytes()[at])
            {
                let mut wrong = sample.as_bytes().to_vec();
                wrong[at] = *other;
                let wrong = String::from_utf8(wrong).unwrap();
                assert!(ResidentId::parse(&wrong, today()).is_err(), "{wrong}");
            }
        }
        for at in 0..17 {
            let mut wrong = sample.as_bytes().to_vec();
            wrong.swap(at, at + 1);
            let wrong = String::from_utf8(wrong).unwrap();
            assert!(
                wrong == sample || ResidentId::parse(&wrong, today()).is_err(),
                "{wrong}"
            );
        }
    }
}

/// A well-formed number, its check character found by trying all of them.
fn any_id() -> impl Strategy<Value = String> {
    (11_u32..=65, 0_u32..=9999, 0_i64..=45_000, 0_u32..=999).prop_map(
        |(province, place, days, sequence)| {
            let province = if province % 10 == 0 {
                province + 1
            } else {
                province
            };
            let birth = day(1900, 1, 1) + chrono::Days::new(days.unsigned_abs());
            let body = format!(
                "{province}{place:04}{}{sequence:03}",
                birth.format("%Y%m%d")
            );
            "0123456789X"
                .chars()
                .map(|check| format!("{body}{check}"))
                .find(|text| ResidentId::parse(text, today()).is_ok())
                .expect("one check character fits")
        },
    )
}

proptest! {
    #[test]
    fn one_check_character_fits_and_the_rest_is_read_back(text in any_id()) {
        let person = id(&text);
        prop_assert_eq!(person.as_str(), text.as_str());
        prop_assert_eq!(person.birth_date().format("%Y%m%d").to_string(), &text[6..14]);
        let is_male = text.as_bytes()[16] % 2 == 1;
        prop_assert_eq!(person.sex() == Sex::Male, is_male);
        let fitting = "0123456789X".chars()
            .filter(|c| ResidentId::parse(&format!("{}{c}", &text[..17]), today()).is_ok());
        prop_assert_eq!(fitting.count(), 1);
    }

    #[test]
    fn every_single_change_is_found(text in any_id(), at in 0_usize..18, by in 1_u8..10) {
        let mut wrong = text.into_bytes();
        wrong[at] = match wrong[at] {
            b'X' => b'0' + by,
            digit => b'0' + (digit - b'0' + by) % 10,
        };
        let wrong = String::from_utf8(wrong).unwrap();
        prop_assert_eq!(ResidentId::parse(&wrong, today()).unwrap_err().reason(), "CHECKSUM_MISMATCH");
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        let _ = ResidentId::parse(&text, today());
        let _ = ResidentId::parse_historical(&text, today());
    }
}
