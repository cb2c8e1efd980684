//! What a verification found, in words for whoever asked.

use serde::Serialize;

use crate::Head;

/// How many problems a [`Report`] describes; the rest is only counted.
pub const MAX_PROBLEMS: usize = 100;

/// How many characters of the file a sentence or a name quotes: the file is not trusted.
const MAX_QUOTED: usize = 120;

/// The result of a verification.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What the export says about itself; none where the head line is missing or unreadable.
    pub head: Option<Head>,
    /// Case lines read.
    pub cases: u64,
    /// Act lines read.
    pub acts: u64,
    /// Cases whose chain holds, from the first act to the stated head, and is that of the checkpoints.
    pub verified: u64,
    /// Checkpoint lines read.
    pub checkpoints: u64,
    /// Cases that were compared with a checkpoint.
    pub covered: u64,
    /// The last checkpoint of the file: its number and its day.
    pub last_checkpoint: Option<(u64, String)>,
    /// Ids of the keys that signed, as far as the signatures are right; at most ten.
    pub signers: Vec<String>,
    /// The first [`MAX_PROBLEMS`] problems, in the order of the file.
    pub problems: Vec<Problem>,
    /// All problems, those not described too.
    pub problem_count: u64,
}

impl Report {
    /// Whether nothing is wrong: the export is whole and every chain in it holds.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.problem_count == 0
    }

    /// Whether the export says that it holds a part of the district only: then nobody can tell whether a case is missing.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        self.head.as_ref().is_some_and(|h| h.case_filter.is_some())
    }

    pub(crate) fn add(&mut self, place: Place<'_>, kind: ProblemKind, more: &str) {
        self.problem_count += 1;
        if self.problems.len() < MAX_PROBLEMS {
            let (zh, en) = kind.sentences();
            let (zh, en) = if more.is_empty() {
                (zh.to_owned(), en.to_owned())
            } else {
                let more = quoted(more);
                (format!("{zh}（{more}）"), format!("{en} ({more})"))
            };
            self.problems.push(Problem {
                line: place.line,
                subject: place.subject.map(quoted),
                number: place.number,
                checkpoint: place.checkpoint,
                kind,
                zh,
                en,
            });
        }
    }
}

/// Where a problem is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place<'a> {
    pub line: u64,
    pub subject: Option<&'a str>,
    pub number: Option<u64>,
    pub checkpoint: Option<u64>,
}

/// One thing that is wrong with an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The line of the file, from 1; for what is missing at the end, the last line.
    pub line: u64,
    /// The case, where there is one; shortened, control characters replaced.
    pub subject: Option<String>,
    /// The act's number, where there is one.
    pub number: Option<u64>,
    /// The checkpoint's number, where there is one.
    pub checkpoint: Option<u64>,
    /// What is wrong.
    pub kind: ProblemKind,
    /// The same in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// What can be wrong with an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProblemKind {
    /// The file does not begin with a head line. Nothing else was verified.
    HeadMissing,
    /// A second head line.
    HeadRepeated,
    /// Another format, or a version that this verifier does not know. Nothing else was verified.
    UnknownVersion,
    /// A kind of line that this verifier does not know.
    UnknownLine,
    /// Not JSON, or not the fields of its kind.
    BadLine,
    /// Longer than [`MAX_LINE_BYTES`](crate::MAX_LINE_BYTES).
    LineTooLong,
    /// A local time that is not the instant beside it.
    TimeDiffers,
    /// A case that already went by.
    CaseRepeated,
    /// A case that should stand earlier: moved, or repeated.
    CaseMisplaced,
    /// A case without a single act.
    CaseEmpty,
    /// Not as many acts as the case line states.
    CaseCountDiffers,
    /// The last act's hash is not the stated head.
    CaseHeadDiffers,
    /// An act before any case line.
    ActWithoutCase,
    /// The content does not give the stated hash.
    ActChanged,
    /// The act does not build on the one before it.
    ChainBroken,
    /// Numbers are skipped.
    ActMissing,
    /// A number that already went by: repeated, or out of order.
    ActMisplaced,
    /// No end line, or a cut one.
    EndMissing,
    /// Not as many cases or acts as the end line states.
    EndCountDiffers,
    /// The bytes before the end line are not those that were exported.
    EndDigestDiffers,
    /// Something after the end line.
    AfterEnd,
    /// A checkpoint knows the case, and it is not in the file.
    CaseMissing,
    /// The chain is shorter than a checkpoint says: the number is that of the last act that is here.
    CaseCut,
    /// The act has another hash than a checkpoint says: it, or one before it, was written anew.
    CaseRewritten,
    /// Numbers of checkpoints are skipped.
    CheckpointMissing,
    /// A checkpoint out of order, repeated, or behind the first case.
    CheckpointMisplaced,
    /// The content of a checkpoint does not give the stated hash.
    CheckpointChanged,
    /// A checkpoint does not build on the one before it.
    CheckpointBroken,
    /// The signature is not that of the stated key.
    CheckpointForged,
    /// Signed with a key that is not among those that were given.
    CheckpointKeyUnknown,
    /// The leaves in the file do not give the root: some were taken out, added or changed.
    CheckpointRootDiffers,
    /// A leaf out of order or repeated.
    LeafMisplaced,
    /// A leaf of a checkpoint that is not in the file.
    LeafWithoutCheckpoint,
    /// The audit path does not lead to the root.
    LeafUnproven,
    /// A checkpoint that is kept elsewhere is not in the file.
    KeptMissing,
    /// A checkpoint that is kept elsewhere is another one.
    KeptDiffers,
    /// A checkpoint that is kept elsewhere belongs to another district.
    KeptForeign,
    /// A checkpoint that is kept elsewhere is not signed with a key that was given.
    KeptForged,
}

impl ProblemKind {
    fn sentences(self) -> (&'static str, &'static str) {
        match self {
            Self::HeadMissing => (
                "文件不以台账导出的首行开头",
                "the file does not begin with the head line of a ledger export",
            ),
            Self::HeadRepeated => ("首行重复出现", "there is a second head line"),
            Self::UnknownVersion => (
                "格式或版本未知，无法核验",
                "the format or its version is unknown and cannot be verified",
            ),
            Self::UnknownLine => (
                "行的种类未知，未核验",
                "the kind of line is unknown and was not verified",
            ),
            Self::BadLine => (
                "该行不是合规的内容",
                "the line is not what its kind demands",
            ),
            Self::LineTooLong => (
                "该行过长，未核验",
                "the line is too long and was not verified",
            ),
            Self::TimeDiffers => (
                "所示时间与记录的时刻不符",
                "the time shown is not the instant recorded",
            ),
            Self::CaseRepeated => ("同一办件重复出现", "the case is here twice"),
            Self::CaseMisplaced => (
                "办件次序有误或重复出现",
                "the case is out of order or here twice",
            ),
            Self::CaseEmpty => ("办件没有任何记录", "the case has no acts"),
            Self::CaseCountDiffers => (
                "办件的记录数与所载不符",
                "the case does not have as many acts as stated",
            ),
            Self::CaseHeadDiffers => (
                "办件的末条哈希与所载不符",
                "the case does not end with the stated hash",
            ),
            Self::ActWithoutCase => ("记录不属于任何办件", "the act belongs to no case"),
            Self::ActChanged => ("记录内容被改动", "the act was changed"),
            Self::ChainBroken => (
                "记录与前一条不衔接",
                "the act does not follow from the one before it",
            ),
            Self::ActMissing => ("缺少记录", "acts are missing"),
            Self::ActMisplaced => (
                "记录次序有误或重复出现",
                "the act is out of order or here twice",
            ),
            Self::EndMissing => (
                "文件不完整，缺少末行",
                "the file was cut: the end line is missing or not whole",
            ),
            Self::EndCountDiffers => (
                "办件数或记录数与末行所载不符",
                "there are not as many cases or acts as the end line states",
            ),
            Self::EndDigestDiffers => (
                "文件内容与导出时不一致",
                "the file is not the one that was exported",
            ),
            Self::AfterEnd => ("末行之后仍有内容", "there is something after the end line"),
            Self::CaseMissing => (
                "检查点记载的办件不在文件中",
                "a checkpoint knows this case, and it is not in the file",
            ),
            Self::CaseCut => (
                "办件记录在此条之后被截断，检查点记载的更多",
                "the case was cut after this act: a checkpoint knows more",
            ),
            Self::CaseRewritten => (
                "办件记录被重写：截至此条的哈希与检查点所载不符",
                "the case was rewritten: up to this act it is not what a checkpoint says",
            ),
            Self::CheckpointMissing => ("缺少检查点", "checkpoints are missing"),
            Self::CheckpointMisplaced => (
                "检查点次序有误或重复出现",
                "the checkpoint is out of order or here twice",
            ),
            Self::CheckpointChanged => ("检查点内容被改动", "the checkpoint was changed"),
            Self::CheckpointBroken => (
                "检查点与前一个不衔接",
                "the checkpoint does not follow from the one before it",
            ),
            Self::CheckpointForged => (
                "检查点签名不正确",
                "the signature of the checkpoint is wrong",
            ),
            Self::CheckpointKeyUnknown => (
                "检查点由未知密钥签名",
                "the checkpoint is signed with another key than those given",
            ),
            Self::CheckpointRootDiffers => (
                "检查点的叶与其根不符，有办件被删除、添加或改动",
                "the leaves are not those of the checkpoint: cases were taken out, added or changed",
            ),
            Self::LeafMisplaced => (
                "检查点的叶次序有误或重复出现",
                "the leaf is out of order or here twice",
            ),
            Self::LeafWithoutCheckpoint => (
                "叶所属的检查点不在文件中",
                "the leaf belongs to a checkpoint that is not in the file",
            ),
            Self::LeafUnproven => (
                "叶的证明路径与检查点的根不符",
                "the audit path of the leaf does not lead to the root of its checkpoint",
            ),
            Self::KeptMissing => (
                "别处保存的检查点不在文件中：文件末尾被截断，或导出早于该检查点",
                "a checkpoint kept elsewhere is not in the file: its end was cut off, or it was exported before that checkpoint was made",
            ),
            Self::KeptDiffers => (
                "检查点与别处保存的不同",
                "the checkpoint is not the one that is kept elsewhere",
            ),
            Self::KeptForeign => (
                "别处保存的检查点属于其他区县",
                "a checkpoint kept elsewhere belongs to another district",
            ),
            Self::KeptForged => (
                "别处保存的检查点签名不正确",
                "a checkpoint kept elsewhere is not signed with a key that was given",
            ),
        }
    }
}

fn quoted(text: &str) -> String {
    text.chars()
        .take(MAX_QUOTED)
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .collect()
}
