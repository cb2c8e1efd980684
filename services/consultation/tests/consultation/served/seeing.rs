use bangban_proto::bangban::{
    consultation::v1::{self as v1, ConsultationState},
    directory::v1::Applicant,
    types::v1::SpecialGroup,
};
use tonic::Code;
use uuid::Uuid;

use super::world::{CHEN_JUN, DISTRICT, LI_NA, Who, World, clerk, officer, reason, worlds};

fn listing() -> v1::ListConsultationsRequest {
    v1::ListConsultationsRequest {
        district: DISTRICT.to_owned(),
        ..v1::ListConsultationsRequest::default()
    }
}

async fn listed(world: &World, who: &Who) -> usize {
    let mut client = world.client();
    let answered = client.list_consultations(world.by(who, listing())).await;
    answered.expect("listed").into_inner().consultations.len()
}

#[tokio::test]
async fn bb_1_inside_above_beside_and_outside_every_read_knows_who_asks() {
    for world in worlds("scopes").await {
        let c = world.registered().await;
        for who in [
            officer("town", "supervisor", "420527100"),
            officer("county", "supervisor", "420527"),
            officer("province", "auditor", "42"),
        ] {
            assert_eq!(world.get(&who, &c.id).await.expect("seen").id, c.id);
            assert_eq!(listed(&world, &who).await, 1);
        }
        let beside = officer("beside", "supervisor", "420527200");
        for who in [&beside, &CHEN_JUN] {
            let refused = world.get(who, &c.id).await.expect_err("unseen");
            assert_eq!(refused.code(), Code::NotFound);
            assert_eq!(listed(&world, who).await, 0);
        }
        let outside = officer("outside", "supervisor", "420528");
        let refused = world.get(&outside, &c.id).await;
        assert_eq!(reason(refused), "SCOPE_OUTSIDE_DISTRICT");
        let citizen = officer("citizen", "citizen", "420527100");
        let refused = world.get(&citizen, &c.id).await;
        assert_eq!(reason(refused), "ROLE_NOT_ALLOWED");

        let rates = v1::GetConsultationRatesRequest {
            district: DISTRICT.to_owned(),
            from: "2020-01-01".to_owned(),
            to: "2099-01-01".to_owned(),
            ..v1::GetConsultationRatesRequest::default()
        };
        world.answer(&c.id).await.expect("answered");
        let mut client = world.client();
        for (who, count) in [(&LI_NA, 1), (&beside, 0)] {
            let answered = client.get_consultation_rates(world.by(who, rates.clone()));
            let answered = answered.await.expect("computed").into_inner();
            assert_eq!((answered.due_count, answered.closed_count), (count, count));
        }
        // What one cannot see, one cannot change either.
        let request = world.by(&CHEN_JUN, world.answering(&c.id));
        let refused = client.answer_consultation(request).await;
        assert_eq!(reason(refused), "CONSULTATION_UNKNOWN");
    }
}

#[tokio::test]
async fn bb_10_1_1b_a_department_sees_what_was_referred_to_it() {
    for world in worlds("department").await {
        let c = world.registered().await;
        world.registered().await;
        let (civil, health) = (clerk("civil-affairs"), clerk("health"));
        assert_eq!(listed(&world, &civil).await, 0);
        world.refer(&c.id, "civil-affairs").await.expect("referred");
        world
            .refer(&c.id, "civil-affairs")
            .await
            .expect("asked again");
        assert_eq!(
            (listed(&world, &civil).await, listed(&world, &health).await),
            (1, 0)
        );
        assert!(world.get(&civil, &c.id).await.is_ok());
        assert_eq!(
            reason(world.get(&health, &c.id).await),
            "CONSULTATION_UNKNOWN"
        );
        // A token that names no department is no key to the region.
        let nobody = clerk("");
        assert_eq!(
            reason(world.get(&nobody, &c.id).await),
            "TOKEN_DEPARTMENT_MISSING"
        );
    }
}

#[tokio::test]
async fn bb_7_1_1_lists_begin_with_special_groups_and_pages_neither_repeat_nor_miss() {
    for world in worlds("pages").await {
        let mut expected = Vec::new();
        for _ in 0..3 {
            expected.push(world.registered().await.id);
        }
        let elderly = Applicant {
            id: Uuid::now_v7().to_string(),
            name_mask: "王*".to_owned(),
            groups: vec![SpecialGroup::Elderly.into()],
            ..Applicant::default()
        };
        let mut contact = world.contact();
        contact.applicant.clone_from(&elderly.id);
        world.doubles.know(elderly);
        let mut client = world.client();
        let request = world.by(&LI_NA, contact);
        let first = super::world::done(client.register_consultation(request).await);
        expected.insert(0, first.id);

        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let request = v1::ListConsultationsRequest {
                page_size: 2,
                page_token: token,
                ..listing()
            };
            let page = client.list_consultations(world.by(&LI_NA, request)).await;
            let page = page.expect("a page").into_inner();
            seen.extend(page.consultations.into_iter().map(|c| c.id));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
            // One that is asked meanwhile comes at the end.
            if expected.len() == 4 {
                expected.push(world.registered().await.id);
            }
            let other = v1::ListConsultationsRequest {
                page_token: token.clone(),
                state: ConsultationState::Ended.into(),
                ..listing()
            };
            let refused = client.list_consultations(world.by(&LI_NA, other)).await;
            assert_eq!(reason(refused), "PAGE_TOKEN_INVALID");
        }
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn lists_are_narrowed_by_what_is_asked_for_and_leave_the_notices_text_out() {
    for world in worlds("filters").await {
        let open = world.registered().await;
        let answered = world.registered().await;
        world.answer(&answered.id).await.expect("answered");
        let mut client = world.client();
        let mut ids = async |change: &dyn Fn(&mut v1::ListConsultationsRequest)| {
            let mut request = listing();
            change(&mut request);
            let page = client.list_consultations(world.by(&LI_NA, request)).await;
            let page = page.expect("a page").into_inner().consultations;
            let notices = page
                .iter()
                .filter_map(|c| c.answer.as_ref()?.notice.clone());
            for notice in notices {
                assert!(notice.item.is_none() && notice.digest.len() == 32);
            }
            page.into_iter().map(|c| c.id).collect::<Vec<_>>()
        };
        let state = ConsultationState::Answered.into();
        assert_eq!(ids(&|r| r.state = state).await, [answered.id.as_str()]);
        assert_eq!(ids(&|r| r.agent = "wang-wei".to_owned()).await, [""; 0]);
        let far = prost_types::Timestamp {
            seconds: 4_000_000_000,
            nanos: 0,
        };
        assert_eq!(ids(&|r| r.due_before = Some(far)).await, [open.id.as_str()]);
        let applicant = &world.applicant;
        let all = ids(&|r| r.applicant.clone_from(applicant)).await;
        assert_eq!(all, [open.id, answered.id]);
    }
}
