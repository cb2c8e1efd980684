use bangban_consultation::rpc::folded;
use bangban_proto::bangban::consultation::v1::ConsultationState;
use bangban_store::act;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use super::world::{LI_NA, WANG_WEI, changed, reason, worlds};

#[tokio::test]
async fn a_repeated_request_gets_its_first_answer_and_another_body_is_refused() {
    for world in worlds("repeats").await {
        let c = world.registered().await;
        let mut client = world.client();
        let request = world.answering(&c.id);
        let first = client.answer_consultation(world.by(&LI_NA, request.clone()));
        let first = first.await.expect("answered").into_inner();
        let correction = bangban_proto::bangban::consultation::v1::RecordCorrectionRequest {
            district: c.district.clone(),
            request_id: uuid::Uuid::now_v7().to_string(),
            consultation: c.id.clone(),
            act: 3,
            text: "一百二十元".to_owned(),
            reason: "看错".to_owned(),
            ..Default::default()
        };
        let corrected = client.record_correction(world.by(&LI_NA, correction));
        assert_eq!(
            changed(corrected.await.expect("corrected"))
                .corrections
                .len(),
            1
        );
        let again = client.answer_consultation(world.by(&LI_NA, request.clone()));
        assert_eq!(again.await.expect("repeated").into_inner(), first);
        let mut other = request;
        other.text.push('。');
        let refused = client.answer_consultation(world.by(&LI_NA, other)).await;
        assert_eq!(reason(refused), "REQUEST_ID_REUSED");
    }
}

#[tokio::test]
async fn a_stale_etag_is_refused_and_only_the_responsible_agent_acts() {
    for world in worlds("etags").await {
        let c = world.registered().await;
        world.refer(&c.id, "health").await.expect("referred");
        let mut stale = world.answering(&c.id);
        stale.etag.clone_from(&c.etag);
        let mut client = world.client();
        let refused = client.answer_consultation(world.by(&LI_NA, stale)).await;
        assert_eq!(reason(refused), "STALE_ETAG");
        let request = world.by(&WANG_WEI, world.answering(&c.id));
        let refused = client.answer_consultation(request).await;
        assert_eq!(reason(refused), "NOT_RESPONSIBLE");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_answers_at_once_one_wins_and_the_other_is_told() {
    for world in worlds("race").await {
        let c = world.registered().await;
        let (a, b) = tokio::join!(world.answer(&c.id), world.answer(&c.id));
        let (won, lost) = if a.is_ok() { (a, b) } else { (b, a) };
        assert_eq!(won.expect("answered").state(), ConsultationState::Answered);
        assert_eq!(reason(lost), "OUT_OF_ORDER");
    }
}

#[tokio::test]
async fn bb_10_1_5_the_row_is_what_its_acts_lead_to() {
    for world in worlds("fold").await {
        let c = world.registered().await;
        world.refer(&c.id, "health").await.expect("referred");
        world.answer(&c.id).await.expect("answered");
        let acts = act::Entity::find()
            .filter(act::Column::Subject.eq(format!("consultations/{}", c.id)))
            .order_by_asc(act::Column::Number)
            .all(&world.store.db)
            .await
            .expect("acts");
        let state = world.get(&LI_NA, &c.id).await.expect("seen");
        assert_eq!(folded(&acts).expect("folded"), state);
        assert_eq!(acts.len() as u64, state.act_count);
        let mut previous = bangban_ledger::START;
        for act in &acts {
            assert_eq!(act::hash(&act.previous_hash), previous);
            previous = act.entry().hash(&previous);
            assert_eq!(act::hash(&act.hash), previous);
        }
    }
}
