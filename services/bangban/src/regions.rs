//! Whether a region exists, where the directory is another process.

use std::{collections::HashSet, pin::Pin, time::Duration};

use bangban_kit::{
    access::{Deadline, Regions, too_late},
    refusal::{Kind, Refusal},
};
use bangban_net::client::Channel;
use bangban_proto::bangban::directory::v1::{
    GetRegionRequest, region_service_client::RegionServiceClient,
};
use tokio::sync::Mutex;
use tonic::{Code, Request};

/// How long asking may take, where the caller has more.
const LONGEST: Duration = Duration::from_secs(5);

/// Regions of a directory in another process. What exists is remembered; regions do not vanish within a data set.
pub struct RemoteRegions {
    channel: Channel,
    known: Mutex<HashSet<String>>,
}

impl RemoteRegions {
    /// Those of the directory that this leads to.
    pub fn of(channel: Channel) -> Self {
        Self {
            channel,
            known: Mutex::default(),
        }
    }

    async fn ask(&self, code: String, deadline: Option<Deadline>) -> Result<bool, Refusal> {
        if self.known.lock().await.contains(&code) {
            return Ok(true);
        }
        let mut request = Request::new(GetRegionRequest { code: code.clone() });
        let left = deadline.map_or(LONGEST, |deadline| deadline.left().min(LONGEST));
        request.set_timeout(left.max(Duration::from_millis(1)));
        let mut client = RegionServiceClient::new(self.channel.clone());
        match client.get_region(request).await {
            Ok(_) => {
                self.known.lock().await.insert(code);
                Ok(true)
            }
            Err(status) if status.code() == Code::NotFound => Ok(false),
            Err(_) if deadline.is_some_and(|deadline| deadline.left().is_zero()) => Err(too_late()),
            Err(status) => {
                tracing::warn!(code = ?status.code(), "the directory cannot be asked for a region");
                Err(Refusal::new(
                    Kind::Unavailable,
                    "DIRECTORY_UNAVAILABLE",
                    "",
                    "目录服务暂时不可用，请稍后重试",
                    "the directory cannot be reached at the moment: try again",
                )
                .retry_after(Duration::from_secs(1)))
            }
        }
    }
}

impl Regions for RemoteRegions {
    fn exists(
        &self,
        code: String,
        deadline: Option<Deadline>,
    ) -> Pin<Box<dyn Future<Output = Result<bool, Refusal>> + Send + '_>> {
        Box::pin(self.ask(code, deadline))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::{Arc, Mutex},
        time::Instant,
    };

    use bangban_kit::{
        access::{AccessLayer, DeadlineLayer},
        identity::{ContextKey, Issuer, Person, Verifier},
    };
    use bangban_net::client::{Endpoints, Settings, Tcp};
    use bangban_proto::bangban::directory::v1::{
        ListRegionsRequest, ListRegionsResponse, Region,
        region_service_server::{RegionService, RegionServiceServer},
    };
    use http::Response as Answer;
    use tonic::{
        Response, Status,
        body::Body,
        transport::{Server, server::TcpIncoming},
    };
    use tower::{Layer as _, ServiceExt as _};

    use super::*;

    /// A directory with one region, which is silent about others. It notes the time that it is given.
    #[derive(Clone, Default)]
    struct Directory(Arc<Mutex<Vec<Duration>>>);

    #[tonic::async_trait]
    impl RegionService for Directory {
        async fn get_region(
            &self,
            request: Request<GetRegionRequest>,
        ) -> Result<Response<Region>, Status> {
            let given = request.metadata().get("grpc-timeout");
            let given = given.and_then(|given| given.to_str().ok()?.strip_suffix('u'));
            let given = given.expect("microseconds").parse().expect("a number");
            let given = Duration::from_micros(given);
            self.0.lock().expect("not poisoned").push(given);
            if request.get_ref().code != "330326" {
                std::future::pending::<()>().await;
            }
            Ok(Response::new(Region::default()))
        }

        async fn list_regions(
            &self,
            _: Request<ListRegionsRequest>,
        ) -> Result<Response<ListRegionsResponse>, Status> {
            Err(Status::unimplemented("nobody asks for it"))
        }
    }

    /// What somebody of this region is told who gives so much time to what stands before every handler.
    async fn called(directory: &Directory, region: &str, given: Option<&'static str>) -> Code {
        let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).expect("a port");
        let address = incoming.local_addr().expect("an address");
        let server = Server::builder().add_service(RegionServiceServer::new(directory.clone()));
        tokio::spawn(server.serve_with_incoming(incoming));
        let endpoints = Endpoints::parse(&format!("http://{address}"), false).expect("an address");
        let channel = Channel::balanced(endpoints, Tcp, Settings::of("directory"));

        let folder = tempfile::tempdir().expect("a folder");
        let file = |name| folder.path().join(name);
        let jwks = file("jwks.json");
        let issuer = Issuer::open_or_create(&file("issuer.key"), &jwks, "https://i", "bangban");
        let person = Person {
            subject: "li-na".to_owned(),
            roles: vec!["agent".to_owned()],
            region: region.to_owned(),
            site: "station".to_owned(),
            ..Person::default()
        };
        let life = Duration::from_secs(60);
        let token = issuer.expect("an issuer").token(&jwks, &person, life);
        let context = ContextKey::open_or_create(&file("context.key")).expect("a key");
        let verifier = Verifier::new(&jwks, "https://i", "bangban", context).expect("a verifier");

        let mut request = http::Request::builder()
            .uri("/bangban.casework.v1.CaseService/GetCase")
            .header("authorization", format!("Bearer {}", token.expect("one")));
        if let Some(given) = given {
            request = request.header("grpc-timeout", given);
        }
        let handler = tower::service_fn(async |_| Ok::<_, Infallible>(Answer::new(Body::empty())));
        let regions = Arc::new(RemoteRegions::of(channel));
        let access = AccessLayer::new(Arc::new(verifier), regions).layer(handler);
        let request = request.body(Body::empty()).expect("a request");
        let Ok(answer) = DeadlineLayer.layer(access).oneshot(request).await;
        let status = Status::from_header_map(answer.headers());
        status.map_or(Code::Ok, |status| status.code())
    }

    #[tokio::test]
    async fn the_directory_has_less_time_than_the_caller_gave() {
        let directory = Directory::default();
        assert_eq!(called(&directory, "330326", Some("20S")).await, Code::Ok);
        assert_eq!(called(&directory, "330326", None).await, Code::Ok);
        let began = Instant::now();
        let silent = called(&directory, "330327", Some("400m")).await;
        assert_eq!(silent, Code::DeadlineExceeded);
        assert!(began.elapsed() < Duration::from_secs(20));
        let seen = directory.0.lock().expect("not poisoned");
        let most = [20_000, 5_000, 400].map(Duration::from_millis);
        assert_eq!(seen.len(), most.len(), "{seen:?}");
        for (seen, most) in seen.iter().zip(most) {
            assert!(*seen < most, "{seen:?} of {most:?}");
        }
    }
}
