//! Everything that a command needs, read by one statement.

use std::sync::{Arc, LazyLock};

use bangban_learned::known::{Known, Learned, revision_sql};
use bangban_ledger::Hash;
use bangban_proto::bangban::consultation::v1::Consultation;
use bangban_store::{Error, Now, Store, act, command::Command, query::decode, question::Question};

/// A consultation with everything that a command on it needs.
#[derive(Debug)]
pub struct Loaded {
    /// Now.
    pub now: Now,
    /// Whether the request was done before.
    pub is_repeated: bool,
    /// What is known of the district.
    pub known: Arc<Known>,
    /// Revision of the calendar by which the consultation's clocks were counted.
    pub counted_by: i64,
    /// The consultation with its version and the hash of its last act.
    pub consultation: Option<(Consultation, u64, Hash)>,
}

impl Loaded {
    /// The calendar's revision that a change is written with: clocks that run were counted by the older one until the
    /// sweep counts them anew (BX-3).
    #[must_use]
    pub fn counted_by(&self) -> i64 {
        match &self.consultation {
            Some((consultation, ..)) if consultation.next_due_at.is_some() => self.counted_by,
            _ => self.known.calendar_revision,
        }
    }
}

static LOAD: LazyLock<Question> = LazyLock::new(|| Question {
    given: &["district", "id", "key"],
    wanted: format!(
        "{{now}}, c.offset_seconds, (SELECT 1 FROM acts a WHERE a.request_key = g.key LIMIT 1) IS NOT NULL, {}, \
         s.version, s.head, s.body, s.calendar_revision",
        revision_sql("g.district")
    ),
    joined: "JOIN clock c ON c.id = 1 LEFT JOIN consultations s ON s.district = g.district AND s.id = g.id",
});

/// Time, repetition, what is known of the district, and the consultation: one statement, and memory.
///
/// # Errors
/// The database's.
pub async fn load(
    store: &Store,
    learned: &Learned,
    command: &Command,
    consultation: &str,
) -> Result<Loaded, Error> {
    let given = vec![
        command.district.clone().into(),
        consultation.into(),
        command.key().into(),
    ];
    let row = store
        .ask(&LOAD, given)
        .await?
        .ok_or_else(|| sea_orm::DbErr::RecordNotFound("the clock has no row".to_owned()))?;
    let known = learned
        .of(&command.district, row.try_get_by_index(4)?)
        .await?;
    let version: Option<i64> = row.try_get_by_index(5)?;
    let head: Option<Vec<u8>> = row.try_get_by_index(6)?;
    let consultation = match (decode::<Consultation>(&row, 7)?, version, head) {
        (Some(state), Some(version), Some(head)) => {
            Some((state, version.unsigned_abs(), act::hash(&head)))
        }
        _ => None,
    };
    Ok(Loaded {
        now: Now::from_row(row.try_get_by_index(1)?, row.try_get_by_index(2)?),
        is_repeated: row.try_get_by_index(3)?,
        known,
        counted_by: row.try_get_by_index::<Option<i64>>(8)?.unwrap_or_default(),
        consultation,
    })
}
