//! A trace goes from the caller through the server to the statement, and holds nothing personal.

use bangban_proto::bangban::events::v1::{TailRequest, event_feed_client::EventFeedClient};
use bangban_telemetry::{Log, Settings, start};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};
use tonic::Request;

use crate::{
    receiver::{Receiver, text},
    served::{PERSONAL, alone, channel, feed, page, tail, tail_as, telling},
};

fn one(spans: &[(String, Span)], kind: SpanKind, name: &str) -> Span {
    let found: Vec<_> = spans
        .iter()
        .filter(|(_, span)| span.kind == kind as i32 && span.name == name)
        .collect();
    let [(service, span)] = found.as_slice() else {
        let all: Vec<_> = spans.iter().map(|(_, s)| (s.kind, &s.name)).collect();
        panic!("one {name} among {all:?}")
    };
    assert_eq!(service, "bangban-tested");
    span.clone()
}

#[test]
fn one_trace_goes_from_the_caller_through_the_server_to_the_statement() {
    alone(|| async {
        let (receiver, endpoint) = Receiver::start().await;
        let telemetry = telling(&endpoint);
        let (_, failed) = tail(&mut feed().await, "fails").await;
        failed.expect_err("it fails");
        let page = page(&telemetry).await;
        telemetry.end().await;
        let spans = receiver.spans();
        let method = "bangban.events.v1.EventFeed/Tail";
        let called = one(&spans, SpanKind::Client, method);
        let served = one(&spans, SpanKind::Server, method);
        let statement = one(&spans, SpanKind::Client, "SELECT cases");
        assert!(called.parent_span_id.is_empty());
        assert_eq!(served.parent_span_id, called.span_id);
        assert_eq!(statement.parent_span_id, served.span_id);
        for span in [&called, &served, &statement] {
            assert_eq!(span.trace_id, called.trace_id);
        }
        for span in [&called, &served] {
            let attribute = |key| text(&span.attributes, key);
            assert_eq!(attribute("rpc.system.name").as_deref(), Some("grpc"));
            assert_eq!(attribute("rpc.method").as_deref(), Some(method));
            assert_eq!(
                attribute("rpc.response.status_code").as_deref(),
                Some("DATA_LOSS")
            );
            assert_eq!(attribute("error.type").as_deref(), Some("DATA_LOSS"));
            let status = span.status.as_ref().expect("a status");
            assert_eq!(status.code(), StatusCode::Error);
        }
        let attribute = |key| text(&statement.attributes, key);
        assert_eq!(attribute("db.system.name").as_deref(), Some("postgresql"));
        assert_eq!(attribute("db.namespace").as_deref(), Some("tested"));
        assert_eq!(attribute("db.operation.name").as_deref(), Some("SELECT"));
        assert_eq!(attribute("db.collection.name").as_deref(), Some("cases"));
        let said = receiver.bytes();
        for part in [PERSONAL, "杨桂兰", "420527194403087747"] {
            assert!(!page.contains(part), "{page}");
            assert!(
                !said.windows(part.len()).any(|w| w == part.as_bytes()),
                "{part}"
            );
        }
    });
}

#[test]
fn who_calls_decides_that_a_trace_is_not_recorded_but_not_that_it_is() {
    alone(|| async {
        let id = "0af7651916cd43dd8448eb211c80319c";
        for (ratio, flag, is_told) in [(1.0, "01", true), (1.0, "00", false), (0.0, "01", false)] {
            let (receiver, endpoint) = Receiver::start().await;
            let settings = Settings {
                otlp_endpoint: endpoint,
                sample_ratio: ratio,
                ..Settings::default()
            };
            let telemetry = start(&settings, &Log::default(), "bangban-tested").expect("started");
            // No watched channel: a caller from elsewhere.
            let mut client = EventFeedClient::new(channel().await);
            let mut request = Request::new(TailRequest {
                log: "ends".to_owned(),
                ..TailRequest::default()
            });
            let parent = format!("00-{id}-b7ad6b7169203331-{flag}");
            let parent = parent.parse().expect("a header");
            request.metadata_mut().insert("traceparent", parent);
            let mut stream = client.tail(request).await.expect("a feed").into_inner();
            while stream.message().await.expect("a message").is_some() {}
            telemetry.end().await;
            let spans = receiver.spans();
            assert_eq!(spans.is_empty(), !is_told, "{ratio} {flag}");
            let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
            assert!(spans.iter().all(|(_, span)| hex(&span.trace_id) == id));
        }
    });
}

#[test]
fn without_a_configuration_nothing_is_told_and_who_called_is_passed_on() {
    alone(|| async {
        let telemetry = start(&Settings::default(), &Log::default(), "bangban-tested");
        let telemetry = telemetry.expect("started");
        assert_eq!(telemetry.prometheus, None);
        let mut client = feed().await;
        let (position, done) = tail(&mut client, "ends").await;
        done.expect("it ends well");
        assert_eq!(position, "", "who calls has no trace to tell");
        // A server that is called, and calls another.
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
        let (position, done) = tail_as(&mut client, "calls", trace).await;
        done.expect("it ends well");
        assert_eq!(position, trace, "as it came");
        let (position, done) = tail(&mut client, "calls").await;
        done.expect("it ends well");
        let made = position.split('-').collect::<Vec<_>>();
        assert!(
            made.len() == 4 && made[1].len() == 32 && made[1] != "0".repeat(32),
            "one is made up: {position}"
        );
        let (again, _) = tail(&mut client, "calls").await;
        assert_ne!(position, again);
        telemetry.end().await;
    });
}

#[test]
fn a_statement_for_several_belongs_to_one_of_them_and_is_linked_with_the_others() {
    alone(|| async {
        let (receiver, endpoint) = Receiver::start().await;
        let telemetry = telling(&endpoint);
        let (mut one_client, mut other) = (feed().await, feed().await);
        let both = tokio::join!(
            tail(&mut one_client, "together"),
            tail(&mut other, "together")
        );
        both.0.1.expect("it ends well");
        both.1.1.expect("it ends well");
        telemetry.end().await;
        let spans = receiver.spans();
        let statement = one(&spans, SpanKind::Client, "SELECT cases");
        let waits: Vec<&Span> = spans
            .iter()
            .map(|(_, span)| span)
            .filter(|span| span.name == "ask")
            .collect();
        let [first, second] = waits.as_slice() else {
            panic!("two wait: {waits:?}")
        };
        assert_ne!(first.trace_id, second.trace_id);
        let is_first = first.span_id == statement.parent_span_id;
        let (above, linked) = if is_first {
            (first, second)
        } else {
            (second, first)
        };
        assert_eq!(statement.parent_span_id, above.span_id);
        let to = |span: &Span| {
            let links = span.links.iter();
            links.map(|link| link.span_id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(to(&statement), std::slice::from_ref(&linked.span_id));
        assert_eq!(to(linked), std::slice::from_ref(&statement.span_id));
        let size = statement
            .attributes
            .iter()
            .any(|a| a.key == "db.operation.batch.size");
        assert!(size, "{statement:?}");
        let code = text(&statement.attributes, "db.response.status_code");
        assert_eq!(code.as_deref(), Some("23505"));
    });
}
