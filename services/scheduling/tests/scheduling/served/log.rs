//! Directory's log, as far as tests write it: on the same database as scheduling, served by the same process.

use bangban_kit::{config::Config, identity::Caller};
use bangban_ledger::START;
use bangban_proto::bangban::directory::v1::{DirectoryAct, directory_act::Act};
use bangban_store::{Store, write::Chain};
use prost::Message as _;
use sea_orm::ConnectionTrait as _;
use sea_orm_migration::prelude::*;
use uuid::Uuid;

use super::{
    patience::{is_broken_off, patiently, told},
    world::DISTRICT,
};

struct Tables;

impl MigratorTrait for Tables {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Common)]
    }
}

struct Common;

impl MigrationName for Common {
    fn name(&self) -> &'static str {
        "m0001_common"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Common {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        bangban_store::tables::create_common(manager).await
    }
}

/// Directory's log.
pub struct Log(pub Store);

impl Log {
    /// A log without acts.
    pub async fn open(config: &Config) -> Self {
        let store = patiently(is_broken_off, || async {
            let opened = Store::open::<Tables>("directory", config).await;
            opened.map_err(told)
        });
        Self(store.await.expect("a log"))
    }

    /// The log is lost: who opens it next finds a new one, without acts.
    pub async fn is_lost(&self) {
        let (unguarded, guarded) = match self.0.is_postgres() {
            true => (
                "ALTER TABLE acts DISABLE TRIGGER ALL",
                "ALTER TABLE acts ENABLE TRIGGER ALL",
            ),
            false => ("DROP TRIGGER acts_no_DELETE", "SELECT 1"),
        };
        let incarnation = Uuid::now_v7().simple();
        for sql in [
            unguarded,
            "DELETE FROM acts",
            guarded,
            &format!("UPDATE log SET incarnation = '{incarnation}'"),
        ] {
            self.0.db.execute_unprepared(sql).await.expect(sql);
        }
    }

    /// Directory has done these, at once.
    pub async fn says(&self, acts: Vec<Act>) {
        self.says_of(format!("tests/{}", Uuid::now_v7()), acts)
            .await;
    }

    /// Directory has done these to something, as the first that is on record of it.
    pub async fn says_of(&self, subject: String, acts: Vec<Act>) {
        let now = self.0.now().await.expect("the time");
        let caller = Caller::system("directory");
        let mut chain = Chain::new(DISTRICT, subject, 0, START, &caller, now);
        for act in acts {
            chain = chain.act("test.said", DirectoryAct { act: Some(act) }.encode_to_vec());
        }
        let state = Vec::new();
        let written = self.0.write(&chain, None, state).await;
        written.expect("written");
    }
}
