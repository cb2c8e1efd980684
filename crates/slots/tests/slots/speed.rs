//! How fast one connection is, for orientation; nothing is asserted of it.

use std::sync::Arc;
use std::time::Instant;

use bangban_slots::{Gate, Picked, Who};

use crate::identity::pick_after_rebuild;
use bangban_rig::Server;

use crate::server::HasSettings;
use crate::truth::Truth;
use crate::workload::{day, ready};

const CALLS: u32 = 20_000;

#[tokio::test(flavor = "multi_thread")]
async fn picks_and_refusals_per_second() {
    let server = Server::start(&[]);
    let truth: Arc<Truth> = Arc::default();
    let gate = Gate::redis(server.patient(), Arc::clone(&truth) as _).unwrap();
    ready(&gate, bangban_rig::PATIENCE).await;
    let day = day(0);
    truth.publish(&day, &[(20, 0)]);
    drop(pick_after_rebuild(&gate, &truth, &day).await);

    let picked = rate(&gate, &day, |answer| async move {
        if let Picked::Seat(seat) = answer {
            seat.give_back().await;
        }
    })
    .await;
    let mut seats = Vec::new();
    loop {
        match gate.pick(&day, 0, Who::Ordinary).await {
            Picked::Seat(seat) => seats.push(seat),
            Picked::Again { .. } if seats.len() == 20 => break,
            _ => tokio::task::yield_now().await,
        }
    }
    for seat in seats {
        seat.taken().await;
    }
    let full = rate(&gate, &day, |answer| async move {
        assert!(matches!(answer, Picked::Full), "{answer:?}")
    })
    .await;
    println!(
        "picks with give-back {picked:.0} per second, refusals {full:.0} per second (debug build)"
    );
}

async fn rate<F: Future<Output = ()> + Send>(
    gate: &Gate,
    day: &bangban_slots::Day,
    settle: impl Fn(Picked) -> F + Send + Sync + Copy + 'static,
) -> f64 {
    let start = Instant::now();
    let until = start + 5 * bangban_rig::PATIENCE;
    let clients = (0..16).map(|_| {
        let (gate, day) = (gate.clone(), day.clone());
        async move {
            for _ in 0..CALLS / 16 {
                let answer = loop {
                    match gate.pick(&day, 0, Who::Ordinary).await {
                        // A "full" that is told too late is not told.
                        Picked::Again { after } if Instant::now() < until => {
                            tokio::time::sleep(after).await;
                        }
                        answer => break answer,
                    }
                };
                settle(answer).await;
            }
        }
    });
    futures::future::join_all(clients).await;
    f64::from(CALLS) / start.elapsed().as_secs_f64()
}
