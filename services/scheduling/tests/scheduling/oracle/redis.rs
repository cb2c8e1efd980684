//! The Redis of a stage: one server, or a Cluster whose days lie on all masters.

use bangban_rig::{Cluster, Server};
use bangban_slots::Day;
use chrono::NaiveDate;

use crate::served::world::{DISTRICT, SITE, World};

pub enum Redis {
    One(Server),
    Cluster(Cluster),
}

impl Redis {
    pub fn one() -> Self {
        Self::One(Server::start(&[]))
    }

    /// Three masters, the first of which has a replica.
    pub fn cluster() -> Self {
        Self::Cluster(Cluster::start())
    }

    pub fn url(&self) -> String {
        match self {
            Self::One(server) => server.url(),
            Self::Cluster(cluster) => cluster.url(),
        }
    }

    /// The masters; the first has the contested day.
    pub fn masters(&mut self) -> &mut [Server] {
        match self {
            Self::One(server) => std::slice::from_mut(server),
            Self::Cluster(cluster) => &mut cluster.masters,
        }
    }

    /// A working day to come on each master.
    pub(super) async fn days(&self, world: &World) -> Vec<NaiveDate> {
        let mut days = match self {
            Self::One(_) => vec![None],
            Self::Cluster(cluster) => vec![None; cluster.masters.len()],
        };
        for behind in 1.. {
            let date = world.working_day(behind).await;
            let day = Day::new(DISTRICT, SITE, date).expect("a day");
            let whose = match self {
                Self::One(_) => 0,
                Self::Cluster(cluster) => cluster.whose(day.key()),
            };
            days[whose].get_or_insert(date);
            if days.iter().all(Option::is_some) {
                break;
            }
        }
        days.into_iter().flatten().collect()
    }
}
