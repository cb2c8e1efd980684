//! Feeds over the network: an act that commits late is not skipped, and a reader that does not read costs the server no
//! more than a few batches.

use bangban::cli::Service;
use bangban_proto::bangban::events::v1::{
    TailRequest, TailResponse, event_feed_client::EventFeedClient,
};
use bangban_tests::cluster::{Cluster, Ways};
use sea_orm::{ConnectionTrait, DatabaseConnection, TransactionTrait as _};
use tokio::time::timeout;
use tonic::Streaming;

use super::{PATIENCE, on_cluster};

/// A log that no other service follows.
const LOG: Service = Service::Consultation;

/// Readers that do not read.
const SLOW: usize = 4;

/// Acts that they do not read, of [`BYTES`] bytes each: 80 MB.
const ACTS: usize = 20_000;

/// Bytes of an act.
const BYTES: usize = 4000;

/// What the readers may cost the server together, in MB: each four batches of 0.8 MB and what is on its way to it. All that
/// they do not read is 320 MB.
const MOST: f64 = 80.0;

/// Writes acts beside the service, each on a subject of its own.
async fn write(db: &impl ConnectionTrait, name: &str, count: usize, bytes: usize) {
    let sql = format!(
        "INSERT INTO acts (district, subject, number, kind, payload, acted_at_us, actor, actor_site, is_demonstration, \
           previous_hash, hash) \
         SELECT 'zigui', 'tests/{name}/' || n, 1, 'test.written', convert_to(repeat('x', {bytes}), 'UTF8'), 0, 'test', '', \
           true, '', '' FROM generate_series(1, {count}) AS n"
    );
    db.execute_unprepared(&sql).await.expect("written");
}

async fn tail(cluster: &Cluster, ways: &Ways, from: &str) -> Streaming<TailResponse> {
    let service = cluster.service();
    let request = service.stream_request(TailRequest {
        log: LOG.name().to_owned(),
        from: from.to_owned(),
        ..TailRequest::default()
    });
    EventFeedClient::new(ways.of(LOG))
        .tail(request)
        .await
        .expect("a feed")
        .into_inner()
}

async fn next(feed: &mut Streaming<TailResponse>) -> TailResponse {
    let batch = timeout(PATIENCE, feed.message()).await.expect("in time");
    batch.expect("unbroken").expect("goes on")
}

/// Subjects of the next so many acts.
async fn subjects(feed: &mut Streaming<TailResponse>, count: usize) -> Vec<String> {
    let mut subjects = Vec::new();
    while subjects.len() < count {
        subjects.extend(next(feed).await.acts.into_iter().map(|act| act.subject));
    }
    subjects
}

async fn late(cluster: &Cluster, db: &DatabaseConnection) {
    let ways = cluster.service_ways(|settings| settings);
    let mut feed = tail(cluster, &ways, "").await;
    write(db, "before", 1, 1).await;
    assert_eq!(subjects(&mut feed, 1).await, ["tests/before/1"]);
    let open = db.begin().await.expect("begun");
    write(&open, "late", 1, 1).await;
    write(db, "early", 2, 1).await;
    // Signs of life, and nothing else, for as long as it stays open.
    for _ in 0..3 {
        assert!(next(&mut feed).await.acts.is_empty());
    }
    // Nor does a reader that comes meanwhile get past it.
    let mut other = tail(cluster, &ways, "").await;
    assert_eq!(subjects(&mut other, 1).await, ["tests/before/1"]);
    assert!(next(&mut other).await.acts.is_empty());
    open.commit().await.expect("committed");
    let order = ["tests/late/1", "tests/early/1", "tests/early/2"];
    assert_eq!(subjects(&mut feed, 3).await, order);
    assert_eq!(subjects(&mut other, 3).await, order);
}

async fn slow(cluster: &mut Cluster, db: &DatabaseConnection) {
    write(db, "many", ACTS, BYTES).await;
    let before = cluster.member(LOG, 1).resident();
    let mut readers = Vec::new();
    for _ in 0..SLOW {
        // A connection each: who does not read blocks those on its own connection alone.
        let ways = cluster.service_ways(|settings| settings);
        let mut reader = tail(cluster, &ways, "").await;
        next(&mut reader).await;
        readers.push(reader);
    }
    // Who reads gets everything meanwhile.
    let control = cluster.service_ways(|settings| settings);
    let mut control = tail(cluster, &control, "").await;
    let all = subjects(&mut control, ACTS).await.len();
    let cost = cluster.member(LOG, 1).resident() - before;
    println!("{SLOW} readers that do not read {all} acts of {BYTES} bytes: {cost:.1} MB");
    assert!(cost < MOST, "{cost} MB");
    // And who reads on later has lost nothing.
    let mut last = readers.pop().expect("a reader");
    let first_batch = 200;
    let rest = subjects(&mut last, all - first_batch).await;
    let names: std::collections::BTreeSet<&String> = rest.iter().collect();
    assert_eq!(names.len(), rest.len());
}

#[test]
fn a_feed_over_the_network_waits_for_what_commits_late_and_for_who_does_not_read() {
    on_cluster(1, |mut cluster, _postgres| async move {
        let db = cluster.database(LOG).await;
        late(&cluster, &db).await;
        slow(&mut cluster, &db).await;
        cluster.end().await;
    });
}
