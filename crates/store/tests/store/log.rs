//! Acts and the state that they lead to.

use bangban_kit::identity::Caller;
use bangban_proto::bangban::casework::v1::GiveNoticeRequest;
use bangban_store::{
    Error,
    command::{Begun, Command},
};
use sea_orm::{ConnectionTrait as _, Statement};

use crate::setting::{chain, insert, read, request, standing, stores, update};

#[tokio::test]
async fn acts_and_state_are_written_together_or_not_at_all() {
    for store in stores("logwrite").await {
        let first = store
            .write(&chain(&store, "a", 0).await, None, vec![insert("a")])
            .await
            .expect("written");
        let acts = read(&store, 2).await;
        assert_eq!(acts.iter().map(|a| a.number).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(acts[1].previous_hash, acts[0].hash);
        assert_eq!(first, store.position(acts[1].tx, acts[1].position));
        let stale = store
            .write(&chain(&store, "a", 2).await, None, vec![update("a", 7)])
            .await;
        assert!(matches!(stale, Err(Error::Conflict)), "{stale:?}");
        assert_eq!(read(&store, 2).await.len(), 2);
        let sql = "UPDATE acts SET actor = 'nobody'";
        let edit = store
            .db
            .execute_raw(Statement::from_string(store.backend, sql))
            .await;
        assert!(
            edit.expect_err("refused")
                .to_string()
                .contains("append-only")
        );
    }
}

#[tokio::test]
async fn a_repeated_request_gives_its_first_answer_and_another_body_is_refused() {
    for store in stores("logrepeat").await {
        let caller = Caller::system("test");
        let mut command = Command::new(&caller, &request("first"));
        assert!(matches!(
            store.begin::<GiveNoticeRequest>(&command).await,
            Ok(Begun::New(_))
        ));
        let done = chain(&store, "b", 0).await;
        let written = store
            .finish(
                &mut command,
                &done,
                Some(&request("answer")),
                vec![insert("b")],
            )
            .await
            .expect("written");
        let again = store
            .begin::<GiveNoticeRequest>(&Command::new(&caller, &request("first")))
            .await;
        let Ok(Begun::Repeated(answer, position)) = again else {
            panic!("{again:?}")
        };
        assert_eq!((answer, Some(position)), (request("answer"), written));
        let other = store
            .begin::<GiveNoticeRequest>(&Command::new(&caller, &request("second")))
            .await;
        let Err(Error::Refused(refusal)) = other else {
            panic!("{other:?}")
        };
        assert_eq!(refusal.reason, "REQUEST_ID_REUSED");
    }
}

#[tokio::test]
async fn an_act_that_commits_late_is_not_skipped() {
    for store in stores("loglate").await {
        if !store.is_postgres() {
            continue;
        }
        // The late one takes its number first and commits last.
        let late = standing(&store).await;
        store
            .append(&late, &chain(&store, "late", 0).await, None)
            .await
            .expect("appended");
        store
            .write(
                &chain(&store, "early", 0).await,
                None,
                vec![insert("early")],
            )
            .await
            .expect("written");
        let seen = store.read(0, 0, 10).await.expect("read");
        assert!(
            seen.is_empty(),
            "nothing may be read past an open transaction: {}",
            seen.len()
        );
        late.commit().await.expect("committed");
        let seen = read(&store, 4).await;
        let subjects: Vec<&str> = seen.iter().map(|a| a.subject.as_str()).collect();
        assert_eq!(
            subjects,
            ["things/late", "things/late", "things/early", "things/early"]
        );
    }
}
