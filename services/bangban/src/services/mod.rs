//! `bangban services`: every service as processes of its own, each service with a database of its own in one PostgreSQL,
//! on one machine. What an orchestrator does elsewhere: keys, certificates, addresses, starting, watching, ending.
//!
//! [`plan`] says what runs where and writes it down, [`process`] is one process, [`keep`] starts it again when it has
//! died, [`child`] is the other end: a process that ends when nobody holds it any more.

pub mod certificates;
pub mod child;
mod databases;
mod files;
mod keep;
pub mod plan;
mod ports;
pub mod process;

use std::{path::Path, sync::Arc};

use bangban_directory::Directory;
use bangban_kit::config::Config;
use tokio_util::sync::CancellationToken;

pub use plan::{Plan, Replica};
pub use process::Process;

use crate::{
    cli,
    client::Client,
    failure::Failure,
    sample::{self, Sample},
    serve, tell,
    token::Signer,
    walk,
};

/// Runs all services until SIGTERM or Ctrl-C.
///
/// # Errors
/// What is missing or taken, with what to do about it; a service that does not start; a walk that fails.
pub async fn run(config: Config, wish: &cli::Services) -> Result<(), Failure> {
    bangban_telemetry::logs::start(&config.log);
    let stop = serve::stop_when_signalled();
    let program = std::env::current_exe()
        .map_err(|e| Failure::of("this program does not know where it lies; report this", &e))?;
    let plan = Arc::new(Plan::make(config, wish, program).await?);
    let count = plan.replicas.len();
    tell::line(format!(
        "Starting {count} processes; their logs are in {} …",
        plan.logs().display()
    ));
    let mut started = Vec::with_capacity(count);
    for replica in &plan.replicas {
        started.push(Process::start(&plan, replica)?);
    }
    let is_up = tokio::select! {
        up = all_serve(&mut started) => up.map(|()| true),
        () = stop.cancelled() => Ok(false),
    };
    // From here on each has its keeper, which also ends it.
    let ending = CancellationToken::new();
    let keepers: Vec<_> = started
        .into_iter()
        .map(|process| tokio::spawn(keep::keep(plan.clone(), process, ending.clone())))
        .collect();
    let shown = match is_up {
        Ok(true) => tokio::select! {
            shown = show(&plan) => shown,
            () = stop.cancelled() => Ok(()),
        },
        Ok(false) => Ok(()),
        Err(failure) => Err(failure),
    };
    if shown.is_ok() {
        stop.cancelled().await;
    }
    ending.cancel();
    futures::future::join_all(keepers).await;
    shown
}

async fn all_serve(processes: &mut [Process]) -> Result<(), Failure> {
    let waits = processes.iter_mut().map(Process::serves);
    futures::future::try_join_all(waits).await.map(|_| ())
}

/// Loads the sample, walks, and says how to call.
async fn show(plan: &Plan) -> Result<(), Failure> {
    let signer = Signer::open(&plan.config)?;
    let client = Client::connect(&plan.config, None)?;
    let sample = Sample::shipped()?;
    let after = load(plan, &sample, &client, &signer, Path::new("infra/sample")).await?;
    walk::walk(&sample, &client, &signer, after).await?;
    let agent = sample.agent()?;
    let (subject, site, region) = (&agent.subject, &agent.site, &agent.region);
    let addresses: Vec<String> = cli::Service::ALL
        .iter()
        .map(|service| {
            format!(
                "{} {}",
                service.name(),
                plan.authorities(*service).join(",")
            )
        })
        .collect();
    tell::line(format!(
        "ready: grpc {} · token: bangban token --config {} --role agent --subject {subject} --site {site} --region {region}",
        addresses.join(" "),
        plan.file().display()
    ));
    Ok(())
}

/// Loads the sample district that lies in `folder` unless it is there: reference data beside directory's processes, into
/// its database, everything else by calls. Answers the last position of directory's log, empty when nothing was done.
///
/// # Errors
/// When directory's database does not open, or refuses.
pub async fn load(
    plan: &Plan,
    sample: &Sample,
    client: &Client,
    signer: &Signer,
    folder: &Path,
) -> Result<String, Failure> {
    let mut config = plan.config_of(cli::Service::Directory);
    config.database.migrate = false;
    config.database.max_connections = 1;
    let directory = Directory::open(&config).await.map_err(|e| {
        Failure::of(
            "directory's database does not open beside its processes",
            &e,
        )
    })?;
    sample::load_if_absent(sample, &directory, client, signer, folder).await
}
