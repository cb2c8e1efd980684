//! The feed: each act once, in order, whatever breaks.

use std::{collections::HashMap, time::Duration};

use bangban_kit::{identity::Caller, refusal};
use bangban_ledger::START;
use bangban_proto::bangban::events::v1::{
    Act, TailRequest, TailResponse, event_feed_server::EventFeed as _,
};
use bangban_store::{Position, Store, feed::Feeds, write::Chain};
use futures::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

use crate::setting::{PATIENCE, chain, read, run, standing, stores, write as write_two};

type Stated = Result<TailResponse, Status>;

async fn tail(
    store: &Store,
    from: &str,
    types: &[&str],
    until_caught_up: bool,
) -> Result<impl Stream<Item = Stated> + use<>, Status> {
    let request = TailRequest {
        log: store.service.to_owned(),
        from: from.to_owned(),
        types: types.iter().map(|t| (*t).to_owned()).collect(),
        until_caught_up,
    };
    let feeds = Feeds::new([store.clone()]);
    Ok(feeds.tail(Request::new(request)).await?.into_inner())
}

/// Everything behind a position, and where it ended. Who hears that the feed is held up goes on from there.
async fn rest(store: &Store, from: &str, types: &[&str]) -> (Vec<Act>, String) {
    let (mut acts, mut end) = (Vec::new(), from.to_owned());
    let until = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < until {
        let began = tokio::time::Instant::now();
        let mut stream = tail(store, &end, types, true).await.expect("a stream");
        let (mut is_answered, mut is_held_up) = (false, false);
        while let Some(answer) = stream.next().await {
            match answer {
                Ok(answer) => {
                    acts.extend(answer.acts);
                    end = answer.position;
                    is_answered = true;
                }
                Err(status) if refusal::reason(&status) == "FEED_HELD_UP" => is_held_up = true,
                Err(status) => panic!("{status:?}"),
            }
        }
        if !is_held_up {
            assert!(is_answered, "an end");
            return (acts, end);
        }
        let waited = began.elapsed();
        assert!(
            waited >= Duration::from_secs(5),
            "it waits first: {waited:?}"
        );
    }
    panic!("held up for {PATIENCE:?}");
}

fn order(act: &Act) -> (i64, i64) {
    let position = Position::parse(&act.position).expect("a position");
    (position.tx, position.at)
}

/// Writes pairs of acts on one thing, every other time in a transaction that stays open for a while.
async fn keep_writing(store: Store, id: String, pairs: u64) {
    let (mut number, mut head) = (0, START);
    for turn in 0..pairs {
        let now = store.now().await.expect("the time");
        let caller = Caller::system("test");
        let chain = Chain::new("zigui", format!("things/{id}"), number, head, &caller, now)
            .act("thing.made", b"one".to_vec())
            .act("thing.painted", b"two".to_vec());
        (number, head) = (chain.number, chain.head);
        if turn % 2 == 0 {
            let state = Vec::new();
            store.write(&chain, None, state).await.expect("written");
            continue;
        }
        let transaction = standing(&store).await;
        store
            .append(&transaction, &chain, None)
            .await
            .expect("appended");
        // Long enough for others to begin later and commit earlier.
        tokio::time::sleep(Duration::from_micros(rand::random_range(0..4000))).await;
        transaction.commit().await.expect("committed");
        store.woken();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_breaks_off_anywhere_gets_each_act_once_and_in_order() {
    const WRITERS: usize = 4;
    const PAIRS: u64 = 30;
    for store in stores("feedbreaks").await {
        let writers: Vec<_> = (0..WRITERS)
            .map(|n| tokio::spawn(keep_writing(store.clone(), n.to_string(), PAIRS)))
            .collect();
        let all = WRITERS * usize::try_from(2 * PAIRS).expect("small");
        let mut acts: Vec<Act> = Vec::new();
        let reading = async {
            while acts.len() < all {
                let from = acts.last().map(|a| a.position.clone()).unwrap_or_default();
                let mut stream = tail(&store, &from, &[], false).await.expect("a stream");
                // Breaks between messages and within them.
                let mut left = rand::random_range(1..12);
                while left > 0 && acts.len() < all {
                    let answer = stream.next().await.expect("goes on").expect("acts");
                    let taken = left.min(answer.acts.len());
                    acts.extend(answer.acts.into_iter().take(taken));
                    left -= taken;
                }
            }
        };
        let read = tokio::time::timeout(PATIENCE, reading).await;
        assert!(read.is_ok(), "{} of {all} acts came", acts.len());
        for writer in writers {
            writer.await.expect("wrote");
        }
        assert!(acts.is_sorted_by(|a, b| order(a) < order(b)));
        let mut numbers: HashMap<&str, u64> = HashMap::new();
        for act in &acts {
            let last = numbers.entry(&act.subject).or_default();
            *last += 1;
            assert_eq!(act.number, *last, "{}", act.subject);
        }
        assert!(numbers.values().all(|last| *last == 2 * PAIRS));
        let (behind, _) = rest(&store, &acts[all - 1].position, &[]).await;
        assert!(behind.is_empty(), "{behind:?}");
    }
}

#[tokio::test]
async fn a_reader_of_some_types_gets_those_alone_and_goes_on_behind_the_others() {
    for store in stores("feedtypes").await {
        write_two(&store, "a").await;
        write_two(&store, "b").await;
        read(&store, 4).await;
        let (painted, end) = rest(&store, "", &["thing.painted"]).await;
        let kinds: Vec<_> = painted
            .iter()
            .map(|a| (a.subject.as_str(), a.r#type.as_str()))
            .collect();
        assert_eq!(
            kinds,
            [("things/a", "thing.painted"), ("things/b", "thing.painted")]
        );
        let (none, nowhere) = rest(&store, "", &["thing.burnt"]).await;
        assert!(none.is_empty());
        assert_eq!(nowhere, end, "the position moves past what was left out");
        write_two(&store, "c").await;
        read(&store, 6).await;
        let (next, _) = rest(&store, &end, &["thing.painted"]).await;
        assert_eq!(next.len(), 1);
        assert_eq!(next[0].subject, "things/c");
    }
}

#[tokio::test]
async fn a_position_that_the_log_does_not_hold_is_noticed() {
    for store in stores("feedrestored").await {
        write_two(&store, "a").await;
        read(&store, 2).await;
        let (_, end) = rest(&store, "", &[]).await;
        let refused = async |store: &Store, from: &str| {
            let status = tail(store, from, &[], true).await.err().expect("refused");
            (status.code(), refusal::reason(&status))
        };
        let another = (
            tonic::Code::FailedPrecondition,
            "POSITION_OF_ANOTHER_LOG".to_owned(),
        );
        let end = Position::parse(&end).expect("a position");
        let other = Position {
            log: "elsewhere".to_owned(),
            ..end.clone()
        };
        assert_eq!(refused(&store, &other.to_string()).await, another);
        // Restored from a backup that is older than what the reader has seen.
        let lost = store.position(end.tx, end.at + 1);
        assert_eq!(refused(&store, &lost.to_string()).await, another);
        let lost = store.position(end.tx + 1_000_000, end.at);
        assert_eq!(refused(&store, &lost.to_string()).await, another);
        for garbage in ["x", "a.b.c.x", "feedrestored", "\u{0}", "9.9.9.9.9"] {
            assert_eq!(refused(&store, garbage).await.1, "POSITION_INVALID");
        }
        // Restored or moved under a new name.
        run(&store, "UPDATE log SET incarnation = 'another'").await;
        let restored = store.database.open("feedrestored").await;
        assert_eq!(refused(&restored, &end.to_string()).await, another);
        assert_eq!(rest(&restored, "", &[]).await.0.len(), 2);

        let unknown = TailRequest {
            log: "elsewhere".to_owned(),
            ..TailRequest::default()
        };
        let status = Feeds::new([restored])
            .tail(Request::new(unknown))
            .await
            .err()
            .expect("refused");
        assert_eq!(refusal::reason(&status), "LOG_UNKNOWN");
    }
}

/// Adds acts on a thing in one go.
async fn add(store: &Store, id: &str, count: u64) {
    let mut chain = chain(store, id, 0).await;
    while chain.number < count {
        chain = chain.act("thing.painted", vec![7; 100]);
    }
    let state = Vec::new();
    store.write(&chain, None, state).await.expect("written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_does_not_make_the_server_read_ahead() {
    // A batch in the reader's hand, two in the channel, one that waits to be sent.
    const MOST: usize = 4 * 200;
    for store in stores("feedslow").await {
        add(&store, "0", 200).await;
        let mut slow = tail(&store, "", &[], false).await.expect("a stream");
        let mut control = tail(&store, "", &[], false).await.expect("a stream");
        let first = slow.next().await.expect("goes on").expect("acts");
        let mut came = first.acts.len();
        assert_eq!(came, 200);
        let mut seen = 0;
        for turn in 1..=10 {
            add(&store, &turn.to_string(), 200).await;
            // Whoever reads gets everything at once; the slow one is woken alike.
            let reading = async {
                while seen <= turn * 200 {
                    let acts = control.next().await.expect("goes on").expect("acts").acts;
                    seen += acts.len();
                    if seen == (turn + 1) * 200 {
                        break;
                    }
                }
            };
            tokio::time::timeout(PATIENCE, reading)
                .await
                .expect("the control reads on");
        }
        // The rest is taken away: what had been read ahead would still come.
        if store.is_postgres() {
            run(&store, "ALTER TABLE acts DISABLE TRIGGER USER").await;
        } else {
            run(&store, "DROP TRIGGER acts_no_DELETE").await;
        }
        run(&store, &format!("DELETE FROM acts WHERE position > {MOST}")).await;
        while let Ok(Some(answer)) =
            tokio::time::timeout(Duration::from_millis(400), slow.next()).await
        {
            came += answer.expect("acts").acts.len();
        }
        assert!(came <= MOST, "{came} acts had been read");
    }
}

#[tokio::test]
async fn a_feed_ends_with_its_process_and_one_that_has_an_end_is_not_cut() {
    for store in stores("feedends").await {
        write_two(&store, "a").await;
        read(&store, 2).await;
        let stop = CancellationToken::new();
        let feeds = Feeds::new([store.clone()]).until(stop.clone());
        let request = |until_caught_up| {
            Request::new(TailRequest {
                log: store.service.to_owned(),
                until_caught_up,
                ..TailRequest::default()
            })
        };
        let mut endless = feeds.tail(request(false)).await.expect("a stream");
        let first = endless.get_mut().next().await.expect("open").expect("acts");
        assert_eq!(first.acts.len(), 2);
        stop.cancel();
        let ended = tokio::time::timeout(PATIENCE, endless.get_mut().next()).await;
        assert!(ended.expect("it ends").is_none());
        // One that may not last for long ends as well, in peace.
        let brief = Feeds::new([store.clone()]).for_at_most(Duration::from_millis(300));
        let brief = brief.tail(request(false)).await.expect("a stream");
        let all = tokio::time::timeout(PATIENCE, brief.into_inner().collect::<Vec<Stated>>());
        let all = all.await.expect("it ends");
        assert!(all.iter().all(Result::is_ok), "{all:?}");
        let whole = feeds.tail(request(true)).await.expect("a stream");
        let whole: Vec<Stated> = whole.into_inner().collect().await;
        let acts: usize = whole.iter().flatten().map(|a| a.acts.len()).sum();
        assert_eq!(acts, 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_catches_up_has_all_that_was_committed_before_or_hears_that_it_is_held_up() {
    for store in stores("feedheldup").await {
        if !store.is_postgres() {
            // One writes at a time: nothing is committed beside a transaction that is older.
            continue;
        }
        let older = standing(&store).await;
        let act = chain(&store, "older", 0).await;
        store.append(&older, &act, None).await.expect("appended");
        write_two(&store, "younger").await;
        let ends = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            older.commit().await.expect("committed");
        };
        let ((acts, end), ()) = tokio::join!(rest(&store, "", &[]), ends);
        let younger = acts.iter().filter(|a| a.subject == "things/younger");
        assert_eq!(younger.count(), 2, "committed before the request");

        let older = standing(&store).await;
        let act = chain(&store, "never", 0).await;
        store.append(&older, &act, None).await.expect("appended");
        write_two(&store, "youngest").await;
        let stream = tail(&store, &end, &[], true).await.expect("a stream");
        let answers: Vec<Stated> = tokio::time::timeout(PATIENCE, stream.collect())
            .await
            .expect("it ends");
        older.rollback().await.expect("rolled back");
        let acts = answers.iter().flatten().map(|a| a.acts.len());
        assert_eq!(acts.sum::<usize>(), 0);
        let last = answers.last().expect("an end").as_ref();
        let status = last.expect_err("not to be taken for the end");
        assert_eq!(status.code(), tonic::Code::Unavailable);
        assert_eq!(refusal::reason(status), "FEED_HELD_UP");
        let hint = status.get_details_retry_info().and_then(|i| i.retry_delay);
        assert!(hint.is_some_and(|hint| hint > Duration::ZERO));
        let (acts, _) = rest(&store, &end, &[]).await;
        assert_eq!(acts.len(), 2, "a little later");
    }
}
