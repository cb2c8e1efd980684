//! Checkpoints that are kept elsewhere, as lines of JSON: what an export is compared with, so that an end that was cut off
//! together with its checkpoints is found.

use serde::{Deserialize, Serialize};

use crate::{Checkpoint, Hash, PublicKey, key, text};

/// A checkpoint as it is kept. Hashes and signature in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The district's id.
    pub district: String,
    /// From 1.
    pub number: u64,
    /// The day that it closes.
    pub day: String,
    /// Leaves of its tree.
    pub leaf_count: u64,
    /// Root of its tree.
    pub root: String,
    /// Hash of the checkpoint before.
    pub previous: String,
    /// Its hash.
    pub hash: String,
    /// Id of the key.
    pub key: String,
    /// Over the hash.
    pub signature: String,
}

impl Kept {
    /// Reads one line.
    ///
    /// # Errors
    /// What is wrong with it: not these members, or a hash that is not that of the rest.
    pub fn parse(line: &str) -> Result<Self, String> {
        let kept: Self = serde_json::from_str(line).map_err(|e| e.to_string())?;
        match kept.hash() {
            Some(_) => Ok(kept),
            None => Err(format!(
                "the hash of checkpoint {} is not that of what it says",
                kept.number
            )),
        }
    }

    /// Its hash, when that follows from the rest.
    #[must_use]
    pub fn hash(&self) -> Option<Hash> {
        let checkpoint = Checkpoint {
            district: self.district.clone(),
            number: self.number,
            day: self.day.clone(),
            leaf_count: self.leaf_count,
            root: text::hash(&self.root)?,
            previous: text::hash(&self.previous)?,
        };
        text::hash(&self.hash).filter(|hash| *hash == checkpoint.hash())
    }

    /// Whether one of these keys signed it.
    #[must_use]
    pub fn is_signed_by(&self, keys: &[PublicKey]) -> bool {
        let (Some(hash), Some(signature)) = (self.hash(), text::signature(&self.signature)) else {
            return false;
        };
        keys.iter()
            .any(|key| key::is_signed(key, &hash, &signature))
    }
}

/// What a verification may rely on beside the file.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Keys that may have signed; none: each checkpoint is taken at its word for its key.
    pub keys: Vec<PublicKey>,
    /// Checkpoints that must be in the file.
    pub kept: Vec<Kept>,
}
