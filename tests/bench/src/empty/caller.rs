//! Who calls the empty service, one call after the other.

use bangban::{
    client::{Client, answered},
    failure::Failure,
};
use bangban_proto::bangban::supervision::v1::{
    ListKeptCheckpointsRequest, checkpoint_service_client::CheckpointServiceClient,
};
use tonic::{body::Body, client::GrpcService};

use crate::turn::Work;

/// Why a channel fails.
type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Who calls, on a channel of any kind.
pub struct Caller<C> {
    client: Client,
    service: CheckpointServiceClient<C>,
}

impl<C> Caller<C>
where
    C: GrpcService<Body, ResponseBody = Body>,
    C::Error: Into<Failed>,
{
    /// Calls with the token of `client`.
    pub fn over(client: &Client, channel: C) -> Self {
        Self {
            client: client.clone(),
            service: CheckpointServiceClient::new(channel),
        }
    }
}

impl<C> Work for Caller<C>
where
    C: GrpcService<Body, ResponseBody = Body> + Send + 'static,
    C::Error: Into<Failed>,
    C::Future: Send,
{
    async fn once(&mut self) -> Result<(), Failure> {
        let request = ListKeptCheckpointsRequest {
            district: "bench-0".to_owned(),
            ..ListKeptCheckpointsRequest::default()
        };
        let request = self.client.request(request);
        let answer = self.service.list_kept_checkpoints(request).await;
        answered("an empty call", answer).map(|_| ())
    }
}
