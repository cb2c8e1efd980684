//! Progress, responsibility, and the department.

use bangban_kit::refusal;
use bangban_proto::bangban::{
    casework::v1::{
        AcceptHandoverRequest, AnswerProblemRequest, CaseState, CloseContactRequest, ContactReason,
        DeclineHandoverRequest, FileAwayRequest, GetProgressRequest, GetProgressResponse,
        OfferHandoverRequest, OpenContactRequest, PromptEvaluationRequest, RaiseProblemRequest,
        ReportCorrectionNoticeRequest, ReportDepartmentStatusRequest,
        case_service_client::CaseServiceClient,
    },
    types::v1::{Channel, TimeUnit},
};
use bangban_tests::{
    World,
    case::{Story, refused},
    command, on_both, request_id,
};
use tonic::Status;

async fn progress(
    world: &World,
    receipt: &str,
    document_end: &str,
) -> Result<GetProgressResponse, Status> {
    let request = GetProgressRequest {
        district: world.district.clone(),
        receipt: receipt.to_owned(),
        document_end: document_end.to_owned(),
    };
    let mut cases = CaseServiceClient::new(world.public.channel());
    cases
        .get_progress(world.public.request(request))
        .await
        .map(tonic::Response::into_inner)
}

#[test]
fn bb_4_2b_the_applicant_sees_the_progress_with_receipt_and_proof() {
    on_both(|world| async move {
        let story = Story::opened(world).await;
        let receipt = story.case.receipt.clone();
        let end = world
            .sample
            .old_woman()
            .expect("in the sample")
            .document_end();
        let told = progress(world, &receipt, &end).await.expect("told");
        assert_eq!((told.state(), told.steps.len()), (CaseState::Open, 1));
        let story = story.accepted().await;
        let told = progress(world, &receipt, &end).await.expect("told");
        let decision = story
            .case
            .clocks
            .iter()
            .find(|c| c.id == "decision")
            .expect("a clock");
        assert_eq!(
            (told.state(), told.due_at),
            (CaseState::Accepted, decision.due_at)
        );
        let text = format!("{told:?}");
        for word in ["高龄", "津贴", "林", "民政"] {
            assert!(!text.contains(word), "neighbours read along: {word}");
        }
        let dictated = receipt.replace('-', " ");
        assert!(
            progress(world, &dictated, &end.to_lowercase())
                .await
                .is_ok(),
            "as it is dictated"
        );
        let wrong_proof = progress(world, &receipt, "080021").await;
        let wrong_proof = refused(wrong_proof, "PROGRESS_UNKNOWN");
        // A number that nobody holds: one of ten check digits is right.
        let (rest, _) = receipt.rsplit_once('-').expect("a check digit");
        let mut serial = rest.to_owned();
        let last = serial.pop();
        serial.push(if last == Some('0') { '1' } else { '0' });
        let mut unknown = Vec::new();
        for check in 0..10 {
            let answer = progress(world, &format!("{serial}-{check}"), &end).await;
            let status = answer.expect_err("nobody's");
            if refusal::reason(&status) != "RECEIPT_CHECK_DIGIT_WRONG" {
                unknown.push(status.message().to_owned());
            }
        }
        assert_eq!(unknown, [wrong_proof.message()], "told alike");
    });
}

#[test]
fn bb_4_2b_after_ten_wrong_proofs_a_receipt_stays_closed_for_the_right_one_too() {
    on_both(|world| async move {
        let receipt = Story::opened(world).await.case.receipt;
        let end = world
            .sample
            .old_woman()
            .expect("in the sample")
            .document_end();
        for guess in 0..10 {
            refused(
                progress(world, &receipt, &format!("{guess:06}")).await,
                "PROGRESS_UNKNOWN",
            );
        }
        refused(progress(world, &receipt, &end).await, "PROGRESS_UNKNOWN");
        let other = Story::opened(world).await.case.receipt;
        assert!(
            progress(world, &other, &end).await.is_ok(),
            "another receipt is open"
        );
    });
}

#[test]
fn bb_4_2d_a_problem_with_the_department_has_an_answer_due() {
    on_both(|world| async move {
        let mut story = Story::opened(world).await.delivered().await;
        command!(
            story,
            raise_problem,
            RaiseProblemRequest {
                text: "系统查不到户籍".to_owned(),
                unit: TimeUnit::WorkingDay.into(),
                amount: 2,
            }
        )
        .expect("raised");
        let clock = story
            .case
            .clocks
            .iter()
            .find(|c| c.id == "problem-1")
            .cloned()
            .unwrap_or_default();
        assert!(clock.due_at.is_some() && clock.ended_at.is_none());
        command!(
            story,
            prompt_evaluation,
            PromptEvaluationRequest {
                channel: Channel::Window.into()
            }
        )
        .expect("prompted");
        let early = command!(story, file_away, FileAwayRequest {});
        let status = refused(early, "RECORD_INCOMPLETE");
        assert!(status.message().contains("problem"), "{}", status.message());

        let clerk = world.clerk("civil-affairs-bureau");
        let answer = AnswerProblemRequest {
            district: story.district.clone(),
            request_id: request_id(),
            case: story.case.id.clone(),
            number: 1,
            answer: "已修复".to_owned(),
            ..AnswerProblemRequest::default()
        };
        let mut department = CaseServiceClient::new(clerk.channel());
        let answered = department.answer_problem(clerk.request(answer)).await;
        story.take(answered).expect("answered by the department");
        let clock = story
            .case
            .clocks
            .iter()
            .find(|c| c.id == "problem-1")
            .cloned()
            .unwrap_or_default();
        assert!(clock.ended_at.is_some());
        command!(story, file_away, FileAwayRequest {}).expect("filed away");
    });
}

/// Hands the case to somebody, who accepts.
async fn hand_over(world: &World, mut story: Story, to: &str) -> Story {
    let receiver = world.sample.person(to).expect("in the sample");
    let giver = story.case.agent.clone();
    command!(
        story,
        offer_handover,
        OfferHandoverRequest {
            to_agent: receiver.subject.clone(),
            to_site: receiver.site.clone(),
            reason: "就近办理".to_owned(),
        }
    )
    .expect("offered");
    command!(
        story,
        open_contact,
        OpenContactRequest {
            reason: ContactReason::Progress.into(),
            text: "移交中".to_owned(),
        }
    )
    .expect("until it is accepted the giver is responsible");
    assert_eq!(story.case.agent, giver);
    story.client = world.person(&receiver);
    command!(story, accept_handover, AcceptHandoverRequest {}).expect("accepted");
    assert_eq!(
        (&story.case.agent, &story.case.site),
        (&receiver.subject, &receiver.site)
    );
    assert_eq!(story.case.region, receiver.region);
    story
}

#[test]
fn bb_4_3_a_matter_goes_up_across_and_down_and_each_hop_is_on_record() {
    on_both(|world| async move {
        let story = Story::opened(world).await;
        let first = story.client.clone();
        let mut story = story;
        for to in ["mei-xiaolan", "liu-chunyan", "shen-xia"] {
            story = hand_over(world, story, to).await;
        }
        let hops: Vec<_> = story
            .case
            .handovers
            .iter()
            .map(|h| {
                (
                    h.from_agent.as_str(),
                    h.to_agent.as_str(),
                    h.accepted_at.is_some(),
                )
            })
            .collect();
        assert_eq!(
            hops,
            [
                ("hu-yulian", "mei-xiaolan", true),
                ("mei-xiaolan", "liu-chunyan", true),
                ("liu-chunyan", "shen-xia", true)
            ]
        );
        // One who is not responsible any more does nothing, and one who declines changes nothing.
        story.client = first;
        let late = command!(
            story,
            open_contact,
            OpenContactRequest {
                reason: ContactReason::Progress.into(),
                text: "进度".to_owned(),
            }
        );
        assert!(late.is_err());
        story.client = world.staff("shen-xia");
        let receiver = world.sample.person("xu-aizhen").expect("in the sample");
        command!(
            story,
            offer_handover,
            OfferHandoverRequest {
                to_agent: receiver.subject.clone(),
                to_site: receiver.site.clone(),
                reason: "休假".to_owned(),
            }
        )
        .expect("offered");
        story.client = world.person(&receiver);
        command!(
            story,
            decline_handover,
            DeclineHandoverRequest {
                reason: "也在休假".to_owned()
            }
        )
        .expect("declined");
        assert_eq!(story.case.agent, "shen-xia");
    });
}

#[test]
fn bb_4_3b_the_departments_number_and_status_are_kept_as_they_come() {
    on_both(|world| async move {
        let mut story = Story::opened(world).await.filed().await;
        for (number, status) in [
            ("", "已收件"),
            ("民政-7", "审核中"),
            ("", "公示中"),
            ("民政-7", "待审定"),
        ] {
            command!(
                story,
                report_department_status,
                ReportDepartmentStatusRequest {
                    number: number.to_owned(),
                    status: status.to_owned(),
                }
            )
            .expect("reported");
        }
        let record = story.case.department_record.clone().unwrap_or_default();
        let statuses: Vec<&str> = record.statuses.iter().map(|s| s.status.as_str()).collect();
        assert_eq!(record.number, "民政-7");
        assert_eq!(statuses, ["已收件", "审核中", "公示中", "待审定"]);
    });
}

#[test]
fn bb_10_2_3_a_correction_notice_opens_a_contact_with_its_own_limit() {
    on_both(|world| async move {
        let mut story = Story::opened(world).await.filed().await;
        let at = story.case.filing.clone().unwrap_or_default().filed_at;
        command!(
            story,
            report_correction_notice,
            ReportCorrectionNoticeRequest {
                number: "补-1".to_owned(),
                materials: vec!["household-register".to_owned()],
                text: "请补户口簿首页".to_owned(),
                issuer: "秭归县民政局".to_owned(),
                issued_at: at,
            }
        )
        .expect("reported");
        let clock = story
            .case
            .clocks
            .iter()
            .find(|c| c.id == "contact-1")
            .cloned()
            .unwrap_or_default();
        assert!(clock.due_at.is_some() && clock.ended_at.is_none());
        command!(
            story,
            close_contact,
            CloseContactRequest {
                number: 1,
                is_reached: true,
                outcome: "明天带来".to_owned(),
                channel: Channel::Phone.into(),
            }
        )
        .expect("closed");
        let clock = story
            .case
            .clocks
            .iter()
            .find(|c| c.id == "contact-1")
            .cloned()
            .unwrap_or_default();
        assert!(clock.ended_at.is_some());
    });
}
