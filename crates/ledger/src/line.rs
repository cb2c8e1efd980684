//! The lines of an export. Field by field in `docs/ledger-format.md`; a field that this version does not know is an
//! error, because a reader could take it for something that was verified. What may be null must be there all the same:
//! serde takes an absent `Option` for a null unless it is told how to read it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// What an export says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Head {
    /// The district whose ledgers these are.
    pub district: String,
    /// When the export began, in microseconds since the epoch.
    pub exported_at_us: i64,
    /// Who exported: an actor's id.
    pub exporter: String,
    /// Which cases were asked for, in the words of the request; none for all cases of the district.
    pub case_filter: Option<String>,
}

/// The first look at any line. Fields that are not `line` are judged in the second.
#[derive(Deserialize)]
pub(crate) struct Kind<'a> {
    #[serde(borrow)]
    pub line: Cow<'a, str>,
}

/// The first look at a head line: another version may have other fields.
#[derive(Deserialize)]
pub(crate) struct Format<'a> {
    #[serde(borrow)]
    pub format: Cow<'a, str>,
    pub version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeadLine<'a> {
    #[serde(borrow)]
    pub line: Cow<'a, str>,
    #[serde(borrow)]
    pub format: Cow<'a, str>,
    pub version: u32,
    #[serde(borrow)]
    pub district: Cow<'a, str>,
    #[serde(borrow)]
    pub exported_at: Cow<'a, str>,
    pub exported_at_us: i64,
    #[serde(borrow)]
    pub exporter: Cow<'a, str>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub case_filter: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseLine<'a> {
    #[serde(borrow)]
    pub line: Cow<'a, str>,
    #[serde(borrow)]
    pub subject: Cow<'a, str>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub receipt: Option<Cow<'a, str>>,
    pub act_count: u64,
    #[serde(borrow)]
    pub head: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActLine<'a> {
    #[serde(borrow)]
    pub line: Cow<'a, str>,
    pub number: u64,
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    #[serde(borrow)]
    pub acted_at: Cow<'a, str>,
    pub acted_at_us: i64,
    #[serde(borrow)]
    pub actor: Cow<'a, str>,
    #[serde(borrow)]
    pub actor_site: Cow<'a, str>,
    pub is_demonstration: bool,
    #[serde(borrow)]
    pub payload: Cow<'a, str>,
    #[serde(borrow)]
    pub previous: Cow<'a, str>,
    #[serde(borrow)]
    pub hash: Cow<'a, str>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub text: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckpointLine<'a> {
    #[serde(borrow)]
    pub line: Cow<'a, str>,
    pub number: u64,
    #[serde(borrow)]
    pub day: Cow<'a, str>,
    pub leaf_count: u64,
    #[serde(borrow)]
    pub root: Cow<'a, str>,
    #[serde(borrow)]
    pub previous: Cow<'a, str>,
    #[serde(borrow)]
    pub hash: Cow<'a, str>,
    #[serde(borrow)]
    pub key: Cow<'a, str>,
    #[serde(borrow)]
    pub signature: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LeafLine<'a> {
    #[serde(borrow)]
    pub line: Cow<'a, str>,
    #[serde(borrow)]
    pub subject: Cow<'a, str>,
    pub checkpoint: u64,
    pub act_count: u64,
    #[serde(borrow)]
    pub head: Cow<'a, str>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub index: Option<u64>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub path: Option<Vec<String>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndLine<'a> {
    #[serde(borrow)]
    pub line: Cow<'a, str>,
    pub case_count: u64,
    pub act_count: u64,
    #[serde(borrow)]
    pub sha256: Cow<'a, str>,
}
