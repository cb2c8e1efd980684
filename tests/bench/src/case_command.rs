//! `case_command_postgres`: commands on cases in a second, from the opening to the filing away as an assisted case takes
//! them, through gRPC to services that are processes of their own and call each other with mutual TLS; by clients that each
//! make one command after the other, beside what the same PostgreSQL does with the five statements of `reference.sql`.

use bangban::{cli::Service, failure::Failure};

use crate::{figure::Figure, life::Life, reference, services, world::DISTRICTS};

/// Measures.
pub async fn measure() -> Result<Vec<Figure>, Failure> {
    let (cluster, world) = services::with_districts(DISTRICTS).await?;
    let mut lives = Vec::new();
    for agent in world.agents {
        lives.push(Life::begin(agent).await?);
    }
    let url = cluster.plan.database_of(Service::Casework);
    let used = || services::used(&cluster);
    let figure = reference::beside("case_command_postgres", &mut lives, &url, used).await;
    cluster.end().await;
    figure.map(|figure| vec![figure])
}
