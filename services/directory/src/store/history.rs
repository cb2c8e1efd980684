//! What happened, newest first, as the log has it.

use bangban_kit::{page::Page, scope::Scope};
use bangban_store::{Error, act};
use sea_orm::{ConnectionTrait, QueryOrder as _, QuerySelect as _, entity::prelude::*};

/// A page of the acts of some kinds, of one subject and by people of some sites when given; one more when there are
/// more.
///
/// # Errors
/// The database's.
pub async fn page(
    db: &impl ConnectionTrait,
    scope: &Scope,
    kinds: &[&str],
    subject: Option<String>,
    sites: Option<Vec<String>>,
    page: &Page,
) -> Result<Vec<act::Model>, Error> {
    let mut find = act::Entity::find()
        .filter(act::Column::District.eq(scope.district()))
        .filter(act::Column::Kind.is_in(kinds.iter().copied()));
    if let Some(subject) = subject {
        find = find.filter(act::Column::Subject.eq(subject));
    }
    if let Some(sites) = sites {
        find = find.filter(act::Column::ActorSite.is_in(sites));
    }
    if let Some(before) = page.after.first().and_then(|p| p.parse::<i64>().ok()) {
        find = find.filter(act::Column::Position.lt(before));
    }
    Ok(find
        .order_by_desc(act::Column::Position)
        .limit(page.size + 1)
        .all(db)
        .await?)
}
