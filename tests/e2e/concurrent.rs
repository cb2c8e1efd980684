//! Many at once: one wins, the others are told; what is asked twice is done once; numbers are given once; and whoever
//! wrote reads it at once.

use std::collections::BTreeSet;

use bangban::client::Client;
use bangban_kit::refusal;
use bangban_proto::bangban::{
    casework::v1::{
        CaseChange, ContactReason, DecisionOutcome, ExportLedgerRequest, GetCaseRequest,
        GiveNoticeRequest, ListCasesRequest, OpenContactRequest, ReportDecisionRequest,
        case_service_client::CaseServiceClient, ledger_service_client::LedgerServiceClient,
    },
    directory::v1::{
        ApplicantChange, DocumentKind, FindApplicantsRequest, RegisterApplicantRequest,
        ReinstateStaffRequest, SuspendStaffRequest,
        applicant_service_client::ApplicantServiceClient, staff_service_client::StaffServiceClient,
    },
    types::v1::Channel,
};
use bangban_tests::{
    World,
    case::{Story, refused},
    on_both, request_id,
};
use tokio::task::JoinSet;
use tonic::{Code, Response, Status};

type Answer = Result<Response<CaseChange>, Status>;

/// A connection of its own for the same person.
fn another(world: &World, story: &Story) -> Client {
    let agent = world.sample.agent().expect("in the sample");
    assert_eq!(agent.subject, story.case.agent);
    let address = world.address().to_string();
    Client::connect(&world.config, Some(&address))
        .and_then(|client| client.with(&world.token(&agent)))
        .expect("a client")
}

/// One was done; the other was told that the case has changed.
fn one_won(first: Answer, second: Answer) -> CaseChange {
    let (won, lost) = match (first, second) {
        (Ok(won), Err(lost)) | (Err(lost), Ok(won)) => (won, lost),
        (first, second) => panic!("not one of them won: {first:?} {second:?}"),
    };
    assert_eq!(
        (lost.code(), refusal::reason(&lost).as_str()),
        (Code::Aborted, "STALE_ETAG")
    );
    won.into_inner()
}

#[test]
fn of_two_who_act_on_one_state_one_wins_and_the_other_is_told() {
    on_both(|world| async move {
        let mut story = Story::opened(world).await;
        let (here, there) = (story.client.clone(), another(world, &story));
        let mut others = CaseServiceClient::new(there.channel());
        for round in 1..=10 {
            let contact = || OpenContactRequest {
                district: story.district.clone(),
                request_id: request_id(),
                case: story.case.id.clone(),
                etag: story.case.etag.clone(),
                reason: ContactReason::Progress.into(),
                text: format!("第{round}次"),
                ..OpenContactRequest::default()
            };
            let (first, second) = tokio::join!(
                story.cases.open_contact(here.request(contact())),
                others.open_contact(there.request(contact()))
            );
            story.case = one_won(first, second).case.unwrap_or_default();
            assert_eq!(story.case.contacts.len(), round);
        }
    });
}

#[test]
fn of_an_agent_and_a_clerk_who_report_a_decision_one_wins() {
    on_both(|world| async move {
        let mut story = Story::opened(world).await.accepted().await;
        let clerk = world.clerk("civil-affairs-bureau");
        let mut department = CaseServiceClient::new(clerk.channel());
        let at = story.case.filing.clone().unwrap_or_default().filed_at;
        let decision = |outcome: DecisionOutcome| ReportDecisionRequest {
            district: story.district.clone(),
            request_id: request_id(),
            case: story.case.id.clone(),
            etag: story.case.etag.clone(),
            outcome: outcome.into(),
            number: "民政决-3".to_owned(),
            issuer: "秭归县民政局".to_owned(),
            decided_at: at,
            reason: "未满八十周岁".to_owned(),
            remedies_told: "可以申请行政复议".to_owned(),
            ..ReportDecisionRequest::default()
        };
        let (granted, refused) = (
            decision(DecisionOutcome::Granted),
            decision(DecisionOutcome::Refused),
        );
        let (first, second) = tokio::join!(
            story.cases.report_decision(story.client.request(granted)),
            department.report_decision(clerk.request(refused))
        );
        let won = one_won(first, second).case.unwrap_or_default();
        story.read("").await;
        assert_eq!(story.case, won, "what was answered is what stands");
    });
}

#[test]
fn without_an_etag_the_second_of_two_is_judged_by_what_the_first_has_done() {
    on_both(|world| async move {
        let mut story = Story::opened(world).await;
        let there = another(world, &story);
        let mut others = CaseServiceClient::new(there.channel());
        let notice = || GiveNoticeRequest {
            district: story.district.clone(),
            request_id: request_id(),
            case: story.case.id.clone(),
            channel: Channel::Window.into(),
            receipt: "按手印".to_owned(),
            ..GiveNoticeRequest::default()
        };
        let (first, second) = tokio::join!(
            story.cases.give_notice(story.client.request(notice())),
            others.give_notice(there.request(notice()))
        );
        let lost = match (first, second) {
            (Ok(_), lost @ Err(_)) | (lost @ Err(_), Ok(_)) => lost,
            both => panic!("not one of them won: {both:?}"),
        };
        refused(lost, "NOTICE_ALREADY_GIVEN");
    });
}

#[test]
fn one_request_id_sent_twenty_times_at_once_opens_one_case() {
    on_both(|world| async move {
        let agent = world.sample.agent().expect("in the sample");
        let story = Story::before(world, world.person(&agent));
        let newcomer = register(world, &story.client, resident_id(518)).await;
        let newcomer = newcomer.expect("registered").applicant.unwrap_or_default();
        let request = story.opening_for(&agent, newcomer.id);
        let mut calls = JoinSet::new();
        for _ in 0..20 {
            let (mut cases, client, request) =
                (story.cases.clone(), story.client.clone(), request.clone());
            calls.spawn(async move { cases.open_case(client.request(request)).await });
        }
        let mut answers = Vec::new();
        while let Some(answer) = calls.join_next().await {
            answers.push(answer.expect("ended").expect("opened").into_inner());
        }
        let first = answers.first().cloned().expect("an answer");
        assert!(
            answers.iter().all(|answer| *answer == first),
            "the same answer to all"
        );
        let list = ListCasesRequest {
            district: world.district.clone(),
            applicant: request.applicant,
            page_size: 500,
            ..ListCasesRequest::default()
        };
        let found = story
            .cases
            .clone()
            .list_cases(story.client.request(list))
            .await;
        let cases = found.expect("a list").into_inner().cases;
        assert_eq!(
            cases,
            first.case.into_iter().collect::<Vec<_>>(),
            "her one case"
        );
    });
}

/// The lines of an export, and what a verifier says of them.
async fn verified(world: &World) -> (Vec<String>, bangban_ledger::Report) {
    let auditor = world.operator();
    let request = ExportLedgerRequest {
        district: world.district.clone(),
        ..ExportLedgerRequest::default()
    };
    let mut stream = LedgerServiceClient::new(auditor.channel())
        .export_ledger(auditor.request(request))
        .await
        .expect("an export")
        .into_inner();
    let mut lines = Vec::new();
    while let Some(part) = stream.message().await.expect("a part") {
        lines.extend(part.lines);
    }
    let text = lines.join("\n") + "\n";
    let report = bangban_ledger::verify(text.as_bytes()).expect("read");
    (lines, report)
}

#[test]
fn bb_10_1_5_two_hundred_cases_opened_at_once_have_receipts_of_their_own_and_ledgers_that_verify() {
    on_both(|world| async move {
        let mut calls = JoinSet::new();
        for id in ["hu-yulian", "xu-aizhen", "peng-jun", "shen-xia"] {
            let agent = world.sample.person(id).expect("in the sample");
            let story = Story::before(world, world.person(&agent));
            let request = story.opening(world, &agent, "mo-xiuying").await;
            for _ in 0..50 {
                let (mut cases, client) = (story.cases.clone(), story.client.clone());
                let mut request = request.clone();
                request.request_id = request_id();
                calls.spawn(async move { cases.open_case(client.request(request)).await });
            }
        }
        let (mut receipts, mut ids) = (BTreeSet::new(), Vec::new());
        while let Some(answer) = calls.join_next().await {
            let change = answer.expect("ended").expect("opened").into_inner();
            let case = change.case.unwrap_or_default();
            assert!(
                receipts.insert(case.receipt.clone()),
                "{} twice",
                case.receipt
            );
            ids.push(case.id);
        }
        assert_eq!(receipts.len(), 200);
        let (lines, report) = verified(world).await;
        assert!(report.is_good(), "{:?}", report.problems);
        assert!(report.verified >= 200 && report.verified == report.cases);
        let text = lines.concat();
        assert!(
            ids.iter().all(|id| text.contains(id)),
            "all are in the ledger"
        );
    });
}

#[test]
fn whoever_wrote_reads_it_at_once_on_any_connection() {
    on_both(|world| async move {
        let mut story = Story::opened(world).await;
        let there = another(world, &story);
        let mut others = CaseServiceClient::new(there.channel());
        for _ in 0..20 {
            let contact = OpenContactRequest {
                district: story.district.clone(),
                request_id: request_id(),
                case: story.case.id.clone(),
                reason: ContactReason::Progress.into(),
                text: "进度".to_owned(),
                ..OpenContactRequest::default()
            };
            let answer = story
                .cases
                .open_contact(story.client.request(contact))
                .await;
            story.take(answer).expect("opened");
            let get = GetCaseRequest {
                district: story.district.clone(),
                case: story.case.id.clone(),
                ..GetCaseRequest::default()
            };
            let read = others
                .get_case(there.request(get))
                .await
                .expect("read")
                .into_inner();
            assert_eq!(read, story.case);
        }
    });
}

#[test]
fn bb_5_2_a_suspension_takes_effect_at_once() {
    on_both(|world| async move {
        let operator = world.operator();
        let mut staff = StaffServiceClient::new(operator.channel());
        let agent = world.sample.person("qin-dayong").expect("in the sample");
        let mut story = Story::before(world, world.person(&agent));
        let suspension = SuspendStaffRequest {
            district: world.district.clone(),
            request_id: request_id(),
            staff: agent.subject.clone(),
            reason: "停岗".to_owned(),
            ..SuspendStaffRequest::default()
        };
        staff
            .suspend_staff(operator.request(suspension))
            .await
            .expect("suspended");
        let request = story.opening(world, &agent, "fang-shouyi").await;
        let answer = story.cases.open_case(story.client.request(request)).await;
        let status = refused(answer, "STAFF_NOT_ACTIVE");
        assert_eq!(refusal::requirement(&status), "BB-5.2");
        let reinstatement = ReinstateStaffRequest {
            district: world.district.clone(),
            request_id: request_id(),
            staff: agent.subject.clone(),
            reason: "复岗".to_owned(),
            ..ReinstateStaffRequest::default()
        };
        staff
            .reinstate_staff(operator.request(reinstatement))
            .await
            .expect("reinstated");
        let request = story.opening(world, &agent, "fang-shouyi").await;
        let answer = story.cases.open_case(story.client.request(request)).await;
        story.take(answer).expect("opened");
    });
}

/// The check character of GB 11643.
fn resident_id(serial: u32) -> String {
    let body = format!("42052719500101{serial:03}");
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body
        .bytes()
        .zip(weights)
        .map(|(c, w)| u32::from(c - b'0') * w)
        .sum();
    let check = b"10X98765432"[(sum % 11) as usize];
    format!("{body}{}", char::from(check))
}

/// Registers somebody with this document.
async fn register(
    world: &World,
    client: &Client,
    document: String,
) -> Result<ApplicantChange, Status> {
    let request = RegisterApplicantRequest {
        district: world.district.clone(),
        request_id: request_id(),
        name: "周同时".to_owned(),
        document_kind: DocumentKind::ResidentId.into(),
        document,
        telephone: "13900000517".to_owned(),
        ..RegisterApplicantRequest::default()
    };
    let mut people = ApplicantServiceClient::new(client.channel());
    let registered = people.register_applicant(client.request(request)).await;
    registered.map(Response::into_inner)
}

#[test]
fn a_person_registered_by_many_at_once_is_registered_once() {
    on_both(|world| async move {
        let agent = world.agent();
        let document = resident_id(517);
        let mut calls = JoinSet::new();
        for _ in 0..20 {
            let (client, document) = (agent.clone(), document.clone());
            calls.spawn(async move { register(world, &client, document).await });
        }
        let mut registered = 0;
        while let Some(answer) = calls.join_next().await {
            match answer.expect("ended") {
                Ok(_) => registered += 1,
                lost @ Err(_) => {
                    refused(lost, "APPLICANT_EXISTS");
                }
            }
        }
        assert_eq!(registered, 1);
        let find = FindApplicantsRequest {
            district: world.district.clone(),
            document_kind: DocumentKind::ResidentId.into(),
            document,
            ..FindApplicantsRequest::default()
        };
        let mut people = ApplicantServiceClient::new(agent.channel());
        let found = people
            .find_applicants(agent.request(find))
            .await
            .expect("found");
        assert_eq!(found.get_ref().applicants.len(), 1);
    });
}
