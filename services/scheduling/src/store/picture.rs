//! Days as the gate keeps them: what a rebuild puts into it and an audit compares it with.

use std::{collections::BTreeMap, time::Duration};

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::scheduling::v1::SeatState;
use bangban_slots::{DayState, Row, SlotState};
use bangban_store::{Error, Store, clock::now_sql};
use sea_orm::{Statement, Value};

use super::{
    key::{DayKey, SlotKey},
    slot::{self, SlotRow},
};
use crate::domain::outside::day_end_us;

/// How long what is due may stand until it counts as overlooked, in microseconds: ten seconds.
const OVERLOOKED_US: i64 = 10_000_000;

/// Days of a site as the gate keeps them.
#[derive(Debug, Default)]
pub struct Pictures {
    /// By day; one without slots is none.
    pub days: BTreeMap<DayKey, DayState>,
    /// The earliest time at which something was due, a hold's end or a cooling's, that stands long behind it: the sweep has
    /// overlooked it.
    pub overlooked_us: Option<i64>,
}

/// Days of a site, in one statement, which is one snapshot. Redis may keep a day until a week behind it.
///
/// # Errors
/// The database's.
pub async fn pictures(
    store: &Store,
    district: &str,
    (first, last): (&DayKey, &DayKey),
) -> Result<Pictures, Error> {
    let now = format!(
        "({} + (SELECT offset_seconds FROM clock WHERE id = 1) * 1000000)",
        now_sql(store.backend)
    );
    // Two ranges of keys, whatever the planner believes of the tables. A slot may have hundreds of seats, most of them
    // somebody's appointment: one text for all that are used costs a third of a row for each. Its row has no version.
    let slots = slot::columns("l");
    let sql = format!(
        "SELECT {now}, l.id, {slots}, '' FROM slots l WHERE l.district = $1 AND l.id >= $2 AND l.id < $3 \
         UNION ALL SELECT {now}, '', CAST(NULL AS bigint), '', '', 0, 0, 0, 0, CAST(NULL AS bigint), 0, \
         COALESCE((SELECT string_agg(CASE s.state WHEN 2 THEN substr(s.id, $4) ELSE \
         substr(s.id, $4) || ':' || CAST(s.state AS text) || ':' || CAST(COALESCE(s.free_us, s.due_us, 0) AS text) END, ' ') \
         FROM seats s WHERE s.district = $1 AND s.id >= $2 AND s.id < $3 AND s.state <> 4), '')"
    );
    // Names of sites are ASCII: what lies behind the site's begins here.
    let behind_site = i32::try_from(first.site.len() + 2).map_err(Refusal::internal)?;
    let values: [Value; 4] = [
        district.into(),
        first.range().0.into(),
        last.range().1.into(),
        behind_site.into(),
    ];
    let rows = store
        .rows(Statement::from_sql_and_values(store.backend, sql, values))
        .await?;
    let mut days: BTreeMap<DayKey, DayState> = BTreeMap::new();
    let mut overlooked_us: Option<i64> = None;
    let mut used = String::new();
    let mut now_us = 0;
    for row in &rows {
        now_us = row.try_get_by_index(0)?;
        if row.try_get_by_index::<Option<i64>>(2)?.is_none() {
            used = row.try_get_by_index(2 + slot::WIDTH)?;
            continue;
        }
        let id: String = row.try_get_by_index(1)?;
        let key: SlotKey = id.parse().map_err(Refusal::internal)?;
        let Some(slot) = SlotRow::read(row, 2, &key)? else {
            continue;
        };
        let day = days.entry(key.day.clone()).or_insert_with(|| DayState {
            slots: Vec::new(),
            keep: kept_for(&key.day, now_us),
        });
        let place = usize::from(key.number);
        if day.slots.len() <= place {
            day.slots.resize(place + 1, empty());
        }
        day.slots[place] = SlotState {
            reserved: slot.reserved_at(now_us),
            seats: vec![Row::Free; slot.seats().into()],
        };
    }
    // Those of a day lie together.
    let mut used = used.split_terminator(' ').peekable();
    while let Some(seat) = used.peek() {
        let Some((date, _)) = seat.split_once('.') else {
            return Err(Refusal::internal("a seat has a name of no seat").into());
        };
        let key = DayKey {
            site: first.site.clone(),
            date: date.parse().map_err(Refusal::internal)?,
        };
        let mut day = days.get_mut(&key);
        while let Some(seat) = used.next_if(|seat| seat.starts_with(date)) {
            let (slot, number, state, due_us) = marked(&seat[date.len() + 1..])?;
            let row = gate_row(state, due_us, now_us);
            if state != SeatState::Confirmed && due_us < now_us - OVERLOOKED_US {
                overlooked_us = Some(overlooked_us.map_or(due_us, |us| us.min(due_us)));
            }
            let slot = day.as_mut().and_then(|day| day.slots.get_mut(slot));
            // A seat above the capacity is none of the gate's.
            if let Some(seat) = slot.and_then(|slot| slot.seats.get_mut(number)) {
                *seat = row;
            }
        }
    }
    Ok(Pictures {
        days,
        overlooked_us,
    })
}

/// A seat that is used, of a picture: its slot in the day, its number, its state, and where it is no appointment when it is
/// due.
fn marked(seat: &str) -> Result<(usize, usize, SeatState, i64), Refusal> {
    let mut parts = seat.split(['/', ':']);
    let mut number = || parts.next().and_then(|part| part.parse::<i64>().ok());
    let (slot, place, state, due_us) = (number(), number(), number(), number());
    let index = |number: Option<i64>| number.and_then(|number| usize::try_from(number).ok());
    let (Some(slot), Some(place)) = (index(slot), index(place)) else {
        return Err(Refusal::internal("a seat has a name of no seat"));
    };
    let state = state.map_or(SeatState::Confirmed, |state| {
        let state = i32::try_from(state).unwrap_or_default();
        SeatState::try_from(state).unwrap_or_default()
    });
    Ok((slot, place, state, due_us.unwrap_or_default()))
}

/// How long Redis may keep a day: until a week behind it.
fn kept_for(day: &DayKey, now_us: i64) -> Duration {
    let ends_us = day_end_us(&day.date.to_string()).unwrap_or_default();
    let left = u64::try_from((ends_us - now_us) / 1_000_000).unwrap_or_default();
    Duration::from_secs(left + 7 * 86_400)
}

fn empty() -> SlotState {
    SlotState {
        reserved: 0,
        seats: Vec::new(),
    }
}

/// What the gate is to know of a seat's row.
#[must_use]
pub fn gate_row(state: SeatState, due_us: i64, now_us: i64) -> Row {
    match state {
        SeatState::Free | SeatState::Unspecified => Row::Free,
        SeatState::Cooling if due_us <= now_us => Row::Due,
        SeatState::Cooling | SeatState::Held | SeatState::Confirmed => Row::Taken,
    }
}
