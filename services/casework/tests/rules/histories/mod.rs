//! Properties over random histories of whole cases, assisted and of agency, with time passing from hours to weeks, wrong
//! commands and wrong callers among them. What an agent may do is judged by [`Powers`], which knows the acts alone.

mod assisted;
mod choices;
mod commands;
mod powers;
mod promises;

use std::{cell::RefCell, collections::BTreeMap};

use bangban_casework::{
    domain::{Act, clock, complete, delegation, fold, outside::timestamp},
    tasks,
};
use bangban_kit::{identity::Caller, refusal::Kind};
use bangban_ledger::{Entry, Hash, Head, START, Writer, verify};
use bangban_limits::clock as limits;
use bangban_proto::bangban::casework::v1::{Case, CaseAct, CaseKind, CaseState, DelegationEnd};
use bangban_store::{Now, write::Chain};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use prost::Message as _;

use self::{
    choices::{By, What},
    powers::Powers,
    promises::{is_whole, left_grows_with_extensions_only, left_shrinks, outlives, stands_still},
};
use crate::story::Story;

/// Histories, and the longest of them.
const HISTORIES: u32 = 300;
const LONGEST: usize = 60;

/// What kind of case it is, and how its principal delegates.
#[derive(Debug, Clone)]
struct Plan {
    kind: CaseKind,
    is_enterprise: bool,
    is_for_agency: bool,
    /// Which of the four powers, one bit each; SUBMIT always.
    powers: u8,
    term_days: u64,
}

/// Time passes, perhaps the sweep runs, somebody gives a command.
#[derive(Debug, Clone)]
struct Step {
    hours: i64,
    is_swept: bool,
    by: By,
    what: What,
}

fn plans() -> impl Strategy<Value = Plan> {
    (
        any::<bool>(),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.75),
        prop_oneof![3 => Just(15_u8), 1 => 0_u8..16],
        prop_oneof![1 => 0_u64..15, 2 => 30_u64..300],
    )
        .prop_map(
            |(opens_as_agency, is_enterprise, is_for_agency, powers, term_days)| Plan {
                kind: if opens_as_agency {
                    CaseKind::Agency
                } else {
                    CaseKind::Assist
                },
                is_enterprise,
                is_for_agency,
                powers: powers | 1,
                term_days,
            },
        )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let hours = prop_oneof![
        12 => Just(0_i64),
        6 => 1_i64..9,
        2 => 24_i64..72,
        1 => 168_i64..504,
    ];
    let step = (hours, prop::bool::weighted(0.7), By::any(), What::any()).prop_map(
        |(hours, is_swept, by, what)| Step {
            hours,
            is_swept,
            by,
            what,
        },
    );
    prop::collection::vec(step, 20..=LONGEST)
}

/// A case with everything that was written about it.
struct History {
    story: Story,
    plan: Plan,
    powers: Powers,
    /// Who is responsible, by the acts alone.
    responsible: String,
    entries: Vec<(Entry, Hash, Hash, DateTime<Utc>)>,
    chain: (u64, Hash),
    counts: BTreeMap<&'static str, u32>,
}

impl History {
    fn new(plan: Plan) -> Self {
        let story = Story::new(crate::story::agency_item());
        let mut history = Self {
            responsible: story.caller.subject.clone(),
            story,
            plan,
            powers: Powers::default(),
            entries: Vec::new(),
            chain: (0, START),
            counts: BTreeMap::new(),
        };
        let (kind, is_enterprise) = (history.plan.kind, history.plan.is_enterprise);
        let mode = bangban_proto::bangban::types::v1::Channel::Online;
        let acts = history.story.open_as(mode, kind, is_enterprise);
        let caller = history.story.caller.clone();
        history.write(acts.expect("opened"), &caller);
        history
    }

    /// Writes acts as the store does: hashed one on the other, applied one after the other.
    fn write(&mut self, acts: Vec<Act>, caller: &Caller) {
        let now = self.story.now;
        let case = &mut self.story.case;
        let mut chain = Chain::new(
            "zigui",
            "cases/c1".to_owned(),
            self.chain.0,
            self.chain.1,
            caller,
            Now::from_row(now.timestamp_micros(), 0),
        );
        for act in acts {
            self.powers.saw(&act);
            if let Act::HandoverAccepted(accepted) = &act {
                self.responsible.clone_from(&accepted.agent);
            }
            fold::apply(case, &act, timestamp(now), false);
            let kind = fold::kind(&act);
            let payload = CaseAct { act: Some(act) }.encode_to_vec();
            let entry = Entry {
                district: "zigui".to_owned(),
                subject: "cases/c1".to_owned(),
                number: chain.number + 1,
                kind: kind.to_owned(),
                acted_at_us: now.timestamp_micros(),
                actor: caller.subject.clone(),
                actor_site: caller.site.clone(),
                is_demonstration: false,
                payload: payload.clone(),
            };
            let previous = chain.head;
            let hash = entry.hash(&previous);
            chain = chain.act(kind, payload);
            assert_eq!(chain.head, hash);
            self.entries.push((entry, hash, previous, now));
        }
        self.chain = (chain.number, chain.head);
    }

    /// What the service does unasked, until it finds nothing more to do.
    fn sweep(&mut self) -> Result<(), TestCaseError> {
        let system = Caller::system("casework");
        for _ in 0..10 {
            let now = self.story.now.timestamp();
            let is_called = clock::attention_at(&self.story.case).is_some_and(|at| at <= now);
            let mut acts = tasks::due_acts(&self.story.case, now);
            acts.extend(
                delegation::expired(&self.story.case, &self.story.outside()).expect("counted"),
            );
            prop_assert_eq!(
                is_called,
                !acts.is_empty(),
                "the sweep is called when there is something to do, and only then"
            );
            if acts.is_empty() {
                return Ok(());
            }
            self.write(acts, &system);
        }
        prop_assert!(false, "the sweep never comes to rest");
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let before = self.story.case.clone();
        let then = self.story.now;
        self.story.passes(TimeDelta::hours(step.hours));
        left_shrinks(&before, then, &self.story)?;
        if step.is_swept {
            self.sweep()?;
        }
        let before = self.story.case.clone();
        let decided = commands::give(self, step);
        let caller = self.story.caller.clone();
        match decided {
            Ok(acts) => {
                if matches!(before.state(), CaseState::FiledAway | CaseState::Ended) {
                    for act in &acts {
                        prop_assert!(outlives(&before, act), "{:?}: {act:?}", before.state());
                    }
                }
                let judged = acts.clone();
                let judge = self.powers.clone();
                let now = self.story.now;
                self.write(acts, &caller);
                powers::judge(judge, &judged, &caller, now)?;
                left_grows_with_extensions_only(&before, &judged, &self.story)?;
            }
            Err(refusal) => {
                prop_assert!(
                    refusal.requirement.starts_with("BB-")
                        || refusal.requirement.starts_with("BX-"),
                    "{refusal}"
                );
                prop_assert_ne!(refusal.kind, Kind::Internal, "{}", refusal);
                self.count(refusal.reason);
            }
        }
        self.holds()
    }

    /// What is true of a case at any time.
    fn holds(&self) -> Result<(), TestCaseError> {
        let case = &self.story.case;
        prop_assert_eq!(&case.agent, &self.responsible);
        prop_assert!(!case.agent.is_empty());
        let open = |h: &&bangban_proto::bangban::casework::v1::Handover| {
            h.accepted_at.is_none() && h.declined_at.is_none()
        };
        prop_assert!(case.handovers.iter().filter(open).count() <= 1);
        prop_assert_eq!(case.act_count, self.chain.0);
        prop_assert_eq!(case.id.as_str(), "c1");
        for clock in case.clocks.iter().filter(|c| c.ended_at.is_none()) {
            // What is stored is what the calendar counts.
            let (due, _) = limits::due(&self.story.calendar, clock).expect("counted");
            prop_assert_eq!(due, clock.due_at, "{}", clock.id);
            stands_still(clock, &self.story)?;
        }
        if case.state() == CaseState::FiledAway {
            prop_assert_eq!(complete::gaps(case), vec![]);
            is_whole(case)?;
            prop_assert_eq!(
                clock::attention_at(case),
                None,
                "nothing is left to be done"
            );
        }
        prop_assert_eq!(
            case.agreements
                .iter()
                .filter(|a| a.signed_at.is_some() && a.ended_at.is_none())
                .count(),
            self.powers.in_force(),
            "the state knows the agreements that the acts know"
        );
        if matches!(case.state(), CaseState::FiledAway | CaseState::Ended) {
            prop_assert_eq!(self.powers.in_force(), 0, "no powers outlive the case");
        }
        for agreement in case
            .agreements
            .iter()
            .filter(|a| a.signed_at.is_some() && a.ended_at.is_none())
        {
            prop_assert_eq!(
                (&agreement.agent, &agreement.institution),
                (&case.agent, &case.site),
                "who is responsible is the one who may act"
            );
        }
        Ok(())
    }

    /// The acts alone lead to the state, and their chain verifies.
    fn is_proved(&self) -> Result<(), TestCaseError> {
        let mut case = Case::default();
        for (entry, _, _, at) in &self.entries {
            let act = CaseAct::decode(entry.payload.as_slice())
                .expect("readable")
                .act
                .expect("known");
            fold::apply(&mut case, &act, timestamp(*at), false);
        }
        prop_assert_eq!(&case, &self.story.case);
        let (mut writer, head) = Writer::new(&Head {
            district: "zigui".to_owned(),
            exported_at_us: self.story.now.timestamp_micros(),
            exporter: "auditor".to_owned(),
            case_filter: None,
        });
        let mut lines = vec![
            head,
            writer.case("cases/c1", Some(&case.receipt), self.chain.0, &self.chain.1),
        ];
        for (entry, hash, previous, _) in &self.entries {
            lines.push(writer.act(entry, hash, previous, None));
        }
        lines.push(writer.end());
        let export = lines.join("\n") + "\n";
        let report = verify(export.as_bytes()).expect("read");
        prop_assert!(report.is_good(), "{:?}", report.problems);
        prop_assert_eq!((report.verified, report.acts), (1, self.chain.0));
        Ok(())
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }
}

/// What a history has come to.
fn seen(history: &History) -> Vec<&'static str> {
    let case = &history.story.case;
    let filed = case.filing.as_ref();
    let after_filing = |end: DelegationEnd| {
        case.agreements.iter().any(|a| {
            a.end() == end
                && a.ended_at
                    .zip(filed.and_then(|f| f.filed_at))
                    .is_some_and(|(e, f)| (e.seconds, e.nanos) >= (f.seconds, f.nanos))
        })
    };
    let has = |kind: &str| history.entries.iter().any(|(e, ..)| e.kind == kind);
    let happened = [
        ("signed", has("delegation.signed")),
        ("filed", filed.is_some()),
        (
            "filed by the agent",
            filed.is_some_and(|f| !f.applicant_signed),
        ),
        ("accepted", has("acceptance.reported")),
        ("corrected", has("correction.answered")),
        ("stopped", has("clock.stopped")),
        ("resumed", has("clock.resumed")),
        ("extended", has("decision.extended")),
        ("decided", has("decision.reported")),
        ("document received", has("document.received")),
        ("delivered", has("result.delivered")),
        ("filed away", case.state() == CaseState::FiledAway),
        (
            "filed away of agency",
            case.state() == CaseState::FiledAway && case.kind() == CaseKind::Agency,
        ),
        ("ended", case.state() == CaseState::Ended),
        ("handed over", has("handover.accepted")),
        ("revoked after filing", after_filing(DelegationEnd::Revoked)),
        ("expired after filing", after_filing(DelegationEnd::Expired)),
        ("continued", has("delegation.continued")),
        ("told", has("department.told")),
        ("breached", !case.breaches.is_empty()),
    ];
    happened
        .into_iter()
        .filter_map(|(what, is_so)| is_so.then_some(what))
        .collect()
}

/// What [`HISTORIES`] random ones come to, each of which keeps the promises.
fn reached() -> BTreeMap<&'static str, u32> {
    let counts = RefCell::new(BTreeMap::<&'static str, u32>::new());
    let mut runner = TestRunner::new(Config {
        cases: HISTORIES,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&(plans(), steps()), |(plan, steps)| {
        let mut history = History::new(plan);
        for step in &steps {
            history.step(step)?;
        }
        history.is_proved()?;
        let mut counts = counts.borrow_mut();
        for what in seen(&history) {
            *counts.entry(what).or_default() += 1;
        }
        for (reason, times) in &history.counts {
            *counts.entry(reason).or_default() += times;
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    counts.into_inner()
}

/// Of so many histories at least so many; of those that have a reason, times that it stood in the way.
const LEAST: [(&str, u32); 23] = [
    ("filed", 120),
    ("filed by the agent", 60),
    ("accepted", 100),
    ("corrected", 12),
    ("stopped", 10),
    ("resumed", 5),
    ("extended", 10),
    ("decided", 60),
    ("document received", 6),
    ("delivered", 60),
    ("filed away", 20),
    ("filed away of agency", 2),
    ("ended", 15),
    ("handed over", 40),
    ("revoked after filing", 10),
    ("expired after filing", 3),
    ("continued", 5),
    ("told", 4),
    ("breached", 60),
    ("NOT_THE_DELEGATE", 1),
    ("POWER_NOT_GRANTED", 10),
    ("DELEGATION_ENDED", 10),
    ("DELEGATION_MISSING", 20),
];

/// The promises of agency and assistance, whatever is tried in whatever order; and the proof that the histories get far
/// enough to mean something: a property that is never reached proves nothing. What is rare may be missing once by chance.
#[test]
fn bx_4_bb_8a_bb_8d_random_histories_keep_the_promises() {
    let mut missed = Vec::new();
    for _ in 0..5 {
        let counts = reached();
        let count = |what| counts.get(what).copied().unwrap_or_default();
        let too_rare = |(what, least): &(&'static str, u32)| count(*what) < *least;
        let rare: Vec<_> = LEAST.into_iter().filter(too_rare).collect();
        if rare.is_empty() {
            return;
        }
        missed.push(format!("{rare:?} of {counts:?}"));
    }
    panic!("{missed:#?}");
}
