//! Page tokens: where a list goes on. Bound to the query, so that a token of another one, or a bent one, is refused; they
//! hold the key of the last row, so that rows inserted meanwhile neither repeat nor vanish. They are no secret and need
//! none: what a caller may see is decided without them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::refusal::Refusal;

/// Rows of a page when the caller says nothing.
pub const DEFAULT_SIZE: u64 = 50;

/// Bytes of the digest over query and keys that a token carries.
const DIGEST: usize = 12;

/// A page that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Most rows.
    pub size: u64,
    /// Keys of the last row before; empty at the beginning.
    pub after: Vec<String>,
    query: [u8; 32],
}

impl Page {
    /// The page that `token` asks for, in a query that is described by `query`: its method, filters and scope.
    ///
    /// # Errors
    /// PAGE_TOKEN_INVALID for one that was made for another query, or never.
    pub fn new(size: i32, token: &str, query: &[&str]) -> Result<Self, Refusal> {
        let mut hash = Sha256::new();
        for part in query {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let query = hash.finalize().into();
        let size = u64::try_from(size)
            .ok()
            .filter(|s| *s > 0)
            .unwrap_or(DEFAULT_SIZE);
        if token.is_empty() {
            return Ok(Self {
                size,
                after: Vec::new(),
                query,
            });
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| wrong_token())?;
        let (made_for, keys) = bytes.split_at_checked(DIGEST).ok_or_else(wrong_token)?;
        if made_for != digest(&query, keys) {
            return Err(wrong_token());
        }
        let keys = std::str::from_utf8(keys).map_err(|_| wrong_token())?;
        Ok(Self {
            size,
            after: keys.split('\u{1f}').map(str::to_owned).collect(),
            query,
        })
    }

    /// The token for what follows the row with these keys.
    #[must_use]
    pub fn token(&self, keys: &[&str]) -> String {
        let keys = keys.join("\u{1f}");
        let mut bytes = digest(&self.query, keys.as_bytes()).to_vec();
        bytes.extend_from_slice(keys.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

fn digest(query: &[u8; 32], keys: &[u8]) -> [u8; DIGEST] {
    let whole = Sha256::new()
        .chain_update(query)
        .chain_update(keys)
        .finalize();
    let mut digest = [0; DIGEST];
    digest.copy_from_slice(&whole[..DIGEST]);
    digest
}

fn wrong_token() -> Refusal {
    Refusal::invalid(
        "PAGE_TOKEN_INVALID",
        "",
        "翻页标记不属于此查询，请从第一页重新开始",
        "the page token belongs to another query: start again without one",
    )
    .field("page_token", "belongs to another query")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_on_behind_its_row() {
        let first = Page::new(0, "", &["ListCases", "zigui", "OPEN"]).expect("a page");
        assert_eq!((first.size, first.after.len()), (DEFAULT_SIZE, 0));
        let token = first.token(&["3", "乙"]);
        let second = Page::new(10, &token, &["ListCases", "zigui", "OPEN"]).expect("a page");
        assert_eq!(second.after, ["3", "乙"]);
    }

    #[test]
    fn a_token_of_another_query_is_refused() {
        let token = Page::new(0, "", &["ListCases", "zigui", "OPEN"])
            .expect("a page")
            .token(&["3"]);
        for (token, query) in [
            (token.as_str(), ["ListCases", "zigui", "FILED"]),
            (token.as_str(), ["ListCases", "ziguiO", "PEN"]),
            ("AAAA", ["ListCases", "zigui", "OPEN"]),
            ("not base64!", ["ListCases", "zigui", "OPEN"]),
        ] {
            assert_eq!(
                Page::new(0, token, &query).expect_err("refused").reason,
                "PAGE_TOKEN_INVALID"
            );
        }
    }
}
