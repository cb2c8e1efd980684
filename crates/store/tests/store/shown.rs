//! What metrics show of a store: how much is open and due, and how far a consumer is behind.

use std::time::Duration;

use bangban_rig::metrics::{self, value};
use bangban_store::figures::{self, Figures};
use bangban_telemetry::{Log, Settings, Telemetry, gauges::Gauge, start};
use tokio::sync::Mutex;

use crate::{
    consume::{Taking, follow, peer},
    setting::{chain, databases, run, standing, stores, until, write},
};

/// A process tells about itself as a whole: one test at a time.
static TURN: Mutex<()> = Mutex::const_new(());

const HOUR: i64 = 3_600_000_000;

const fn gauge(name: &'static str) -> Gauge {
    Gauge {
        name,
        unit: "{thing}",
        description: "Things",
    }
}

static FIGURES: Figures = Figures {
    table: "counted",
    open: "ended_at_us IS NULL",
    due: "due_at_us",
    soon: Duration::from_secs(24 * 3600),
    states: &[(1, "open"), (2, "filed"), (3, "decided")],
    by_state: gauge("tests.things"),
    due_soon: gauge("tests.things.due_soon"),
    overdue: gauge("tests.things.overdue"),
};

fn telling() -> Telemetry {
    let settings = Settings {
        prometheus_listen: "127.0.0.1:0".to_owned(),
        ..Settings::default()
    };
    start(&settings, &Log::default(), "bangban-tested").expect("it listens")
}

async fn page(telemetry: &Telemetry) -> String {
    metrics::page(telemetry.prometheus.expect("a listener")).await
}

#[tokio::test]
async fn what_is_open_due_soon_and_overdue_is_counted_by_state_and_district() {
    let _turn = TURN.lock().await;
    for store in stores("shownfigures").await {
        let telemetry = telling();
        run(
            &store,
            "CREATE TABLE counted (district text, state integer, due_at_us bigint, ended_at_us bigint)",
        )
        .await;
        let now = store.now().await.expect("the time").us();
        let (soon, later, past) = (now + 2 * HOUR, now + 25 * HOUR, now - HOUR);
        run(
            &store,
            &format!(
                "INSERT INTO counted VALUES ('zigui', 1, {later}, NULL), ('zigui', 2, {soon}, NULL), \
                 ('zigui', 2, {past}, NULL), ('yiling', 1, NULL, NULL), ('yiling', 3, {past}, {now})"
            ),
        )
        .await;
        figures::count(&store, &FIGURES).await.expect("counted");
        let shown = page(&telemetry).await;
        for (series, count) in [
            ("tests_things{state=\"open\"}", 2.0),
            ("tests_things{state=\"filed\"}", 2.0),
            ("tests_things{state=\"decided\"}", 0.0),
            ("tests_things_due_soon{district=\"zigui\"}", 1.0),
            ("tests_things_due_soon{district=\"yiling\"}", 0.0),
            ("tests_things_overdue{district=\"zigui\"}", 1.0),
            ("tests_things_overdue{district=\"yiling\"}", 0.0),
        ] {
            assert_eq!(value(&shown, series), Some(count), "{series}\n{shown}");
        }
        // The one that was due soon is late now, and the one that was late has ended.
        run(
            &store,
            &format!("UPDATE counted SET ended_at_us = {now} WHERE due_at_us = {past}"),
        )
        .await;
        run(
            &store,
            &format!("UPDATE counted SET due_at_us = {now} - 1 WHERE due_at_us = {soon}"),
        )
        .await;
        figures::count(&store, &FIGURES).await.expect("counted");
        let shown = page(&telemetry).await;
        for (series, count) in [
            ("tests_things{state=\"filed\"}", 1.0),
            ("tests_things_due_soon{district=\"zigui\"}", 0.0),
            ("tests_things_overdue{district=\"zigui\"}", 1.0),
        ] {
            assert_eq!(value(&shown, series), Some(count), "{series}\n{shown}");
        }
        telemetry.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_lags_while_an_older_transaction_holds_back_what_was_committed() {
    const LAG: &str = "bangban_feed_lag_seconds{consumer=\"lagreader\",log=\"lagsource\"}";
    const BEHIND: &str = "bangban_feed_behind{consumer=\"lagreader\",log=\"lagsource\"}";
    /// Longer than between two signs of life: these do not hide it.
    const HELD: f64 = 2.5;
    let _turn = TURN.lock().await;
    for database in databases() {
        let source = database.fresh("lagsource").await;
        if !source.is_postgres() {
            // One writes at a time: nothing is committed beside a transaction that is older.
            continue;
        }
        let reader = database.fresh("lagreader").await;
        let telemetry = telling();
        write(&source, "before").await;
        let (peer, _filled) = peer(&source, database.folder.path());
        let (task, stop) = follow(&reader, &peer, "lagsource", Taking::simply());
        let reaches = async |lag: &dyn Fn(f64) -> bool, behind: f64| {
            let shown = page(&telemetry).await;
            value(&shown, LAG).is_some_and(lag) && value(&shown, BEHIND) == Some(behind)
        };
        until("it has caught up", async || {
            reaches(&|lag| lag < 1.5, 0.0).await
        })
        .await;

        let older = standing(&source).await;
        let act = chain(&source, "older", 0).await;
        source.append(&older, &act, None).await.expect("appended");
        write(&source, "younger").await;
        until("it lags", async || reaches(&|lag| lag > HELD, 4.0).await).await;
        older.commit().await.expect("committed");
        until("it has caught up again", async || {
            reaches(&|lag| lag < 1.5, 0.0).await
        })
        .await;
        stop.cancel();
        task.await.expect("ended");
        telemetry.end().await;
    }
}
