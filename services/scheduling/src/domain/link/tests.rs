use chrono::TimeDelta;
use proptest::prelude::*;

use super::{keys::KeysError, *};

fn keys() -> Keys {
    let former = [("k1".to_owned(), vec![1; 32])];
    Keys::new(("k2".to_owned(), vec![2; 32]), former).expect("keys")
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).expect("an instant")
}

fn link() -> Link {
    Link {
        district: "zigui".to_owned(),
        booking: "0198c0de-0000-7000-8000-000000000001".to_owned(),
        sequence: 3,
        expires_at: now().timestamp() + 3_600,
        purpose: LinkPurpose::Move.into(),
    }
}

#[test]
fn a_link_of_ours_opens_and_fits_into_a_message() {
    let text = link().signed(&keys());
    assert_eq!(Link::open(&text, &keys(), now()).expect("ours"), link());
    assert!(text.len() < 120, "{} bytes: {text}", text.len());
    let is_url_safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    assert!(text.chars().all(is_url_safe), "{text}");
}

#[test]
fn an_old_link_is_refused_with_its_own_reason() {
    let text = link().signed(&keys());
    let end = now() + TimeDelta::hours(1);
    assert!(Link::open(&text, &keys(), end - TimeDelta::seconds(1)).is_ok());
    let refusal = Link::open(&text, &keys(), end).expect_err("old");
    assert_eq!(
        (refusal.reason, refusal.requirement),
        ("LINK_EXPIRED", "BB-9.2b")
    );
}

#[test]
fn a_used_link_and_one_that_was_superseded_are_refused_with_their_own_reason() {
    assert!(link().is_fresh(3).is_ok());
    for sequence in [0, 2, 4, 100] {
        let refusal = link().is_fresh(sequence).expect_err("used");
        assert_eq!(
            (refusal.reason, refusal.requirement),
            ("LINK_USED", "BB-9.2b")
        );
    }
}

#[test]
fn a_link_does_only_what_it_was_made_for() {
    assert!(link().is_for(LinkPurpose::Move).is_ok());
    for purpose in [LinkPurpose::Cancel, LinkPurpose::Unspecified] {
        let refusal = link().is_for(purpose).expect_err("to move only");
        assert_eq!(refusal.reason, "LINK_INVALID");
    }
    let none = Link {
        purpose: 0,
        ..link()
    };
    assert!(none.is_for(LinkPurpose::Unspecified).is_err());
}

#[test]
fn a_key_that_no_longer_signs_still_opens_until_it_is_taken_out() {
    let before = Keys::new(("k1".to_owned(), vec![1; 32]), []).expect("a key");
    let text = link().signed(&before);
    assert!(text.starts_with("k1."));
    assert!(Link::open(&text, &keys(), now()).is_ok());
    let after = Keys::new(("k2".to_owned(), vec![2; 32]), []).expect("a key");
    let refusal = Link::open(&text, &after, now()).expect_err("taken out");
    assert_eq!(refusal.reason, "LINK_INVALID");
}

#[test]
fn keys_that_would_be_unsafe_are_refused_and_none_is_ever_shown() {
    let new = |id: &str, bytes, former: &[&str]| {
        let former = former.iter().map(|id| ((*id).to_owned(), vec![9; 32]));
        Keys::new((id.to_owned(), vec![7; bytes]), former)
    };
    assert!(matches!(new("k", 31, &[]), Err(KeysError::Short(_))));
    assert!(matches!(new("", 32, &[]), Err(KeysError::Id(_))));
    assert!(matches!(new("a.b", 32, &[]), Err(KeysError::Id(_))));
    assert!(matches!(new("k", 32, &["k"]), Err(KeysError::Twice(_))));
    let shown = format!("{:?}", new("k", 32, &["j"]).expect("keys"));
    assert_eq!(shown, r#"Keys { active: "k", former: ["j"] }"#);
}

#[test]
fn what_is_no_link_at_all_is_refused() {
    let long = "k2.".to_owned() + &"A".repeat(10_000) + ".AAAA";
    for text in [
        "",
        ".",
        "..",
        "k2",
        "k2..",
        "k2.AA",
        "k2.!.!",
        long.as_str(),
    ] {
        let refusal = Link::open(text, &keys(), now()).expect_err("no link");
        assert_eq!(refusal.reason, "LINK_INVALID", "{text}");
    }
}

proptest! {
    /// Any change of any part of a link, and any payload under a code that was made for another one.
    #[test]
    fn a_forged_link_is_refused(at in 0_usize..120, with in "[A-Za-z0-9_.-]", district in "[a-z]{3,8}", sequence: u32) {
        let text = link().signed(&keys());
        let at = at % text.len();
        let mut bent = text.clone();
        bent.replace_range(at..=at, &with);
        if bent != text {
            let refusal = Link::open(&bent, &keys(), now()).expect_err("bent");
            prop_assert_eq!(refusal.reason, "LINK_INVALID");
        }
        let other = Link { district, sequence, ..link() };
        let code = text.rsplit('.').next().expect("a code");
        let grafted = format!("k2.{}.{code}", URL_SAFE_NO_PAD.encode(other.encode_to_vec()));
        if other != link() {
            prop_assert_eq!(Link::open(&grafted, &keys(), now()).expect_err("grafted").reason, "LINK_INVALID");
        }
    }

    #[test]
    fn a_code_cut_short_proves_nothing(left in 0_usize..16) {
        let text = link().signed(&keys());
        let (head, code) = text.rsplit_once('.').expect("a code");
        let code = URL_SAFE_NO_PAD.decode(code).expect("base64url");
        let cut = format!("{head}.{}", URL_SAFE_NO_PAD.encode(&code[..left]));
        prop_assert_eq!(Link::open(&cut, &keys(), now()).expect_err("cut").reason, "LINK_INVALID");
    }

    /// One booking's life: each move or cancellation raises its sequence, and of all the links that were ever sent only
    /// the newest one works, once.
    #[test]
    fn of_all_links_of_a_booking_only_the_newest_works_and_once(changes in 1_u32..8, tried in prop::collection::vec(0_usize..8, 1..20)) {
        let links: Vec<String> =
            (0..changes).map(|sequence| Link { sequence, ..link() }.signed(&keys())).collect();
        let mut sequence = changes - 1;
        let mut used = 0;
        for n in tried {
            let link = Link::open(&links[n % links.len()], &keys(), now()).expect("ours");
            if link.is_fresh(sequence).is_ok() {
                prop_assert_eq!(n % links.len(), links.len() - 1);
                sequence += 1;
                used += 1;
            }
        }
        prop_assert!(used <= 1);
    }
}
