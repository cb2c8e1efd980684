//! Checkpoints of the districts' ledgers, and the leaves that they were made of (BX-6).
//!
//! A checkpoint covers what is final: on PostgreSQL the acts of transactions below the horizon, as the feed reads them,
//! so that an act that commits late is in the next checkpoint and never in none. On SQLite one writes at a time, and
//! every act is final.

use bangban_kit::identity::Caller;
use bangban_ledger::{Checkpoint, Hash, Leaf, PublicKey, START, Signature, SigningKey, merkle};
use bangban_proto::bangban::casework::v1::{self as contract, CheckpointMade, LedgerAct};
use bangban_store::{
    Error, Now, Store, act, clock,
    write::{Chain, begin},
};
use prost::Message as _;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};

/// Whose chain holds the checkpoints of a district.
pub const SUBJECT: &str = "ledger";

/// Leaves that are held at once.
const PAGE: i64 = 1000;

/// A checkpoint as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// Its hash.
    pub hash: Hash,
    /// Who signed.
    pub key: PublicKey,
    /// Over the hash.
    pub signature: Signature,
    /// When it was made, in microseconds since the epoch.
    pub made_at_us: i64,
    /// Made under a demonstration clock.
    pub is_demonstration: bool,
    /// Where the next one goes on, in this incarnation of the log.
    incarnation: String,
    horizon: i64,
}

impl Stored {
    /// As the contract has it.
    #[must_use]
    pub fn message(&self) -> contract::Checkpoint {
        let content = &self.checkpoint;
        contract::Checkpoint {
            district: content.district.clone(),
            number: content.number,
            day: content.day.clone(),
            leaf_count: content.leaf_count,
            root: content.root.to_vec(),
            previous: content.previous.to_vec(),
            hash: self.hash.to_vec(),
            key: bangban_ledger::key_id(&self.key),
            signature: self.signature.to_vec(),
            made_at: chrono::DateTime::from_timestamp_micros(self.made_at_us).map(clock::timestamp),
            is_demonstration: self.is_demonstration,
        }
    }

    fn read(district: &str, row: &QueryResult) -> Result<Self, DbErr> {
        let bytes = |at: usize| row.try_get_by_index::<Vec<u8>>(at);
        let mut signature = [0; 64];
        let stored = bytes(6)?;
        if stored.len() == signature.len() {
            signature.copy_from_slice(&stored);
        }
        Ok(Self {
            checkpoint: Checkpoint {
                district: district.to_owned(),
                number: row.try_get_by_index::<i64>(0)?.unsigned_abs(),
                day: row.try_get_by_index(1)?,
                leaf_count: row.try_get_by_index::<i64>(2)?.unsigned_abs(),
                root: act::hash(&bytes(3)?),
                previous: act::hash(&bytes(4)?),
            },
            hash: act::hash(&bytes(5)?),
            signature,
            key: act::hash(&bytes(7)?),
            made_at_us: row.try_get_by_index(8)?,
            is_demonstration: row.try_get_by_index(9)?,
            incarnation: row.try_get_by_index(10)?,
            horizon: row.try_get_by_index(11)?,
        })
    }
}

const COLUMNS: &str = "number, day, leaf_count, root, previous, hash, signature, public_key, made_at_us, \
                       is_demonstration, incarnation, horizon";

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

async fn all(
    db: &impl ConnectionTrait,
    sql: String,
    values: Vec<Value>,
) -> Result<Vec<QueryResult>, DbErr> {
    let backend = db.get_database_backend();
    db.query_all_raw(Statement::from_sql_and_values(backend, sql, values))
        .await
}

async fn done(
    db: &impl ConnectionTrait,
    sql: impl Into<String>,
    values: Vec<Value>,
) -> Result<u64, DbErr> {
    let backend = db.get_database_backend();
    let statement = Statement::from_sql_and_values(backend, sql, values);
    Ok(db.execute_raw(statement).await?.rows_affected())
}

/// Districts whose last checkpoint is older than `day`, and which have a case that was opened before `until_us`.
///
/// # Errors
/// The database's.
pub async fn due(store: &Store, day: &str, until_us: i64) -> Result<Vec<String>, Error> {
    let sql = "SELECT d.district FROM calendars d WHERE COALESCE((SELECT c.day FROM checkpoints c \
               WHERE c.district = d.district ORDER BY c.number DESC LIMIT 1), '') < $1 \
               AND EXISTS (SELECT 1 FROM cases s WHERE s.district = d.district AND s.opened_at_us < $2) \
               ORDER BY d.district";
    let rows = all(&store.db, sql.to_owned(), vec![day.into(), until_us.into()]).await?;
    rows.iter()
        .map(|row| Ok(row.try_get_by_index(0)?))
        .collect()
}

/// The last checkpoint of a district.
///
/// # Errors
/// The database's.
pub async fn last(db: &impl ConnectionTrait, district: &str) -> Result<Option<Stored>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM checkpoints WHERE district = $1 ORDER BY number DESC LIMIT 1"
    );
    let rows = all(db, sql, vec![district.into()]).await?;
    Ok(rows
        .first()
        .map(|row| Stored::read(district, row))
        .transpose()?)
}

/// Up to `limit` checkpoints of a district behind a number, oldest first.
///
/// # Errors
/// The database's.
pub async fn list(
    db: &impl ConnectionTrait,
    district: &str,
    behind: u64,
    limit: i64,
) -> Result<Vec<Stored>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM checkpoints WHERE district = $1 AND number > $2 ORDER BY number LIMIT $3"
    );
    let values = vec![district.into(), signed(behind).into(), limit.into()];
    let rows = all(db, sql, values).await?;
    Ok(rows
        .iter()
        .map(|row| Stored::read(district, row))
        .collect::<Result<_, _>>()?)
}

/// Makes the checkpoint that closes `day`, unless that was done. The leaves are found and kept by the database; no more
/// than a page of them is held here.
///
/// # Errors
/// [`Error::Taken`] when another replica was faster; the database's.
pub async fn make(
    store: &Store,
    key: &SigningKey,
    district: &str,
    day: &str,
    now: Now,
) -> Result<Option<Stored>, Error> {
    let db = begin(&store.db).await?;
    let last = last(&db, district).await?;
    if last
        .as_ref()
        .is_some_and(|l| l.checkpoint.day.as_str() >= day)
    {
        db.rollback().await?;
        return Ok(None);
    }
    let number = last.as_ref().map_or(1, |l| l.checkpoint.number + 1);
    let incarnation = store.position(0, 0).incarnation;
    // A log that came from another PostgreSQL counts its transactions anew: it is read from its beginning.
    let from = (last.as_ref().filter(|l| l.incarnation == incarnation)).map_or(0, |l| l.horizon);
    let horizon = horizon(store, &db).await?;
    let leaf_count = grow(store, &db, (district, number), from..horizon).await?;
    let root = tree(&db, district, number, None).await?.root();
    let checkpoint = Checkpoint {
        district: district.to_owned(),
        number,
        day: day.to_owned(),
        leaf_count,
        root,
        previous: last.map_or(START, |l| l.hash),
    };
    let hash = checkpoint.hash();
    let made = Stored {
        checkpoint,
        hash,
        key: key.public(),
        signature: key.sign(&hash),
        made_at_us: now.us(),
        is_demonstration: now.is_demonstration,
        incarnation,
        horizon,
    };
    insert(&db, &made).await?;
    let payload = LedgerAct {
        act: Some(contract::ledger_act::Act::CheckpointMade(CheckpointMade {
            checkpoint: Some(made.message()),
        })),
    };
    let (acts, head) = head(&db, district).await?;
    let caller = Caller::system("casework");
    let chain = Chain::new(district, SUBJECT.to_owned(), acts, head, &caller, now)
        .act("ledger.checkpoint_made", payload.encode_to_vec());
    store.append(&db, &chain, None).await?;
    db.commit().await?;
    store.woken();
    Ok(Some(made))
}

/// Below what everything is final: a transaction on PostgreSQL, a position on SQLite.
async fn horizon(store: &Store, db: &impl ConnectionTrait) -> Result<i64, Error> {
    let sql = if store.is_postgres() {
        // A district that was never counted before may take longer than a statement may.
        done(db, "SET LOCAL statement_timeout = '10min'", Vec::new()).await?;
        "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
    } else {
        "SELECT COALESCE(max(position), 0) + 1 FROM acts"
    };
    let rows = all(db, sql.to_owned(), Vec::new()).await?;
    let row = rows.first().ok_or(Error::Conflict)?;
    Ok(row.try_get_by_index(0)?)
}

/// Keeps where every chain stands that grew; answers how many. It reads all acts since the checkpoint before, other
/// districts' too: once a day that costs less than an index by district costs every act.
async fn grow(
    store: &Store,
    db: &impl ConnectionTrait,
    (district, number): (&str, u64),
    between: std::ops::Range<i64>,
) -> Result<u64, Error> {
    let at = if store.is_postgres() {
        "tx"
    } else {
        "position"
    };
    let sql = format!(
        "INSERT INTO checkpoint_leaves (district, number, subject, act_count, head) \
         SELECT a.district, CAST($2 AS bigint), a.subject, a.number, a.hash FROM acts a JOIN ( \
         SELECT subject, max(number) AS number FROM acts WHERE district = $1 AND {at} >= $3 AND {at} < $4 \
         AND substr(subject, 1, 6) = 'cases/' GROUP BY subject) g \
         ON a.district = $1 AND a.subject = g.subject AND a.number = g.number \
         AND g.number > COALESCE((SELECT l.act_count FROM checkpoint_leaves l WHERE l.district = $1 \
         AND l.subject = g.subject AND l.number < $2 ORDER BY l.number DESC LIMIT 1), 0)"
    );
    let values = vec![
        district.into(),
        signed(number).into(),
        between.start.into(),
        between.end.into(),
    ];
    Ok(done(db, sql, values).await?)
}

async fn insert(db: &impl ConnectionTrait, made: &Stored) -> Result<(), Error> {
    let content = &made.checkpoint;
    let sql = format!(
        "INSERT INTO checkpoints (district, {COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
    );
    let values: Vec<Value> = vec![
        content.district.clone().into(),
        signed(content.number).into(),
        content.day.clone().into(),
        signed(content.leaf_count).into(),
        content.root.to_vec().into(),
        content.previous.to_vec().into(),
        made.hash.to_vec().into(),
        made.signature.to_vec().into(),
        made.key.to_vec().into(),
        made.made_at_us.into(),
        made.is_demonstration.into(),
        made.incarnation.clone().into(),
        made.horizon.into(),
    ];
    done(db, sql, values).await?;
    Ok(())
}

/// Number and hash of the last act on the district's ledger as a whole.
async fn head(db: &impl ConnectionTrait, district: &str) -> Result<(u64, Hash), Error> {
    let sql = "SELECT number, hash FROM acts WHERE district = $1 AND subject = $2 ORDER BY number DESC LIMIT 1";
    let rows = all(db, sql.to_owned(), vec![district.into(), SUBJECT.into()]).await?;
    let Some(row) = rows.first() else {
        return Ok((0, START));
    };
    let number: i64 = row.try_get_by_index(0)?;
    Ok((
        number.unsigned_abs(),
        act::hash(&row.try_get_by_index::<Vec<u8>>(1)?),
    ))
}

/// The tree of a checkpoint, from its leaves; with the audit path of one of them.
///
/// # Errors
/// The database's.
pub async fn tree(
    db: &impl ConnectionTrait,
    district: &str,
    number: u64,
    path_of: Option<u64>,
) -> Result<merkle::Tree, Error> {
    let mut tree = path_of.map_or_else(merkle::Tree::default, merkle::Tree::with_path_of);
    let mut behind = String::new();
    let sql = "SELECT subject, act_count, head FROM checkpoint_leaves \
               WHERE district = $1 AND number = $2 AND subject > $3 ORDER BY subject LIMIT $4";
    loop {
        let values = vec![
            district.into(),
            signed(number).into(),
            behind.clone().into(),
            PAGE.into(),
        ];
        let rows = all(db, sql.to_owned(), values).await?;
        for row in &rows {
            let leaf = leaf(row, 0)?;
            tree.push(leaf.hash());
            behind = leaf.subject;
        }
        if rows.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
            return Ok(tree);
        }
    }
}

fn leaf(row: &QueryResult, from: usize) -> Result<Leaf, DbErr> {
    Ok(Leaf {
        subject: row.try_get_by_index(from)?,
        act_count: row.try_get_by_index::<i64>(from + 1)?.unsigned_abs(),
        head: act::hash(&row.try_get_by_index::<Vec<u8>>(from + 2)?),
    })
}

/// The leaf's place in its checkpoint's tree, from 0.
///
/// # Errors
/// The database's.
pub async fn index(
    db: &impl ConnectionTrait,
    district: &str,
    number: u64,
    subject: &str,
) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM checkpoint_leaves WHERE district = $1 AND number = $2 AND subject < $3";
    let values = vec![district.into(), signed(number).into(), subject.into()];
    let rows = all(db, sql.to_owned(), values).await?;
    let row = rows.first().ok_or(Error::Conflict)?;
    Ok(row.try_get_by_index::<i64>(0)?.unsigned_abs())
}

/// Leaves behind a place, in the order of subjects and then of checkpoints: up to a page of those that are not behind
/// `until`, of checkpoints up to `last`.
///
/// # Errors
/// The database's.
pub async fn leaves(
    db: &impl ConnectionTrait,
    district: &str,
    (behind, checkpoint): (&str, u64),
    until: Option<&str>,
    last: u64,
) -> Result<Vec<(u64, Leaf)>, Error> {
    let mut values: Vec<Value> = vec![
        district.into(),
        behind.into(),
        signed(checkpoint).into(),
        signed(last).into(),
        PAGE.into(),
    ];
    let mut bound = "";
    if let Some(until) = until {
        values.push(until.into());
        bound = " AND subject <= $6";
    }
    let sql = format!(
        "SELECT number, subject, act_count, head FROM checkpoint_leaves WHERE district = $1 \
         AND (subject, number) > ($2, $3) AND number <= $4{bound} ORDER BY subject, number LIMIT $5"
    );
    let rows = all(db, sql, values).await?;
    Ok(rows
        .iter()
        .map(|row| {
            Ok((
                row.try_get_by_index::<i64>(0)?.unsigned_abs(),
                leaf(row, 1)?,
            ))
        })
        .collect::<Result<_, DbErr>>()?)
}
