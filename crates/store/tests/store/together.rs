//! Commands that are written by one statement, questions that are answered by one, and what each keeps of its own.

use bangban_kit::refusal::Refusal;
use bangban_store::{
    Error,
    question::Question,
    write::{Asked, Provided, Row, State},
};
use futures::future::join_all;
use sea_orm::Statement;

use crate::setting::{chain, insert, read, stores, update};

/// Commands that come at the same time.
const MANY: usize = 150;

fn asked(request: usize) -> Asked {
    Asked {
        caller: "zhang".to_owned(),
        method: "MakeThing",
        request_id: format!("request-{request}"),
        digest: [7; 32],
        answer: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_that_are_written_at_once_each_has_its_own_fate() {
    for store in stores("together").await {
        // Every third asks for a thing that another one makes, every third repeats another one's request.
        let made = join_all((0..MANY).map(|n| {
            let store = &store;
            async move {
                let (thing, request) = match n % 3 {
                    1 => (n - 1, n),
                    2 => (n, n - 2),
                    _ => (n, n),
                };
                let id = format!("thing-{thing}");
                let chain = chain(store, &id, 0).await;
                let asked = asked(request);
                let written = store.write(&chain, Some(&asked), vec![insert(&id)]);
                (n, written.await)
            }
        }))
        .await;
        for group in made.chunks(3) {
            let done = group.iter().filter(|(_, done)| done.is_ok()).count();
            let refused = |done: &Result<_, Error>| matches!(done, Err(Error::Taken(_)));
            assert!((1..=2).contains(&done), "{group:?}");
            assert!(
                group.iter().all(|(_, done)| done.is_ok() || refused(done)),
                "{group:?}"
            );
        }
        let done = made.iter().filter(|(_, done)| done.is_ok()).count();
        let acts = read(&store, done * 2).await;
        assert_eq!(
            acts.len(),
            done * 2,
            "two acts of each that was done, and none of the others"
        );
        let row = Statement::from_string(store.backend, "SELECT COUNT(*) FROM things");
        let row = store.row(row).await.expect("counted").expect("a row");
        assert_eq!(
            row.try_get_by_index::<i64>(0).expect("a number"),
            done as i64
        );
        let mut positions: Vec<_> = made.into_iter().filter_map(|(_, done)| done.ok()).collect();
        positions.sort_by_key(|p| (p.tx, p.at));
        positions.dedup_by_key(|p| (p.tx, p.at));
        assert_eq!(positions.len(), done, "each has a position of its own");
        for position in positions {
            let act = acts
                .iter()
                .find(|a| (a.tx, a.position) == (position.tx, position.at));
            assert_eq!(
                act.map(|a| a.number),
                Some(2),
                "the position is that of the last act"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_changes_of_one_version_one_is_written() {
    for store in stores("contended").await {
        for id in ["one", "other"] {
            let chain = chain(&store, id, 0).await;
            store
                .write(&chain, None, vec![insert(id)])
                .await
                .expect("made");
        }
        let changed = join_all((0..MANY).map(|n| {
            let store = &store;
            async move {
                let id = if n % 2 == 0 { "one" } else { "other" };
                let chain = chain(store, id, 2).await;
                store.write(&chain, None, vec![update(id, 1)]).await
            }
        }))
        .await;
        assert_eq!(changed.iter().filter(|done| done.is_ok()).count(), 2);
        let mut others = changed.iter().filter_map(|done| done.as_ref().err());
        assert!(
            others.all(|e| matches!(e, Error::Conflict | Error::Taken(_))),
            "{changed:?}"
        );
        assert_eq!(
            read(&store, 8).await.len(),
            8,
            "two acts each of four that were done"
        );
    }
}

static VERSION: std::sync::LazyLock<Question> = std::sync::LazyLock::new(|| Question {
    given: &["district", "id"],
    wanted: "{now}, t.version, g.id".to_owned(),
    joined: "LEFT JOIN things t ON t.district = g.district AND t.id = g.id",
});

static ONLY_THOSE: Question = Question {
    given: &["id"],
    wanted: String::new(),
    joined: "",
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_gets_the_answer_to_their_own_question() {
    for store in stores("asked").await {
        for n in 0..10 {
            let id = format!("thing-{n}");
            let chain = chain(&store, &id, 0).await;
            store
                .write(&chain, None, vec![insert(&id)])
                .await
                .expect("made");
        }
        let answers = join_all((0..MANY).map(|n| {
            let given = vec!["zigui".into(), format!("thing-{}", n % 20).into()];
            store.ask(&VERSION, given)
        }))
        .await;
        for (n, answer) in answers.into_iter().enumerate() {
            let row = answer.expect("answered").expect("a row");
            assert!(row.try_get_by_index::<i64>(1).expect("a time") > 1_700_000_000_000_000);
            let version: Option<i64> = row.try_get_by_index(2).expect("a version");
            assert_eq!(version, (n % 20 < 10).then_some(1));
            let id: String = row.try_get_by_index(3).expect("what was asked for");
            assert_eq!(id, format!("thing-{}", n % 20));
        }
        // A mistake in the statement is everybody's answer, and the next question is answered again.
        let wrong = join_all((0..5).map(|_| store.ask(&ONLY_THOSE, vec!["x".into()]))).await;
        assert!(wrong.iter().all(Result::is_err), "{wrong:?}");
        let again = store
            .ask(&VERSION, vec!["zigui".into(), "thing-1".into()])
            .await;
        assert!(again.expect("answered").is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_was_left_or_broken_off_spoils_no_other() {
    for store in stores("broken_off")
        .await
        .into_iter()
        .filter(|s| s.is_postgres())
    {
        let number = async |sql: String| {
            let row = store
                .row(Statement::from_string(store.backend, sql))
                .await?;
            row.map_or(Ok(-1), |row| row.try_get_by_index::<i32>(0))
                .map_err(Error::from)
        };
        let slow = number("SELECT 1 FROM pg_sleep(50)".to_owned());
        let left = tokio::time::timeout(std::time::Duration::from_millis(50), slow).await;
        assert!(left.is_err(), "it was left while it ran");
        for n in 2..20 {
            assert_eq!(number(format!("SELECT {n}")).await.expect("answered"), n);
        }
        let killed = number("SELECT pg_terminate_backend(pg_backend_pid())::int".to_owned()).await;
        let refusal = Refusal::from(killed.expect_err("its connection is gone"));
        assert_eq!(refusal.reason, "DATABASE_UNAVAILABLE");
        assert_eq!(number("SELECT 21".to_owned()).await.expect("answered"), 21);
    }
}

/// The number of things whose version is so.
async fn things(store: &bangban_store::Store, version: i64) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM things WHERE version = {version}");
    crate::setting::ask(store, &sql).await
}

/// Makes so many things.
async fn make(store: &bangban_store::Store, count: usize) {
    let new = (0..count).map(|n| insert(&format!("thing-{n}"))).collect();
    store.write_rows(rows(new)).await.expect("written");
}

fn rows(states: Vec<State>) -> Vec<Row> {
    let row = |state| match state {
        State::Row(row) => row,
        other => panic!("no row: {other:?}"),
    };
    states.into_iter().map(row).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_command_s_rows_all_are_written_or_none_however_many_come_at_once() {
    for store in stores("rows_together").await {
        make(&store, MANY * 2).await;
        // Each changes two things and adds one; every third has read an old version of its second thing.
        let done = join_all((0..MANY).map(|n| {
            let store = &store;
            async move {
                let second = if n % 3 == 0 { 7 } else { 1 };
                let states = vec![
                    insert(&format!("added-{n}")),
                    update(&format!("thing-{}", 2 * n), 1),
                    update(&format!("thing-{}", 2 * n + 1), second),
                ];
                if n % 2 == 0 {
                    return store.write_rows(rows(states)).await.map(|()| n);
                }
                let (one, other) = (format!("thing-{}", 2 * n), format!("added-{n}"));
                let chains = [chain(store, &one, 0).await, chain(store, &other, 0).await];
                let written = store.write_all(&chains, Some(&asked(n)), states).await;
                written.map(|_| n)
            }
        }))
        .await;
        for (n, done) in done.iter().enumerate() {
            match done {
                Ok(_) => assert_ne!(n % 3, 0, "{n} was not refused"),
                Err(Error::Conflict) => assert_eq!(n % 3, 0, "{n} was refused"),
                Err(other) => panic!("{n}: {other}"),
            }
        }
        let done: Vec<usize> = done.into_iter().filter_map(Result::ok).collect();
        assert_eq!(things(&store, 2).await, 2 * done.len() as i64);
        let left = (2 * MANY - 2 * done.len() + done.len()) as i64;
        assert_eq!(things(&store, 1).await, left, "untouched or new");
        let acting = done.iter().filter(|n| *n % 2 == 1).count();
        assert_eq!(read(&store, acting * 4).await.len(), acting * 4);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_is_changed_only_while_what_is_provided_is_so() {
    for store in stores("provided").await {
        make(&store, MANY).await;
        let done = join_all((0..MANY).map(|n| {
            let store = &store;
            async move {
                let id = format!("thing-{n}");
                let provided = Provided {
                    sql: "(SELECT x.version FROM things x WHERE x.district = g.district AND x.id = g.other) = g.so",
                    given: vec![
                        ("other", id.clone().into()),
                        ("so", (if n % 3 == 0 { 2_i64 } else { 1 }).into()),
                    ],
                };
                let of = rows(vec![update(&id, 1)]).into_iter();
                let of = of.map(|row| Row { provided: Some(provided.clone()), ..row });
                let of = of.map(State::Row).collect();
                let chain = chain(store, &id, 0).await;
                store.write(&chain, Some(&asked(n)), of).await.map(|_| ())
            }
        }))
        .await;
        if !store.can_provide() {
            assert!(
                done.iter().all(Result::is_err),
                "nothing is written unasked"
            );
            assert_eq!(things(&store, 1).await, MANY as i64);
            continue;
        }
        for (n, done) in done.iter().enumerate() {
            match done {
                Ok(()) => assert_ne!(n % 3, 0, "{n} was changed"),
                Err(Error::Conflict) => assert_eq!(n % 3, 0, "{n} was refused"),
                Err(other) => panic!("{n}: {other}"),
            }
        }
        let changed = done.iter().filter(|done| done.is_ok()).count();
        assert_eq!(things(&store, 2).await, changed as i64);
        assert_eq!(
            read(&store, changed * 2).await.len(),
            changed * 2,
            "no act beside"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_of_several_kinds_that_meet_keep_each_its_own_fate() {
    for store in stores("kinds_meet").await {
        make(&store, MANY).await;
        let done = join_all((0..MANY).map(|n| {
            let store = &store;
            async move {
                // Every third has read an old version of what it changes, with an act or without.
                let read = if n % 3 == 0 { 7 } else { 1 };
                let change = update(&format!("thing-{n}"), read);
                let added = format!("added-{n}");
                match n % 4 {
                    0 => store.write_rows(rows(vec![change])).await,
                    1 => store.write_rows(rows(vec![insert(&added)])).await,
                    2 => {
                        let chain = chain(store, &format!("thing-{n}"), 0).await;
                        let asked = Some(asked(n));
                        let written = store.write(&chain, asked.as_ref(), vec![change]);
                        written.await.map(|_| ())
                    }
                    _ => {
                        let chain = chain(store, &added, 0).await;
                        let asked = Some(asked(n));
                        let written = store.write(&chain, asked.as_ref(), vec![insert(&added)]);
                        written.await.map(|_| ())
                    }
                }
            }
        }))
        .await;
        for (n, done) in done.iter().enumerate() {
            let is_old = n % 3 == 0 && n % 2 == 0;
            match done {
                Ok(()) => assert!(!is_old, "{n} was written"),
                Err(Error::Conflict) => assert!(is_old, "{n} was refused"),
                Err(other) => panic!("{n}: {other}"),
            }
        }
        let count = |is: fn(usize) -> bool| (0..MANY).filter(|n| is(*n)).count();
        let changed = count(|n| n % 2 == 0 && n % 3 > 0);
        assert_eq!(things(&store, 2).await, changed as i64);
        let acting = 2 * count(|n| n % 4 == 3 || (n % 4 == 2 && n % 3 > 0));
        assert_eq!(read(&store, acting).await.len(), acting);
        let left = MANY - changed + count(|n| n % 2 == 1);
        assert_eq!(things(&store, 1).await, left as i64, "old or new");
    }
}
