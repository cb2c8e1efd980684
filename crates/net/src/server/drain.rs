//! How serving ends.

use std::time::Duration;

use bangban_kit::config;
use tokio_util::sync::CancellationToken;
use tonic_health::{ServingStatus, server::HealthReporter};

use super::conditions::Conditions;

/// Says what becomes of the conditions until `stop`; then that nothing here serves, waits until that was heard, closes, and
/// returns when the bound for calls in flight is over.
pub(super) async fn drain(
    stop: CancellationToken,
    health: HealthReporter,
    (mut names, mut conditions): (Vec<&'static str>, Conditions),
    server: &config::Server,
    closing: CancellationToken,
) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = conditions.follow(&health) => {}
    }
    names.extend(conditions.names());
    names.push("");
    tracing::info!("draining");
    for name in &names {
        health
            .set_service_status(*name, ServingStatus::NotServing)
            .await;
    }
    tokio::time::sleep(Duration::from_secs(server.drain_notice_seconds)).await;
    // Ends the streams of those who watch our health, which would hold the drain open for ever.
    for name in names {
        let mut health = health.clone();
        health.clear_service_status(name).await;
    }
    closing.cancel();
    tokio::time::sleep(Duration::from_secs(server.drain_seconds)).await;
}

/// Resolves when the process is asked to end: SIGTERM or Ctrl-C.
pub async fn signalled() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    {
        let _ = tokio::signal::ctrl_c().await;
    }
}
