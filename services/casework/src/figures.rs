//! What operators see of the cases that are open: how many in each state, due within a day, overdue (BB-8a).

use std::time::Duration;

use bangban_limits::clock::WARNING_SECONDS;
use bangban_proto::bangban::casework::v1::CaseState;
use bangban_store::figures::Figures;
use bangban_telemetry::gauges::Gauge;

/// What is counted.
pub static FIGURES: Figures = Figures {
    table: "cases",
    open: "ended_at_us IS NULL",
    due: "due_at_us",
    soon: Duration::from_secs(WARNING_SECONDS.unsigned_abs()),
    states: &[
        (CaseState::Open as i32, "open"),
        (CaseState::PreChecked as i32, "pre_checked"),
        (CaseState::Filed as i32, "filed"),
        (CaseState::Accepted as i32, "accepted"),
        (CaseState::Decided as i32, "decided"),
        (CaseState::Delivered as i32, "delivered"),
    ],
    by_state: Gauge {
        name: "bangban.cases",
        unit: "{case}",
        description: "Cases that are not at their end",
    },
    due_soon: Gauge {
        name: "bangban.cases.due_soon",
        unit: "{case}",
        description: "Cases whose next due time is within a day",
    },
    overdue: Gauge {
        name: "bangban.cases.overdue",
        unit: "{case}",
        description: "Cases whose next due time has passed",
    },
};
