//! What is asked twice is done once.

use bangban_proto::bangban::casework::v1::{
    AcceptHandoverRequest, OfferHandoverRequest, case_service_client::CaseServiceClient,
};
use bangban_tests::{
    case::{Story, refused},
    on_both, request_id,
};

#[test]
fn bb_4_2a_a_repeated_hand_over_gives_its_first_answer() {
    on_both(|world| async move {
        let story = Story::opened(world).await;
        let receiver = world.sample.person("mei-xiaolan").expect("in the sample");
        let offer = OfferHandoverRequest {
            district: story.district.clone(),
            request_id: request_id(),
            case: story.case.id.clone(),
            etag: story.case.etag.clone(),
            to_agent: receiver.subject.clone(),
            to_site: receiver.site.clone(),
            reason: "她家离镇上近".to_owned(),
            ..OfferHandoverRequest::default()
        };
        let mut giver = story.cases.clone();
        let first = giver
            .offer_handover(story.client.request(offer.clone()))
            .await
            .expect("offered");
        let client = world.person(&receiver);
        let mut cases = CaseServiceClient::new(client.channel());
        let accept = AcceptHandoverRequest {
            district: story.district.clone(),
            request_id: request_id(),
            case: story.case.id.clone(),
            ..AcceptHandoverRequest::default()
        };
        let taken = cases
            .accept_handover(client.request(accept.clone()))
            .await
            .expect("accepted");
        let again = cases
            .accept_handover(client.request(accept.clone()))
            .await
            .expect("repeated");
        assert_eq!(taken.get_ref(), again.get_ref());
        let again = giver
            .offer_handover(story.client.request(offer.clone()))
            .await
            .expect("repeated");
        assert_eq!(first.get_ref(), again.get_ref());
        let other = OfferHandoverRequest {
            reason: "another".to_owned(),
            ..offer
        };
        refused(
            giver.offer_handover(story.client.request(other)).await,
            "REQUEST_ID_REUSED",
        );
        let agent = again.get_ref().case.as_ref().map(|c| c.agent.clone());
        assert_eq!(
            agent,
            Some("hu-yulian".to_owned()),
            "the giver was responsible until then"
        );
        let agent = taken.get_ref().case.as_ref().map(|c| c.agent.clone());
        assert_eq!(agent, Some(receiver.subject));
    });
}
