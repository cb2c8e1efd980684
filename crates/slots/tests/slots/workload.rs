//! A crowd: people who want seats, let them go, die between two steps; sweeps that free what is due and die too;
//! an audit. Every "full" is judged by the truth's history.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bangban_rig::Looks;
use bangban_slots::{Day, Error, Gate, Health, Picked, Place, Who};
use chrono::NaiveDate;

use crate::truth::Truth;

pub fn day(number: u32) -> Day {
    let on = NaiveDate::from_ymd_opt(2026, 12, 1).unwrap() + chrono::Days::new(number.into());
    Day::new("330106", "0190b2c4-6f1e-7a33-8d41-5b7c2f9e0a11", on).unwrap()
}

/// Between two looks at what must come.
pub const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

const SLOTS: u16 = 3;
const SEATS: u16 = 4;

#[derive(Default)]
pub struct Seen {
    pub seats: AtomicU64,
    pub full: AtomicU64,
    /// Of these, the ones who were told that reserved seats are left.
    pub only_reserved: AtomicU64,
    pub wrong_full: AtomicU64,
    pub again: AtomicU64,
    pub unavailable: AtomicU64,
    pub refused: AtomicU64,
    pub released: AtomicU64,
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        write!(
            f,
            "{} seats, {} full ({} but for reserved seats, {} wrong), {} again, {} unavailable, {} refused, {} released",
            of(&self.seats),
            of(&self.full),
            of(&self.only_reserved),
            of(&self.wrong_full),
            of(&self.again),
            of(&self.unavailable),
            of(&self.refused),
            of(&self.released)
        )
    }
}

pub struct Crowd {
    pub truth: Arc<Truth>,
    pub seen: Arc<Seen>,
    gates: Vec<Gate>,
    days: Vec<Day>,
    is_over: Arc<AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Crowd {
    /// On these gates, each as if it were a process of its own.
    pub fn start(truth: Arc<Truth>, gates: Vec<Gate>, days: u32) -> Self {
        let days: Vec<Day> = (0..days).map(day).collect();
        for day in &days {
            truth.publish(
                day,
                &[(SEATS, 1), (SEATS, 0), (SEATS, 0)][..usize::from(SLOTS)],
            );
        }
        truth.is_slow.store(true, Ordering::Relaxed);
        let mut crowd = Self {
            truth,
            seen: Arc::default(),
            gates,
            days,
            is_over: Arc::default(),
            tasks: Vec::new(),
        };
        for gate in crowd.gates.clone() {
            for _ in 0..8 {
                crowd.tasks.push(tokio::spawn(person(crowd.one(&gate))));
            }
            crowd.tasks.push(tokio::spawn(sweep(crowd.one(&gate))));
            crowd.tasks.push(tokio::spawn(audit(crowd.one(&gate))));
        }
        crowd
    }

    fn one(&self, gate: &Gate) -> One {
        One {
            gate: gate.clone(),
            truth: Arc::clone(&self.truth),
            seen: Arc::clone(&self.seen),
            days: self.days.clone(),
            is_over: Arc::clone(&self.is_over),
        }
    }

    /// Until so many more seats were given out and so many more people told "full".
    pub async fn gets(&self, seats: u64, full: u64, within: Duration) {
        let before = self.numbers();
        let mut looks = Looks::within(within, BETWEEN_LOOKS);
        loop {
            let now = self.numbers();
            if now.0 >= before.0 + seats && now.1 >= before.1 + full {
                return;
            }
            assert!(
                looks.goes_on().await,
                "nobody was served for {within:?}: {}; {:?}",
                self.seen,
                self.gates[0].health()
            );
        }
    }

    /// Until each gate gave out so many seats and told so many people "full" since it was made.
    pub async fn gets_each(&self, seats: u64, full: u64, within: Duration) {
        let start = Instant::now();
        let has_served = |gate: &Gate| gate.counts().picked >= seats && gate.counts().full >= full;
        while !self.gates.iter().all(has_served) {
            assert!(
                start.elapsed() < within,
                "one was not served in {within:?}: {}",
                self.seen
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn gate(&self) -> Gate {
        self.gates[0].clone()
    }

    fn numbers(&self) -> (u64, u64) {
        (
            self.seen.seats.load(Ordering::Relaxed),
            self.seen.full.load(Ordering::Relaxed),
        )
    }

    /// Ends it; nothing may have been wrong, and what the gate says in the end is what the database says.
    pub async fn end(mut self) {
        self.stop().await;
        let deadline = Instant::now() + Duration::from_secs(60);
        let gate = &self.gates[0];
        while !self.agrees(gate).await {
            assert!(
                Instant::now() < deadline,
                "gate and database disagree for good: {:?}",
                gate.health()
            );
            for day in &self.days {
                release_due(gate, &self.truth, day, &self.seen, false).await;
                _ = rebuild(gate, &self.truth, day).await;
                _ = audit_day(gate, &self.truth, day).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The same for gates that will never agree.
    pub async fn end_divided(mut self) {
        self.stop().await;
    }

    async fn stop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for task in std::mem::take(&mut self.tasks) {
            task.await.unwrap();
        }
        println!("{}", self.seen);
        for gate in &self.gates {
            println!("{:?}", gate.counts());
        }
        assert_eq!(
            self.seen.wrong_full.load(Ordering::Relaxed),
            0,
            "somebody was told full wrongly"
        );
    }

    async fn agrees(&self, gate: &Gate) -> bool {
        let Ok(free) = gate.availability(&self.days).await else {
            return false;
        };
        self.days.iter().zip(free).all(|(day, free)| {
            free.is_some_and(|slots| {
                (0..).zip(slots).all(|(slot, free)| {
                    usize::from(free.special) == self.truth.free_count(day, slot)
                })
            })
        })
    }
}

struct One {
    gate: Gate,
    truth: Arc<Truth>,
    seen: Arc<Seen>,
    days: Vec<Day>,
    is_over: Arc<AtomicBool>,
}

impl One {
    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }
}

fn one_in(n: u32) -> bool {
    rand::random_range(0..n) == 0
}

async fn person(one: One) {
    let (gate, truth, seen) = (&one.gate, &one.truth, &one.seen);
    let mut held: Vec<(Day, Place)> = Vec::new();
    while one.goes_on() {
        if !held.is_empty() && (held.len() > 4 || one_in(3)) {
            let (day, place) = held.swap_remove(rand::random_range(0..held.len()));
            truth.cool(
                &day,
                place,
                Duration::from_millis(rand::random_range(0..10)),
            );
        }
        let day = &one.days[rand::random_range(0..one.days.len())];
        let slot = rand::random_range(0..SLOTS);
        let asked_at = Instant::now();
        let who = match one_in(3) {
            true => Who::Ordinary,
            false => Who::Special,
        };
        let told_full = |full_for| {
            seen.full.fetch_add(1, Ordering::Relaxed);
            if !truth.was_full(day, slot, full_for, (asked_at, Instant::now())) {
                seen.wrong_full.fetch_add(1, Ordering::Relaxed);
            }
        };
        match gate.pick(day, slot, who).await {
            Picked::Seat(seat) => {
                let place = seat.place();
                truth.travel().await;
                if one_in(50) {
                    // Dies: with the seat, or (which gives it back wrongly) after its row was written.
                    if one_in(2) && truth.claim(day, place).is_ok() {
                        held.push((day.clone(), place));
                    }
                    continue;
                }
                match truth.claim(day, place) {
                    Ok(()) => {
                        seen.seats.fetch_add(1, Ordering::Relaxed);
                        held.push((day.clone(), place));
                        truth.travel().await;
                        seat.taken().await;
                    }
                    Err(row) => {
                        seen.refused.fetch_add(1, Ordering::Relaxed);
                        truth.travel().await;
                        seat.refused(row).await;
                    }
                }
            }
            Picked::Full => {
                told_full(Who::Special);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Picked::OnlyReserved => {
                told_full(Who::Ordinary);
                seen.only_reserved.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Picked::Again { after } => {
                seen.again.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(after).await;
            }
            Picked::Stale => _ = rebuild(gate, truth, day).await,
            Picked::Unavailable(unavailable) => {
                seen.unavailable.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(unavailable.after).await;
            }
        }
    }
    for (day, place) in held {
        truth.cool(&day, place, Duration::ZERO);
    }
}

async fn rebuild(gate: &Gate, truth: &Truth, day: &Day) -> Result<bool, Error> {
    let read = || async {
        truth.travel().await;
        let state = truth.state(day);
        truth.travel().await;
        Ok(state)
    };
    gate.rebuild(day, Duration::from_millis(500), read).await
}

async fn release_due(gate: &Gate, truth: &Truth, day: &Day, seen: &Seen, may_die: bool) {
    let due = truth.due(day);
    if due.is_empty() {
        return;
    }
    truth.travel().await;
    let Ok(generation) = gate.release(day, &due).await else {
        return;
    };
    truth.travel().await;
    if may_die && one_in(20) {
        return;
    }
    let freed = truth.free(day, &due, generation).await;
    seen.released
        .fetch_add(freed.len() as u64, Ordering::Relaxed);
    truth.travel().await;
    if may_die && one_in(20) {
        return;
    }
    gate.freed(day, &freed).await;
}

async fn sweep(one: One) {
    while one.goes_on() {
        for day in &one.days {
            release_due(&one.gate, &one.truth, day, &one.seen, true).await;
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

async fn audit_day(gate: &Gate, truth: &Truth, day: &Day) -> Option<()> {
    let looks = gate.look(std::slice::from_ref(day)).await.ok()?;
    truth.travel().await;
    let state = truth.state(day);
    truth.travel().await;
    gate.audit(&looks[0], &state).await.ok()?;
    Some(())
}

async fn audit(one: One) {
    while one.goes_on() {
        for day in one.gate.asked_in_vain(100) {
            _ = audit_day(&one.gate, &one.truth, &day).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Until the gate can be asked.
pub async fn ready(gate: &Gate, within: Duration) {
    let start = Instant::now();
    while gate.health() != Health::Ready {
        assert!(
            start.elapsed() < within,
            "{:?} after {within:?}",
            gate.health()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
