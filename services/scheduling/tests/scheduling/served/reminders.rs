//! Reminders become due as acts in the feed, each once, for the time that an appointment has (BB-9.2b).

use bangban_proto::bangban::scheduling::v1::{Booking, BookingPolicy, scheduling_act::Act};
use bangban_scheduling::tasks;
use chrono::{DateTime, FixedOffset, TimeDelta};

use super::{
    ask::{cancel, check_in, feed, moved, start},
    patience::PATIENCE,
    world::{LI_NA, World, at, changed, slot, worlds},
};

/// The reminders in the feed of an appointment: minutes before, and when each became due.
async fn reminders(world: &World, booking: &str) -> Vec<(u32, DateTime<FixedOffset>)> {
    let acts = feed(world, &["reminder.due"]).await;
    let subject = format!("bookings/{booking}");
    let of_it = acts.into_iter().filter(|(of, _)| *of == subject);
    let one = of_it.map(|(_, act)| {
        let Some(Act::ReminderDue(due)) = act.act else {
            panic!("another kind of act: {act:?}");
        };
        let reminder = due.reminder.expect("a reminder");
        let at = reminder.due_at.expect("an instant");
        let at = DateTime::from_timestamp(at.seconds, 0).expect("an instant");
        let local = at.with_timezone(&bangban_calendar::SHANGHAI);
        (reminder.minutes, local.fixed_offset())
    });
    one.collect()
}

/// What is due, taken by two processes at once.
async fn swept(world: &World) {
    let process = || {
        let rpc = world.rpc.clone();
        tokio::spawn(async move { tasks::once(&rpc).await })
    };
    for process in [process(), process()] {
        process.await.expect("ended").expect("swept");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_reminders_are_in_the_feed_once_each_for_the_time_that_stands() {
    for world in worlds("reminders").await {
        world.template(3, 0).await;
        let (first, second) = (world.working_day(5).await, world.working_day(8).await);
        world.publish(first).await;
        world.publish(second).await;
        let starts = at(first, 9, 0);
        let kept = world.booked(&slot(first, 0)).await;
        let cancelled = world.booked(&slot(first, 0)).await;
        let to_move = world.booked(&slot(first, 0)).await;
        let (three_days, one_day) = (TimeDelta::days(3), TimeDelta::days(1));
        world
            .advance_to(starts - three_days - TimeDelta::minutes(2))
            .await;
        swept(&world).await;
        assert_eq!(feed(&world, &["reminder.due"]).await, [], "a minute early");
        let there = moved(&world, &to_move.id, &slot(second, 0)).await;
        there.expect("moved");

        world.advance_to(starts - three_days).await;
        swept(&world).await;
        swept(&world).await;
        let one = vec![(4320, starts - three_days)];
        assert_eq!(reminders(&world, &kept.id).await, one);
        assert_eq!(reminders(&world, &cancelled.id).await, one);
        assert_eq!(
            reminders(&world, &to_move.id).await,
            [],
            "of the time that was"
        );
        cancel(&world, &cancelled.id).await.expect("cancelled");

        world.advance_to(starts - one_day).await;
        swept(&world).await;
        swept(&world).await;
        let both = vec![(4320, starts - three_days), (1440, starts - one_day)];
        assert_eq!(reminders(&world, &kept.id).await, both);
        assert_eq!(
            reminders(&world, &cancelled.id).await,
            one,
            "given up since"
        );
        let then = at(second, 9, 0);
        assert_eq!(reminders(&world, &to_move.id).await, [], "not yet");
        for _ in 0..2 {
            world.advance_to(then - three_days).await;
            swept(&world).await;
        }
        let new = vec![(4320, then - three_days)];
        assert_eq!(reminders(&world, &to_move.id).await, new);
        world.advance_to(then - one_day).await;
        swept(&world).await;
        let new = vec![(4320, then - three_days), (1440, then - one_day)];
        assert_eq!(reminders(&world, &to_move.id).await, new);
        assert_eq!(world.get(&to_move.id).await.reminders.len(), 2);
        assert_eq!(reminders(&world, &kept.id).await, both, "over by now");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_reminder_that_was_missed_holds_nothing_up_while_the_slot_runs() {
    for world in worlds("missed").await {
        world.template(1, 0).await;
        let date = world.working_day(5).await;
        world.publish(date).await;
        let booking = world.booked(&slot(date, 0)).await;
        // Nothing was looked after since the booking, and its time has begun.
        world.advance_to(at(date, 9, 10)).await;
        let sweep = tokio::time::timeout(PATIENCE, world.sweep());
        sweep.await.expect("the sweep ends");
        assert_eq!(reminders(&world, &booking.id).await, [], "it is too late");
        world.advance_to(at(date, 9, 31)).await;
        world.sweep().await;
        let state = world.get(&booking.id).await.state();
        assert_eq!(state.as_str_name(), "BOOKING_STATE_NO_SHOW");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_rules_that_remind_earlier_hold_for_those_who_have_booked_already() {
    for world in worlds("earlier").await {
        let reminding = |minutes: &[u32]| BookingPolicy {
            reminder_minutes: minutes.to_vec(),
            ..BookingPolicy::default()
        };
        world.rules(reminding(&[60])).await;
        world.template(3, 0).await;
        let date = world.working_day(6).await;
        world.publish(date).await;
        let starts = at(date, 9, 0);
        let due = |booking: &Booking| {
            let at = booking.next_due_at.as_ref().expect("a due time");
            DateTime::from_timestamp(at.seconds, 0).expect("an instant")
        };
        let booking = world.booked(&slot(date, 0)).await;
        assert_eq!(due(&booking), starts - TimeDelta::minutes(60));
        assert_eq!(due(&world.get(&booking.id).await), due(&booking));
        world.rules(reminding(&[2880, 60])).await;
        assert_eq!(world.sweep().await, 1, "counted anew");
        assert_eq!(world.sweep().await, 0, "once");
        let earlier = world.get(&booking.id).await;
        assert_eq!(due(&earlier), starts - TimeDelta::days(2));
        assert_eq!(earlier.etag, booking.etag, "nothing was done to it");
        world.advance_to(starts - TimeDelta::days(2)).await;
        swept(&world).await;
        let first = vec![(2880, starts - TimeDelta::days(2))];
        assert_eq!(reminders(&world, &booking.id).await, first);
        let then = due(&world.get(&booking.id).await);
        assert_eq!(then, starts - TimeDelta::minutes(60), "the next one");
        // And rules that remind later take the earlier time away.
        let other = world.booked(&slot(date, 1)).await;
        world.rules(reminding(&[30])).await;
        world.sweep().await;
        let half_past = starts + TimeDelta::minutes(30);
        let later = due(&world.get(&other.id).await);
        assert_eq!(later, half_past - TimeDelta::minutes(30));
        let cancelled = cancel(&world, &other.id).await.expect("cancelled");
        assert_eq!(cancelled.next_due_at, None, "nothing is due any more");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_booking_says_what_is_due_next_until_it_is_over_and_says_it_again_when_asked_twice()
 {
    for world in worlds("next").await {
        world.template(1, 0).await;
        let date = world.working_day(6).await;
        world.publish(date).await;
        let starts = at(date, 9, 0);
        let at = |booking: &Booking| booking.next_due_at.as_ref().map(|at| at.seconds);
        let hold = world.hold(&slot(date, 0), &world.person(&[])).await;
        let request = World::confirming(&hold.expect("held"));
        let confirm = async || {
            let request = world.by(&LI_NA, request.clone());
            changed(world.booking().confirm_booking(request).await).expect("confirmed")
        };
        let booking = confirm().await;
        assert_eq!(
            at(&booking),
            Some((starts - TimeDelta::days(3)).timestamp())
        );
        assert_eq!(confirm().await, booking, "the first answer");
        assert_eq!(world.get(&booking.id).await, booking);
        let other = moved(&world, &booking.id, &slot(date, 2)).await;
        let then = starts + TimeDelta::hours(1);
        let other = other.expect("moved");
        assert_eq!(at(&other), Some((then - TimeDelta::days(3)).timestamp()));
        world.advance_to(then - TimeDelta::minutes(10)).await;
        let there = check_in(&world, &booking.id).await.expect("there");
        let end = then + TimeDelta::minutes(30);
        assert_eq!(at(&there), Some(end.timestamp()), "service is due by then");
        world.advance_to(then).await;
        let started = start(&world, &booking.id).await.expect("started");
        assert_eq!(at(&started), None);
    }
}
