//! Checkpoints that were kept, and the key that was seen first.

use bangban_kit::{
    refusal::Refusal,
    scope::{Reach, Scope},
};
use bangban_ledger::{Hash, PublicKey};
use bangban_proto::bangban::{casework::v1::Checkpoint, supervision::v1::KeptCheckpoint};
use bangban_store::{Error, Now, act, clock};
use prost::Message as _;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};

use crate::domain::checkpoint::Before;

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

async fn all(
    db: &impl ConnectionTrait,
    sql: &str,
    values: Vec<Value>,
) -> Result<Vec<QueryResult>, DbErr> {
    let backend = db.get_database_backend();
    db.query_all_raw(Statement::from_sql_and_values(backend, sql, values))
        .await
}

/// The key of a log, when it was seen.
///
/// # Errors
/// The database's.
pub async fn key(db: &impl ConnectionTrait, log: &str) -> Result<Option<PublicKey>, Error> {
    let sql = "SELECT public_key FROM ledger_keys WHERE log = $1";
    let rows = all(db, sql, vec![log.into()]).await?;
    let bytes: Option<Vec<u8>> = rows
        .first()
        .map(|row| row.try_get_by_index(0))
        .transpose()?;
    Ok(bytes.map(|bytes| act::hash(&bytes)))
}

/// Remembers the key of a log, unless one was seen before.
///
/// # Errors
/// The database's.
pub async fn see_key(
    db: &impl ConnectionTrait,
    log: &str,
    key: &PublicKey,
    now: Now,
) -> Result<(), Error> {
    let sql = "INSERT INTO ledger_keys (log, public_key, seen_at_us) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    let values = [log.into(), key.to_vec().into(), now.us().into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    db.execute_raw(statement).await?;
    Ok(())
}

/// What a checkpoint of this number is judged by.
///
/// # Errors
/// The database's.
pub async fn before(
    db: &impl ConnectionTrait,
    log: &str,
    district: &str,
    at: u64,
) -> Result<Before, Error> {
    Ok(Before {
        key: key(db, log).await?,
        previous: hash(db, district, at.wrapping_sub(1)).await?,
        same_number: hash(db, district, at).await?,
    })
}

/// Hash of the checkpoint that is kept under a number: the sound one, or the one that came first.
async fn hash(db: &impl ConnectionTrait, district: &str, at: u64) -> Result<Option<Hash>, Error> {
    let sql = "SELECT hash FROM kept_checkpoints WHERE district = $1 AND number = $2 \
               ORDER BY is_sound DESC, kept_at_us LIMIT 1";
    let rows = all(db, sql, vec![district.into(), number(at).into()]).await?;
    let bytes: Option<Vec<u8>> = rows
        .first()
        .map(|row| row.try_get_by_index(0))
        .transpose()?;
    Ok(bytes.map(|bytes| act::hash(&bytes)))
}

/// Keeps a checkpoint; one that is kept already stays as it is.
///
/// # Errors
/// The database's.
pub async fn keep(
    db: &impl ConnectionTrait,
    district: &str,
    checkpoint: &Checkpoint,
    finding: &str,
    now: Now,
) -> Result<(), Error> {
    let sql = "INSERT INTO kept_checkpoints (district, number, hash, kept_at_us, is_sound, finding, body) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    let values: [Value; 7] = [
        district.into(),
        number(checkpoint.number).into(),
        checkpoint.hash.clone().into(),
        now.us().into(),
        finding.is_empty().into(),
        finding.into(),
        checkpoint.encode_to_vec().into(),
    ];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    db.execute_raw(statement).await?;
    Ok(())
}

/// Up to `limit` numbers' checkpoints of a district behind a number, oldest first; where several came under one number,
/// the sound one first.
///
/// # Errors
/// SCOPE_TOO_NARROW for who sees a part of the district only; the database's.
pub async fn list(
    db: &impl ConnectionTrait,
    scope: &Scope,
    behind: u64,
    limit: i64,
) -> Result<Vec<KeptCheckpoint>, Error> {
    if *scope.reach() != Reach::Whole {
        return Err(Refusal::forbidden(
            "SCOPE_TOO_NARROW",
            "BX-6",
            "检查点由本区县及其上级查看",
            "checkpoints are for the district and the tiers above it",
        )
        .into());
    }
    let sql = "SELECT body, kept_at_us, is_sound, finding FROM kept_checkpoints WHERE district = $1 AND number > $2 \
               AND number <= COALESCE((SELECT max(number) FROM (SELECT DISTINCT number FROM kept_checkpoints \
               WHERE district = $1 AND number > $2 ORDER BY number LIMIT $3) page), 0) \
               ORDER BY number, is_sound DESC, kept_at_us";
    let values = vec![scope.district().into(), number(behind).into(), limit.into()];
    let rows = all(db, sql, values).await?;
    rows.iter().map(read).collect()
}

fn read(row: &QueryResult) -> Result<KeptCheckpoint, Error> {
    let body: Vec<u8> = row.try_get_by_index(0)?;
    let kept_at = chrono::DateTime::from_timestamp_micros(row.try_get_by_index(1)?);
    Ok(KeptCheckpoint {
        checkpoint: Some(Checkpoint::decode(body.as_slice()).map_err(Refusal::internal)?),
        kept_at: kept_at.map(clock::timestamp),
        is_sound: row.try_get_by_index(2)?,
        finding: row.try_get_by_index(3)?,
    })
}
