//! A receiver of OTLP over gRPC that keeps all that it is sent.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use opentelemetry_proto::tonic::{
    collector::{
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::Metric,
    resource::v1::Resource,
    trace::v1::Span,
};
use prost::Message as _;
use tokio::{net::TcpListener, sync::Notify, time::timeout};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

/// How long what is told may take to arrive: traces are sent every five seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// The receiver.
#[derive(Clone, Default)]
pub struct Receiver(Arc<Kept>);

#[derive(Default)]
struct Kept {
    traces: Mutex<Vec<ExportTraceServiceRequest>>,
    metrics: Mutex<Vec<ExportMetricsServiceRequest>>,
    came: Notify,
}

fn all<T: Clone>(kept: &Mutex<Vec<T>>) -> Vec<T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn service(resource: Option<Resource>) -> String {
    let attributes = resource.unwrap_or_default().attributes;
    text(&attributes, "service.name").unwrap_or_default()
}

/// A text among attributes.
#[must_use]
pub fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|pair| pair.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

impl Receiver {
    /// Receives on a free port of this machine, for as long as the runtime lives; answers where.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start() -> (Self, String) {
        let receiver = Self::default();
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)));
        let listener = listener.await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = Server::builder()
            .add_service(TraceServiceServer::new(receiver.clone()))
            .add_service(MetricsServiceServer::new(receiver.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        (receiver, format!("http://{address}"))
    }

    /// All spans so far, each with the service that told it.
    #[must_use]
    pub fn spans(&self) -> Vec<(String, Span)> {
        let resources = all(&self.0.traces)
            .into_iter()
            .flat_map(|r| r.resource_spans);
        resources
            .flat_map(|resource| {
                let service = service(resource.resource);
                let spans = resource.scope_spans.into_iter().flat_map(|s| s.spans);
                spans
                    .map(move |span| (service.clone(), span))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// All metrics so far, each with the service that told it.
    #[must_use]
    pub fn metrics(&self) -> Vec<(String, Metric)> {
        let resources = all(&self.0.metrics)
            .into_iter()
            .flat_map(|r| r.resource_metrics);
        resources
            .flat_map(|resource| {
                let service = service(resource.resource);
                let metrics = resource.scope_metrics.into_iter().flat_map(|s| s.metrics);
                metrics
                    .map(move |m| (service.clone(), m))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// Everything so far, as it came over the wire.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let traces = all(&self.0.traces)
            .into_iter()
            .flat_map(|r| r.encode_to_vec());
        let metrics = all(&self.0.metrics)
            .into_iter()
            .flat_map(|r| r.encode_to_vec());
        traces.chain(metrics).collect()
    }

    /// Waits until what has come is enough for an answer.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn until<T>(&self, what: &str, found: impl Fn(&Self) -> Option<T>) -> T {
        let waiting = async {
            loop {
                let came = self.0.came.notified();
                tokio::pin!(came);
                // Registered before the look, so that nothing is missed in between.
                came.as_mut().enable();
                if let Some(found) = found(self) {
                    return found;
                }
                came.await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| {
            let names: Vec<_> = self
                .spans()
                .into_iter()
                .map(|(s, span)| (s, span.name))
                .collect();
            panic!("{what} was not told: {names:?}")
        })
    }
}

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut traces = self.0.traces.lock().unwrap_or_else(PoisonError::into_inner);
        traces.push(request.into_inner());
        self.0.came.notify_waiters();
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let mut metrics = self
            .0
            .metrics
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        metrics.push(request.into_inner());
        self.0.came.notify_waiters();
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}
