//! The certificates of a process, for both sides of its calls; read again when the files change, so that nobody has to
//! restart anything when they are renewed.

mod dial;
mod files;
mod name;

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use bangban_kit::config;
use rustls::{ClientConfig, ServerConfig};
use tokio_util::sync::CancellationToken;

pub use self::{
    dial::{Io, Secure},
    files::Unusable,
};
pub(crate) use name::service;

/// Between two looks at the files.
const LOOK: Duration = Duration::from_secs(30);

/// DNS name in the certificate of a service: this behind its name.
pub const DOMAIN: &str = ".bangban.internal";

/// The certificates in use. Clones share them.
#[derive(Clone)]
pub struct Tls(Arc<Held>);

struct Held {
    files: config::Tls,
    now: ArcSwap<Pair>,
}

/// Both sides, of one reading of the files.
struct Pair {
    /// None where the process has no certificate of its own: it calls, and serves in the clear.
    server: Option<Arc<ServerConfig>>,
    client: Arc<ClientConfig>,
    digest: [u8; 32],
}

impl Tls {
    /// Reads the files; none when no authority is configured.
    ///
    /// # Errors
    /// A file that cannot be read, holds nothing of use, or a key of another certificate.
    pub fn open(files: &config::Tls) -> Result<Option<Self>, Unusable> {
        if files.authority.as_os_str().is_empty() {
            return Ok(None);
        }
        let now = ArcSwap::from_pointee(files::read(files)?);
        Ok(Some(Self(Arc::new(Held {
            files: files.clone(),
            now,
        }))))
    }

    /// What connections to this process are accepted with, when it has a certificate.
    pub(crate) fn server(&self) -> Option<Arc<ServerConfig>> {
        self.0.now.load().server.clone()
    }

    fn client(&self) -> Arc<ClientConfig> {
        self.0.now.load().client.clone()
    }

    /// Reads the files again; `true` when they have changed. What is in use stays when they cannot be used.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn renew(&self) -> Result<bool, Unusable> {
        let read = files::read(&self.0.files)?;
        let is_new = read.digest != self.0.now.load().digest;
        if is_new {
            self.0.now.store(Arc::new(read));
        }
        Ok(is_new)
    }

    /// Looks at the files every half minute until `stop`.
    pub async fn watch(self, stop: CancellationToken) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = looks.tick() => {}
            }
            match self.renew() {
                Ok(true) => tracing::info!("certificates were renewed"),
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(%error, "the certificates on disk cannot be used; the last good ones stay");
                }
            }
        }
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tls").field(&self.0.files).finish()
    }
}
