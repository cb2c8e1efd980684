//! Codes and dates.

use bangban_proto::bangban::{
    casework::v1::{
        GetCaseByReceiptRequest, GetProgressRequest, GetQualityRatesRequest,
        case_service_client::CaseServiceClient,
    },
    directory::v1::{
        AmendCalendarRequest, Amendment, DayKind, DocumentKind, FindApplicantsRequest,
        GetItemRequest, ListDaysRequest, RecordTrainingRequest, RegisterApplicantRequest, Training,
        TrainingKind, WithdrawItemRequest, applicant_service_client::ApplicantServiceClient,
        calendar_service_client::CalendarServiceClient,
        catalogue_service_client::CatalogueServiceClient, staff_service_client::StaffServiceClient,
    },
};
use bangban_tests::{
    case::Story,
    refusals::{Because, Refusals},
    request_id,
};

use crate::quiet::on_both_quietly;

use super::*;

#[test]
fn codes_with_swapped_digits_are_refused() {
    on_both_quietly(|world| async move {
        let agent = world.agent();
        let mut people = ApplicantServiceClient::new(agent.channel());
        let mut cases = CaseServiceClient::new(agent.channel());
        let story = Story::opened(world).await;
        let mut table = Refusals::watch(world).await;
        let because = Because(INVALID, "CHECKSUM_MISMATCH", "", "document");
        let wrong = RegisterApplicantRequest {
            document: swapped("11010519491231002X", 15),
            ..somebody(world)
        };
        let answer = people.register_applicant(agent.request(wrong)).await;
        table.expect("a resident id", answer, because).await;
        let wrong = RegisterApplicantRequest {
            name: "某小吃店".to_owned(),
            document_kind: DocumentKind::CreditCode.into(),
            document: swapped("92420527MA0000007A", 1),
            ..somebody(world)
        };
        let answer = people.register_applicant(agent.request(wrong)).await;
        table.expect("a credit code", answer, because).await;
        let wrong = FindApplicantsRequest {
            district: world.district.clone(),
            document_kind: DocumentKind::ResidentId.into(),
            document: swapped("11010519491231002X", 15),
            ..FindApplicantsRequest::default()
        };
        let answer = people.find_applicants(agent.request(wrong)).await;
        table.expect("a search", answer, because).await;

        let because = Because(INVALID, "RECEIPT_CHECK_DIGIT_WRONG", "BB-4.2b", "receipt");
        let receipt = &story.case.receipt;
        let at = (0..receipt.len() - 1)
            .find(|at| receipt.as_bytes()[*at] != receipt.as_bytes()[at + 1])
            .expect("two digits that differ");
        let wrong = GetCaseByReceiptRequest {
            district: world.district.clone(),
            receipt: swapped(receipt, at),
            ..GetCaseByReceiptRequest::default()
        };
        let answer = cases.get_case_by_receipt(agent.request(wrong)).await;
        table.expect("a receipt", answer, because).await;
        let wrong = GetProgressRequest {
            district: world.district.clone(),
            receipt: swapped(receipt, at),
            document_end: "08002X".to_owned(),
        };
        let answer = cases.get_progress(world.public.request(wrong)).await;
        table.expect("a receipt's progress", answer, because).await;

        for (what, wrong, reason, field) in [
            (
                "a telephone of letters",
                RegisterApplicantRequest {
                    telephone: "call me".to_owned(),
                    ..somebody(world)
                },
                "CHARACTER_NOT_ALLOWED",
                "telephone",
            ),
            (
                "a telephone that is too short",
                RegisterApplicantRequest {
                    telephone: "139".to_owned(),
                    ..somebody(world)
                },
                "LENGTH_WRONG",
                "telephone",
            ),
            (
                "a name of digits",
                RegisterApplicantRequest {
                    name: "12345".to_owned(),
                    ..somebody(world)
                },
                "CHARACTER_NOT_ALLOWED",
                "name",
            ),
            (
                "a birthday that is no day",
                RegisterApplicantRequest {
                    document: "110105199002300012".to_owned(),
                    ..somebody(world)
                },
                "CHECKSUM_MISMATCH",
                "document",
            ),
        ] {
            let answer = people.register_applicant(agent.request(wrong)).await;
            let because = Because(INVALID, reason, "", field);
            table.expect(what, answer, because).await;
        }
        table.end();
    });
}

#[test]
fn dates_that_are_no_dates_are_refused() {
    on_both_quietly(|world| async move {
        let district = || world.district.clone();
        let operator = world.operator();
        let agent = world.agent();
        let mut staff = StaffServiceClient::new(operator.channel());
        let mut calendar = CalendarServiceClient::new(operator.channel());
        let mut catalogue = CatalogueServiceClient::new(operator.channel());
        let mut cases = CaseServiceClient::new(agent.channel());
        let mut table = Refusals::watch(world).await;
        let training = |completed_on: &str, valid_until: &str| RecordTrainingRequest {
            district: district(),
            request_id: request_id(),
            staff: "yu-tian".to_owned(),
            training: Some(Training {
                kind: TrainingKind::PreService.into(),
                completed_on: completed_on.to_owned(),
                valid_until: valid_until.to_owned(),
                certificate: "ZG-PX-2026-0099".to_owned(),
            }),
            ..RecordTrainingRequest::default()
        };
        for (completed_on, valid_until, reason, requirement, field) in [
            (
                "2026-02-30",
                "2027-01-01",
                "DATE_IMPOSSIBLE",
                "",
                "training.completed_on",
            ),
            (
                "2026-02-20",
                "2027-13-01",
                "DATE_IMPOSSIBLE",
                "",
                "training.valid_until",
            ),
            (
                "2026/02/20",
                "2027-01-01",
                "FIELD_INVALID",
                "",
                "training.completed_on",
            ),
            (
                "2026-02-20",
                "2026-02-19",
                "DATES_REVERSED",
                "BB-6.2",
                "training.valid_until",
            ),
            (
                "2099-01-01",
                "2099-12-31",
                "DATE_IN_FUTURE",
                "BB-5.2",
                "training.completed_on",
            ),
        ] {
            let request = training(completed_on, valid_until);
            let answer = staff.record_training(operator.request(request)).await;
            let because = Because(INVALID, reason, requirement, field);
            let what = format!("a training of {completed_on} to {valid_until}");
            table.expect(&what, answer, because).await;
        }
        let request = GetItemRequest {
            district: district(),
            item: "old-age-allowance".to_owned(),
            on: "2026-11-31".to_owned(),
            ..GetItemRequest::default()
        };
        let answer = catalogue.get_item(operator.request(request)).await;
        let because = Because(INVALID, "DATE_IMPOSSIBLE", "", "on");
        table.expect("an item on a day", answer, because).await;
        let request = WithdrawItemRequest {
            district: district(),
            request_id: request_id(),
            item: "old-age-allowance".to_owned(),
            from: "2026-11-31".to_owned(),
            reason: "示例".to_owned(),
        };
        let answer = catalogue.withdraw_item(operator.request(request)).await;
        let because = Because(INVALID, "DATE_IMPOSSIBLE", "", "from");
        table.expect("a withdrawal", answer, because).await;
        let request = ListDaysRequest {
            district: district(),
            from: "2026-00-10".to_owned(),
            days: 3,
            ..ListDaysRequest::default()
        };
        let answer = calendar.list_days(operator.request(request)).await;
        let because = Because(INVALID, "DATE_IMPOSSIBLE", "", "from");
        table.expect("days of a calendar", answer, because).await;
        for (from, days) in [("9999-12-31", 400), ("0000-01-01", 3), ("1999-12-31", 1)] {
            let request = ListDaysRequest {
                district: district(),
                from: from.to_owned(),
                days,
                ..ListDaysRequest::default()
            };
            let answer = calendar.list_days(operator.request(request)).await;
            let because = Because(INVALID, "DATE_OUTSIDE_CALENDAR", "BX-3", "");
            table
                .expect("days outside the calendar", answer, because)
                .await;
        }
        let request = GetQualityRatesRequest {
            district: district(),
            from: "2026-01-01".to_owned(),
            to: "2026-02-29".to_owned(),
            ..GetQualityRatesRequest::default()
        };
        let answer = cases.get_quality_rates(agent.request(request)).await;
        let because = Because(INVALID, "DATE_IMPOSSIBLE", "BB-8d", "to");
        table.expect("rates", answer, because).await;
        table.end();
    });
}

#[test]
fn bx_3_an_amendment_of_no_day_is_refused_by_the_path_of_its_field() {
    on_both_quietly(|world| async move {
        let district = || world.district.clone();
        let operator = world.operator();
        let mut calendar = CalendarServiceClient::new(operator.channel());
        let mut table = Refusals::watch(world).await;
        let amendment = |date: &str| AmendCalendarRequest {
            district: district(),
            request_id: request_id(),
            amendment: Some(Amendment {
                date: date.to_owned(),
                kind: DayKind::Rest.into(),
                name: "防汛".to_owned(),
                citation: "通告".to_owned(),
                amended_at: None,
            }),
        };
        for (date, reason, field) in [
            ("2026-02-30", "DATE_IMPOSSIBLE", "amendment.date"),
            ("26-02-03", "FIELD_INVALID", "amendment.date"),
        ] {
            let answer = calendar
                .amend_calendar(operator.request(amendment(date)))
                .await;
            let because = Because(INVALID, reason, "", field);
            table.expect("an amendment", answer, because).await;
        }
        table.end();
    });
}
