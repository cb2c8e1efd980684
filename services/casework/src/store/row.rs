//! Cases as rows: the columns that are searched, and one body.

use std::sync::{Arc, LazyLock};

use bangban_learned::known::{Known, Learned, revision_sql};
use bangban_ledger::Hash;
use bangban_limits::time::us;
use bangban_proto::bangban::casework::v1::Case;
use bangban_store::{
    Error, Now, Store, act,
    command::Command,
    query::decode,
    question::Question,
    write::{Chain, Row, State},
};
use prost::Message as _;
use sea_orm::Value;

use crate::domain::{clock, responsibility};

/// A case with everything that a command on it needs.
#[derive(Debug)]
pub struct Loaded {
    /// Now.
    pub now: Now,
    /// Whether the request was done before.
    pub is_repeated: bool,
    /// What is known of the district.
    pub known: Arc<Known>,
    /// Revision of the calendar by which the case's clocks were counted.
    pub counted_by: i64,
    /// The case with its version and the hash of its last act.
    pub case: Option<(Case, u64, Hash)>,
}

impl Loaded {
    /// The calendar's revision that a change of the case is written with: clocks that run were counted by the older one
    /// until the sweep counts them anew (BX-3).
    #[must_use]
    pub fn counted_by(&self) -> i64 {
        match &self.case {
            Some((case, ..)) if case.next_due_at.is_some() => self.counted_by,
            _ => self.known.calendar_revision,
        }
    }
}

static LOAD: LazyLock<Question> = LazyLock::new(|| Question {
    given: &["district", "id", "key"],
    wanted: format!(
        "{{now}}, c.offset_seconds, (SELECT 1 FROM acts a WHERE a.request_key = g.key LIMIT 1) IS NOT NULL, {}, \
         s.version, s.head, s.body, s.calendar_revision",
        revision_sql("g.district")
    ),
    joined: "JOIN clock c ON c.id = 1 LEFT JOIN cases s ON s.district = g.district AND s.id = g.id",
});

/// Time, repetition, what is known of the district, and the case: one statement, and memory.
///
/// # Errors
/// The database's.
pub async fn load(
    store: &Store,
    learned: &Learned,
    command: &Command,
    case: &str,
) -> Result<Loaded, Error> {
    let given = vec![
        command.district.clone().into(),
        case.into(),
        command.key().into(),
    ];
    let row = store
        .ask(&LOAD, given)
        .await?
        .ok_or_else(|| sea_orm::DbErr::RecordNotFound("the clock has no row".to_owned()))?;
    let known = learned
        .of(&command.district, row.try_get_by_index(4)?)
        .await?;
    let version: Option<i64> = row.try_get_by_index(5)?;
    let head: Option<Vec<u8>> = row.try_get_by_index(6)?;
    let case = match (decode::<Case>(&row, 7)?, version, head) {
        (Some(case), Some(version), Some(head)) => {
            Some((case, version.unsigned_abs(), act::hash(&head)))
        }
        _ => None,
    };
    Ok(Loaded {
        now: Now::from_row(row.try_get_by_index(1)?, row.try_get_by_index(2)?),
        is_repeated: row.try_get_by_index(3)?,
        known,
        counted_by: row.try_get_by_index::<Option<i64>>(8)?.unwrap_or_default(),
        case,
    })
}

/// Column values that follow from a case, with its version, the hash of its last act, and the calendar's revision.
fn columns(case: &Case, version: u64, head: &Hash, revision: i64) -> Vec<(&'static str, Value)> {
    let decision = case.clocks.iter().find(|c| c.id == "decision");
    let receiver = responsibility::pending(case).map(|h| h.to_agent.clone());
    vec![
        ("version", i64::try_from(version).unwrap_or(i64::MAX).into()),
        ("head", head.to_vec().into()),
        ("state", case.state.into()),
        ("region", case.region.clone().into()),
        ("site", case.site.clone().into()),
        ("agent", case.agent.clone().into()),
        ("due_at_us", us(case.next_due_at.as_ref()).into()),
        (
            "attention_at_us",
            clock::attention_at(case).map(|s| s * 1_000_000).into(),
        ),
        ("ended_at_us", us(case.ended_at.as_ref()).into()),
        (
            "decision_due_at_us",
            us(decision.and_then(|d| d.due_at.as_ref())).into(),
        ),
        (
            "decision_ended_at_us",
            us(decision.and_then(|d| d.ended_at.as_ref())).into(),
        ),
        ("calendar_revision", revision.into()),
        ("receiver", receiver.unwrap_or_default().into()),
        ("body", case.encode_to_vec().into()),
    ]
}

/// The row of a new case.
#[must_use]
pub fn insert(case: &Case, chain: &Chain, revision: i64) -> State {
    let mut columns = columns(case, chain.number, &chain.head, revision);
    columns.extend([
        ("receipt", Value::from(case.receipt.clone())),
        ("priority", i32::from(case.groups.is_empty()).into()),
        ("department", case.department.clone().into()),
        ("applicant", case.applicant.clone().into()),
        ("item", case.item.clone().into()),
        ("item_version", i64::from(case.item_version).into()),
        ("opened_at_us", us(case.opened_at.as_ref()).into()),
        ("consultation", case.consultation.clone().into()),
    ]);
    State::Row(Row {
        table: "cases",
        key: key(case),
        read: None,
        columns,
        provided: None,
    })
}

fn key(case: &Case) -> [Value; 2] {
    [case.district.clone().into(), case.id.clone().into()]
}

/// The change of a case that must still have version `read`.
#[must_use]
pub fn update(case: &Case, read: u64, chain: &Chain, revision: i64) -> State {
    State::Row(Row {
        table: "cases",
        key: key(case),
        read: Some(read),
        columns: columns(case, chain.number, &chain.head, revision),
        provided: None,
    })
}
