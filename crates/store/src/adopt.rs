//! A log that was restored from a dump into another PostgreSQL: its transaction ids are of the old one, often in the
//! future of the new one. Its acts could not be read before the ids are reached, and new acts would sort before them.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, TransactionTrait as _};

use crate::Error;

/// Whether acts bear transaction ids that this PostgreSQL has not given yet: they came from another one.
///
/// # Errors
/// The database's.
pub(crate) async fn is_from_elsewhere(db: &impl ConnectionTrait) -> Result<bool, Error> {
    let backend = db.get_database_backend();
    if backend != DbBackend::Postgres {
        return Ok(false);
    }
    let sql = "SELECT coalesce(max(tx), 0) >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint FROM acts";
    let row = db
        .query_one_raw(Statement::from_string(backend, sql))
        .await?;
    Ok(row
        .map(|r| r.try_get_by_index(0))
        .transpose()?
        .unwrap_or_default())
}

/// Makes such a log this PostgreSQL's own: what is there comes before all that will be, in its sequence, and readers
/// notice by the new incarnation. The transaction id is no part of what the ledger hashes.
///
/// # Errors
/// The database's.
pub(crate) async fn adopt(db: &DatabaseConnection, service: &str) -> Result<(), Error> {
    let transaction = db.begin().await?;
    for sql in [
        "ALTER TABLE acts DISABLE TRIGGER acts_no_edit".to_owned(),
        "UPDATE acts SET tx = 0".to_owned(),
        "ALTER TABLE acts ENABLE TRIGGER acts_no_edit".to_owned(),
        format!(
            "UPDATE log SET incarnation = '{}'",
            uuid::Uuid::now_v7().simple()
        ),
    ] {
        transaction.execute_unprepared(&sql).await?;
    }
    transaction.commit().await?;
    tracing::warn!(
        service,
        "the log came from another PostgreSQL: it has a new incarnation, and its readers start anew"
    );
    Ok(())
}
