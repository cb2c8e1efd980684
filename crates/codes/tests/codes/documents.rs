use bangban_codes::Sex;
use bangban_codes::document::{Document, DocumentKind as Kind};
use proptest::prelude::*;

use crate::{reason, today};

fn document(kind: Kind, text: &str) -> Document {
    Document::parse(kind, text, today()).unwrap_or_else(|error| panic!("{kind:?} {text}: {error}"))
}

#[test]
fn each_kind_accepts_its_samples_in_one_normal_form() {
    for (kind, text, normal, mask) in [
        (
            Kind::ResidentId,
            "11010519491231002x",
            "11010519491231002X",
            "1****************X",
        ),
        (Kind::Passport, "e12345678", "E12345678", "E*******8"),
        (Kind::Passport, "EA 1234567", "EA1234567", "E*******7"),
        (
            Kind::HkMacaoTravelPermit,
            "h12345678",
            "H12345678",
            "H*******8",
        ),
        (
            Kind::HkMacaoTravelPermit,
            "M1234567801",
            "M1234567801",
            "M*******8",
        ),
        (
            Kind::HkMacaoTravelPermit,
            "ha1234567",
            "HA1234567",
            "H*******7",
        ),
        (Kind::TaiwanTravelPermit, "07257456", "07257456", "0******6"),
        (
            Kind::TaiwanTravelPermit,
            "0725745601（B）",
            "0725745601",
            "0******6",
        ),
        // Specimens of the police of Beijing.
        (
            Kind::HkMacaoTaiwanResidencePermit,
            "810000199408230021",
            "810000199408230021",
            "8****************1",
        ),
        (
            Kind::HkMacaoTaiwanResidencePermit,
            "830000199201300022",
            "830000199201300022",
            "8****************2",
        ),
        // Specimens of the National Immigration Administration, 2023.
        (
            Kind::ForeignPermanentResidence,
            "911124198108030024",
            "911124198108030024",
            "9****************4",
        ),
        (
            Kind::ForeignPermanentResidence,
            "932682198501010017",
            "932682198501010017",
            "9****************7",
        ),
        (
            Kind::ForeignPermanentResidence,
            "kaz110090123105",
            "KAZ110090123105",
            "K*************5",
        ),
        (
            Kind::UnifiedSocialCredit,
            "91350100m000100y43",
            "91350100M000100Y43",
            "91************0Y43",
        ),
    ] {
        let parsed = document(kind, text);
        assert_eq!(parsed.kind(), kind);
        assert_eq!(parsed.normalized(), normal);
        assert_eq!(parsed.mask(), mask);
        assert!(format!("{parsed:?}").contains(mask) && !format!("{parsed:?}").contains(normal));
        assert_eq!(document(kind, normal), parsed);
    }
}

#[test]
fn each_kind_refuses_what_is_not_its_own() {
    for (kind, text, expected) in [
        (Kind::Passport, "", "EMPTY"),
        (Kind::Passport, "E123", "LENGTH_WRONG"),
        (Kind::Passport, "E123456789012", "LENGTH_WRONG"),
        (Kind::Passport, "E1234567!", "CHARACTER_NOT_ALLOWED"),
        (Kind::Passport, "ABCDEFGH", "FORM_UNKNOWN"),
        (Kind::HkMacaoTravelPermit, "T12345678", "FORM_UNKNOWN"),
        (Kind::HkMacaoTravelPermit, "12345678", "FORM_UNKNOWN"),
        (Kind::HkMacaoTravelPermit, "H1234567", "LENGTH_WRONG"),
        (Kind::HkMacaoTravelPermit, "H123456789", "LENGTH_WRONG"),
        (Kind::HkMacaoTravelPermit, "HA12345678", "LENGTH_WRONG"),
        (
            Kind::HkMacaoTravelPermit,
            "H1234567A",
            "CHARACTER_NOT_ALLOWED",
        ),
        (Kind::TaiwanTravelPermit, "1234567", "LENGTH_WRONG"),
        (Kind::TaiwanTravelPermit, "123456789", "LENGTH_WRONG"),
        (Kind::TaiwanTravelPermit, "12345678(B)", "LENGTH_WRONG"),
        (
            Kind::TaiwanTravelPermit,
            "1234567801(BB)",
            "CHARACTER_NOT_ALLOWED",
        ),
        (
            Kind::TaiwanTravelPermit,
            "1234567801(B",
            "CHARACTER_NOT_ALLOWED",
        ),
        (
            Kind::TaiwanTravelPermit,
            "A1234567",
            "CHARACTER_NOT_ALLOWED",
        ),
        (
            Kind::HkMacaoTaiwanResidencePermit,
            "11010519491231002X",
            "DOCUMENT_KIND_MISMATCH",
        ),
        (
            Kind::HkMacaoTaiwanResidencePermit,
            "810000199408230022",
            "CHECKSUM_MISMATCH",
        ),
        (
            Kind::HkMacaoTaiwanResidencePermit,
            "81000019940823002",
            "LENGTH_WRONG",
        ),
        (
            Kind::ForeignPermanentResidence,
            "11010519491231002X",
            "DOCUMENT_KIND_MISMATCH",
        ),
        (
            Kind::ForeignPermanentResidence,
            "911124198108030025",
            "CHECKSUM_MISMATCH",
        ),
        (
            Kind::ForeignPermanentResidence,
            "KAZ110090133105",
            "DATE_IMPOSSIBLE",
        ),
        (
            Kind::ForeignPermanentResidence,
            "KA1110090123105",
            "CHARACTER_NOT_ALLOWED",
        ),
        (
            Kind::ForeignPermanentResidence,
            "KAZ11009012310A",
            "CHARACTER_NOT_ALLOWED",
        ),
        (
            Kind::ForeignPermanentResidence,
            "KAZ1100901231",
            "LENGTH_WRONG",
        ),
    ] {
        assert_eq!(
            reason(text, Document::parse(kind, text, today())),
            expected,
            "{kind:?} {text}"
        );
    }
}

#[test]
fn a_renewed_travel_permit_finds_the_same_person() {
    let index = |kind, text| document(kind, text).index_form();
    let first = index(Kind::HkMacaoTravelPermit, "H1234567800");
    assert_eq!(first, "HK_MACAO_TRAVEL_PERMIT:H12345678");
    assert_eq!(index(Kind::HkMacaoTravelPermit, "H1234567801"), first);
    assert_eq!(index(Kind::HkMacaoTravelPermit, "h12345678"), first);
    let first = index(Kind::TaiwanTravelPermit, "0725745601(B)");
    assert_eq!(index(Kind::TaiwanTravelPermit, "07257456"), first);
    assert_ne!(index(Kind::Passport, "07257456"), first);
}

#[test]
fn birth_and_sex_are_read_where_the_number_has_them() {
    let card = document(Kind::ForeignPermanentResidence, "911124198108030024");
    assert_eq!(card.birth_date().unwrap().to_string(), "1981-08-03");
    assert_eq!(card.sex(), Some(Sex::Female));
    let Document::ForeignPermanentResidence(card) = card else {
        panic!("another kind")
    };
    assert_eq!(card.nationality(), "124");
    let saudi = document(Kind::ForeignPermanentResidence, "932682198501010017");
    assert_eq!(saudi.sex(), Some(Sex::Male));
    let permit = document(Kind::HkMacaoTaiwanResidencePermit, "810000199408230021");
    assert_eq!(permit.birth_date().unwrap().to_string(), "1994-08-23");
    assert_eq!(document(Kind::Passport, "E12345678").birth_date(), None);
    assert_eq!(
        document(Kind::ForeignPermanentResidence, "KAZ110090123105").sex(),
        None
    );
}

#[test]
fn kinds_have_stable_names() {
    for kind in Kind::ALL {
        assert_eq!(Kind::from_name(kind.as_str()), Some(kind));
        assert!(!kind.zh().is_empty());
    }
    assert_eq!(Kind::from_name("DRIVING_LICENCE"), None);
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(text in any::<String>(), kind in 0_usize..7) {
        let _ = Document::parse(Kind::ALL[kind], &text, today());
    }

    #[test]
    fn near_texts_are_parsed_alike_from_their_normal_form(text in "[HM]?[A-Z0-9]{5,18}(\\([A-Z]\\))?") {
        for kind in Kind::ALL {
            if let Ok(parsed) = Document::parse(kind, &text, today()) {
                prop_assert_eq!(Document::parse(kind, parsed.normalized(), today()), Ok(parsed));
                prop_assert_ne!(parsed.mask(), parsed.normalized());
            }
        }
    }
}
