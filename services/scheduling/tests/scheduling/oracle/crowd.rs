//! Crowds: those who all want the same seats at the same moment, and those who come and go all the while.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bangban_proto::bangban::scheduling::v1::{Booking, Hold};
use futures::future::join_all;
use tokio::{sync::Mutex, task::JoinHandle};
use uuid::Uuid;

use super::{
    calls::{Answer, Caller},
    stage::{SLOTS, Stage},
};

/// How many want a seat at the same moment.
pub const PEOPLE: usize = 10_000;

/// Ten thousand at a time are enough for one machine: tests with such a crowd wait for each other.
pub static CROWDS: Mutex<()> = Mutex::const_new(());

/// What came of a rush: whose appointments, and how many were told that there is no seat.
#[derive(Debug)]
pub struct Rushed {
    pub confirmed: Vec<String>,
    pub full: usize,
}

impl Rushed {
    /// How many were confirmed, and how many told "full".
    pub fn counts(&self) -> (usize, usize) {
        (self.confirmed.len(), self.full)
    }

    /// They give up what they got.
    pub async fn leave(self, stage: &Stage) {
        let caller = stage.caller(0);
        let gone = self.confirmed.iter().map(|booking| caller.cancel(booking));
        for answer in join_all(gone).await {
            assert_eq!(answer, Answer::GivenUp);
        }
    }
}

/// Somebody new; of a special group, one in eight.
pub fn somebody() -> String {
    Uuid::now_v7().to_string()
}

/// So many want a seat of a slot at the same moment: each is told, in the end, that it is theirs or that there is none.
pub async fn rush(stage: &Stage, slot: u16, people: usize) -> Rushed {
    let (slot, began) = (stage.slot(slot), Instant::now());
    let callers: Vec<Caller> = (0..64).map(|n| stage.caller(n)).collect();
    stage.log.waiting.fetch_add(people, Ordering::Relaxed);
    let attempts = (0..people).map(|n| {
        let (caller, slot) = (callers[n % callers.len()].clone(), slot.clone());
        let log = stage.log.clone();
        tokio::spawn(async move {
            let told = wants(&caller, &slot).await;
            log.waiting.fetch_sub(1, Ordering::Relaxed);
            told
        })
    });
    let attempts: Vec<_> = attempts.collect();
    let answers = join_all(attempts).await;
    println!("{people} answered after {:?}", began.elapsed());
    let answers = answers.into_iter().map(|a| a.expect("answered"));
    let confirmed: Vec<String> = answers.flatten().collect();
    Rushed {
        full: people - confirmed.len(),
        confirmed,
    }
}

/// Ten thousand want the seats of a slot, beside so many who come and go for each day, while something happens to
/// the servers. Each is answered, whatever happens; and when it is over, exactly as many are confirmed as there are seats.
pub async fn while_it_happens(stage: &Stage, others: usize, happens: impl Future<Output = ()>) {
    let regulars = Regulars::start(stage, others);
    // Served again, after what happened before, without anybody's help.
    stage.log.serves(20).await;
    let rushed = rush_while(stage, happens).await;
    regulars.leave().await;
    all_are_had(stage, rushed).await;
}

/// Ten thousand want the seats of a slot while something happens to the servers; most of it waits when it does.
pub async fn rush_while(stage: &Stage, happens: impl Future<Output = ()>) -> Rushed {
    let before = stage.faults();
    let (rushed, ()) = tokio::join!(rush(stage, 0, PEOPLE), happens);
    assert_eq!(rushed.confirmed.len() + rushed.full, PEOPLE);
    let seen = stage.seen()[before..].to_vec();
    println!("seen by {seen:?} of them who waited");
    assert!(
        seen.iter().max() > Some(&(PEOPLE / 2)),
        "most had been answered before anything happened: {seen:?}"
    );
    rushed
}

/// Seats that others had meanwhile, and of holds whose answer was lost, are had by who comes now: exactly as many are
/// confirmed as there are seats. Then all give up what they got.
pub async fn all_are_had(stage: &Stage, mut rushed: Rushed) {
    let capacity = stage.capacity as usize;
    // Where the machine stands still for as long as a hold lives, its seat is had by who comes later.
    for _ in 0..5 {
        stage.clears().await;
        rushed.confirmed.extend(rush(stage, 0, 100).await.confirmed);
        if rushed.confirmed.len() >= capacity {
            break;
        }
    }
    assert_eq!(rushed.confirmed.len(), capacity);
    rushed.leave(stage).await;
}

/// Wants a seat until it has one, or is told that there is none.
async fn wants(caller: &Caller, slot: &str) -> Option<String> {
    let applicant = somebody();
    loop {
        let hold = match caller.hold(slot, &applicant).await {
            Answer::Held(hold) => hold,
            Answer::Full => return None,
            other => panic!("no answer to a hold: {other:?}"),
        };
        match caller.confirm(&hold).await {
            Answer::Booked(booking) => return Some(booking.id),
            // While a server stood still the hold has ended: once more.
            Answer::Refused(reason) if is_over(&reason) => {}
            other => panic!("no answer to a confirmation: {other:?}"),
        }
    }
}

fn is_over(reason: &str) -> bool {
    matches!(reason, "HOLD_EXPIRED" | "HOLD_UNKNOWN")
}

/// People who come and go until they are told to stop.
pub struct Regulars {
    is_over: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Regulars {
    /// So many of them for each day. They come for that day, and move to any.
    pub fn start(stage: &Stage, count: usize) -> Self {
        let days = stage.days.len();
        let is_over: Arc<AtomicBool> = Arc::default();
        let all = stage.slots();
        let person = |n: usize| Regular {
            caller: stage.caller(n),
            other: stage.caller(n + 1),
            slots: all
                .chunks(SLOTS.into())
                .nth(n % days)
                .map_or(Vec::new(), <[_]>::to_vec),
            all: all.clone(),
            is_over: is_over.clone(),
        };
        let tasks = (0..count * days).map(|n| tokio::spawn(person(n).comes_and_goes()));
        Self {
            tasks: tasks.collect(),
            is_over: is_over.clone(),
        }
    }

    /// They leave, and give up what they have.
    pub async fn leave(self) {
        self.is_over.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.expect("answered");
        }
    }
}

struct Regular {
    caller: Caller,
    /// Through which the same request is sent a second time, and in the second tab.
    other: Caller,
    /// Of the day for which this one comes, and of all days.
    slots: Vec<String>,
    all: Vec<String>,
    is_over: Arc<AtomicBool>,
}

fn any(slots: &[String]) -> &str {
    &slots[rand::random_range(0..slots.len())]
}

fn one_in(n: u32) -> bool {
    rand::random_range(0..n) == 0
}

impl Regular {
    async fn comes_and_goes(self) {
        let mut kept: Vec<Booking> = Vec::new();
        while !self.is_over.load(Ordering::Relaxed) {
            if kept.len() > 2 {
                let given_up = kept.swap_remove(0);
                self.gives_up(&given_up).await;
            }
            let applicant = somebody();
            let slot = any(&self.slots);
            let answer = match rand::random_range(0..6) {
                0 => self.caller.hold_twice(&self.other, slot, &applicant).await,
                1 => self.in_two_tabs(slot, &applicant).await,
                _ => self.caller.hold(slot, &applicant).await,
            };
            match answer {
                Answer::Held(hold) => kept.extend(self.has(&hold).await),
                Answer::Full => {
                    if let Some(given_up) = kept.pop() {
                        self.gives_up(&given_up).await;
                    }
                    tokio::time::sleep(Duration::from_millis(rand::random_range(10..50))).await;
                }
                other => panic!("no answer to a hold: {other:?}"),
            }
        }
        for booking in kept {
            self.gives_up(&booking).await;
        }
    }

    /// Two requests for one person at the same time: at most one gets a seat.
    async fn in_two_tabs(&self, slot: &str, applicant: &str) -> Answer {
        let (one, two) = tokio::join!(
            self.caller.hold(slot, applicant),
            self.other.hold(slot, applicant),
        );
        let refused = Answer::Refused("BOOKINGS_OVERLAP".to_owned());
        match (&one, &two) {
            (Answer::Held(first), Answer::Held(_)) => {
                // Only if the first was over when the second came.
                self.caller.release(first).await;
                two
            }
            (Answer::Held(_), _) => one,
            (_, Answer::Held(_)) => two,
            _ if one == refused => two,
            _ => one,
        }
    }

    /// What becomes of a hold; the appointment, if it becomes one and is kept.
    async fn has(&self, hold: &Hold) -> Option<Booking> {
        if one_in(4) {
            self.caller.release(hold).await;
            return None;
        }
        if one_in(6) {
            // Left to expire.
            return None;
        }
        let answer = if one_in(5) {
            self.caller.confirm_twice(&self.other, hold).await
        } else {
            self.caller.confirm(hold).await
        };
        let booking = match answer {
            Answer::Booked(booking) => *booking,
            Answer::Refused(reason) if is_over(&reason) => return None,
            other => panic!("no answer to a confirmation: {other:?}"),
        };
        if one_in(3) {
            let to = any(&self.all);
            return match self.caller.moved(&booking, to).await {
                Answer::Booked(there) => Some(*there),
                Answer::Full => Some(booking),
                Answer::Refused(reason) if reason == "SLOT_SAME" => Some(booking),
                other => panic!("no answer to a move: {other:?}"),
            };
        }
        Some(booking)
    }

    async fn gives_up(&self, booking: &Booking) {
        let answer = self.caller.cancel(&booking.id).await;
        assert_eq!(answer, Answer::GivenUp, "{booking:?}");
    }
}
