//! What services count, and metrics show as it was put last.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use opentelemetry::{
    KeyValue,
    metrics::{AsyncInstrument, Meter},
};

use crate::signals;

/// Between two looks at what is counted in memory: what comes and goes within one is seen in counters.
const LOOK: Duration = Duration::from_secs(1);

/// The label of everything that has none of its own.
pub const OTHER: &str = "_OTHER";

/// A gauge, as its owner declares it.
#[derive(Debug)]
pub struct Gauge {
    /// As the conventions write names: `bangban.cases.overdue`.
    pub name: &'static str,
    /// In UCUM: `s`, or `{case}`.
    pub unit: &'static str,
    /// What it means.
    pub description: &'static str,
}

/// A counter, as its owner declares it: how often something has happened since the process began.
#[derive(Debug)]
pub struct Counter {
    /// As the conventions write names; Prometheus's `_total` is no part of it.
    pub name: &'static str,
    /// In UCUM: `{seat}`.
    pub unit: &'static str,
    /// What it means.
    pub description: &'static str,
}

/// What a gauge shows.
#[derive(Debug, Clone, Copy)]
pub enum Reading {
    /// A number.
    Value(f64),
    /// The seconds that have passed since.
    Since(Instant),
}

impl Reading {
    fn now(self) -> f64 {
        match self {
            Self::Value(value) => value,
            Self::Since(at) => at.elapsed().as_secs_f64(),
        }
    }
}

/// Names and values of labels. Values are ids of a bounded set, never anything about a person.
pub type Labels = Vec<(&'static str, String)>;

type Readings = BTreeMap<Labels, Reading>;

/// All gauges and counters, as they were put last.
#[derive(Debug, Default)]
pub(crate) struct Board(Mutex<HashMap<&'static str, Readings>>);

impl Board {
    fn with<T>(&self, change: impl FnOnce(&mut HashMap<&'static str, Readings>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn read(&self, name: &str) -> Vec<(Labels, f64)> {
        self.with(|gauges| {
            let readings = gauges.get(name).into_iter().flatten();
            readings
                .map(|(labels, reading)| (labels.clone(), reading.now()))
                .collect()
        })
    }
}

impl Gauge {
    /// Shows a reading under its labels, in place of the one before.
    pub fn put(&'static self, labels: Labels, reading: Reading) {
        self.change(|readings| {
            readings.insert(labels, reading);
        });
    }

    /// Shows these readings and no others.
    pub fn replace(&'static self, all: impl IntoIterator<Item = (Labels, f64)>) {
        self.change(|readings| {
            let all = all.into_iter();
            *readings = all
                .map(|(labels, value)| (labels, Reading::Value(value)))
                .collect();
        });
    }

    fn change(&'static self, change: impl FnOnce(&mut Readings)) {
        changed(self.name, change, |meter, board| {
            meter
                .f64_observable_gauge(self.name)
                .with_unit(self.unit)
                .with_description(self.description)
                .with_callback(move |observer| observe(&board, self.name, observer))
                .build();
        });
    }
}

impl Counter {
    /// Shows how often it has happened, under these labels.
    pub fn put(&'static self, labels: Labels, total: u64) {
        let insert = |readings: &mut Readings| {
            readings.insert(labels, Reading::Value(total as f64));
        };
        changed(self.name, insert, |meter, board| {
            meter
                .f64_observable_counter(self.name)
                .with_unit(self.unit)
                .with_description(self.description)
                .with_callback(move |observer| observe(&board, self.name, observer))
                .build();
        });
    }
}

/// Changes what is shown under a name, which is made known to the meter the first time.
fn changed(
    name: &'static str,
    change: impl FnOnce(&mut Readings),
    make: impl FnOnce(&Meter, Arc<Board>),
) {
    let signals = signals::get();
    let Some(meters) = signals.as_ref().and_then(|s| s.meters.as_ref()) else {
        return;
    };
    let is_new = meters.board.with(|shown| {
        let is_new = !shown.contains_key(name);
        change(shown.entry(name).or_default());
        is_new
    });
    if is_new {
        make(&meters.meter, Arc::clone(&meters.board));
    }
}

fn observe(board: &Board, name: &str, observer: &dyn AsyncInstrument<f64>) {
    for (labels, value) in board.read(name) {
        let labels: Vec<KeyValue> = labels
            .into_iter()
            .map(|(name, value)| KeyValue::new(name, value))
            .collect();
        observer.observe(value, &labels);
    }
}

/// How often to count; nothing when nobody reads metrics.
#[must_use]
pub fn every() -> Option<Duration> {
    signals::get()?.meters.as_ref().map(|meters| meters.every)
}

/// Shows what is counted in memory, again every second and for ever; nothing when nobody reads metrics.
pub async fn keep_shown(show: impl Fn()) {
    if every().is_none() {
        return;
    }
    loop {
        show();
        tokio::time::sleep(LOOK).await;
    }
}

/// Counts of districts, bounded: the first so many districts by id as configured, and one for the others together.
#[must_use]
pub fn by_district(counts: impl IntoIterator<Item = (String, f64)>) -> Vec<(Labels, f64)> {
    let most = signals::get()
        .and_then(|signals| signals.meters.as_ref().map(|meters| meters.district_labels));
    bounded(counts, most.unwrap_or_default())
}

fn bounded(counts: impl IntoIterator<Item = (String, f64)>, most: usize) -> Vec<(Labels, f64)> {
    let mut all: BTreeMap<String, f64> = BTreeMap::new();
    for (district, count) in counts {
        *all.entry(district).or_default() += count;
    }
    // When there is nothing to count, that is shown: a series that is missing says that nobody counts.
    let is_cut = all.len() > most || all.is_empty();
    let mut shown: Vec<(Labels, f64)> = Vec::new();
    let mut others = 0.0;
    for (number, (district, count)) in all.into_iter().enumerate() {
        if number < most {
            shown.push((vec![("district", district)], count));
        } else {
            others += count;
        }
    }
    if is_cut {
        shown.push((vec![("district", OTHER.to_owned())], others));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn districts_beyond_the_bound_are_one() {
        let counts =
            || [("c", 4.0), ("a", 1.0), ("b", 2.0), ("a", 1.0)].map(|(d, n)| (d.to_owned(), n));
        let shown = |most| {
            let shown = bounded(counts(), most).into_iter();
            shown
                .map(|(labels, n)| (labels[0].1.clone(), n))
                .collect::<Vec<_>>()
        };
        let pairs = |list: &[(&str, f64)]| {
            list.iter()
                .map(|(d, n)| ((*d).to_owned(), *n))
                .collect::<Vec<_>>()
        };
        assert_eq!(shown(3), pairs(&[("a", 2.0), ("b", 2.0), ("c", 4.0)]));
        assert_eq!(shown(1), pairs(&[("a", 2.0), (OTHER, 6.0)]));
        assert_eq!(shown(0), pairs(&[(OTHER, 8.0)]));
        let nothing = bounded([], 3);
        assert_eq!(nothing, [(vec![("district", OTHER.to_owned())], 0.0)]);
    }
}
