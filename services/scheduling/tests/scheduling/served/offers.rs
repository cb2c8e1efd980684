//! What becomes of an offer: declined, left, run out, raced for (BB-7.1.1).

use bangban_proto::bangban::{
    scheduling::v1::{self as v1, OfferOutcome, WaitingState},
    types::v1::SpecialGroup,
};
use chrono::{Days, TimeDelta};

use super::{
    ask::{
        accept, beside, cancel, day, decline, extend, id, joined, leave, moved, put_template,
        release, seen,
    },
    world::{CHEN_JUN, LI_NA, OTHER_ITEM, SITE, World, at, reason, slot, worlds},
};

async fn stands(world: &World, waiting: &str) -> (WaitingState, Vec<OfferOutcome>) {
    let place = seen(world, waiting).await.waiting.expect("a place");
    let outcomes = place.offers.iter().map(v1::Offer::outcome).collect();
    (place.state(), outcomes)
}

const OPEN: OfferOutcome = OfferOutcome::Unspecified;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_a_declined_offer_goes_to_the_next_and_meanwhile_nobody_else_takes_its_seat() {
    for world in worlds("declined").await {
        world.without_cooling().await;
        let date = world.published(1, 0).await;
        let day = date.to_string();
        let given_up = world.booked(&slot(date, 0)).await;
        let other = world.booked(&slot(date, 1)).await;
        let second = joined(&world, &world.person(&[]), &day).await;
        let third = joined(&world, &world.person(&[]), &day).await;
        let first = joined(&world, &world.person(&[SpecialGroup::Disabled]), &day).await;
        for (waiting, ahead, zh, en) in [
            (&first, 0, "残疾人", "special group (disabled)"),
            (&second, 1, "登记先后", "in the order of joining"),
            (&third, 2, "前面有 2 人", "2 people are ahead"),
        ] {
            let told = seen(&world, &waiting.id).await;
            let order = told.order.expect("an explanation");
            assert_eq!(told.ahead_count, ahead);
            assert!(order.zh.contains(zh), "{}", order.zh);
            assert!(order.en.contains(en), "{}", order.en);
        }
        cancel(&world, &given_up.id).await.expect("cancelled");
        world.sweep().await;
        let offered = seen(&world, &first.id).await.waiting.expect("a place");
        let hold = offered.offers[0].hold.clone().expect("a hold");
        assert_eq!(hold.slot, slot(date, 0));

        let late = world.person(&[SpecialGroup::Elderly]);
        assert_eq!(reason(world.hold(&slot(date, 0), &late).await), "SLOT_FULL");
        let there = moved(&world, &other.id, &slot(date, 0)).await;
        assert_eq!(reason(there), "SLOT_FULL");
        assert_eq!(reason(world.confirm(&hold).await), "HOLD_OF_ANOTHER");
        let longer = extend(&world, &CHEN_JUN, &hold).await;
        assert_eq!(reason(longer), "HOLD_OF_ANOTHER");
        for who in [&LI_NA, &CHEN_JUN] {
            let gone = release(&world, who, &hold).await;
            assert_eq!(reason(gone), "HOLD_OF_ANOTHER");
        }
        for waiting in [&second, &third] {
            assert_eq!(reason(accept(&world, &waiting.id).await), "OFFER_UNKNOWN");
            let declined = decline(&world, &waiting.id, &id()).await;
            assert_eq!(reason(declined), "OFFER_UNKNOWN");
        }
        assert_eq!(world.free(date).await[0], (0, 0));

        let request = id();
        let declined = decline(&world, &first.id, &request).await;
        let declined = declined.expect("declined");
        assert_eq!(declined.state(), WaitingState::Waiting);
        world.sweep().await;
        let again = decline(&world, &first.id, &request).await;
        assert_eq!(again.expect("the first answer"), declined);
        assert_eq!(reason(accept(&world, &first.id).await), "OFFER_UNKNOWN");
        let waits = (WaitingState::Waiting, vec![OfferOutcome::Declined]);
        assert_eq!(stands(&world, &first.id).await, waits);
        let offered = (WaitingState::Offered, vec![OPEN]);
        assert_eq!(stands(&world, &second.id).await, offered);
        let nothing = (WaitingState::Waiting, vec![]);
        assert_eq!(stands(&world, &third.id).await, nothing);
        let booking = accept(&world, &second.id).await.expect("accepted");
        assert_eq!(booking.slot, slot(date, 0));
        assert_eq!(world.sweep().await, 0, "no seat is left to offer");
        assert_eq!(stands(&world, &third.id).await, nothing);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_who_leaves_the_list_is_passed_over_and_lets_the_offered_seat_go() {
    for world in worlds("left").await {
        world.without_cooling().await;
        let date = world.published(1, 0).await;
        let day = date.to_string();
        let given_up = world.booked(&slot(date, 0)).await;
        let person = world.person(&[]);
        let first = joined(&world, &person, &day).await;
        let second = joined(&world, &world.person(&[]), &day).await;
        let third = joined(&world, &world.person(&[]), &day).await;
        let left = leave(&world, &first.id).await.expect("left");
        assert!(left.state() == WaitingState::Left && left.ended_at.is_some());
        assert_eq!(seen(&world, &second.id).await.ahead_count, 0);
        cancel(&world, &given_up.id).await.expect("cancelled");
        world.sweep().await;
        let gone = (WaitingState::Left, vec![]);
        assert_eq!(stands(&world, &first.id).await, gone);
        let offered = (WaitingState::Offered, vec![OPEN]);
        assert_eq!(stands(&world, &second.id).await, offered);
        // With the offer in hand.
        leave(&world, &second.id).await.expect("left");
        world.sweep().await;
        let gone = (WaitingState::Left, vec![OfferOutcome::Declined]);
        assert_eq!(stands(&world, &second.id).await, gone);
        assert_eq!(stands(&world, &third.id).await, offered);
        assert_eq!(reason(leave(&world, &second.id).await), "OUT_OF_ORDER");
        let declined = decline(&world, &second.id, &id()).await;
        assert_eq!(reason(declined), "OUT_OF_ORDER");
        assert_eq!(reason(accept(&world, &second.id).await), "OFFER_UNKNOWN");
        accept(&world, &third.id).await.expect("accepted");
        assert_eq!(reason(leave(&world, &third.id).await), "OUT_OF_ORDER");
        // Who left may come back, behind the others, and leaves by itself when the last day is over.
        let again = joined(&world, &person, &day).await;
        world.advance_to(at(date + Days::new(1), 0, 1)).await;
        world.sweep().await;
        let over = (WaitingState::Left, vec![]);
        assert_eq!(stands(&world, &again.id).await, over);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_an_offer_that_runs_out_goes_to_the_next_who_may_have_it_and_then_to_everybody() {
    for world in worlds("ranout").await {
        world.without_cooling().await;
        let date = world.published(1, 0).await;
        let day = date.to_string();
        let given_up = world.booked(&slot(date, 0)).await;
        let first = joined(&world, &world.person(&[]), &day).await;
        let has_enough = world.person(&[]);
        let passed_over = joined(&world, &has_enough, &day).await;
        let last = joined(&world, &world.person(&[]), &day).await;
        let hold = world.hold(&slot(date, 2), &has_enough).await.expect("held");
        world.confirm(&hold).await.expect("confirmed");
        cancel(&world, &given_up.id).await.expect("cancelled");
        world.sweep().await;
        let half_an_hour = TimeDelta::seconds(1801);
        world.advance_to(world.now().await + half_an_hour).await;
        // Too late, though nobody has taken it back yet.
        assert_eq!(reason(accept(&world, &first.id).await), "HOLD_EXPIRED");
        world.sweep().await;
        let ran_out = (WaitingState::Waiting, vec![OfferOutcome::Expired]);
        assert_eq!(stands(&world, &first.id).await, ran_out);
        assert_eq!(reason(accept(&world, &first.id).await), "OFFER_UNKNOWN");
        let nothing = (WaitingState::Waiting, vec![]);
        assert_eq!(stands(&world, &passed_over.id).await, nothing);
        let offered = (WaitingState::Offered, vec![OPEN]);
        assert_eq!(stands(&world, &last.id).await, offered);
        world.advance_to(world.now().await + half_an_hour).await;
        world.sweep().await;
        assert_eq!(stands(&world, &last.id).await, ran_out);
        assert_eq!(world.free(date).await[0], (1, 0), "everybody's again");
        world.booked(&slot(date, 0)).await;
    }
}

/// Holds and releases the overlapping seat again and again, until an offer is in the way or none came.
async fn tries(world: &World, overlapping: String, person: String, waiting: String) {
    for _ in 0..30 {
        let request = v1::HoldSlotRequest {
            item: OTHER_ITEM.to_owned(),
            ..World::holding(&overlapping, &person)
        };
        let request = world.by(&LI_NA, request);
        let hold = match world.booking().hold_slot(request).await {
            Ok(hold) => hold.into_inner(),
            Err(refused) => match reason::<()>(Err(refused)).as_str() {
                "BOOKINGS_OVERLAP" => return,
                "SLOT_FULL" | "SLOT_BUSY" => continue,
                other => panic!("{other}"),
            },
        };
        let (state, _) = stands(world, &waiting).await;
        assert_eq!(state, WaitingState::Waiting, "in two places at once");
        let gone = release(world, &LI_NA, &hold).await;
        gone.expect("released");
        // Now and then an offer finds the person as they were read.
        let pause = rand::random_range(0..20);
        tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_nobody_is_offered_a_seat_at_the_time_of_one_that_they_take_at_the_same_moment() {
    for world in worlds("atonce").await {
        world.without_cooling().await;
        put_template(&world, beside(40)).await;
        let date = world.published(12, 0).await;
        let slots = day(&world, SITE, date).await.expect("a day").slots;
        let of = |group: &str| {
            let mut slots = slots.iter();
            let slot = slots.find(|slot| slot.group == group);
            slot.expect("a slot").id.clone()
        };
        let (wanted, overlapping) = (of("benefits"), of("licences"));
        let mut people = Vec::new();
        let mut given_up = Vec::new();
        for _ in 0..12 {
            given_up.push(world.booked(&wanted).await.id);
            let person = world.person(&[]);
            let waiting = joined(&world, &person, &date.to_string()).await.id;
            people.push((person, waiting));
        }
        for booking in given_up {
            cancel(&world, &booking).await.expect("cancelled");
        }
        let all = people.iter().map(|(person, waiting)| {
            tries(&world, overlapping.clone(), person.clone(), waiting.clone())
        });
        let all = futures::future::join_all(all);
        let mut all = std::pin::pin!(all);
        loop {
            tokio::select! {
                _ = &mut all => break,
                _ = world.sweep() => {}
            }
        }
        let mut offers = 0;
        for (_, waiting) in &people {
            offers += usize::from(stands(&world, waiting).await.0 == WaitingState::Offered);
        }
        assert!(offers > 0, "offers were made meanwhile");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_an_offer_is_kept_for_longer_once_for_anybody_and_ten_times_for_the_assisted() {
    for (groups, most) in [(vec![], 1), (vec![SpecialGroup::Disabled], 10)] {
        for world in worlds(&format!("offer_longer_{most}")).await {
            world.without_cooling().await;
            let date = world.published(1, 0).await;
            let given_up = world.booked(&slot(date, 0)).await;
            let place = joined(&world, &world.person(&groups), &date.to_string()).await;
            cancel(&world, &given_up.id).await.expect("cancelled");
            world.sweep().await;
            let offer = async || {
                let place = seen(&world, &place.id).await.waiting.expect("a place");
                assert_eq!(place.state(), WaitingState::Offered, "{place:?}");
                assert_eq!(place.offers.len(), 1, "{place:?}");
                place.offers[0].hold.clone().expect("a hold")
            };
            let first = offer().await;
            assert_eq!(first.extensions_left, most);
            for left in (0..most).rev() {
                let now = world.now().await;
                world.advance_to(now + TimeDelta::seconds(1500)).await;
                let before = world.now().await.timestamp();
                let longer = extend(&world, &LI_NA, &first).await.expect("extended");
                let after = world.now().await.timestamp();
                assert_eq!(longer.extensions_left, left);
                assert_eq!(offer().await, longer, "on record");
                let seconds = |at: Option<prost_types::Timestamp>| at.expect("an instant").seconds;
                let ends = seconds(longer.expires_at);
                assert!((before + 1800..=after + 1800).contains(&ends), "{ends}");
                assert_eq!(ends - seconds(longer.warn_at), 60, "there is time to ask");
            }
            let more = extend(&world, &LI_NA, &first).await;
            assert_eq!(reason(more), "EXTENSIONS_USED_UP");
            let now = world.now().await;
            world.advance_to(now + TimeDelta::seconds(1500)).await;
            world.sweep().await;
            assert_eq!(offer().await.extensions_left, 0, "it is still theirs");
            let accepted = accept(&world, &place.id).await.expect("accepted");
            assert_eq!(accepted.slot, slot(date, 0));
        }
    }
}
