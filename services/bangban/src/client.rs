//! A caller: channels to an instance, or to every service of an installation, and the token it calls with.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bangban_kit::config::{self, Config};
use bangban_net::{
    client::{Channel as Connections, Endpoints, Settings},
    tls::{Secure, Tls},
};
use tonic::{
    Request, Response, Status,
    body::Body,
    metadata::{Ascii, MetadataValue},
};
use tower::Service;

use crate::{failure::Failure, serve};

/// How long a call may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// The caller. Clones share the connections.
#[derive(Clone)]
pub struct Client {
    channel: Channel,
    bearer: Option<MetadataValue<Ascii>>,
}

/// Brings each call to the service whose contract it is of: `bangban.casework.v1` to casework. Clones share the
/// connections.
#[derive(Clone)]
pub struct Channel {
    by_service: Arc<BTreeMap<String, Connections>>,
    /// Where everything else goes: all of it when one process serves everything.
    otherwise: Connections,
}

impl Client {
    /// Calls as the public, at `address`; without one, each service where the key `peers` names it, and the others
    /// where the configuration listens. Has to be called within a tokio runtime.
    ///
    /// # Errors
    /// An address that is no URL with a port; certificates that cannot be used.
    pub fn connect(config: &Config, address: Option<&str>) -> Result<Self, Failure> {
        let tls = tls(&config.tls)?;
        let mut by_service = BTreeMap::new();
        let otherwise = match address {
            Some(address) if address.contains("://") => to_address(address, tls)?,
            Some(address) => to_address(&format!("http://{address}"), tls)?,
            None => {
                for (service, addresses) in &config.peers {
                    let to = serve::channel(service, addresses, tls.clone())?;
                    by_service.insert(service.clone(), to);
                }
                to_address(&own_address(config), tls)?
            }
        };
        Ok(Self {
            channel: Channel {
                by_service: Arc::new(by_service),
                otherwise,
            },
            bearer: None,
        })
    }

    /// Calls one process of a service, as the public.
    ///
    /// # Errors
    /// An address that is no URL with a port; certificates that cannot be used.
    pub fn one(service: &str, address: &str, files: &config::Tls) -> Result<Self, Failure> {
        Ok(Self {
            channel: Channel {
                by_service: Arc::default(),
                otherwise: serve::channel(service, address, tls(files)?)?,
            },
            bearer: None,
        })
    }

    /// The same connections, calling with this token.
    ///
    /// # Errors
    /// A token that no header can hold.
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

    /// Everything to one service: for what every service answers, such as feeds and health.
    #[must_use]
    pub fn to(&self, service: &str) -> Self {
        Self {
            channel: Channel {
                otherwise: self.channel.of(service).clone(),
                by_service: Arc::default(),
            },
            bearer: self.bearer.clone(),
        }
    }

    /// The connections.
    #[must_use]
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

impl Channel {
    fn of(&self, service: &str) -> &Connections {
        self.by_service.get(service).unwrap_or(&self.otherwise)
    }
}

impl Service<http::Request<Body>> for Channel {
    type Response = http::Response<Body>;
    type Error = Status;
    type Future = <Connections as Service<http::Request<Body>>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        // Which connection has to be ready is known when the call is.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        self.of(service_of(request.uri().path()))
            .clone()
            .call(request)
    }
}

/// The service that serves a method: `/bangban.casework.v1.CaseService/GetCase` is casework's. Empty for methods that
/// several serve.
fn service_of(path: &str) -> &str {
    let package = path.strip_prefix("/bangban.").unwrap_or_default();
    match package.split('.').next().unwrap_or_default() {
        // Directory keeps the clock.
        "clock" => "directory",
        service => service,
    }
}

fn tls(files: &config::Tls) -> Result<Option<Tls>, Failure> {
    Tls::open(files).map_err(|e| Failure::of("certificates cannot be used; correct them", &e))
}

/// Whoever answers at an address.
fn to_address(address: &str, tls: Option<Tls>) -> Result<Connections, Failure> {
    let endpoints = Endpoints::parse(address, tls.is_some()).map_err(|e| {
        Failure::of(
            "nobody can be called; write for example --address http://127.0.0.1:7400",
            &e,
        )
    })?;
    let dial = Secure::to_address(tls);
    Ok(Connections::balanced(
        endpoints,
        dial,
        Settings::of("bangban"),
    ))
}

fn own_address(config: &Config) -> String {
    let mut address = config.server.listen;
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
            IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    let is_secure = !config.tls.certificate.as_os_str().is_empty();
    let scheme = if is_secure { "https" } else { "http" };
    format!("{scheme}://{address}")
}

/// The answer, or a failure that names what was tried.
///
/// # Errors
/// The refusal, as a sentence.
pub fn answered<T>(what: &str, answer: Result<Response<T>, Status>) -> Result<T, Failure> {
    answer
        .map(Response::into_inner)
        .map_err(|status| Failure::refused(what, &status))
}

#[cfg(test)]
mod tests {
    use bangban_proto::METHODS;

    use super::service_of;
    use crate::cli::Service;

    #[test]
    fn every_method_has_one_service_except_the_feeds_that_all_have() {
        for method in METHODS {
            let service = service_of(method.path);
            let is_known = Service::ALL.iter().any(|s| s.name() == service);
            assert!(is_known || service == "events", "{}", method.path);
        }
    }
}
