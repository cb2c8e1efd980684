//! Every service as a process of its own: what a process leaves behind when it goes is there when it comes back.

use std::time::Duration;

use bangban::cli::Service;
use bangban_proto::bangban::casework::v1::{
    ListCasesRequest, case_service_client::CaseServiceClient,
};
use bangban_tests::{PATIENCE, block_on, cluster::Cluster};
use tokio::time::Instant;
use tonic::Status;

async fn list(cluster: &Cluster) -> Result<usize, Status> {
    let agent = cluster.agent();
    let mut request = agent.request(ListCasesRequest {
        district: cluster.sample.district.id.clone(),
        after: cluster.loaded.clone(),
        page_size: 10,
        ..ListCasesRequest::default()
    });
    request.set_timeout(Duration::from_secs(10));
    let answer = CaseServiceClient::new(agent.channel())
        .list_cases(request)
        .await?;
    Ok(answer.into_inner().cases.len())
}

/// The same, until the process that came back is known to be there.
async fn listed(cluster: &Cluster) -> usize {
    let until = Instant::now() + PATIENCE;
    loop {
        match list(cluster).await {
            Ok(count) => return count,
            Err(status) => assert!(Instant::now() < until, "{status:?}"),
        }
    }
}

#[test]
fn a_process_that_is_restarted_killed_or_stopped_comes_back() {
    block_on(async {
        let Some(mut cluster) =
            Cluster::start_with(1, |config| config.server.drain_seconds = 30).await
        else {
            return;
        };
        assert_eq!(listed(&cluster).await, 0);
        assert!(cluster.resident() > 1.0);
        let first = cluster.member(Service::Casework, 1).id();

        cluster.member(Service::Casework, 1).restart().await;
        let restarted = cluster.member(Service::Casework, 1);
        let second = restarted.id();
        let log = restarted.log();
        assert!(
            log.contains("draining") && !log.contains("still open"),
            "{log}"
        );
        assert_ne!(first, second);
        assert_eq!(listed(&cluster).await, 0);

        cluster.member(Service::Casework, 1).kill().await;
        list(&cluster).await.expect_err("nobody is there");
        cluster.member(Service::Casework, 1).start_again().await;
        assert_eq!(listed(&cluster).await, 0);

        cluster.member(Service::Casework, 1).stop();
        let patience = Duration::from_millis(500);
        let waits = tokio::time::timeout(patience, list(&cluster)).await;
        assert!(waits.is_err(), "who is stopped answers nothing");
        cluster.member(Service::Casework, 1).go_on();
        assert_eq!(listed(&cluster).await, 0);
        cluster.end().await;
    });
}
