//! Where Redis is, as one address says it.

use std::str::FromStr;

use crate::Error;

/// One server, a group watched by Sentinels, or a Cluster. Written as
///
/// * `redis://[USER:PASSWORD@]HOST:PORT[/DATABASE]`
/// * `redis-sentinel://[USER:PASSWORD@]HOST:PORT,…/MASTER`, with the Sentinels' hosts and the master's name
/// * `redis-cluster://[USER:PASSWORD@]HOST:PORT,…`, with some of its nodes
///
/// and with `rediss` in front for TLS (of the Sentinels too). User and password are the data servers'; the Sentinels
/// are asked with the same ones, unless they want none. The account needs the commands EVALSHA, SCRIPT, INFO, PING,
/// GET, GETRANGE, SET, SETRANGE, DEL, EXPIRE and in a Cluster CLUSTER and ASKING.
#[derive(Clone, PartialEq, Eq)]
pub struct Servers {
    pub(crate) kind: ServersKind,
    pub(crate) account: Account,
    pub(crate) is_tls: bool,
}

/// How to log in and what to choose.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) database: i64,
}

/// A host (a name, an IPv4 or a bare IPv6 address) and a port.
pub(crate) type Address = (String, u16);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ServersKind {
    Single(Address),
    Sentinel {
        sentinels: Vec<Address>,
        master: String,
    },
    Cluster(Vec<Address>),
}

impl std::fmt::Debug for Servers {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Servers")
            .field("kind", &self.kind)
            .field("is_tls", &self.is_tls)
            .finish_non_exhaustive()
    }
}

impl Default for Servers {
    fn default() -> Self {
        Self {
            kind: ServersKind::Single(("127.0.0.1".into(), 6379)),
            account: Account::default(),
            is_tls: false,
        }
    }
}

impl FromStr for Servers {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self, Error> {
        let wrong = |what: &str| Error::Url(what.to_owned());
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| wrong("it has no scheme"))?;
        let (is_tls, kind) = match scheme {
            "redis" | "redis-sentinel" | "redis-cluster" => (false, &scheme["redis".len()..]),
            "rediss" | "rediss-sentinel" | "rediss-cluster" => (true, &scheme["rediss".len()..]),
            _ => return Err(wrong("its scheme is not Redis's")),
        };
        let (login, rest) = rest
            .rsplit_once('@')
            .map_or((None, rest), |(login, rest)| (Some(login), rest));
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let mut account = Account::default();
        if let Some(login) = login {
            let (user, password) = login
                .split_once(':')
                .ok_or_else(|| wrong("its user has no password"))?;
            account.user = Some(unescaped(user)?).filter(|user| !user.is_empty());
            account.password = Some(unescaped(password)?);
        }
        let default_port = if kind == "-sentinel" { 26379 } else { 6379 };
        let mut hosts: Vec<Address> = hosts
            .split(',')
            .map(|host| address(host, default_port))
            .collect::<Result<_, _>>()?;
        let kind = match kind {
            "-sentinel" if path.is_empty() => {
                return Err(wrong("it does not name the Sentinels' master"));
            }
            "-sentinel" => ServersKind::Sentinel {
                sentinels: hosts,
                master: unescaped(path)?,
            },
            "-cluster" if !path.is_empty() => return Err(wrong("a Cluster has no databases")),
            "-cluster" => ServersKind::Cluster(hosts),
            _ if hosts.len() > 1 => {
                return Err(wrong("it names several hosts, but no Sentinel or Cluster"));
            }
            _ => {
                if !path.is_empty() {
                    account.database = path
                        .parse()
                        .map_err(|_| wrong("its database is not a number"))?;
                }
                ServersKind::Single(hosts.remove(0))
            }
        };
        Ok(Self {
            kind,
            account,
            is_tls,
        })
    }
}

fn address(text: &str, default_port: u16) -> Result<Address, Error> {
    let (host, port) = match text.rsplit_once(':') {
        // An IPv6 address stands in brackets; a colon inside of them is none of ours.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return Err(Error::Url("a host is missing".into()));
    }
    let port = match port {
        None => default_port,
        Some(port) => port
            .parse()
            .map_err(|_| Error::Url(format!("{port} is not a port")))?,
    };
    Ok((host.to_owned(), port))
}

/// Undoes percent-encoding.
fn unescaped(text: &str) -> Result<String, Error> {
    let wrong = || Error::Url("its percent-encoding is broken".into());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [
                rest.next().ok_or_else(wrong)?,
                rest.next().ok_or_else(wrong)?,
            ];
            let digits = std::str::from_utf8(&digits).map_err(|_| wrong())?;
            bytes.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_every_kind_are_read() {
        let single: Servers = "rediss://u%3a:p%40ss@r.example:7000/3".parse().unwrap();
        assert_eq!(single.kind, ServersKind::Single(("r.example".into(), 7000)));
        assert!(single.is_tls);
        assert_eq!(single.account.user.as_deref(), Some("u:"));
        assert_eq!(single.account.password.as_deref(), Some("p@ss"));
        assert_eq!(single.account.database, 3);

        let group: Servers = "redis-sentinel://:secret@a,[::1]:5000/main"
            .parse()
            .unwrap();
        let sentinels = vec![("a".into(), 26379), ("::1".into(), 5000)];
        assert_eq!(
            group.kind,
            ServersKind::Sentinel {
                sentinels,
                master: "main".into()
            }
        );
        assert_eq!((group.account.user.as_deref(), group.is_tls), (None, false));

        let cluster: Servers = "redis-cluster://a:1,b:2".parse().unwrap();
        assert_eq!(
            cluster.kind,
            ServersKind::Cluster(vec![("a".into(), 1), ("b".into(), 2)])
        );
        assert!(!format!("{group:?}").contains("secret"));
    }

    #[test]
    fn addresses_that_mean_nothing_are_refused() {
        for url in [
            "localhost:6379",
            "http://a",
            "redis://",
            "redis://a,b",
            "redis://a:port",
            "redis://a/x",
            "redis://user@a",
            "redis://u:%zz@a",
            "redis-sentinel://a",
            "redis-cluster://a/1",
        ] {
            assert!(url.parse::<Servers>().is_err(), "{url}");
        }
    }
}
