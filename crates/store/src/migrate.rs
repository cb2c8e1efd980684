//! Brings a service's tables up to date: one process migrates, the others wait; each migration is one transaction.

use bangban_kit::{config, refusal::Refusal};
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, DbErr, Statement};
use sea_orm_migration::{MigratorTrait, SchemaManager};

use crate::{Error, adopt, open};

/// Key of PostgreSQL's advisory lock: the first bytes of "bangban" as a number.
const LOCK: i64 = 0x62_61_6e_67_62_61_6e;

/// Runs what is pending, and takes a log over that was restored from elsewhere, under a lock that the process loses when it dies.
///
/// # Errors
/// The database's; nothing of a failed migration stays.
pub async fn up<M: MigratorTrait>(
    service: &'static str,
    config: &config::Config,
) -> Result<usize, Error> {
    if config.database.url == "sqlite" {
        std::fs::create_dir_all(&config.data).map_err(Refusal::internal)?;
        let path = config.data.join(format!("{service}.migrate.lock"));
        let file = std::fs::File::create(&path).map_err(Refusal::internal)?;
        // Blocks the thread, not the runtime's other threads; released when the file is closed.
        let file = tokio::task::spawn_blocking(move || file.lock().map(|()| file))
            .await
            .map_err(Refusal::internal)?
            .map_err(Refusal::internal)?;
        let db = Database::connect(open::options(service, config, true)).await?;
        let done = pending::<M>(&db, service).await;
        db.close().await?;
        drop(file);
        return done;
    }
    let db = Database::connect(open::options(service, config, true)).await?;
    let done = locked::<M>(&db, service).await;
    // Closing the connection gives the lock back, whatever happened.
    db.close().await?;
    done
}

async fn locked<M: MigratorTrait>(
    db: &DatabaseConnection,
    service: &'static str,
) -> Result<usize, Error> {
    for sql in [
        "SET statement_timeout = 0".to_owned(),
        format!("SELECT pg_advisory_lock({LOCK})"),
    ] {
        let statement = Statement::from_string(db.get_database_backend(), sql);
        db.execute_raw(statement).await?;
    }
    db.execute_unprepared(&format!("CREATE SCHEMA IF NOT EXISTS {service}"))
        .await?;
    let count = pending::<M>(db, service).await?;
    let schema = SchemaManager::new(db);
    if schema.has_table("acts").await? && adopt::is_from_elsewhere(db).await? {
        adopt::adopt(db, service).await?;
    }
    Ok(count)
}

async fn pending<M: MigratorTrait>(db: &DatabaseConnection, service: &str) -> Result<usize, Error> {
    if let Some(bare) = M::migrations()
        .iter()
        .find(|m| m.use_transaction() != Some(true))
    {
        let what = format!("migration {} asks for no transaction", bare.name());
        return Err(Refusal::internal(what).into());
    }
    let count = M::get_pending_migrations(db).await?.len();
    if count > 0 {
        tracing::info!(service, count, "migrating");
        M::up(db, None).await?;
    }
    Ok(count)
}

/// Whether the tables are those that this program knows, without changing anything.
///
/// # Errors
/// TABLES_OUT_OF_DATE with what to do.
pub async fn check<M: MigratorTrait>(
    db: &DatabaseConnection,
    service: &'static str,
) -> Result<(), Error> {
    let pending = M::get_pending_migrations_read_only(db).await;
    match pending {
        Ok(pending) if pending.is_empty() => Ok(()),
        Ok(pending) => Err(Refusal::precondition(
            "TABLES_OUT_OF_DATE",
            "",
            format!(
                "{service} 的数据库有 {} 个迁移未执行：请先运行 bangban migrate",
                pending.len()
            ),
            format!(
                "the database of {service} lacks {} migrations: run `bangban migrate`",
                pending.len()
            ),
        )
        .into()),
        Err(DbErr::Custom(what)) => Err(Refusal::precondition(
            "TABLES_NEWER",
            "",
            format!("{service} 的数据库版本高于本程序：请升级程序"),
            format!(
                "the database of {service} is newer than this program ({what}): upgrade the program"
            ),
        )
        .into()),
        Err(error) => Err(error.into()),
    }
}
