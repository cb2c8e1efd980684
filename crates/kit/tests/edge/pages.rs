//! Page tokens.

use bangban_kit::page::{DEFAULT_SIZE, Page};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tonic::Code;

use crate::setting::told;

const QUERY: [&str; 3] = ["ListCases", "zigui", "OPEN"];

fn refused(token: &str, query: &[&str]) -> &'static str {
    let refusal = Page::new(10, token, query).expect_err("refused");
    assert_eq!(refusal.fields[0].0, "page_token");
    told(refusal, Code::InvalidArgument)
}

#[test]
fn a_token_that_is_bent_anywhere_is_refused() {
    let token = Page::new(10, "", &QUERY)
        .expect("a page")
        .token(&["3", "乙"]);
    let page = Page::new(10, &token, &QUERY).expect("a page");
    assert_eq!(page.after, ["3", "乙"]);
    let bytes = URL_SAFE_NO_PAD.decode(&token).expect("base64");
    for index in 0..bytes.len() {
        for bit in 0..8 {
            let mut bent = bytes.clone();
            bent[index] ^= 1 << bit;
            assert_eq!(
                refused(&URL_SAFE_NO_PAD.encode(bent), &QUERY),
                "PAGE_TOKEN_INVALID"
            );
        }
        let short = URL_SAFE_NO_PAD.encode(&bytes[..index]);
        if !short.is_empty() {
            assert_eq!(refused(&short, &QUERY), "PAGE_TOKEN_INVALID");
        }
    }
    let mut longer = bytes;
    longer.push(b'0');
    assert_eq!(
        refused(&URL_SAFE_NO_PAD.encode(longer), &QUERY),
        "PAGE_TOKEN_INVALID"
    );
}

#[test]
fn a_token_of_another_query_is_refused() {
    let token = Page::new(10, "", &QUERY).expect("a page").token(&["3"]);
    for other in [
        &["ListCases", "zigui", "FILED"][..],
        &["ListCases", "ziguiO", "PEN"],
        &["ListCases", "zigui", "OPEN", ""],
        &["ListCases", "zigui"],
        &[],
    ] {
        assert_eq!(refused(&token, other), "PAGE_TOKEN_INVALID", "{other:?}");
    }
    for garbage in [
        "AAAA",
        "not base64!",
        "=",
        "令牌",
        "\u{0}",
        &"A".repeat(10_000),
    ] {
        assert_eq!(refused(garbage, &QUERY), "PAGE_TOKEN_INVALID");
    }
}

#[test]
fn a_size_that_makes_no_sense_is_the_usual_one() {
    for size in [0, -1, i32::MIN] {
        assert_eq!(
            Page::new(size, "", &QUERY).expect("a page").size,
            DEFAULT_SIZE
        );
    }
}
