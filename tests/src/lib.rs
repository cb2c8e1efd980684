//! The platform as its users meet it: an instance with the sample district, called over gRPC.
//!
//! [`on_both`] runs a story on SQLite and, where `DATABASE_URL` names one (`make test` sets it), on PostgreSQL. Stories
//! share one instance per database and keep out of each other's way by opening cases of their own; who moves the clock
//! makes a [`World`] of their own.

pub mod agency;
pub mod case;
pub mod cluster;
pub mod load;
pub mod postgres;
pub mod question;
pub mod receiver;
pub mod refusals;
mod world;

use std::{
    future::Future,
    sync::LazyLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bangban::tell;
use prost_types::Timestamp;
use tokio::{runtime::Runtime, sync::OnceCell};

pub use world::{Database, World, request_id};

/// Servers outlive the test that started them, so they do not run on a test's own runtime.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

static SQLITE: OnceCell<World> = OnceCell::const_new();
static POSTGRES: OnceCell<Option<World>> = OnceCell::const_new();

/// A day, in seconds.
pub const DAY: i64 = 86_400;

/// How long it is waited for what must come: a machine may stand still for seconds.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The day of an instant in Asia/Shanghai, `YYYY-MM-DD`; the instant in seconds since the epoch.
#[must_use]
pub fn day(seconds: i64) -> String {
    let at = Timestamp { seconds, nanos: 0 };
    tell::instant(Some(&at)).chars().take(10).collect()
}

/// Runs a future where servers may be started.
pub fn block_on<F: Future>(future: F) -> F::Output {
    RUNTIME.block_on(future)
}

/// Runs a story in the shared world of each database.
///
/// # Panics
/// When a world cannot be made, or the story does.
pub fn on_both<F>(story: impl Fn(&'static World) -> F)
where
    F: Future<Output = ()>,
{
    block_on(async {
        story(
            SQLITE
                .get_or_init(|| async { World::open(&Database::Sqlite).await })
                .await,
        )
        .await;
        let postgres = POSTGRES
            .get_or_init(|| async {
                match Database::postgres() {
                    Some(database) => Some(World::open(&database).await),
                    None => None,
                }
            })
            .await;
        if let Some(world) = postgres {
            story(world).await;
        }
    });
}

/// Waits for the midnight of Asia/Shanghai when it is near: the days of a story that begins before it are others behind it.
async fn behind_midnight() {
    const NEAR: i64 = 60;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = i64::try_from(now.expect("after 1970").as_secs()).expect("seconds");
    let left = DAY - (now + 8 * 3600).rem_euclid(DAY);
    if left < NEAR {
        eprintln!("waiting for midnight in Asia/Shanghai, {left} s");
        tokio::time::sleep(Duration::from_secs(left.unsigned_abs() + 1)).await;
    }
}

/// Runs a story in a world of its own on each database.
///
/// # Panics
/// When a world cannot be made, or the story does.
pub fn on_both_alone<F>(story: impl Fn(World) -> F)
where
    F: Future<Output = World>,
{
    block_on(async {
        let databases = [Some(Database::Sqlite), Database::postgres()];
        for database in databases.into_iter().flatten() {
            behind_midnight().await;
            story(World::open(&database).await).await.end().await;
        }
    });
}
