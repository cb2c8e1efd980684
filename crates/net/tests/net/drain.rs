//! How serving ends, step by step: told, closed, waited for, cut off.

use std::{
    error::Error,
    io,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use bangban_kit::config;
use bangban_net::client::Settings;
use bangban_proto::bangban::directory::v1::{
    GetRegionRequest, region_service_client::RegionServiceClient,
};
use tokio::{net::TcpStream, time::timeout};
use tonic::{
    Code, Status, Streaming,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
    health_client::HealthClient,
};

use crate::{
    served::{SERVICE, Served, serve},
    server::{PATIENCE, channel, region, settings},
};

const NOTICE: Duration = Duration::from_secs(1);
const DRAIN: Duration = Duration::from_secs(2);

/// How much later than it should something may happen on a machine that may stand still for seconds.
const LATE: Duration = Duration::from_secs(20);

async fn served(notice: Duration, drain: Duration) -> Served {
    let server = config::Server {
        drain_notice_seconds: notice.as_secs(),
        drain_seconds: drain.as_secs(),
        ..config::Server::default()
    };
    serve(&config::Tls::default(), server).await
}

async fn get(channel: Channel) -> Result<(), Status> {
    let request = GetRegionRequest { code: "42".into() };
    let mut client = RegionServiceClient::new(channel);
    client.get_region(request).await.map(|_| ())
}

/// What is told next; nothing when that was all.
async fn next(told: &mut Streaming<HealthCheckResponse>) -> Option<ServingStatus> {
    let next = timeout(PATIENCE, told.message()).await;
    let next = next.expect("nothing is told").unwrap();
    next.map(|told| told.status())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_is_told_first_then_nothing_new_is_taken_and_what_was_begun_is_finished() {
    // On a machine that stands still meanwhile not all of it is seen: once more, with twice the time.
    let mut missed = Vec::new();
    for times in [1, 2, 4, 8] {
        match ends(NOTICE * times, DRAIN * times).await {
            Ok(()) => return,
            Err(what) => missed.push(what),
        }
    }
    panic!("{missed:?}");
}

/// Sees how serving ends, or says what was not seen in time.
async fn ends(notice: Duration, drain: Duration) -> Result<(), Box<dyn Error>> {
    let served = served(notice, drain).await;
    let endpoint = Endpoint::from_shared(format!("http://{}", served.address)).unwrap();
    let early = endpoint.connect().await.unwrap();
    let mut health = HealthClient::new(early.clone());
    let mut watched = Vec::new();
    for service in ["", SERVICE] {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        let mut told = health.watch(request).await.unwrap().into_inner();
        assert_eq!(next(&mut told).await, Some(ServingStatus::Serving));
        watched.push(told);
    }

    let began = Instant::now();
    served.stop.cancel();
    let within_the_notice = timeout(notice, async {
        for told in &mut watched {
            let status = next(told).await;
            if status != Some(ServingStatus::NotServing) {
                return Err(format!("told {status:?}").into());
            }
        }
        // Who has not heard of it yet is answered, over a new connection as well.
        get(endpoint.connect().await?).await?;
        get(early.clone()).await?;
        let takes = (notice + notice / 2).as_millis() as u64;
        served.handler.delay_ms.store(takes, Ordering::Relaxed);
        let slow = tokio::spawn(get(early));
        served.handler.until_in_work(1).await;
        Ok::<_, Box<dyn Error>>(slow)
    });
    let slow = within_the_notice.await??;

    // Nobody who watches holds it.
    for told in &mut watched {
        assert_eq!(next(told).await, None);
    }
    assert!(began.elapsed() >= notice, "{:?}", began.elapsed());
    let refused = timeout(LATE, async {
        loop {
            match TcpStream::connect(served.address).await {
                Ok(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(error) => return error.kind(),
            }
        }
    });
    let refused = refused.await.expect("it still accepts connections");
    assert_eq!(refused, io::ErrorKind::ConnectionRefused);
    let is_over = slow.is_finished();
    slow.await??;
    if is_over {
        return Err("new connections are refused only when what was begun is over".into());
    }
    served.ended.await.unwrap().unwrap();
    let took = began.elapsed();
    if took >= notice + drain {
        return Err(format!("it waited for nothing: {took:?}").into());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_hangs_is_cut_off_when_the_drain_is_over() {
    let served = served(NOTICE, DRAIN).await;
    let impatient = Settings {
        wait_for_endpoint: Duration::from_millis(100),
        ..settings()
    };
    let channel = channel(&[served.address], impatient).await;
    served.handler.delay_ms.store(60_000, Ordering::Relaxed);
    let hanging = tokio::spawn(async move { region(&channel).await });
    served.handler.until_in_work(1).await;

    let began = Instant::now();
    served.stop.cancel();
    served.ended.await.unwrap().unwrap();
    let took = began.elapsed();
    assert!(took >= NOTICE + DRAIN, "it was not waited for: {took:?}");
    assert!(took < NOTICE + DRAIN + LATE, "{took:?}");
    let told = timeout(LATE, hanging).await.expect("nobody is told");
    assert_eq!(told.unwrap().unwrap_err().code(), Code::Unavailable);
    // Nor does anything go on for nobody.
    served.handler.until_in_work(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_ended_keeps_none_of_its_services_though_they_keep_the_way_to_it() {
    let served = served(NOTICE, DRAIN).await;
    let inside = served.inside.clone();
    let others = served.handler.others.set(inside.clone());
    others.expect("nobody has set it");
    region(&inside).await.unwrap();
    let service = Arc::downgrade(&served.handler);

    served.stop.cancel();
    served.ended.await.unwrap().unwrap();
    let refused = timeout(LATE, region(&inside)).await.expect("it waits");
    assert_eq!(refused.unwrap_err().code(), Code::Unavailable);
    drop(served.handler);
    let gone = timeout(LATE, async {
        while service.strong_count() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    gone.await.expect("the service is still there");
}
