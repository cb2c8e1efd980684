//! What is refused, with the reason in both languages, and that nothing is half done by it (BB-9.2b).

use std::time::Duration;

use bangban_proto::bangban::scheduling::v1::{
    self as v1, BookingState, CancelReason, Exception, ExceptionKind, LinkPurpose, MarkKind,
    Template,
};
use chrono::{Days, TimeDelta};
use tonic::Status;
use tonic_types::StatusExt as _;

use super::{
    ask::{extend, id, moved, release, standing},
    world::{
        ADMIN, CHEN_JUN, DISTRICT, LI_NA, SITE, World, at, changed, reason, slot, template, worlds,
        written,
    },
};

async fn put(world: &World, template: Template) -> Result<v1::TemplateChange, Status> {
    let request = v1::PutTemplateRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        template: Some(template),
        ..v1::PutTemplateRequest::default()
    };
    let answer = world
        .capacity()
        .put_template(world.by(&ADMIN, request))
        .await;
    answer.map(tonic::Response::into_inner)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_while_directory_is_away_who_is_remembered_books_and_others_hear_when_to_try_again()
{
    for world in worlds("away").await {
        world.without_cooling().await;
        let date = world.published(1, 0).await;
        let known = world.person(&[]);
        let hold = world.hold(&slot(date, 0), &known).await.expect("held");
        release(&world, &LI_NA, &hold).await.expect("released");
        world.directory.is_away(true);
        let before = written(&world).await;
        let refused = world.hold(&slot(date, 1), &world.person(&[])).await;
        let hint = refused
            .as_ref()
            .err()
            .and_then(Status::get_details_retry_info);
        let hint = hint.and_then(|hint| hint.retry_delay).expect("a hint");
        assert!(hint > Duration::ZERO, "{hint:?}");
        assert_eq!(reason(refused), "DIRECTORY_UNAVAILABLE");
        assert_eq!(written(&world).await, before);
        // The seat that was picked went back: the next has it.
        let hold = world.hold(&slot(date, 1), &known).await.expect("held");
        world.confirm(&hold).await.expect("confirmed");
        world.directory.is_away(false);
        let late = world.person(&[]);
        world.hold(&slot(date, 2), &late).await.expect("held");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_hours_that_the_site_is_closed_or_that_are_given_already_are_no_template() {
    for world in worlds("hours").await {
        let date = world.published(1, 0).await;
        let before = written(&world).await;
        let mut early = template(1, 0);
        early.id = "early".to_owned();
        for weekly in &mut early.weekly {
            let hours = weekly.hours.as_mut().expect("hours");
            (hours.from, hours.to) = ("08:00".to_owned(), "09:00".to_owned());
        }
        assert_eq!(reason(put(&world, early).await), "OUTSIDE_OPENING_HOURS");
        let mut twice = template(1, 0);
        twice.weekly.push(twice.weekly[0].clone());
        assert_eq!(reason(put(&world, twice).await), "TEMPLATE_OVERLAPS");
        let mut beside = template(1, 0);
        beside.id = "beside".to_owned();
        assert_eq!(reason(put(&world, beside).await), "TEMPLATE_OVERLAPS");
        let reserved = template(1, 2);
        let refused = put(&world, reserved).await;
        assert_eq!(reason(refused), "RESERVED_ABOVE_CAPACITY");
        assert_eq!(written(&world).await, before);
        assert_eq!(world.free(date).await, [(1, 0); 4]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_days_that_are_over_or_not_published_and_times_that_have_begun_cannot_be_had() {
    for world in worlds("days").await {
        let date = world.published(1, 0).await;
        let unpublished = world.working_day(4).await;
        let person = world.person(&[]);
        let before = written(&world).await;
        let refused = async |name: &str| reason(world.hold(name, &person).await);
        assert_eq!(refused(&slot(unpublished, 0)).await, "DAY_UNPUBLISHED");
        assert_eq!(refused(&slot(date, 77)).await, "SLOT_UNKNOWN");
        let asked = |from: String, to: String| v1::GetAvailabilityRequest {
            district: DISTRICT.to_owned(),
            sites: vec![SITE.to_owned()],
            from,
            to,
            ..v1::GetAvailabilityRequest::default()
        };
        let availability = async |from: String, to: String| {
            let request = world.by(&LI_NA, asked(from, to));
            let answer = world.booking().get_availability(request).await;
            answer.map(|answer| answer.into_inner().days)
        };
        let day = unpublished.to_string();
        let days = availability(day.clone(), day.clone()).await.expect("told");
        assert!(
            !days[0].is_published && days[0].slots.is_empty(),
            "{days:?}"
        );
        let reversed = availability(day, date.to_string()).await;
        assert_eq!(reason(reversed), "DATES_REVERSED");
        let impossible = availability("2026-02-30".to_owned(), "2026-03-01".to_owned()).await;
        assert_eq!(reason(impossible), "DATE_IMPOSSIBLE");
        let far = (date + Days::new(2000)).to_string();
        let far = availability(date.to_string(), far).await;
        assert_eq!(reason(far), "DAYS_TOO_MANY");
        world.advance_to(at(date, 9, 31)).await;
        assert_eq!(refused(&slot(date, 0)).await, "SLOT_PAST");
        assert_eq!(refused(&slot(date, 1)).await, "SLOT_PAST", "has just begun");
        let open = world.free(date).await;
        assert_eq!(open.len(), 2, "what has begun is not shown");
        world.advance_to(at(date + Days::new(1), 8, 0)).await;
        assert_eq!(refused(&slot(date, 3)).await, "DAY_PAST");
        let publish = v1::PublishDaysRequest {
            district: DISTRICT.to_owned(),
            request_id: id(),
            site: SITE.to_owned(),
            from: date.to_string(),
            to: date.to_string(),
            ..v1::PublishDaysRequest::default()
        };
        let publish = world.by(&ADMIN, publish);
        let publish = world.capacity().publish_days(publish).await;
        assert_eq!(reason(publish), "DAY_PAST");
        let exception = v1::PutExceptionRequest {
            district: DISTRICT.to_owned(),
            request_id: id(),
            exception: Some(Exception {
                id: "too-late".to_owned(),
                site: SITE.to_owned(),
                date: date.to_string(),
                kind: ExceptionKind::Holiday.into(),
                reason: "停电检修".to_owned(),
                ..Exception::default()
            }),
            ..v1::PutExceptionRequest::default()
        };
        let exception = world.by(&ADMIN, exception);
        let exception = world.capacity().put_exception(exception).await;
        assert_eq!(reason(exception), "DAY_PAST");
        assert_eq!(written(&world).await, before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_hold_of_somebody_elses_and_one_that_is_over_change_nothing() {
    for world in worlds("foreign").await {
        let date = world.published(1, 0).await;
        let person = world.person(&[]);
        let hold = world.hold(&slot(date, 0), &person).await.expect("held");
        let before = written(&world).await;
        let refused = extend(&world, &CHEN_JUN, &hold).await;
        assert_eq!(reason(refused), "HOLD_OF_ANOTHER");
        let refused = release(&world, &CHEN_JUN, &hold).await;
        assert_eq!(reason(refused), "HOLD_OF_ANOTHER");
        let foreign = v1::Hold {
            booking: id(),
            ..hold.clone()
        };
        assert_eq!(reason(world.confirm(&foreign).await), "HOLD_UNKNOWN");
        let unheard_of = v1::Hold {
            epoch: hold.epoch + 1,
            ..hold.clone()
        };
        assert_eq!(reason(world.confirm(&unheard_of).await), "HOLD_UNKNOWN");
        let refused = extend(&world, &LI_NA, &unheard_of).await;
        assert_eq!(reason(refused), "HOLD_UNKNOWN");
        let refused = release(&world, &LI_NA, &unheard_of).await;
        assert_eq!(reason(refused), "HOLD_UNKNOWN");
        world
            .advance_to(world.now().await + TimeDelta::seconds(301))
            .await;
        assert_eq!(reason(world.confirm(&hold).await), "HOLD_EXPIRED");
        assert_eq!(reason(extend(&world, &LI_NA, &hold).await), "HOLD_EXPIRED");
        assert_eq!(written(&world).await, before);
        world.sweep().await;
        let hold = world.hold(&slot(date, 1), &person).await.expect("held");
        world.confirm(&hold).await.expect("confirmed");
        let before = written(&world).await;
        assert_eq!(reason(world.confirm(&hold).await), "CONFIRMED_ALREADY");
        let refused = release(&world, &LI_NA, &hold).await;
        assert_eq!(reason(refused), "CONFIRMED_ALREADY");
        assert_eq!(written(&world).await, before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_fewer_seats_than_are_booked_are_told_first_and_take_nobodys_away() {
    for world in worlds("fewer").await {
        let date = world.published(2, 0).await;
        let first = world.booked(&slot(date, 0)).await;
        let second = world.booked(&slot(date, 0)).await;
        let before = written(&world).await;
        let fewer = |affects_bookings| v1::ChangeSlotRequest {
            district: DISTRICT.to_owned(),
            request_id: id(),
            slot: slot(date, 0),
            capacity: 1,
            reason: "窗口减少".to_owned(),
            affects_bookings,
            ..v1::ChangeSlotRequest::default()
        };
        let change = async |seen| {
            let request = world.by(&ADMIN, fewer(seen));
            world.capacity().change_slot(request).await
        };
        assert_eq!(reason(change(false).await), "CHANGE_AFFECTS_BOOKINGS");
        let refused = put(&world, template(1, 0)).await;
        assert_eq!(reason(refused), "CHANGE_AFFECTS_BOOKINGS");
        assert_eq!(written(&world).await, before);
        let changed = change(true).await.expect("changed").into_inner();
        assert_eq!(changed.affected.len(), 1, "the latest");
        assert_eq!(changed.affected[0].booking, second.id);
        world.sweep().await;
        for booking in [&first, &second] {
            let stands = world.get(&booking.id).await;
            assert_eq!(stands.state(), BookingState::Confirmed);
            assert_eq!(stands.slot, booking.slot);
        }
        let late = world.person(&[]);
        assert_eq!(reason(world.hold(&slot(date, 0), &late).await), "SLOT_FULL");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_clock_that_jumps_publishes_each_day_once_and_leaves_nothing_half_done() {
    for world in worlds("jump").await {
        world.without_cooling().await;
        world.template(1, 0).await;
        // Whatever the hour is, the set time of day is far off.
        let tomorrow = world.now().await.date_naive() + Days::new(1);
        world.advance_to(at(tomorrow, 12, 0)).await;
        let publication = v1::PutPublicationRequest {
            district: DISTRICT.to_owned(),
            request_id: id(),
            publication: Some(v1::Publication {
                site: SITE.to_owned(),
                weeks_ahead: 3,
                at: "08:00".to_owned(),
                ..v1::Publication::default()
            }),
            ..v1::PutPublicationRequest::default()
        };
        let publication = world.by(&ADMIN, publication);
        let done = world.capacity().put_publication(publication).await;
        done.expect("put");
        world.sweep().await;
        let before = written(&world).await;
        assert_eq!(world.sweep().await, 0, "not before the set time of day");
        assert_eq!(written(&world).await, before);
        let tomorrow = world.now().await.date_naive() + Days::new(1);
        world.advance_to(at(tomorrow, 8, 1)).await;
        world.sweep().await;
        let date = world.working_day(1).await;
        let held = world.person(&[]);
        let hold = world.hold(&slot(date, 0), &held).await.expect("held");
        let booking = world.booked(&slot(date, 1)).await;
        // Over the hold's end, the appointment and several days that are to be published.
        world.advance_to(at(date + Days::new(2), 12, 0)).await;
        assert_eq!(reason(world.confirm(&hold).await), "HOLD_EXPIRED");
        world.sweep().await;
        let once = written(&world).await;
        assert_eq!(world.get(&booking.id).await.state(), BookingState::NoShow);
        assert_eq!(world.sweep().await, 0, "all of it is done");
        assert_eq!(written(&world).await, once);
        let today = date + Days::new(2);
        let request = v1::GetAvailabilityRequest {
            district: DISTRICT.to_owned(),
            sites: vec![SITE.to_owned()],
            from: today.to_string(),
            to: (today + Days::new(23)).to_string(),
            ..v1::GetAvailabilityRequest::default()
        };
        let request = world.by(&LI_NA, request);
        let days = world.booking().get_availability(request).await;
        let days = days.expect("told").into_inner().days;
        for (behind, day) in days.iter().enumerate() {
            assert!(!day.is_published || day.slots.len() <= 4, "{day:?}");
            assert!(!day.is_published || behind <= 21, "{day:?}");
        }
        let next = days
            .iter()
            .find(|day| !day.slots.is_empty())
            .expect("a day");
        world.booked(&next.slots[0].slot).await;
        // Back again: what was done stays done, and nothing is done twice.
        let once = written(&world).await;
        let back = at(date + Days::new(1), 12, 0);
        world.set_to(back).await;
        world.sweep().await;
        assert_eq!(written(&world).await, once);
        // And what is begun by the earlier time has its end by it.
        let later = next.date.parse().expect("a date");
        let free = world.free(later).await[1].0;
        let hold = world.hold(&next.slots[1].slot, &world.person(&[])).await;
        let hold = hold.expect("held");
        let kept = world.booked(&next.slots[2].slot).await;
        world.set_to(back + TimeDelta::seconds(200)).await;
        world.sweep().await;
        assert_eq!(world.free(later).await[1].0, free - 1, "it lives");
        world.set_to(back + TimeDelta::seconds(400)).await;
        world.sweep().await;
        assert_eq!(world.free(later).await[1].0, free, "its end was seen");
        assert!(world.confirm(&hold).await.is_err(), "it is over");
        assert_eq!(
            world.get(&kept.id).await.state(),
            BookingState::Confirmed,
            "its time has not come"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_links_that_are_forged_old_or_superseded_change_nothing() {
    for world in worlds("oldlinks").await {
        let date = world.published(1, 0).await;
        let booking = world.booked(&slot(date, 0)).await;
        let link = async |purpose: LinkPurpose| {
            let request = v1::CreateLinkRequest {
                district: DISTRICT.to_owned(),
                request_id: id(),
                booking: booking.id.clone(),
                purpose: purpose.into(),
                ..v1::CreateLinkRequest::default()
            };
            let request = world.by(&LI_NA, request);
            let answer = world.booking().create_link(request).await;
            answer.expect("a link").into_inner().link
        };
        let cancel = async |link: &str| {
            let request = v1::CancelByLinkRequest {
                link: link.to_owned(),
            };
            reason(world.booking().cancel_by_link(request).await)
        };
        let look = async |link: &str| {
            let request = v1::GetLinkedBookingRequest {
                link: link.to_owned(),
            };
            world.booking().get_linked_booking(request).await
        };
        let cancels = link(LinkPurpose::Cancel).await;
        let moves = link(LinkPurpose::Move).await;
        look(&cancels).await.expect("what it is for");
        let before = written(&world).await;
        for forged in ["none.of.ours", "x", &cancels[1..], &format!("{cancels}A")] {
            assert_eq!(cancel(forged).await, "LINK_INVALID", "{forged}");
            assert_eq!(reason(look(forged).await), "LINK_INVALID", "{forged}");
        }
        assert_eq!(cancel(&moves).await, "LINK_INVALID", "made for moving");
        assert_eq!(written(&world).await, before);
        // Moved by a clerk: the older links are used up.
        let moved = v1::MoveBookingRequest {
            district: DISTRICT.to_owned(),
            request_id: id(),
            booking: booking.id.clone(),
            slot: slot(date, 2),
            ..v1::MoveBookingRequest::default()
        };
        let moved = world.by(&LI_NA, moved);
        changed(world.booking().move_booking(moved).await).expect("moved");
        let newest = link(LinkPurpose::Cancel).await;
        let before = written(&world).await;
        assert_eq!(cancel(&cancels).await, "LINK_USED");
        assert_eq!(reason(look(&cancels).await), "LINK_USED");
        world.advance_to(at(date, 10, 0)).await;
        assert_eq!(cancel(&newest).await, "LINK_EXPIRED");
        assert_eq!(reason(look(&newest).await), "LINK_EXPIRED");
        assert_eq!(written(&world).await, before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_what_has_begun_is_neither_given_up_nor_moved_and_who_does_not_come_is_a_no_show() {
    for world in worlds("begun").await {
        let date = world.published(2, 0).await;
        let booking = world.booked(&slot(date, 0)).await;
        let closed = world.booked(&slot(date, 0)).await;
        let cancel = async |booking: &str, reason: CancelReason| {
            let request = v1::CancelBookingRequest {
                district: DISTRICT.to_owned(),
                request_id: id(),
                booking: booking.to_owned(),
                reason: reason.into(),
                ..v1::CancelBookingRequest::default()
            };
            let request = world.by(&LI_NA, request);
            changed(world.booking().cancel_booking(request).await)
        };
        world.advance_to(at(date, 9, 0)).await;
        let before = written(&world).await;
        for begun in [CancelReason::Applicant, CancelReason::Settled] {
            assert_eq!(reason(cancel(&booking.id, begun).await), "CANCEL_TOO_LATE");
        }
        let there = moved(&world, &booking.id, &slot(date, 2)).await;
        assert_eq!(reason(there), "MOVE_TOO_LATE");
        assert_eq!(written(&world).await, before);
        // The current fails at ten past nine: nobody's no-show.
        let given_up = cancel(&closed.id, CancelReason::Site).await;
        let given_up = given_up.expect("what the site cannot keep");
        assert!(!given_up.is_late_cancellation);
        // Nobody's but the institution's, which did not begin in time.
        assert_eq!(given_up.breaches[0].subject, SITE);
        // Over, and the sweep has not come yet.
        world.advance_to(at(date, 9, 31)).await;
        for over in [CancelReason::Applicant, CancelReason::Site] {
            assert_eq!(reason(cancel(&booking.id, over).await), "CANCEL_TOO_LATE");
        }
        world.sweep().await;
        let state = world.get(&booking.id).await.state();
        assert_eq!(state, BookingState::NoShow);
        let standing = standing(&world, &booking.applicant).await;
        let kinds: Vec<_> = standing.marks.iter().map(|mark| mark.kind()).collect();
        assert_eq!(kinds, [MarkKind::NoShow]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_8d_what_was_given_up_is_neither_given_up_again_nor_moved() {
    for world in worlds("ended").await {
        let date = world.published(1, 0).await;
        let booking = world.booked(&slot(date, 0)).await;
        let cancel = async || {
            let request = v1::CancelBookingRequest {
                district: DISTRICT.to_owned(),
                request_id: id(),
                booking: booking.id.clone(),
                reason: CancelReason::Applicant.into(),
                ..v1::CancelBookingRequest::default()
            };
            let request = world.by(&LI_NA, request);
            changed(world.booking().cancel_booking(request).await)
        };
        cancel().await.expect("cancelled");
        let before = written(&world).await;
        assert_eq!(reason(cancel().await), "OUT_OF_ORDER");
        let moved = v1::MoveBookingRequest {
            district: DISTRICT.to_owned(),
            request_id: id(),
            booking: booking.id.clone(),
            slot: slot(date, 2),
            ..v1::MoveBookingRequest::default()
        };
        let moved = world.by(&LI_NA, moved);
        let moved = changed(world.booking().move_booking(moved).await);
        assert_eq!(reason(moved), "OUT_OF_ORDER");
        assert_eq!(written(&world).await, before);
        assert_eq!(world.free(date).await[2], (1, 0), "its seat went back");
    }
}
