//! What Prometheus is told of the gate: what it answers, what was wrong and set right, whether it can be asked (BB-9.2b).

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bangban_rig::{Server, metrics};
use bangban_scheduling::{Doorkeeper, figures, store::DayKey};
use bangban_telemetry::{Log, Settings, start};
use tokio_util::sync::CancellationToken;

use super::{
    ask::release,
    double::Directory,
    patience::{PATIENCE, is_not_now, patiently},
    world::{DISTRICT, LI_NA, SITE, World, database, reason, slot},
};

/// Until the series has a value that will do.
async fn until(address: SocketAddr, series: &str, will_do: impl Fn(f64) -> bool) {
    let began = Instant::now();
    loop {
        let page = metrics::page(address).await;
        if metrics::value(&page, series).is_some_and(&will_do) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{series}\n{page}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_drift_rebuilds_and_answers_of_the_gate_are_metrics() {
    let settings = Settings {
        prometheus_listen: "127.0.0.1:0".to_owned(),
        ..Settings::default()
    };
    let log = Log {
        level: "error".to_owned(),
        ..Log::default()
    };
    let telemetry = start(&settings, &log, "bangban-tested").expect("it starts");
    let told = telemetry.prometheus.expect("a listener");
    let mut redis = Server::start(&[]);
    let url = database("figures").await;
    let url = url.unwrap_or_else(|| "sqlite".to_owned());
    let world = World::open_as(url, redis.url(), Directory::default()).await;
    let gate = world.served.service.gate().clone();
    let stop = CancellationToken::new();
    tokio::spawn(figures::run(gate, stop.clone()));
    until(told, "bangban_gate_degraded", |n| n == 0.0).await;
    until(told, "bangban_gate_admissions_total", |n| n >= 1.0).await;

    world.served.works_unasked();
    let date = world.published(1, 0).await;
    world.booked(&slot(date, 0)).await;
    let late = world.person(&[]);
    let first = slot(date, 0);
    let full = patiently(is_not_now, || world.hold(&first, &late)).await;
    assert_eq!(reason(full), "SLOT_FULL");
    let answers = |answer: &str| format!("bangban_gate_answers_total{{answer=\"{answer}\"}}");
    until(told, &answers("seat"), |n| n >= 1.0).await;
    until(told, &answers("full"), |n| n >= 1.0).await;
    until(told, &answers("again"), |n| n < 10.0).await;
    until(told, "bangban_gate_rebuilds_total", |n| n >= 1.0).await;
    until(told, "bangban_gate_drift_found_total", |n| n == 0.0).await;

    // The gate says of the free seat of the second slot that it is taken, and of the taken one of the first that it is
    // free: both are found and set right, and nobody is told the wrong thing any more.
    let day = DayKey {
        site: SITE.to_owned(),
        date,
    };
    let day = Doorkeeper::day(DISTRICT, &day).expect("a name");
    let at = redis.ask::<usize>(&["STRLEN", day.key()]) - 8;
    let (taken, free) = ("\u{1}\u{1}", "\0\0");
    let end = (at + 3).to_string();
    let there: String = redis.ask(&["GETRANGE", day.key(), &at.to_string(), &end]);
    assert_eq!(there, format!("{taken}{free}"));
    let wrong = format!("{free}{taken}");
    redis.ask::<usize>(&["SETRANGE", day.key(), &at.to_string(), &wrong]);
    until(told, "bangban_gate_drift_found_total", |n| n >= 2.0).await;
    until(told, "bangban_gate_drift_repaired_total", |n| n >= 2.0).await;
    assert_eq!(world.free(date).await, [(0, 0), (1, 0), (1, 0), (1, 0)]);

    // The gate believes a seat of the first slot to be reserved: the day is read anew.
    until(told, "bangban_gate_forgotten_total", |n| n == 0.0).await;
    let reserved = (at - 16 + 2).to_string();
    redis.ask::<usize>(&["SETRANGE", day.key(), &reserved, "\0\u{1}"]);
    until(told, "bangban_gate_forgotten_total", |n| n >= 1.0).await;
    assert_eq!(world.free(date).await, [(0, 0), (1, 0), (1, 0), (1, 0)]);
    until(told, "bangban_gate_rebuilds_total", |n| n >= 2.0).await;
    until(told, "bangban_gate_audit_progress", |n| n == 1.0).await;
    let round = |took| took > 0.0 && took < 15.0;
    until(told, "bangban_gate_audit_round_seconds", round).await;

    world.without_cooling().await;
    let held = world.held(&slot(date, 2), &late).await;
    redis.kill();
    until(told, "bangban_gate_degraded", |n| n == 1.0).await;
    release(&world, &LI_NA, &held).await.expect("released");
    until(told, "bangban_seats_overdue_seconds", |n| n > 2.0).await;
    let refused = world.hold(&slot(date, 1), &late).await;
    assert_eq!(reason(refused), "GATE_UNAVAILABLE");
    until(told, &answers("unavailable"), |n| n >= 1.0).await;
    redis.run();
    until(told, "bangban_gate_degraded", |n| n == 0.0).await;
    until(told, "bangban_gate_admissions_total", |n| n >= 2.0).await;
    until(told, "bangban_seats_overdue_seconds", |n| n == 0.0).await;
    world.booked(&slot(date, 1)).await;
    until(told, "bangban_gate_rebuilds_total", |n| n >= 3.0).await;
    stop.cancel();
    telemetry.end().await;
}
