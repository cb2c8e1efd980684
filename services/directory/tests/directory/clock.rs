//! The demonstration clock.

use bangban_directory::Directory;
use bangban_proto::bangban::clock::v1::{clock_service_server::ClockService as _, *};

use crate::instance::*;

on_both! {
    the_clock_moves_forward_only_and_marks_what_is_written
    an_installation_that_is_no_demonstration_keeps_its_clock
}

fn ahead(seconds: i64) -> AdvanceClockRequest {
    AdvanceClockRequest {
        request_id: id(),
        by: Some(prost_types::Duration { seconds, nanos: 0 }),
        to: None,
    }
}

async fn seconds(directory: &Directory) -> i64 {
    let asked = by(&operator(), GetClockRequest::default());
    let told = directory.get_clock(asked).await.expect("told").into_inner();
    told.now.expect("a time").seconds
}

async fn the_clock_moves_forward_only_and_marks_what_is_written(at: &Instance) {
    let start = seconds(&at.directory).await;
    let request = ahead(86_400);
    for _ in 0..2 {
        let advanced = at.directory.advance_clock(by(&operator(), request.clone()));
        let advanced = advanced.await.expect("advanced").into_inner();
        assert!(advanced.now.expect("a time").seconds >= start + 86_400);
        assert!(advanced.position.starts_with("directory."));
    }
    let now = seconds(&at.directory).await;
    assert!(
        (86_400..86_460).contains(&(now - start)),
        "repeated, not moved twice"
    );
    assert!(
        seconds(&at.another().await).await >= now,
        "every process has it"
    );
    let to = |seconds| AdvanceClockRequest {
        request_id: id(),
        by: None,
        to: Some(prost_types::Timestamp { seconds, nanos: 0 }),
    };
    let both = AdvanceClockRequest {
        to: to(now + 100).to,
        ..ahead(1)
    };
    for (request, reason) in [
        (to(now - 3600), "CLOCK_ONLY_FORWARD"),
        (to(now + 32_000_000), "CLOCK_TOO_FAR"),
        (both, "BY_OR_TO"),
    ] {
        let answer = at.directory.advance_clock(by(&operator(), request)).await;
        assert_eq!(refused(answer), with(reason, ""));
    }
    let advanced = at.directory.advance_clock(by(&operator(), to(now + 3600)));
    advanced.await.expect("advanced");
    assert!(seconds(&at.directory).await >= now + 3600);
    let store = at.directory.store();
    let sql = "SELECT count(*) FROM acts WHERE NOT is_demonstration";
    let query = sea_orm::Statement::from_string(store.backend, sql);
    let row = sea_orm::ConnectionTrait::query_one_raw(&store.db, query).await;
    let unmarked: i64 = row
        .expect("counted")
        .expect("a row")
        .try_get_by_index(0)
        .expect("a number");
    assert_eq!(unmarked, 0);
}

async fn an_installation_that_is_no_demonstration_keeps_its_clock(at: &Instance) {
    let mut config = at.config.clone();
    config.demonstration.is_enabled = false;
    let directory = Directory::open(&config).await.expect("opened");
    let answer = directory.advance_clock(by(&operator(), ahead(60))).await;
    assert_eq!(refused(answer), with("NOT_A_DEMONSTRATION", ""));
    let told = directory.get_clock(by(&operator(), GetClockRequest::default()));
    assert!(!told.await.expect("told").into_inner().is_demonstration);
    assert_eq!(at.count("acts").await, 0);
}
