//! Loads what comes in files: the region tree and a district's catalogue. Checked as a whole before anything is written.

mod catalogue;
mod regions;

use bangban_store::Error;

use crate::domain::complaint::Complaint;

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// What was written: regions, or departments, versions and rules.
    pub written: u64,
    /// What was there already, the same.
    pub unchanged: u64,
    /// Versions of items that say `is_published: false`: they were read and left out.
    pub draft_count: u64,
    /// The region data set that is in force now; empty for a catalogue.
    pub data_set: String,
}

/// Why nothing, or not everything, was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Everything that is wrong with the input. Nothing was written.
    #[error(
        "有{count}处错误，未写入任何内容 / {count} rows or entries are wrong; nothing was written:
{lines}",
        count = .0.len(),
        lines = lines(.0)
    )]
    Wrong(Vec<Complaint>),
    /// Another import of regions is under way: nothing was done.
    #[error(
        "另一个区划导入正在进行，本次未执行，请等它结束后再试 / another import of regions is running, nothing was done: try again when it has ended"
    )]
    Running,
    /// The database, or a refusal.
    #[error(transparent)]
    Store(#[from] Error),
}

impl From<sea_orm::DbErr> for ImportError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Store(error.into())
    }
}

fn lines(wrong: &[Complaint]) -> String {
    let lines: Vec<_> = wrong.iter().map(Complaint::to_string).collect();
    lines.join("\n")
}
