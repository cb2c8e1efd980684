//! The judge judged: a history in which all is right, and that history with one thing wrong at a time, by invariant.

use bangban_proto::bangban::scheduling::v1::{Booking, Hold};

use super::{
    calls::{Answer, Asked, Call},
    judge::{History, found},
    truth::{CONFIRMED, COOLING, Change, FREE, HELD, Kept, Place},
};

const SLOT: &str = "town-centre.2026-12-01.0";

/// One who is of no special group, as the double of directory sees it.
fn applicant(number: u32) -> String {
    format!("applicant-{number}-1")
}

fn hold(booking: &str, epoch: u64) -> Answer {
    Answer::Held(Box::new(Hold {
        booking: booking.to_owned(),
        slot: SLOT.to_owned(),
        epoch,
        ..Hold::default()
    }))
}

fn booked(booking: &str, epoch: u64) -> Answer {
    Answer::Booked(Box::new(Booking {
        id: booking.to_owned(),
        slot: SLOT.to_owned(),
        epoch,
        ..Booking::default()
    }))
}

fn call(key: &str, asked: Asked, (from, to): (i64, i64), answer: Answer) -> Call {
    Call {
        key: key.to_owned(),
        asked,
        from,
        to,
        answer,
    }
}

fn holding(number: u32) -> Asked {
    Asked::Hold {
        slot: SLOT.to_owned(),
        applicant: applicant(number),
    }
}

fn confirming(number: u32) -> Asked {
    Asked::Confirm {
        applicant: applicant(number),
    }
}

fn change(state: i32, booking: &str, number: u32, (version, at): (i64, i64)) -> Change {
    Change {
        slot: SLOT.to_owned(),
        seat: 0,
        version,
        state,
        booking: booking.to_owned(),
        applicant: applicant(number),
        starts_us: 1_000,
        ends_us: 2_000,
        due_us: if state == HELD { at + 500 } else { 0 },
        tx: at,
        at,
        ..Change::default()
    }
}

/// One seat: booked, refused to another while it is, given up, freed, booked again.
fn right() -> History {
    let mut history = History {
        capacity: 1,
        free: vec![(SLOT.to_owned(), 0)],
        ..History::default()
    };
    let gone = Asked::Cancel {
        booking: "b1".to_owned(),
    };
    history.calls = vec![
        call("k1", holding(1), (0, 12), hold("b1", 1)),
        call("k2", confirming(1), (15, 22), booked("b1", 2)),
        call("k2", confirming(1), (16, 23), booked("b1", 2)),
        call("k3", holding(3), (25, 30), Answer::Full),
        call("k4", gone, (35, 42), Answer::GivenUp),
        call("k5", holding(2), (55, 62), hold("b2", 5)),
        call("k6", confirming(2), (65, 72), booked("b2", 6)),
    ];
    let freed = Change {
        applicant: String::new(),
        ..change(FREE, "", 0, (4, 50))
    };
    history.truth.changes = vec![
        change(HELD, "b1", 1, (1, 10)),
        change(CONFIRMED, "b1", 1, (2, 20)),
        change(COOLING, "b1", 1, (3, 40)),
        freed,
        change(HELD, "b2", 2, (5, 60)),
        change(CONFIRMED, "b2", 2, (6, 70)),
    ];
    history.truth.orders = (1..=6).map(|n| n * 10).collect();
    let kept = |state| Kept {
        state,
        seat: format!("{SLOT}/0"),
    };
    history.truth.bookings.insert("b1".to_owned(), kept(5));
    history.truth.bookings.insert("b2".to_owned(), kept(1));
    history
}

/// What is wrong once something was changed.
fn caught(change: impl FnOnce(&mut History)) -> Vec<String> {
    let mut history = right();
    change(&mut history);
    found(&history).0
}

fn is_of(wrong: &[String], invariant: &str) -> bool {
    wrong.iter().any(|it| it.starts_with(invariant))
}

#[test]
fn a_history_in_which_all_is_right_is_right() {
    let (wrong, seen) = found(&right());
    assert!(wrong.is_empty(), "{wrong:?}");
    seen.has_enough(3, 1, (0, 0));
}

#[test]
fn i1_a_seat_of_two_people_and_one_above_the_capacity_are_caught() {
    let wrong = caught(|h| h.truth.changes[4].version = 4);
    assert!(
        is_of(&wrong, "I1: a seat changed hands unguarded"),
        "{wrong:?}"
    );
    let wrong = caught(|h| h.truth.changes[5].seat = 1);
    assert!(is_of(&wrong, "I1"), "{wrong:?}");
    // As people see it: the first never gave it up.
    let wrong = caught(|h| _ = h.calls.remove(4));
    assert!(is_of(&wrong, "I1: seat 0 of"), "{wrong:?}");
}

#[test]
fn i2_one_person_in_two_places_is_caught() {
    let wrong = caught(|h| {
        h.capacity = 2;
        let mut other = change(HELD, "b3", 2, (1, 75));
        other.seat = 1;
        h.truth.changes.push(other);
    });
    assert!(is_of(&wrong, "I2"), "{wrong:?}");
}

#[test]
fn i3_a_person_who_was_confirmed_and_is_not_is_caught() {
    let wrong = caught(|h| _ = h.truth.bookings.remove("b2"));
    assert!(is_of(&wrong, "I3"), "{wrong:?}");
    let wrong = caught(|h| h.truth.changes.truncate(5));
    assert!(is_of(&wrong, "I3"), "{wrong:?}");
}

#[test]
fn i4_a_full_while_a_seat_was_free_is_caught() {
    let full = |span| call("k9", holding(9), span, Answer::Full);
    for wrongly in [(0, 9), (51, 59), (50, 50)] {
        let wrong = caught(|h| h.calls.push(full(wrongly)));
        assert!(is_of(&wrong, "I4"), "{wrongly:?}");
    }
    for rightly in [(0, 10), (49, 55), (59, 61), (71, 90)] {
        let wrong = caught(|h| h.calls.push(full(rightly)));
        assert!(wrong.is_empty(), "{rightly:?}: {wrong:?}");
    }
}

#[test]
fn i5_seats_that_are_nowhere_are_caught() {
    let wrong = caught(|h| h.free[0].1 = 1);
    assert!(is_of(&wrong, "I5"), "{wrong:?}");
}

#[test]
fn i6_a_hold_that_is_left_is_caught() {
    let wrong = caught(|h| h.truth.changes.truncate(5));
    assert!(is_of(&wrong, "I6"), "{wrong:?}");
}

#[test]
fn i7_another_answer_to_the_same_request_is_caught() {
    let wrong = caught(|h| h.calls[2].answer = booked("b1", 3));
    assert!(is_of(&wrong, "I7"), "{wrong:?}");
    let reused = Answer::Refused("REQUEST_ID_REUSED".to_owned());
    let wrong = caught(|h| h.calls[2].answer = reused);
    assert!(is_of(&wrong, "I7"), "{wrong:?}");
}

#[test]
fn i8_two_seats_and_none_between_two_commits_are_caught() {
    let moved = |tx_of_the_old: i64, order: [usize; 2]| {
        caught(|h| {
            h.capacity = 2;
            let mut there = change(CONFIRMED, "b2", 2, (1, 80));
            there.seat = 1;
            let mut old = change(COOLING, "b2", 2, (7, 80));
            old.tx = tx_of_the_old;
            let both = [there, old];
            h.truth.changes.extend(order.map(|n| both[n].clone()));
        })
    };
    assert!(!is_of(&moved(80, [0, 1]), "I8"), "in one transaction");
    assert!(is_of(&moved(81, [0, 1]), "I8"), "two seats");
    assert!(is_of(&moved(79, [1, 0]), "I8"), "none");
}

#[test]
fn i9_an_offer_out_of_turn_two_at_once_and_a_seat_for_all_are_caught() {
    let place = |id: &str, state, order| Place {
        id: id.to_owned(),
        state,
        // As the double of directory sees it, "w8" is of a special group.
        applicant: id.to_owned(),
        order,
    };
    let listed = |places: Vec<Place>| caught(|h| h.truth.places = places);
    let both = [place("w1", 1, 11), place("w2", 1, 12)];
    let then = |more: &[Place]| listed([both.as_slice(), more].concat());
    let both_left = [place("w1", 4, 14), place("w2", 4, 15)];
    assert!(then(&both_left).is_empty());
    assert!(is_of(&then(&[]), "I9: free for all"), "they wait");
    let gone = |more: &[Place]| then(&[more, both_left.as_slice()].concat());
    assert!(is_of(&gone(&[place("w2", 2, 13)]), "I9: offered"));
    assert!(gone(&[place("w1", 2, 13)]).is_empty());
    // Who is of a special group comes first, however late.
    let third = |offered: &str| {
        let places = [place("w8", 1, 13), place(offered, 2, 13)];
        gone(&[places.as_slice(), &[place("w8", 4, 13)]].concat())
    };
    assert!(third("w8").is_empty());
    assert!(is_of(&third("w1"), "I9: offered"));
    let two_at_once = caught(|h| {
        h.capacity = 3;
        for seat in [1, 2] {
            let mut offer = change(HELD, "b4", 4, (1, 80));
            (offer.seat, offer.waiting) = (seat, "w1".to_owned());
            h.truth.changes.push(offer);
            h.truth.orders.push(80);
        }
    });
    assert!(is_of(&two_at_once, "I9: two offers"));
}

#[test]
#[should_panic(expected = "vacuous")]
fn a_history_without_faults_proves_nothing_of_faults() {
    let (_, seen) = found(&right());
    seen.has_enough(1, 1, (0, 1));
}

#[test]
#[should_panic(expected = "vacuous")]
fn a_history_in_which_nobody_is_refused_proves_nothing() {
    let (_, seen) = found(&History::default());
    seen.has_enough(0, 1, (0, 0));
}
