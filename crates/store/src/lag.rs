//! How far a consumer is behind the log that it reads, as metrics show it.

use std::time::Instant;

use bangban_proto::bangban::events::v1::TailResponse;
use bangban_telemetry::gauges::{Gauge, Labels, Reading};

use crate::{Error, Position, feed};

static LAG: Gauge = Gauge {
    name: "bangban.feed.lag",
    unit: "s",
    description: "How long ago the consumer last had taken in all that there was",
};

static SILENCE: Gauge = Gauge {
    name: "bangban.feed.silence",
    unit: "s",
    description: "How long the consumer has heard nothing of the log, not even a sign of life",
};

static BEHIND: Gauge = Gauge {
    name: "bangban.feed.behind",
    unit: "{act}",
    description: "Acts that the consumer had still to take in when it last heard of the log, at most",
};

/// A consumer of a log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lag {
    pub(crate) log: &'static str,
    pub(crate) consumer: &'static str,
}

impl Lag {
    fn labels(self) -> Labels {
        vec![
            ("consumer", self.consumer.to_owned()),
            ("log", self.log.to_owned()),
        ]
    }

    /// It begins to follow: from here on silence counts.
    pub(crate) fn begins(self) {
        let now = Reading::Since(Instant::now());
        LAG.put(self.labels(), now);
        SILENCE.put(self.labels(), now);
    }

    /// Something was heard of the log.
    pub(crate) fn heard(self, batch: &TailResponse) {
        SILENCE.put(self.labels(), Reading::Since(Instant::now()));
        if let Some(behind) = behind(batch) {
            BEHIND.put(
                self.labels(),
                Reading::Value(behind + batch.acts.len() as f64),
            );
        }
    }

    /// What was heard has taken effect; `caught_up` is what [`Goal::reached`] said of it.
    pub(crate) fn took(self, batch: &TailResponse, caught_up: Option<Instant>) {
        if let Some(behind) = behind(batch) {
            BEHIND.put(self.labels(), Reading::Value(behind));
        }
        if let Some(at) = caught_up {
            LAG.put(self.labels(), Reading::Since(at));
        }
    }
}

/// The end of a log as it was heard of, until that is reached. A log that is written to all the time is never read to its
/// end, but to what was its end a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Goal(Option<(Position, Instant)>);

impl Goal {
    /// When the log held no more than there is with this batch; nothing while some of it is missing.
    ///
    /// # Errors
    /// When the batch says no position.
    pub(crate) fn reached(&mut self, batch: &TailResponse) -> Result<Option<Instant>, Error> {
        let now = Instant::now();
        let at = Position::parse(&batch.position)?;
        let end = match batch.end.as_str() {
            // An older source says nothing of the end when the batch is there.
            "" if batch.acts.len() < feed::BATCH => at.clone(),
            end => Position::parse(end)?,
        };
        if at.reaches(&end) {
            self.0 = None;
            return Ok(Some(now));
        }
        let reached = match &self.0 {
            Some((goal, _)) if !at.reaches(goal) => return Ok(None),
            Some((_, heard)) => Some(*heard),
            None => None,
        };
        self.0 = Some((end, now));
        Ok(reached)
    }
}

/// Acts between a batch and the end of its log: one at least, unless it is the end. Numbers that no act was given are
/// counted in.
fn behind(batch: &TailResponse) -> Option<f64> {
    let at = Position::parse(&batch.position).ok()?;
    let end = Position::parse(&batch.end).ok()?;
    let least = i64::from(!at.reaches(&end));
    (at.incarnation == end.incarnation).then(|| (end.at - at.at).max(least) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(position: &str, end: &str) -> TailResponse {
        TailResponse {
            position: format!("casework.{position}"),
            end: format!("casework.{end}"),
            ..TailResponse::default()
        }
    }

    #[test]
    fn acts_between_a_batch_and_the_end_are_behind() {
        assert_eq!(behind(&batch("a1.0.10", "a1.0.1a")), Some(10.0));
        assert_eq!(behind(&batch("a1.0.10", "a1.0.10")), Some(0.0));
        // A younger transaction may have taken its number earlier.
        assert_eq!(behind(&batch("a1.5.10", "a1.6.f")), Some(1.0));
        assert_eq!(behind(&batch("a1.0.10", "b2.0.10")), None);
    }

    #[test]
    fn a_log_that_never_stands_still_is_caught_up_with_as_of_a_moment_ago() {
        let mut goal = Goal::default();
        let mut reached = |at, end| goal.reached(&batch(at, end)).expect("positions");
        assert_eq!(reached("a1.0.1", "a1.0.5"), None, "four are missing");
        let before = Instant::now();
        assert_eq!(reached("a1.0.3", "a1.0.7"), None, "two of them still are");
        let then = reached("a1.0.5", "a1.0.9").expect("all that there was at first");
        assert!(then < before);
        let then = reached("a1.0.9", "a1.0.b").expect("all of a moment ago");
        assert!(then > before);
        let now = Instant::now();
        assert!(reached("a1.0.c", "a1.0.c").expect("all") >= now);
        assert_eq!(reached("a1.0.c", "a1.0.d"), None, "one more since");
    }
}
