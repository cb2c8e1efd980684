//! What was read for a hold, as the condition under which it becomes an appointment without being read again.

use std::sync::LazyLock;

use bangban_store::{clock::now_sql, write::Provided};
use sea_orm::DbBackend;

use super::{SlotRow, load::Loaded, seat::long};

/// By how much the time that a process goes by may differ from the database's, in microseconds: as long may lie between
/// what other commands read and what they write.
const APART_US: u32 = 1_000_000;

/// The database's time, which a statement asks for once.
static NOW: LazyLock<String> = LazyLock::new(|| {
    let now = now_sql(DbBackend::Postgres);
    format!("(SELECT {now} + c.offset_seconds * 1000000 FROM clock c WHERE c.id = 1)")
});

/// The hold lasts by the database's clock, and the time, the slot and the district's rules are what they were.
static SO: LazyLock<String> = LazyLock::new(|| {
    let now = NOW.as_str();
    format!(
        "t.due_us > {now} AND abs({now} - g.now_us) < {APART_US} \
         AND (SELECT l.version FROM slots l WHERE l.district = g.district AND l.id = g.slot) = g.slot_version \
         AND COALESCE((SELECT y.version FROM capacity y WHERE y.district = g.district AND y.id = ''), 0) = g.rules"
    )
});

/// The condition for what was read; none where the slot was not.
pub(crate) fn still(loaded: &Loaded) -> Option<Provided> {
    let slot: &SlotRow = loaded.slot.as_ref()?;
    Some(Provided {
        sql: SO.as_str(),
        given: vec![
            ("now_us", loaded.now.us().into()),
            ("slot", slot.key.to_string().into()),
            ("slot_version", long(slot.version)),
            ("rules", loaded.rules().into()),
        ],
    })
}
