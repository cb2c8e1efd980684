//! A server that has ended, or was cut off, leaves nothing of its database behind in a process that goes on.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sea_orm::{ConnectionTrait as _, Database, DbBackend, Statement};
use tokio::{
    runtime::Runtime,
    time::{Instant, sleep},
};

use super::world::{World, slot, worlds};

/// Within which its connections are closed: a drain, and what PostgreSQL needs to notice.
const CLOSED_WITHIN: Duration = Duration::from_secs(60);

/// Where a world has its data.
enum Data {
    Folder(PathBuf),
    Database(String),
}

impl Data {
    fn of(world: &World) -> Self {
        match world.config.database.url.rsplit_once('/') {
            Some((_, name)) => Self::Database(name.to_owned()),
            None => Self::Folder(world.config.data.clone()),
        }
    }

    /// How many connections this process has to it: files of SQLite that are open, or who is seen by PostgreSQL.
    async fn open(&self) -> i64 {
        match self {
            Self::Folder(folder) => open_in(folder),
            Self::Database(name) => {
                let url = std::env::var("DATABASE_URL").expect("there is one");
                let db = Database::connect(url).await.expect("postgresql");
                let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1";
                let values = [name.as_str().into()];
                let ask = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
                let row = db.query_one_raw(ask).await.expect("asked");
                db.close().await.expect("closed");
                row.expect("a row").try_get_by_index(0).expect("a count")
            }
        }
    }

    async fn is_left(&self) {
        let began = Instant::now();
        loop {
            let open = self.open().await;
            if open == 0 {
                return;
            }
            let took = began.elapsed();
            assert!(took < CLOSED_WITHIN, "{open} are open after {took:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

fn open_in(folder: &Path) -> i64 {
    let files = std::fs::read_dir("/proc/self/fd").expect("what is open");
    let files = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    // Also when it was deleted meanwhile.
    let own = files.filter(|file| file.starts_with(folder)).count();
    i64::try_from(own).expect("few")
}

/// Worlds in which everything was done once: asked for, answered, and begun unasked.
async fn at_work(name: &str) -> Vec<(World, Data)> {
    let mut at_work = Vec::new();
    for world in worlds(name).await {
        let date = world.published(1, 0).await;
        _ = world.served.works();
        world.booked(&slot(date, 0)).await;
        world.sweep().await;
        let data = Data::of(&world);
        assert!(data.open().await > 0, "nothing is open");
        at_work.push((world, data));
    }
    at_work
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_told_to_end_keeps_no_connection() {
    for (world, data) in at_work("told_to_end").await {
        drop(world);
        data.is_left().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_cut_off_keeps_no_connection() {
    let runtime = Runtime::new().expect("a runtime");
    let worlds = runtime.spawn(at_work("cut_off")).await.expect("at work");
    runtime.shutdown_background();
    for (world, data) in worlds {
        drop(world);
        data.is_left().await;
    }
}
