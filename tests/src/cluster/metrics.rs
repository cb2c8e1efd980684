//! What a process tells Prometheus.

use std::{fs, path::Path};

use bangban_rig::metrics;

/// The page of the process that writes this log: of those that have, the last one.
///
/// # Panics
/// When it has none, or does not answer.
pub async fn page(log: &Path) -> String {
    let log = fs::read_to_string(log).expect("a log");
    let line = log
        .lines()
        .rfind(|line| line.contains("metrics for Prometheus"))
        .expect("it says where");
    let address = line
        .split("address=")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next());
    let address = address.and_then(|address| address.parse().ok());
    metrics::page(address.expect("an address")).await
}

/// The sum of a metric over all its labels; nothing where the page has none.
#[must_use]
pub fn sum(page: &str, name: &str) -> Option<f64> {
    let of = |line: &str| {
        let rest = line.strip_prefix(name)?;
        let is_it = rest.starts_with(['{', ' ']);
        let (_, value) = rest.rsplit_once(' ').filter(|_| is_it)?;
        value.parse::<f64>().ok()
    };
    page.lines()
        .filter_map(of)
        .fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
}
