//! One server that can be written to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo,
    RedisError, TlsCertificates,
};

use super::bundle::Bundles;
use super::scripts::{Op, Scripts};
use crate::Settings;
use crate::servers::{Account, Address};

/// Calls in a row without an answer after which it is not asked any more until it answers a PING.
const SILENT_CALLS: u32 = 3;
/// An answer that comes later than this is not wanted by anybody; until then a seat in it is given back.
const LATEST_ANSWER: Duration = Duration::from_secs(30);

/// Why a server cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("it cannot be reached or does not answer: {0}")]
    Redis(#[from] RedisError),
    #[error("it does not answer in time")]
    Silent,
    #[error("it is a replica")]
    Replica,
    #[error("it is older than Redis 7, whose scripts outlive a restart")]
    TooOld,
    #[error("no Sentinel names a master")]
    NoMaster,
    #[error("no node of the Cluster says who serves what")]
    NoTopology,
    #[error("the generation cannot be read or replaced: {0}")]
    Generation(crate::BoxError),
    #[error("it was admitted a moment ago: is there another that says it is the master?")]
    TooSoon,
}

#[derive(Debug)]
pub(super) struct Master {
    pub(super) address: Address,
    pub(super) connection: MultiplexedConnection,
    pub(super) bundles: Bundles,
    pub(super) replication_id: String,
    scripts: ArcSwap<Scripts>,
    silent_calls: AtomicU32,
    is_down: AtomicBool,
}

/// Connects, with every limit explicit: the library's defaults fit nobody.
pub(super) async fn connect(
    address: &Address,
    account: &Account,
    settings: &Settings,
) -> Result<MultiplexedConnection, Trouble> {
    let (host, port) = address.clone();
    let target = if settings.servers.is_tls {
        ConnectionAddr::TcpTls {
            host,
            port,
            insecure: false,
            tls_params: None,
        }
    } else {
        ConnectionAddr::Tcp(host, port)
    };
    let mut login = RedisConnectionInfo::default()
        .set_db(account.database)
        .set_skip_set_lib_name();
    if let Some(user) = &account.user {
        login = login.set_username(user);
    }
    if let Some(password) = &account.password {
        login = login.set_password(password);
    }
    let tcp = TcpSettings::default()
        .set_nodelay(true)
        .set_user_timeout(LATEST_ANSWER);
    let info = target
        .into_connection_info()?
        .set_tcp_settings(tcp)
        .set_redis_settings(login);
    let client = if settings.servers.is_tls {
        Client::build_with_tls(
            info,
            TlsCertificates {
                client_tls: None,
                root_cert: settings.tls_roots.clone(),
            },
        )?
    } else {
        Client::open(info)?
    };
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(settings.connect_within))
        .set_response_timeout(Some(LATEST_ANSWER));
    // Its own limit leaves the name and the handshake out.
    tokio::time::timeout(
        settings.connect_within,
        client.get_multiplexed_async_connection_with_config(&config),
    )
    .await
    .map_err(|_| Trouble::Silent)?
    .map_err(Trouble::from)
}

impl Master {
    pub(super) async fn connect(address: &Address, settings: &Settings) -> Result<Self, Trouble> {
        let mut connection = connect(address, &settings.servers.account, settings).await?;
        let mut sections = redis::pipe();
        sections
            .cmd("INFO")
            .arg("server")
            .cmd("INFO")
            .arg("replication");
        let (server, replication): (String, String) = tokio::time::timeout(
            settings.answer_within,
            sections.query_async(&mut connection),
        )
        .await
        .map_err(|_| Trouble::Silent)??;
        let line = |text: &str, name: &str| -> Option<String> {
            text.lines().find_map(|line| {
                line.strip_prefix(name)?
                    .strip_prefix(':')
                    .map(|value| value.trim().to_owned())
            })
        };
        let major: Option<u32> = line(&server, "redis_version")
            .and_then(|version| version.split('.').next()?.parse().ok());
        if major.is_none_or(|major| major < 7) {
            return Err(Trouble::TooOld);
        }
        if line(&replication, "role").as_deref() != Some("master") {
            return Err(Trouble::Replica);
        }
        let replication_id = line(&replication, "master_replid").ok_or(Trouble::TooOld)?;
        Ok(Self {
            address: address.clone(),
            bundles: Bundles::new(connection.clone()),
            connection,
            scripts: ArcSwap::from_pointee(Scripts::new(0, &replication_id)),
            replication_id,
            silent_calls: AtomicU32::new(0),
            is_down: AtomicBool::new(false),
        })
    }

    pub(super) fn scripts(&self, generation: i64) -> Arc<Scripts> {
        let scripts = self.scripts.load_full();
        if scripts.generation == generation {
            return scripts;
        }
        let scripts = Arc::new(Scripts::new(generation, &self.replication_id));
        self.scripts.store(Arc::clone(&scripts));
        scripts
    }

    /// Whether all scripts of this generation are there: it was admitted under it.
    pub(super) async fn is_admitted(
        &self,
        generation: i64,
        within: Duration,
    ) -> Result<bool, Trouble> {
        let mut exists = redis::cmd("SCRIPT");
        exists.arg("EXISTS").arg(self.scripts(generation).hashes());
        let exist: Vec<bool> = self.ask(&exists, within).await?;
        Ok(exist.into_iter().all(|exists| exists))
    }

    pub(super) async fn load(&self, generation: i64, within: Duration) -> Result<(), Trouble> {
        let scripts = self.scripts(generation);
        let mut loads = redis::pipe();
        for text in scripts.texts() {
            loads.cmd("SCRIPT").arg("LOAD").arg(text).ignore();
        }
        let mut connection = self.connection.clone();
        tokio::time::timeout(within, loads.query_async::<()>(&mut connection))
            .await
            .map_err(|_| Trouble::Silent)?
            .map_err(Trouble::from)
    }

    pub(super) async fn ask<T: redis::FromRedisValue>(
        &self,
        cmd: &redis::Cmd,
        within: Duration,
    ) -> Result<T, Trouble> {
        let mut connection = self.connection.clone();
        tokio::time::timeout(within, cmd.query_async(&mut connection))
            .await
            .map_err(|_| Trouble::Silent)?
            .map_err(Trouble::from)
    }

    pub(super) fn call(&self, op: Op, generation: i64, key: &str, args: &[&[u8]]) -> redis::Cmd {
        let mut cmd = redis::cmd("EVALSHA");
        cmd.arg(self.scripts(generation).hash(op)).arg(1).arg(key);
        for arg in args {
            cmd.arg(*arg);
        }
        cmd
    }

    pub(super) fn is_down(&self) -> bool {
        self.is_down.load(Ordering::Relaxed)
    }

    pub(super) fn answered(&self) {
        self.silent_calls.store(0, Ordering::Relaxed);
    }

    /// It answered a PING: calls go to it again.
    pub(super) fn is_back(&self) {
        self.answered();
        self.is_down.store(false, Ordering::Relaxed);
    }

    pub(super) fn was_silent(&self) {
        if self.silent_calls.fetch_add(1, Ordering::Relaxed) + 1 >= SILENT_CALLS {
            self.is_lost();
        }
    }

    /// Calls to it are refused at once from now on.
    pub(super) fn is_lost(&self) {
        self.is_down.store(true, Ordering::Relaxed);
    }
}
