//! What Redis 7 does with scripts, on which the gate relies; and what it does not do, on which it does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bangban_rig::{PATIENCE, Server, eventually};
use bangban_slots::{BoxError, Gate, Generations, Health, Picked, Place, Settings, Who};

use crate::server::HasSettings;
use crate::truth::Truth;
use crate::workload::{day, ready};

fn exists(server: &Server, script: &str) -> bool {
    server.ask::<Vec<bool>>(&["SCRIPT", "EXISTS", script])[0]
}

fn in_step(master: &Server, replica: &Server) {
    eventually("the replica is in step", PATIENCE, || {
        let of = |server: &Server, name| server.info("replication", name);
        (of(replica, "role") == "slave"
            && of(replica, "master_link_status") == "up"
            && of(replica, "slave_repl_offset") == of(master, "master_repl_offset"))
        .then_some(())
    });
}

#[test]
fn scripts_are_neither_replicated_nor_persisted() {
    let mut master = Server::start(&[
        "--appendonly",
        "yes",
        "--save",
        "3600 1000000",
        "--repl-diskless-sync-delay",
        "0",
    ]);
    let early: String = master.ask(&[
        "SCRIPT",
        "LOAD",
        "return redis.call('SET', KEYS[1], 'early')",
    ]);
    let replica = Server::start(&["--replicaof", &format!("127.0.0.1 {}", master.port)]);
    in_step(&master, &replica);
    let late: String = master.ask(&[
        "SCRIPT",
        "LOAD",
        "return redis.call('SET', KEYS[1], 'late')",
    ]);
    for script in [&early, &late] {
        master.ask::<()>(&["EVALSHA", script, "1", "key"]);
    }
    in_step(&master, &replica);
    assert_eq!(replica.ask::<String>(&["GET", "key"]), "late");
    assert!(
        !exists(&replica, &early) && !exists(&replica, &late),
        "replicated"
    );
    replica.ask::<()>(&["REPLICAOF", "NO", "ONE"]);
    assert!(
        !exists(&replica, &early) && !exists(&replica, &late),
        "known after the promotion"
    );

    master.ask::<()>(&["SAVE"]);
    master.kill();
    master.run();
    assert_eq!(master.ask::<String>(&["GET", "key"]), "late");
    assert!(
        !exists(&master, &early) && !exists(&master, &late),
        "persisted"
    );
}

/// A server keeps its scripts when it is demoted and promoted again, and its clients stay connected; but it may have
/// lost writes in between. Only its new replication id tells.
#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_was_demoted_and_promoted_again_is_not_believed() {
    let first = Server::start(&["--repl-diskless-sync-delay", "0"]);
    let second = Server::start(&[
        "--repl-diskless-sync-delay",
        "0",
        "--replicaof",
        &format!("127.0.0.1 {}", first.port),
    ]);
    in_step(&first, &second);

    let truth: Arc<Truth> = Arc::default();
    // Nothing runs beside the calls that could notice by itself.
    let settings = Settings {
        check_every: Duration::from_secs(600),
        ..first.patient()
    };
    let gate = Gate::redis(settings, Arc::clone(&truth) as _).unwrap();
    ready(&gate, PATIENCE).await;
    let day = day(0);
    truth.publish(&day, &[(1, 0)]);
    let seat = pick_after_rebuild(&gate, &truth, &day).await;
    let Picked::Seat(seat) = seat else {
        panic!("{seat:?}")
    };
    let place = seat.place();
    truth.claim(&day, place).unwrap();
    seat.taken().await;
    says_full(&gate, &day).await;
    in_step(&first, &second);

    // The second goes its own way; then the first frees the seat, and loses that.
    second.ask::<()>(&["REPLICAOF", "NO", "ONE"]);
    free(&gate, &truth, &day, place).await;
    let admissions = gate.counts().admissions;
    first.ask::<()>(&["REPLICAOF", "127.0.0.1", &second.port.to_string()]);
    in_step(&second, &first);
    first.ask::<()>(&["REPLICAOF", "NO", "ONE"]);
    // Nobody notices.
    ready(&gate, PATIENCE).await;

    let answer = gate.pick(&day, 0, Who::Ordinary).await;
    assert!(matches!(answer, Picked::Again { .. }), "{answer:?}");
    let answer = pick_after_rebuild(&gate, &truth, &day).await;
    assert!(matches!(answer, Picked::Seat(_)), "{answer:?}");
    assert_eq!(gate.counts().admissions, admissions + 1);
}

async fn free(gate: &Gate, truth: &Truth, day: &bangban_slots::Day, place: Place) {
    truth.cool(day, place, Duration::ZERO);
    let generation = loop {
        match gate.release(day, &[place]).await {
            Ok(generation) => break generation,
            Err(unavailable) => tokio::time::sleep(unavailable.after).await,
        }
    };
    assert_eq!(truth.free(day, &[place], generation).await, [place]);
    gate.freed(day, &[place]).await;
}

/// Until it says "full": a moment later where the machine stood still, and what it knew of the generation was too old.
async fn says_full(gate: &Gate, day: &bangban_slots::Day) {
    let since = Instant::now();
    loop {
        let after = match gate.pick(day, 0, Who::Ordinary).await {
            Picked::Full => return,
            Picked::Again { after } if since.elapsed() < PATIENCE => after,
            Picked::Unavailable(it) if since.elapsed() < PATIENCE => it.after,
            other => panic!("{other:?}"),
        };
        tokio::time::sleep(after).await;
    }
}

/// What the service does, until there is a seat or none.
pub async fn pick_after_rebuild(gate: &Gate, truth: &Truth, day: &bangban_slots::Day) -> Picked {
    loop {
        match gate.pick(day, 0, Who::Ordinary).await {
            Picked::Stale => {
                let read = || async { Ok::<_, bangban_slots::Error>(truth.state(day)) };
                _ = gate.rebuild(day, Duration::from_secs(1), read).await;
            }
            Picked::Again { after } => tokio::time::sleep(after).await,
            Picked::Unavailable(unavailable) => tokio::time::sleep(unavailable.after).await,
            answer => return answer,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seat_that_nobody_waits_for_any_more_is_given_back() {
    let server = Server::start(&[]);
    let truth: Arc<Truth> = Arc::default();
    let gate = Gate::redis(server.patient(), Arc::clone(&truth) as _).unwrap();
    ready(&gate, PATIENCE).await;
    let day = day(0);
    truth.publish(&day, &[(1, 0)]);
    drop(pick_after_rebuild(&gate, &truth, &day).await);
    drop(pick_after_rebuild(&gate, &truth, &day).await);
    // The question is on its way when the caller goes.
    server.pause();
    let asked =
        tokio::time::timeout(Duration::from_millis(50), gate.pick(&day, 0, Who::Ordinary)).await;
    assert!(asked.is_err());
    server.resume();
    let answer = pick_after_rebuild(&gate, &truth, &day).await;
    assert!(matches!(answer, Picked::Seat(_)), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_the_answer_comes_at_once() {
    let mut server = Server::start(&[]);
    let truth: Arc<Truth> = Arc::default();
    let gate = Gate::redis(server.settings(), Arc::clone(&truth) as _).unwrap();
    ready(&gate, PATIENCE).await;
    server.kill();
    let day = day(0);
    while gate.health() == Health::Ready {
        _ = gate.pick(&day, 0, Who::Ordinary).await;
    }
    // The machine may stand still at one time, and does not at all times.
    let mut quickest = Duration::MAX;
    for _ in 0..5 {
        let since = Instant::now();
        for _ in 0..20 {
            assert!(matches!(
                gate.pick(&day, 0, Who::Ordinary).await,
                Picked::Unavailable(_)
            ));
            assert!(gate.availability(std::slice::from_ref(&day)).await.is_err());
            assert!(gate.release(&day, &[]).await.is_err());
        }
        quickest = quickest.min(since.elapsed());
    }
    assert!(quickest < Duration::from_millis(100), "{quickest:?}");
    server.run();
    ready(&gate, PATIENCE).await;
}

/// It answers, and is found again and again while somebody looks for a master: that makes it nobody's gate for a moment.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_was_demoted_is_degraded_all_the_time_until_it_is_a_master_again() {
    let server = Server::start(&[]);
    let truth: Arc<Truth> = Arc::default();
    let gate = Gate::redis(server.patient(), Arc::clone(&truth) as _).unwrap();
    ready(&gate, PATIENCE).await;
    let nobody = bangban_rig::free_port().to_string();
    server.ask::<()>(&["REPLICAOF", "127.0.0.1", &nobody]);
    let day = day(0);
    let until = Instant::now() + PATIENCE;
    while gate.begin_rebuild(&day).await.is_ok() {
        assert!(Instant::now() < until, "nobody notices");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // What was told of the trouble is taken up by then, and the first attempt to repair it has failed: so many looks later,
    // however long the machine stands still meanwhile.
    for _ in 0..150 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(2) {
        assert_ne!(gate.health(), Health::Ready, "it cannot be written to");
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    server.ask::<()>(&["REPLICAOF", "NO", "ONE"]);
    ready(&gate, PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_used_and_a_wrong_one_is_no_gate() {
    let server = Server::start(&[]);
    server.ask::<()>(&["CONFIG", "SET", "requirepass", "s:cret"]);
    let truth: Arc<Truth> = Arc::default();
    let at = |login: &str| {
        crate::server::settings(&format!("redis://{login}@127.0.0.1:{}", server.port))
    };
    let gate = Gate::redis(at(":s%3acret"), Arc::clone(&truth) as _).unwrap();
    ready(&gate, PATIENCE).await;
    let wrong = Gate::redis(at(":wrong"), Arc::clone(&truth) as _).unwrap();
    let answer = wrong.pick(&day(0), 0, Who::Ordinary).await;
    assert!(matches!(answer, Picked::Unavailable(_)), "{answer:?}");
}

/// A database that one process cannot reach any more.
#[derive(Default)]
struct Cut {
    truth: Arc<Truth>,
    is_cut: AtomicBool,
}

#[async_trait::async_trait]
impl Generations for Cut {
    async fn read(&self) -> Result<i64, BoxError> {
        if self.is_cut.load(Ordering::Relaxed) {
            Err("cut off".into())
        } else {
            self.truth.read().await
        }
    }

    async fn replace(&self, old: i64, new: i64) -> Result<i64, BoxError> {
        self.truth.replace(old, new).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_cut_off_with_an_old_master_tells_nobody_full() {
    let (old, new) = (Server::start(&[]), Server::start(&[]));
    let cut: Arc<Cut> = Arc::default();
    let truth = &cut.truth;
    let before = Gate::redis(old.patient(), Arc::clone(&cut) as _).unwrap();
    ready(&before, PATIENCE).await;
    let day = day(0);
    truth.publish(&day, &[(1, 0)]);
    let Picked::Seat(seat) = pick_after_rebuild(&before, truth, &day).await else {
        panic!("no seat")
    };
    let place = seat.place();
    truth.claim(&day, place).unwrap();
    seat.taken().await;
    says_full(&before, &day).await;

    cut.is_cut.store(true, Ordering::Relaxed);
    let after = Gate::redis(new.patient(), Arc::clone(truth) as _).unwrap();
    ready(&after, PATIENCE).await;
    assert!(matches!(
        pick_after_rebuild(&after, truth, &day).await,
        Picked::Full
    ));
    let generation = after.counts().generation;
    free(&after, truth, &day, place).await;
    assert_eq!(
        after.counts().generation,
        generation,
        "nobody else was admitted"
    );

    // The old master answers as ever, and says full.
    let withheld = before.counts().full_withheld;
    let answer = before.pick(&day, 0, Who::Ordinary).await;
    assert!(matches!(answer, Picked::Again { .. }), "{answer:?}");
    assert_eq!(before.counts().full_withheld, withheld + 1);
    assert!(matches!(
        pick_after_rebuild(&after, truth, &day).await,
        Picked::Seat(_)
    ));
}

/// The other way round: who still talks to an old master frees nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_through_an_old_master_frees_no_row() {
    let (old, new) = (Server::start(&[]), Server::start(&[]));
    let cut: Arc<Cut> = Arc::default();
    let truth = &cut.truth;
    let before = Gate::redis(old.patient(), Arc::clone(&cut) as _).unwrap();
    ready(&before, PATIENCE).await;
    let day = day(0);
    truth.publish(&day, &[(1, 0)]);
    let place = Place { slot: 0, seat: 0 };
    truth.claim(&day, place).unwrap();
    cut.is_cut.store(true, Ordering::Relaxed);
    let after = Gate::redis(new.patient(), Arc::clone(truth) as _).unwrap();
    ready(&after, PATIENCE).await;
    assert!(matches!(
        pick_after_rebuild(&after, truth, &day).await,
        Picked::Full
    ));

    truth.cool(&day, place, Duration::ZERO);
    let generation = loop {
        match before.release(&day, &[place]).await {
            Ok(generation) => break generation,
            Err(unavailable) => tokio::time::sleep(unavailable.after).await,
        }
    };
    assert!(
        truth.free(&day, &[place], generation).await.is_empty(),
        "the statement is guarded by the generation"
    );
    // And so this is right.
    says_full(&after, &day).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_used_and_an_unknown_certificate_is_no_gate() {
    let key = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    let (cert, secret) = (
        file("cert", key.cert.pem()),
        file("key", key.signing_key.serialize_pem()),
    );
    let port = bangban_rig::free_port();
    let files = [
        "--tls-cert-file",
        &cert,
        "--tls-key-file",
        &secret,
        "--tls-auth-clients",
        "no",
    ];
    let _server = Server::start(&[&["--tls-port", &port.to_string()], files.as_slice()].concat());
    let truth: Arc<Truth> = Arc::default();
    let unknown = crate::server::settings(&format!("rediss://127.0.0.1:{port}"));
    let known = Settings {
        tls_roots: Some(key.cert.pem().into_bytes()),
        ..unknown.clone()
    };
    let gate = Gate::redis(known, Arc::clone(&truth) as _).unwrap();
    ready(&gate, PATIENCE).await;
    let stranger = Gate::redis(unknown, Arc::clone(&truth) as _).unwrap();
    let answer = stranger.pick(&day(0), 0, Who::Ordinary).await;
    assert!(matches!(answer, Picked::Unavailable(_)), "{answer:?}");
    assert!(matches!(stranger.health(), Health::Degraded(_)));
}
