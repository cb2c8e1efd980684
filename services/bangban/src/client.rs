//! A caller: a channel to an instance, and the token it calls with.

use std::{net::IpAddr, time::Duration};

use bangban_kit::config::Config;
use tonic::{
    Request, Response, Status,
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};

use crate::failure::Failure;

/// How long a call may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// The caller. Clones share the connection.
#[derive(Clone)]
pub struct Client {
    channel: Channel,
    bearer: Option<MetadataValue<Ascii>>,
}

impl Client {
    /// Calls as the public, at `address` or where the configuration listens.
    pub fn connect(config: &Config, address: Option<&str>) -> Result<Self, Failure> {
        let address = match address {
            Some(address) if address.contains("://") => address.to_owned(),
            Some(address) => format!("http://{address}"),
            None => own_address(config),
        };
        let channel = bangban_kit::peers::remote(&address).map_err(|e| {
            Failure::of(
                &format!(
                    "{address} is no address; write for example --address http://127.0.0.1:7400"
                ),
                &e,
            )
        })?;
        Ok(Self {
            channel,
            bearer: None,
        })
    }

    /// The same connection, calling with this token.
    pub fn with(&self, token: &str) -> Result<Self, Failure> {
        let bearer = format!("Bearer {token}").parse().map_err(|e| {
            Failure::of(
                "the token cannot be sent; make another with `bangban token`",
                &e,
            )
        })?;
        Ok(Self {
            channel: self.channel.clone(),
            bearer: Some(bearer),
        })
    }

    /// The connection.
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// A request with a deadline.
    pub fn request<T>(&self, body: T) -> Request<T> {
        let mut request = self.stream_request(body);
        request.set_timeout(DEADLINE);
        request
    }

    /// A request without a deadline, for streams.
    pub fn stream_request<T>(&self, body: T) -> Request<T> {
        let mut request = Request::new(body);
        if let Some(bearer) = &self.bearer {
            request
                .metadata_mut()
                .insert("authorization", bearer.clone());
        }
        request
    }
}

fn own_address(config: &Config) -> String {
    let mut address = config.server.listen;
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
            IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}")
}

/// The answer, or a failure that names what was tried.
pub fn answered<T>(what: &str, answer: Result<Response<T>, Status>) -> Result<T, Failure> {
    answer
        .map(Response::into_inner)
        .map_err(|status| Failure::refused(what, &status))
}
