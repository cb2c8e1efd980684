//! Metrics in Prometheus's text format (version 0.0.4), named as OpenTelemetry's rules for Prometheus name them.

use std::fmt::Write as _;

use opentelemetry::KeyValue;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, Metric, MetricData, ResourceMetrics};

/// The page.
pub(crate) fn page(all: &ResourceMetrics) -> String {
    let mut page = String::new();
    let resource: Vec<KeyValue> = all
        .resource()
        .iter()
        .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
        .collect();
    head(&mut page, "target_info", "gauge", "What tells this");
    line(
        &mut page,
        "target_info",
        &labels(resource.iter(), None),
        1.0,
    );
    let mut metrics: Vec<&Metric> = all
        .scope_metrics()
        .flat_map(|scope| scope.metrics())
        .collect();
    metrics.sort_by_key(|metric| metric.name());
    for metric in metrics {
        match metric.data() {
            AggregatedMetrics::F64(data) => one(&mut page, metric, data, |value| value),
            AggregatedMetrics::U64(data) => one(&mut page, metric, data, |value| value as f64),
            AggregatedMetrics::I64(data) => one(&mut page, metric, data, |value| value as f64),
        }
    }
    page
}

fn one<T: Copy>(page: &mut String, metric: &Metric, data: &MetricData<T>, number: fn(T) -> f64) {
    let mut name = name(metric);
    match data {
        MetricData::Gauge(gauge) => {
            head(page, &name, "gauge", metric.description());
            for point in gauge.data_points() {
                line(
                    page,
                    &name,
                    &labels(point.attributes(), None),
                    number(point.value()),
                );
            }
        }
        MetricData::Sum(sum) => {
            let kind = if sum.is_monotonic() {
                name.push_str("_total");
                "counter"
            } else {
                "gauge"
            };
            head(page, &name, kind, metric.description());
            for point in sum.data_points() {
                line(
                    page,
                    &name,
                    &labels(point.attributes(), None),
                    number(point.value()),
                );
            }
        }
        MetricData::Histogram(histogram) => {
            head(page, &name, "histogram", metric.description());
            for point in histogram.data_points() {
                let mut up_to = 0;
                let bounds = point.bounds().chain([f64::INFINITY]);
                for (bound, count) in bounds.zip(point.bucket_counts()) {
                    up_to += count;
                    let labels = labels(point.attributes(), Some(bound));
                    line(page, &format!("{name}_bucket"), &labels, up_to as f64);
                }
                let labels = labels(point.attributes(), None);
                line(page, &format!("{name}_sum"), &labels, number(point.sum()));
                line(
                    page,
                    &format!("{name}_count"),
                    &labels,
                    point.count() as f64,
                );
            }
        }
        // None of ours is one, and the text format has none.
        MetricData::ExponentialHistogram(_) => {}
    }
}

fn head(page: &mut String, name: &str, kind: &str, help: &str) {
    let help = help.replace('\\', "\\\\").replace('\n', "\\n");
    let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(page: &mut String, name: &str, labels: &str, value: f64) {
    let _ = writeln!(page, "{name}{labels} {}", text(value));
}

fn text(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        value.to_string()
    }
}

fn labels<'a>(attributes: impl Iterator<Item = &'a KeyValue>, bound: Option<f64>) -> String {
    let mut pairs: Vec<String> = attributes
        .map(|pair| {
            let value = pair.value.as_str();
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            let value = value.replace('\n', "\\n");
            format!("{}=\"{value}\"", plain(pair.key.as_str()))
        })
        .collect();
    pairs.sort_unstable();
    pairs.extend(bound.map(|bound| format!("le=\"{}\"", text(bound))));
    if pairs.is_empty() {
        String::new()
    } else {
        format!("{{{}}}", pairs.join(","))
    }
}

fn name(metric: &Metric) -> String {
    let unit = match metric.unit() {
        "s" => "_seconds",
        "By" => "_bytes",
        // Annotations in braces are no units.
        _ => "",
    };
    format!("{}{unit}", plain(metric.name()))
}

fn plain(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect()
}
