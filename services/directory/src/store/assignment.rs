//! Everything that an assignment is judged by, in one statement: it is asked for at the opening of every case.

use std::sync::LazyLock;

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::directory::v1::{
    Applicant, CheckAssignmentRequest, District, Site, Staff,
};
use bangban_store::{Error, Now, Store, question::Question};
use prost::Message;
use sea_orm::QueryResult;

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

static FACTS: LazyLock<Question> = LazyLock::new(|| {
    let body = |kind: &str, id: &str| {
        format!(
            "(SELECT body FROM resources WHERE district = g.district AND kind = '{kind}' AND id = g.{id})"
        )
    };
    Question {
        given: &["district", "staff", "site", "applicant"],
        wanted: format!(
            "{{now}}, c.offset_seconds, {}, {}, {}, {}, s.wrapped_key, s.document",
            body("district", "district"),
            body("staff", "staff"),
            body("site", "site"),
            body("applicant", "applicant"),
        ),
        joined: "JOIN clock c ON c.id = 1 LEFT JOIN sealed s ON s.district = g.district AND s.id = g.applicant",
    }
});

/// Reads the facts of a request. Without a scope: the caller's is judged by the district that is among them.
///
/// # Errors
/// The database's.
pub async fn facts(store: &Store, request: &CheckAssignmentRequest) -> Result<Facts, Error> {
    let given = vec![
        request.district.as_str().into(),
        request.staff.as_str().into(),
        request.site.as_str().into(),
        request.applicant.as_str().into(),
    ];
    let row = store
        .ask(&FACTS, given)
        .await?
        .ok_or_else(|| sea_orm::DbErr::RecordNotFound("the clock has no row".to_owned()))?;
    let wrapped_key: Option<Vec<u8>> = row.try_get_by_index(7)?;
    let document: Option<Vec<u8>> = row.try_get_by_index(8)?;
    Ok(Facts {
        now: Now::from_row(row.try_get_by_index(1)?, row.try_get_by_index(2)?),
        district: thing(&row, 3)?,
        staff: thing(&row, 4)?,
        site: thing(&row, 5)?,
        applicant: thing(&row, 6)?,
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
