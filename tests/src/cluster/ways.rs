//! How somebody outside calls the services of a cluster, and how often.

use std::{collections::BTreeMap, sync::Arc};

use bangban::{cli::Service, services::Plan};
use bangban_net::client::{Channel, Counts, Endpoints, Settings, Tcp};

/// Ways to all services. Clones share the connections and what is counted.
#[derive(Clone)]
pub struct Ways(Arc<BTreeMap<&'static str, Channel>>);

impl Ways {
    pub(super) fn to(plan: &Plan, settings: impl Fn(Settings) -> Settings) -> Self {
        let way = |service: Service| {
            let addresses = plan.config.peers.get(service.name()).expect("an address");
            let endpoints = Endpoints::parse(addresses).expect("addresses");
            let settings = settings(Settings::of(service.name()));
            let channel = Channel::balanced(endpoints, Tcp, settings);
            (service.name(), channel)
        };
        Self(Arc::new(Service::ALL.map(way).into_iter().collect()))
    }

    /// The way to a service.
    ///
    /// # Panics
    /// Never: there is one to each.
    #[must_use]
    pub fn of(&self, service: Service) -> Channel {
        self.0.get(service.name()).expect("a way").clone()
    }

    /// What was done on all ways.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0
            .values()
            .map(Channel::counts)
            .fold(Counts::default(), |all, one| Counts {
                calls: all.calls + one.calls,
                attempts: all.attempts + one.attempts,
                retries: all.retries + one.retries,
                refused_by_budget: all.refused_by_budget + one.refused_by_budget,
                ready: all.ready + one.ready,
            })
    }
}
