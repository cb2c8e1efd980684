//! How far a consumer is behind the log that it reads, as metrics show it.

use std::time::Instant;

use bangban_proto::bangban::events::v1::TailResponse;
use bangban_telemetry::gauges::{Gauge, Labels, Reading};

use crate::{Position, feed};

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

    /// What was heard has taken effect.
    pub(crate) fn took(self, batch: &TailResponse) {
        let behind = behind(batch);
        if let Some(behind) = behind {
            BEHIND.put(self.labels(), Reading::Value(behind));
        }
        if behind == Some(0.0) || batch.acts.len() < feed::BATCH {
            LAG.put(self.labels(), Reading::Since(Instant::now()));
        }
    }
}

/// Acts between a batch and the end of its log. Numbers that no act was given are counted in.
fn behind(batch: &TailResponse) -> Option<f64> {
    let at = Position::parse(&batch.position).ok()?;
    let end = Position::parse(&batch.end).ok()?;
    (at.incarnation == end.incarnation).then(|| (end.at - at.at).max(0) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_between_a_batch_and_the_end_are_behind() {
        let batch = |position: &str, end: &str| TailResponse {
            position: position.to_owned(),
            end: end.to_owned(),
            ..TailResponse::default()
        };
        assert_eq!(
            behind(&batch("casework.a1.0.10", "casework.a1.0.1a")),
            Some(10.0)
        );
        assert_eq!(
            behind(&batch("casework.a1.0.10", "casework.a1.0.10")),
            Some(0.0)
        );
        assert_eq!(behind(&batch("casework.a1.0.10", "casework.b2.0.10")), None);
        assert_eq!(
            behind(&batch("casework.a1.0.10", "")),
            None,
            "an older source"
        );
    }
}
