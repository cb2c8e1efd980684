//! Where traces and metrics go: batches over OTLP, sent by threads of their own, so that nobody waits for a collector.

use std::time::Duration;

use opentelemetry_otlp::{ExporterBuildError, MetricExporter, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    metrics::{PeriodicReader, SdkMeterProvider},
    trace::{Sampler, SdkTracerProvider},
};

use crate::{page::Reader, settings::Settings};

/// How long sending a batch may take, all its attempts included.
const EXPORT: Duration = Duration::from_secs(5);

pub(crate) fn resource(service: &str) -> Resource {
    // With what OTEL_RESOURCE_ATTRIBUTES says, such as the pod.
    Resource::builder()
        .with_service_name(service.to_owned())
        .with_attribute(opentelemetry::KeyValue::new(
            "service.version",
            env!("CARGO_PKG_VERSION"),
        ))
        .build()
}

/// Records the part of all traces that is configured. Who calls may say that a trace is not recorded; that it is, only
/// for traces of that part: a caller must not decide how much is recorded.
pub(crate) fn tracers(
    settings: &Settings,
    resource: Resource,
) -> Result<SdkTracerProvider, ExporterBuildError> {
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(settings.otlp_endpoint.clone())
        .with_timeout(EXPORT)
        .build()?;
    let part = || Sampler::TraceIdRatioBased(settings.sample_ratio);
    let sampler = Sampler::parent_based(part()).with_remote_parent_sampled(part());
    Ok(SdkTracerProvider::builder()
        .with_sampler(sampler)
        .with_resource(resource)
        .with_batch_exporter(exporter)
        .build())
}

pub(crate) fn meters(
    settings: &Settings,
    resource: Resource,
    reader: Option<Reader>,
) -> Result<SdkMeterProvider, ExporterBuildError> {
    let mut provider = SdkMeterProvider::builder().with_resource(resource);
    if !settings.otlp_endpoint.is_empty() {
        let exporter = MetricExporter::builder()
            .with_tonic()
            .with_endpoint(settings.otlp_endpoint.clone())
            .with_timeout(EXPORT)
            .build()?;
        provider = provider.with_reader(
            PeriodicReader::builder(exporter)
                .with_interval(Duration::from_secs(settings.metrics_seconds))
                .build(),
        );
    }
    if let Some(reader) = reader {
        provider = provider.with_reader(reader);
    }
    Ok(provider.build())
}
