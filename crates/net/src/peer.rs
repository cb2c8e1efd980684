//! How a service calls another in somebody's name: the channel, and the signed context that goes with each call.

use std::{sync::Arc, time::Duration};

use bangban_kit::{
    access::Deadline,
    identity::{Caller, ContextKey},
    refusal::Refusal,
};
use tonic::{Request, metadata::MetadataValue};

use crate::client::Channel;

/// Deadline of a call that nobody set one for.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);

/// How a service calls others: its name, the secret for contexts, and the channel.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The channel.
    pub channel: Channel,
    service: &'static str,
    context: Arc<ContextKey>,
}

impl Peer {
    /// A peer that `service` calls.
    #[must_use]
    pub fn new(channel: Channel, service: &'static str, context: ContextKey) -> Self {
        Self {
            channel,
            service,
            context: Arc::new(context),
        }
    }

    /// A request in the name of `caller`, with the time that is left of the deadline.
    ///
    /// # Errors
    /// When the context cannot be signed.
    pub fn request<T>(
        &self,
        caller: &Caller,
        deadline: Option<Deadline>,
        body: T,
    ) -> Result<Request<T>, Refusal> {
        let mut request = self.stream_request(caller, body)?;
        let left = deadline.map_or(DEFAULT_DEADLINE, Deadline::left);
        request.set_timeout(left.max(Duration::from_millis(1)));
        Ok(request)
    }

    /// A request without a deadline, for streams.
    ///
    /// # Errors
    /// When the context cannot be signed.
    pub fn stream_request<T>(&self, caller: &Caller, body: T) -> Result<Request<T>, Refusal> {
        let context = self.context.context(self.service, caller)?;
        let mut request = Request::new(body);
        let bearer: MetadataValue<_> = format!("Bearer {context}")
            .parse()
            .map_err(Refusal::internal)?;
        request.metadata_mut().insert("authorization", bearer);
        Ok(request)
    }
}
