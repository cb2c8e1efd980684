//! Structured logs: one JSON object a line for machines, plain lines for people, each with the trace that it belongs to.
//! Personal data never get here: what is logged are ids, reasons and counts.

use opentelemetry::{Context, trace::TraceContextExt as _};
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    EnvFilter,
    fmt::{
        self, FmtContext, FormatEvent, FormatFields, Layer, MakeWriter,
        format::{DefaultFields, Format, Json, JsonFields, Writer},
    },
    layer::SubscriberExt as _,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use crate::settings::{Log, LogFormat};

/// Starts logging to standard error. A second call does nothing.
pub fn start(log: &Log) {
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter);
    let lines = fmt::layer().with_writer(std::io::stderr);
    let _ = match log.format {
        LogFormat::Json => registry.with(in_json(lines)).try_init(),
        LogFormat::Text => registry.with(in_text(lines)).try_init(),
    };
}

fn in_json<S, W>(lines: Layer<S, DefaultFields, Format, W>) -> Layer<S, JsonFields, InJson, W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    let format = Format::default().json().flatten_event(true);
    lines
        .event_format(InJson(format))
        .fmt_fields(JsonFields::new())
}

fn in_text<S, W>(lines: Layer<S, DefaultFields, Format, W>) -> Layer<S, DefaultFields, InText, W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    let format = Format::default().with_target(false).with_ansi(false);
    lines.event_format(InText(format))
}

/// Trace and span that are current, if any.
fn current() -> Option<(String, String)> {
    Context::map_current(|cx| {
        let span = cx.span();
        let span = span.span_context();
        let ids = || (span.trace_id().to_string(), span.span_id().to_string());
        span.is_valid().then(ids)
    })
}

struct InJson(Format<Json>);

impl<S, N> FormatEvent<S, N> for InJson
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let Some((trace_id, span_id)) = current() else {
            return self.0.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.0
            .format_event(context, Writer::new(&mut line), event)?;
        let object = line.trim_end().strip_suffix('}').ok_or(std::fmt::Error)?;
        writeln!(
            writer,
            r#"{object},"trace_id":"{trace_id}","span_id":"{span_id}"}}"#
        )
    }
}

struct InText(Format);

impl<S, N> FormatEvent<S, N> for InText
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let Some((trace_id, span_id)) = current() else {
            return self.0.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.0
            .format_event(context, Writer::new(&mut line), event)?;
        writeln!(
            writer,
            "{} trace_id={trace_id} span_id={span_id}",
            line.trim_end()
        )
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use super::*;
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("a log").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Written {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    /// Two lines: one outside of a trace, one within.
    fn lines(format: LogFormat) -> Vec<String> {
        let written = Written::default();
        let layer = tracing_subscriber::fmt::layer().with_writer(written.clone());
        let log = || tracing::info!(case = "c-1", "it \"happened\"");
        let both = || {
            log();
            let span = SpanContext::new(
                TraceId::from(10),
                SpanId::from(11),
                TraceFlags::SAMPLED,
                true,
                TraceState::NONE,
            );
            let _within = Context::new().with_remote_span_context(span).attach();
            log();
        };
        let registry = tracing_subscriber::registry();
        match format {
            LogFormat::Json => {
                tracing::subscriber::with_default(registry.with(in_json(layer)), both);
            }
            LogFormat::Text => {
                tracing::subscriber::with_default(registry.with(in_text(layer)), both);
            }
        }
        let bytes = written.0.lock().expect("a log").clone();
        let text = String::from_utf8(bytes).expect("text");
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_line_within_a_trace_names_it_and_stays_one_object() {
        let lines = lines(LogFormat::Json);
        let [outside, within] = lines.as_slice() else {
            panic!("{lines:?}")
        };
        let parsed = |line| serde_json::from_str::<serde_json::Value>(line).expect("JSON");
        let (outside, within) = (parsed(outside), parsed(within));
        assert_eq!(outside.get("trace_id"), None);
        assert_eq!(within["trace_id"], "0000000000000000000000000000000a");
        assert_eq!(within["span_id"], "000000000000000b");
        for line in [outside, within] {
            assert_eq!(line["message"], "it \"happened\"");
            assert_eq!(line["case"], "c-1");
        }
    }

    #[test]
    fn a_line_for_people_names_its_trace_at_the_end() {
        let lines = lines(LogFormat::Text);
        let [outside, within] = lines.as_slice() else {
            panic!("{lines:?}")
        };
        assert!(!outside.contains("trace_id"), "{outside}");
        let end = " trace_id=0000000000000000000000000000000a span_id=000000000000000b";
        assert!(within.ends_with(end), "{within}");
    }
}
