//! What is listened to in this process: nothing, until [`crate::start`] says otherwise.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use opentelemetry::metrics::{Histogram, Meter};
use opentelemetry_sdk::trace::SdkTracer;

use crate::gauges::Board;

/// The scope of everything that is told.
pub(crate) const SCOPE: &str = "bangban";

/// Upper bounds of the buckets of a call's duration, in seconds: a command takes about a millisecond.
const BOUNDS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

static SIGNALS: ArcSwapOption<Signals> = ArcSwapOption::const_empty();

/// What is listened to.
pub(crate) struct Signals {
    pub(crate) tracer: Option<SdkTracer>,
    pub(crate) meters: Option<Meters>,
}

/// The instruments.
pub(crate) struct Meters {
    pub(crate) meter: Meter,
    pub(crate) served: Histogram<f64>,
    pub(crate) called: Histogram<f64>,
    pub(crate) board: Arc<Board>,
    pub(crate) every: Duration,
    pub(crate) district_labels: usize,
    pub(crate) retries: Arc<AtomicU64>,
}

impl Meters {
    pub(crate) fn new(meter: Meter, every: Duration, district_labels: usize) -> Self {
        let duration = |name, description| {
            meter
                .f64_histogram(name)
                .with_unit("s")
                .with_description(description)
                .with_boundaries(BOUNDS.to_vec())
                .build()
        };
        let retries = Arc::<AtomicU64>::default();
        let counted = Arc::clone(&retries);
        meter
            .u64_observable_counter("bangban.client.retries")
            .with_unit("{attempt}")
            .with_description(
                "Attempts of calls to other services that were not the first of their call",
            )
            .with_callback(move |observer| {
                observer.observe(counted.load(std::sync::atomic::Ordering::Relaxed), &[]);
            })
            .build();
        Self {
            served: duration(
                "rpc.server.call.duration",
                "Duration of calls that were answered, from the request's headers to the end of the answer",
            ),
            called: duration(
                "rpc.client.call.duration",
                "Duration of calls to other services, all their attempts included",
            ),
            board: Arc::default(),
            every,
            district_labels,
            retries,
            meter,
        }
    }
}

/// What is listened to now.
pub(crate) fn get() -> Option<Arc<Signals>> {
    SIGNALS.load_full()
}

pub(crate) fn set(signals: Option<Signals>) {
    SIGNALS.store(signals.map(Arc::new));
}
