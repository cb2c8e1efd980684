//! `idle_memory`: what a process that serves everything keeps resident while nobody calls it; `idle_memory_services`: what
//! all services keep as processes of their own.

use std::time::Duration;

use bangban::failure::Failure;
use bangban_tests::cluster::Cluster;
use tokio::time::sleep;

use crate::{
    figure::Figure,
    note,
    place::Place,
    server::Installation,
    services,
    world::{self, World},
};

/// How long it is left alone.
const IDLE: Duration = Duration::from_secs(10);

/// MB that one process may keep.
const GOAL: f64 = 60.0;

/// MB that all services may keep.
const SERVICES_GOAL: f64 = 150.0;

/// Measures the one process.
pub async fn measure() -> Result<Vec<Figure>, Failure> {
    let installation = Installation::new("sqlite")?;
    installation
        .run(&["import", "regions", &world::regions()])
        .await?;
    let serving = installation.serve().await?;
    World::load(&Place::One(&installation, &serving), 1).await?;
    note(format!(
        "idle_memory: {:.1} MB after a district was loaded through it",
        serving.resident()?
    ));
    serving.stop().await;
    // A process that has done nothing yet: what an operator sees who starts one and waits.
    let serving = installation.serve().await?;
    sleep(IDLE).await;
    let value = serving.resident()?;
    serving.stop().await;
    Ok(vec![Figure::below(GOAL, "idle_memory", value, "MB")])
}

/// Measures the services.
pub async fn measure_services() -> Result<Vec<Figure>, Failure> {
    let mut cluster = services::with_regions().await?;
    World::load(&Place::Services(&cluster), 1).await?;
    note(format!(
        "idle_memory_services: {:.1} MB after a district was loaded through them",
        cluster.resident()
    ));
    for member in cluster.members() {
        member.restart().await;
    }
    sleep(IDLE).await;
    let value = cluster.resident();
    note(format!("idle_memory_services: {}", each(&mut cluster)));
    cluster.end().await;
    let figure = Figure::below(SERVICES_GOAL, "idle_memory_services", value, "MB");
    Ok(vec![figure])
}

fn each(cluster: &mut Cluster) -> String {
    let of = cluster
        .members()
        .map(|member| format!("{} {:.1} MB", member.replica().name(), member.resident()));
    of.collect::<Vec<_>>().join(", ")
}
