//! Where a world is loaded and called: everything in one process, or every service as processes of its own.

use std::{path::Path, process::Stdio};

use bangban::{cli::Service, client::Client, failure::Failure, token::Signer};
use bangban_kit::{config::Config, identity::Person};
use bangban_tests::cluster::Cluster;
use tokio::process::Command;

use crate::server::{Installation, Serving};

/// An instance that serves.
pub enum Place<'a> {
    /// In one process.
    One(&'a Installation, &'a Serving),
    /// In processes of their own.
    Services(&'a Cluster),
}

impl Place<'_> {
    fn config(&self) -> &Config {
        match self {
            Self::One(installation, _) => &installation.config,
            Self::Services(cluster) => &cluster.plan.config,
        }
    }

    /// Somebody who calls, on connections of their own, for two hours.
    pub fn client(&self, person: &Person) -> Result<Client, Failure> {
        let config = self.config();
        let address = match self {
            Self::One(_, serving) => Some(serving.address.to_string()),
            Self::Services(_) => None,
        };
        let token = Signer::open(config)?.token(person, 2)?;
        Client::connect(config, address.as_deref())?.with(&token)
    }

    /// Does a chore of directory's, beside what serves.
    pub async fn chore(&self, arguments: &[&str]) -> Result<(), Failure> {
        match self {
            Self::One(installation, _) => installation.run(arguments).await.map(|_| ()),
            Self::Services(cluster) => {
                let plan = &cluster.plan;
                beside(&plan.program, &plan.file_of(Service::Directory), arguments).await
            }
        }
    }
}

async fn beside(program: &Path, config: &Path, arguments: &[&str]) -> Result<(), Failure> {
    let what = format!("bangban {}", arguments.join(" "));
    let status = Command::new(program)
        .arg("--config")
        .arg(config)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await
        .map_err(|e| Failure::of(&format!("{what} cannot be started"), &e))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("{what} ended with {status}")))
}
