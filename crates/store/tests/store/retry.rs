//! What is tried again and what is not; commands that come all at once.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_ledger::START;
use bangban_proto::bangban::casework::v1::GiveNoticeRequest;
use bangban_store::{
    Error, Position, Store, act,
    command::{Begun, Command},
    error::retried,
    write::{self, Chain},
};
use sea_orm::{
    AccessMode, ColumnTrait as _, ConnectionTrait as _, DbErr, EntityTrait as _, IsolationLevel,
    QueryFilter as _, QueryOrder as _, TransactionTrait as _,
};
use tokio::{sync::Barrier, task::JoinSet};

use crate::setting::{
    PATIENCE, ask, chain, insert, read, reason, request, run, standing, stands, stores, update,
};

/// Commands at once: each try fails only because another command succeeded, so none needs more tries than there are.
const CROWD: usize = 10;

/// Runs the same again as `retried` does, and says how often.
async fn tries(mut attempt: impl AsyncFnMut(u32) -> Result<(), Error>) -> (u32, Result<(), Error>) {
    let mut tries = 0;
    let done = retried(async || {
        tries += 1;
        attempt(tries).await
    })
    .await;
    (tries, done)
}

#[tokio::test]
async fn what_passes_is_tried_again_a_bounded_number_of_times() {
    let (count, done) = tries(async |_| Err(Error::Conflict)).await;
    assert_eq!(count, 8);
    assert!(matches!(done, Err(Error::Conflict)));
    let (count, done) = tries(async |n| if n < 3 { Err(Error::Conflict) } else { Ok(()) }).await;
    assert_eq!((count, done.is_ok()), (3, true));
    for lasting in [
        Error::Taken("things_pkey".to_owned()),
        Error::Refused(Refusal::forbidden("NO", "", "不", "no")),
        Error::Database(DbErr::Custom("broken".to_owned())),
    ] {
        let mut lasting = Some(lasting);
        let (count, done) = tries(async |_| Err(lasting.take().unwrap_or(Error::Conflict))).await;
        assert!(count == 1 && done.is_err(), "{done:?}");
    }
}

/// Reads in a transaction, lets somebody else write, writes on what was read: passes when nobody comes in between.
async fn on_old_ground(store: &Store, is_disturbed: bool) -> Result<(), Error> {
    let isolation = store.is_postgres().then_some(IsolationLevel::Serializable);
    let access = store.is_postgres().then_some(AccessMode::ReadWrite);
    let transaction = store.db.begin_with_config(isolation, access).await?;
    stands(store, &transaction).await;
    transaction
        .execute_unprepared("SELECT version FROM things")
        .await?;
    if is_disturbed {
        run(store, "UPDATE things SET version = version + 10").await;
    }
    transaction
        .execute_unprepared("UPDATE things SET version = version + 1")
        .await?;
    transaction.commit().await?;
    Ok(())
}

#[tokio::test]
async fn a_serialisation_failure_is_tried_again() {
    for store in stores("retryserial").await {
        let written = chain(&store, "a", 0).await;
        let state = vec![insert("a")];
        store.write(&written, None, state).await.expect("written");
        let (count, done) = tries(async |n| on_old_ground(&store, n <= 2).await).await;
        assert!(done.is_ok(), "{done:?}");
        assert_eq!(count, 3, "twice disturbed");
        let version: i64 = ask(&store, "SELECT version FROM things").await;
        assert_eq!(
            version,
            1 + 10 + 10 + 1,
            "what was rolled back left nothing"
        );
    }
}

#[tokio::test]
async fn a_transaction_that_stood_still_for_too_long_is_broken_off_and_to_be_tried_again() {
    for store in stores("retrystill").await {
        if !store.is_postgres() {
            continue;
        }
        let transaction = write::begin(&store.db).await.expect("begun");
        transaction
            .execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = '10ms'")
            .await
            .expect("set");
        let mut done = Ok(());
        let until = Instant::now() + PATIENCE;
        while done.is_ok() && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(200)).await;
            done = transaction.execute_unprepared("SELECT 1").await.map(|_| ());
        }
        let refusal = Refusal::from(Error::from(done.expect_err("broken off")));
        assert_eq!(refusal.reason, "DATABASE_UNAVAILABLE");
        assert!(refusal.retry_after.is_some());
    }
}

#[tokio::test]
async fn a_deadlock_and_a_busy_file_pass() {
    for store in stores("retrybusy").await {
        for id in ["a", "b"] {
            let written = chain(&store, id, 0).await;
            let state = vec![insert(id)];
            store.write(&written, None, state).await.expect("written");
        }
        let error = if store.is_postgres() {
            let touch = |id: &str| format!("UPDATE things SET version = 9 WHERE id = '{id}'");
            let one = standing(&store).await;
            let two = standing(&store).await;
            for transaction in [&one, &two] {
                transaction
                    .execute_unprepared("SET LOCAL deadlock_timeout = '20ms'")
                    .await
                    .expect("set");
            }
            one.execute_unprepared(&touch("a")).await.expect("touched");
            two.execute_unprepared(&touch("b")).await.expect("touched");
            let (b, a) = (touch("b"), touch("a"));
            let (first, second) = tokio::join!(one.execute_unprepared(&b), async {
                let done = two.execute_unprepared(&a).await;
                if done.is_err() {
                    two.rollback().await.expect("rolled back");
                }
                done
            });
            first.and(second).expect_err("one of them is the victim")
        } else {
            let holder = write::begin(&store.db).await.expect("begun");
            let file = bangban_store::open::sqlite_file("retrybusy", &store.database.config.data);
            let mut options = sea_orm::ConnectOptions::new(format!("sqlite://{}", file.display()));
            options.map_sqlx_sqlite_opts(|o| o.pragma("busy_timeout", "0"));
            let hasty = sea_orm::Database::connect(options).await.expect("open");
            let error = hasty
                .execute_unprepared("UPDATE things SET version = 9")
                .await
                .expect_err("busy");
            holder.rollback().await.expect("rolled back");
            error
        };
        assert!(Error::from(error).is_passing());
    }
}

#[tokio::test]
async fn a_mistake_in_a_statement_does_not_pass() {
    for store in stores("retrynot").await {
        let (count, done) = tries(async |_| {
            store.db.execute_unprepared("SELECT * FROM nothing").await?;
            Ok(())
        })
        .await;
        assert!(
            count == 1 && matches!(done, Err(Error::Database(_))),
            "{done:?}"
        );
        let (count, done) = tries(async |_| {
            let twice = "INSERT INTO clock (id, offset_seconds) VALUES (1, 0)";
            store.db.execute_unprepared(twice).await?;
            Ok(())
        })
        .await;
        assert!(
            count == 1 && matches!(done, Err(Error::Taken(_))),
            "{done:?}"
        );
    }
}

/// A request of its own.
fn numbered(n: usize) -> GiveNoticeRequest {
    GiveNoticeRequest {
        request_id: format!("0193a3f0-0000-7000-8000-{n:012}"),
        ..request(&format!("coat {n}"))
    }
}

/// A command as services carry it out: paints a thing, which the first coat makes; answers the number of the coat.
async fn paint(
    store: &Store,
    request: &GiveNoticeRequest,
    id: &str,
) -> Result<(GiveNoticeRequest, Position), Error> {
    let caller = Caller::system("test");
    let mut command = Command::new(&caller, request);
    loop {
        let now = match store.begin::<GiveNoticeRequest>(&command).await? {
            Begun::Repeated(answer, position) => return Ok((answer, position)),
            Begun::New(now) => now,
        };
        let subject = format!("things/{id}");
        let last = act::Entity::find()
            .filter(act::Column::Subject.eq(&subject))
            .order_by_desc(act::Column::Number)
            .one(&store.db)
            .await?;
        let (number, head) = last.map_or((0, START), |act| {
            (act.number.unsigned_abs(), act::hash(&act.hash))
        });
        let body = request.receipt.clone().into_bytes();
        let chain =
            Chain::new("zigui", subject, number, head, &caller, now).act("thing.painted", body);
        let state = if number == 0 {
            insert(id)
        } else {
            update(id, number)
        };
        let answer = GiveNoticeRequest {
            receipt: format!("coat {} at {}", chain.number, now.us()),
            ..GiveNoticeRequest::default()
        };
        if let Some(position) = store
            .finish(&mut command, &chain, Some(&answer), vec![state])
            .await?
        {
            return Ok((answer, position));
        }
    }
}

/// All these requests at the same moment.
async fn all_at_once(
    store: &Store,
    requests: impl IntoIterator<Item = GiveNoticeRequest>,
) -> Vec<(GiveNoticeRequest, Position)> {
    let barrier = Arc::new(Barrier::new(CROWD));
    let mut crowd = JoinSet::new();
    for request in requests {
        let (store, barrier) = (store.clone(), Arc::clone(&barrier));
        crowd.spawn(async move {
            barrier.wait().await;
            paint(&store, &request, "door").await
        });
    }
    let answers = crowd.join_all().await;
    answers.into_iter().map(|a| a.expect("painted")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_many_times_at_once_is_one_act_with_one_answer() {
    for store in stores("crowdsame").await {
        // The first makes the thing, whose key would be taken; then one that changes it.
        for (round, request) in [(1, numbered(1)), (2, numbered(2))] {
            let answers = all_at_once(&store, vec![request; CROWD]).await;
            assert!(answers.iter().all(|a| *a == answers[0]), "{answers:?}");
            let acts: i64 = ask(&store, "SELECT count(*) FROM acts").await;
            assert_eq!(acts, round);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn different_commands_on_one_subject_at_once_make_one_unbroken_chain() {
    for store in stores("crowdmany").await {
        // The thing is there: two that make the same thing are another matter, see below.
        let made = chain(&store, "door", 0).await;
        let state = vec![insert("door")];
        store.write(&made, None, state).await.expect("made");
        run(&store, "UPDATE things SET version = 2").await;
        let answers = all_at_once(&store, (0..CROWD).map(numbered)).await;
        let mut coats: Vec<_> = answers.iter().map(|(a, _)| a.receipt.clone()).collect();
        coats.sort();
        coats.dedup();
        assert_eq!(coats.len(), CROWD, "everybody has an answer of their own");
        let acts = read(&store, CROWD + 2).await;
        assert_eq!(acts.len(), CROWD + 2);
        let mut head = START;
        for (index, act) in acts.iter().enumerate() {
            assert_eq!(usize::try_from(act.number).expect("small"), index + 1);
            assert_eq!(act::hash(&act.previous_hash), head);
            head = act.entry().hash(&head);
            assert_eq!(act::hash(&act.hash), head);
        }
    }
}

#[tokio::test]
async fn a_key_that_another_request_has_taken_is_no_reason_to_try_again() {
    for store in stores("crowdtaken").await {
        paint(&store, &numbered(1), "door").await.expect("painted");
        let caller = Caller::system("test");
        let mut command = Command::new(&caller, &numbered(2));
        let again = chain(&store, "window", 0).await;
        let state = vec![insert("door")];
        let done = store
            .finish::<GiveNoticeRequest>(&mut command, &again, None, state)
            .await;
        let Err(error @ Error::Taken(_)) = done else {
            panic!("{done:?}")
        };
        assert_eq!(Refusal::from(error).reason, "ALREADY_EXISTS");
        // The same id with another body, sent while the first one was on its way.
        let other = GiveNoticeRequest {
            receipt: "another".to_owned(),
            ..numbered(1)
        };
        let mut command = Command::new(&caller, &other);
        let state = vec![insert("door")];
        let done = store
            .finish::<GiveNoticeRequest>(&mut command, &again, None, state)
            .await;
        assert_eq!(reason(done), "REQUEST_ID_REUSED");
    }
}

#[tokio::test]
async fn a_refusal_may_be_of_what_the_request_itself_has_done_meanwhile() {
    for store in stores("crowdrefused").await {
        let caller = Caller::system("test");
        let refused = || Error::from(Refusal::precondition("PAINTED", "", "已上漆", "painted"));
        let mut command = Command::new(&caller, &numbered(1));
        let done = store.again(&mut command, refused()).await;
        let Err(Error::Refused(refusal)) = done else {
            panic!("{done:?}")
        };
        assert_eq!(refusal.reason, "PAINTED");
        // It was sent twice, and the other one is done.
        paint(&store, &numbered(1), "door").await.expect("painted");
        let again = store.again(&mut command, refused()).await;
        again.expect("begins again, and finds its answer");
    }
}

#[tokio::test]
async fn who_is_always_too_late_is_told_so_in_the_end() {
    for store in stores("crowdlate").await {
        paint(&store, &numbered(1), "door").await.expect("painted");
        let caller = Caller::system("test");
        let mut command = Command::new(&caller, &numbered(2));
        // By the guard of the state, and by the number of the act.
        for state in [vec![update("door", 7)], Vec::new()] {
            let mut tries = 0;
            let error = loop {
                tries += 1;
                let stale = chain(&store, "door", 0).await;
                match store
                    .finish::<GiveNoticeRequest>(&mut command, &stale, None, state.clone())
                    .await
                {
                    Ok(None) => {}
                    Err(error) => break error,
                    Ok(Some(position)) => panic!("written at {position}"),
                }
            };
            assert_eq!(tries, 12);
            assert_eq!(Refusal::from(error).reason, "CHANGED_MEANWHILE");
            command = Command::new(&caller, &numbered(2));
        }
    }
}
