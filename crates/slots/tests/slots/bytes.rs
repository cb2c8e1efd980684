//! How much memory a day takes: 44,000 sites for 30 days have to fit in 1 GB.

use std::sync::Arc;
use std::time::Duration;

use bangban_slots::{Begun, DayState, Gate, Row, SlotState};
use futures::StreamExt as _;

use bangban_rig::Server;

use crate::server::HasSettings;
use crate::truth::Truth;
use crate::workload::{day, ready};

const DAYS: u32 = 10_000;
const BUDGET: f64 = 1e9 / (44_000.0 * 30.0);

#[tokio::test(flavor = "multi_thread")]
async fn a_month_of_all_sites_fits_in_a_gigabyte() {
    let server = Server::start(&[]);
    let truth: Arc<Truth> = Arc::default();
    let gate = Gate::redis(server.patient(), truth as _).unwrap();
    ready(&gate, bangban_rig::PATIENCE).await;
    let slot = SlotState {
        reserved: 1,
        seats: vec![Row::Taken, Row::Free, Row::Taken, Row::Free],
    };
    let state = DayState {
        slots: vec![slot; 32],
        keep: Duration::from_secs(30 * 86400),
    };
    let used = || -> f64 { server.info("memory", "used_memory").parse().unwrap() };
    let before = used();
    let rebuilt = (0..DAYS).map(|number| {
        let (gate, state) = (&gate, &state);
        async move {
            let Ok(Begun::Yes(rebuild)) = gate.begin_rebuild(&day(number)).await else {
                panic!("not begun")
            };
            assert!(gate.finish_rebuild(rebuild, state).await.unwrap());
        }
    });
    futures::stream::iter(rebuilt)
        .buffer_unordered(32)
        .collect::<Vec<()>>()
        .await;
    // Tables that grow are two for a while.
    let mut each = f64::INFINITY;
    for _ in 0..50 {
        let now = (used() - before) / f64::from(DAYS);
        if now >= each {
            break;
        }
        each = now;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let key: u32 = server.ask(&["MEMORY", "USAGE", day(0).key(), "SAMPLES", "0"]);
    let length: u32 = server.ask(&["STRLEN", day(0).key()]);
    println!(
        "redis_bytes_per_site_day {each:.0} (value {length}, MEMORY USAGE {key}, budget {BUDGET:.0})"
    );
    assert!(each < BUDGET, "{each} bytes");
}
