//! Servers of `crates/rig`, and what a gate is told of them.

use bangban_rig::{Cluster, Server};
use bangban_slots::{Servers, Settings};

pub fn settings(url: &str) -> Settings {
    Settings::new(url.parse::<Servers>().unwrap())
}

pub trait HasSettings {
    fn settings(&self) -> Settings;
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
