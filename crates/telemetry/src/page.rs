//! The HTTP listener that Prometheus asks: plain HTTP/1 on an address of its own, and nothing but `GET /metrics`. Who may
//! reach it is for the network to say; nothing on it is personal or secret.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    metrics::{
        InstrumentKind, ManualReader, Pipeline, Temporality, data::ResourceMetrics,
        reader::MetricReader,
    },
};
use tokio::{net::TcpListener, sync::Semaphore};

use crate::prometheus;

/// Who asks at once, at most: Prometheus, its twin, and a person.
const CONNECTIONS: usize = 8;

/// How long a request may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a connection lives; Prometheus opens another.
const LIFE: Duration = Duration::from_secs(300);

/// Reads the metrics when somebody asks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reader(Arc<ManualReader>);

impl MetricReader for Reader {
    fn register_pipeline(&self, pipeline: std::sync::Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }

    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}

/// An address that is taken, and not answered on yet.
pub(crate) fn listen(address: &str) -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Answers until it is dropped.
pub(crate) async fn serve(listener: TcpListener, reader: Reader) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            // No more files, perhaps: not at full speed.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let reader = reader.clone();
        tokio::spawn(async move {
            let answer = service_fn(move |request| {
                let answer = answer(&request, &reader);
                async move { Ok::<_, Infallible>(answer) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(PATIENCE)
                .serve_connection(TokioIo::new(stream), answer);
            // What goes wrong on a connection is the other end's to see.
            let _ = tokio::time::timeout(LIFE, connection).await;
            drop(place);
        });
    }
}

fn answer(request: &Request<Incoming>, reader: &Reader) -> Response<Full<Bytes>> {
    let said = |status: StatusCode, kind: &'static str, text: String| {
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = status;
        let kind = http::HeaderValue::from_static(kind);
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    };
    const TEXT: &str = "text/plain; charset=utf-8";
    if request.uri().path() != "/metrics" {
        return said(StatusCode::NOT_FOUND, TEXT, "try /metrics\n".to_owned());
    }
    if request.method() != Method::GET {
        return said(StatusCode::METHOD_NOT_ALLOWED, TEXT, "try GET\n".to_owned());
    }
    let mut metrics = ResourceMetrics::default();
    match reader.collect(&mut metrics) {
        Ok(()) => said(
            StatusCode::OK,
            "text/plain; version=0.0.4; charset=utf-8",
            prometheus::page(&metrics),
        ),
        Err(_) => said(
            StatusCode::SERVICE_UNAVAILABLE,
            TEXT,
            "this process is ending\n".to_owned(),
        ),
    }
}
