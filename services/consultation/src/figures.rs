//! What operators see of the consultations that somebody waits for: how many in each state, due within a day, overdue
//! (BB-8c).

use std::time::Duration;

use bangban_limits::clock::WARNING_SECONDS;
use bangban_proto::bangban::consultation::v1::ConsultationState;
use bangban_store::figures::Figures;
use bangban_telemetry::gauges::Gauge;

/// What is counted.
pub static FIGURES: Figures = Figures {
    table: "consultations",
    open: "state IN (1, 2, 4)",
    due: "next_due_at_us",
    soon: Duration::from_secs(WARNING_SECONDS.unsigned_abs()),
    states: &[
        (ConsultationState::Open as i32, "open"),
        (ConsultationState::Referred as i32, "referred"),
        (ConsultationState::Converting as i32, "converting"),
    ],
    by_state: Gauge {
        name: "bangban.consultations",
        unit: "{consultation}",
        description: "Consultations that somebody waits for",
    },
    due_soon: Gauge {
        name: "bangban.consultations.due_soon",
        unit: "{consultation}",
        description: "Consultations whose next due time is within a day",
    },
    overdue: Gauge {
        name: "bangban.consultations.overdue",
        unit: "{consultation}",
        description: "Consultations whose next due time has passed",
    },
};
