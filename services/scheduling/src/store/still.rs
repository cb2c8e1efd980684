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

/// How often capacity has changed, or what is known of districts: asked once, for however many.
pub(super) const CHANGES: &str = "(SELECT r.revision + r.learned FROM gate r WHERE r.id = 1)";

/// How what is remembered is compared with the database: at a glance, as long as this process has not heard that anything
/// has changed anywhere, because one number for all tells that; else by the versions of what it was judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Glance,
    Versions,
}

impl By {
    /// How what was read is compared by a process that has heard of so many changes.
    pub(crate) fn heard(loaded: &Loaded, changes: i64) -> Self {
        if loaded.changes == changes {
            Self::Glance
        } else {
            Self::Versions
        }
    }
}

/// A condition in both ways.
struct Both {
    glance: String,
    versions: String,
}

impl Both {
    fn get(&self, by: By) -> &str {
        match by {
            By::Glance => &self.glance,
            By::Versions => &self.versions,
        }
    }

    /// The condition as a part of another.
    fn within(&self, whole: impl Fn(&str) -> String) -> Self {
        Self {
            glance: whole(&self.glance),
            versions: whole(&self.versions),
        }
    }
}

/// The slot and the district's rules have the versions that they had.
const VERSIONS: &str = "(SELECT l.version FROM slots l WHERE l.district = g.district AND l.id = g.slot) = g.slot_version \
    AND COALESCE((SELECT y.version FROM capacity y WHERE y.district = g.district AND y.id = ''), 0) = g.rules";

/// The slot and the district's rules are what they were.
static GROUND: LazyLock<Both> = LazyLock::new(|| Both {
    glance: format!("{CHANGES} = g.changes"),
    versions: VERSIONS.to_owned(),
});

/// And what was learned of the district is what it was, and the seat was never used.
static NEW: LazyLock<Both> = LazyLock::new(|| {
    let never = "(SELECT 1 FROM seats s WHERE s.district = g.district AND s.id = g.seat) IS NULL";
    let learned = revision_sql("g.district");
    Both {
        glance: format!("{} AND {never}", GROUND.glance),
        versions: format!("{} AND {learned} = g.revision AND {never}", GROUND.versions),
    }
});

/// What there is beside a person, in the database's words: that slot and district are what they were and the seat was never
/// used.
pub(super) fn new_sql(by: By) -> &'static str {
    NEW.get(by)
}

/// The time is what it was.
static TIME: LazyLock<String> =
    LazyLock::new(|| format!("abs({} - g.now_us) < {APART_US}", NOW.as_str()));

/// By what was read for a hold it becomes an appointment, if it lasts by the database's clock.
static LASTS: LazyLock<Both> = LazyLock::new(|| {
    let (now, time) = (NOW.as_str(), TIME.as_str());
    GROUND.within(|ground| format!("t.due_us > {now} AND {time} AND {ground}"))
});

/// By what is remembered a seat is held that was never used.
static UNUSED: LazyLock<Both> =
    LazyLock::new(|| NEW.within(|new| format!("{} AND {new}", TIME.as_str())));

type Given = Vec<(&'static str, Value)>;

/// What [`GROUND`] is about; none where the slot was not read.
fn ground(loaded: &Loaded, by: By) -> Option<Given> {
    let slot: &SlotRow = loaded.slot.as_ref()?;
    Some(match by {
        By::Glance => vec![("changes", loaded.changes.into())],
        By::Versions => vec![
            ("slot", slot.key.to_string().into()),
            ("slot_version", long(slot.version)),
            ("rules", loaded.rules().into()),
        ],
    })
}

/// What [`NEW`] is about.
pub(super) fn new(loaded: &Loaded, seat: &SeatKey, by: By) -> Option<Given> {
    let mut given = ground(loaded, by)?;
    if by == By::Versions {
        given.push(("revision", loaded.revision?.into()));
    }
    given.push(("seat", seat.to_string().into()));
    Some(given)
}

fn provided(both: &'static Both, mut given: Given, loaded: &Loaded, by: By) -> Provided {
    given.push(("now_us", loaded.now.us().into()));
    Provided {
        sql: both.get(by),
        given,
    }
}

/// The condition on a hold's row under which it becomes an appointment by what was read for it.
pub(crate) fn lasts(loaded: &Loaded, by: By) -> Option<Provided> {
    Some(provided(&LASTS, ground(loaded, by)?, loaded, by))
}

/// The condition on a person's row, beside its version, under which the person holds a seat by what is remembered.
pub(crate) fn unused(loaded: &Loaded, seat: &SeatKey, by: By) -> Option<Provided> {
    Some(provided(&UNUSED, new(loaded, seat, by)?, loaded, by))
}
