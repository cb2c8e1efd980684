//! Consultation over gRPC: every contact is registered, answered at once or by the next working day, and becomes a case
//! once (BB-10.1.1, BB-10.2.1).

use bangban_kit::identity::Person;
use bangban_proto::bangban::{
    casework::v1::{
        BreachKind, GetCaseRequest, ListCasesRequest, case_service_client::CaseServiceClient,
    },
    consultation::v1::{
        AcceptHandoverRequest, AnswerConsultationRequest, ConsultationState,
        ConvertConsultationRequest, ExportRegisterRequest, GetConsultationRatesRequest,
        OfferHandoverRequest, ReferConsultationRequest, RegisterEntry,
        consultation_service_client::ConsultationServiceClient,
    },
    directory::v1::{ListRevealsRequest, applicant_service_client::ApplicantServiceClient},
    types::v1::Channel,
};
use bangban_tests::{
    World,
    agency::{DEPARTMENT, LICENCE, delegate},
    case::refused,
    consult, on_both, on_both_alone,
    question::{Question, registration},
    refusals::{Because, Refusals},
    request_id,
};
use tonic::Code;

async fn rates(world: &World, after: &str) -> (u64, u64) {
    let operator = world.operator();
    let today = world.today().await;
    let request = GetConsultationRatesRequest {
        district: world.district.clone(),
        after: after.to_owned(),
        from: "2026-01-01".to_owned(),
        to: today,
    };
    let answer = ConsultationServiceClient::new(operator.channel())
        .get_consultation_rates(operator.request(request))
        .await;
    let rates = answer.expect("rates").into_inner();
    (rates.due_count, rates.on_time_count)
}

#[test]
fn bb_10_1_1b_he_is_answered_by_the_next_working_day_or_it_is_a_breach() {
    on_both_alone(|world| async move {
        let mut question = Question::asked(&world).await.referred().await;
        let due = question.consultation.next_due_at.expect("due");
        let reply = question
            .consultation
            .clocks
            .iter()
            .find(|c| c.id == "reply");
        assert_eq!(reply.and_then(|c| c.due_at), Some(due));
        // The department answers; the applicant still waits.
        let clerk = world.clerk(DEPARTMENT);
        let told = question.told_by(&clerk, world.now().await).await;
        told.expect("on record");
        assert_eq!(question.consultation.state(), ConsultationState::Referred);
        assert_eq!(
            question.consultation.next_due_at,
            Some(due),
            "the clock runs on"
        );
        let late = Question::asked(&world).await.referred().await;
        let after = world.advance(due.seconds - 3600).await;
        question.read(&after).await;
        let question = question.answered().await;
        assert_eq!(question.consultation.state(), ConsultationState::Answered);
        assert_eq!(question.consultation.breaches, []);
        let preparations = question
            .consultation
            .answer
            .unwrap_or_default()
            .preparations;
        assert!(!preparations.is_empty());
        // The other one is not answered in time: the sweep puts it on record.
        let mut late = late;
        let after = world.advance(due.seconds + 60).await;
        let until = std::time::Instant::now() + bangban_tests::PATIENCE;
        loop {
            late.read(&after).await;
            if !late.consultation.breaches.is_empty() || std::time::Instant::now() > until {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let breach = late.consultation.breaches.first().expect("on record");
        assert_eq!(
            (
                breach.kind(),
                breach.subject.as_str(),
                breach.clock.as_str()
            ),
            (BreachKind::Late, "liu-chunyan", "reply")
        );
        assert!(breach.requirement.starts_with("BB-"), "{breach:?}");
        let (due_count, on_time_count) = rates(&world, &after).await;
        assert!(due_count >= 2 && on_time_count < due_count, "BB-8c");
        world
    });
}

async fn bad_referrals(world: &World, table: &mut Refusals) {
    let mut question = Question::asked(world).await;
    table.rest().await;
    for (what, department, reason) in [
        (
            "a department that does not exist",
            "bureau-of-nothing",
            "DEPARTMENT_UNKNOWN",
        ),
        (
            "one that is not competent",
            "civil-affairs-bureau",
            "DEPARTMENT_NOT_COMPETENT",
        ),
    ] {
        let answer = consult!(
            question,
            refer_consultation,
            ReferConsultationRequest {
                department: department.to_owned(),
                question: "请问".to_owned(),
            }
        );
        let status = answer.as_ref().expect_err("refused");
        let code = status.code();
        let requirement = bangban_kit::refusal::requirement(status);
        assert_eq!(requirement, "BB-10.1.1b");
        let why = Because(code, reason, &requirement, "department");
        table.expect(what, answer, why).await;
    }
    let bare = consult!(
        question,
        answer_consultation,
        AnswerConsultationRequest {
            text: "可以代办".to_owned(),
            channel: Channel::Phone.into(),
        }
    );
    let why = Because(
        Code::InvalidArgument,
        "POLICIES_MISSING",
        "BB-10.2.1",
        "agency_policies",
    );
    table.expect("agency without its policies", bare, why).await;
}

async fn the_wrong_receiver(world: &World, table: &mut Refusals) {
    let mut question = Question::asked(world).await;
    consult!(
        question,
        offer_handover,
        OfferHandoverRequest {
            to_agent: "zhou-wenjing".to_owned(),
            to_site: "zigui-county-center".to_owned(),
            reason: "县里更熟".to_owned(),
        }
    )
    .expect("offered");
    table.rest().await;
    let accept = AcceptHandoverRequest {
        district: question.district.clone(),
        request_id: request_id(),
        consultation: question.consultation.id.clone(),
        ..AcceptHandoverRequest::default()
    };
    let wrong = Person {
        // Somebody who sees it: of the same county.
        region: "420527".to_owned(),
        ..world.sample.person("xiang-guoqing").expect("in the sample")
    };
    let wrong = world.person(&wrong);
    let mut others = ConsultationServiceClient::new(wrong.channel());
    let answer = others.accept_handover(wrong.request(accept.clone())).await;
    let why = Because(Code::PermissionDenied, "NOT_THE_RECEIVER", "BB-4.2a", "");
    table
        .expect("accepted by the wrong person", answer, why)
        .await;
    question.read("").await;
    assert_eq!(
        question.consultation.agent, "liu-chunyan",
        "the giver has it"
    );
    let right = world.staff("zhou-wenjing");
    let mut others = ConsultationServiceClient::new(right.channel());
    let accept = AcceptHandoverRequest {
        request_id: request_id(),
        ..accept
    };
    let taken = others.accept_handover(right.request(accept)).await;
    let taken = taken.expect("accepted").into_inner().consultation;
    assert_eq!(taken.unwrap_or_default().agent, "zhou-wenjing");
}

#[test]
fn bb_10_1_1b_bad_referrals_and_hand_overs_are_refused_and_nothing_is_written() {
    on_both_alone(|world| async move {
        let mut table = Refusals::watch(&world).await;
        bad_referrals(&world, &mut table).await;
        the_wrong_receiver(&world, &mut table).await;
        table.end();
        world
    });
}

#[test]
fn bb_4_2a_converting_many_times_at_once_makes_one_case() {
    on_both(|world| async move {
        let question = Question::asked(world).await.answered().await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let client = world.person(&delegate(world));
            let request = ConvertConsultationRequest {
                district: question.district.clone(),
                request_id: request_id(),
                consultation: question.consultation.id.clone(),
                mode: Channel::Window.into(),
                ..ConvertConsultationRequest::default()
            };
            tasks.spawn(async move {
                ConsultationServiceClient::new(client.channel())
                    .convert_consultation(client.request(request))
                    .await
            });
        }
        let mut cases = std::collections::BTreeSet::new();
        while let Some(done) = tasks.join_next().await {
            let change = done.expect("joined").expect("converted").into_inner();
            let converted = change.consultation.unwrap_or_default();
            assert_eq!(converted.state(), ConsultationState::Converted);
            cases.insert(converted.conversion.unwrap_or_default().case);
        }
        assert_eq!(cases.len(), 1, "{cases:?}");
        let case = cases.first().cloned().unwrap_or_default();
        let agent = world.person(&delegate(world));
        let mut service = CaseServiceClient::new(agent.channel());
        let get = GetCaseRequest {
            district: world.district.clone(),
            case: case.clone(),
            after: String::new(),
        };
        let opened = service.get_case(agent.request(get)).await.expect("there");
        let opened = opened.into_inner();
        assert_eq!(opened.consultation, question.consultation.id);
        assert_eq!(opened.agent, "liu-chunyan");
        let list = ListCasesRequest {
            district: world.district.clone(),
            applicant: opened.applicant.clone(),
            page_size: 500,
            ..ListCasesRequest::default()
        };
        let listed = service
            .list_cases(agent.request(list))
            .await
            .expect("listed");
        let of_it = |c: &&bangban_proto::bangban::casework::v1::Case| {
            c.consultation == question.consultation.id
        };
        assert_eq!(listed.into_inner().cases.iter().filter(of_it).count(), 1);
    });
}

async fn register(
    world: &World,
    who: &Person,
    revealed: bool,
    reason: &str,
) -> Result<Vec<RegisterEntry>, tonic::Status> {
    let client = world.person(who);
    let request = ExportRegisterRequest {
        district: world.district.clone(),
        after: String::new(),
        from: "2026-01-01".to_owned(),
        to: world.today().await,
        is_revealed: revealed,
        reason: reason.to_owned(),
    };
    let mut stream = ConsultationServiceClient::new(client.channel())
        .export_register(client.request(request))
        .await?
        .into_inner();
    let mut entries = Vec::new();
    while let Some(part) = stream.message().await? {
        entries.extend(part.entries);
    }
    Ok(entries)
}

#[test]
fn bb_10_1_1c_the_register_is_complete_masked_and_revealed_only_on_record() {
    on_both_alone(|world| async move {
        let asked = Question::asked(&world).await.answered().await;
        let agent = delegate(&world);
        // Somebody who does not want to be named.
        let mut nameless = Question::before(&world, world.person(&agent));
        let mut request = registration(&world, &agent, String::new(), LICENCE);
        request.anonymity = "来电人不愿留姓名".to_owned();
        nameless.register(request).await.expect("registered");
        let referred = consult!(
            nameless,
            refer_consultation,
            ReferConsultationRequest {
                department: DEPARTMENT.to_owned(),
                question: "请问".to_owned(),
            }
        );
        refused(referred, "ANONYMOUS_NOT_POSSIBLE");
        let mut missing = Question::before(&world, world.person(&agent));
        let request = registration(&world, &agent, String::new(), LICENCE);
        refused(missing.register(request).await, "APPLICANT_MISSING");

        let auditor = Person {
            subject: "auditor".to_owned(),
            roles: vec!["auditor".to_owned()],
            region: "4205".to_owned(),
            ..Person::default()
        };
        let entries = register(&world, &auditor, false, "").await.expect("masked");
        let numbers: Vec<u64> = entries.iter().map(|e| e.number).collect();
        assert_eq!(numbers, [1, 2], "without gaps");
        let shop = &entries[0];
        assert_eq!(shop.consultation, asked.consultation.id);
        assert!(shop.name.contains('*') && shop.telephone.contains('*'));
        assert!(!shop.content.is_empty() && !shop.result.is_empty());
        assert_eq!(shop.gaps, Vec::<String>::new());
        assert_eq!(entries[1].name, "来电人不愿留姓名");

        refused(
            register(&world, &agent, true, "想看").await,
            "REVEAL_NOT_ALLOWED",
        );
        refused(register(&world, &auditor, true, "").await, "REASON_MISSING");
        let clear = register(&world, &auditor, true, "年度检查").await;
        let clear = clear.expect("revealed");
        assert!(clear[0].name.contains("罗记小吃店"), "{}", clear[0].name);
        assert_eq!(clear[0].telephone, "+8613900000038");
        let list = ListRevealsRequest {
            district: world.district.clone(),
            ..ListRevealsRequest::default()
        };
        let operator = world.operator();
        let reveals = ApplicantServiceClient::new(operator.channel())
            .list_reveals(operator.request(list))
            .await;
        let reveals = reveals.expect("listed").into_inner().reveals;
        assert!(
            reveals
                .iter()
                .any(|r| r.applicant == asked.consultation.applicant),
            "{reveals:?}"
        );
        world
    });
}
