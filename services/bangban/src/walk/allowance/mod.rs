//! An old woman is assisted with her old-age allowance by the agent of her village (帮办).

mod appointment;
mod department;
mod finish;
mod gather;

use bangban_ledger::Report;

use crate::{failure::Failure, walk::engine::Walk};

/// The item.
pub const ITEM: &str = "old-age-allowance";

impl Walk<'_> {
    /// From the first contact to the ledger.
    pub(super) async fn allowance(&mut self) -> Result<Report, Failure> {
        self.open().await?;
        self.notice_and_consent().await?;
        self.materials().await?;
        self.assist_online().await?;
        self.file().await?;
        self.acceptance().await?;
        self.decision().await?;
        self.appointment().await?;
        self.deliver().await?;
        self.file_away().await?;
        self.progress().await?;
        self.ledger().await
    }
}
