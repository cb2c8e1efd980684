//! A day moves from one master of a Cluster to another while people pick its seats.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bangban_rig::{Cluster, PATIENCE, Server};
use bangban_slots::{Day, Gate, Picked, Place, Who};

use crate::identity::pick_after_rebuild;
use crate::server::HasSettings;
use crate::truth::Truth;
use crate::workload::{day, ready};

const SLOTS: u16 = 4;
const SEATS: u16 = 1200;
const ALL: usize = SLOTS as usize * SEATS as usize;

/// Seats that were given out.
#[derive(Clone, Default)]
struct Given(Arc<Mutex<Vec<Place>>>);

impl Given {
    fn places(&self) -> Vec<Place> {
        self.0.lock().unwrap().clone()
    }

    /// Until so many were.
    async fn reaches(&self, count: usize) {
        let began = Instant::now();
        while self.places().len() < count {
            assert!(
                began.elapsed() < PATIENCE,
                "only {} of {count} seats are given",
                self.places().len()
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Takes seat after seat until there is none.
async fn takes_all(gate: Gate, truth: Arc<Truth>, day: Day, given: Given) {
    for slot in (0..SLOTS).cycle() {
        let asked = Instant::now();
        match gate.pick(&day, slot, Who::Ordinary).await {
            Picked::Seat(seat) => {
                let place = seat.place();
                let claimed = truth.claim(&day, place);
                assert_eq!(claimed, Ok(()), "{place:?} is given twice");
                truth.travel().await;
                seat.taken().await;
                given.0.lock().unwrap().push(place);
            }
            Picked::Full => {
                let asked = (asked, Instant::now());
                assert!(truth.was_full(&day, slot, Who::Special, asked), "wrongly");
                if given.places().len() == ALL {
                    return;
                }
            }
            // That somebody's seat was taken may have been lost on the way: none of them is "full" until an audit.
            Picked::Again { .. } if given.places().len() == ALL => return,
            Picked::Again { after } => tokio::time::sleep(after).await,
            Picked::Unavailable(unavailable) => tokio::time::sleep(unavailable.after).await,
            Picked::OnlyReserved => panic!("none is reserved"),
            Picked::Stale => panic!("the day was lost on its way"),
        }
    }
}

/// How many were asked for something that is on its way to them.
fn asking(server: &Server) -> usize {
    let stats: String = server.ask(&["INFO", "commandstats"]);
    let calls = stats
        .lines()
        .find_map(|line| line.strip_prefix("cmdstat_asking:calls="));
    calls.map_or(0, |calls| {
        let (number, _) = calls.split_once(',').unwrap();
        number.parse().unwrap()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_day_that_moves_to_another_master_is_served_on_its_way_and_no_seat_is_given_twice() {
    let cluster = Cluster::start();
    let truth: Arc<Truth> = Arc::default();
    let settings = cluster.patient();
    let gates = [0, 1].map(|_| Gate::redis(settings.clone(), Arc::clone(&truth) as _).unwrap());
    let day = day(0);
    truth.publish(&day, &[(SEATS, 0); SLOTS as usize]);
    for gate in &gates {
        ready(gate, PATIENCE).await;
    }
    // It is known, so that nothing but its own bytes says what is free from now on.
    drop(pick_after_rebuild(&gates[0], &truth, &day).await);
    truth.is_slow.store(true, Ordering::Relaxed);
    let before: Vec<_> = gates.iter().map(Gate::counts).collect();

    let given = Given::default();
    let people = (0..16).map(|n| {
        let gate = gates[n % 2].clone();
        tokio::spawn(takes_all(
            gate,
            Arc::clone(&truth),
            day.clone(),
            given.clone(),
        ))
    });
    let people: Vec<_> = people.collect();

    let whose = cluster.whose(day.key());
    let (from, to) = (&cluster.masters[whose], &cluster.masters[(whose + 1) % 3]);
    let slot = from
        .ask::<u16>(&["CLUSTER", "KEYSLOT", day.key()])
        .to_string();
    let id = |server: &Server| server.ask::<String>(&["CLUSTER", "MYID"]);
    let set = |server: &Server, how: &str, other: &Server| {
        server.ask::<()>(&["CLUSTER", "SETSLOT", &slot, how, &id(other)]);
    };
    given.reaches(ALL / 6).await;
    set(to, "IMPORTING", from);
    set(from, "MIGRATING", to);
    given.reaches(ALL / 3).await;
    assert_eq!(asking(to), 0, "it is where it was");
    let port = to.port.to_string();
    from.ask::<()>(&["MIGRATE", "127.0.0.1", &port, day.key(), "0", "60000"]);
    // From here on the day is there, and the slot is not.
    let moved = given.places().len();
    given.reaches(moved + ALL / 3).await;
    let on_its_way = asking(to);
    for master in [to, from, &cluster.masters[(whose + 2) % 3]] {
        set(master, "NODE", to);
    }
    for one in people {
        one.await.unwrap();
    }
    assert_eq!(cluster.whose(day.key()), (whose + 1) % 3);

    println!("{moved} given before, {on_its_way} calls while it was on its way");
    assert!(on_its_way >= ALL / 3, "{on_its_way} calls");
    let places: BTreeSet<Place> = given.places().into_iter().collect();
    assert_eq!((places.len(), given.places().len()), (ALL, ALL));
    for (gate, before) in gates.iter().zip(before) {
        let after = gate.counts();
        assert_eq!(
            (after.rebuilds, after.admissions, after.refused),
            (before.rebuilds, before.admissions, before.refused),
            "it came as it was"
        );
    }
}
