use bangban_codes::CreditCode;
use proptest::prelude::*;

use crate::reason;

const ALPHABET: &[u8] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
/// Codes published by their holders or with validators.
const SAMPLES: [&str; 3] = [
    "91350100M000100Y43",
    "91110108551385082Q",
    "91110000600037341L",
];

#[test]
fn published_codes_are_accepted() {
    for sample in SAMPLES {
        assert_eq!(CreditCode::parse(sample).unwrap().as_str(), sample);
        assert_eq!(
            CreditCode::parse(&sample.to_lowercase()).unwrap().as_str(),
            sample
        );
    }
    let code = CreditCode::parse("91350100M000100Y43").unwrap();
    assert_eq!((code.department(), code.category()), ('9', '1'));
    assert_eq!(code.registered_in().unwrap().as_str(), "3501");
    assert_eq!(code.organisation_code(), "M000100Y4");
    assert!(!code.is_individual_business());
    assert_eq!(code.mask(), "91************0Y43");
}

#[test]
fn refusals_say_why() {
    for (text, expected) in [
        ("", "EMPTY"),
        ("91350100M000100Y4", "LENGTH_WRONG"),
        ("91350100M000100Y433", "LENGTH_WRONG"),
        ("91350100M000100Y4A", "CHECKSUM_MISMATCH"),
        ("91350100M000100YIO", "CHARACTER_NOT_ALLOWED"),
        ("91350100M000100Y4Z", "CHARACTER_NOT_ALLOWED"),
        ("9135010AM000100Y43", "CHARACTER_NOT_ALLOWED"),
        ("91350100-000100Y43", "CHARACTER_NOT_ALLOWED"),
    ] {
        assert_eq!(reason(text, CreditCode::parse(text)), expected, "{text}");
    }
}

#[test]
fn every_single_error_and_every_swap_of_neighbours_is_found() {
    for sample in SAMPLES {
        for at in 0..18 {
            for &other in ALPHABET.iter().filter(|&&c| c != sample.as_bytes()[at]) {
                let mut wrong = sample.as_bytes().to_vec();
                wrong[at] = other;
                let wrong = String::from_utf8(wrong).unwrap();
                assert!(CreditCode::parse(&wrong).is_err(), "{wrong}");
            }
        }
        for at in 0..17 {
            let mut wrong = sample.as_bytes().to_vec();
            wrong.swap(at, at + 1);
            let wrong = String::from_utf8(wrong).unwrap();
            assert!(
                wrong == sample || CreditCode::parse(&wrong).is_err(),
                "{wrong}"
            );
        }
    }
}

proptest! {
    #[test]
    fn one_check_character_fits(body in "[1-9AN-NY][1-9][0-9]{6}[0-9A-HJ-NP-RTUWXY]{9}") {
        let fitting = ALPHABET.iter()
            .filter(|&&c| CreditCode::parse(&format!("{body}{}", char::from(c))).is_ok());
        prop_assert_eq!(fitting.count(), 1);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        let _ = CreditCode::parse(&text);
    }
}
