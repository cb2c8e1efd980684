//! Reminders of entitlements that are about to begin, for those who want them (BB-4.2c).

use bangban_directory::tasks::Reminders;
use bangban_proto::bangban::directory::v1::{applicant_service_server::ApplicantService as _, *};
use chrono::{Datelike as _, Days, NaiveDate};
use sea_orm::Statement;

use crate::instance::*;

on_both! {
    bb_4_2c_who_wants_it_is_noted_once_before_the_day
    bb_4_2c_who_has_opted_out_or_was_forgotten_is_not_told
    bb_4_2c_no_day_of_birth_is_readable
}

/// A well-formed identity number of somebody born on that day (GB 11643).
fn resident(born: NaiveDate, serial: u32) -> String {
    let body = format!("420527{}{serial:03}", born.format("%Y%m%d"));
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let digits = body.chars().filter_map(|c| c.to_digit(10));
    let sum: u32 = digits.zip(weights).map(|(d, w)| d * w).sum();
    let check = ["1", "0", "X", "9", "8", "7", "6", "5", "4", "3", "2"];
    format!("{body}{}", check[sum as usize % 11])
}

/// Somebody who turns 80 in ten days.
async fn almost_eighty(at: &Instance, serial: u32, wants: bool) -> (Applicant, NaiveDate) {
    let now = at.directory.store().now().await.expect("the time");
    let soon = now.local().date_naive() + Days::new(10);
    let born = soon.with_year(soon.year() - 80).expect("a day");
    let request = RegisterApplicantRequest {
        document: resident(born, serial),
        wants_reminders: wants,
        ..lin()
    };
    (at.register(request).await, born)
}

async fn allowance(at: &Instance) {
    at.put_department().await;
    let version = ItemVersion {
        entitlement_age: 80,
        ..item("old-age-allowance", 1, "2026-01-01", "")
    };
    at.publish(version).await.expect("published");
}

async fn told(at: &Instance) -> Vec<Reminder> {
    let request = ListRemindersRequest {
        district: DISTRICT.into(),
        ..ListRemindersRequest::default()
    };
    let answer = at.directory.list_reminders(by(&operator(), request)).await;
    answer.expect("told").into_inner().reminders
}

async fn looked(at: &Instance) -> usize {
    // Each look is that of another process, which has not looked today.
    let look = Reminders::default().once(&at.directory).await;
    look.expect("looked")
}

async fn bb_4_2c_who_wants_it_is_noted_once_before_the_day(at: &Instance) {
    at.found_district().await;
    allowance(at).await;
    let (wants, _) = almost_eighty(at, 10, true).await;
    almost_eighty(at, 11, false).await;
    // Too old already, and wants it.
    let old = RegisterApplicantRequest {
        wants_reminders: true,
        ..lin()
    };
    at.register(old).await;
    assert_eq!(looked(at).await, 1);
    assert_eq!(looked(at).await, 0, "once for ever");
    let told = told(at).await;
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].applicant.as_str(), told[0].item.as_str()),
        (wants.id.as_str(), "old-age-allowance")
    );
    assert_eq!(told[0].name_mask, wants.name_mask);
    assert!(told[0].noted_at.is_some() && !told[0].item_name.is_empty());
}

async fn bb_4_2c_who_has_opted_out_or_was_forgotten_is_not_told(at: &Instance) {
    at.found_district().await;
    allowance(at).await;
    let (out, _) = almost_eighty(at, 20, true).await;
    let (forgotten, _) = almost_eighty(at, 21, true).await;
    let (late, _) = almost_eighty(at, 22, true).await;
    let opt_out = |person: &Applicant| UpdateApplicantRequest {
        district: DISTRICT.into(),
        request_id: id(),
        applicant: person.id.clone(),
        etag: person.etag.clone(),
        ..UpdateApplicantRequest::default()
    };
    let done = at
        .directory
        .update_applicant(by(&operator(), opt_out(&out)));
    done.await.expect("opted out");
    let erase = EraseApplicantRequest {
        district: DISTRICT.into(),
        request_id: id(),
        applicant: forgotten.id.clone(),
        reason: "本人要求".into(),
        etag: forgotten.etag.clone(),
    };
    let done = at.directory.erase_applicant(by(&operator(), erase));
    done.await.expect("forgotten");
    assert_eq!(looked(at).await, 1);
    assert_eq!(told(at).await.len(), 1);
    // Noted, and then opted out.
    let done = at
        .directory
        .update_applicant(by(&operator(), opt_out(&late)));
    done.await.expect("opted out");
    assert_eq!(told(at).await, []);
}

async fn bb_4_2c_no_day_of_birth_is_readable(at: &Instance) {
    at.found_district().await;
    allowance(at).await;
    let (person, born) = almost_eighty(at, 30, true).await;
    assert_eq!(looked(at).await, 1);
    let store = at.directory.store();
    let sql = "SELECT payload, subject FROM acts WHERE kind = 'entitlement.near'";
    let rows = store.rows(Statement::from_string(store.backend, sql)).await;
    let rows = rows.expect("read");
    assert_eq!(rows.len(), 1);
    let payload: Vec<u8> = rows[0].try_get_by_index(0).expect("a payload");
    let days = [
        born.format("%Y-%m-%d").to_string(),
        born.format("%Y%m%d").to_string(),
        born.format("%m-%d").to_string(),
    ];
    for day in &days {
        assert!(!payload.windows(day.len()).any(|w| w == day.as_bytes()));
    }
    let sql = "SELECT value FROM lookups WHERE kind = 'birthday'";
    let rows = store.rows(Statement::from_string(store.backend, sql)).await;
    let value: String = rows.expect("read")[0].try_get_by_index(0).expect("a value");
    assert!(value.len() >= 20 && days.iter().all(|day| !value.contains(day)));
    assert!(!person.id.is_empty());
}
