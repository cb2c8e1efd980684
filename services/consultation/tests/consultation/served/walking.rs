use bangban_proto::bangban::consultation::v1::{self as v1, ConsultationState};
use uuid::Uuid;

use super::world::{DISTRICT, LI_NA, clerk, done, reason, worlds};
use crate::story::told;

#[tokio::test]
async fn bb_10_1_1_a_question_goes_its_way_from_the_window_to_the_answer() {
    for world in worlds("walk").await {
        let now = world.on_a_working_day().await;
        let c = world.registered().await;
        assert_eq!((c.number, c.state()), (1, ConsultationState::Open));
        assert_eq!(
            (c.region.as_str(), c.agent.as_str()),
            ("420527100", "li-na")
        );
        assert_eq!(c.applicant_mask, "林*娥");
        let due = c.next_due_at.as_ref().expect("a due time");
        let closing = now.date_naive().and_hms_opt(17, 0, 0).expect("an hour");
        assert_eq!(due.seconds, (closing.and_utc().timestamp()) - 8 * 3600);
        assert_eq!(world.get(&LI_NA, &c.id).await.expect("seen"), c);

        let c = world.refer(&c.id, "civil-affairs").await.expect("referred");
        let request = v1::AnswerReferralRequest {
            district: DISTRICT.to_owned(),
            request_id: Uuid::now_v7().to_string(),
            consultation: c.id.clone(),
            number: 1,
            answer: "不能".to_owned(),
            issuer: "老龄股".to_owned(),
            answered_at: Some(bangban_store::clock::timestamp(world.now().await.to_utc())),
            ..v1::AnswerReferralRequest::default()
        };
        let department = clerk("civil-affairs");
        let request = world.by(&department, request);
        let c = done(world.client().answer_referral(request).await);
        assert_eq!(c.state(), ConsultationState::Referred);

        let c = world.answer(&c.id).await.expect("answered");
        let answer = c.answer.as_ref().expect("the answer");
        assert_eq!(answer.text, told().text);
        let notice = answer.notice.as_ref().expect("the notice");
        // The version in force, not the older one, nor that of the item whose code begins alike.
        assert_eq!(notice.item.as_ref().expect("an item").version, 2);
        assert!(c.is_demonstration && c.next_due_at.is_none());

        let explain = v1::ExplainReplyTimeRequest {
            district: DISTRICT.to_owned(),
            consultation: c.id.clone(),
            clock: "reply".to_owned(),
            ..v1::ExplainReplyTimeRequest::default()
        };
        let mut client = world.client();
        let told = client.explain_reply_time(world.by(&LI_NA, explain.clone()));
        let told = told.await.expect("explained").into_inner();
        let counted: Vec<_> = told.days.iter().filter(|d| d.is_counted).collect();
        assert_eq!(counted.len(), 1);
        assert_eq!(told.due_at, c.clocks[1].due_at);
        let other = v1::ExplainReplyTimeRequest {
            clock: "decision".to_owned(),
            ..explain
        };
        let refused = client.explain_reply_time(world.by(&LI_NA, other)).await;
        assert_eq!(reason(refused), "CLOCK_UNKNOWN");
    }
}

#[tokio::test]
async fn bb_10_1_1c_what_cannot_be_registered_is_refused_with_its_reason() {
    for world in worlds("refusals").await {
        let mut client = world.client();
        let mut register = async |change: &dyn Fn(&mut v1::RegisterConsultationRequest)| {
            let mut request = world.contact();
            change(&mut request);
            let answered = client.register_consultation(world.by(&LI_NA, request));
            reason(answered.await)
        };
        let nobody = Uuid::now_v7().to_string();
        assert_eq!(
            register(&|r| r.applicant.clear()).await,
            "APPLICANT_MISSING"
        );
        assert_eq!(
            register(&|r| r.applicant.clone_from(&nobody)).await,
            "APPLICANT_UNKNOWN"
        );
        assert_eq!(
            register(&|r| r.item = "old-age".to_owned()).await,
            "ITEM_NOT_PUBLISHED"
        );
        assert_eq!(
            register(&|r| r.site = "station-420527200".to_owned()).await,
            "STAFF_OF_ANOTHER_SITE"
        );
        assert_eq!(
            register(&|r| r.district = "yiling".to_owned()).await,
            "DISTRICT_UNKNOWN"
        );
        assert_eq!(
            register(&|r| r.question = "电话13800138000".to_owned()).await,
            "PERSONAL_DATA_IN_TEXT"
        );
        world.doubles.directory_is_away(true);
        assert_eq!(register(&|_| ()).await, "DIRECTORY_UNAVAILABLE");
        world.doubles.directory_is_away(false);
        // None of them has cost a number.
        assert_eq!(world.registered().await.number, 1);
    }
}
