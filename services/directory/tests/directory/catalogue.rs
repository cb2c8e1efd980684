//! The catalogue: versions from a date on, public, with a public history.

use bangban_kit::identity::Caller;
use bangban_proto::bangban::directory::v1::{catalogue_service_server::CatalogueService as _, *};

use crate::instance::*;

on_both! {
    bb_7_2_versions_take_over_on_their_day_and_overlap_nowhere
    bb_7_2_the_history_of_the_catalogue_is_public
    bb_7_2_an_item_that_is_withdrawn_ends_on_its_day
    bb_8b_what_must_be_public_is_demanded_and_counted
    bb_1_the_catalogue_is_changed_by_who_has_the_whole_district
    two_who_publish_at_once_are_both_judged
}

async fn start(at: &Instance) {
    at.found_district().await;
    at.put_department().await;
}

async fn on(at: &Instance, day: &str) -> Result<u32, (String, String)> {
    let request = GetItemRequest {
        district: DISTRICT.into(),
        item: "allowance".into(),
        on: day.into(),
        ..GetItemRequest::default()
    };
    let answer = at.directory.get_item(by(&Caller::public(), request)).await;
    match answer {
        Ok(found) => Ok(found.into_inner().version),
        refusal => Err(refused(refusal)),
    }
}

async fn bb_7_2_versions_take_over_on_their_day_and_overlap_nowhere(at: &Instance) {
    start(at).await;
    assert_eq!(on(at, "").await, Err(with("ITEM_UNKNOWN", "BB-7.2")));
    let first = item("allowance", 1, "2026-01-01", "2026-07-01");
    let told = at.publish(first.clone()).await.expect("published");
    assert!(told.into_inner().item.expect("it").published_at.is_some());
    let second = item("allowance", 2, "2026-06-30", "");
    assert_eq!(
        refused(at.publish(second).await),
        with("VERSIONS_OVERLAP", "BB-7.2")
    );
    let second = item("allowance", 2, "2026-07-01", "");
    at.publish(second).await.expect("published");
    let third = item("allowance", 3, "2025-01-01", "");
    assert_eq!(
        refused(at.publish(third).await),
        with("VERSIONS_OVERLAP", "BB-7.2"),
        "a later version begins later"
    );
    assert_eq!(
        refused(at.publish(first).await),
        with("VERSION_EXISTS", "BB-7.2")
    );
    let reversed = item("other", 1, "2026-01-02", "2026-01-02");
    assert_eq!(
        refused(at.publish(reversed).await),
        with("DATES_REVERSED", "BB-7.2")
    );
    let unlikely = item("other", 1, "2026-02-30", "");
    assert_eq!(
        refused(at.publish(unlikely).await),
        with("DATE_IMPOSSIBLE", "")
    );
    let unpublished = Err(with("ITEM_NOT_PUBLISHED", "BB-7.2"));
    assert_eq!(on(at, "2025-12-31").await, unpublished);
    assert_eq!(on(at, "2026-01-01").await, Ok(1));
    assert_eq!(on(at, "2026-06-30").await, Ok(1));
    assert_eq!(on(at, "2026-07-01").await, Ok(2));
    let old = GetItemRequest {
        district: DISTRICT.into(),
        item: "allowance".into(),
        version: 1,
        ..GetItemRequest::default()
    };
    let old = at.directory.get_item(by(&Caller::public(), old)).await;
    assert_eq!(old.expect("read").into_inner().version, 1);
}

async fn changes(at: &Instance) -> Vec<ItemChange> {
    let request = ListItemChangesRequest {
        district: DISTRICT.into(),
        ..ListItemChangesRequest::default()
    };
    let answer = at
        .directory
        .list_item_changes(by(&Caller::public(), request));
    answer.await.expect("listed").into_inner().changes
}

async fn withdraw(at: &Instance, from: &str) -> Result<ItemVersion, (String, String)> {
    let request = WithdrawItemRequest {
        district: DISTRICT.into(),
        request_id: id(),
        item: "allowance".into(),
        from: from.into(),
        reason: "政策调整".into(),
    };
    match at.directory.withdraw_item(by(&operator(), request)).await {
        Ok(told) => Ok(told.into_inner().item.expect("it")),
        refusal => Err(refused(refusal)),
    }
}

async fn bb_7_2_the_history_of_the_catalogue_is_public(at: &Instance) {
    start(at).await;
    for version in [
        item("allowance", 1, "2026-01-01", ""),
        item("licence", 1, "2026-01-01", ""),
        item("allowance", 2, "2026-07-01", ""),
    ] {
        at.publish(version).await.expect("published");
    }
    withdraw(at, "2027-01-01").await.expect("withdrawn");
    let told = changes(at).await;
    let told: Vec<_> = told
        .iter()
        .map(|c| {
            (
                c.kind.as_str(),
                c.code.as_str(),
                c.version,
                c.effective_from.as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("withdrawn", "allowance", 2, "2027-01-01"),
            ("published", "allowance", 2, "2026-07-01"),
            ("published", "licence", 1, "2026-01-01"),
            ("published", "allowance", 1, "2026-01-01"),
        ]
    );
    let newest = changes(at).await.remove(0);
    assert_eq!(
        (newest.reason.as_str(), newest.name.as_str()),
        ("政策调整", "示例事项")
    );
    assert!(newest.changed_at.is_some());
    let one = ListItemChangesRequest {
        district: DISTRICT.into(),
        item: "licence".into(),
        ..ListItemChangesRequest::default()
    };
    let one = at.directory.list_item_changes(by(&Caller::public(), one));
    assert_eq!(one.await.expect("listed").into_inner().changes.len(), 1);
}

async fn bb_7_2_an_item_that_is_withdrawn_ends_on_its_day(at: &Instance) {
    start(at).await;
    assert_eq!(
        withdraw(at, "2026-08-01").await,
        Err(with("ITEM_UNKNOWN", "BB-7.2"))
    );
    for version in [
        item("allowance", 1, "2026-01-01", ""),
        item("allowance", 2, "2026-07-01", ""),
    ] {
        at.publish(version).await.expect("published");
    }
    assert_eq!(
        withdraw(at, "2026-13-01").await,
        Err(with("DATE_IMPOSSIBLE", ""))
    );
    let told = withdraw(at, "2026-08-01").await.expect("withdrawn");
    assert_eq!(
        (told.version, told.withdrawn_from.as_str()),
        (2, "2026-08-01")
    );
    assert_eq!(on(at, "2026-07-31").await, Ok(2));
    let ended = Err(with("ITEM_NOT_PUBLISHED", "BB-7.2"));
    assert_eq!(on(at, "2026-08-01").await, ended);
    // A new version begins anew.
    let third = item("allowance", 3, "2026-09-01", "");
    at.publish(third).await.expect("published");
    assert_eq!(on(at, "2026-08-31").await, ended);
    assert_eq!(on(at, "2026-09-01").await, Ok(3));
}

async fn bb_8b_what_must_be_public_is_demanded_and_counted(at: &Instance) {
    start(at).await;
    let silent = ItemVersion {
        legal_basis: Vec::new(),
        remedies: None,
        ..item("allowance", 1, "2026-01-01", "")
    };
    assert_eq!(
        refused(at.publish(silent).await),
        with("OBLIGATORY_FIELD_MISSING", "BB-8b")
    );
    let stranger = ItemVersion {
        assisting_departments: vec!["nobody".into()],
        ..item("allowance", 1, "2026-01-01", "")
    };
    assert_eq!(
        refused(at.publish(stranger).await),
        with("DEPARTMENT_UNKNOWN", "BB-8b")
    );
    let mut double = item("allowance", 1, "2026-01-01", "");
    double.materials.push(double.materials[0].clone());
    assert_eq!(refused(at.publish(double).await), with("CODE_TWICE", ""));
    at.publish(item("allowance", 1, "2026-01-01", ""))
        .await
        .expect("published");
    let asked = || GetTransparencyRequest {
        district: DISTRICT.into(),
        after: String::new(),
    };
    let told = at
        .directory
        .get_transparency(by(&Caller::public(), asked()));
    let told = told.await.expect("told").into_inner();
    assert_eq!(
        (told.item_count, told.complete_count, told.rate),
        (1, 1, 1.0)
    );
    // What was complete when it was published may not be any more: the department lost its telephone.
    let request = PutDepartmentRequest {
        district: DISTRICT.into(),
        request_id: id(),
        department: Some(Department {
            id: "bureau".into(),
            name: "民政局".into(),
            ..Department::default()
        }),
    };
    let put = at.directory.put_department(by(&operator(), request)).await;
    put.expect("put");
    let told = at
        .directory
        .get_transparency(by(&Caller::public(), asked()));
    let told = told.await.expect("told").into_inner();
    assert_eq!((told.complete_count, told.rate), (0, 0.0));
    assert_eq!(told.gaps, ["allowance: department.telephone"]);
}

async fn bb_1_the_catalogue_is_changed_by_who_has_the_whole_district(at: &Instance) {
    start(at).await;
    let request = PublishItemVersionRequest {
        district: DISTRICT.into(),
        request_id: id(),
        item: Some(item("allowance", 1, "2026-01-01", "")),
    };
    for (region, reason) in [
        ("420527101", "SCOPE_TOO_NARROW"),
        ("420528", "SCOPE_OUTSIDE_DISTRICT"),
    ] {
        let caller = from_region(region);
        let answer = at
            .directory
            .publish_item_version(by(&caller, request.clone()));
        assert_eq!(refused(answer.await), with(reason, "BB-1"));
    }
    let above = from_region("4205");
    let answer = at.directory.publish_item_version(by(&above, request));
    answer.await.expect("published");
    let some = PutDepartmentRequest {
        district: DISTRICT.into(),
        request_id: id(),
        department: Some(Department {
            id: "bureau".into(),
            closing_times: vec!["17:30".into(); 5],
            ..Department::default()
        }),
    };
    let answer = at.directory.put_department(by(&operator(), some)).await;
    assert_eq!(refused(answer), with("CLOSING_TIMES_INCOMPLETE", ""));
}

async fn two_who_publish_at_once_are_both_judged(at: &Instance) {
    start(at).await;
    let (one, other) = tokio::join!(
        at.publish(item("allowance", 1, "2026-01-01", "")),
        at.publish(item("allowance", 1, "2026-02-01", "")),
    );
    let failed = match (one, other) {
        (Ok(_), failed) | (failed, Ok(_)) => failed,
        (Err(one), Err(_)) => panic!("{one}"),
    };
    assert_eq!(refused(failed), with("VERSION_EXISTS", "BB-7.2"));
}
