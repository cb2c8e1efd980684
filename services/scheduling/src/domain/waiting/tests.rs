use bangban_limits::time::timestamp;
use bangban_proto::bangban::scheduling::v1::{Hold, Offer};
use proptest::prelude::*;

use super::*;
use crate::domain::plan::tests::date;

fn now() -> DateTime<Utc> {
    time::at(date("2026-11-26"), 9 * 60)
}

fn slot(hour: u32) -> Slot {
    let starts_at = time::at(date("2026-12-01"), hour * 60);
    Slot {
        id: format!("town.2026-12-01.{hour}"),
        site: "town".to_owned(),
        group: "licences".to_owned(),
        date: "2026-12-01".to_owned(),
        starts_at: Some(timestamp(starts_at)),
        ends_at: Some(timestamp(starts_at + TimeDelta::minutes(30))),
        capacity: 4,
        reserved: 1,
        reserved_until: Some(timestamp(starts_at - TimeDelta::hours(1))),
        ..Slot::default()
    }
}

fn waiting(id: &str, minute: i64, groups: &[SpecialGroup]) -> Waiting {
    Waiting {
        id: id.to_owned(),
        state: WaitingState::Waiting.into(),
        site: "town".to_owned(),
        group: "licences".to_owned(),
        item: "food".to_owned(),
        groups: groups.iter().map(|g| (*g).into()).collect(),
        from_on: "2026-12-01".to_owned(),
        until_on: "2026-12-05".to_owned(),
        joined_at: Some(timestamp(now() + TimeDelta::minutes(minute))),
        ..Waiting::default()
    }
}

fn first<'a>(list: &'a [Waiting], slot: &Slot, seat: u32) -> Option<&'a str> {
    next(list, &Freed { slot, seat }, |_| true, now()).map(|w| w.id.as_str())
}

#[test]
fn special_groups_come_first_then_who_joined_first_then_the_smaller_id() {
    let list = [
        waiting("d", 0, &[]),
        waiting("c", 5, &[]),
        waiting("b", 5, &[]),
        waiting("f", 9, &[SpecialGroup::Elderly]),
        waiting("e", 8, &[SpecialGroup::Disabled]),
    ];
    let mut sorted: Vec<_> = list.iter().collect();
    sorted.sort_by(|a, b| order(a).cmp(&order(b)));
    let ids: Vec<_> = sorted.iter().map(|w| w.id.as_str()).collect();
    assert_eq!(ids, ["e", "f", "d", "b", "c"]);
    assert_eq!(first(&list, &slot(9), 3), Some("e"));
}

#[test]
fn a_seat_goes_to_those_whom_it_suits() {
    let slot = slot(9);
    let with = |change: &dyn Fn(&mut Waiting)| {
        let mut one = waiting("a", 0, &[]);
        change(&mut one);
        first(&[one], &slot, 3).is_some()
    };
    assert!(with(&|_| {}));
    assert!(!with(&|w| w.site = "village".to_owned()));
    assert!(!with(&|w| w.group = "benefits".to_owned()));
    assert!(!with(&|w| w.from_on = "2026-12-02".to_owned()));
    assert!(!with(&|w| w.until_on = "2026-11-30".to_owned()));
    assert!(with(&|w| w.earliest = "09:00".to_owned()));
    assert!(!with(&|w| w.earliest = "09:01".to_owned()));
    assert!(with(&|w| w.latest = "09:30".to_owned()));
    assert!(!with(&|w| w.latest = "09:29".to_owned()));
    assert!(
        !with(&|w| w.set_state(WaitingState::Offered)),
        "one offer at a time"
    );
    assert!(!with(&|w| w.set_state(WaitingState::Left)));
}

#[test]
fn a_reserved_seat_is_offered_to_special_groups_alone_until_it_is_everybodys() {
    let slot = slot(9);
    let list = [waiting("a", 0, &[])];
    assert_eq!(first(&list, &slot, 0), None);
    assert_eq!(first(&list, &slot, 1), Some("a"));
    assert_eq!(
        first(&[waiting("b", 3, &[SpecialGroup::Ill])], &slot, 0),
        Some("b")
    );
    let lifted = time::of(slot.reserved_until.as_ref());
    let freed = Freed {
        slot: &slot,
        seat: 0,
    };
    assert!(is_eligible(&list[0], &freed, lifted));
}

#[test]
fn who_let_a_slot_go_is_not_offered_it_again_and_who_has_enough_is_passed_over() {
    let mut one = waiting("a", 0, &[]);
    let hold = Hold {
        slot: slot(9).id,
        ..Hold::default()
    };
    one.offers.push(Offer {
        hold: Some(hold),
        outcome: OfferOutcome::Expired.into(),
        ..Offer::default()
    });
    let list = [one, waiting("b", 5, &[])];
    assert_eq!(first(&list, &slot(9), 3), Some("b"));
    assert_eq!(first(&list, &slot(10), 3), Some("a"), "another one");
    let (slot, seat) = (slot(10), 3);
    let next = next(&list, &Freed { slot: &slot, seat }, |w| w.id != "a", now());
    assert_eq!(next.map(|w| w.id.as_str()), Some("b"));
}

#[test]
fn a_seat_is_offered_only_while_there_is_the_whole_time_to_decide() {
    let (slot, rules) = (slot(9), BookingPolicy::default());
    let starts = time::of(slot.starts_at.as_ref());
    let in_time = starts - TimeDelta::minutes(31);
    assert_eq!(
        offered_until(&slot, &rules, in_time),
        Some(in_time + TimeDelta::minutes(30))
    );
    assert_eq!(
        offered_until(&slot, &rules, starts - TimeDelta::minutes(30)),
        None
    );
    let closed = Slot {
        is_closed: true,
        ..slot
    };
    assert_eq!(offered_until(&closed, &rules, in_time), None);
}

#[test]
fn the_order_is_explained_to_who_waits() {
    let list = [
        waiting("a", 90, &[SpecialGroup::Elderly, SpecialGroup::Disabled]),
        waiting("b", 0, &[]),
        waiting("c", 10, &[]),
        Waiting {
            latest: "12:00".to_owned(),
            ..waiting("d", 20, &[])
        },
        Waiting {
            earliest: "14:00".to_owned(),
            ..waiting("e", 30, &[])
        },
    ];
    let first = reasons(&list[0], &list);
    assert_eq!(
        first.zh,
        "属于特殊群体（老年人、残疾人），优先安排；特殊群体之间按登记先后排列（BB-7.1.1）。\
         登记时间：11月26日 10:30。前面没有人等候相同的时段。"
    );
    assert_eq!(
        first.en,
        "Belongs to a special group (elderly, disabled), which comes first; within it the order is that of joining \
         (BB-7.1.1). Joined on 26 November 10:30. Nobody is ahead for the same times."
    );
    assert!(
        reasons(&list[1], &list)
            .en
            .ends_with("1 person is ahead for the same times.")
    );
    let counts: Vec<_> = list.iter().map(|w| ahead_count(w, &list)).collect();
    assert_eq!(
        counts,
        [0, 1, 2, 3, 3],
        "who waits for the morning is not ahead in the afternoon"
    );
}

#[test]
fn nobody_waits_twice_for_the_same() {
    let mut places = [waiting("a", 0, &[])];
    let wish = ("town", "licences", "food");
    let refusal = may_join(&places, wish).expect_err("already");
    assert_eq!(
        (refusal.reason, refusal.requirement),
        ("WAITING_ALREADY", "BB-7.1.1")
    );
    assert!(may_join(&places, ("town", "licences", "hygiene")).is_ok());
    places[0].set_state(WaitingState::Booked);
    assert!(may_join(&places, wish).is_ok());
}

/// One step of a list's life: who joins, which seat is freed, which offer ends and how.
#[derive(Debug, Clone)]
enum Step {
    Join {
        is_special: bool,
        earliest: u32,
        latest: u32,
    },
    Free {
        hour: u32,
        seat: u32,
    },
    End {
        which: usize,
        outcome: i32,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let join = (any::<bool>(), 8_u32..12, 12_u32..18).prop_map(|(is_special, earliest, latest)| {
        Step::Join {
            is_special,
            earliest,
            latest,
        }
    });
    let free = (8_u32..18, 0_u32..4).prop_map(|(hour, seat)| Step::Free { hour, seat });
    let end = (0_usize..8, 1_i32..=3).prop_map(|(which, outcome)| Step::End { which, outcome });
    prop::collection::vec(prop_oneof![join, free, end], 1..60)
}

proptest! {
    /// I9: offers are made in the order of the policy, one live offer for each freed seat, and one to each person.
    #[test]
    fn offers_are_made_in_order_and_one_for_each_freed_seat(steps in steps()) {
        let mut list: Vec<Waiting> = Vec::new();
        // Open offers: hour, seat, place in the list.
        let mut open: Vec<(u32, u32, usize)> = Vec::new();
        for (minute, step) in (0_i64..).zip(steps) {
            let freed = match step {
                Step::Join { is_special, earliest, latest } => {
                    let groups: &[SpecialGroup] = if is_special { &[SpecialGroup::Elderly] } else { &[] };
                    let mut one = waiting(&format!("{:02}", 99 - minute), minute / 3, groups);
                    one.earliest = format!("{earliest:02}:00");
                    one.latest = format!("{latest:02}:00");
                    list.push(one);
                    None
                }
                Step::Free { hour, seat } => {
                    let is_free = !open.iter().any(|o| (o.0, o.1) == (hour, seat));
                    is_free.then_some((hour, seat))
                }
                Step::End { which, outcome } => {
                    let outcome = OfferOutcome::try_from(outcome).expect("an outcome");
                    (which < open.len()).then(|| open.remove(which)).and_then(|(hour, seat, place)| {
                        let one = &mut list[place];
                        one.offers.last_mut().expect("an offer").set_outcome(outcome);
                        let is_accepted = outcome == OfferOutcome::Accepted;
                        one.set_state(if is_accepted { WaitingState::Booked } else { WaitingState::Waiting });
                        (!is_accepted).then_some((hour, seat))
                    })
                }
            };
            let Some((hour, seat)) = freed else { continue };
            let slot = slot(hour);
            let chosen = next(&list, &Freed { slot: &slot, seat }, |_| true, now()).map(|w| w.id.clone());
            // The policy again, in other words: nobody who comes before could have had it.
            let could = |w: &Waiting| {
                let from = format!("{hour:02}:00");
                let had = w.offers.iter().any(|o| o.hold.as_ref().expect("a hold").slot == slot.id);
                let suits = w.earliest <= from && format!("{hour:02}:30") <= w.latest;
                w.state() == WaitingState::Waiting && suits && !had && (seat > 0 || !w.groups.is_empty())
            };
            match &chosen {
                None => prop_assert!(!list.iter().any(could)),
                Some(id) => {
                    let place = list.iter().position(|w| &w.id == id).expect("of the list");
                    let rank = |w: &Waiting| (w.groups.is_empty(), w.joined_at.expect("joined").seconds, w.id.clone());
                    prop_assert!(could(&list[place]));
                    prop_assert!(!list.iter().any(|w| could(w) && rank(w) < rank(&list[place])));
                    let hold = Hold { slot: slot.id.clone(), seat, ..Hold::default() };
                    list[place].offers.push(Offer { hold: Some(hold), ..Offer::default() });
                    list[place].set_state(WaitingState::Offered);
                    open.push((hour, seat, place));
                }
            }
            for (n, a) in open.iter().enumerate() {
                prop_assert!(!open[n + 1..].iter().any(|b| (a.0, a.1) == (b.0, b.1) || a.2 == b.2));
            }
        }
    }
}
