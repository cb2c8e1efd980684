use bangban_consultation::tasks;
use bangban_learned::revision;
use bangban_proto::bangban::{
    consultation::v1,
    directory::v1::{Amendment, Calendar, DayKind},
};
use bangban_store::copy;
use chrono::TimeDelta;

use super::world::{DISTRICT, LI_NA, World, worlds};

async fn rates(world: &World) -> v1::GetConsultationRatesResponse {
    let request = v1::GetConsultationRatesRequest {
        district: DISTRICT.to_owned(),
        from: "2020-01-01".to_owned(),
        to: "2099-12-31".to_owned(),
        ..v1::GetConsultationRatesRequest::default()
    };
    let mut client = world.client();
    let answered = client.get_consultation_rates(world.by(&LI_NA, request));
    answered.await.expect("computed").into_inner()
}

#[tokio::test]
async fn bb_8c_a_warning_before_a_breach_after_and_the_rate_is_computed() {
    for world in worlds("breaches").await {
        let ten = world.on_a_working_day().await;
        assert_eq!(
            rates(&world).await.on_time_rate.to_bits(),
            1.0_f64.to_bits()
        );
        let answered = world.registered().await;
        world.answer(&answered.id).await.expect("answered");
        let late = world.registered().await;
        let referred = world.registered().await;
        world.refer(&referred.id, "health").await.expect("referred");
        assert_eq!(tasks::once(&world.learned).await.expect("swept"), 0);
        let counted = rates(&world).await;
        // What is not due yet does not count yet.
        assert_eq!((counted.due_count, counted.on_time_count), (1, 1));

        // A quarter past four: the same-day limit is warned of, and the next day's is a day away from five.
        world.advance_to(ten + TimeDelta::minutes(375)).await;
        assert_eq!(tasks::once(&world.learned).await.expect("swept"), 1);
        world.advance_to(ten + TimeDelta::minutes(421)).await;
        assert_eq!(tasks::once(&world.learned).await.expect("swept"), 2);
        let seen = world.get(&LI_NA, &late.id).await.expect("seen");
        assert_eq!(seen.breaches.len(), 1);
        assert_eq!(seen.breaches[0].subject, "li-na");
        let seen = world.get(&LI_NA, &referred.id).await.expect("seen");
        assert!(seen.breaches.is_empty() && seen.clocks[1].warned_at.is_some());
        assert_eq!(tasks::once(&world.learned).await.expect("swept"), 0);

        world.answer(&late.id).await.expect("answered late");
        let counted = rates(&world).await;
        assert_eq!((counted.due_count, counted.on_time_count), (2, 1));
        assert_eq!((counted.closed_count, counted.complete_count), (2, 2));
        assert!((counted.on_time_rate - 0.5).abs() < 1e-9);
        // The referred one: late once its day is over, also while nobody has answered.
        world
            .advance_to(ten + TimeDelta::days(1) + TimeDelta::hours(8))
            .await;
        let counted = rates(&world).await;
        assert_eq!((counted.due_count, counted.on_time_count), (3, 1));
        assert_eq!(tasks::once(&world.learned).await.expect("swept"), 1);
        world.answer(&referred.id).await.expect("answered later");
        let counted = rates(&world).await;
        // The department's answer never came: the record is incomplete (BB-8d).
        assert_eq!((counted.closed_count, counted.complete_count), (3, 2));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_8c_however_many_sweep_each_breach_is_recorded_once() {
    for world in worlds("replicas").await {
        let ten = world.on_a_working_day().await;
        let contacts = (0..12).map(|_| world.registered());
        futures::future::join_all(contacts).await;
        world.advance_to(ten + TimeDelta::days(1)).await;
        let (a, b) = tokio::join!(tasks::once(&world.learned), tasks::once(&world.learned));
        let rest = tasks::once(&world.learned).await.expect("swept");
        assert_eq!(a.expect("swept") + b.expect("swept") + rest, 12);
        let request = v1::ListConsultationsRequest {
            district: DISTRICT.to_owned(),
            page_size: 50,
            ..v1::ListConsultationsRequest::default()
        };
        let mut client = world.client();
        let listed = client.list_consultations(world.by(&LI_NA, request)).await;
        let listed = listed.expect("listed").into_inner().consultations;
        assert_eq!(listed.len(), 12);
        assert!(listed.iter().all(|c| c.breaches.len() == 1));
    }
}

#[tokio::test]
async fn bx_3_a_changed_calendar_moves_clocks_that_run_with_before_and_after() {
    for world in worlds("calendar").await {
        let ten = world.on_a_working_day().await;
        let c = world.registered().await;
        let moved = world.refer(&c.id, "health").await.expect("referred");
        let done = world.registered().await;
        world.answer(&done.id).await.expect("answered");
        let before = moved.clocks[1].due_at;
        let tomorrow = (ten + TimeDelta::days(1)).date_naive().to_string();
        let calendar = Calendar {
            amendments: vec![Amendment {
                date: tomorrow,
                kind: DayKind::Rest.into(),
                name: "县庆".to_owned(),
                citation: "县政府公告".to_owned(),
                ..Amendment::default()
            }],
            ..Calendar::default()
        };
        let (db, backend) = (&world.store.db, world.store.backend);
        copy::put(db, DISTRICT, "calendar", "calendar", &calendar)
            .await
            .expect("put");
        revision::changed(db, backend, Some(DISTRICT), "县庆放假")
            .await
            .expect("changed");
        revision::learned(db, backend, DISTRICT)
            .await
            .expect("learned");
        assert_eq!(tasks::once(&world.learned).await.expect("swept"), 1);
        let seen = world.get(&LI_NA, &c.id).await.expect("seen");
        let reply = &seen.clocks[1];
        assert_eq!(reply.recounts.len(), 1);
        assert_eq!(reply.recounts[0].before, before);
        assert_eq!(reply.recounts[0].reason, "县庆放假");
        assert!(reply.due_at.map(|d| d.seconds) > before.map(|d| d.seconds));
        // The clock that had ended stays, and nothing is left to do.
        assert!(seen.clocks[0].recounts.is_empty());
        let seen = world.get(&LI_NA, &done.id).await.expect("seen");
        assert!(seen.clocks[0].recounts.is_empty());
        assert_eq!(tasks::once(&world.learned).await.expect("swept"), 0);
    }
}
