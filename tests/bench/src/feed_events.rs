//! `feed_events`: acts of directory that casework takes in per second, each with its effect, over the network and with its
//! own consumer, when it comes back after it was away.

use std::time::Duration;

use bangban::{
    cli::Service,
    client::{Client, answered},
    failure::Failure,
    sample::operator,
};
use bangban_proto::bangban::directory::v1::{
    Department, PutDepartmentRequest, catalogue_service_client::CatalogueServiceClient,
};
use bangban_store::Position;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement, Value};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::{
    figure::{Figure, median},
    note,
    place::Place,
    services,
    world::{World, request_id},
};

/// Districts, which write at the same time.
const DISTRICTS: usize = 8;

/// Acts of each district in a round: each puts a department, of which casework keeps a copy.
const ACTS: usize = 2500;

/// Departments of each district, put again and again.
const DEPARTMENTS: usize = 20;

/// Rounds.
const ROUNDS: usize = 3;

/// Acts in a second that must be reached.
const GOAL: f64 = 5000.0;

/// Between two looks at where casework is.
const LOOK: Duration = Duration::from_millis(5);

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Measures.
pub async fn measure() -> Result<Vec<Figure>, Failure> {
    let mut cluster = services::with_regions().await?;
    let place = Place::Services(&cluster);
    World::load(&place, DISTRICTS).await?;
    let client = place.client(&operator())?;
    let directory = cluster.database(Service::Directory).await;
    let casework = cluster.database(Service::Casework).await;
    let mut rates = Vec::new();
    for round in 1..=ROUNDS {
        cluster.member(Service::Casework, 1).terminate().await;
        let from = stored(&casework).await?;
        put(&client).await?;
        let count = behind(&directory, &from).await?;
        let (follows, ()) = tokio::join!(
            taken_in(&casework, &directory, &from),
            cluster.member(Service::Casework, 1).start_again()
        );
        let rate = follows?;
        note(format!(
            "feed_events: round {round} of {ROUNDS}: {count} acts, {rate:.0} a second"
        ));
        rates.push(rate);
    }
    cluster.end().await;
    let value = median(&rates).unwrap_or(f64::NAN);
    let figure = Figure::at_least(GOAL, "feed_events", value, "per_second");
    Ok(vec![figure])
}

/// Fills directory's log.
async fn put(client: &Client) -> Result<(), Failure> {
    let mut working = JoinSet::new();
    for district in 0..DISTRICTS {
        let client = client.clone();
        working.spawn(async move {
            let mut catalogue = CatalogueServiceClient::new(client.channel());
            for number in 0..ACTS {
                let request = PutDepartmentRequest {
                    district: format!("bench-{district}"),
                    request_id: request_id(),
                    department: Some(Department {
                        id: format!("department-{}", number % DEPARTMENTS),
                        name: format!("示例局{number}"),
                        telephone: "0717-00000011".to_owned(),
                        complaint_telephone: "0717-00000012".to_owned(),
                        ..Department::default()
                    }),
                };
                let answer = catalogue.put_department(client.request(request)).await;
                answered("a department", answer)?;
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(done) = working.join_next().await {
        done.map_err(|e| Failure::of("a client broke off", &e))??;
    }
    Ok(())
}

/// Acts in a second, from the first position that casework stores on its way to the last.
async fn taken_in(
    casework: &DatabaseConnection,
    directory: &DatabaseConnection,
    from: &Position,
) -> Result<f64, Failure> {
    let follows = async {
        let first = loop {
            let at = stored(casework).await?;
            if at != *from {
                break at;
            }
            sleep(LOOK).await;
        };
        let began = Instant::now();
        let count = behind(directory, &first).await?;
        let last = last(directory).await?;
        while !stored(casework).await?.reaches(&last) {
            sleep(LOOK).await;
        }
        Ok(count as f64 / began.elapsed().as_secs_f64())
    };
    timeout(PATIENCE, follows)
        .await
        .map_err(|_| Failure::new("casework does not take directory's acts in; its log says why"))?
}

async fn asked(
    db: &DatabaseConnection,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<sea_orm::QueryResult, Failure> {
    db.query_one_raw(Statement::from_sql_and_values(
        DbBackend::Postgres,
        sql,
        values,
    ))
    .await
    .and_then(|row| row.ok_or(sea_orm::DbErr::RecordNotFound(sql.to_owned())))
    .map_err(|e| Failure::of("a database of the measurement does not answer", &e))
}

fn wrong(error: sea_orm::DbErr) -> Failure {
    Failure::of("a database of the measurement holds something else", &error)
}

/// Where casework is in directory's log.
async fn stored(casework: &DatabaseConnection) -> Result<Position, Failure> {
    let sql = "SELECT position FROM positions WHERE log = 'directory'";
    let row = asked(casework, sql, []).await?;
    let text: String = row.try_get_by_index(0).map_err(wrong)?;
    Position::parse(&text).map_err(|e| Failure::new(e.to_string()))
}

/// How many acts of directory stand behind a position.
async fn behind(directory: &DatabaseConnection, at: &Position) -> Result<i64, Failure> {
    let sql = "SELECT count(*) FROM acts WHERE (tx, position) > ($1, $2)";
    let row = asked(directory, sql, [at.tx.into(), at.at.into()]).await?;
    row.try_get_by_index(0).map_err(wrong)
}

/// The position of directory's last act.
async fn last(directory: &DatabaseConnection) -> Result<Position, Failure> {
    let sql =
        "SELECT incarnation, tx, position FROM acts, log ORDER BY tx DESC, position DESC LIMIT 1";
    let row = asked(directory, sql, []).await?;
    let get = || -> Result<Position, sea_orm::DbErr> {
        Ok(Position {
            log: "directory".to_owned(),
            incarnation: row.try_get_by_index(0)?,
            tx: row.try_get_by_index(1)?,
            at: row.try_get_by_index(2)?,
        })
    };
    get().map_err(wrong)
}
