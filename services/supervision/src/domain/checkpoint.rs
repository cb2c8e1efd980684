//! Judging checkpoints (BX-6): by their chain, by the key that was seen first, and by what was kept before.

use bangban_ledger::{Hash, PublicKey, START, Signature, is_signed, key_id};
use bangban_proto::bangban::{casework::v1::Checkpoint, supervision::v1::CheckpointDifference};

/// What a checkpoint is judged by.
#[derive(Debug, Clone, Default)]
pub struct Before {
    /// The key that was seen first.
    pub key: Option<PublicKey>,
    /// Hash of the one that is kept under the number before.
    pub previous: Option<Hash>,
    /// Hash of the one that is kept under the same number.
    pub same_number: Option<Hash>,
}

/// The content of a checkpoint with its hash and signature; none when one of them has not the length that it must have.
fn read(checkpoint: &Checkpoint) -> Option<(bangban_ledger::Checkpoint, Hash, Signature)> {
    let hash = |bytes: &[u8]| Hash::try_from(bytes).ok();
    let content = bangban_ledger::Checkpoint {
        district: checkpoint.district.clone(),
        number: checkpoint.number,
        day: checkpoint.day.clone(),
        leaf_count: checkpoint.leaf_count,
        root: hash(&checkpoint.root)?,
        previous: hash(&checkpoint.previous)?,
    };
    let signature = Signature::try_from(checkpoint.signature.as_slice()).ok()?;
    Some((content, hash(&checkpoint.hash)?, signature))
}

/// What is wrong with a checkpoint; empty when nothing is.
#[must_use]
pub fn finding(checkpoint: &Checkpoint, district: &str, before: &Before) -> String {
    let Some((content, hash, signature)) = read(checkpoint) else {
        return "检查点内容不完整 / the checkpoint lacks hashes or its signature".to_owned();
    };
    let previous = if content.number == 1 {
        Some(START)
    } else {
        before.previous
    };
    let mut wrong = Vec::new();
    if content.district != district {
        wrong.push("区县不符 / it names another district".to_owned());
    }
    if content.hash() != hash {
        wrong.push("内容与哈希不符 / its hash is not that of what it says".to_owned());
    }
    match before.key {
        None => wrong.push("签名公钥未知 / the key is not known".to_owned()),
        Some(key) if key_id(&key) != checkpoint.key => wrong.push(format!(
            "签名密钥 {} 不是首次所见的 {} / signed with key {0}, not with {1} that was seen first",
            checkpoint.key,
            key_id(&key)
        )),
        Some(key) if !is_signed(&key, &hash, &signature) => {
            wrong.push("签名不正确 / the signature is wrong".to_owned());
        }
        Some(_) => {}
    }
    if before.same_number.is_some_and(|kept| kept != hash) {
        wrong
            .push("此前已收到同号的另一检查点 / another one of this number came before".to_owned());
    } else if previous.is_none() {
        wrong.push("缺少前一检查点 / the one before it never came".to_owned());
    } else if previous != Some(content.previous) {
        wrong.push("与前一检查点不衔接 / it does not build on the one before it".to_owned());
    }
    wrong.join("；")
}

/// Where the checkpoints that are kept and those that casework shows part. Both in the order of their numbers.
#[must_use]
pub fn compare(kept: &[Checkpoint], shown: &[Checkpoint]) -> (u64, Vec<CheckpointDifference>) {
    let (mut same, mut differences) = (0, Vec::new());
    let (mut kept, mut shown) = (kept.iter().peekable(), shown.iter().peekable());
    loop {
        let told = |number: u64, kind: &str| CheckpointDifference {
            number,
            kind: kind.to_owned(),
        };
        let (ours, theirs) = (kept.peek().copied(), shown.peek().copied());
        let (our, their) = (ours.map(|c| c.number), theirs.map(|c| c.number));
        match (our, their) {
            (None, None) => return (same, differences),
            (Some(our), their) if their.is_none_or(|their| our < their) => {
                differences.push(told(our, "CUT"));
                kept.next();
            }
            (our, Some(their)) if our.is_none_or(|our| their < our) => {
                differences.push(told(their, "UNKNOWN"));
                shown.next();
            }
            _ => {
                let (ours, theirs) = (kept.next(), shown.next());
                // What was signed is what counts; an unsigned instant beside it is not.
                if is_same(ours, theirs) {
                    same += 1;
                } else {
                    differences.push(told(our.unwrap_or_default(), "CHANGED"));
                }
            }
        }
    }
}

/// Alike in hash, and in what the hash is of.
fn is_same(ours: Option<&Checkpoint>, theirs: Option<&Checkpoint>) -> bool {
    let (Some((ours, our_hash, _)), Some((theirs, their_hash, _))) =
        (ours.and_then(read), theirs.and_then(read))
    else {
        return false;
    };
    ours == theirs && our_hash == their_hash
}
