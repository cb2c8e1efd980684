//! What an agent may do for a principal, worked out anew from the acts: it asks no rule of the service.

use std::collections::BTreeSet;

use bangban_casework::domain::Act;
use bangban_kit::identity::Caller;
use bangban_proto::bangban::{directory::v1::Power, options::v1::Role};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;

/// A paper between principal and institution.
#[derive(Debug, Clone)]
struct Paper {
    number: u32,
    item: (String, u32),
    powers: BTreeSet<i32>,
    agent: String,
    site: String,
    from: NaiveDate,
    until: NaiveDate,
    is_signed: bool,
    is_over: bool,
}

/// All papers of a case, as its acts tell.
#[derive(Debug, Clone, Default)]
pub struct Powers {
    item: (String, u32),
    papers: Vec<Paper>,
}

impl Powers {
    /// How many papers give powers.
    pub fn in_force(&self) -> usize {
        self.papers
            .iter()
            .filter(|p| p.is_signed && !p.is_over)
            .count()
    }

    fn give(&self, power: Power, caller: &Caller, now: DateTime<Utc>) -> bool {
        // Offices keep the time of Shanghai: eight hours ahead.
        let today = (now + TimeDelta::hours(8)).date_naive();
        self.papers.iter().any(|paper| {
            paper.is_signed
                && !paper.is_over
                && paper.item == self.item
                && paper.agent == caller.subject
                && paper.site == caller.site
                && (paper.from..=paper.until).contains(&today)
                && paper.powers.contains(&i32::from(power))
        })
    }

    /// Follows an act.
    pub fn saw(&mut self, act: &Act) {
        match act {
            Act::CaseOpened(a) => {
                let case = a.case.clone().unwrap_or_default();
                self.item = (case.item, case.item_version);
            }
            Act::DelegationDrafted(a) => {
                let draft = a.agreement.clone().unwrap_or_default();
                self.papers.push(Paper {
                    number: draft.number,
                    item: (draft.item, draft.item_version),
                    powers: draft.powers.into_iter().collect(),
                    agent: draft.agent,
                    site: draft.institution,
                    from: draft.from.parse().expect("a date"),
                    until: draft.until.parse().expect("a date"),
                    is_signed: false,
                    is_over: false,
                });
            }
            Act::DelegationSigned(a) => {
                for paper in self.papers.iter_mut().filter(|p| p.number == a.number) {
                    paper.is_signed = true;
                }
            }
            Act::DelegationEnded(a) => {
                for paper in self.papers.iter_mut().filter(|p| p.number == a.number) {
                    paper.is_over = true;
                }
            }
            Act::HandoverAccepted(a) => {
                let held = self.papers.iter_mut().filter(|p| p.is_signed && !p.is_over);
                for paper in held {
                    paper.agent.clone_from(&a.agent);
                    paper.site.clone_from(&a.site);
                }
            }
            _ => {}
        }
    }
}

/// The power without which an act may not be done by this caller; none when no power is needed.
fn needed(act: &Act, caller: &Caller, is_agency: bool) -> Option<Power> {
    match act {
        Act::ApplicationFiled(a) => {
            let signed = a.filing.as_ref().is_some_and(|f| f.applicant_signed);
            (!signed).then_some(Power::Submit)
        }
        Act::DocumentReceived(_) => Some(Power::ReceiveDocument),
        Act::CorrectionAnswered(_) if is_agency => Some(Power::Supplement),
        Act::AcceptanceReported(_)
        | Act::CorrectionNoticeReported(_)
        | Act::DecisionReported(_)
            if is_agency && !caller.has(Role::Department) =>
        {
            Some(Power::ReceiveNotices)
        }
        _ => None,
    }
}

/// Judges acts by what was known before them: none outside the agreement (BX-4).
pub fn judge(
    mut before: Powers,
    acts: &[Act],
    caller: &Caller,
    now: DateTime<Utc>,
) -> Result<(), TestCaseError> {
    for act in acts {
        if let Some(power) = needed(act, caller, before.in_force() > 0) {
            prop_assert!(
                before.give(power, caller, now),
                "{} of {} at {now} had no power {power:?} for {act:?}: {before:?}",
                caller.subject,
                caller.site
            );
        }
        before.saw(act);
    }
    Ok(())
}
