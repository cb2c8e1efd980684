//! Everything that an assignment is judged by, in one statement: it is asked for at the opening of every case.

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::directory::v1::{
    Applicant, CheckAssignmentRequest, District, Site, Staff,
};
use bangban_store::{Error, Now, Store, clock::now_sql};
use prost::Message;
use sea_orm::{ConnectionTrait as _, QueryResult, Statement};

use super::sealed;

/// What there is of all that a request names, now.
#[derive(Debug)]
pub struct Facts {
    /// The time.
    pub now: Now,
    /// The district.
    pub district: Option<District>,
    /// The agent.
    pub staff: Option<Staff>,
    /// The site.
    pub site: Option<Site>,
    /// The applicant.
    pub applicant: Option<Applicant>,
    /// The applicant's sealed document; none for one who was forgotten.
    pub document: Option<sealed::Document>,
}

/// Reads the facts of a request. Without a scope: the caller's is judged by the district that is among them.
///
/// # Errors
/// The database's.
pub async fn facts(store: &Store, request: &CheckAssignmentRequest) -> Result<Facts, Error> {
    let body = |kind: &str, parameter: u8| {
        format!(
            "(SELECT body FROM resources WHERE district = $1 AND kind = '{kind}' AND id = ${parameter})"
        )
    };
    let sql = format!(
        "SELECT {}, c.offset_seconds, {}, {}, {}, {}, s.wrapped_key, s.document
         FROM clock c LEFT JOIN sealed s ON s.district = $1 AND s.id = $4 WHERE c.id = 1",
        now_sql(store.backend),
        body("district", 1),
        body("staff", 2),
        body("site", 3),
        body("applicant", 4),
    );
    let values = [
        request.district.as_str().into(),
        request.staff.as_str().into(),
        request.site.as_str().into(),
        request.applicant.as_str().into(),
    ];
    let row = store
        .db
        .query_one_raw(Statement::from_sql_and_values(store.backend, sql, values))
        .await?
        .ok_or_else(|| sea_orm::DbErr::RecordNotFound("the clock has no row".to_owned()))?;
    let wrapped_key: Option<Vec<u8>> = row.try_get_by_index(6)?;
    let document: Option<Vec<u8>> = row.try_get_by_index(7)?;
    Ok(Facts {
        now: Now::from_row(row.try_get_by_index(0)?, row.try_get_by_index(1)?),
        district: thing(&row, 2)?,
        staff: thing(&row, 3)?,
        site: thing(&row, 4)?,
        applicant: thing(&row, 5)?,
        document: wrapped_key
            .zip(document)
            .map(|(wrapped_key, sealed)| sealed::Document {
                district: request.district.clone(),
                id: request.applicant.clone(),
                wrapped_key,
                sealed,
            }),
    })
}

fn thing<M: Message + Default>(row: &QueryResult, at: usize) -> Result<Option<M>, Error> {
    let body: Option<Vec<u8>> = row.try_get_by_index(at)?;
    let body = body.map(|b| M::decode(b.as_slice()).map_err(Refusal::internal));
    Ok(body.transpose()?)
}
