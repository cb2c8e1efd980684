//! A moment that is held: writes on seats, or on slots, wait for it, reads do not.

use std::time::{Duration, Instant};

use bangban_rig::PATIENCE;
use sea_orm::{
    ConnectionTrait as _, Database, DatabaseConnection, DatabaseTransaction, Statement,
    TransactionTrait as _,
};

use super::stage::Stage;

/// So many looks in a row, three seconds of them, at which nobody waits.
const QUIET: usize = 150;

/// Holds writes back until it lets go.
pub struct Barrier {
    db: DatabaseConnection,
    transaction: DatabaseTransaction,
}

impl Barrier {
    /// Writes on all seats wait, and go on together.
    pub async fn set(stage: &Stage) -> Self {
        let lock = "LOCK TABLE scheduling.seats IN SHARE ROW EXCLUSIVE MODE";
        Self::with(stage, lock).await
    }

    /// Writes on the seats there are wait, and go on one after the other, as they came.
    pub async fn in_turn(stage: &Stage) -> Self {
        let lock = "SELECT FROM scheduling.seats FOR UPDATE";
        Self::with(stage, lock).await
    }

    /// Writes on all slots wait: capacity changes no further than to them.
    pub async fn on_slots(stage: &Stage) -> Self {
        let lock = "LOCK TABLE scheduling.slots IN SHARE ROW EXCLUSIVE MODE";
        Self::with(stage, lock).await
    }

    async fn with(stage: &Stage, lock: &str) -> Self {
        let url = &stage.world.config.database.url;
        let db = Database::connect(url).await.expect("postgresql");
        let transaction = db.begin().await.expect("a transaction");
        transaction.execute_unprepared(lock).await.expect("locked");
        Self { db, transaction }
    }

    async fn waiting(&self) -> Vec<i32> {
        let sql = "SELECT pid FROM pg_stat_activity \
             WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0";
        let statement = Statement::from_string(self.db.get_database_backend(), sql);
        let rows = self.db.query_all_raw(statement).await.expect("rows");
        let pids = rows.iter().map(|row| row.try_get_by_index(0));
        pids.collect::<Result<_, _>>().expect("numbers")
    }

    /// Backends that wait for it, once there are so many.
    pub async fn holds_back(&self, count: usize) -> Vec<i32> {
        let began = Instant::now();
        loop {
            let waiting = self.waiting().await;
            if waiting.len() >= count {
                return waiting;
            }
            let waited = began.elapsed();
            assert!(waited < PATIENCE, "{waiting:?} write, and no more");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Lets go when nobody waits any more: those who did, and have nobody left to answer to, will never write. It looks many
    /// times, because a server that has not read yet what it was sent does not wait yet.
    pub async fn lets_none_write(self) {
        let mut quiet = 0;
        let began = Instant::now();
        while quiet < QUIET {
            assert!(
                began.elapsed() < PATIENCE,
                "somebody writes again and again"
            );
            let waiting = self.waiting().await;
            quiet = if waiting.is_empty() { quiet + 1 } else { 0 };
            for pid in waiting {
                let sql = format!("SELECT pg_terminate_backend({pid})");
                self.db.execute_unprepared(&sql).await.expect("ended");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.lets_go().await;
    }

    pub async fn lets_go(self) {
        self.transaction.rollback().await.expect("unlocked");
    }

    /// Lets go, and answers when those who waited have committed.
    pub async fn lets_them_write(self) {
        let waiting = self.waiting().await;
        self.transaction.rollback().await.expect("unlocked");
        let pids: Vec<String> = waiting.iter().map(ToString::to_string).collect();
        let sql = format!(
            "SELECT pid FROM pg_stat_activity WHERE pid IN ({}) AND state NOT IN ('idle', 'disabled')",
            pids.join(", ")
        );
        let began = Instant::now();
        loop {
            let statement = Statement::from_string(self.db.get_database_backend(), sql.as_str());
            if self
                .db
                .query_all_raw(statement)
                .await
                .expect("rows")
                .is_empty()
            {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "it is not written");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
