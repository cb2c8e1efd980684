//! What operators see of admission: how much is taken in, and who was sent away.

use bangban_telemetry::gauges::{self, Counter, Gauge, Reading};

use super::{Admission, Counts};

static LIMIT: Gauge = Gauge {
    name: "bangban.admission.limit",
    unit: "{call}",
    description: "How many calls of people may be in work at once",
};

static IN_FLIGHT: Gauge = Gauge {
    name: "bangban.admission.in_flight",
    unit: "{call}",
    description: "Calls of people in work",
};

static REFUSED: Counter = Counter {
    name: "bangban.admission.refused",
    unit: "{call}",
    description: "Calls that were told to come again, and nothing was done",
};

static DISPLACED: Counter = Counter {
    name: "bangban.admission.displaced",
    unit: "{call}",
    description: "Feeds and exports that had to make room for another",
};

/// Shows it for ever; not at all when nobody reads metrics.
pub(super) async fn tell(admission: &Admission) {
    gauges::keep_shown(|| show(&admission.counts())).await;
}

fn show(counts: &Counts) {
    for (gauge, now) in [(&LIMIT, counts.limit), (&IN_FLIGHT, counts.in_flight)] {
        gauge.put(Vec::new(), Reading::Value(now as f64));
    }
    for (whose, passed) in [
        ("people", counts.people),
        ("feeds", counts.feeds),
        ("exports", counts.exports),
    ] {
        REFUSED.put(vec![("class", whose.to_owned())], passed.refused);
    }
    DISPLACED.put(Vec::new(), counts.displaced);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bangban_rig::metrics;
    use bangban_telemetry::{Log, Settings, start};
    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::admission::{
        self,
        class::Rank,
        gate::{Ask, Asked, Kind},
        waiting::Line,
    };

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_taken_in_and_who_is_sent_away_is_told() {
        let told = Settings {
            prometheus_listen: "127.0.0.1:0".to_owned(),
            ..Settings::default()
        };
        let telemetry = start(&told, &Log::default(), "bangban-tested").unwrap();
        let admission = Admission::new(admission::Settings {
            floor: 3,
            start: 3,
            ceiling: 3,
            target: Duration::from_millis(100),
            queue: Duration::from_millis(500),
            max_exports: 1,
            max_feeds: 1,
            feed_stays: Duration::ZERO,
            export_stalls: Duration::from_secs(30),
        });
        tokio::spawn(admission.clone().tell());
        let gate = &admission.0;
        let ask = Ask {
            rank: Rank::Ongoing,
            line: Line::Public,
            method: None,
            deadline: None,
        };
        let Asked::In(_permit) = gate.ask(Instant::now(), ask) else {
            panic!("there is room");
        };
        // The second feed takes the place of the first, the second export gets none.
        let sit = |kind| gate.sit(Instant::now(), kind, "casework");
        let _seats = [Kind::Feed, Kind::Feed, Kind::Export, Kind::Export].map(sit);
        let wanted = [
            "bangban_admission_limit 3",
            "bangban_admission_in_flight 1",
            "bangban_admission_refused_total{class=\"people\"} 0",
            "bangban_admission_refused_total{class=\"feeds\"} 0",
            "bangban_admission_refused_total{class=\"exports\"} 1",
            "bangban_admission_displaced_total 1",
        ];
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let page = metrics::page(telemetry.prometheus.unwrap()).await;
            let is_told = |series: &&str| page.lines().any(|line| line == *series);
            if wanted.iter().all(is_told) {
                return;
            }
            assert!(Instant::now() < until, "{page}");
            sleep(Duration::from_millis(200)).await;
        }
    }
}
