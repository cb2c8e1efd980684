//! Writes an export, one line at a time, so that the caller streams it and nothing is held.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::line::{ActLine, CaseLine, CheckpointLine, EndLine, HeadLine, LeafLine};
use crate::{
    Checkpoint, EntryRef, FORMAT, Hash, Head, Leaf, PublicKey, Signature, VERSION, instant,
};

/// Makes the lines of an export. The caller writes each line followed by one line feed, the last one too.
///
/// It writes what the store holds and checks nothing: the export of a ledger that was tampered with must show it.
#[derive(Debug)]
pub struct Writer {
    digest: Sha256,
    case_count: u64,
    act_count: u64,
}

impl Writer {
    /// Begins an export; the line goes out first.
    #[must_use]
    pub fn new(head: &Head) -> (Self, String) {
        let mut writer = Self {
            digest: Sha256::new(),
            case_count: 0,
            act_count: 0,
        };
        let line = writer.line(&HeadLine {
            line: Cow::Borrowed("head"),
            format: Cow::Borrowed(FORMAT),
            version: VERSION,
            district: Cow::Borrowed(&head.district),
            exported_at: Cow::Owned(instant::shanghai(head.exported_at_us)),
            exported_at_us: head.exported_at_us,
            exporter: Cow::Borrowed(&head.exporter),
            case_filter: head.case_filter.as_deref().map(Cow::Borrowed),
        });
        (writer, line)
    }

    /// A checkpoint: all of them, from the first, before any leaf or case. `hash` is the stored one, not computed anew.
    #[must_use]
    pub fn checkpoint(
        &mut self,
        checkpoint: &Checkpoint,
        hash: &Hash,
        key: &PublicKey,
        signature: &Signature,
    ) -> String {
        self.line(&CheckpointLine {
            line: Cow::Borrowed("checkpoint"),
            number: checkpoint.number,
            day: Cow::Borrowed(&checkpoint.day),
            leaf_count: checkpoint.leaf_count,
            root: Cow::Owned(hex::encode(checkpoint.root)),
            previous: Cow::Owned(hex::encode(checkpoint.previous)),
            hash: Cow::Owned(hex::encode(hash)),
            key: Cow::Owned(hex::encode(key)),
            signature: Cow::Owned(hex::encode(signature)),
        })
    }

    /// What a checkpoint says of a case: before the line of that case, in the order of checkpoints. `proof` is the leaf's
    /// index and audit path; none in an export of the whole district, which has every leaf.
    #[must_use]
    pub fn leaf(&mut self, checkpoint: u64, leaf: &Leaf, proof: Option<(u64, &[Hash])>) -> String {
        self.line(&LeafLine {
            line: Cow::Borrowed("leaf"),
            subject: Cow::Borrowed(&leaf.subject),
            checkpoint,
            act_count: leaf.act_count,
            head: Cow::Owned(hex::encode(leaf.head)),
            index: proof.map(|(index, _)| index),
            path: proof.map(|(_, path)| path.iter().map(hex::encode).collect()),
        })
    }

    /// Begins a case: its acts follow, from the first to `act_count`, whose hash is `head`.
    ///
    /// Cases go out in ascending byte order of `subject` (`ORDER BY subject COLLATE "C"`), each once, so that a
    /// verifier notices a repeated one without remembering all.
    #[must_use]
    pub fn case(
        &mut self,
        subject: &str,
        receipt: Option<&str>,
        act_count: u64,
        head: &Hash,
    ) -> String {
        self.case_count += 1;
        self.line(&CaseLine {
            line: Cow::Borrowed("case"),
            subject: Cow::Borrowed(subject),
            receipt: receipt.map(Cow::Borrowed),
            act_count,
            head: Cow::Owned(hex::encode(head)),
        })
    }

    /// One act of the case that was begun last. `hash` and `previous` are the stored ones, not computed anew.
    ///
    /// `text` is a rendering for people. No hash of the chain covers it: a reader who doubts it decodes the payload.
    /// A line longer than [`MAX_LINE_BYTES`](crate::MAX_LINE_BYTES) will not verify.
    #[must_use]
    pub fn act<'a>(
        &mut self,
        entry: impl Into<EntryRef<'a>>,
        hash: &Hash,
        previous: &Hash,
        text: Option<&str>,
    ) -> String {
        let entry = entry.into();
        self.act_count += 1;
        self.line(&ActLine {
            line: Cow::Borrowed("act"),
            number: entry.number,
            kind: Cow::Borrowed(entry.kind),
            acted_at: Cow::Owned(instant::shanghai(entry.acted_at_us)),
            acted_at_us: entry.acted_at_us,
            actor: Cow::Borrowed(entry.actor),
            actor_site: Cow::Borrowed(entry.actor_site),
            is_demonstration: entry.is_demonstration,
            payload: Cow::Owned(STANDARD.encode(entry.payload)),
            previous: Cow::Owned(hex::encode(previous)),
            hash: Cow::Owned(hex::encode(hash)),
            text: text.map(Cow::Borrowed),
        })
    }

    /// Ends the export. An export without this line was cut.
    #[must_use]
    pub fn end(mut self) -> String {
        let digest = std::mem::take(&mut self.digest).finalize();
        self.line(&EndLine {
            line: Cow::Borrowed("end"),
            case_count: self.case_count,
            act_count: self.act_count,
            sha256: Cow::Owned(hex::encode(digest)),
        })
    }

    fn line(&mut self, line: &impl Serialize) -> String {
        let text =
            serde_json::to_string(line).expect("strings, numbers and booleans always serialise");
        self.digest.update(text.as_bytes());
        self.digest.update(b"\n");
        text
    }
}
