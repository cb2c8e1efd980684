//! The beginning and the end of telling.

use std::{net::SocketAddr, time::Duration};

use opentelemetry::{metrics::MeterProvider as _, trace::TracerProvider as _};
use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::{metrics::SdkMeterProvider, trace::SdkTracerProvider};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    logs, page, providers,
    settings::{Log, Settings},
    signals::{self, Meters, SCOPE, Signals},
};

/// How long [`Telemetry::end`] takes at most.
pub const END: Duration = Duration::from_secs(3);

/// Why nothing can be told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address for Prometheus cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}; choose another address with telemetry.prometheus_listen"
    )]
    Listen {
        /// Which.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// The way to the collector cannot be set up.
    #[error(
        "telemetry cannot be sent: {0}; look at telemetry.otlp_endpoint and the variables OTEL_*"
    )]
    Exporter(#[from] ExporterBuildError),
}

/// What tells about this process, until [`Telemetry::end`].
#[must_use = "what was not sent yet is lost unless it is ended"]
#[derive(Debug, Default)]
pub struct Telemetry {
    /// Where Prometheus asks.
    pub prometheus: Option<SocketAddr>,
    tracers: Option<SdkTracerProvider>,
    meters: Option<SdkMeterProvider>,
    page: Option<Page>,
}

/// The listener's task, which ends with this.
#[derive(Debug)]
struct Page(JoinHandle<()>);

impl Drop for Page {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts logging to standard error, and what else is configured. `service` is how the process is called in traces and
/// metrics: `bangban-casework`. Has to be called within a tokio runtime; what an earlier call set up stays for logs, and
/// is replaced for the rest.
///
/// # Errors
/// When the address for Prometheus is taken, or the way to the collector cannot be set up.
pub fn start(settings: &Settings, log: &Log, service: &str) -> Result<Telemetry, Error> {
    logs::start(log);
    if !settings.has_metrics() {
        signals::set(None);
        return Ok(Telemetry::default());
    }
    let mut telemetry = Telemetry::default();
    let mut reader = None;
    if !settings.prometheus_listen.is_empty() {
        let failed = |source| Error::Listen {
            address: settings.prometheus_listen.clone(),
            source,
        };
        let (listener, address) = page::listen(&settings.prometheus_listen).map_err(failed)?;
        let reads = page::Reader::default();
        reader = Some(reads.clone());
        let task = tokio::spawn(page::serve(listener, reads));
        telemetry.page = Some(Page(task));
        telemetry.prometheus = Some(address);
        tracing::info!(%address, "metrics for Prometheus under /metrics");
    }
    let resource = providers::resource(service);
    if settings.has_traces() {
        telemetry.tracers = Some(providers::tracers(settings, resource.clone())?);
    }
    let meters = providers::meters(settings, resource, reader)?;
    signals::set(Some(Signals {
        tracer: telemetry.tracers.as_ref().map(|p| p.tracer(SCOPE)),
        meters: Some(Meters::new(
            meters.meter(SCOPE),
            Duration::from_secs(settings.metrics_seconds),
            settings.district_labels,
        )),
    }));
    telemetry.meters = Some(meters);
    Ok(telemetry)
}

impl Telemetry {
    /// Sends what was not sent yet, and ends. Within [`END`], whatever the collector does: the provider of metrics heeds
    /// no bound of its own (`opentelemetry_sdk` 0.33.1), so both end on threads that are left behind when they are late.
    pub async fn end(self) {
        signals::set(None);
        let Self {
            tracers,
            meters,
            page,
            ..
        } = self;
        let traces = tracers.map(|tracers| on_a_thread(move || tracers.shutdown_with_timeout(END)));
        let metrics = meters.map(|meters| on_a_thread(move || meters.shutdown_with_timeout(END)));
        let both = async {
            for part in [traces, metrics].into_iter().flatten() {
                if !matches!(part.await, Ok(Ok(()))) {
                    return false;
                }
            }
            true
        };
        if !matches!(tokio::time::timeout(END, both).await, Ok(true)) {
            tracing::warn!("the last traces and metrics could not be sent; they are lost");
        }
        // Aborted alone, it might still listen for a while.
        if let Some(mut page) = page {
            page.0.abort();
            let _ = (&mut page.0).await;
        }
    }
}

/// Runs what may block on a thread that nobody has to wait for, unlike the runtime's own.
fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> oneshot::Receiver<T> {
    let (done, ended) = oneshot::channel();
    // Without a thread the sender is dropped, and the receiver tells.
    let _ = std::thread::Builder::new()
        .name("telemetry-end".to_owned())
        .spawn(move || {
            let _ = done.send(work());
        });
    ended
}
