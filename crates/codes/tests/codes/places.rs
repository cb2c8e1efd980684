use bangban_codes::{DistrictId, PostalCode, RegionCode, Tier};
use proptest::prelude::*;

use crate::reason;

fn region(text: &str) -> RegionCode {
    RegionCode::parse(text).unwrap()
}

#[test]
fn a_region_code_has_the_tier_of_its_length() {
    for (text, tier) in [
        ("33", Tier::Province),
        ("3303", Tier::Prefecture),
        ("330327", Tier::County),
        ("330327101", Tier::Town),
        ("330327101001", Tier::Village),
        ("50", Tier::Province),
    ] {
        let code = region(text);
        assert_eq!(code.tier(), tier);
        assert_eq!(code.to_string(), text);
        assert_eq!(code.as_str().len(), tier.digits());
    }
    assert_eq!(region("３３ 0327").as_str(), "330327");
}

#[test]
fn a_prefix_that_ends_inside_a_tier_is_no_code() {
    for text in [
        "3",
        "330",
        "33032",
        "3303271",
        "33032710",
        "3303271010",
        "33032710100",
        "3303271010011",
    ] {
        assert_eq!(
            reason(text, RegionCode::parse(text)),
            "LENGTH_WRONG",
            "{text}"
        );
    }
}

#[test]
fn malformed_region_codes_are_refused_with_their_reason() {
    for (text, expected) in [
        ("", "EMPTY"),
        ("  ", "EMPTY"),
        ("3A", "CHARACTER_NOT_ALLOWED"),
        ("33-03", "CHARACTER_NOT_ALLOWED"),
        ("00", "REGION_UNKNOWN_FORM"),
        ("03", "REGION_UNKNOWN_FORM"),
        ("91", "REGION_UNKNOWN_FORM"),
        ("30", "REGION_UNKNOWN_FORM"),
        ("3300", "REGION_UNKNOWN_FORM"),
        ("330000", "REGION_UNKNOWN_FORM"),
        ("330300", "REGION_UNKNOWN_FORM"),
        ("441900", "REGION_UNKNOWN_FORM"),
        ("330327000", "REGION_UNKNOWN_FORM"),
        ("330327000001", "REGION_UNKNOWN_FORM"),
        ("330000000000", "REGION_UNKNOWN_FORM"),
        ("330027", "REGION_UNKNOWN_FORM"),
    ] {
        assert_eq!(reason(text, RegionCode::parse(text)), expected, "{text}");
    }
}

#[test]
fn statistical_codes_lose_their_padding() {
    for (padded, cut) in [
        ("330000000000", "33"),
        ("330300000000", "3303"),
        ("330327000000", "330327"),
        ("330327101000", "330327101"),
        ("330327101001", "330327101001"),
        ("330000", "33"),
        ("330300", "3303"),
        ("330327", "330327"),
        ("441900", "4419"),
        ("441900003000", "441900003"),
        ("330327101", "330327101"),
        ("330327000", "330327"),
    ] {
        let code = RegionCode::from_statistical(padded).unwrap();
        assert_eq!(code, region(cut), "{padded}");
        assert_eq!(code.to_statistical(), format!("{padded:0<12}"));
    }
    for (text, expected) in [
        ("33", "LENGTH_WRONG"),
        ("3303", "LENGTH_WRONG"),
        ("000000000000", "REGION_UNKNOWN_FORM"),
        ("330000101000", "REGION_UNKNOWN_FORM"),
        ("330327000001", "REGION_UNKNOWN_FORM"),
    ] {
        assert_eq!(
            reason(text, RegionCode::from_statistical(text)),
            expected,
            "{text}"
        );
    }
}

#[test]
fn a_town_of_a_city_without_counties_belongs_to_the_city() {
    let town = region("441900003");
    assert_eq!(town.parent(), Some(region("4419")));
    assert_eq!(town.at(Tier::County), None);
    assert!(region("4419").contains(&town));
    assert_eq!(region("441900003001").parent(), Some(town));
}

#[test]
fn ancestors_lead_to_the_province() {
    let above: Vec<String> = region("330327101001")
        .ancestors()
        .map(|code| code.to_string())
        .collect();
    assert_eq!(above, ["330327101", "330327", "3303", "33"]);
    assert_eq!(region("33").parent(), None);
    assert_eq!(region("330327101001").province(), region("33"));
    assert_eq!(region("3303").at(Tier::County), None);
}

#[test]
fn a_region_sorts_directly_before_its_parts() {
    let mut codes = ["3304", "330327", "33", "3303", "330327101", "330328"].map(region);
    codes.sort();
    assert_eq!(
        codes.map(|c| c.to_string()),
        ["33", "3303", "330327", "330327101", "330328", "3304"]
    );
}

#[test]
fn a_region_code_is_small() {
    assert_eq!(size_of::<RegionCode>(), 12);
}

prop_compose! {
    fn any_region()(
        province in 11_u32..=65, prefecture in 1_u32..=99, county in 1_u32..=99,
        town in 1_u32..=999, village in 1_u32..=999, tier in 0_usize..5,
    ) -> RegionCode {
        let province = if province % 10 == 0 { province + 1 } else { province };
        let whole = format!("{province}{prefecture:02}{county:02}{town:03}{village:03}");
        region(&whole[..Tier::ALL[tier].digits()])
    }
}

proptest! {
    #[test]
    fn containment_is_ancestry(a in any_region(), b in any_region()) {
        let is_above = a == b || b.ancestors().any(|above| above == a);
        prop_assert_eq!(a.contains(&b), is_above);
        prop_assert_eq!(a.is_prefix_of(&b), is_above);
        prop_assert!(a.ancestors().all(|above| above.contains(&a) && !a.contains(&above)));
    }

    #[test]
    fn region_codes_survive_text_and_padding(code in any_region()) {
        prop_assert_eq!(RegionCode::parse(code.as_str()), Ok(code));
        prop_assert_eq!(RegionCode::from_statistical(&code.to_statistical()), Ok(code));
        prop_assert_eq!(code.at(code.tier()), Some(code));
    }

    #[test]
    fn no_text_makes_the_parsers_of_places_panic(text in any::<String>()) {
        let _ = RegionCode::parse(&text);
        let _ = RegionCode::from_statistical(&text);
        let _ = PostalCode::parse(&text);
        let _ = DistrictId::parse(&text);
    }

    #[test]
    fn district_ids_are_exactly_their_pattern(id in "[a-z][a-z0-9-]{1,30}[a-z0-9]") {
        let parsed = DistrictId::parse(&id).unwrap();
        prop_assert_eq!(parsed.to_string(), id);
    }
}

#[test]
fn malformed_district_ids_are_refused_with_their_reason() {
    let long = "a".repeat(33);
    for (text, expected) in [
        ("", "EMPTY"),
        ("ab", "LENGTH_WRONG"),
        (long.as_str(), "LENGTH_WRONG"),
        ("1ab", "FORM_UNKNOWN"),
        ("-ab", "FORM_UNKNOWN"),
        ("ab-", "FORM_UNKNOWN"),
        ("Abc", "CHARACTER_NOT_ALLOWED"),
        ("a_c", "CHARACTER_NOT_ALLOWED"),
        (" abc", "CHARACTER_NOT_ALLOWED"),
        ("苍南县", "CHARACTER_NOT_ALLOWED"),
    ] {
        assert_eq!(
            DistrictId::parse(text).unwrap_err().reason(),
            expected,
            "{text}"
        );
    }
    assert!(DistrictId::parse("cangnan").is_ok());
    assert!(DistrictId::parse(&"a".repeat(32)).is_ok());
}

#[test]
fn postal_codes_belong_to_a_province() {
    for text in [
        "325800",
        "100000",
        "010000",
        "999077",
        "850000",
        "3 2 5 8 0 0",
        "３２５８００",
    ] {
        assert!(PostalCode::parse(text).is_ok(), "{text}");
    }
    assert_eq!(PostalCode::parse("325800").unwrap().as_str(), "325800");
    for (text, expected) in [
        ("", "EMPTY"),
        ("32580", "LENGTH_WRONG"),
        ("3258000", "LENGTH_WRONG"),
        ("32580a", "CHARACTER_NOT_ALLOWED"),
        ("000000", "REGION_UNKNOWN_FORM"),
        ("140000", "REGION_UNKNOWN_FORM"),
        ("900000", "REGION_UNKNOWN_FORM"),
    ] {
        assert_eq!(reason(text, PostalCode::parse(text)), expected, "{text}");
    }
}
