//! A table of refusals: each with its reason, its requirement and its field, and nothing written by any of them.

use std::fmt::Debug;

use bangban_kit::refusal;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::World;

/// The services that write.
const SERVICES: [&str; 3] = ["directory", "casework", "consultation"];

/// What a refusal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Because<'a>(
    /// Code.
    pub Code,
    /// Reason.
    pub &'a str,
    /// Requirement; empty for none.
    pub &'a str,
    /// The first field; empty for none.
    pub &'a str,
);

/// Watches a world of which nobody else makes use meanwhile.
pub struct Refusals {
    databases: Vec<DatabaseConnection>,
    counts: Vec<i64>,
    wrong: Vec<String>,
    seen: usize,
}

impl Refusals {
    /// Begins with what is written now.
    ///
    /// # Panics
    /// When the databases cannot be reached.
    pub async fn watch(world: &World) -> Self {
        let mut databases = Vec::new();
        for service in SERVICES {
            databases.push(world.database(service).await);
        }
        let mut refusals = Self {
            databases,
            counts: Vec::new(),
            wrong: Vec::new(),
            seen: 0,
        };
        refusals.rest().await;
        refusals
    }

    /// What was written so far is lawful.
    ///
    /// # Panics
    /// When acts cannot be counted.
    pub async fn rest(&mut self) {
        self.counts = self.count().await;
    }

    async fn count(&self) -> Vec<i64> {
        let mut counts = Vec::new();
        for db in &self.databases {
            let sql = "SELECT count(*) FROM acts WHERE actor NOT LIKE 'system/%'";
            let count = Statement::from_string(db.get_database_backend(), sql);
            let row = db.query_one_raw(count).await.expect("a count");
            let row = row.expect("a row");
            counts.push(row.try_get_by_index(0).expect("a number"));
        }
        counts
    }

    /// Expects this refusal, in both languages, and that nothing was written.
    ///
    /// # Panics
    /// When acts cannot be counted.
    pub async fn expect<T: Debug>(
        &mut self,
        what: &str,
        answer: Result<T, Status>,
        because: Because<'_>,
    ) {
        self.seen += 1;
        match answer {
            Ok(done) => {
                let done: String = format!("{done:?}").chars().take(200).collect();
                self.wrong.push(format!("{what}: was done: {done}"));
            }
            Err(status) => self.judge(what, &status, because),
        }
        let counts = self.count().await;
        if counts != self.counts {
            let was = std::mem::replace(&mut self.counts, counts.clone());
            self.wrong
                .push(format!("{what}: acts were {was:?} and are {counts:?}"));
        }
    }

    fn judge(&mut self, what: &str, status: &Status, because: Because<'_>) {
        let reason = refusal::reason(status);
        let requirement = refusal::requirement(status);
        let fields = status
            .get_details_bad_request()
            .map(|b| b.field_violations)
            .unwrap_or_default();
        let field = fields.first().map(|f| f.field.clone()).unwrap_or_default();
        let told = Because(status.code(), &reason, &requirement, &field);
        if told != because {
            self.wrong
                .push(format!("{what}:\n  is     {told:?}\n  not as {because:?}"));
        }
        if let Some(lack) = speechless(status) {
            self.wrong.push(format!("{what}: {lack}"));
        }
    }

    /// Ends the table.
    ///
    /// # Panics
    /// With everything that was not as expected.
    pub fn end(self) {
        assert!(self.seen > 0, "an empty table shows nothing");
        assert!(self.wrong.is_empty(), "\n{}", self.wrong.join("\n"));
    }
}

/// What the sentences of a refusal lack: a Chinese one, and another in English.
#[must_use]
pub fn speechless(status: &Status) -> Option<String> {
    let (zh, en) = (
        refusal::sentence(status, "zh-CN"),
        refusal::sentence(status, "en"),
    );
    let is_said = !zh.is_ascii() && zh != en && !en.is_empty();
    (!is_said).then(|| format!("says {zh:?} in Chinese and {en:?} in English"))
}
