//! Which gate is asked, and the number in the database that says which Redis is believed.

use std::sync::Arc;

use bangban_kit::{config::Config, refusal::Refusal};
use bangban_slots::{BoxError, Gate, Generations, Servers, Settings};
use bangban_store::{Error, Store};

use crate::store::capacity;

/// The generation, in the service's database.
#[derive(Debug, Clone)]
pub struct Stored(Store);

#[async_trait::async_trait]
impl Generations for Stored {
    async fn read(&self) -> Result<i64, BoxError> {
        Ok(capacity::generation(&self.0).await?)
    }

    async fn replace(&self, old: i64, new: i64) -> Result<i64, BoxError> {
        Ok(capacity::replace_generation(&self.0, old, new).await?)
    }
}

/// The gate that the configuration names: Redis where it has an address, else this process's memory.
///
/// # Errors
/// An address that cannot be read.
pub fn gate(config: &Config, store: &Store) -> Result<Gate, Error> {
    if config.redis.url.is_empty() {
        return Ok(Gate::memory());
    }
    let servers: Servers = config.redis.url.parse().map_err(Refusal::internal)?;
    let mut settings = Settings::new(servers);
    if !config.redis.tls_roots.as_os_str().is_empty() {
        let roots = std::fs::read(&config.redis.tls_roots).map_err(Refusal::internal)?;
        settings.tls_roots = Some(roots);
    }
    let generations = Arc::new(Stored(store.clone()));
    Ok(Gate::redis(settings, generations).map_err(Refusal::internal)?)
}
