//! What the channel adds to an empty call, beside tonic's own channel, in processor time, which other work on the machine
//! does not change. A figure, no proof: run it with `--ignored`.

use bangban_proto::bangban::directory::v1::{
    GetRegionRequest, region_service_client::RegionServiceClient,
};
use tonic::{body::Body, client::GrpcService};

use crate::server::{Server, channel, settings};

/// Processor time of this process in microseconds (`proc(5)`, fields 14 and 15, hundredths of a second).
fn processor_micros() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = text
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) * 1e4
}

/// Microseconds for a call, the server's included.
async fn cost<C>(client: RegionServiceClient<C>) -> f64
where
    C: GrpcService<Body> + Clone + Send + 'static,
    C::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    C::Future: Send,
    C::ResponseBody: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    <C::ResponseBody as http_body::Body>::Error:
        Into<Box<dyn std::error::Error + Send + Sync>> + Send,
{
    const CALLERS: u32 = 16;
    const CALLS: u32 = 2000;
    let from = processor_micros();
    let callers = (0..CALLERS).map(|_| {
        let mut client = client.clone();
        tokio::spawn(async move {
            for _ in 0..CALLS {
                let request = GetRegionRequest { code: "42".into() };
                client.get_region(request).await.unwrap();
            }
        })
    });
    for caller in futures::future::join_all(callers).await {
        caller.unwrap();
    }
    (processor_micros() - from) / f64::from(CALLERS * CALLS)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a figure, no proof"]
async fn a_call_beside_tonics_channel() {
    let server = Server::start("a");
    let ours = channel(&[server.address], settings()).await;
    let tonics = tonic::transport::Endpoint::from_shared(format!("http://{}", server.address))
        .unwrap()
        .connect()
        .await
        .unwrap();
    for _ in 0..5 {
        let theirs = cost(RegionServiceClient::new(tonics.clone())).await;
        let ours = cost(RegionServiceClient::new(ours.clone())).await;
        println!("tonic {theirs:.1} us, bangban-net {ours:.1} us");
    }
}
