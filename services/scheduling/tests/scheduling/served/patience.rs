//! Who is told "not now" asks again. A machine may stand still for seconds, at any moment.

use std::time::{Duration, Instant};

use bangban_kit::refusal;
use bangban_store::Error;
use tonic::{Code, Status};

pub use bangban_rig::PATIENCE;

/// Whether somebody is told to ask again, whatever for.
pub fn is_not_now(status: &Status) -> bool {
    status.code() == Code::Unavailable
}

/// Whether the database went away under what was asked: it ends a transaction that stands still for five seconds.
pub fn is_broken_off(status: &Status) -> bool {
    refusal::reason(status) == "DATABASE_UNAVAILABLE"
}

/// Looks, or tries, until it is so.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The answer, once it is not one after which to ask again.
pub async fn patiently<T, F: Future<Output = Result<T, Status>>>(
    is_passing: fn(&Status) -> bool,
    ask: impl Fn() -> F,
) -> Result<T, Status> {
    let began = Instant::now();
    loop {
        match ask().await {
            Err(status) if is_passing(&status) && began.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            answer => return answer,
        }
    }
}

/// What callers hear of an error; more of it is for who reads what a test said.
pub fn told(error: Error) -> Status {
    eprintln!("{error}");
    error.into()
}
