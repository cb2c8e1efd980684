//! What is wrong with a file that is to be imported, and where.

use std::fmt;

use bangban_kit::refusal::Refusal;

/// A complaint: `file:line: what is wrong`, in Chinese and English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Name of the file, without its folder.
    pub file: String,
    /// Line, from 1; 0 for the file as a whole.
    pub line: u64,
    /// Stable name of the rule and the requirement behind it, as the contract's refusals have them; empty where only
    /// the form of the file is wrong.
    pub reason: String,
    /// What is wrong.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

impl Complaint {
    /// A complaint about the form of a file.
    #[must_use]
    pub fn new(file: &str, line: u64, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line,
            reason: String::new(),
            zh: zh.into(),
            en: en.into(),
        }
    }

    /// A refusal, as a complaint.
    #[must_use]
    pub fn refused(file: &str, line: u64, refusal: &Refusal) -> Self {
        let reason = match refusal.requirement {
            "" => refusal.reason.to_owned(),
            requirement => format!("{} ({requirement})", refusal.reason),
        };
        Self {
            reason,
            ..Self::new(file, line, &refusal.zh, &refusal.en)
        }
    }

    /// The same, about this thing.
    #[must_use]
    pub fn about(mut self, thing: &str) -> Self {
        self.zh = format!("{thing}：{}", self.zh);
        self.en = format!("{thing}: {}", self.en);
        self
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if !self.reason.is_empty() {
            write!(f, "{}: ", self.reason)?;
        }
        write!(f, "{} / {}", self.zh, self.en)
    }
}
