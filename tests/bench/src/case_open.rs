//! `case_open_postgres`: cases that are opened in a second, through gRPC over TCP, by clients that each open one after
//! the other; beside what the same PostgreSQL does with the five statements of `reference.sql`.

use bangban::failure::Failure;

use crate::{
    database::Database,
    figure::Figure,
    place::Place,
    reference,
    server::Installation,
    world::{self, DISTRICTS, World},
};

/// Measures.
pub async fn measure() -> Result<Vec<Figure>, Failure> {
    let database = Database::create().await?;
    let measured = measure_in(&database).await;
    database.drop().await?;
    measured.map(|figure| vec![figure])
}

async fn measure_in(database: &Database) -> Result<Figure, Failure> {
    let installation = Installation::new(&database.url)?;
    installation
        .run(&["import", "regions", &world::regions()])
        .await?;
    let serving = installation.serve().await?;
    let place = Place::One(&installation, &serving);
    let mut agents = World::load(&place, DISTRICTS).await?.agents;
    let used = || serving.processor().unwrap_or(f64::NAN);
    let figure = reference::beside("case_open_postgres", &mut agents, &database.url, used).await;
    serving.stop().await;
    figure
}
