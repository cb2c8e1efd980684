//! What operators see of the gate: what it has answered, what an audit found wrong, and whether it can be asked (BB-9.2b).

use std::time::Duration;

use bangban_slots::{Counts, Gate, Health};
use bangban_telemetry::gauges::{self, Counter, Gauge, Reading};
use tokio_util::sync::CancellationToken;

static ANSWERS: Counter = Counter {
    name: "bangban.gate.answers",
    unit: "{answer}",
    description: "Times that the gate was asked for a seat, by what it answered",
};

static REFUSED: Counter = Counter {
    name: "bangban.gate.refused",
    unit: "{seat}",
    description: "Seats that the gate gave out though the database had them taken; somebody asked again",
};

static DRIFT_FOUND: Counter = Counter {
    name: "bangban.gate.drift.found",
    unit: "{seat}",
    description: "Seats of which an audit found the gate to say something else than the database",
};

static DRIFT_REPAIRED: Counter = Counter {
    name: "bangban.gate.drift.repaired",
    unit: "{seat}",
    description: "Of the seats that an audit found wrong, those that it set right at once",
};

static ABANDONED: Counter = Counter {
    name: "bangban.gate.abandoned",
    unit: "{seat}",
    description: "Seats that were picked and neither kept nor given back, found by an audit",
};

static FORGOTTEN: Counter = Counter {
    name: "bangban.gate.forgotten",
    unit: "{day}",
    description: "Days of which an audit found other slots or reservations in the gate than in the database: read anew",
};

static REBUILDS: Counter = Counter {
    name: "bangban.gate.rebuilds",
    unit: "{day}",
    description: "Days that were put into the gate from the database",
};

static ADMISSIONS: Counter = Counter {
    name: "bangban.gate.admissions",
    unit: "{generation}",
    description: "Generations under which this process admitted a Redis",
};

static DEGRADED: Gauge = Gauge {
    name: "bangban.gate.degraded",
    unit: "1",
    description: "1 while no seat can be given because the gate cannot be asked, else 0",
};

static AUDIT_PROGRESS: Gauge = Gauge {
    name: "bangban.gate.audit.progress",
    unit: "1",
    description: "Which part of all published days this process has compared in the round that it is at, 0 to 1",
};

static AUDIT_ROUND: Gauge = Gauge {
    name: "bangban.gate.audit.round",
    unit: "s",
    description: "How long the last round over all published days took",
};

static OVERDUE: Gauge = Gauge {
    name: "bangban.seats.overdue",
    unit: "s",
    description: "For how long the earliest seat that was given up should have come back, when the sweep looked last: its gate cannot be told, or the sweep cannot keep up",
};

/// Shows for how long a seat should have come back.
pub(crate) fn overdue(us: i64) {
    let seconds = Duration::from_micros(us.unsigned_abs()).as_secs_f64();
    OVERDUE.put(Vec::new(), Reading::Value(seconds));
}

/// Shows that so many of all days have been compared in this round.
pub(crate) fn audited(done: u64, all: u64) {
    let part = done as f64 / all.max(done).max(1) as f64;
    AUDIT_PROGRESS.put(Vec::new(), Reading::Value(part));
}

/// Shows how long a round took that has ended.
pub(crate) fn went_round(took: Duration) {
    AUDIT_PROGRESS.put(Vec::new(), Reading::Value(1.0));
    AUDIT_ROUND.put(Vec::new(), Reading::Value(took.as_secs_f64()));
}

/// Shows them until `stop`; not at all when nobody reads metrics.
pub async fn run(gate: Gate, stop: CancellationToken) {
    let shown = gauges::keep_shown(|| show(&gate.counts(), gate.health()));
    _ = stop.run_until_cancelled(shown).await;
}

fn show(counts: &Counts, health: Health) {
    for (answer, total) in [
        ("seat", counts.picked),
        ("full", counts.full),
        ("again", counts.again),
        ("unavailable", counts.unavailable),
    ] {
        ANSWERS.put(vec![("answer", answer.to_owned())], total);
    }
    for (counter, total) in [
        (&REFUSED, counts.refused),
        (&DRIFT_FOUND, counts.drift_found),
        (&DRIFT_REPAIRED, counts.drift_repaired),
        (&ABANDONED, counts.abandoned),
        (&FORGOTTEN, counts.forgotten),
        (&REBUILDS, counts.rebuilds),
        (&ADMISSIONS, counts.admissions),
    ] {
        counter.put(Vec::new(), total);
    }
    let is_degraded = health != Health::Ready;
    DEGRADED.put(Vec::new(), Reading::Value(f64::from(is_degraded)));
}
