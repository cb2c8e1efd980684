//! What a service learned from another's feed and keeps: one body per thing, by kind and id.

use bangban_kit::refusal::Refusal;
use prost::Message;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, QueryFilter as _, entity::prelude::*, sea_query::OnConflict,
};

use crate::Error;

/// A copy.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "copies")]
pub struct Model {
    /// District; empty for what belongs to the installation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district: String,
    /// Kind of thing: `item`, `calendar`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// It, in protobuf's wire format.
    pub body: Vec<u8>,
}

/// No relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Keeps a thing, in place of what was kept under its id.
///
/// # Errors
/// The database's.
pub async fn put(
    db: &impl ConnectionTrait,
    district: &str,
    kind: &str,
    id: &str,
    body: &impl Message,
) -> Result<(), Error> {
    let model = Model {
        district: district.to_owned(),
        kind: kind.to_owned(),
        id: id.to_owned(),
        body: body.encode_to_vec(),
    };
    Entity::insert(ActiveModel::from(model))
        .on_conflict(
            OnConflict::columns([Column::District, Column::Kind, Column::Id])
                .update_column(Column::Body)
                .to_owned(),
        )
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The thing that is kept under an id.
///
/// # Errors
/// The database's.
pub async fn get<M: Message + Default>(
    db: &impl ConnectionTrait,
    district: &str,
    kind: &str,
    id: &str,
) -> Result<Option<M>, Error> {
    let found = Entity::find_by_id((district.to_owned(), kind.to_owned(), id.to_owned()))
        .one(db)
        .await?;
    found
        .map(|m| M::decode(m.body.as_slice()).map_err(|e| Refusal::internal(e).into()))
        .transpose()
}

/// Everything of a kind in a district.
///
/// # Errors
/// The database's.
pub async fn all<M: Message + Default>(
    db: &impl ConnectionTrait,
    district: &str,
    kind: &str,
) -> Result<Vec<M>, Error> {
    let found = Entity::find()
        .filter(Column::District.eq(district))
        .filter(Column::Kind.eq(kind))
        .all(db)
        .await?;
    found
        .iter()
        .map(|m| M::decode(m.body.as_slice()).map_err(|e| Refusal::internal(e).into()))
        .collect()
}
