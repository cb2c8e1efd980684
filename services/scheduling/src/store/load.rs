//! Everything that a command needs, read by one statement.

use std::sync::{Arc, LazyLock};

use bangban_learned::known::{Known, Learned, revision_sql};
use bangban_ledger::Hash;
use bangban_proto::bangban::scheduling::v1::{Booking, BookingPolicy};
use bangban_store::{Error, Now, Store, act, command::Command, query::decode, question::Question};
use sea_orm::QueryResult;

use super::{
    key::SeatKey,
    person::{self, Person},
    seat::{self, Seat},
    slot::{self, SlotRow},
};

/// A seat that a person has, or holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    /// Which.
    pub seat: String,
    /// Held, and not an appointment yet.
    pub is_held: bool,
    /// The booking.
    pub booking: String,
    /// Start, in microseconds since the epoch, as all instants here.
    pub starts_us: i64,
    /// End.
    pub ends_us: i64,
    /// When a hold expires; 0 for an appointment.
    pub expires_us: i64,
    /// Service item.
    pub item: String,
}

/// Seats of a person that are not over since a day, as a text that [`ahead`] reads.
fn ahead_sql(applicant: &str) -> String {
    format!(
        "(SELECT string_agg(a.id || '|' || CAST(a.state AS text) || '|' || a.booking || '|' || CAST(a.starts_us AS text) \
         || '|' || CAST(a.ends_us AS text) || '|' || CAST(COALESCE(a.due_us, 0) AS text) || '|' || a.item, ';') FROM seats a WHERE a.district = g.district AND a.applicant = {applicant} \
         AND a.state IN (1, 2) AND a.ends_us > {{now}} + (c.offset_seconds - 86400) * 1000000)"
    )
}

fn ahead(text: Option<String>) -> Vec<Ahead> {
    let text = text.unwrap_or_default();
    let one = |part: &str| {
        let mut fields = part.split('|');
        let mut next = || fields.next();
        Some(Ahead {
            seat: next()?.to_owned(),
            is_held: next()? == "1",
            booking: next()?.to_owned(),
            starts_us: next()?.parse().ok()?,
            ends_us: next()?.parse().ok()?,
            expires_us: next()?.parse().ok()?,
            item: next()?.to_owned(),
        })
    };
    text.split(';').filter_map(one).collect()
}

/// A booking with its version and the hash of its last act.
pub type Found = (Booking, u64, Hash);

/// What a command finds.
#[derive(Debug)]
pub struct Loaded {
    /// Now, by the clock that rules are judged by.
    pub now: Now,
    /// Whether the request was done before, on record.
    pub is_repeated: bool,
    /// What is known of the district.
    pub known: Arc<Known>,
    /// By which rules people book, as it was put down.
    pub policy: BookingPolicy,
    /// Whether the day that is asked for is published.
    pub is_published: bool,
    /// The slot that is asked for.
    pub slot: Option<SlotRow>,
    /// The seat that is asked for.
    pub seat: Option<Seat>,
    /// The person.
    pub person: Person,
    /// The person's seats that are not over.
    pub ahead: Vec<Ahead>,
    /// The booking.
    pub booking: Option<Found>,
    /// The booking's seat; for a command on a seat, the one that this very request has held before.
    pub own_seat: Option<Seat>,
}

/// The columns that [`read`] takes, of which the joins must name: `l` the slot, `s` the seat, `p` the person, `y` the
/// policy, `b` the booking, `o` its seat.
fn wanted(applicant: &str) -> String {
    let booking = "b.version, b.head, b.body";
    format!(
        "{{now}}, c.offset_seconds, (SELECT 1 FROM acts a WHERE a.request_key = g.key LIMIT 1) IS NOT NULL, {}, y.body, \
         (SELECT 1 FROM days d WHERE d.district = g.district AND d.id = g.day) IS NOT NULL, {}, {applicant}, {booking}, {}, {}, {}, {}",
        revision_sql("g.district"),
        ahead_sql(applicant),
        slot::columns("l"),
        seat::columns("s"),
        person::columns("p"),
        seat::columns("o"),
    )
}

static HOLD: LazyLock<Question> = LazyLock::new(|| Question {
    given: &[
        "district",
        "day",
        "slot",
        "seat",
        "applicant",
        "hold_key",
        "booking",
        "key",
    ],
    wanted: wanted("g.applicant"),
    joined: "JOIN clock c ON c.id = 1 \
        LEFT JOIN slots l ON l.district = g.district AND l.id = g.slot \
        LEFT JOIN seats s ON s.district = g.district AND s.id = g.seat \
        LEFT JOIN persons p ON p.district = g.district AND p.id = g.applicant \
        LEFT JOIN capacity y ON y.district = g.district AND y.id = '' \
        LEFT JOIN bookings b ON b.district = g.district AND b.id = g.booking \
        LEFT JOIN seats o ON o.hold_key = g.hold_key AND o.hold_key <> ''",
});

static BOOKING: LazyLock<Question> = LazyLock::new(|| Question {
    given: &["district", "day", "slot", "seat", "booking", "key"],
    wanted: wanted("b.applicant"),
    joined: "JOIN clock c ON c.id = 1 \
        LEFT JOIN bookings b ON b.district = g.district AND b.id = g.booking \
        LEFT JOIN slots l ON l.district = g.district AND l.id = g.slot \
        LEFT JOIN seats s ON s.district = g.district AND s.id = g.seat \
        LEFT JOIN persons p ON p.district = g.district AND p.id = b.applicant \
        LEFT JOIN capacity y ON y.district = g.district AND y.id = '' \
        LEFT JOIN seats o ON o.district = g.district AND o.id = b.seat_id",
});

/// What is asked for; what is not stays unset.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// The seat, and with it slot and day.
    pub seat: Option<&'a SeatKey>,
    /// The person; of a booking that is there, it is the booking's.
    pub applicant: &'a str,
    /// The booking.
    pub booking: &'a str,
}

/// What there is for a command on a seat, by one statement, and memory.
///
/// # Errors
/// The database's.
pub async fn seat(learned: &Learned, command: &Command, asked: Asked<'_>) -> Result<Loaded, Error> {
    load(learned, command, asked, true).await
}

/// What there is for a command on a booking, by one statement, and memory.
///
/// # Errors
/// The database's.
pub async fn booking(
    learned: &Learned,
    command: &Command,
    asked: Asked<'_>,
) -> Result<Loaded, Error> {
    load(learned, command, asked, false).await
}

async fn load(
    learned: &Learned,
    command: &Command,
    asked: Asked<'_>,
    is_of_seat: bool,
) -> Result<Loaded, Error> {
    let (day, slot, seat) = match asked.seat {
        Some(key) => (
            key.slot.day.to_string(),
            key.slot.to_string(),
            key.to_string(),
        ),
        None => Default::default(),
    };
    let mut given = vec![
        command.district.clone().into(),
        day.into(),
        slot.into(),
        seat.into(),
    ];
    if is_of_seat {
        given.extend([asked.applicant.into(), hex::encode(command.key()).into()]);
    }
    given.extend([asked.booking.into(), command.key().into()]);
    let question = if is_of_seat { &HOLD } else { &BOOKING };
    let store: &Store = learned.store();
    let row = store
        .ask(question, given)
        .await?
        .ok_or_else(|| sea_orm::DbErr::RecordNotFound("the clock has no row".to_owned()))?;
    read(learned, &command.district, asked, &row).await
}

async fn read(
    learned: &Learned,
    district: &str,
    asked: Asked<'_>,
    row: &QueryResult,
) -> Result<Loaded, Error> {
    let known = learned.of(district, row.try_get_by_index(4)?).await?;
    let applicant: Option<String> = row.try_get_by_index(8)?;
    let (version, head): (Option<i64>, Option<Vec<u8>>) =
        (row.try_get_by_index(9)?, row.try_get_by_index(10)?);
    let booking = match (decode::<Booking>(row, 11)?, version, head) {
        (Some(booking), Some(version), Some(head)) => {
            Some((booking, version.unsigned_abs(), act::hash(&head)))
        }
        _ => None,
    };
    let slot_at = 12;
    let seat_at = slot_at + slot::WIDTH;
    let person_at = seat_at + seat::WIDTH;
    let own_at = person_at + person::WIDTH;
    Ok(Loaded {
        now: Now::from_row(row.try_get_by_index(1)?, row.try_get_by_index(2)?),
        is_repeated: row.try_get_by_index(3)?,
        known,
        policy: decode(row, 5)?.unwrap_or_default(),
        is_published: row.try_get_by_index(6)?,
        ahead: ahead(row.try_get_by_index(7)?),
        slot: match asked.seat {
            Some(key) => SlotRow::read(row, slot_at, &key.slot)?,
            None => None,
        },
        seat: Seat::read(row, seat_at, district)?,
        person: Person::read(row, person_at, (district, &applicant.unwrap_or_default()))?,
        booking,
        own_seat: Seat::read(row, own_at, district)?,
    })
}
