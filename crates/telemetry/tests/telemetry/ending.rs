//! The end of telling is bounded, whatever the collector does.

use std::time::{Duration, Instant};

use bangban_telemetry::END;

use crate::{
    receiver::Receiver,
    served::{alone, feed, tail, telling},
};

/// What a busy machine may add.
const MARGIN: Duration = Duration::from_secs(2);

/// How long the end takes with a collector.
fn end_of(endpoint: &str) -> Duration {
    let mut took = Duration::MAX;
    alone(|| async {
        let telemetry = telling(endpoint);
        let (_, done) = tail(&mut feed().await, "ends").await;
        done.expect("calls do not wait for collectors");
        let began = Instant::now();
        telemetry.end().await;
        took = began.elapsed();
    });
    took
}

#[test]
fn a_collector_that_never_answers_holds_the_end_up_no_longer_than_its_bound() {
    // Connections are accepted by the kernel; nobody reads them.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = format!("http://{}", silent.local_addr().expect("an address"));
    let nobody = "http://127.0.0.1:1".to_owned();
    for endpoint in [silent, nobody] {
        // A machine may stand still for as long as this takes, but not each time.
        let is_bounded = (0..3).any(|_| end_of(&endpoint) < END + MARGIN);
        assert!(is_bounded, "{endpoint}");
    }
}

#[test]
fn what_was_not_sent_yet_is_sent_at_the_end() {
    alone(|| async {
        let (receiver, endpoint) = Receiver::start().await;
        let telemetry = telling(&endpoint);
        let (_, done) = tail(&mut feed().await, "ends").await;
        done.expect("it ends well");
        telemetry.end().await;
        assert_eq!(receiver.spans().len(), 3);
        let metrics = receiver.metrics();
        for name in ["rpc.server.call.duration", "rpc.client.call.duration"] {
            let is_it = |(_, metric): &&(_, opentelemetry_proto::tonic::metrics::v1::Metric)| {
                metric.name == name
            };
            let (service, metric) = metrics.iter().find(is_it).expect(name);
            assert_eq!(
                (service.as_str(), metric.unit.as_str()),
                ("bangban-tested", "s")
            );
        }
    });
}
