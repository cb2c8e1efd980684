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
    still::{self, By},
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

/// Seats of a person that are not over since a day, as a text that [`ahead`] reads; who has no row, `p`, has never had one.
fn ahead_sql(applicant: &str) -> String {
    format!(
        "CASE WHEN p.id IS NOT NULL THEN (SELECT string_agg(a.id || '|' || CAST(a.state AS text) || '|' || a.booking || '|' || CAST(a.starts_us AS text) \
         || '|' || CAST(a.ends_us AS text) || '|' || CAST(CASE WHEN a.state = 1 THEN COALESCE(a.due_us, 0) ELSE 0 END AS text) || '|' || a.item, ';') FROM seats a WHERE a.district = g.district AND a.applicant = {applicant} \
         AND a.state IN (1, 2) AND a.ends_us > {{now}} + (c.offset_seconds - 86400) * 1000000) END"
    )
}

impl Ahead {
    /// A seat that somebody has from now on, and does not lose by a hold's expiry.
    #[must_use]
    pub fn of(seat: &Seat) -> Self {
        Self {
            seat: seat.key.to_string(),
            is_held: false,
            booking: seat.booking.clone(),
            starts_us: seat.starts_us,
            ends_us: seat.ends_us,
            expires_us: 0,
            item: seat.item.clone(),
        }
    }
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
    /// At which revision of what was learned of it, where that was asked for.
    pub revision: Option<i64>,
    /// How often capacity anywhere, or what is known of any district, had changed when rules and slot were read; 0 where no
    /// slot was asked for.
    pub changes: i64,
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

impl Loaded {
    /// The version of the district's rules, which is a policy's etag; 0 where the district has put none down.
    #[must_use]
    pub fn rules(&self) -> i64 {
        self.policy.etag.parse().unwrap_or_default()
    }
}

/// What one question asks for beside now and the rules; the rest stays unset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Whether the request was done before.
    Record,
    /// The district.
    District,
    /// Whether the day is published; asked with the slot.
    Day,
    /// The slot and the seat.
    Seat,
    /// The person whom an expression names, and what they have ahead.
    Person(&'static str),
    /// The booking.
    Booking,
    /// Another seat: the booking's, or the one that this very request has held before.
    OwnSeat,
}

/// So many columns that are not asked for.
fn unset(columns: usize) -> String {
    vec!["NULL"; columns].join(", ")
}

/// The columns that [`read`] takes, of which the joins must name: `l` the slot, `s` the seat, `p` the person, `y` the
/// policy, `b` the booking, `o` its seat.
fn wanted(parts: &[Part]) -> String {
    let has = |part| parts.contains(&part);
    let applicant = parts.iter().find_map(|part| match part {
        Part::Person(applicant) => Some(*applicant),
        _ => None,
    });
    let either = |is_asked: bool, asked: String, columns| match is_asked {
        true => asked,
        false => unset(columns),
    };
    let is_repeated = "(SELECT 1 FROM acts a WHERE a.request_key = g.key LIMIT 1) IS NOT NULL";
    // A slot has a row from the day's publication on.
    let is_published = "CASE WHEN l.id IS NOT NULL THEN true ELSE \
        (SELECT 1 FROM days d WHERE d.district = g.district AND d.id = g.day) IS NOT NULL END";
    [
        "{now}, c.offset_seconds".to_owned(),
        either(has(Part::Record), is_repeated.to_owned(), 1),
        either(has(Part::District), revision_sql("g.district"), 1),
        "y.body".to_owned(),
        either(has(Part::Day), is_published.to_owned(), 1),
        applicant.map_or_else(|| unset(1), ahead_sql),
        applicant.map_or_else(|| unset(1), str::to_owned),
        either(
            has(Part::Booking),
            "b.version, b.head, b.body".to_owned(),
            3,
        ),
        either(has(Part::Seat), slot::columns("l"), slot::WIDTH),
        either(has(Part::Seat), seat::columns("s"), seat::WIDTH),
        applicant.map_or_else(|| unset(person::WIDTH), |_| person::columns("p")),
        either(has(Part::OwnSeat), seat::columns("o"), seat::WIDTH),
        either(has(Part::Seat), still::CHANGES.to_owned(), 1),
    ]
    .join(", ")
}

/// For a new hold.
static HOLD: LazyLock<Question> = LazyLock::new(|| Question {
    given: &["district", "day", "slot", "seat", "applicant", "hold_key"],
    wanted: wanted(&[
        Part::District,
        Part::Day,
        Part::Seat,
        Part::Person("g.applicant"),
        Part::OwnSeat,
    ]),
    joined: "JOIN clock c ON c.id = 1 \
        LEFT JOIN slots l ON l.district = g.district AND l.id = g.slot \
        LEFT JOIN seats s ON s.district = g.district AND s.id = g.seat \
        LEFT JOIN persons p ON p.district = g.district AND p.id = g.applicant \
        LEFT JOIN capacity y ON y.district = g.district AND y.id = '' \
        LEFT JOIN seats o ON o.hold_key = g.hold_key AND o.hold_key <> ''",
});

/// For a new hold of a seat whose slot and district are remembered: whether they are what they were and the seat was never
/// used, and the person.
fn taker_by(by: By, given: &'static [&'static str]) -> Question {
    Question {
        given,
        wanted: [
            "{now}, c.offset_seconds",
            still::new_sql(by),
            still::CHANGES,
            &ahead_sql("g.applicant"),
            &person::columns("p"),
        ]
        .join(", "),
        joined: "JOIN clock c ON c.id = 1 \
            LEFT JOIN persons p ON p.district = g.district AND p.id = g.applicant",
    }
}

static TAKER: LazyLock<Question> = LazyLock::new(|| {
    let given = &["district", "applicant", "changes", "seat"];
    taker_by(By::Glance, given)
});

static TAKER_BY_VERSIONS: LazyLock<Question> = LazyLock::new(|| {
    let given = &[
        "district",
        "applicant",
        "slot",
        "slot_version",
        "rules",
        "revision",
        "seat",
    ];
    taker_by(By::Versions, given)
});

/// For a command on a hold that is there.
static HELD: LazyLock<Question> = LazyLock::new(|| Question {
    given: &["district", "slot", "seat", "booking", "key"],
    wanted: wanted(&[Part::Record, Part::Seat, Part::Booking]),
    joined: "JOIN clock c ON c.id = 1 \
        LEFT JOIN slots l ON l.district = g.district AND l.id = g.slot \
        LEFT JOIN seats s ON s.district = g.district AND s.id = g.seat \
        LEFT JOIN capacity y ON y.district = g.district AND y.id = '' \
        LEFT JOIN bookings b ON b.district = g.district AND b.id = g.booking",
});

/// For a command on a person.
static PERSON: LazyLock<Question> = LazyLock::new(|| Question {
    given: &["district", "applicant", "key"],
    wanted: wanted(&[Part::Record, Part::District, Part::Person("g.applicant")]),
    joined: "JOIN clock c ON c.id = 1 \
        LEFT JOIN persons p ON p.district = g.district AND p.id = g.applicant \
        LEFT JOIN capacity y ON y.district = g.district AND y.id = ''",
});

/// For a command on a booking.
static BOOKING: LazyLock<Question> = LazyLock::new(|| Question {
    given: &["district", "day", "slot", "seat", "booking", "key"],
    wanted: wanted(&[
        Part::Record,
        Part::District,
        Part::Day,
        Part::Seat,
        Part::Person("b.applicant"),
        Part::Booking,
        Part::OwnSeat,
    ]),
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

/// What there is for a new hold, by one statement, and memory: not whether it is on record, of which there is no record
/// before it is confirmed, and no booking.
///
/// # Errors
/// The database's.
pub async fn hold(
    learned: &Learned,
    command: &Command,
    (seat, applicant): (&SeatKey, &str),
) -> Result<Box<Loaded>, Error> {
    let asked = Asked {
        seat: Some(seat),
        applicant,
        booking: "",
    };
    load(learned, command, asked, &HOLD).await
}

/// What there is for a new hold by somebody of whom nothing is remembered, `ground` being what is of the slot and its
/// district. None where that is not so any more, and of a seat that was used before.
///
/// # Errors
/// The database's.
pub(crate) async fn taker(
    learned: &Learned,
    mut ground: Box<Loaded>,
    (seat, by): (&SeatKey, By),
    (district, applicant): (&str, &str),
) -> Result<Option<Box<Loaded>>, Error> {
    let Some(new) = still::new(&ground, seat, by) else {
        return Ok(None);
    };
    let question: &'static Question = match by {
        By::Glance => &TAKER,
        By::Versions => &TAKER_BY_VERSIONS,
    };
    let mut given = vec![district.into(), applicant.into()];
    given.extend(new.into_iter().map(|(_, value)| value));
    let Some(row) = learned.store().ask(question, given).await? else {
        return Ok(None);
    };
    if row.try_get_by_index::<Option<bool>>(3)? != Some(true) {
        return Ok(None);
    }
    ground.now = Now::from_row(row.try_get_by_index(1)?, row.try_get_by_index(2)?);
    ground.changes = row.try_get_by_index(4)?;
    ground.ahead = ahead(row.try_get_by_index(5)?);
    ground.person = Person::read(&row, 6, (district, applicant))?;
    Ok(Some(ground))
}

/// What there is for a command on a hold, by one statement, and memory: neither the person nor whether the day is
/// published, by which a hold is not judged again.
///
/// # Errors
/// The database's.
pub async fn held(
    learned: &Learned,
    command: &Command,
    (seat, booking): (&SeatKey, &str),
) -> Result<Box<Loaded>, Error> {
    let asked = Asked {
        seat: Some(seat),
        applicant: "",
        booking,
    };
    load(learned, command, asked, &HELD).await
}

/// What there is for a command on a person, by one statement, and memory.
///
/// # Errors
/// The database's.
pub async fn person(
    learned: &Learned,
    command: &Command,
    applicant: &str,
) -> Result<Box<Loaded>, Error> {
    let asked = Asked {
        applicant,
        ..Asked::default()
    };
    load(learned, command, asked, &PERSON).await
}

/// What there is for a command on a booking, by one statement, and memory.
///
/// # Errors
/// The database's.
pub async fn booking(
    learned: &Learned,
    command: &Command,
    asked: Asked<'_>,
) -> Result<Box<Loaded>, Error> {
    load(learned, command, asked, &BOOKING).await
}

async fn load(
    learned: &Learned,
    command: &Command,
    asked: Asked<'_>,
    question: &'static Question,
) -> Result<Box<Loaded>, Error> {
    let seat = asked.seat;
    let given = question.given.iter().map(|name| match *name {
        "district" => command.district.clone().into(),
        "day" => seat
            .map_or_else(String::new, |s| s.slot.day.to_string())
            .into(),
        "slot" => seat.map_or_else(String::new, |s| s.slot.to_string()).into(),
        "seat" => seat.map_or_else(String::new, ToString::to_string).into(),
        "applicant" => asked.applicant.into(),
        "booking" => asked.booking.into(),
        "hold_key" => hex::encode(command.key()).into(),
        _ => command.key().into(),
    });
    let store: &Store = learned.store();
    let row = store
        .ask(question, given.collect())
        .await?
        .ok_or_else(|| sea_orm::DbErr::RecordNotFound("the clock has no row".to_owned()))?;
    read(learned, &command.district, asked, &row).await
}

async fn read(
    learned: &Learned,
    district: &str,
    asked: Asked<'_>,
    row: &QueryResult,
) -> Result<Box<Loaded>, Error> {
    let revision = row.try_get_by_index::<Option<i64>>(4)?;
    let known = match revision {
        Some(revision) => learned.of(district, revision).await?,
        None => learned.lasting(district).await?,
    };
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
    let changes_at = own_at + seat::WIDTH;
    Ok(Box::new(Loaded {
        now: Now::from_row(row.try_get_by_index(1)?, row.try_get_by_index(2)?),
        is_repeated: row.try_get_by_index::<Option<bool>>(3)?.unwrap_or_default(),
        known,
        revision,
        changes: row
            .try_get_by_index::<Option<i64>>(changes_at)?
            .unwrap_or_default(),
        policy: decode(row, 5)?.unwrap_or_default(),
        is_published: row.try_get_by_index::<Option<bool>>(6)?.unwrap_or_default(),
        ahead: ahead(row.try_get_by_index(7)?),
        slot: match asked.seat {
            Some(key) => SlotRow::read(row, slot_at, &key.slot)?,
            None => None,
        },
        seat: Seat::read(row, seat_at, district)?,
        person: Person::read(row, person_at, (district, &applicant.unwrap_or_default()))?,
        booking,
        own_seat: Seat::read(row, own_at, district)?,
    }))
}
