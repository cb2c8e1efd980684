//! `after`: who just wrote sees it, and nobody waits longer than it takes.

use std::{sync::Arc, time::Duration};

use bangban_kit::refusal::{Kind, Refusal};
use bangban_store::{Error, Position, Store};
use tokio::{sync::Semaphore, time::Instant};

use crate::{
    consume::{Taking, follow, peer},
    setting::{PATIENCE, databases, reason, run, stores, write},
};

/// Waits for a position, again when it is not seen yet: that comes after five seconds, for which a machine may stand
/// still. Says whether it was seen at the first time.
async fn seen(reader: &Store, after: &str) -> bool {
    let until = Instant::now() + PATIENCE;
    let mut is_first = true;
    loop {
        match reader.wait_for(after).await {
            Ok(()) => return is_first,
            Err(Error::Refused(it)) if it.reason == "NOT_SEEN_YET" && Instant::now() < until => {
                is_first = false;
            }
            Err(error) => panic!("{after}: {error}"),
        }
    }
}

#[tokio::test]
async fn a_reader_waits_until_the_position_is_taken_in_and_no_longer() {
    for database in databases() {
        let source = database.fresh("aftersource").await;
        let reader = database.fresh("afterreader").await;
        let other = database.open("afterreader").await;
        let (peer, _filled) = peer(&source, database.folder.path());
        // Each act needs a permit to take effect.
        let permits = Arc::new(Semaphore::new(0));
        let begun = Arc::new(Semaphore::new(0));
        let (needed, told) = (Arc::clone(&permits), Arc::clone(&begun));
        let effects = Taking::then(move |_| {
            let (needed, told) = (Arc::clone(&needed), Arc::clone(&told));
            Box::pin(async move {
                told.add_permits(1);
                needed.acquire().await.expect("open").forget();
                Ok(())
            })
        });
        let (task, stop) = follow(&reader, &peer, "aftersource", effects);
        let wait = |position: &Position| {
            let (reader, after) = (reader.clone(), position.to_string());
            tokio::spawn(async move { seen(&reader, &after).await })
        };
        let first = write(&source, "a").await;
        let waiting = wait(&first);
        begun.acquire().await.expect("open").forget();
        permits.add_permits(1);
        begun.acquire().await.expect("open").forget();
        assert!(!waiting.is_finished(), "half of it is not enough");
        permits.add_permits(1);
        let mut at_once = vec![waiting.await.expect("seen")];
        // The next one is on its way: the first is still seen, the second not yet, and the own log always.
        let second = write(&source, "b").await;
        begun.acquire().await.expect("open").forget();
        let waiting = wait(&second);
        seen(&reader, &first.to_string()).await;
        seen(&other, &first.to_string()).await;
        let own = write(&source, "c").await;
        source.wait_for(&own.to_string()).await.expect("its own");
        reader.wait_for("").await.expect("nothing to wait for");
        assert!(!waiting.is_finished());
        let elsewhere = {
            let after = second.to_string();
            tokio::spawn(async move { seen(&other, &after).await })
        };
        permits.add_permits(100);
        at_once.push(waiting.await.expect("seen"));
        at_once.push(elsewhere.await.expect("seen by another replica"));
        assert!(
            at_once.contains(&true),
            "nobody waits for longer than it takes"
        );
        stop.cancel();
        task.await.expect("ended");
    }
}

/// Waits for a position that nobody will reach, and says how long it took.
async fn in_vain(reader: Store, after: String) -> (Refusal, Duration) {
    let began = Instant::now();
    match reader.wait_for(&after).await {
        Err(Error::Refused(refusal)) => (refusal, began.elapsed()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_position_in_the_far_future_is_answered_within_the_bound() {
    let mut waits = Vec::new();
    for database in databases() {
        let source = database.fresh("farsource").await;
        let reader = database.fresh("farreader").await;
        let (peer, _filled) = peer(&source, database.folder.path());
        let (task, stop) = follow(&reader, &peer, "farsource", Taking::simply());
        let near = write(&source, "a").await;
        seen(&reader, &near.to_string()).await;
        let far = Position {
            tx: i64::MAX,
            at: i64::MAX,
            ..near
        };
        let wait = tokio::spawn(in_vain(reader, far.to_string()));
        waits.push((wait, task, stop, database));
    }
    for (wait, task, stop, _database) in waits {
        let (refusal, took) = wait.await.expect("ended");
        assert_eq!(
            (refusal.reason, refusal.kind),
            ("NOT_SEEN_YET", Kind::Unavailable)
        );
        assert!(refusal.retry_after.is_some() && !refusal.zh.is_empty());
        assert!(took >= Duration::from_secs(5), "{took:?}");
        assert!(took < Duration::from_secs(30), "{took:?}");
        stop.cancel();
        task.await.expect("ended");
    }
}

#[tokio::test]
async fn what_is_no_position_of_a_log_that_is_read_here_is_refused_at_once() {
    for store in stores("afterwrong").await {
        let at_once = async |store: &Store, after: &str| {
            let answer = tokio::time::timeout(PATIENCE, store.wait_for(after)).await;
            reason(answer.expect("at once"))
        };
        for garbage in [
            "x",
            "a.b.c.x",
            "afterwrong.1.2",
            "a.b.1.2.3",
            "长",
            "....",
            "a.b.1.99999999999999999999",
        ] {
            assert_eq!(
                at_once(&store, garbage).await,
                "POSITION_INVALID",
                "{garbage}"
            );
        }
        let written = write(&store, "a").await;
        let elsewhere = Position {
            log: "elsewhere".to_owned(),
            ..written.clone()
        };
        assert_eq!(
            at_once(&store, &elsewhere.to_string()).await,
            "POSITION_OF_ANOTHER_LOG"
        );
        run(&store, "UPDATE log SET incarnation = 'another'").await;
        let restored = store.database.open("afterwrong").await;
        assert_eq!(
            at_once(&restored, &written.to_string()).await,
            "POSITION_OF_ANOTHER_LOG"
        );
    }
}

#[tokio::test]
async fn a_log_that_is_followed_is_waited_for_before_anything_came_of_it() {
    for database in databases() {
        let source = database.fresh("earlysource").await;
        let reader = database.fresh("earlyreader").await;
        let written = write(&source, "a").await;
        let (peer, _filled) = peer(&source, database.folder.path());
        // Not polled yet: the wait is longer than no time at all.
        let stop = tokio_util::sync::CancellationToken::new();
        let run = bangban_store::consume::run(
            reader.clone(),
            peer,
            "earlysource",
            Taking::simply(),
            stop.clone(),
        );
        let after = written.to_string();
        let waiting = tokio::spawn({
            let reader = reader.clone();
            async move { seen(&reader, &after).await }
        });
        tokio::task::yield_now().await;
        let task = tokio::spawn(run);
        waiting.await.expect("seen");
        stop.cancel();
        task.await.expect("ended");
    }
}
