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

/// How often capacity has changed: asked once, for however many.
pub(super) const CAPACITY_REVISION: &str = "(SELECT r.revision FROM gate r WHERE r.id = 1)";

/// The slot and the district's rules are what they were: at a glance, where no capacity anywhere has changed since, because
/// how often it has is asked once for all; else by their versions.
static GROUND: LazyLock<String> = LazyLock::new(|| {
    format!(
        "({CAPACITY_REVISION} = g.capacity_revision \
         OR ((SELECT l.version FROM slots l WHERE l.district = g.district AND l.id = g.slot) = g.slot_version \
         AND COALESCE((SELECT y.version FROM capacity y WHERE y.district = g.district AND y.id = ''), 0) = g.rules))"
    )
});

/// And what was learned of the district is what it was, and the seat was never used.
pub(super) static NEW: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{} AND {} = g.revision \
         AND (SELECT 1 FROM seats s WHERE s.district = g.district AND s.id = g.seat) IS NULL",
        GROUND.as_str(),
        revision_sql("g.district")
    )
});

/// The time is what it was.
static TIME: LazyLock<String> =
    LazyLock::new(|| format!("abs({} - g.now_us) < {APART_US}", NOW.as_str()));

/// By what was read for a hold it becomes an appointment, if it lasts by the database's clock.
static LASTS: LazyLock<String> = LazyLock::new(|| {
    let (now, time, ground) = (NOW.as_str(), TIME.as_str(), GROUND.as_str());
    format!("t.due_us > {now} AND {time} AND {ground}")
});

/// By what is remembered a seat is held that was never used.
static UNUSED: LazyLock<String> =
    LazyLock::new(|| format!("{} AND {}", TIME.as_str(), NEW.as_str()));

/// What [`GROUND`] is about; none where the slot was not read.
fn ground(loaded: &Loaded) -> Option<Vec<(&'static str, Value)>> {
    let slot: &SlotRow = loaded.slot.as_ref()?;
    Some(vec![
        ("capacity_revision", loaded.capacity_revision.into()),
        ("slot", slot.key.to_string().into()),
        ("slot_version", long(slot.version)),
        ("rules", loaded.rules().into()),
    ])
}

/// What [`NEW`] is about, beside that.
pub(super) fn new(loaded: &Loaded, seat: &SeatKey) -> Option<Vec<(&'static str, Value)>> {
    let mut given = ground(loaded)?;
    given.push(("revision", loaded.revision?.into()));
    given.push(("seat", seat.to_string().into()));
    Some(given)
}

fn provided(sql: &'static str, mut given: Vec<(&'static str, Value)>, loaded: &Loaded) -> Provided {
    given.push(("now_us", loaded.now.us().into()));
    Provided { sql, given }
}

/// The condition on a hold's row under which it becomes an appointment by what was read for it.
pub(crate) fn lasts(loaded: &Loaded) -> Option<Provided> {
    Some(provided(LASTS.as_str(), ground(loaded)?, loaded))
}

/// The condition on a person's row, beside its version, under which the person holds a seat by what is remembered.
pub(crate) fn unused(loaded: &Loaded, seat: &SeatKey) -> Option<Provided> {
    Some(provided(UNUSED.as_str(), new(loaded, seat)?, loaded))
}
