//! Configuration: a TOML file, then the environment (`BANGBAN_SERVER__LISTEN`), then flags; later ones win.
//!
//! Every key has a default that is safe for trying out on one machine; `bangban config check` shows what applies.

mod check;

use std::{net::SocketAddr, path::PathBuf};

use figment::{
    Figment,
    providers::{Env, Format as _, Serialized, Toml},
};
use serde::{Deserialize, Serialize};

pub use bangban_telemetry::{Log, LogFormat, Settings as Telemetry};

/// All of it.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where files are kept: SQLite databases, keys that the installation makes itself.
    pub data: PathBuf,
    /// How it serves.
    pub server: Server,
    /// Its certificate, and whom it trusts to have one.
    pub tls: Tls,
    /// Where it stores.
    pub database: Database,
    /// Whom it believes.
    pub identity: Identity,
    /// How it logs.
    pub log: Log,
    /// What it tells about itself, and to whom.
    pub telemetry: Telemetry,
    /// The demonstration clock.
    pub demonstration: Demonstration,
    /// Where the gate of appointments is.
    pub redis: Redis,
    /// How appointments are kept.
    pub scheduling: Scheduling,
    /// Where the services are that do not run in this process, by name: URLs separated by commas, one of which is picked
    /// for each call (`directory = "https://10.0.0.5:7400,https://10.0.0.6:7400"`), or a name in DNS all of whose
    /// addresses are (`dns://directory.bangban.svc:7400`, over TLS where `tls` names an authority).
    pub peers: std::collections::BTreeMap<String, String>,
}

/// How it serves.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Address and port of gRPC. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Seconds between announcing the end and refusing new connections, so that balancers notice: our own clients ask once a
    /// second.
    pub drain_notice_seconds: u64,
    /// Seconds that calls in flight get to end after that; what is open then is cut off.
    pub drain_seconds: u64,
    /// Largest request message in bytes: 1 KiB to 16 MiB.
    pub max_message_bytes: usize,
    /// Most streams at once on a connection.
    pub max_streams: u32,
    /// Most calls of people in work at once in this process: 0 for 256 for each processor. Below this bound the limit
    /// follows how long calls take.
    pub max_in_flight: usize,
    /// Most exports at once: 0 for one for each processor, from 2 to 16.
    pub max_exports: usize,
    /// Most feeds open at once.
    pub max_feeds: usize,
    /// Milliseconds that a call may be in work on average before fewer are taken in at once.
    pub target_milliseconds: u64,
    /// Milliseconds that a call waits at most to be taken in.
    pub queue_milliseconds: u64,
    /// Most connections at once; what comes then is closed at once.
    pub max_connections: u32,
    /// Seconds, a tenth more or less, after which a connection takes no more calls, so that who holds it opens another and
    /// shows a certificate that is valid then; at twice this age it is cut off. Feeds end at half of it and are taken up
    /// again: 60 to 86400.
    pub max_connection_seconds: u64,
}

/// Its certificate, and whom it trusts to have one. Files in PEM; they are read again when they change.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// Certificate chain of this process, whose DNS name says which service it is: `casework.bangban.internal`. Empty: it
    /// serves in the clear, which is for one machine or behind something that ends TLS.
    pub certificate: PathBuf,
    /// Private key of the certificate.
    pub key: PathBuf,
    /// Authorities that sign the certificates of services.
    pub authority: PathBuf,
}

/// Where it stores.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `sqlite` for a file per service in the data folder, or `postgres://…`: a schema per service.
    pub url: String,
    /// Most connections per service and process.
    pub max_connections: u32,
    /// Seconds to wait for a connection.
    pub acquire_seconds: u64,
    /// Migrate at the start. Off where a job does it.
    pub migrate: bool,
}

/// Whom it believes.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Identity {
    /// Issuer of the tokens that are accepted.
    pub issuer: String,
    /// Audience that they must be for.
    pub audience: String,
    /// File with the issuer's public keys (JWKS). Empty: the installation is its own issuer, with keys in the data
    /// folder, and `bangban token` signs.
    pub jwks: PathBuf,
    /// File with the secret for contexts between services. Empty: one in the data folder.
    pub context_key: PathBuf,
    /// File with the keys that seal personal data. Empty: one in the data folder.
    pub keyring: PathBuf,
}

/// Where the gate of appointments is.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Redis {
    /// One server (`redis://HOST:PORT`), those whom Sentinels name (`redis-sentinel://HOST:PORT,…/MASTER`) or a cluster
    /// (`redis-cluster://HOST:PORT,…`), with `rediss` in front for TLS. Empty: the gate is in memory, which serves one
    /// process alone.
    pub url: String,
    /// File with the certificates (PEM) of those who may sign the servers', for `rediss`; empty for the system's.
    pub tls_roots: PathBuf,
}

/// How appointments are kept.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Scheduling {
    /// File with the secrets that sign the links by which appointments are moved and cancelled. Empty: one in the data
    /// folder.
    pub link_key: PathBuf,
    /// Says that no other process serves appointments on this database: only then the gate may be in memory where
    /// services are processes of their own.
    pub is_single_process: bool,
}

/// The demonstration clock.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Demonstration {
    /// Whether the clock may be moved forward. What is written then is marked for good; never for real service.
    pub is_enabled: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from(".bangban"),
            server: Server::default(),
            tls: Tls::default(),
            database: Database::default(),
            identity: Identity::default(),
            log: Log::default(),
            telemetry: Telemetry::default(),
            demonstration: Demonstration::default(),
            redis: Redis::default(),
            scheduling: Scheduling::default(),
            peers: std::collections::BTreeMap::new(),
        }
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7400)),
            drain_notice_seconds: 1,
            drain_seconds: 20,
            max_message_bytes: 1 << 20,
            max_streams: 200,
            max_in_flight: 0,
            max_exports: 0,
            max_feeds: 64,
            target_milliseconds: 100,
            queue_milliseconds: 500,
            max_connections: 10_000,
            max_connection_seconds: 600,
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: "sqlite".to_owned(),
            max_connections: 16,
            acquire_seconds: 5,
            migrate: true,
        }
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            issuer: "https://bangban.invalid/own-issuer".to_owned(),
            audience: "bangban".to_owned(),
            jwks: PathBuf::new(),
            context_key: PathBuf::new(),
            keyring: PathBuf::new(),
        }
    }
}

/// Why a configuration cannot be used: each sentence names the key and what to write instead.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Error(pub Vec<String>);

impl Config {
    /// Reads file (when given, or `bangban.toml` when it is there), environment and flags.
    ///
    /// # Errors
    /// Unknown keys, values of a wrong kind, values out of range: all of them at once.
    pub fn load(file: Option<&std::path::Path>, flags: &[(String, String)]) -> Result<Self, Error> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        figment = match file {
            Some(path) if !path.exists() => {
                return Err(Error(vec![format!(
                    "{}: there is no such file",
                    path.display()
                )]));
            }
            Some(path) => figment.merge(Toml::file_exact(path)),
            None => figment.merge(Toml::file("bangban.toml")),
        };
        // Other variables of ours (for scripts and tests) begin alike and have no section.
        let sections =
            |key: &figment::value::UncasedStr| key == "data" || key.as_str().contains("__");
        figment = figment.merge(Env::prefixed("BANGBAN_").filter(sections).split("__"));
        for (key, value) in flags {
            let value = check::flag(key, value);
            figment = figment.merge(Serialized::default(key, value));
        }
        check::checked(&figment).map_err(Error)
    }

    /// The configuration as TOML, with passwords in URLs masked.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut shown = self.clone();
        shown.database.url = mask_password(&shown.database.url);
        shown.redis.url = mask_password(&shown.redis.url);
        toml::to_string(&shown).unwrap_or_default()
    }

    /// The issuer's key set.
    #[must_use]
    pub fn jwks(&self) -> PathBuf {
        or(&self.identity.jwks, || self.data.join("issuer.jwks.json"))
    }

    /// The secret for contexts between services.
    #[must_use]
    pub fn context_key(&self) -> PathBuf {
        or(&self.identity.context_key, || self.data.join("context.key"))
    }

    /// The keys that seal personal data.
    #[must_use]
    pub fn keyring(&self) -> PathBuf {
        or(&self.identity.keyring, || self.data.join("keyring.json"))
    }

    /// The secrets that sign links to appointments.
    #[must_use]
    pub fn link_key(&self) -> PathBuf {
        or(&self.scheduling.link_key, || self.data.join("link.key"))
    }

    /// The private key of the own issuer.
    #[must_use]
    pub fn issuer_key(&self) -> PathBuf {
        self.data.join("issuer.key")
    }

    /// Whether the installation is its own issuer.
    #[must_use]
    pub fn is_own_issuer(&self) -> bool {
        self.identity.jwks.as_os_str().is_empty()
    }
}

fn or(path: &std::path::Path, default: impl FnOnce() -> PathBuf) -> PathBuf {
    if path.as_os_str().is_empty() {
        default()
    } else {
        path.to_owned()
    }
}

fn mask_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let Some((login, host)) = rest.rsplit_once('@') else {
        return url.to_owned();
    };
    let user = login.split_once(':').map_or(login, |(user, _)| user);
    format!("{scheme}://{user}:***@{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("b.toml");
        std::fs::write(
            &file,
            "[server]\nlisten = \"127.0.0.1:9000\"\ndrain_seconds = 3\n",
        )
        .expect("written");
        let config = Config::load(
            Some(&file),
            &flags(&[
                ("server.listen", "127.0.0.1:9001"),
                ("server.max_streams", "7"),
            ]),
        )
        .expect("a config");
        assert_eq!(config.server.listen.port(), 9001);
        assert_eq!(config.server.drain_seconds, 3);
        assert_eq!(config.server.max_streams, 7);
    }

    #[test]
    fn mistakes_are_named_with_their_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("b.toml");
        std::fs::write(&file, "[server]\nlissten = \"x\"\n").expect("written");
        assert!(
            Config::load(Some(&file), &[])
                .expect_err("refused")
                .to_string()
                .contains("lissten")
        );
        let wrong =
            Config::load(None, &flags(&[("database.url", "mysql://x")])).expect_err("refused");
        assert!(wrong.to_string().contains("database.url"));
    }

    #[test]
    fn a_real_issuer_excludes_the_demonstration_clock() {
        let both = flags(&[
            ("demonstration.is_enabled", "true"),
            ("identity.jwks", "/etc/jwks.json"),
        ]);
        assert!(Config::load(None, &both).is_err());
    }

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(
            mask_password("postgres://u:secret@h:5/d"),
            "postgres://u:***@h:5/d"
        );
    }
}
