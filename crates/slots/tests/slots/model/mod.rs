//! Memory and Redis are driven through the same random histories, and each answer is held against a model that knows
//! neither bytes nor scripts. Time is part of the histories: a rebuild or a pick is abandoned, a release goes through its
//! steps apart from each other, an audit comes long after its look, a server forgets its days or its scripts.

mod abstraction;
mod real;
mod steps;

use std::sync::Arc;
use std::time::Duration;

use bangban_slots::{Error, Gate, Settings};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use self::abstraction::{Known, Model};
use self::real::Real;
use self::steps::{Said, Step, steps};
use crate::server::Server;
use crate::truth::Truth;
use crate::workload::{day, ready};

const NEVER: Duration = Duration::from_secs(3600);

/// A gate that calls nothing abandoned, and one that calls everything so, on one server.
async fn gates(server: &Server) -> [Gate; 2] {
    let truth: Arc<Truth> = Arc::default();
    let gates = [NEVER, Duration::ZERO].map(|abandoned_after| {
        // Freshness has tests of its own; here a release is a step of the history, not of the clock.
        let (lease, read_every) = (Duration::from_millis(400), Duration::from_millis(50));
        let settings = Settings {
            abandoned_after,
            lease,
            read_every,
            ..server.settings()
        };
        Gate::redis(settings, Arc::clone(&truth) as _).unwrap()
    });
    for gate in &gates {
        ready(gate, Duration::from_secs(10)).await;
    }
    gates
}

#[test]
fn memory_redis_and_the_model_say_the_same() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = Server::start(&[]);
    let [patient, impatient] = runtime.block_on(gates(&server));
    let config = ProptestConfig {
        cases: 200,
        max_shrink_iters: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let compared = TestRunner::new(config).run(&(steps(), any::<bool>()), |(steps, is_patient)| {
        let (gate, patience) = if is_patient {
            (&patient, NEVER)
        } else {
            (&impatient, Duration::ZERO)
        };
        runtime.block_on(compare(
            &steps,
            is_patient,
            Gate::memory_with(patience),
            gate.clone(),
            &server,
        ))
    });
    compared.unwrap_or_else(|error| panic!("{error}"));
}

async fn compare(
    steps: &[Step],
    is_patient: bool,
    memory: Gate,
    redis: Gate,
    server: &Server,
) -> Result<(), TestCaseError> {
    let (mut memory, mut redis) = (Real::new(memory), Real::new(redis));
    let mut model = Model {
        known: Known::No,
        is_patient,
        rebuilds: 0,
        seen_rebuilding: None,
        picks: 0,
        held: Vec::new(),
        begun: Vec::new(),
        looks: Vec::new(),
    };
    let day = day(rand::random_range(0..1_000_000));
    for (nth, step) in steps.iter().enumerate() {
        let expected = model.step(step);
        let said = memory.step(step, &day).await.unwrap();
        prop_assert_eq!(&said, &expected, "memory, step {} {:?}", nth, step);
        if let Step::Lost { with_scripts } = step {
            server.ask::<()>(&["FLUSHALL"]);
            if *with_scripts {
                server.ask::<()>(&["SCRIPT", "FLUSH"]);
            }
            until_answered(
                &mut redis,
                &Step::Pick {
                    slot: 0,
                    special: false,
                },
                &day,
                &Said::Stale,
            )
            .await;
        }
        let said = until_answered(&mut redis, step, &day, &expected).await;
        prop_assert_eq!(&said, &expected, "Redis, step {} {:?}", nth, step);
    }
    for seat in memory.held.into_iter().chain(redis.held) {
        seat.give_back().await;
    }
    Ok(())
}

/// A server that is being admitted, or a release under a new generation, says "try again" until it is done: none of the
/// history's business.
async fn until_answered(
    redis: &mut Real,
    step: &Step,
    day: &bangban_slots::Day,
    expected: &Said,
) -> Said {
    for _ in 0..200 {
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
