//! Who does not come: a warning, a limit that the district sets, an appeal, and who is exempt (BB-9.2b, BB-7.1.1).

use bangban_kit::refusal;
use bangban_proto::bangban::{
    directory::v1::Applicant,
    scheduling::v1::{self as v1, AppealGround, BookingPolicy, BookingState, MarkKind},
    types::v1::SpecialGroup,
};
use chrono::{NaiveDate, TimeDelta};
use tonic::Status;

use super::{
    ask::{cancel, close, feed, id, moved, rates, release, standing},
    world::{
        CHEN_JUN, DISTRICT, LI_NA, SUPERVISOR, Who, World, at, changed, reason, slot, worlds,
        written,
    },
};

/// A district in which booking rests from the third no-show on, and in which one person may have many.
fn patient() -> BookingPolicy {
    BookingPolicy {
        cooling_seconds: Some(0),
        no_show_limit: 3,
        most_ahead: 9,
        most_per_item: 9,
        most_per_day: 9,
        ..BookingPolicy::default()
    }
}

async fn booked(world: &World, who: &Who, slot: &str, person: &str) -> v1::Booking {
    let request = world.by(who, World::holding(slot, person));
    let held = world.booking().hold_slot(request).await;
    let hold = held.expect("held").into_inner();
    let request = world.by(who, World::confirming(&hold));
    changed(world.booking().confirm_booking(request).await).expect("confirmed")
}

/// Whether the person may book: tries it, and gives the seat up.
async fn books(world: &World, slot: &str, person: &str) -> Result<(), Status> {
    let hold = world.hold(slot, person).await?;
    release(world, &LI_NA, &hold).await.expect("released");
    world.sweep().await;
    Ok(())
}

async fn appeal(
    world: &World,
    person: &str,
    booking: &str,
    request: &str,
) -> Result<v1::Standing, Status> {
    let request = v1::AppealNoShowRequest {
        district: DISTRICT.to_owned(),
        request_id: request.to_owned(),
        applicant: person.to_owned(),
        booking: booking.to_owned(),
        ground: AppealGround::Ill.into(),
        ..v1::AppealNoShowRequest::default()
    };
    let request = world.by(&LI_NA, request);
    stood(world.booking().appeal_no_show(request).await)
}

async fn decide(
    world: &World,
    who: &Who,
    person: &str,
    (number, is_upheld): (u32, bool),
) -> Result<v1::Standing, Status> {
    let request = v1::DecideAppealRequest {
        district: DISTRICT.to_owned(),
        request_id: id(),
        applicant: person.to_owned(),
        number,
        is_upheld,
        ..v1::DecideAppealRequest::default()
    };
    let request = world.by(who, request);
    stood(world.booking().decide_appeal(request).await)
}

fn stood(
    answer: Result<tonic::Response<v1::StandingChange>, Status>,
) -> Result<v1::Standing, Status> {
    answer.map(|a| a.into_inner().standing.expect("a standing"))
}

/// Behind the end of a slot, with everything done that is due.
async fn after(world: &World, date: NaiveDate, number: u32) {
    world
        .advance_to(at(date, 9, 30) + TimeDelta::minutes(30 * i64::from(number)))
        .await;
    world.sweep().await;
}

/// The same person as a clerk, as one who decides.
fn as_supervisor(who: &Who) -> Who {
    Who {
        subject: who.subject,
        role: SUPERVISOR.role,
        region: SUPERVISOR.region,
        site: "",
    }
}

/// One who did not come three times on a day, with every seat of a later one free.
struct Absent {
    date: NaiveDate,
    person: String,
    bookings: Vec<v1::Booking>,
    free: String,
}

impl Absent {
    async fn has_booked(world: &World) -> Self {
        world.rules(patient()).await;
        let date = world.published(3, 0).await;
        let later = world.working_day(3).await;
        world.publish(later).await;
        let person = world.person(&[]);
        let mut bookings = Vec::new();
        for number in 0..3 {
            bookings.push(booked(world, &LI_NA, &slot(date, number), &person).await);
        }
        Self {
            date,
            person,
            bookings,
            free: slot(later, 0),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_no_show_warns_first_and_booking_rests_from_the_districts_limit_on() {
    for world in worlds("noshows").await {
        let absent = Absent::has_booked(&world).await;
        let (date, person, free) = (absent.date, &absent.person, &absent.free);
        assert_eq!(standing(&world, person).await.marks, []);

        after(&world, date, 0).await;
        let missed = world.get(&absent.bookings[0].id).await;
        assert_eq!(missed.state(), BookingState::NoShow);
        assert_eq!(missed.breaches, [], "nobody's breach");
        let warned = standing(&world, person).await;
        assert!(warned.warned_at.is_some() && warned.rests_until.is_none());
        books(&world, free, person).await.expect("only warned");

        after(&world, date, 1).await;
        let second = standing(&world, person).await;
        assert_eq!((second.marks.len(), second.rests_until), (2, None));
        books(&world, free, person).await.expect("below the limit");

        after(&world, date, 2).await;
        let third = standing(&world, person).await;
        assert!(third.marks.len() == 3 && third.rests_until.is_some());
        let before = written(&world).await;
        let refused = books(&world, free, person).await.expect_err("rests");
        let zh = refusal::sentence(&refused, "zh-CN");
        assert!(zh.contains("暂停预约") && zh.contains("申诉"), "{zh}");
        let en = refusal::sentence(&refused, "en");
        assert!(en.contains("rests until") && en.contains("appeal"), "{en}");
        assert_eq!(reason::<()>(Err(refused)), "BOOKING_RESTS");
        assert_eq!(written(&world).await, before);
        let acts = feed(&world, &["standing.warned", "booking.rested"]).await;
        assert_eq!(acts.len(), 2, "one warning, and one rest: {acts:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_an_appeal_is_made_once_in_time_and_decided_by_whom_may() {
    for world in worlds("appeals").await {
        let absent = Absent::has_booked(&world).await;
        let (date, person, bookings) = (absent.date, &absent.person, &absent.bookings);
        let early = appeal(&world, person, &bookings[0].id, &id()).await;
        assert_eq!(reason(early), "MARK_UNKNOWN");
        after(&world, date, 2).await;
        let request = id();
        let made = appeal(&world, person, &bookings[2].id, &request).await;
        let made = made.expect("appealed");
        let again = appeal(&world, person, &bookings[2].id, &request).await;
        assert_eq!(again.expect("the first answer"), made);
        let before = written(&world).await;
        let twice = appeal(&world, person, &bookings[2].id, &id()).await;
        assert_eq!(reason(twice), "APPEAL_MADE");
        let by_clerk = decide(&world, &CHEN_JUN, person, (1, true)).await;
        assert_eq!(reason(by_clerk), "ROLE_NOT_ALLOWED");
        let own = decide(&world, &as_supervisor(&LI_NA), person, (1, true)).await;
        assert_eq!(reason(own), "NOT_THE_DECIDER");
        let other = decide(&world, &SUPERVISOR, person, (2, true)).await;
        assert_eq!(reason(other), "APPEAL_UNKNOWN");
        world
            .advance_to(at(date, 12, 0) + TimeDelta::days(10))
            .await;
        let late = appeal(&world, person, &bookings[0].id, &id()).await;
        assert_eq!(reason(late), "APPEAL_TOO_LATE");
        assert_eq!(written(&world).await, before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_booking_does_not_rest_while_an_appeal_is_open_nor_when_it_was_upheld() {
    for world in worlds("upheld").await {
        let absent = Absent::has_booked(&world).await;
        let (person, bookings, free) = (&absent.person, &absent.bookings, &absent.free);
        after(&world, absent.date, 2).await;
        let refused = books(&world, free, person).await;
        assert_eq!(reason(refused), "BOOKING_RESTS");
        let made = appeal(&world, person, &bookings[2].id, &id()).await;
        made.expect("appealed");
        books(&world, free, person).await.expect("appealed");

        let rejected = decide(&world, &SUPERVISOR, person, (1, false)).await;
        let rejected = rejected.expect("decided").appeals.remove(0);
        assert!(!rejected.is_upheld && rejected.decided_at.is_some());
        let by = rejected.decided_by.expect("somebody").subject;
        assert_eq!(by, SUPERVISOR.subject);
        let refused = books(&world, free, person).await;
        assert_eq!(reason(refused), "BOOKING_RESTS");
        let decided = decide(&world, &SUPERVISOR, person, (1, true)).await;
        assert_eq!(reason(decided), "APPEAL_UNKNOWN");

        // Upheld, it lifts its mark: two are left, below the limit.
        let made = appeal(&world, person, &bookings[1].id, &id()).await;
        made.expect("appealed");
        let upheld = decide(&world, &SUPERVISOR, person, (2, true)).await;
        let upheld = upheld.expect("decided");
        let lifted: Vec<bool> = upheld.marks.iter().map(|m| m.is_lifted).collect();
        assert_eq!(lifted, [false, true, false]);
        assert_eq!(upheld.rests_until, None);
        books(&world, free, person).await.expect("lifted");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_6_1_of_two_appeals_each_is_decided_by_somebody_who_did_not_book_that_one() {
    for world in worlds("deciders").await {
        world.rules(patient()).await;
        let date = world.published(3, 0).await;
        let person = world.person(&[]);
        let first = booked(&world, &LI_NA, &slot(date, 0), &person).await;
        let second = booked(&world, &CHEN_JUN, &slot(date, 1), &person).await;
        after(&world, date, 1).await;
        for booking in [&first, &second] {
            let made = appeal(&world, &person, &booking.id, &id()).await;
            made.expect("appealed");
        }
        for (number, booker, other) in [(1, &LI_NA, &CHEN_JUN), (2, &CHEN_JUN, &LI_NA)] {
            let own = decide(&world, &as_supervisor(booker), &person, (number, true)).await;
            assert_eq!(reason(own), "NOT_THE_DECIDER", "appeal {number}");
            let decided = decide(&world, &as_supervisor(other), &person, (number, true)).await;
            decided.expect("decided");
        }
        let standing = standing(&world, &person).await;
        assert!(standing.marks.iter().all(|mark| mark.is_lifted));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_7_1_1_assisted_people_who_do_not_come_are_neither_warned_nor_kept_from_booking() {
    for world in worlds("exempt").await {
        world
            .rules(BookingPolicy {
                no_show_limit: 2,
                ..patient()
            })
            .await;
        let date = world.published(3, 0).await;
        let later = world.working_day(3).await;
        world.publish(later).await;
        let assisted = world.person(&[SpecialGroup::Elderly]);
        let ordinary = world.person(&[]);
        for number in 0..2 {
            for person in [&assisted, &ordinary] {
                booked(&world, &LI_NA, &slot(date, number), person).await;
            }
        }
        after(&world, date, 1).await;
        let spared = standing(&world, &assisted).await;
        assert_eq!((spared.marks.len(), spared.warned_at), (0, None));
        assert_eq!(spared.rests_until, None);
        let free = slot(later, 0);
        books(&world, &free, &assisted).await.expect("exempt");
        let refused = books(&world, &free, &ordinary).await;
        assert_eq!(reason(refused), "BOOKING_RESTS");
        // Also who has become one since.
        world.directory.know(Applicant {
            id: ordinary.clone(),
            groups: vec![SpecialGroup::Ill.into()],
            ..Applicant::default()
        });
        world.advance_to(at(date, 11, 0) + TimeDelta::days(1)).await;
        books(&world, &free, &ordinary)
            .await
            .expect("exempt by now");
        let rates = rates(&world, date).await;
        assert_eq!((rates.started_count, rates.no_show_count), (0, 4));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bb_9_2b_a_late_move_counts_as_a_late_cancellation_does_unless_the_site_has_caused_it() {
    for world in worlds("latemoves").await {
        world
            .rules(BookingPolicy {
                most_cancellations: 2,
                ..patient()
            })
            .await;
        let date = world.published(3, 0).await;
        let later = world.working_day(3).await;
        world.publish(later).await;
        let (person, other) = (world.person(&[]), world.person(&[]));
        let assisted = world.person(&[SpecialGroup::Elderly]);
        let marks = async |person: &str| -> Vec<MarkKind> {
            let marks = standing(&world, person).await.marks;
            marks.iter().map(v1::Mark::kind).collect()
        };
        let moves = async |booking: &v1::Booking, to: &str| {
            let moved = moved(&world, &booking.id, to).await.expect("moved");
            moved.former_times.last().expect("a former time").is_late
        };
        let first = booked(&world, &LI_NA, &slot(date, 2), &person).await;
        assert!(!moves(&first, &slot(date, 3)).await, "in time");
        let second = booked(&world, &LI_NA, &slot(date, 2), &person).await;
        let theirs = booked(&world, &LI_NA, &slot(date, 1), &other).await;
        let exempt = booked(&world, &LI_NA, &slot(date, 2), &assisted).await;

        // The last time ends two hours before half past ten.
        world.advance_to(at(date, 8, 31)).await;
        close(&world, &theirs.slot).await;
        world.sweep().await;
        assert!(!moves(&theirs, &slot(later, 0)).await, "the site's doing");
        moves(&exempt, &slot(later, 0)).await;
        assert_eq!(marks(&assisted).await, []);
        assert_eq!(marks(&other).await, []);
        assert_eq!(marks(&person).await, []);

        assert!(moves(&first, &slot(later, 1)).await);
        assert_eq!(marks(&person).await, [MarkKind::LateMove]);
        let free = slot(later, 3);
        books(&world, &free, &person)
            .await
            .expect("below the limit");
        cancel(&world, &second.id).await.expect("cancelled");
        let both = [MarkKind::LateMove, MarkKind::LateCancellation];
        assert_eq!(marks(&person).await, both);
        let refused = books(&world, &free, &person).await;
        assert_eq!(reason(refused), "BOOKING_RESTS");
        assert_eq!(world.get(&first.id).await.slot, slot(later, 1), "kept");
        let made = appeal(&world, &person, &second.id, &id()).await;
        made.expect("appealed");
        books(&world, &free, &person)
            .await
            .expect("until it is decided");
        let upheld = decide(&world, &SUPERVISOR, &person, (1, true)).await;
        let upheld = upheld.expect("decided");
        assert!(upheld.warned_at.is_some() && upheld.rests_until.is_none());
        books(&world, &free, &person).await.expect("lifted");
    }
}
