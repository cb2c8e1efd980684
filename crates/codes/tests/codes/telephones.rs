use bangban_codes::Telephone;
use bangban_codes::telephone::Line;
use proptest::prelude::*;

use crate::reason;

#[test]
fn numbers_come_to_one_normal_form() {
    for (text, line, normalized, national, mask) in [
        (
            "13800001234",
            Line::Mobile,
            "+8613800001234",
            "13800001234",
            "138******34",
        ),
        (
            "138 0000 1234",
            Line::Mobile,
            "+8613800001234",
            "13800001234",
            "138******34",
        ),
        (
            "138-0000-1234",
            Line::Mobile,
            "+8613800001234",
            "13800001234",
            "138******34",
        ),
        (
            "+86 138-0000-1234",
            Line::Mobile,
            "+8613800001234",
            "13800001234",
            "138******34",
        ),
        (
            "008613800001234",
            Line::Mobile,
            "+8613800001234",
            "13800001234",
            "138******34",
        ),
        (
            "8613800001234",
            Line::Mobile,
            "+8613800001234",
            "13800001234",
            "138******34",
        ),
        (
            "86-13800001234",
            Line::Mobile,
            "+8613800001234",
            "13800001234",
            "138******34",
        ),
        (
            "１３８００００１２３４",
            Line::Mobile,
            "+8613800001234",
            "13800001234",
            "138******34",
        ),
        (
            "0577-88886666",
            Line::Fixed,
            "+8657788886666",
            "0577-88886666",
            "0577-******66",
        ),
        (
            "057788886666",
            Line::Fixed,
            "+8657788886666",
            "0577-88886666",
            "0577-******66",
        ),
        (
            "（０５７７）8888 6666",
            Line::Fixed,
            "+8657788886666",
            "0577-88886666",
            "0577-******66",
        ),
        (
            "+86 (0577) 88886666",
            Line::Fixed,
            "+8657788886666",
            "0577-88886666",
            "0577-******66",
        ),
        (
            "+86-577-88886666",
            Line::Fixed,
            "+8657788886666",
            "0577-88886666",
            "0577-******66",
        ),
        (
            "86-577-88886666",
            Line::Fixed,
            "+8657788886666",
            "0577-88886666",
            "0577-******66",
        ),
        (
            "010-88886666",
            Line::Fixed,
            "+861088886666",
            "010-88886666",
            "010-******66",
        ),
        (
            "+861088886666",
            Line::Fixed,
            "+861088886666",
            "010-88886666",
            "010-******66",
        ),
        (
            "0351-8886666",
            Line::Fixed,
            "+863518886666",
            "0351-8886666",
            "0351-*****66",
        ),
        (
            "0577-88886666-801",
            Line::Fixed,
            "+8657788886666;ext=801",
            "0577-88886666转801",
            "0577-******66转*",
        ),
        (
            "0577-8888-6666",
            Line::Fixed,
            "+8657788886666",
            "0577-88886666",
            "0577-******66",
        ),
        (
            "+86-577-88886666-801",
            Line::Fixed,
            "+8657788886666;ext=801",
            "0577-88886666转801",
            "0577-******66转*",
        ),
        (
            "0577-88886666转801",
            Line::Fixed,
            "+8657788886666;ext=801",
            "0577-88886666转801",
            "0577-******66转*",
        ),
        (
            "0577-88886666转分机801",
            Line::Fixed,
            "+8657788886666;ext=801",
            "0577-88886666转801",
            "0577-******66转*",
        ),
        (
            "0577-88886666 Ext. 801",
            Line::Fixed,
            "+8657788886666;ext=801",
            "0577-88886666转801",
            "0577-******66转*",
        ),
        (
            "0577-88886666#801",
            Line::Fixed,
            "+8657788886666;ext=801",
            "0577-88886666转801",
            "0577-******66转*",
        ),
        ("12345", Line::Hotline, "12345", "12345", "12345"),
        ("120", Line::Hotline, "120", "120", "120"),
        ("95588", Line::Hotline, "95588", "95588", "95588"),
        (
            "4001234567",
            Line::Hotline,
            "4001234567",
            "4001234567",
            "4001234567",
        ),
        (
            "400-123-4567",
            Line::Hotline,
            "4001234567",
            "4001234567",
            "4001234567",
        ),
        (
            "800 810 8888",
            Line::Hotline,
            "8008108888",
            "8008108888",
            "8008108888",
        ),
        (
            "0577-12345",
            Line::Hotline,
            "+8657712345",
            "0577-12345",
            "0577-12345",
        ),
    ] {
        let telephone = Telephone::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(telephone.line(), line, "{text}");
        assert_eq!(telephone.normalized(), normalized, "{text}");
        assert_eq!(telephone.national(), national, "{text}");
        assert_eq!(telephone.mask(), mask, "{text}");
        assert_eq!(telephone.is_mobile(), line == Line::Mobile);
        assert_eq!(Telephone::parse(&telephone.national()), Ok(telephone));
        assert_eq!(format!("{telephone:?}"), format!("Telephone({mask})"));
    }
}

#[test]
fn refusals_say_why() {
    for (text, expected) in [
        ("", "EMPTY"),
        ("+", "EMPTY"),
        ("1380000123", "LENGTH_WRONG"),
        ("138000012345", "LENGTH_WRONG"),
        ("12000001234", "FORM_UNKNOWN"),
        ("0577-888866", "LENGTH_WRONG"),
        ("0577-888866667", "LENGTH_WRONG"),
        ("0577-18886666", "FORM_UNKNOWN"),
        ("88886666", "FORM_UNKNOWN"),
        ("13800001234-801", "LENGTH_WRONG"),
        ("0577-12345-1", "LENGTH_WRONG"),
        ("12345-1", "FORM_UNKNOWN"),
        ("0177-88886666", "FORM_UNKNOWN"),
        ("+852 2123 4567", "FORM_UNKNOWN"),
        ("13800001234a", "CHARACTER_NOT_ALLOWED"),
        ("0577/88886666", "CHARACTER_NOT_ALLOWED"),
        ("138+00001234", "CHARACTER_NOT_ALLOWED"),
        ("(0577 88886666", "FORM_UNKNOWN"),
        ("0577)88886666", "CHARACTER_NOT_ALLOWED"),
        ("0577-88886666转", "FORM_UNKNOWN"),
        ("0577-88886666-", "FORM_UNKNOWN"),
        ("0577-88886666转1234567", "LENGTH_WRONG"),
        ("0577-88886666转80a", "CHARACTER_NOT_ALLOWED"),
        ("123456789012345678901234567890", "LENGTH_WRONG"),
    ] {
        assert_eq!(reason(text, Telephone::parse(text)), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn every_mobile_number_is_accepted_and_masked(number in "1[3-9][0-9]{9}") {
        let telephone = Telephone::parse(&number).unwrap();
        prop_assert!(telephone.is_mobile());
        prop_assert_eq!(telephone.normalized(), format!("+86{number}"));
        prop_assert_eq!(telephone.mask().matches('*').count(), 6);
    }

    #[test]
    fn every_fixed_number_is_accepted(area in "0(10|2[0-9]|[3-9][0-9]{2})", number in "[2-9][0-9]{6,7}") {
        let joined = Telephone::parse(&format!("{area}{number}")).unwrap();
        prop_assert_eq!(Telephone::parse(&format!("{area}-{number}")), Ok(joined));
        prop_assert_eq!(joined.area_code(), Some(area.as_str()));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>(), near in "[-+()0-9 转x#.]{0,24}") {
        let _ = Telephone::parse(&text);
        if let Ok(telephone) = Telephone::parse(&near) {
            prop_assert_eq!(Telephone::parse(&telephone.national()), Ok(telephone));
        }
    }
}
