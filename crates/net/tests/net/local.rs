//! Calls within the process.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bangban_net::client::{Channel, Filled, Local};
use bangban_proto::bangban::directory::v1::{
    GetRegionRequest, region_service_client::RegionServiceClient,
    region_service_server::RegionServiceServer,
};
use tonic::{Code, Request, service::Routes};

use crate::server::{Handler, Plan, region};

fn filled(plan: &Arc<Plan>, local: &Local) -> Filled {
    let routes = Routes::new(RegionServiceServer::new(Handler(plan.clone())));
    local.fill(tower::util::BoxCloneSyncService::new(routes.prepare()))
}

#[tokio::test]
async fn a_call_before_the_server_waits_for_it() {
    let (local, plan) = (Local::default(), Arc::new(Plan::default()));
    let channel = Channel::local(local.clone());
    let mut early = std::pin::pin!(region(&channel));
    assert!(futures::poll!(&mut early).is_pending());
    let _filled = filled(&plan, &local);
    assert_eq!(early.await.unwrap().get_ref().code, "42");
    assert_eq!(plan.calls(), 1);
    assert_eq!(channel.counts().calls, 1);
}

#[tokio::test]
async fn the_deadline_holds_before_and_after_the_server_is_there() {
    let (local, plan) = (Local::default(), Arc::new(Plan::default()));
    let mut client = RegionServiceClient::new(Channel::local(local.clone()));
    let bounded = || {
        let mut request = Request::new(GetRegionRequest { code: "42".into() });
        request.set_timeout(Duration::from_millis(30));
        request
    };
    let status = client.get_region(bounded()).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    let _filled = filled(&plan, &local);
    plan.delay_ms.store(60_000, Ordering::Relaxed);
    let status = client.get_region(bounded()).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(plan.calls(), 1);
}
