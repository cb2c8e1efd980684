//! How somebody outside calls the services of a cluster, and how often.

use std::{collections::BTreeMap, sync::Arc};

use bangban::{cli::Service, services::Plan};
use bangban_kit::config;
use bangban_net::{
    client::{Channel, Counts, Endpoints, Settings},
    tls::{Secure, Tls},
};

/// Ways to all services. Clones share the connections and what is counted.
#[derive(Clone)]
pub struct Ways(Arc<BTreeMap<&'static str, Channel>>);

impl Ways {
    pub(super) fn to(
        plan: &Plan,
        files: &config::Tls,
        settings: impl Fn(Settings) -> Settings,
    ) -> Self {
        let tls = Tls::open(files).expect("certificates");
        let way = |service: Service| {
            let addresses = plan.config.peers.get(service.name()).expect("an address");
            let endpoints = Endpoints::parse(addresses, true).expect("addresses");
            let dial = Secure::to_service(tls.clone(), service.name());
            let settings = settings(Settings::of(service.name()));
            let channel = Channel::balanced(endpoints, dial, settings);
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
        let all = self.0.values().map(Channel::counts);
        all.fold(Counts::default(), sum)
    }
}

/// What was done on both.
#[must_use]
pub fn sum(one: Counts, other: Counts) -> Counts {
    Counts {
        calls: one.calls + other.calls,
        attempts: one.attempts + other.attempts,
        retries: one.retries + other.retries,
        refused_by_budget: one.refused_by_budget + other.refused_by_budget,
        ready: one.ready + other.ready,
    }
}
