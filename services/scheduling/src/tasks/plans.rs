//! Published days are planned anew when directory has changed a calendar or a site's opening hours (BB-9.2b).
//!
//! A few sites at a time, each in a transaction of its own, so that a change of the whole country holds nothing up. What
//! was done is found done by whoever does it again.

use bangban_kit::identity::Caller;
use bangban_store::{Error, write};
use chrono::NaiveDate;

use crate::{
    domain::slot,
    rpc::Rpc,
    store::{
        capacity,
        plans::{self, Change},
    },
    work,
};

/// Sites that are planned anew before other due work has its turn.
const SITES: i64 = 20;

/// How often a site is decided again at once because somebody else was faster.
const ATTEMPTS: usize = 5;

/// Carries out the next part of the oldest change; answers how many steps that took.
pub(super) async fn carry_out(rpc: &Rpc) -> Result<usize, Error> {
    let changes = plans::open(&rpc.store).await?;
    let Some(change) = changes.first() else {
        return Ok(0);
    };
    let sites = plans::sites(&rpc.store, change, SITES).await?;
    for (district, site) in &sites {
        let mut planned = planned_anew(rpc, (district, site), &changes).await;
        for _ in 0..ATTEMPTS {
            if planned.as_ref().is_err_and(is_passing) {
                planned = planned_anew(rpc, (district, site), &changes).await;
            }
        }
        match planned {
            // One site that cannot be planned stops no other.
            Err(Error::Refused(refusal)) => tracing::warn!(
                district,
                site,
                %refusal,
                "published days of a site cannot be planned anew; they stay as they are"
            ),
            done => done?,
        }
    }
    plans::passed(&rpc.store, change, sites.last()).await?;
    Ok(sites.len().max(1))
}

/// Whether it is to be decided anew: also where somebody has just taken a seat for the first time that is withdrawn.
fn is_passing(error: &Error) -> bool {
    error.is_passing() || matches!(error, Error::Taken(what) if what.contains("seats"))
}

/// Why a day of a site is to be planned anew; none if no change touches it.
fn why(changes: &[Change], (district, site): (&str, &str), date: NaiveDate) -> Option<String> {
    let date = date.to_string();
    let touching = changes
        .iter()
        .filter(|c| c.whose.has(district, site, &date));
    let reasons: Vec<&str> = touching.map(|c| c.reason.as_str()).collect();
    (!reasons.is_empty()).then(|| reasons.join("；"))
}

/// Plans the days of a site anew that changes touch, in one transaction.
async fn planned_anew(
    rpc: &Rpc,
    (district, id): (&str, &str),
    changes: &[Change],
) -> Result<(), Error> {
    let store = &rpc.store;
    let as_of = plans::as_of(store).await?;
    let known = rpc.learned.now(district).await?;
    let site = known.site(id).ok_or_else(|| slot::site_unknown(id))?;
    let kept = capacity::of_site(store, district, id).await?;
    let plan = work::plan(site, &kept.body, &known);
    let now = store.now().await?;
    let caller = Caller::system("scheduling");
    let why = |date| why(changes, (district, id), date);
    let mut effect =
        work::replanned(store, (district, site), (&plan, &plan), why, &caller, now).await?;
    if effect.states.is_empty() {
        return Ok(());
    }
    effect.states.extend([
        capacity::unchanged(district, id, kept.version),
        capacity::revised_as_of(Some(as_of)),
    ]);
    // Not by `write_all`: a plan may be another while no slot is, and then there is no act.
    let transaction = write::begin(&store.db).await?;
    for state in effect.states {
        if state.execute(&transaction).await?.rows_affected() != 1 {
            transaction.rollback().await?;
            return Err(Error::Conflict);
        }
    }
    for chain in &effect.chains {
        store.append(&transaction, chain, None).await?;
    }
    transaction.commit().await?;
    store.woken();
    rpc.forget(district, &effect.days).await
}
