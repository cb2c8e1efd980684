//! What a process remembers, as the condition under which it is gone by without being read again: what was read for a hold,
//! when it becomes an appointment, and what was read for other holds, when there is a new one.

use std::sync::LazyLock;

use bangban_learned::known::revision_sql;
use bangban_store::{clock::now_sql, write::Provided};
use sea_orm::{DbBackend, Value};

use super::{SeatKey, SlotRow, load::Loaded, seat::long};

/// By how much the time that a process goes by may differ from the database's, in microseconds: as long may lie between
/// what other commands read and what they write.
const APART_US: u32 = 1_000_000;

/// The database's time, which a statement asks for once.
static NOW: LazyLock<String> = LazyLock::new(|| {
    let now = now_sql(DbBackend::Postgres);
    format!("(SELECT {now} + c.offset_seconds * 1000000 FROM clock c WHERE c.id = 1)")
});

/// The time, the slot and the district's rules are what they were.
static SO: LazyLock<String> = LazyLock::new(|| {
    let now = NOW.as_str();
    format!(
        "abs({now} - g.now_us) < {APART_US} \
         AND (SELECT l.version FROM slots l WHERE l.district = g.district AND l.id = g.slot) = g.slot_version \
         AND COALESCE((SELECT y.version FROM capacity y WHERE y.district = g.district AND y.id = ''), 0) = g.rules"
    )
});

/// And the hold lasts by the database's clock.
static LASTS: LazyLock<String> =
    LazyLock::new(|| format!("t.due_us > {} AND {}", NOW.as_str(), SO.as_str()));

/// And what was learned of the district is what it was, and the seat was never used.
static UNUSED: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{} AND {} = g.revision \
         AND (SELECT 1 FROM seats s WHERE s.district = g.district AND s.id = g.seat) IS NULL",
        SO.as_str(),
        revision_sql("g.district")
    )
});

/// What [`SO`] is about; none where the slot was not read.
fn given(loaded: &Loaded) -> Option<Vec<(&'static str, Value)>> {
    let slot: &SlotRow = loaded.slot.as_ref()?;
    Some(vec![
        ("now_us", loaded.now.us().into()),
        ("slot", slot.key.to_string().into()),
        ("slot_version", long(slot.version)),
        ("rules", loaded.rules().into()),
    ])
}

/// The condition on a hold's row under which it becomes an appointment by what was read for it.
pub(crate) fn lasts(loaded: &Loaded) -> Option<Provided> {
    Some(Provided {
        sql: LASTS.as_str(),
        given: given(loaded)?,
    })
}

/// The condition on a person's row, beside its version, under which the person holds a seat by what is remembered.
pub(crate) fn unused(loaded: &Loaded, seat: &SeatKey) -> Option<Provided> {
    let mut given = given(loaded)?;
    given.push(("revision", loaded.revision?.into()));
    given.push(("seat", seat.to_string().into()));
    Some(Provided {
        sql: UNUSED.as_str(),
        given,
    })
}
