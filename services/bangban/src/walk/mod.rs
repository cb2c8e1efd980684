//! Two walks from the first contact to the ledger, by pure clients of the contracts; each step is told as a person would
//! tell it. [`allowance`]: an old woman is assisted by the agent of her village. [`licence`]: a shop owner asks, is
//! answered the next working day, and delegates a licence to an institution.
//!
//! To add a step: an [`act!`] and a [`Walk::tell`] in the file of its chapter.

mod allowance;
mod engine;
mod licence;

use bangban_kit::config::Config;

use crate::{
    client::Client, failure::Failure, ledger, sample::Sample, token::Signer, walk::engine::Walk,
};

/// Walks through an instance that runs at `address`, or where the configuration listens.
pub async fn against(config: &Config, address: Option<&str>) -> Result<(), Failure> {
    let client = Client::connect(config, address)?;
    walk(
        &Sample::shipped()?,
        &client,
        &Signer::open(config)?,
        String::new(),
    )
    .await
}

/// Walks through an instance whose issuer is `signer`, when it has seen `after`; both ledgers are verified at the end.
pub async fn walk(
    sample: &Sample,
    public: &Client,
    signer: &Signer,
    after: String,
) -> Result<(), Failure> {
    let agent = sample.agent()?;
    let mut walk = Walk::begin(sample, public, signer, agent, allowance::ITEM).await?;
    walk.after = after.clone();
    let mut report = walk.allowance().await?;
    let agent = sample.person(licence::AGENT)?;
    let mut walk = Walk::begin(sample, public, signer, agent, licence::ITEM).await?;
    // Consultation was not asked yet, and may be behind.
    walk.after = after;
    let second = walk.licence(signer).await?;
    report.verified += second.verified;
    report.cases += second.cases;
    report.problem_count += second.problem_count;
    report.problems.extend(second.problems);
    ledger::judge(&report)
}
