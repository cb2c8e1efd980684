//! Calls are counted with the status that they ended with, wherever it stands.

use std::time::Duration;

use bangban_proto::bangban::events::v1::TailRequest;
use tonic::{Code, codegen::http::uri::PathAndQuery};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{
    receiver::{Receiver, text},
    served::{PERSONAL, alone, channel, feed, tail, telling, until_page},
};

const METHOD: &str = "rpc_method=\"bangban.events.v1.EventFeed/Tail\"";

fn count(side: &str, error: Option<&str>, code: &str) -> String {
    let error = error.map_or_else(String::new, |error| format!("error_type=\"{error}\","));
    format!(
        "rpc_{side}_call_duration_seconds_count{{{error}{METHOD},rpc_response_status_code=\"{code}\",rpc_system_name=\"grpc\"}} 1"
    )
}

#[test]
fn a_call_counts_with_the_code_in_its_trailers_or_in_its_headers() {
    alone(|| async {
        let (_, endpoint) = Receiver::start().await;
        let telemetry = telling(&endpoint);
        let mut client = feed().await;
        let (position, done) = tail(&mut client, "ends").await;
        done.expect("it ends well");
        assert!(position.starts_with("00-"), "the server is told the trace");
        let (_, failed) = tail(&mut client, "fails").await;
        assert_eq!(failed.expect_err("it fails").code(), Code::DataLoss);
        let (_, refused) = tail(&mut client, "unknown").await;
        assert_eq!(refused.expect_err("refused").code(), Code::NotFound);
        for line in [
            count("server", None, "OK"),
            count("client", None, "OK"),
            count("server", Some("DATA_LOSS"), "DATA_LOSS"),
            count("client", Some("DATA_LOSS"), "DATA_LOSS"),
            // What a caller asks wrongly is no error of the server.
            count("server", None, "NOT_FOUND"),
            count("client", Some("NOT_FOUND"), "NOT_FOUND"),
        ] {
            until_page(&telemetry, &line).await;
        }
        telemetry.end().await;
    });
}

#[test]
fn a_call_that_its_caller_gives_up_counts_as_cancelled() {
    alone(|| async {
        let (_, endpoint) = Receiver::start().await;
        let telemetry = telling(&endpoint);
        let mut client = feed().await;
        for log in ["hangs", "never"] {
            let request = TailRequest {
                log: log.to_owned(),
                ..TailRequest::default()
            };
            // The first answers as soon as it can; the second reaches the server, and is given up.
            let patience = Duration::from_secs(if log == "hangs" { 20 } else { 1 });
            let answer = tokio::time::timeout(patience, client.tail(request)).await;
            assert_eq!(answer.is_ok(), log == "hangs");
        }
        let two = |side| count(side, Some("CANCELLED"), "CANCELLED").replace("} 1", "} 2");
        until_page(&telemetry, &two("client")).await;
        let server = count("server", None, "CANCELLED").replace("} 1", "} 2");
        until_page(&telemetry, &server).await;
        telemetry.end().await;
    });
}

#[test]
fn methods_of_no_contract_are_one_and_health_leaves_no_span() {
    alone(|| async {
        let (receiver, endpoint) = Receiver::start().await;
        let telemetry = telling(&endpoint);
        let channel = channel().await;
        HealthClient::new(channel.clone())
            .check(HealthCheckRequest::default())
            .await
            .expect("it serves");
        let mut grpc = tonic::client::Grpc::new(channel);
        for method in ["A", "B"] {
            grpc.ready().await.expect("ready");
            let path = format!("/nobody.Knows/{method}420527194403087747");
            let path = PathAndQuery::try_from(path).expect("a path");
            let codec =
                tonic_prost::ProstCodec::<HealthCheckRequest, HealthCheckRequest>::default();
            let request = tonic::Request::new(HealthCheckRequest::default());
            let answer = grpc.unary(request, path, codec).await;
            assert_eq!(answer.expect_err("unknown").code(), Code::Unimplemented);
        }
        let other = "rpc_server_call_duration_seconds_count{error_type=\"UNIMPLEMENTED\",rpc_method=\"_OTHER\",rpc_response_status_code=\"UNIMPLEMENTED\",rpc_system_name=\"grpc\"} 2";
        let page = until_page(&telemetry, other).await;
        assert!(
            page.contains("rpc_method=\"grpc.health.v1.Health/Check\""),
            "{page}"
        );
        assert!(!page.contains("4205271944"), "{page}");
        telemetry.end().await;
        let spans = receiver.spans();
        let names: Vec<&str> = spans.iter().map(|(_, s)| s.name.as_str()).collect();
        assert_eq!(names, ["grpc", "grpc"]);
        for (_, span) in &spans {
            let asked = text(&span.attributes, "rpc.method_original").expect("what was asked for");
            let asked = asked.replacen('B', "A", 1);
            assert_eq!(asked, format!("nobody.Knows/A{}", "?".repeat(18)));
        }
        let said = receiver.bytes();
        let planted = &PERSONAL.as_bytes()[PERSONAL.len() - 18..];
        assert!(!said.windows(18).any(|window| window == planted));
    });
}
