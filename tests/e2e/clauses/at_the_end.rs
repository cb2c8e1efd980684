//! Delivery, and what is published.

use bangban_kit::refusal;
use bangban_proto::bangban::{
    casework::v1::{
        ConfirmReceiptRequest, DecisionOutcome, DeliverResultRequest, DeliveryMeans,
        FileAwayRequest, PromptEvaluationRequest, ReportDecisionRequest,
        case_service_client::CaseServiceClient,
    },
    directory::v1::{GetTransparencyRequest, catalogue_service_client::CatalogueServiceClient},
    types::v1::Channel,
};
use bangban_tests::{
    case::{Story, refused},
    command, on_both, request_id,
};

#[test]
fn bb_8b_what_is_published_is_complete_and_everybody_can_compute_it() {
    on_both(|world| async move {
        let request = GetTransparencyRequest {
            district: world.district.clone(),
            ..GetTransparencyRequest::default()
        };
        let told = CatalogueServiceClient::new(world.public.channel())
            .get_transparency(world.public.request(request))
            .await
            .expect("told")
            .into_inner();
        assert!(
            told.item_count >= 4 && told.complete_count == told.item_count,
            "{told:?}"
        );
        assert!(told.rate >= 1.0 && told.gaps.is_empty());
    });
}

#[test]
fn bb_10_1_3_what_is_posted_is_served_when_the_applicant_has_it() {
    on_both(|world| async move {
        let mut story = Story::opened(world).await.accepted().await.granted().await;
        command!(
            story,
            deliver_result,
            DeliverResultRequest {
                means: DeliveryMeans::Post.into(),
                carrier: "中国邮政".to_owned(),
                tracking_number: "EMS-1".to_owned(),
            }
        )
        .expect("sent");
        let delivery = story.case.delivery.clone().unwrap_or_default();
        assert!(delivery.sent_at.is_some() && delivery.received_at.is_none());
        command!(
            story,
            prompt_evaluation,
            PromptEvaluationRequest {
                channel: Channel::Phone.into()
            }
        )
        .expect("prompted");
        refused(
            command!(story, file_away, FileAwayRequest {}),
            "RECORD_INCOMPLETE",
        );
        let citizen = world.citizen(&story.case.id);
        let receipt = ConfirmReceiptRequest {
            district: story.district.clone(),
            request_id: request_id(),
            case: story.case.id.clone(),
            proof: "本人签收".to_owned(),
            received_at: delivery.sent_at,
            ..ConfirmReceiptRequest::default()
        };
        let mut cases = CaseServiceClient::new(citizen.channel());
        let confirmed = cases.confirm_receipt(citizen.request(receipt)).await;
        story.take(confirmed).expect("confirmed by the applicant");
        command!(story, file_away, FileAwayRequest {}).expect("filed away");
    });
}

#[test]
fn bb_10_1_3_a_refusal_is_delivered_too_with_its_remedies() {
    on_both(|world| async move {
        let mut story = Story::opened(world).await.accepted().await;
        let at = story.case.filing.clone().unwrap_or_default().filed_at;
        command!(
            story,
            report_decision,
            ReportDecisionRequest {
                outcome: DecisionOutcome::Refused.into(),
                number: "民政决-4".to_owned(),
                issuer: "秭归县民政局".to_owned(),
                decided_at: at,
                reason: "未满八十周岁".to_owned(),
                remedies_told: "六十日内可以申请行政复议".to_owned(),
            }
        )
        .expect("decided");
        let story = story.handed_over().await.filed_away().await;
        let decision = story
            .case
            .department_record
            .clone()
            .and_then(|r| r.decision)
            .unwrap_or_default();
        assert_eq!(decision.remedies_told, "六十日内可以申请行政复议");
    });
}

#[test]
fn bb_10_1_3_guidance_for_an_electronic_licence_is_on_record_before_delivery_counts() {
    on_both(|world| async move {
        let agent = world.sample.person("liu-chunyan").expect("in the sample");
        let mut story = Story::before(world, world.person(&agent));
        let mut request = story.opening(world, &agent, "luo-zhiqiang").await;
        request.item = "food-business-licence".to_owned();
        let answer = story.cases.open_case(story.client.request(request)).await;
        story.take(answer).expect("opened");
        let mut story = story.accepted().await.granted().await;
        let silent = command!(
            story,
            deliver_result,
            DeliverResultRequest {
                means: DeliveryMeans::Electronic.into(),
                identity_check: "实名登录".to_owned(),
            }
        );
        let status = refused(silent, "GUIDANCE_MISSING");
        assert_eq!(refusal::requirement(&status), "BB-10.1.3");
        command!(
            story,
            deliver_result,
            DeliverResultRequest {
                means: DeliveryMeans::Electronic.into(),
                identity_check: "实名登录".to_owned(),
                electronic_licence_guidance: "已示范在“我的证照”中下载和出示".to_owned(),
            }
        )
        .expect("delivered");
    });
}
