//! Sealed rows: a person's wrapped key and what it opens.

use bangban_kit::scope::Scope;
use bangban_seal::{self as seal, Aad, Keyring, Salt, SubjectKey, commitment};
use bangban_store::{Error, write::State};
use sea_orm::{
    entity::prelude::*,
    sea_query::{DeleteStatement, Expr, Query},
};

use crate::domain::applicant::Personal;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sealed")]
pub struct Model {
    /// District.
    #[sea_orm(primary_key, auto_increment = false)]
    pub district: String,
    /// Applicant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The person's key, wrapped.
    pub wrapped_key: Vec<u8>,
    /// Sealed name.
    pub name: Vec<u8>,
    /// Sealed document number.
    pub document: Vec<u8>,
    /// Sealed telephone.
    pub telephone: Vec<u8>,
    /// Sealed address.
    pub address: Vec<u8>,
    /// Sealed salt of the commitment.
    pub salt: Vec<u8>,
}

/// No relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

fn aad<'a>(district: &'a str, id: &'a str, field: &'a str) -> Aad<'a> {
    Aad {
        district,
        table: "sealed",
        row: id,
        field,
    }
}

/// Seals a person: the row, and the commitment that acts carry. A person that was sealed before keeps the key.
#[must_use]
pub fn seal(
    ring: &Keyring,
    district: &str,
    id: &str,
    person: &Personal,
    key: Option<SubjectKey>,
) -> (Model, Vec<u8>) {
    let key = key.unwrap_or_else(|| ring.new_subject_key());
    let salt = Salt::random();
    let commitment = commitment(&salt, &person.bytes()).to_vec();
    let of = |field: &str, plain: &[u8]| key.seal(plain, &aad(district, id, field));
    let model = Model {
        district: district.to_owned(),
        id: id.to_owned(),
        wrapped_key: ring.wrap(&key, &aad(district, id, "wrapped_key")),
        name: of("name", person.name.as_bytes()),
        document: of("document", person.document.as_bytes()),
        telephone: of("telephone", person.telephone.as_bytes()),
        address: of("address", person.address.as_bytes()),
        salt: of("salt", salt.as_bytes()),
    };
    (model, commitment)
}

/// Opens a row.
///
/// # Errors
/// When it does not open.
pub fn open(ring: &Keyring, row: &Model) -> Result<(Personal, SubjectKey), seal::Error> {
    let key = unwrap(ring, &row.district, &row.id, &row.wrapped_key)?;
    let of = |field: &str, sealed: &[u8]| text(&key, &row.district, &row.id, field, sealed);
    let person = Personal {
        name: of("name", &row.name)?,
        document: of("document", &row.document)?,
        telephone: of("telephone", &row.telephone)?,
        address: of("address", &row.address)?,
    };
    Ok((person, key))
}

/// What of a row leads to the document alone: all that age needs.
#[derive(Debug)]
pub struct Document {
    /// District.
    pub district: String,
    /// Applicant.
    pub id: String,
    /// The person's key, wrapped.
    pub wrapped_key: Vec<u8>,
    /// Sealed document number.
    pub sealed: Vec<u8>,
}

impl From<Model> for Document {
    fn from(row: Model) -> Self {
        Self {
            district: row.district,
            id: row.id,
            wrapped_key: row.wrapped_key,
            sealed: row.document,
        }
    }
}

/// Opens the document number and nothing else.
///
/// # Errors
/// When it does not open.
pub fn open_document(ring: &Keyring, row: &Document) -> Result<String, seal::Error> {
    let key = unwrap(ring, &row.district, &row.id, &row.wrapped_key)?;
    text(&key, &row.district, &row.id, "document", &row.sealed)
}

fn unwrap(
    ring: &Keyring,
    district: &str,
    id: &str,
    wrapped: &[u8],
) -> Result<SubjectKey, seal::Error> {
    ring.unwrap(wrapped, &aad(district, id, "wrapped_key"))
}

fn text(
    key: &SubjectKey,
    district: &str,
    id: &str,
    field: &str,
    sealed: &[u8],
) -> Result<String, seal::Error> {
    let plain = key.open(sealed, &aad(district, id, field))?;
    plain.as_str().map(str::to_owned)
}

/// The row of an applicant.
///
/// # Errors
/// The database's.
pub async fn get(
    db: &impl ConnectionTrait,
    scope: &Scope,
    id: &str,
) -> Result<Option<Model>, Error> {
    Ok(
        Entity::find_by_id((scope.district().to_owned(), id.to_owned()))
            .one(db)
            .await?,
    )
}

/// A new row.
#[must_use]
pub fn insert(row: Model) -> State {
    let mut insert = Query::insert();
    insert
        .into_table(Entity)
        .columns([
            Column::District,
            Column::Id,
            Column::WrappedKey,
            Column::Name,
            Column::Document,
            Column::Telephone,
            Column::Address,
            Column::Salt,
        ])
        .values_panic([
            Expr::val(row.district),
            Expr::val(row.id),
            Expr::val(row.wrapped_key),
            Expr::val(row.name),
            Expr::val(row.document),
            Expr::val(row.telephone),
            Expr::val(row.address),
            Expr::val(row.salt),
        ]);
    State::Insert(insert)
}

/// Destroys a row, and with it the only key to the person.
#[must_use]
pub fn delete(district: &str, id: &str) -> DeleteStatement {
    let mut delete = Query::delete();
    delete
        .from_table(Entity)
        .and_where(Column::District.eq(district))
        .and_where(Column::Id.eq(id));
    delete
}
