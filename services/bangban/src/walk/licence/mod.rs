//! A shop owner asks about a food business licence, is answered by the next working day, and has it obtained by an
//! institution that acts under written powers (代办).

mod consult;
mod delegate;
mod department;
mod finish;

use bangban_kit::identity::Person;
use bangban_ledger::Report;

use crate::{client::Client, failure::Failure, token::Signer, walk::engine::Walk};

/// The item.
pub const ITEM: &str = "food-business-licence";

/// Who serves the shop owner.
pub const AGENT: &str = "liu-chunyan";

/// The shop.
const APPLICANT: &str = "luo-snack-bar";

/// Who accepts and decides.
const DEPARTMENT: &str = "秭归县市场监督管理局";

/// A clerk of the department.
fn clerk(department: &str, region: &str) -> Person {
    Person {
        subject: "clerk-of-market-supervision".to_owned(),
        roles: vec!["department".to_owned()],
        region: region.to_owned(),
        department: department.to_owned(),
        ..Person::default()
    }
}

impl Walk<'_> {
    /// From the first question to the ledger.
    pub(super) async fn licence(&mut self, signer: &Signer) -> Result<Report, Failure> {
        let clerk = clerk(&self.item.department, &self.sample.district.region);
        let clerk: Client = self.public.with(&signer.token(&clerk, 1)?)?;
        let asked = self.ask().await?;
        let referred = self.refer(asked).await?;
        let answered = self.answer(referred, &clerk).await?;
        self.convert(answered).await?;
        self.agree().await?;
        self.hand_over_materials().await?;
        self.delegate().await?;
        self.file_for_him().await?;
        self.correct(&clerk).await?;
        self.accepted(&clerk).await?;
        self.checked_on_site(&clerk).await?;
        self.extended(&clerk).await?;
        self.granted(&clerk).await?;
        self.post().await?;
        self.close().await?;
        self.ledger().await
    }
}
