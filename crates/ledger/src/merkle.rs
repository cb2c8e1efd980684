//! The Merkle tree of RFC 6962, section 2.1: built leaf by leaf, in memory that grows with its height only.

use sha2::{Digest, Sha256};

use crate::Hash;

/// The root of a tree without leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// The hash of a leaf.
#[must_use]
pub fn leaf(data: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(data);
    hash.finalize().into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update([1]);
    hash.update(left);
    hash.update(right);
    hash.finalize().into()
}

/// A complete subtree that waits for its right neighbour.
#[derive(Debug, Clone)]
struct Subtree {
    height: u32,
    hash: Hash,
    holds_target: bool,
}

/// A tree that grows to the right.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    stack: Vec<Subtree>,
    target: Option<u64>,
    path: Vec<Hash>,
    /// How many leaves it has.
    pub leaf_count: u64,
}

impl Tree {
    /// A tree that also notes the audit path of the leaf with this index, from 0.
    #[must_use]
    pub fn with_path_of(index: u64) -> Self {
        Self {
            target: Some(index),
            ..Self::default()
        }
    }

    /// Adds a leaf, by its hash.
    pub fn push(&mut self, hash: Hash) {
        let mut top = Subtree {
            height: 0,
            hash,
            holds_target: self.target == Some(self.leaf_count),
        };
        self.leaf_count += 1;
        while let Some(left) = self.stack.pop_if(|left| left.height == top.height) {
            top = self.joined(&left, &top);
        }
        self.stack.push(top);
    }

    fn joined(&mut self, left: &Subtree, right: &Subtree) -> Subtree {
        if left.holds_target {
            self.path.push(right.hash);
        } else if right.holds_target {
            self.path.push(left.hash);
        }
        Subtree {
            height: left.height + 1,
            hash: node(&left.hash, &right.hash),
            holds_target: left.holds_target || right.holds_target,
        }
    }

    /// The root.
    #[must_use]
    pub fn root(self) -> Hash {
        self.root_and_path().0
    }

    /// The root, and the audit path that was asked for, from the leaf upwards.
    #[must_use]
    pub fn root_and_path(mut self) -> (Hash, Vec<Hash>) {
        let Some(mut top) = self.stack.pop() else {
            return (empty_root(), Vec::new());
        };
        while let Some(left) = self.stack.pop() {
            top = self.joined(&left, &top);
        }
        (top.hash, self.path)
    }
}

/// The root to which an audit path leads from a leaf, as RFC 9162 computes it in section 2.1.3.2. None for a path that is
/// too long or too short for a tree of this size.
#[must_use]
pub fn root_by_path(leaf: Hash, index: u64, leaf_count: u64, path: &[Hash]) -> Option<Hash> {
    let (mut at, mut last) = (index, leaf_count.checked_sub(1)?);
    if at > last {
        return None;
    }
    let mut root = leaf;
    for sibling in path {
        if last == 0 {
            return None;
        }
        if at % 2 == 1 || at == last {
            root = node(sibling, &root);
            while at % 2 == 0 && at != 0 {
                (at, last) = (at / 2, last / 2);
            }
        } else {
            root = node(&root, sibling);
        }
        (at, last) = (at / 2, last / 2);
    }
    (last == 0).then_some(root)
}
