//! Ports of this machine.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

use crate::failure::Failure;

/// Where free ports are looked for: below those that the kernel gives to clients, which could take one away between
/// the look and the start, and again whenever a process is started anew.
const FREE: std::ops::Range<u16> = 11_000..19_000;

/// How often a free port is looked for.
const TRIES: usize = 200;

/// Whether nobody listens there.
fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// These ports of the loopback interface, or as many free ones.
///
/// # Errors
/// When one of them is taken.
pub(super) fn addresses(wanted: &[u16], base: u16) -> Result<Vec<SocketAddr>, Failure> {
    let ports = if base == 0 {
        free(wanted.len())?
    } else {
        if let Some(taken) = wanted.iter().find(|port| !is_free(**port)) {
            return Err(Failure::new(format!(
                "port {taken} is taken, perhaps by services that already run: end what listens there, or choose others with --port-base PORT (0 for free ones)."
            )));
        }
        wanted.to_vec()
    };
    Ok(ports
        .into_iter()
        .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .collect())
}

fn free(count: usize) -> Result<Vec<u16>, Failure> {
    let mut found = BTreeSet::new();
    for _ in 0..TRIES {
        let port = rand::random_range(FREE);
        if is_free(port) {
            found.insert(port);
        }
        if found.len() == count {
            return Ok(found.into_iter().collect());
        }
    }
    Err(Failure::new(format!(
        "no {count} ports between {} and {} are free; name others with --port-base PORT.",
        FREE.start, FREE.end
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_named_and_free_ones_are_found() {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
        let port = held.local_addr().expect("an address").port();
        let refused = addresses(&[port], port).expect_err("taken").to_string();
        assert!(refused.contains(&port.to_string()), "{refused}");
        let free = addresses(&[0; 8], 0).expect("free ones");
        let distinct: BTreeSet<_> = free.iter().map(SocketAddr::port).collect();
        assert_eq!(distinct.len(), 8);
        assert!(distinct.iter().all(|port| FREE.contains(port)));
    }
}
