//! Memory and Redis are driven through the same random histories, and each answer is held against a model that knows
//! neither bytes nor scripts. Time is part of the histories: it passes, and a rebuild or a pick that was seen before is
//! abandoned, or a day gone that is kept no longer; a release goes through its steps apart from each other, an audit comes
//! long after its look, a server forgets its days or its scripts.

mod abstraction;
mod real;
mod steps;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bangban_slots::{Error, Gate, Settings};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use self::abstraction::{Model, Patience};
use self::real::Real;
use self::steps::{Keep, Said, Step, before, steps};
use bangban_rig::Server;

use crate::server::HasSettings;
use crate::truth::Truth;
use crate::workload::{day, ready};

const HISTORIES: u32 = 210;

impl Patience {
    fn abandoned_after(self) -> Duration {
        match self {
            Self::Endless => Duration::from_secs(3600),
            Self::Short => Duration::from_millis(50),
            Self::None => Duration::ZERO,
        }
    }
}

/// A gate of each patience, on one server.
async fn gates(server: &Server) -> [(Patience, Gate); 3] {
    let truth: Arc<Truth> = Arc::default();
    let gates = [Patience::Endless, Patience::Short, Patience::None].map(|patience| {
        // Freshness has tests of its own; here a release is a step of the history, not of the clock.
        let (lease, read_every) = (Duration::from_millis(400), Duration::from_millis(50));
        let settings = Settings {
            abandoned_after: patience.abandoned_after(),
            lease,
            read_every,
            ..server.patient()
        };
        let gate = Gate::redis(settings, Arc::clone(&truth) as _).unwrap();
        (patience, gate)
    });
    for (_, gate) in &gates {
        ready(gate, bangban_rig::PATIENCE).await;
    }
    gates
}

#[test]
fn memory_redis_and_the_model_say_the_same() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = Server::start(&[]);
    let gates = runtime.block_on(gates(&server));
    let config = ProptestConfig {
        cases: HISTORIES,
        max_shrink_iters: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let [cut_off, abandoned, ended, only_reserved] = std::array::from_fn(|_| AtomicU64::new(0));
    let histories = (steps(), before(), 0..gates.len());
    let compared = TestRunner::new(config).run(&histories, |(steps, before, nth)| {
        let (patience, gate) = &gates[nth];
        let mut compared = Compared::new(*patience, gate.clone(), before);
        let is_whole = runtime.block_on(compared.all(&steps, &server))?;
        cut_off.fetch_add(u64::from(!is_whole), Ordering::Relaxed);
        abandoned.fetch_add(compared.abandoned, Ordering::Relaxed);
        ended.fetch_add(compared.model.ended, Ordering::Relaxed);
        only_reserved.fetch_add(compared.model.only_reserved, Ordering::Relaxed);
        Ok(())
    });
    compared.unwrap_or_else(|error| panic!("{error}"));
    println!(
        "{abandoned:?} seats abandoned after a time, {ended:?} days ended, {only_reserved:?} times nothing but reserved \
         seats was left, {cut_off:?} histories cut off"
    );
    // On a slow machine all that are about a short patience may be.
    assert!(cut_off.into_inner() < u64::from(HISTORIES) / 2, "vacuous");
    assert!(abandoned.into_inner() > 0, "vacuous");
    assert!(ended.into_inner() > 0, "vacuous");
    assert!(only_reserved.into_inner() > 0, "vacuous");
}

/// What is driven through one history.
struct Compared {
    memory: Real,
    redis: Real,
    model: Model,
    day: bangban_slots::Day,
    patience: Patience,
    /// Since when no time has passed for the model.
    since: Instant,
    /// Since when a day may be kept that is kept briefly.
    kept_since: Option<Instant>,
    /// Seats that were abandoned though not at once.
    abandoned: u64,
}

impl Compared {
    fn new(patience: Patience, redis: Gate, before: u16) -> Self {
        Self {
            memory: Real::new(Gate::memory_with(patience.abandoned_after()), before),
            redis: Real::new(redis, before),
            model: Model::new(patience),
            day: day(rand::random_range(0..1_000_000)),
            patience,
            since: Instant::now(),
            kept_since: None,
            abandoned: 0,
        }
    }

    /// What time has passed that the model does not know of.
    fn passed(&self) -> Option<Step> {
        let brief = Keep::Briefly.time();
        if self
            .kept_since
            .is_some_and(|since| since.elapsed() >= brief)
        {
            return Some(Step::Ends);
        }
        let is_short = self.patience == Patience::Short;
        let is_over = is_short && self.since.elapsed() >= self.patience.abandoned_after();
        is_over.then_some(Step::Passes)
    }

    /// Lets as much time pass as a step says, if it is one of time; all of it has passed then, for memory and for Redis.
    async fn passes(&mut self, step: &Step) -> bool {
        let mut long = match self.patience {
            Patience::Short => self.patience.abandoned_after(),
            _ => Duration::ZERO,
        };
        match step {
            Step::Passes => {}
            // Redis counts in milliseconds.
            Step::Ends if self.kept_since.take().is_some() => {
                long = Keep::Briefly.time() + Duration::from_millis(20);
            }
            Step::Ends => {}
            _ => return false,
        }
        tokio::time::sleep(long).await;
        self.since = Instant::now();
        true
    }

    /// Goes through a history; `false` if so much time passed during a step that it cannot be judged.
    async fn all(&mut self, steps: &[Step], server: &Server) -> Result<bool, TestCaseError> {
        for (nth, step) in steps.iter().enumerate() {
            let expected = self.model.step(step);
            if self.passes(step).await {
                continue;
            }
            if let (Step::Finish { keep, .. }, Said::Done(true)) = (step, &expected)
                && *keep == Keep::Briefly
            {
                self.kept_since = Some(Instant::now());
            }
            let memory = self.memory.step(step, &self.day).await.unwrap();
            if let Step::Lost { with_scripts } = step {
                self.loses(server, *with_scripts).await;
            }
            let redis = until_answered(&mut self.redis, step, &self.day, &expected).await;
            if let Some(passed) = self.passed() {
                // Whether a look was too late shows only when it is audited.
                let is_unclear = (step, &passed) == (&Step::Look, &Step::Ends);
                if is_unclear || (&memory, &redis) != (&expected, &expected) {
                    return Ok(false);
                }
                // What was seen before may be abandoned by now, or a day gone: let it be so for certain.
                self.model.step(&passed);
                self.passes(&passed).await;
            }
            prop_assert_eq!(&memory, &expected, "memory, step {} {:?}", nth, step);
            prop_assert_eq!(&redis, &expected, "Redis, step {} {:?}", nth, step);
            if let (Said::Audited(_, _, abandoned, _), Patience::Short) = (expected, self.patience)
            {
                self.abandoned += abandoned;
            }
        }
        for seat in self.memory.held.drain(..).chain(self.redis.held.drain(..)) {
            seat.give_back().await;
        }
        Ok(true)
    }

    async fn loses(&mut self, server: &Server, with_scripts: bool) {
        server.ask::<()>(&["FLUSHALL"]);
        if with_scripts {
            server.ask::<()>(&["SCRIPT", "FLUSH"]);
        }
        let pick = Step::Pick {
            slot: 0,
            special: false,
        };
        until_answered(&mut self.redis, &pick, &self.day, &Said::Stale).await;
    }
}

/// A server that is being admitted, or a release under a new generation, says "try again" until it is done: none of the
/// history's business.
async fn until_answered(
    redis: &mut Real,
    step: &Step,
    day: &bangban_slots::Day,
    expected: &Said,
) -> Said {
    let until = Instant::now() + 2 * bangban_rig::PATIENCE;
    while Instant::now() < until {
        match redis.step(step, day).await {
            Ok(Said::Again) if *expected != Said::Again => {}
            Ok(said) => return said,
            // Only what takes nothing from the caller is asked again.
            Err(Error::Unavailable(_))
                if !matches!(step, Step::Finish { .. } | Step::Audit { .. }) => {}
            Err(error) => panic!("{step:?}: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no answer to {step:?}")
}
