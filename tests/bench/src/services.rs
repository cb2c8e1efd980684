//! Every service as processes of its own, for a measurement.

use bangban::failure::Failure;
use bangban_tests::cluster::Cluster;

use crate::{
    place::Place,
    server::processor,
    world::{self, World},
};

/// The server of the measurement's databases.
fn server() -> Result<String, Failure> {
    std::env::var("DATABASE_URL").map_err(|_| {
        Failure::new("there is no DATABASE_URL: `make bench` starts a PostgreSQL and sets it.")
    })
}

/// One process of each service, on the release build and with its own defaults, and the sample's regions.
pub async fn with_regions() -> Result<Cluster, Failure> {
    let cluster = Cluster::start_empty_on(server()?, 1, |config| {
        config.database.max_connections = 16;
        "warn".clone_into(&mut config.log.level);
    })
    .await;
    let folder = world::regions();
    Place::Services(&cluster)
        .chore(&["import", "regions", &folder])
        .await?;
    Ok(cluster)
}

/// The same with so many districts.
pub async fn with_districts(districts: usize) -> Result<(Cluster, World), Failure> {
    let cluster = with_regions().await?;
    let world = World::load(&Place::Services(&cluster), districts).await?;
    Ok((cluster, world))
}

/// With the sample district, in replicas.
pub async fn with_sample(replicas: u16) -> Result<Cluster, Failure> {
    let quiet = |config: &mut bangban_kit::config::Config| {
        "warn".clone_into(&mut config.log.level);
    };
    Ok(Cluster::start_on(server()?, replicas, quiet).await)
}

/// Processor time of all processes so far, in seconds.
pub fn used(cluster: &Cluster) -> f64 {
    let of = |id| std::fs::read_to_string(format!("/proc/{id}/stat")).ok();
    let stats = cluster.ids().filter_map(of);
    stats.filter_map(|stat| processor(&stat)).sum()
}
