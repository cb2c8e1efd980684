//! What a gate on Redis can be told; the defaults are right for a network within one city.

use std::time::Duration;

use crate::Servers;

/// How a gate on Redis behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where Redis is.
    pub servers: Servers,
    /// Certificates (PEM) of those who may sign a server's, for `rediss`; the system's if there are none.
    pub tls_roots: Option<Vec<u8>>,
    /// How long an answer is waited for. Default 500 ms.
    pub answer_within: Duration,
    /// How long a connection may take, with TLS and password. Default 1 s.
    pub connect_within: Duration,
    /// How old the knowledge of the generation may be for a "full", and how long a new generation is kept from
    /// releases. The same in every process of an installation. Default 1 s.
    pub lease: Duration,
    /// How often the generation is read. Well below `lease`. Default 300 ms.
    pub read_every: Duration,
    /// How often connections and the masters' addresses are checked while all is well. Default 500 ms.
    pub check_every: Duration,
    /// After how long an unfinished rebuild or pick counts as abandoned. Longer than a command of the service may take
    /// between the gate's answer and the database's. Default 3 s.
    pub abandoned_after: Duration,
}

impl Settings {
    /// The defaults for these servers.
    pub fn new(servers: Servers) -> Self {
        Self {
            servers,
            ..Self::default()
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            servers: Servers::default(),
            tls_roots: None,
            answer_within: Duration::from_millis(500),
            connect_within: Duration::from_secs(1),
            lease: Duration::from_secs(1),
            read_every: Duration::from_millis(300),
            check_every: Duration::from_millis(500),
            abandoned_after: Duration::from_secs(3),
        }
    }
}
