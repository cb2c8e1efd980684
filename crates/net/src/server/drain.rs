//! How serving ends.

use std::time::Duration;

use bangban_kit::config;
use tokio_util::sync::CancellationToken;
use tonic_health::{ServingStatus, server::HealthReporter};

/// After `stop`: says that it does not serve, waits until that was heard, closes, and returns when the bound for calls in
/// flight is over.
pub(super) async fn drain(
    stop: CancellationToken,
    health: HealthReporter,
    names: &[&'static str],
    server: &config::Server,
    closing: CancellationToken,
) {
    stop.cancelled().await;
    tracing::info!("draining");
    for name in names.iter().copied().chain([""]) {
        health
            .set_service_status(name, ServingStatus::NotServing)
            .await;
    }
    tokio::time::sleep(Duration::from_secs(server.drain_notice_seconds)).await;
    // Ends the streams of those who watch our health, which would hold the drain open for ever.
    for name in names.iter().copied().chain([""]) {
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
