//! How a channel behaves. The defaults are those of a service that calls another in the same data centre.

use std::time::Duration;

use super::declared::{self, Declared};

/// How a channel behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name of the service, for errors and logs.
    pub service: String,
    /// Name that the health of endpoints is asked for; empty for the process as a whole.
    pub health_service: String,
    /// Between two questions for the health of an endpoint.
    pub health_every: Duration,
    /// How long an endpoint may take to answer that question before it counts as silent.
    pub health_timeout: Duration,
    /// Connections to each endpoint, 1 or more.
    pub connections_per_endpoint: u16,
    /// How long a connection may take to open, TLS included.
    pub connect_timeout: Duration,
    /// Between two HTTP/2 pings.
    pub keepalive_every: Duration,
    /// How long a ping may stay without an answer before the connection is closed.
    pub keepalive_timeout: Duration,
    /// Between two questions to DNS.
    pub resolve_every: Duration,
    /// How long a call waits for an endpoint when none serves, within its deadline.
    pub wait_for_endpoint: Duration,
    /// Deadline of a unary call that has none; for a stream without one the bound on its response headers.
    pub deadline: Duration,
    /// How long the first attempt of a repeatable call may take when another endpoint serves; the second may take twice
    /// that, and so on; the last takes what is left.
    pub attempt: Duration,
    /// Attempts of one call at most, the first included.
    pub attempts: u32,
    /// Size of the retry budget: see [`super::Budget`].
    pub tokens: u32,
    /// Largest request in bytes that is kept to be sent again.
    pub replay_limit: usize,
    /// Largest unary answer in bytes that is read before it is handed on; what is larger passes through.
    pub answer_limit: usize,
    /// What is known of a method by its path.
    pub declared: fn(&str) -> Declared,
}

impl Settings {
    /// The defaults, for a service of this name.
    #[must_use]
    pub fn of(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            health_service: String::new(),
            health_every: Duration::from_secs(1),
            health_timeout: Duration::from_secs(1),
            connections_per_endpoint: 1,
            connect_timeout: Duration::from_secs(3),
            keepalive_every: Duration::from_secs(10),
            keepalive_timeout: Duration::from_secs(10),
            resolve_every: Duration::from_secs(5),
            wait_for_endpoint: Duration::from_secs(3),
            deadline: Duration::from_secs(10),
            attempt: Duration::from_secs(2),
            attempts: 4,
            tokens: 100,
            replay_limit: 1 << 20,
            answer_limit: 8 << 20,
            declared: declared::by_contract,
        }
    }
}
