//! A district with checkpoints, as its database holds it, and as whoever owns that database can hold it.

use std::collections::BTreeMap;

use bangban_ledger::{
    Checkpoint, Entry, Hash, Head, Kept, Leaf, PublicKey, Report, START, Signature, SigningKey,
    Trust, Writer, merkle, verify_with,
};

pub const NOON: i64 = 1_795_406_400_123_456;

/// A signed checkpoint.
#[derive(Clone)]
pub struct Signed {
    pub content: Checkpoint,
    pub hash: Hash,
    pub key: PublicKey,
    pub signature: Signature,
}

/// What is stored. `chains` are the acts with their stored hashes: previous, own.
#[derive(Clone)]
pub struct District {
    pub chains: BTreeMap<String, Vec<(Entry, Hash, Hash)>>,
    pub receipts: BTreeMap<String, String>,
    pub checkpoints: Vec<Signed>,
    /// By checkpoint.
    pub leaves: Vec<Vec<Leaf>>,
}

/// The key of the installation; always the same, so that files are.
pub fn key() -> SigningKey {
    seeded(7)
}

/// A key from a seed: PKCS #8 is a frame around it (RFC 8410, section 7).
pub fn seeded(seed: u8) -> SigningKey {
    let frame = hex::decode("302e020100300506032b657004220420").unwrap();
    SigningKey::from_pkcs8(&[&frame[..], &[seed; 32]].concat()).unwrap()
}

pub fn entry(subject: &str, number: u64) -> Entry {
    Entry {
        district: "shu-he".to_owned(),
        subject: subject.to_owned(),
        number,
        kind: "material.taken".to_owned(),
        acted_at_us: NOON + i64::try_from(number).unwrap() * 60_000_000,
        actor: "staff/7".to_owned(),
        actor_site: "site/3".to_owned(),
        is_demonstration: false,
        payload: format!("{subject}: 材料 {number}").into_bytes(),
    }
}

impl District {
    pub fn empty() -> Self {
        Self {
            chains: BTreeMap::new(),
            receipts: BTreeMap::new(),
            checkpoints: Vec::new(),
            leaves: Vec::new(),
        }
    }

    /// Four days, one of them without work, each closed by a checkpoint, and a morning.
    pub fn sample() -> Self {
        let mut district = Self::empty();
        district.day(&[("cases/a", 3), ("cases/b", 1), ("cases/c", 2)]);
        district.day(&[
            ("cases/b", 2),
            ("cases/d", 1),
            ("cases/e", 4),
            ("cases/a", 1),
            ("cases/f", 1),
        ]);
        district.day(&[]);
        district.day(&[("cases/c", 1), ("cases/g", 2)]);
        district.work(&[("cases/a", 1), ("cases/h", 2)]);
        district
    }

    pub fn work(&mut self, acts: &[(&str, u64)]) {
        for (subject, count) in acts {
            for _ in 0..*count {
                let chain = self.chains.entry((*subject).to_owned()).or_default();
                let previous = chain.last().map_or(START, |act| act.2);
                let act = entry(subject, chain.len() as u64 + 1);
                let hash = act.hash(&previous);
                chain.push((act, previous, hash));
                let receipt = format!("42527{:08}", chain.len());
                self.receipts
                    .entry((*subject).to_owned())
                    .or_insert(receipt);
            }
        }
    }

    /// A day with its checkpoint: which cases get how many acts.
    pub fn day(&mut self, acts: &[(&str, u64)]) {
        self.work(acts);
        let mut subjects: Vec<_> = acts.iter().map(|act| act.0).collect();
        subjects.sort_unstable();
        let leaf = |subject: &&str| Leaf {
            subject: (*subject).to_owned(),
            act_count: self.chains[*subject].len() as u64,
            head: self.chains[*subject].last().unwrap().2,
        };
        let leaves: Vec<Leaf> = subjects.iter().map(leaf).collect();
        self.close(leaves, &key());
    }

    /// Adds a checkpoint over these leaves.
    pub fn close(&mut self, leaves: Vec<Leaf>, key: &SigningKey) {
        let number = self.checkpoints.len() as u64 + 1;
        let content = Checkpoint {
            district: "shu-he".to_owned(),
            number,
            day: format!("2026-11-{:02}", 20 + number),
            leaf_count: leaves.len() as u64,
            root: tree(&leaves).root(),
            previous: self.checkpoints.last().map_or(START, |last| last.hash),
        };
        let hash = content.hash();
        self.checkpoints.push(Signed {
            content,
            hash,
            key: key.public(),
            signature: key.sign(&hash),
        });
        self.leaves.push(leaves);
    }

    /// Computes the chain of a case anew from act `number` on, as who owns the database can.
    pub fn recompute(&mut self, subject: &str, number: usize) {
        let chain = self.chains.get_mut(subject).unwrap();
        for at in number - 1..chain.len() {
            let previous = at.checked_sub(1).map_or(START, |before| chain[before].2);
            chain[at].1 = previous;
            chain[at].2 = chain[at].0.hash(&previous);
        }
    }

    /// The lines of an export: all of the district, or one case.
    pub fn lines(&self, one: Option<&str>) -> Vec<String> {
        let (mut writer, first) = Writer::new(&Head {
            district: "shu-he".to_owned(),
            exported_at_us: NOON,
            exporter: "staff/7".to_owned(),
            case_filter: one.map(str::to_owned),
        });
        let mut lines = vec![first];
        for made in &self.checkpoints {
            lines.push(writer.checkpoint(&made.content, &made.hash, &made.key, &made.signature));
        }
        let mut subjects: Vec<&String> = self.chains.keys().collect();
        subjects.extend(self.leaves.iter().flatten().map(|leaf| &leaf.subject));
        subjects.sort_unstable();
        subjects.dedup();
        subjects.retain(|subject| one.is_none_or(|one| one == *subject));
        for subject in subjects {
            for (number, leaves) in (1..).zip(&self.leaves) {
                let Some(index) = leaves.iter().position(|leaf| leaf.subject == *subject) else {
                    continue;
                };
                let mut with_path = merkle::Tree::with_path_of(index as u64);
                leaves.iter().for_each(|leaf| with_path.push(leaf.hash()));
                let (_, path) = with_path.root_and_path();
                let proof = one.map(|_| (index as u64, &path[..]));
                lines.push(writer.leaf(number, &leaves[index], proof));
            }
            let Some(chain) = self.chains.get(subject) else {
                continue;
            };
            let head = chain.last().map_or(START, |act| act.2);
            let receipt = self.receipts.get(subject).map(String::as_str);
            lines.push(writer.case(subject, receipt, chain.len() as u64, &head));
            for (act, previous, hash) in chain {
                lines.push(writer.act(act, hash, previous, Some("收到材料")));
            }
        }
        lines.push(writer.end());
        lines
    }

    pub fn bytes(&self) -> Vec<u8> {
        bytes(&self.lines(None))
    }

    /// What somebody else has kept of it.
    pub fn kept(&self) -> Vec<Kept> {
        let kept = |made: &Signed| Kept {
            district: made.content.district.clone(),
            number: made.content.number,
            day: made.content.day.clone(),
            leaf_count: made.content.leaf_count,
            root: hex::encode(made.content.root),
            previous: hex::encode(made.content.previous),
            hash: hex::encode(made.hash),
            key: bangban_ledger::key_id(&made.key),
            signature: hex::encode(made.signature),
        };
        self.checkpoints.iter().map(kept).collect()
    }

    pub fn trust(&self) -> Trust {
        Trust {
            keys: vec![key().public()],
            kept: self.kept(),
        }
    }
}

pub fn tree(leaves: &[Leaf]) -> merkle::Tree {
    let mut tree = merkle::Tree::default();
    leaves.iter().for_each(|leaf| tree.push(leaf.hash()));
    tree
}

pub fn bytes(lines: &[String]) -> Vec<u8> {
    lines
        .iter()
        .flat_map(|line| [line.as_bytes(), b"\n"].concat())
        .collect()
}

pub fn report(bytes: &[u8], trust: &Trust) -> Report {
    verify_with(bytes, trust, |_| {}).unwrap()
}
