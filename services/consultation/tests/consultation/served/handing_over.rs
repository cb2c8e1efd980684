use bangban_proto::bangban::consultation::v1::{self as v1, Consultation};
use tonic::Status;
use uuid::Uuid;

use super::world::{
    CHEN_JUN, DISTRICT, ELSEWHERE, LI_NA, WANG_WEI, Who, World, changed, reason, worlds,
};

async fn offer(world: &World, id: &str, to: &str, site: &str) -> Result<Consultation, Status> {
    let request = v1::OfferHandoverRequest {
        district: DISTRICT.to_owned(),
        request_id: Uuid::now_v7().to_string(),
        consultation: id.to_owned(),
        to_agent: to.to_owned(),
        to_site: site.to_owned(),
        reason: "户籍在邻镇".to_owned(),
        ..v1::OfferHandoverRequest::default()
    };
    let mut client = world.client();
    let answered = client.offer_handover(world.by(&LI_NA, request)).await;
    answered.map(changed)
}

async fn accept(world: &World, who: &Who, id: &str) -> Result<Consultation, Status> {
    let request = v1::AcceptHandoverRequest {
        district: DISTRICT.to_owned(),
        request_id: Uuid::now_v7().to_string(),
        consultation: id.to_owned(),
        ..v1::AcceptHandoverRequest::default()
    };
    let mut client = world.client();
    let answered = client.accept_handover(world.by(who, request)).await;
    answered.map(changed)
}

#[tokio::test]
async fn bb_4_2a_a_receiver_in_another_town_sees_it_from_the_offer_on_and_accepts() {
    for world in worlds("handover").await {
        let c = world.registered().await;
        let unseen = world.get(&CHEN_JUN, &c.id).await;
        assert_eq!(reason(unseen), "CONSULTATION_UNKNOWN");
        offer(&world, &c.id, "chen-jun", ELSEWHERE)
            .await
            .expect("offered");
        let seen = world.get(&CHEN_JUN, &c.id).await.expect("seen");
        assert_eq!(seen.agent, "li-na");
        let refused = accept(&world, &WANG_WEI, &c.id).await;
        assert_eq!(reason(refused), "NOT_THE_RECEIVER");
        let moved = accept(&world, &CHEN_JUN, &c.id).await.expect("accepted");
        assert_eq!(
            (moved.agent.as_str(), moved.region.as_str()),
            ("chen-jun", "420527200")
        );
        // It belongs to the other town now.
        let unseen = world.get(&LI_NA, &c.id).await;
        assert_eq!(reason(unseen), "CONSULTATION_UNKNOWN");
    }
}

#[tokio::test]
async fn bb_4_2a_a_receiver_who_declines_sees_it_no_more() {
    for world in worlds("decline").await {
        let c = world.registered().await;
        offer(&world, &c.id, "chen-jun", ELSEWHERE)
            .await
            .expect("offered");
        let request = v1::DeclineHandoverRequest {
            district: DISTRICT.to_owned(),
            request_id: Uuid::now_v7().to_string(),
            consultation: c.id.clone(),
            reason: "不在岗".to_owned(),
            ..v1::DeclineHandoverRequest::default()
        };
        let mut client = world.client();
        let declined = client.decline_handover(world.by(&CHEN_JUN, request)).await;
        assert_eq!(changed(declined.expect("declined")).agent, "li-na");
        let unseen = world.get(&CHEN_JUN, &c.id).await;
        assert_eq!(reason(unseen), "CONSULTATION_UNKNOWN");
    }
}

#[tokio::test]
async fn bb_5_2_bb_6_1_directory_is_asked_about_the_receiver_at_the_offer_and_again_when_it_counts()
{
    for world in worlds("receiver").await {
        let c = world.registered().await;
        let refused = offer(&world, &c.id, "nobody", ELSEWHERE).await;
        assert_eq!(reason(refused), "STAFF_UNKNOWN");
        world.doubles.enrol("niece", ELSEWHERE, &[&world.applicant]);
        let refused = offer(&world, &c.id, "niece", ELSEWHERE).await;
        assert_eq!(reason(refused), "CONFLICT_OF_INTEREST");
        offer(&world, &c.id, "chen-jun", ELSEWHERE)
            .await
            .expect("offered");
        world.doubles.suspend("chen-jun");
        let refused = accept(&world, &CHEN_JUN, &c.id).await;
        assert_eq!(reason(refused), "STAFF_NOT_ACTIVE");
        let seen = world.get(&LI_NA, &c.id).await.expect("seen");
        assert_eq!(seen.agent, "li-na");
    }
}
