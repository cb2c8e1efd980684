//! What may be configured.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// What a process tells about itself, and to whom.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where traces and metrics go by OTLP over gRPC: `http://collector:4317`. Empty: nowhere.
    pub otlp_endpoint: String,
    /// Part of all traces that is recorded, from 0 to 1. The same everywhere, so that traces are whole.
    pub sample_ratio: f64,
    /// Address of an HTTP listener with the metrics for Prometheus, under `/metrics`. Empty: none.
    pub prometheus_listen: String,
    /// Seconds between two times that metrics are sent, and that what the database knows is counted: 5 to 3600.
    pub metrics_seconds: u64,
    /// Districts that have a label of their own in metrics, in the order of their ids; the others are one: 0 to 1000.
    pub district_labels: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            otlp_endpoint: String::new(),
            sample_ratio: 0.1,
            prometheus_listen: String::new(),
            metrics_seconds: 30,
            district_labels: 20,
        }
    }
}

impl Settings {
    /// Whether traces are sent anywhere.
    #[must_use]
    pub fn has_traces(&self) -> bool {
        !self.otlp_endpoint.is_empty()
    }

    /// Whether anybody reads metrics.
    #[must_use]
    pub fn has_metrics(&self) -> bool {
        !self.otlp_endpoint.is_empty() || !self.prometheus_listen.is_empty()
    }

    /// The keys of this section whose values may not stand there.
    #[must_use]
    pub fn wrong(&self) -> Vec<&'static str> {
        let is_http = self.otlp_endpoint.is_empty() || {
            let parsed: Result<http::Uri, _> = self.otlp_endpoint.parse();
            parsed.is_ok_and(|uri| uri.scheme_str() == Some("http") && uri.authority().is_some())
        };
        let is_address = self.prometheus_listen.is_empty()
            || self.prometheus_listen.parse::<SocketAddr>().is_ok();
        [
            ("otlp_endpoint", is_http),
            ("sample_ratio", (0.0..=1.0).contains(&self.sample_ratio)),
            ("prometheus_listen", is_address),
            (
                "metrics_seconds",
                (5..=3600).contains(&self.metrics_seconds),
            ),
            ("district_labels", self.district_labels <= 1000),
        ]
        .into_iter()
        .filter(|(_, holds)| !holds)
        .map(|(key, _)| key)
        .collect()
    }
}

/// How it logs.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `json` or `text`.
    pub format: LogFormat,
    /// A level, or directives as `info,sqlx=warn`.
    pub level: String,
}

/// Shape of a log line.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object.
    Json,
    /// For people.
    Text,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::Json,
            level: "info,sqlx=warn,sea_orm=warn".to_owned(),
        }
    }
}
