//! Where a service is: a list of addresses, a name in DNS, or whatever announces sets of addresses (an EndpointSlice
//! watcher becomes a stream of them).

use std::{collections::BTreeSet, fmt, net::IpAddr, pin::Pin, sync::Arc, time::Duration};

use futures::{Stream, StreamExt as _, stream};
use http::Uri;
use tokio::sync::Notify;

use super::backoff;

/// Longest that a name may take to resolve.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(3);

/// Shortest time between two questions to DNS, however many endpoints fail.
const RESOLVE_PAUSE: Duration = Duration::from_millis(250);

/// One endpoint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Name or IP address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// `https`: whoever dials without TLS has to refuse.
    pub is_secure: bool,
}

impl Address {
    /// `http` or `https`.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        if self.is_secure { "https" } else { "http" }
    }
}

/// The authority: `127.0.0.1:7401`, `[::1]:7401`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A set of addresses, as announced.
pub type Addresses = BTreeSet<Address>;

/// Text that names no endpoints.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0} names no endpoints: write http:// or https:// URLs with a port, separated by commas, or one dns://NAME:PORT"
)]
pub struct NoEndpoints(String);

/// Where a service is.
pub enum Endpoints {
    /// At these addresses, always.
    List(Addresses),
    /// At all addresses of a name, asked for again every few seconds and when an endpoint fails.
    Dns {
        /// The name.
        name: String,
        /// TCP port at each address.
        port: u16,
        /// Whether the addresses are dialled over TLS.
        is_secure: bool,
    },
    /// Where a stream says; each set replaces the one before. When the stream ends the last set stays.
    Announced(Pin<Box<dyn Stream<Item = Addresses> + Send>>),
}

impl Endpoints {
    /// Reads `https://10.0.0.1:7401,https://10.0.0.2:7401` or `dns://casework.bangban.svc:7401`, whose addresses are
    /// dialled over TLS when `has_tls`.
    ///
    /// # Errors
    /// Text that is neither.
    pub fn parse(text: &str, has_tls: bool) -> Result<Self, NoEndpoints> {
        let wrong = || NoEndpoints(text.to_owned());
        let mut list = Addresses::new();
        for part in text.split(',').map(str::trim) {
            let uri: Uri = part.parse().map_err(|_| wrong())?;
            let (Some(scheme), Some(host), Some(port)) =
                (uri.scheme_str(), uri.host(), uri.port_u16())
            else {
                return Err(wrong());
            };
            let host = host.trim_matches(['[', ']']).to_owned();
            match scheme {
                "http" | "https" => list.insert(Address {
                    host,
                    port,
                    is_secure: scheme == "https",
                }),
                "dns" if part.len() == text.trim().len() => {
                    return Ok(Self::Dns {
                        name: host,
                        port,
                        is_secure: has_tls,
                    });
                }
                _ => return Err(wrong()),
            };
        }
        Ok(Self::List(list))
    }

    /// The sets of addresses, the present one first. `failed` says that an endpoint does not answer.
    pub(super) fn watch(
        self,
        every: Duration,
        failed: Arc<Notify>,
    ) -> Pin<Box<dyn Stream<Item = Addresses> + Send>> {
        match self {
            Self::List(list) => stream::once(async { list }).boxed(),
            Self::Announced(stream) => stream,
            Self::Dns {
                name,
                port,
                is_secure,
            } => stream::unfold(true, move |is_first| {
                let (name, failed) = (name.clone(), failed.clone());
                async move {
                    if !is_first {
                        tokio::time::sleep(RESOLVE_PAUSE.min(every)).await;
                        let left = backoff::about(every.saturating_sub(RESOLVE_PAUSE));
                        // Either way it is asked again.
                        let _ = tokio::time::timeout(left, failed.notified()).await;
                    }
                    Some((resolve(&name, port, is_secure).await, false))
                }
            })
            // A name that does not resolve for a moment is no reason to leave endpoints that work.
            .filter_map(|resolved| async { resolved })
            .boxed(),
        }
    }
}

impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(list) => f.debug_tuple("List").field(list).finish(),
            Self::Dns { name, port, .. } => write!(f, "Dns({name}:{port})"),
            Self::Announced(_) => f.write_str("Announced"),
        }
    }
}

/// All A and AAAA records.
async fn resolve(name: &str, port: u16, is_secure: bool) -> Option<Addresses> {
    let asked = tokio::net::lookup_host((name, port));
    let addresses: Addresses = match tokio::time::timeout(RESOLVE_TIMEOUT, asked).await {
        Ok(Ok(found)) => found
            .map(|socket| Address {
                host: IpAddr::to_string(&socket.ip()),
                port,
                is_secure,
            })
            .collect(),
        Ok(Err(error)) => {
            tracing::warn!(name, %error, "the name does not resolve; the last addresses stay in use");
            return None;
        }
        Err(_) => {
            tracing::warn!(
                name,
                "the name server does not answer; the last addresses stay in use"
            );
            return None;
        }
    };
    (!addresses.is_empty()).then_some(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_names_are_read() {
        let Endpoints::List(list) =
            Endpoints::parse("https://127.0.0.1:7401, https://[::1]:7411", false).unwrap()
        else {
            panic!("no list");
        };
        let texts: Vec<_> = list.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["127.0.0.1:7401", "[::1]:7411"]);
        assert!(list.iter().all(|a| a.is_secure));
        let Endpoints::Dns {
            name,
            port,
            is_secure,
        } = Endpoints::parse("dns://casework:7400", true).unwrap()
        else {
            panic!("no name");
        };
        assert_eq!((name.as_str(), port, is_secure), ("casework", 7400, true));
    }

    #[test]
    fn what_names_no_endpoint_is_refused() {
        for text in [
            "",
            "http://a",
            "ftp://a:1",
            "a:1",
            "dns://a:1,dns://b:1",
            "http://a:1,",
        ] {
            assert!(Endpoints::parse(text, true).is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn a_name_gives_all_its_addresses_again_and_again() {
        let sets = Endpoints::parse("dns://localhost:7400", false)
            .unwrap()
            .watch(Duration::from_millis(10), Arc::default());
        let sets: Vec<_> = sets.take(2).collect().await;
        assert_eq!(sets[0], sets[1]);
        assert!(sets[0].iter().all(|a| a.port == 7400));
        assert!(!sets[0].is_empty());
    }
}
