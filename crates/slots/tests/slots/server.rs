//! Servers of `crates/rig`, and what a gate is told of them.

use std::time::Duration;

use bangban_rig::{Cluster, Server};
use bangban_slots::{Servers, Settings};

pub fn settings(url: &str) -> Settings {
    Settings::new(url.parse::<Servers>().unwrap())
}

pub trait HasSettings {
    fn settings(&self) -> Settings;

    /// With these no answer is given up, and no server is taken for one that is silent, because the machine stands still.
    fn patient(&self) -> Settings {
        Settings {
            answer_within: Duration::from_secs(60),
            ..self.settings()
        }
    }
}

impl HasSettings for Server {
    fn settings(&self) -> Settings {
        settings(&self.url())
    }
}

impl HasSettings for Cluster {
    fn settings(&self) -> Settings {
        settings(&self.url())
    }
}
