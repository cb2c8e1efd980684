//! The end of a process is bounded, whatever its collector does.

use std::{
    net::{SocketAddr, TcpListener},
    time::{Duration, Instant},
};

use bangban_proto::bangban::directory::v1::{
    GetRegionRequest, region_service_client::RegionServiceClient,
};
use bangban_telemetry::END;
use tonic::Code;

use crate::{bangban, running::Running};

/// What calls in flight get.
const DRAIN: Duration = Duration::from_secs(2);

/// What a busy machine may add.
const MARGIN: Duration = Duration::from_secs(3);

/// Asks for a region that there is not.
async fn asks(address: &str) {
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}"));
    let channel = endpoint.expect("a URL").connect().await.expect("it serves");
    let request = GetRegionRequest {
        code: "420527".to_owned(),
    };
    let answer = RegionServiceClient::new(channel).get_region(request).await;
    assert_eq!(
        answer.expect_err("nothing is loaded").code(),
        Code::NotFound
    );
}

/// Starts a process with a collector that never answers, ends it, and says how long that took and what it said.
fn end_of(silent: SocketAddr) -> (Duration, String) {
    let settings = [
        format!("telemetry.otlp_endpoint=http://{silent}"),
        "telemetry.sample_ratio=1.0".to_owned(),
        "telemetry.metrics_seconds=5".to_owned(),
        format!("server.drain_seconds={}", DRAIN.as_secs()),
        "log.format=text".to_owned(),
    ];
    let mut flags = vec!["serve", "directory", "--listen", "127.0.0.1:0"];
    flags.extend(settings.iter().flat_map(|s| ["--set", s]));
    let folder = tempfile::tempdir().expect("a folder");
    let mut running = Running::start(bangban(folder.path(), &flags));
    let line = running.complains("serving address=");
    let address = line.split("address=").nth(1).unwrap_or_default();
    let address = address.split(' ').next().unwrap_or_default();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(asks(address));
    let began = Instant::now();
    running.signal("TERM");
    let ended = running.ended();
    let took = began.elapsed();
    let complaints = running.complaints();
    assert!(
        ended.is_some_and(|e| e.success()),
        "{ended:?}\n{complaints}"
    );
    (took, complaints)
}

#[test]
fn a_process_ends_in_time_though_its_collector_accepts_and_never_answers() {
    // The system accepts; nobody reads.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = silent.local_addr().expect("an address");
    // A machine may stand still for seconds, but not each time.
    let mut took = Vec::new();
    while took.last().is_none_or(|took| *took >= DRAIN + END + MARGIN) {
        assert!(took.len() < 3, "{took:?}");
        let (took_now, complaints) = end_of(silent);
        // It has tried.
        assert!(complaints.contains("could not be sent"), "{complaints}");
        took.push(took_now);
    }
}
