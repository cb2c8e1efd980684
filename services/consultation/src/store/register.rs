//! Draws the next number of a district's register and puts the consultation down under it (BB-10.1.1c).
//!
//! The number is part of the first act, which is hashed: so it is drawn first, in the transaction that writes the act.
//! The counter's row makes registrations of one district wait for each other; one that fails gives its number back.

use bangban_proto::bangban::consultation::v1::Consultation;
use bangban_store::{
    Error, Position, Store, Transaction,
    write::{self, Asked, Chain},
};
use sea_orm::{ConnectionTrait as _, Statement};

use super::row;

/// Registers what `built` makes of the number, and answers it with the position of its last act.
///
/// # Errors
/// [`Error::Taken`] when the request was done meanwhile; the database's.
pub async fn register(
    store: &Store,
    district: &str,
    asked: &Asked,
    revision: i64,
    built: impl FnOnce(u64) -> (Consultation, Chain),
) -> Result<(Consultation, Position), Error> {
    let transaction = write::begin(&store.db).await?;
    let number = draw(store, &transaction, district).await?;
    let (consultation, chain) = built(number);
    row::insert(&consultation, &chain, revision)
        .execute(&transaction)
        .await?;
    let position = store.append(&transaction, &chain, Some(asked)).await?;
    transaction.commit().await?;
    store.woken();
    Ok((consultation, position))
}

async fn draw(store: &Store, transaction: &Transaction, district: &str) -> Result<u64, Error> {
    let sql = "INSERT INTO registers (district, last) VALUES ($1, 1) \
               ON CONFLICT (district) DO UPDATE SET last = registers.last + 1 RETURNING last";
    let row = transaction
        .query_one_raw(Statement::from_sql_and_values(
            store.backend,
            sql,
            [district.into()],
        ))
        .await?
        .ok_or_else(|| sea_orm::DbErr::RecordNotFound("no number was drawn".to_owned()))?;
    Ok(row.try_get_by_index::<i64>(0)?.unsigned_abs())
}
