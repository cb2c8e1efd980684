//! Everything that an assignment is judged by, in one statement: it is asked for at the opening of every case; and a person
//! alone, at everybody's first appointment.

use std::sync::LazyLock;

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::directory::v1::{
    Applicant, CheckAssignmentRequest, District, Site, Staff,
};
use bangban_store::{Error, Now, Store, question::Question};
use prost::Message;
use sea_orm::{QueryResult, Value};

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

/// The district, and what else is asked for by these names, and the applicant's sealed document. What is not asked for is
/// not looked for.
fn question(given: &'static [&'static str]) -> Question {
    let body = |kind| match given.contains(&kind) {
        true => format!(
            "(SELECT body FROM resources WHERE district = g.district AND kind = '{kind}' AND id = g.{kind})"
        ),
        false => "NULL".to_owned(),
    };
    let things = ["district", "staff", "site", "applicant"].map(body);
    Question {
        given,
        wanted: format!(
            "{{now}}, c.offset_seconds, {}, s.wrapped_key, s.document",
            things.join(", ")
        ),
        joined: "JOIN clock c ON c.id = 1 LEFT JOIN sealed s ON s.district = g.district AND s.id = g.applicant",
    }
}

static FACTS: LazyLock<Question> =
    LazyLock::new(|| question(&["district", "staff", "site", "applicant"]));

static PERSON: LazyLock<Question> = LazyLock::new(|| question(&["district", "applicant"]));

/// Reads the facts of a request. Without a scope: the caller's is judged by the district that is among them.
///
/// # Errors
/// The database's.
pub async fn facts(store: &Store, request: &CheckAssignmentRequest) -> Result<Facts, Error> {
    let (district, applicant) = (&request.district, &request.applicant);
    let given = [district, &request.staff, &request.site, applicant].map(Into::into);
    read(store, &FACTS, given.into(), (district, applicant)).await
}

/// Reads a person's district and the person. Without a scope, as [`facts`]: a person belongs to the whole of the district.
///
/// # Errors
/// The database's.
pub async fn person(store: &Store, district: &str, applicant: &str) -> Result<Facts, Error> {
    let given = [district, applicant].map(Into::into);
    read(store, &PERSON, given.into(), (district, applicant)).await
}

async fn read(
    store: &Store,
    question: &'static Question,
    given: Vec<Value>,
    (district, applicant): (&str, &str),
) -> Result<Facts, Error> {
    let row = store
        .ask(question, given)
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
                district: district.to_owned(),
                id: applicant.to_owned(),
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
