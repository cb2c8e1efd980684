//! `bangban run`: everything in one process, with the sample district, a walk, and then whatever comes.

use std::path::Path;

use bangban_kit::config::{Config, Log, LogFormat};

use crate::{
    client::{self, Client},
    failure::Failure,
    sample::{self, Sample},
    serve::{self, Running, What},
    tell,
    token::Signer,
    walk,
};

/// Runs the demonstration until SIGTERM or Ctrl-C.
pub async fn run(mut config: Config) -> Result<(), Failure> {
    let signer = Signer::open(&config)?;
    config.demonstration.is_enabled = true;
    if config.log == Log::default() {
        config.log = Log {
            format: LogFormat::Text,
            level: "warn".to_owned(),
        };
    }
    serve::told(&config, What::All, async {
        let stop = serve::stop_when_signalled();
        let running = serve::start(&config, What::All, stop.clone()).await?;
        let shown = tokio::select! {
            shown = show(&config, &signer, &running) => shown,
            () = stop.cancelled() => Ok(()),
        };
        if shown.is_err() {
            stop.cancel();
        }
        let ended = running.ended().await;
        shown.and(ended)
    })
    .await
}

async fn show(config: &Config, signer: &Signer, running: &Running) -> Result<(), Failure> {
    let address = running.address;
    let client = Client::connect(config, Some(&client::url(config, address)))?;
    let sample = Sample::shipped()?;
    let after = match &running.directory {
        Some(directory) => {
            let folder = Path::new("infra/sample");
            sample::load_if_absent(&sample, directory, &client, signer, folder).await?
        }
        None => String::new(),
    };
    walk::walk(&sample, &client, signer, after).await?;
    let agent = sample.agent()?;
    let data = if config.data == Config::default().data {
        String::new()
    } else {
        format!(" --data {}", config.data.display())
    };
    let (subject, site, region) = (&agent.subject, &agent.site, &agent.region);
    tell::line(format!(
        "ready: grpc {address} · token: bangban token --role agent --subject {subject} --site {site} --region {region}{data}"
    ));
    Ok(())
}
