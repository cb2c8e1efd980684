//! A limit that runs: when it started, how long it is, and when it stood still.

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};

use crate::SHANGHAI;
use crate::error::Error;

/// The longest limit with its extensions, in its own unit. Longer ones are typing errors.
pub const MAX_AMOUNT: u32 = 10_000;

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Unit {
    /// Days on which the district's offices work (行政许可法 art. 82).
    WorkingDay,
    /// Every day; one that ends on a rest day ends on the next working day (民法典 art. 203).
    CalendarDay,
    /// Hours on the wall, day and night; only stops interrupt them.
    Hour,
}

/// A length of time that a law, a rule or a promise sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// How many units. Zero days is the same working day, zero hours is at once.
    pub amount: u32,
    /// What is counted.
    pub unit: Unit,
    /// Where the limit comes from, for the applicant to read.
    pub citation: String,
}

/// Why a clock stands still (行政许可法 art. 45, or a cited rule of the item's version; nothing else does).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum StopKind {
    /// 听证.
    Hearing,
    /// 招标.
    Tender,
    /// 拍卖.
    Auction,
    /// 检验.
    Inspection,
    /// 检测.
    Testing,
    /// 检疫.
    Quarantine,
    /// 鉴定.
    Appraisal,
    /// 专家评审.
    ExpertReview,
    /// A rule of the item's version, named by the stop's citation.
    ItemRule,
}

/// A time in which no time passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// First instant at which the clock stands still.
    pub from: DateTime<FixedOffset>,
    /// First instant at which it runs again; none while it still stands.
    pub to: Option<DateTime<FixedOffset>>,
    /// The rule and the written notice to the applicant.
    pub citation: String,
    /// Which ground.
    pub kind: StopKind,
}

/// One running limit of a matter, as a value. The matter may have several clocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// The event that starts the limit, for a decision the acceptance (受理). Its day does not count.
    pub start: DateTime<FixedOffset>,
    /// The limit.
    pub limit: Limit,
    /// What was granted on top, in the same unit.
    #[serde(default)]
    pub extensions: Vec<Limit>,
    /// When it stood still, in any order; overlapping stops stop it once.
    #[serde(default)]
    pub stops: Vec<Stop>,
}

impl Clock {
    /// A clock that was neither extended nor stopped.
    #[must_use]
    pub const fn new(start: DateTime<FixedOffset>, limit: Limit) -> Self {
        Self {
            start,
            limit,
            extensions: Vec::new(),
            stops: Vec::new(),
        }
    }

    /// Units of the limit and its extensions.
    ///
    /// # Errors
    /// [`Error::MixedUnits`], [`Error::TooLong`].
    pub fn total(&self) -> Result<u32, Error> {
        if self
            .extensions
            .iter()
            .any(|extension| extension.unit != self.limit.unit)
        {
            return Err(Error::MixedUnits);
        }
        let amounts = self
            .extensions
            .iter()
            .map(|extension| u64::from(extension.amount));
        let total = u64::from(self.limit.amount) + amounts.sum::<u64>();
        match u32::try_from(total) {
            Ok(total) if total <= MAX_AMOUNT => Ok(total),
            _ => Err(Error::TooLong(total)),
        }
    }

    /// Whether the clock stands still at an instant.
    #[must_use]
    pub fn is_stopped(&self, now: DateTime<FixedOffset>) -> bool {
        self.stops
            .iter()
            .any(|stop| stop.from <= now && stop.to.is_none_or(|to| now < to))
    }
}

/// Something about a clock that supervision should look at. It does not change the due time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What is wrong.
    pub kind: FindingKind,
    /// Position of the stop in [`Clock::stops`].
    pub stop: usize,
}

/// What may be wrong with a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum FindingKind {
    /// It begins and ends on the same local day, and yet takes that whole day off a limit in days.
    ShortStop,
    /// It names no rule.
    UncitedStop,
    /// It overlaps an earlier stop.
    OverlappingStop,
}

/// What supervision should look at, in the order of the stops.
#[must_use]
pub fn findings(clock: &Clock) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, stop) in clock.stops.iter().enumerate() {
        let mut add = |kind| findings.push(Finding { kind, stop: index });
        let day = |at: DateTime<FixedOffset>| at.with_timezone(&SHANGHAI).date_naive();
        if clock.limit.unit != Unit::Hour && stop.to.is_some_and(|to| day(stop.from) == day(to)) {
            add(FindingKind::ShortStop);
        }
        if stop.citation.trim().is_empty() {
            add(FindingKind::UncitedStop);
        }
        let earlier = clock.stops[..index].iter();
        let mut overlaps = earlier.map(|other| {
            other.to.is_none_or(|to| stop.from < to) && stop.to.is_none_or(|to| other.from < to)
        });
        if overlaps.any(|overlaps| overlaps) {
            add(FindingKind::OverlappingStop);
        }
    }
    findings
}
