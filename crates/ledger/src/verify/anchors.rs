//! What the checkpoints of an export say, and what of it the rest of the file must bear out.

use std::collections::{BTreeMap, HashMap};

use crate::line::{CheckpointLine, LeafLine};
use crate::merkle::{Tree, root_by_path};
use crate::text::{hash, signature};
use crate::{Checkpoint, Hash, Leaf, ProblemKind, START, Trust, is_signed, key_id};

/// Most ids of keys that a report names.
const MAX_SIGNERS: usize = 10;

/// What a leaf says of the case that follows it.
pub(super) struct Known {
    pub checkpoint: u64,
    pub act_count: u64,
    pub head: Hash,
}

/// A problem, before its place is complete.
pub(super) struct Finding {
    pub line: Option<u64>,
    pub subject: Option<String>,
    pub checkpoint: Option<u64>,
    pub kind: ProblemKind,
    pub more: String,
}

struct Anchor {
    line: u64,
    leaf_count: u64,
    root: Hash,
    tree: Tree,
}

/// Leaves whose case has not come yet.
struct Pending {
    line: u64,
    subject: String,
    leaves: Vec<Known>,
}

pub(super) struct Anchors<'t> {
    trust: &'t Trust,
    /// Kept checkpoints that have not been seen: hash by number.
    unseen: HashMap<u64, Hash>,
    district: String,
    is_filtered: bool,
    by_number: BTreeMap<u64, Anchor>,
    expected: u64,
    previous: Hash,
    pending: Option<Pending>,
    pub covered: u64,
    pub signers: Vec<String>,
}

fn finding(checkpoint: u64, kind: ProblemKind) -> Finding {
    Finding {
        line: None,
        subject: None,
        checkpoint: Some(checkpoint),
        kind,
        more: String::new(),
    }
}

impl<'t> Anchors<'t> {
    pub fn new(trust: &'t Trust) -> Self {
        Self {
            trust,
            unseen: HashMap::new(),
            district: String::new(),
            is_filtered: false,
            by_number: BTreeMap::new(),
            expected: 1,
            previous: START,
            pending: None,
            covered: 0,
            signers: Vec::new(),
        }
    }

    pub fn district(&self) -> &str {
        &self.district
    }

    /// The head line: says what is wrong with what is kept elsewhere.
    pub fn begin(&mut self, district: &str, is_filtered: bool) -> Vec<Finding> {
        district.clone_into(&mut self.district);
        self.is_filtered = is_filtered;
        let mut findings = Vec::new();
        for kept in &self.trust.kept {
            let hash = kept.hash();
            if kept.district != district {
                findings.push(finding(kept.number, ProblemKind::KeptForeign));
            } else if hash.is_none()
                || !self.trust.keys.is_empty() && !kept.is_signed_by(&self.trust.keys)
            {
                findings.push(finding(kept.number, ProblemKind::KeptForged));
            } else if let Some(hash) = hash
                && self
                    .unseen
                    .insert(kept.number, hash)
                    .is_some_and(|other| other != hash)
            {
                findings.push(finding(kept.number, ProblemKind::KeptDiffers));
            }
        }
        findings
    }

    pub fn checkpoint(
        &mut self,
        line: &CheckpointLine<'_>,
        at: u64,
        is_late: bool,
    ) -> Vec<Finding> {
        let number = line.number;
        if is_late || self.pending.is_some() {
            return vec![finding(number, ProblemKind::CheckpointMisplaced)];
        }
        let read = (
            hash(&line.root),
            hash(&line.previous),
            hash(&line.hash),
            hash(&line.key),
            signature(&line.signature),
        );
        let (Some(root), Some(previous), Some(stated), Some(key), Some(signature)) = read else {
            return vec![finding(number, ProblemKind::BadLine)];
        };
        let mut findings = Vec::new();
        let mut wrong = |kind, more: String| {
            findings.push(Finding {
                more,
                ..finding(number, kind)
            });
        };
        match number.cmp(&self.expected) {
            std::cmp::Ordering::Greater => wrong(
                ProblemKind::CheckpointMissing,
                format!("{}–{}", self.expected, number - 1),
            ),
            std::cmp::Ordering::Less => wrong(ProblemKind::CheckpointMisplaced, String::new()),
            std::cmp::Ordering::Equal if previous != self.previous => {
                wrong(ProblemKind::CheckpointBroken, String::new());
            }
            std::cmp::Ordering::Equal => {}
        }
        let content = Checkpoint {
            district: self.district.clone(),
            number,
            day: line.day.clone().into_owned(),
            leaf_count: line.leaf_count,
            root,
            previous,
        };
        if content.hash() != stated {
            wrong(ProblemKind::CheckpointChanged, String::new());
        }
        if !self.trust.keys.is_empty() && !self.trust.keys.contains(&key) {
            wrong(ProblemKind::CheckpointKeyUnknown, key_id(&key));
        }
        if !is_signed(&key, &stated, &signature) {
            wrong(ProblemKind::CheckpointForged, String::new());
        } else if self.signers.len() < MAX_SIGNERS && !self.signers.contains(&key_id(&key)) {
            self.signers.push(key_id(&key));
        }
        if self
            .unseen
            .remove(&number)
            .is_some_and(|kept| kept != stated)
        {
            wrong(ProblemKind::KeptDiffers, String::new());
        }
        if number >= self.expected {
            self.expected = number.saturating_add(1);
            self.previous = stated;
            let anchor = Anchor {
                line: at,
                leaf_count: line.leaf_count,
                root,
                tree: Tree::default(),
            };
            self.by_number.insert(number, anchor);
        }
        findings
    }

    pub fn leaf(&mut self, line: &LeafLine<'_>, at: u64, is_late: bool) -> Vec<Finding> {
        let wrong = |kind, more: &str| {
            vec![Finding {
                subject: Some(line.subject.clone().into_owned()),
                more: more.to_owned(),
                ..finding(line.checkpoint, kind)
            }]
        };
        let Some(head) = hash(&line.head) else {
            return wrong(ProblemKind::BadLine, "head");
        };
        let leaf = Leaf {
            subject: line.subject.clone().into_owned(),
            act_count: line.act_count,
            head,
        };
        let known = Known {
            checkpoint: line.checkpoint,
            act_count: line.act_count,
            head,
        };
        let last = self.pending.as_ref().and_then(|p| p.leaves.last());
        let is_behind =
            |l: &Known| l.checkpoint < known.checkpoint && l.act_count <= known.act_count;
        if is_late || line.act_count == 0 || !last.is_none_or(is_behind) {
            return wrong(ProblemKind::LeafMisplaced, "");
        }
        let pending = self.pending.get_or_insert_with(|| Pending {
            line: at,
            subject: leaf.subject.clone(),
            leaves: Vec::new(),
        });
        pending.leaves.push(known);
        let Some(anchor) = self.by_number.get_mut(&line.checkpoint) else {
            return wrong(ProblemKind::LeafWithoutCheckpoint, "");
        };
        match (self.is_filtered, line.index, &line.path) {
            (false, None, None) => anchor.tree.push(leaf.hash()),
            (true, Some(index), Some(path)) => {
                let path: Option<Vec<Hash>> = path.iter().map(|text| hash(text)).collect();
                let root = path
                    .and_then(|path| root_by_path(leaf.hash(), index, anchor.leaf_count, &path));
                if root != Some(anchor.root) {
                    return wrong(ProblemKind::LeafUnproven, "");
                }
            }
            _ => return wrong(ProblemKind::BadLine, "index, path, case_filter"),
        }
        Vec::new()
    }

    /// The case that was announced by leaves, when what comes next is not that case.
    pub fn missing(&mut self, next: Option<&str>) -> Option<(String, Finding)> {
        let is_other = |p: &mut Pending| next != Some(p.subject.as_str());
        let missing = self.pending.take_if(is_other)?;
        let finding = Finding {
            line: Some(missing.line),
            subject: Some(missing.subject.clone()),
            checkpoint: missing.leaves.last().map(|leaf| leaf.checkpoint),
            kind: ProblemKind::CaseMissing,
            more: String::new(),
        };
        Some((missing.subject, finding))
    }

    /// The leaves of the case that begins.
    pub fn taken(&mut self) -> Vec<Known> {
        let pending = self.pending.take();
        self.covered += u64::from(pending.is_some());
        pending.map(|pending| pending.leaves).unwrap_or_default()
    }

    /// The end line: every root must have come out, and every kept checkpoint must have been here.
    pub fn end(&mut self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if !self.is_filtered {
            for (number, anchor) in std::mem::take(&mut self.by_number) {
                let count = anchor.tree.leaf_count;
                if count != anchor.leaf_count || anchor.tree.root() != anchor.root {
                    findings.push(Finding {
                        line: Some(anchor.line),
                        more: format!("{count} / {}", anchor.leaf_count),
                        ..finding(number, ProblemKind::CheckpointRootDiffers)
                    });
                }
            }
        }
        let mut unseen: Vec<u64> = self.unseen.drain().map(|(number, _)| number).collect();
        unseen.sort_unstable();
        findings.extend(
            unseen
                .into_iter()
                .map(|number| finding(number, ProblemKind::KeptMissing)),
        );
        findings
    }
}
