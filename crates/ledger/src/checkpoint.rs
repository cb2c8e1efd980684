//! The daily checkpoint of a district: what the heads of its chains were, in one hash that is signed and kept elsewhere
//! (BX-6).

use sha2::{Digest, Sha256};

use crate::{Hash, entry::bytes, merkle};

/// Keep these hashes apart from any other use of SHA-256, and name the order of the fields.
const LEAF_DOMAIN: &[u8] = b"bangban-leaf-v1\0";
const CHECKPOINT_DOMAIN: &[u8] = b"bangban-checkpoint-v1\0";

/// Where a case's chain stood when a checkpoint was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// The case's id.
    pub subject: String,
    /// How many acts its chain had.
    pub act_count: u64,
    /// The hash of the last of them.
    pub head: Hash,
}

impl Leaf {
    /// The leaf's hash in the Merkle tree.
    #[must_use]
    pub fn hash(&self) -> Hash {
        let mut data = LEAF_DOMAIN.to_vec();
        data.extend((self.subject.len() as u64).to_be_bytes());
        data.extend(self.subject.as_bytes());
        data.extend(self.act_count.to_be_bytes());
        data.extend(self.head);
        merkle::leaf(&data)
    }
}

/// What a checkpoint says, and what its signature covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The district's id.
    pub district: String,
    /// From 1, without gaps.
    pub number: u64,
    /// The day that it closes, `YYYY-MM-DD` in Asia/Shanghai.
    pub day: String,
    /// Cases whose chain grew since the checkpoint before.
    pub leaf_count: u64,
    /// Root of the Merkle tree over them, in byte order of the case.
    pub root: Hash,
    /// Hash of the checkpoint before; [`START`](crate::START) for the first.
    pub previous: Hash,
}

impl Checkpoint {
    /// The hash that is signed, and that the next checkpoint builds on.
    #[must_use]
    pub fn hash(&self) -> Hash {
        let mut hash = Sha256::new();
        hash.update(CHECKPOINT_DOMAIN);
        hash.update(self.previous);
        bytes(&mut hash, self.district.as_bytes());
        hash.update(self.number.to_be_bytes());
        bytes(&mut hash, self.day.as_bytes());
        hash.update(self.leaf_count.to_be_bytes());
        hash.update(self.root);
        hash.finalize().into()
    }
}
