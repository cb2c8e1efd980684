//! What is to be done unasked, found in the rows.

use bangban_store::{Error, Store};

/// District and id of a consultation.
pub type Key = (String, String);

/// Consultations whose clocks need a warning or the record of a breach, oldest first.
///
/// # Errors
/// The database's.
pub async fn needing_attention(store: &Store, now_us: i64, limit: i64) -> Result<Vec<Key>, Error> {
    let sql = "SELECT district, id FROM consultations WHERE attention_at_us <= $1 \
               ORDER BY attention_at_us LIMIT $2";
    store.pairs(sql, [now_us.into(), limit.into()]).await
}

/// Consultations of which a case is being made, behind an id, oldest first: ids are ordered by time.
///
/// # Errors
/// The database's.
pub async fn converting(store: &Store, behind: &str, limit: i64) -> Result<Vec<Key>, Error> {
    // 4 is CONSULTATION_STATE_CONVERTING, as the partial index has it.
    let sql =
        "SELECT district, id FROM consultations WHERE state = 4 AND id > $1 ORDER BY id LIMIT $2";
    store.pairs(sql, [behind.into(), limit.into()]).await
}
