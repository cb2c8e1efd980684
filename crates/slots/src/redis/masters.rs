//! Which server keeps which day: one, the one that Sentinels name, or the masters of a Cluster.

use std::sync::Arc;

use futures::future::join_all;
use redis::Value;

use super::master::{Master, Trouble, connect};
use crate::servers::{Account, Address, ServersKind};
use crate::{Day, Settings};

#[derive(Debug)]
pub(super) struct Masters {
    /// Only those that can be reached.
    pub(super) all: Vec<Arc<Master>>,
    /// Of a Cluster: who serves what. Empty otherwise.
    slots: Vec<Range>,
}

/// Hash slots `first..=last` of a Cluster and who serves them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Range {
    first: u16,
    last: u16,
    address: Address,
}

impl Masters {
    /// Finds and connects them anew.
    pub(super) async fn find(settings: &Settings, before: Option<&Self>) -> Result<Self, Trouble> {
        match &settings.servers.kind {
            ServersKind::Single(address) => Self::one(address, settings).await,
            ServersKind::Sentinel { sentinels, master } => {
                Self::one(&named_master(sentinels, master, settings).await?, settings).await
            }
            ServersKind::Cluster(seeds) => {
                let known = before
                    .into_iter()
                    .flat_map(|before| &before.all)
                    .map(|master| &master.address);
                let slots = topology(known.chain(seeds), settings).await?;
                let mut addresses: Vec<&Address> =
                    slots.iter().map(|range| &range.address).collect();
                addresses.sort();
                addresses.dedup();
                let found = join_all(
                    addresses
                        .into_iter()
                        .map(|address| Master::connect(address, settings)),
                )
                .await;
                // One that cannot be reached takes its days with it, not those of the others.
                let all: Vec<_> = found
                    .into_iter()
                    .filter_map(Result::ok)
                    .map(Arc::new)
                    .collect();
                if all.is_empty() {
                    Err(Trouble::NoTopology)
                } else {
                    Ok(Self { all, slots })
                }
            }
        }
    }

    async fn one(address: &Address, settings: &Settings) -> Result<Self, Trouble> {
        Ok(Self {
            all: vec![Arc::new(Master::connect(address, settings).await?)],
            slots: Vec::new(),
        })
    }

    /// Whether whoever should know says the same as when these were found, and all of them are here.
    pub(super) async fn are_current(&self, settings: &Settings) -> bool {
        match &settings.servers.kind {
            ServersKind::Single(_) => true,
            // A group of Sentinels that is silent says nothing against the master.
            ServersKind::Sentinel { sentinels, master } => {
                named_master(sentinels, master, settings)
                    .await
                    .map_or(true, |named| self.at(&named).is_some())
            }
            ServersKind::Cluster(_) => {
                let known = self.all.iter().map(|master| &master.address);
                topology(known, settings).await.is_ok_and(|slots| {
                    slots == self.slots
                        && slots.iter().all(|range| self.at(&range.address).is_some())
                })
            }
        }
    }

    pub(super) fn of(&self, day: &Day) -> Option<&Arc<Master>> {
        if self.slots.is_empty() {
            return self.all.first();
        }
        let slot = hash_slot(day.key());
        let range = self
            .slots
            .iter()
            .find(|range| (range.first..=range.last).contains(&slot))?;
        self.at(&range.address)
    }

    pub(super) fn at(&self, address: &Address) -> Option<&Arc<Master>> {
        self.all.iter().find(|master| master.address == *address)
    }
}

/// The master whom most of the Sentinels that answer name.
async fn named_master(
    sentinels: &[Address],
    name: &str,
    settings: &Settings,
) -> Result<Address, Trouble> {
    let answers = join_all(sentinels.iter().map(|sentinel| async move {
        let account = Account {
            database: 0,
            ..settings.servers.account.clone()
        };
        let mut connection = match connect(sentinel, &account, settings).await {
            // Sentinels often have no password though the servers have one.
            Err(Trouble::Redis(error)) if account.password.is_some() && !error.is_io_error() => {
                connect(sentinel, &Account::default(), settings).await?
            }
            other => other?,
        };
        let mut cmd = redis::cmd("SENTINEL");
        cmd.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
        let named: Option<(String, u16)> =
            tokio::time::timeout(settings.answer_within, cmd.query_async(&mut connection))
                .await
                .map_err(|_| Trouble::Silent)??;
        named.ok_or(Trouble::NoMaster)
    }))
    .await;
    let named: Vec<Address> = answers.into_iter().filter_map(Result::ok).collect();
    named
        .iter()
        .max_by_key(|address| named.iter().filter(|other| other == address).count())
        .cloned()
        .ok_or(Trouble::NoMaster)
}

/// Who serves what, as the first node that answers says it.
async fn topology<'a>(
    nodes: impl Iterator<Item = &'a Address>,
    settings: &Settings,
) -> Result<Vec<Range>, Trouble> {
    for node in nodes {
        let asked = async {
            let mut connection = connect(node, &settings.servers.account, settings).await?;
            let mut cmd = redis::cmd("CLUSTER");
            cmd.arg("SLOTS");
            tokio::time::timeout(
                settings.answer_within,
                cmd.query_async::<Value>(&mut connection),
            )
            .await
            .map_err(|_| Trouble::Silent)?
            .map_err(Trouble::from)
        };
        if let Ok(answer) = asked.await
            && let Some(mut ranges) = ranges(&answer, node)
            && !ranges.is_empty()
        {
            ranges.sort_by_key(|range| range.first);
            return Ok(ranges);
        }
    }
    Err(Trouble::NoTopology)
}

/// Reads CLUSTER SLOTS: for each range its first and last slot, then its master and replicas as host, port, id, ….
fn ranges(answer: &Value, asked: &Address) -> Option<Vec<Range>> {
    let number = |value: &Value| match value {
        Value::Int(number) => u16::try_from(*number).ok(),
        _ => None,
    };
    let Value::Array(ranges) = answer else {
        return None;
    };
    ranges
        .iter()
        .map(|range| {
            let Value::Array(parts) = range else {
                return None;
            };
            let [first, last, Value::Array(master), ..] = parts.as_slice() else {
                return None;
            };
            let host = match master.first()? {
                Value::BulkString(host) if !host.is_empty() && host != b"?" => {
                    String::from_utf8(host.clone()).ok()?
                }
                // A node that does not know its own name means the one by which it was asked.
                _ => asked.0.clone(),
            };
            let address = (host, number(master.get(1)?)?);
            Some(Range {
                first: number(first)?,
                last: number(last)?,
                address,
            })
        })
        .collect()
}

/// The Cluster's hash slot of a key that is a hash tag as a whole: CRC16 (XMODEM) of what is in the braces.
fn hash_slot(key: &str) -> u16 {
    let tag = key.trim_start_matches('{').trim_end_matches('}');
    let crc = tag.bytes().fold(0u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            }
        })
    });
    crc % 16384
}

#[cfg(test)]
mod tests {
    /// The check value of the Cluster specification, and what `CLUSTER KEYSLOT` says.
    #[test]
    fn hash_slots_are_those_of_the_specification() {
        assert_eq!(super::hash_slot("123456789"), 0x31C3);
        assert_eq!(super::hash_slot("{foo}"), 12182);
    }
}
