//! A consultation as a row: the columns that are searched, and one body.

use bangban_ledger::Hash;
use bangban_limits::{clock, time::us};
use bangban_proto::bangban::consultation::v1::Consultation;
use bangban_store::write::{Chain, Row, State};
use prost::Message as _;
use sea_orm::{
    Value,
    sea_query::{Alias, Expr, Query as Sql},
};

use crate::domain::{handling, responsibility};

/// Column values that follow from a consultation, with its version, the hash of its last act, and the calendar's
/// revision.
fn columns(
    consultation: &Consultation,
    version: u64,
    head: &Hash,
    revision: i64,
) -> Vec<(&'static str, Value)> {
    let handling = handling::of(consultation);
    let receiver = responsibility::pending(consultation).map(|h| h.to_agent.clone());
    let attention_at = clock::attention_at(&consultation.clocks).map(|s| s * 1_000_000);
    vec![
        ("version", i64::try_from(version).unwrap_or(i64::MAX).into()),
        ("head", head.to_vec().into()),
        ("state", consultation.state.into()),
        ("region", consultation.region.clone().into()),
        ("site", consultation.site.clone().into()),
        ("agent", consultation.agent.clone().into()),
        ("receiver", receiver.unwrap_or_default().into()),
        (
            "next_due_at_us",
            us(consultation.next_due_at.as_ref()).into(),
        ),
        ("attention_at_us", attention_at.into()),
        ("due_at_us", us(handling.due_at.as_ref()).into()),
        ("handled_at_us", us(handling.handled_at.as_ref()).into()),
        ("is_late", i32::from(handling.is_late).into()),
        ("closed_at_us", us(handling.closed_at.as_ref()).into()),
        ("is_complete", i32::from(handling.is_complete).into()),
        ("calendar_revision", revision.into()),
        ("body", consultation.encode_to_vec().into()),
    ]
}

/// The row of a new consultation.
#[must_use]
pub fn insert(consultation: &Consultation, chain: &Chain, revision: i64) -> State {
    let mut columns = columns(consultation, chain.number, &chain.head, revision);
    columns.extend([
        (
            "number",
            Value::from(i64::try_from(consultation.number).unwrap_or(i64::MAX)),
        ),
        ("priority", i32::from(consultation.groups.is_empty()).into()),
        ("applicant", consultation.applicant.clone().into()),
        ("item", consultation.item.clone().into()),
        (
            "asked_at_us",
            us(consultation.asked_at.as_ref())
                .unwrap_or_default()
                .into(),
        ),
    ]);
    State::Row(Row {
        table: "consultations",
        key: key(consultation),
        read: None,
        columns,
        provided: None,
    })
}

fn key(consultation: &Consultation) -> [Value; 2] {
    [
        consultation.district.clone().into(),
        consultation.id.clone().into(),
    ]
}

fn inserted(table: &'static str, columns: Vec<(&'static str, Value)>) -> State {
    let mut insert = Sql::insert();
    insert
        .into_table(Alias::new(table))
        .columns(columns.iter().map(|(name, _)| Alias::new(*name)));
    insert.values_panic(columns.into_iter().map(|(_, value)| Expr::val(value)));
    State::Insert(insert)
}

/// The change of a consultation that must still have version `read`.
#[must_use]
pub fn update(consultation: &Consultation, read: u64, chain: &Chain, revision: i64) -> State {
    State::Row(Row {
        table: "consultations",
        key: key(consultation),
        read: Some(read),
        columns: columns(consultation, chain.number, &chain.head, revision),
        provided: None,
    })
}

/// A department takes part from now on: its clerks may see the consultation.
#[must_use]
pub fn participant(consultation: &Consultation, department: &str) -> State {
    inserted(
        "participants",
        vec![
            ("district", Value::from(consultation.district.clone())),
            ("consultation", consultation.id.clone().into()),
            ("kind", "department".into()),
            ("id", department.into()),
        ],
    )
}
