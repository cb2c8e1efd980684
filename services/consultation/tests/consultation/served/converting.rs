use bangban_consultation::{domain::conversion, tasks};
use bangban_proto::bangban::{
    consultation::v1::{self as v1, Consultation, ConsultationState},
    options::v1::Role,
    types::v1::Channel,
};
use tonic::{Code, Status};
use uuid::Uuid;

use super::{
    doubles::Mood,
    world::{DISTRICT, LI_NA, SITE, WANG_WEI, World, changed, reason, worlds},
};

fn meant(id: &str) -> v1::ConvertConsultationRequest {
    v1::ConvertConsultationRequest {
        district: DISTRICT.to_owned(),
        request_id: Uuid::now_v7().to_string(),
        consultation: id.to_owned(),
        mode: Channel::Window.into(),
        ..v1::ConvertConsultationRequest::default()
    }
}

async fn convert(
    world: &World,
    request: &v1::ConvertConsultationRequest,
) -> Result<Consultation, Status> {
    let mut client = world.client();
    let request = world.by(&LI_NA, request.clone());
    client.convert_consultation(request).await.map(changed)
}

#[tokio::test]
async fn bb_4_2a_a_consultation_becomes_one_case_in_the_name_of_its_agent() {
    for world in worlds("convert").await {
        let c = world.registered().await;
        let request = meant(&c.id);
        let done = convert(&world, &request).await.expect("converted");
        assert_eq!(done.state(), ConsultationState::Converted);
        let made = done.conversion.as_ref().expect("it");
        assert_eq!(
            (made.case.as_str(), made.receipt.as_str()),
            ("case-1", "receipt-1")
        );
        let (caller, opened) = world.doubles.openings().remove(0);
        assert_eq!(
            (caller.subject.as_str(), caller.site.as_str()),
            ("li-na", SITE)
        );
        assert_eq!(caller.roles, [Role::Agent]);
        assert_eq!(
            (caller.region.as_str(), caller.via.as_str()),
            ("420527100", "consultation")
        );
        assert_eq!(opened.request_id, conversion::request_id(&c.id));
        assert_eq!(opened.consultation, c.id);
        // However it is asked again, the answer is the same and so is the case.
        assert_eq!(convert(&world, &request).await.expect("repeated"), done);
        let mut other = meant(&c.id);
        other.etag = "1".to_owned();
        assert_eq!(convert(&world, &other).await.expect("again"), done);
        assert_eq!(
            (world.doubles.openings().len(), world.doubles.case_count()),
            (1, 1)
        );
        let request = world.by(&WANG_WEI, meant(&c.id));
        let refused = world.client().convert_consultation(request).await;
        assert_eq!(reason(refused), "NOT_RESPONSIBLE");
    }
}

#[tokio::test]
async fn bb_4_2a_a_refusal_is_put_on_record_and_the_agent_goes_on() {
    for world in worlds("refused").await {
        let c = world.registered().await;
        world.doubles.casework(Mood::Refuses);
        let request = meant(&c.id);
        let refused = convert(&world, &request).await.expect_err("refused");
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert_eq!(bangban_kit::refusal::requirement(&refused), "BB-6.3");
        let seen = world.get(&LI_NA, &c.id).await.expect("seen");
        assert_eq!(seen.state(), ConsultationState::Open);
        let told = seen.conversion.expect("it").refused_reason;
        assert_eq!(told, "SKILL_MISSING：无技能认定");
        // A refusal is not remembered: the same request may succeed later.
        world.doubles.casework(Mood::Answers);
        let done = convert(&world, &request).await.expect("converted");
        assert_eq!(done.state(), ConsultationState::Converted);
    }
}

#[tokio::test]
async fn bb_4_2a_while_casework_is_away_the_giver_is_responsible_and_nothing_is_lost() {
    for world in worlds("away").await {
        let c = world.registered().await;
        world.doubles.casework(Mood::IsAway);
        let request = meant(&c.id);
        let waits = convert(&world, &request).await.expect_err("unavailable");
        assert_eq!(waits.code(), Code::Unavailable);
        assert_eq!(reason::<()>(Err(waits)), "CASEWORK_UNAVAILABLE");
        let seen = world.get(&LI_NA, &c.id).await.expect("seen");
        assert_eq!(
            (seen.state(), seen.agent.as_str()),
            (ConsultationState::Converting, "li-na")
        );
        assert_eq!(reason(world.answer(&c.id).await), "OUT_OF_ORDER");
        let swept = tasks::conversions(&world.learned, &world.casework).await;
        assert_eq!(swept.expect("swept"), 0);
        world.doubles.casework(Mood::Answers);
        // Another request goes on with what is meant.
        let done = convert(&world, &meant(&c.id)).await.expect("converted");
        assert_eq!(done.state(), ConsultationState::Converted);
        assert_eq!(convert(&world, &request).await.expect("again"), done);
        assert_eq!(world.doubles.case_count(), 1);
    }
}

#[tokio::test]
async fn bb_4_2a_a_lost_answer_makes_no_second_case_and_the_sweep_finds_the_first() {
    for world in worlds("dropped").await {
        let mut meant_ids = Vec::new();
        world.doubles.casework(Mood::Drops);
        for _ in 0..3 {
            let c = world.registered().await;
            let refused = convert(&world, &meant(&c.id)).await;
            assert_eq!(reason(refused), "CASEWORK_UNAVAILABLE");
            meant_ids.push(c.id);
        }
        assert_eq!(world.doubles.case_count(), 3);
        world.doubles.casework(Mood::Answers);
        let swept = tasks::conversions(&world.learned, &world.casework).await;
        assert_eq!(swept.expect("swept"), 3);
        assert_eq!(world.doubles.case_count(), 3);
        for (n, id) in meant_ids.iter().enumerate() {
            let seen = world.get(&LI_NA, id).await.expect("seen");
            let made = seen.conversion.as_ref().expect("it");
            assert_eq!(made.receipt, format!("receipt-{}", n + 1));
            // Whoever calls now gets what the sweep has put down.
            assert_eq!(convert(&world, &meant(id)).await.expect("again"), seen);
        }
        let swept = tasks::conversions(&world.learned, &world.casework).await;
        assert_eq!(swept.expect("swept"), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_4_2a_calls_and_sweeps_at_once_agree_on_one_case() {
    for world in worlds("together").await {
        let c = world.registered().await;
        let (first, second) = (meant(&c.id), meant(&c.id));
        let (a, b, swept) = tokio::join!(
            convert(&world, &first),
            convert(&world, &second),
            tasks::conversions(&world.learned, &world.casework)
        );
        assert_eq!(a.expect("converted"), b.expect("converted"));
        assert!(swept.expect("swept") <= 1);
        assert_eq!(world.doubles.case_count(), 1);
    }
}
