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
    /// Cases whose chain holds, from the first act to the stated head.
    pub verified: u64,
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

    pub(crate) fn add(
        &mut self,
        line: u64,
        subject: Option<&str>,
        number: Option<u64>,
        kind: ProblemKind,
        more: &str,
    ) {
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
                line,
                subject: subject.map(quoted),
                number,
                kind,
                zh,
                en,
            });
        }
    }
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
        }
    }
}

fn quoted(text: &str) -> String {
    text.chars()
        .take(MAX_QUOTED)
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .collect()
}
