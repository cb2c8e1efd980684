//! How far a load has come, by what is asked, so that nothing is taken for going on because something else does.

use std::collections::BTreeMap;

use super::{Load, command::Command, read};

/// How often each command and each read was answered, and how many acts each feed has brought.
pub(super) struct Progress {
    commands: BTreeMap<&'static str, u64>,
    reads: BTreeMap<&'static str, u64>,
    feeds: BTreeMap<&'static str, u64>,
}

impl Progress {
    pub(super) fn of(load: &Load) -> Self {
        let [commands, reads] = load.books.answered();
        let acts = |followed: &super::Followed| u64::try_from(followed.act_count()).unwrap_or(0);
        let feeds = load.followed.iter();
        Self {
            commands,
            reads,
            feeds: feeds.map(|(log, f)| (log.name(), acts(f))).collect(),
        }
    }

    /// What has not gone on since `before`: so many commands and so many reads, one of each of them, an act of each feed.
    pub(super) fn lacks(&self, before: &Self, count: u64) -> Vec<String> {
        let reads = read::NAMES.iter().chain([&read::BACK]);
        let mut lacks = Vec::new();
        lacks.extend(stands(
            &before.commands,
            &self.commands,
            Command::NAMES.iter(),
        ));
        lacks.extend(stands(&before.reads, &self.reads, reads));
        for (log, acts) in &self.feeds {
            if before.feeds.get(log) == Some(acts) {
                lacks.push(format!("the feed of {log}"));
            }
        }
        for (what, before, now) in [
            ("commands", &before.commands, &self.commands),
            ("reads", &before.reads, &self.reads),
        ] {
            let more = now.values().sum::<u64>() - before.values().sum::<u64>();
            if more < count {
                lacks.push(format!("{} {what}", count - more));
            }
        }
        lacks
    }
}

/// What was answered no more often than before.
fn stands<'a>(
    before: &BTreeMap<&'static str, u64>,
    now: &BTreeMap<&'static str, u64>,
    names: impl Iterator<Item = &'a &'static str>,
) -> Vec<String> {
    names
        .filter(|name| before.get(*name) == now.get(*name))
        .map(|name| (*name).to_owned())
        .collect()
}
