//! What is tried in a history, and by whom: the next step of a good agent, what may well come up, and everything else.

use bangban_casework::domain::{mode, responsibility};
use bangban_kit::identity::Caller;
use bangban_proto::bangban::{
    casework::v1::{self as v1, Case, CaseState, ModeStep},
    directory::v1::Power,
    options::v1::Role,
};
use proptest::prelude::*;

use super::Plan;
use crate::story::{agent, clerk};

/// Who gives the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The one who is responsible, at the site.
    Responsible,
    /// The same person, with a token of another site.
    Elsewhere,
    Stranger,
    Clerk,
    Applicant,
    /// The one to whom the case is offered, if it is.
    Receiver,
}

impl By {
    pub fn any() -> impl Strategy<Value = Self> {
        prop_oneof![
            44 => Just(Self::Responsible),
            1 => Just(Self::Elsewhere),
            1 => Just(Self::Stranger),
            3 => Just(Self::Clerk),
            1 => Just(Self::Applicant),
            2 => Just(Self::Receiver),
        ]
    }

    pub fn caller(self, case: &Case) -> Caller {
        match self {
            Self::Responsible => agent(&case.agent, &case.site),
            Self::Elsewhere => agent(&case.agent, "elsewhere"),
            Self::Stranger => agent("zhao", "station"),
            Self::Clerk => clerk(),
            Self::Applicant => Caller {
                subject: "citizen".to_owned(),
                roles: vec![Role::Citizen],
                case: case.id.clone(),
                ..Caller::public()
            },
            Self::Receiver => match responsibility::pending(case) {
                Some(offer) => agent(&offer.to_agent, &offer.to_site),
                None => agent("zhao", "station"),
            },
        }
    }
}

/// What is commanded. A number chooses among variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The next thing that a good agent would do.
    Next,
    /// Something that may well come up in this state.
    Turn(u8),
    Notice,
    Consent(u8),
    Withdraw(u8),
    Take(u8),
    Return(u8),
    ListMissing,
    PreCheck,
    Mode(u8),
    ModeStep(u8),
    InPerson,
    Draft(u8),
    Sign(u8),
    Revoke,
    End(u8),
    Tell,
    File(bool),
    Status(u8),
    Accept(u8),
    Correction(u8),
    Answer(u8),
    Stop(u8),
    Resume(u8),
    Extend,
    Decide(u8),
    Receive(u8),
    Deliver(u8),
    Confirm,
    Contact,
    CloseContact(u8),
    Problem,
    AnswerProblem(u8),
    Prompt,
    FileAway,
    Offer(u8),
    AcceptOffer,
    DeclineOffer,
    Correct,
}

impl What {
    pub fn any() -> impl Strategy<Value = Self> {
        let number = || 0_u8..8;
        let early = prop_oneof![
            Just(Self::Notice),
            number().prop_map(Self::Consent),
            number().prop_map(Self::Take),
            number().prop_map(Self::Return),
            Just(Self::ListMissing),
            Just(Self::PreCheck),
            number().prop_map(Self::Mode),
            number().prop_map(Self::ModeStep),
            Just(Self::InPerson),
        ];
        let agreed = prop_oneof![
            3 => number().prop_map(Self::Draft),
            3 => number().prop_map(Self::Sign),
            2 => Just(Self::Revoke),
            2 => number().prop_map(Self::End),
            1 => Just(Self::Tell),
            2 => number().prop_map(Self::Offer),
            3 => Just(Self::AcceptOffer),
            1 => Just(Self::DeclineOffer),
        ];
        let filed = prop_oneof![
            2 => any::<bool>().prop_map(Self::File),
            1 => number().prop_map(Self::Status),
            1 => number().prop_map(Self::Accept),
            3 => number().prop_map(Self::Correction),
            2 => number().prop_map(Self::Answer),
            2 => number().prop_map(Self::Stop),
            2 => number().prop_map(Self::Resume),
            1 => Just(Self::Extend),
            1 => number().prop_map(Self::Decide),
            1 => number().prop_map(Self::Receive),
            1 => number().prop_map(Self::Deliver),
        ];
        let late = prop_oneof![
            8 => Just(Self::Confirm),
            8 => Just(Self::Contact),
            8 => number().prop_map(Self::CloseContact),
            4 => Just(Self::Problem),
            8 => number().prop_map(Self::AnswerProblem),
            4 => Just(Self::Prompt),
            8 => Just(Self::FileAway),
            4 => Just(Self::Correct),
            1 => number().prop_map(Self::Withdraw),
        ];
        prop_oneof![
            24 => Just(Self::Next),
            10 => (0_u8..16).prop_map(Self::Turn),
            3 => early,
            4 => agreed,
            4 => filed,
            3 => late,
        ]
    }
}

/// What a good agent would do next.
pub fn next(case: &Case, plan: &Plan) -> What {
    let holds = |code: &str| {
        case.materials
            .iter()
            .any(|m| m.code == code && m.is_valid && m.returned_at.is_none())
    };
    let signed: Vec<_> = case
        .agreements
        .iter()
        .filter(|a| a.signed_at.is_some() && a.ended_at.is_none())
        .collect();
    let has_ended = case.agreements.iter().any(|a| a.ended_at.is_some());
    let wants_agency = plan.is_for_agency && !has_ended;
    let record = case.department_record.clone().unwrap_or_default();
    // Every second notice is left open.
    let asked = record
        .corrections
        .iter()
        .find(|c| c.answered_at.is_none())
        .filter(|_| case.act_count.is_multiple_of(2));
    let done = |step: ModeStep| {
        case.mode_steps
            .iter()
            .any(|s| s.step() == step && s.mode == case.mode)
    };
    match case.state() {
        CaseState::Open => match () {
            () if case.notice.is_none() => What::Notice,
            () if case.consents.is_empty() => What::Consent(0),
            () if !holds("form") => What::Take(0),
            () if !holds("identity-card") => What::Take(1),
            () => What::PreCheck,
        },
        CaseState::PreChecked => {
            let step = (0..8).find(|n| {
                let steps = mode::steps(case.mode(), false);
                steps.get(usize::from(*n)).is_some_and(|s| !done(*s))
            });
            let current = case
                .agreements
                .iter()
                .any(|a| (&a.agent, &a.institution) == (&case.agent, &case.site));
            match () {
                () if wants_agency && signed.is_empty() && !current => What::Draft(0),
                () if wants_agency && signed.is_empty() => What::Sign(0),
                () if !holds("form") => What::Take(0),
                () if !holds("identity-card") => What::Take(1),
                () if case.in_person_done.is_empty() => What::InPerson,
                () if step.is_some() => What::ModeStep(step.unwrap_or_default()),
                () => What::File(signed.is_empty()),
            }
        }
        CaseState::Filed | CaseState::Accepted if asked.is_some() => {
            let since = asked.and_then(|c| c.issued_at).map(|at| at.seconds);
            let is_new = |m: &v1::CaseMaterial| {
                m.code == "identity-card" && m.taken_at.map(|at| at.seconds) >= since
            };
            if case.materials.iter().any(is_new) {
                What::Answer(0)
            } else {
                What::Take(1)
            }
        }
        CaseState::Filed if record.number.is_empty() => What::Status(0),
        CaseState::Filed => What::Accept(0),
        CaseState::Accepted => {
            let stands = |c: &v1::Clock| c.stops.iter().any(|s| s.to.is_none());
            // The department takes its time.
            match case.act_count % 4 {
                0 => What::Decide(0),
                1 if case.clocks.iter().any(stands) => What::Resume(0),
                _ => What::Status(0),
            }
        }
        CaseState::Decided => {
            let receives = signed
                .iter()
                .any(|a| a.powers().any(|p| p == Power::ReceiveDocument));
            if receives && case.document.is_none() {
                What::Receive(0)
            } else {
                What::Deliver(0)
            }
        }
        CaseState::Delivered => {
            let received = case.delivery.as_ref().and_then(|d| d.received_at);
            let is_told = signed.len()
                == case
                    .agreements
                    .iter()
                    .filter(|a| a.signed_at.is_some())
                    .count();
            match () {
                () if received.is_none() => What::Confirm,
                () if case.evaluation.is_none() => What::Prompt,
                () if case.contacts.iter().any(|c| c.closed_at.is_none()) => What::CloseContact(0),
                () if case.problems.iter().any(|p| p.answered_at.is_none()) => {
                    What::AnswerProblem(0)
                }
                () if !is_told && case.act_count.is_multiple_of(2) => What::Tell,
                () => What::FileAway,
            }
        }
        _ => What::Correct,
    }
}

/// What may well come up, in the state in which the case is.
pub fn turn(case: &Case, number: u8) -> What {
    if responsibility::pending(case).is_some() {
        return What::AcceptOffer;
    }
    let variant = u8::try_from(case.act_count % 8).unwrap_or_default();
    match (case.state(), number) {
        (CaseState::Accepted, 0..=3) => What::Stop(number + 3),
        (CaseState::Accepted, 4) => What::Resume(5),
        (CaseState::Accepted, 5..=6) => What::Extend,
        (CaseState::Filed | CaseState::Accepted, 7..=9) => What::Correction(0),
        (CaseState::Open | CaseState::PreChecked, 0..=9) => What::Next,
        (CaseState::Delivered, 0..=6) => What::Contact,
        (_, 10) => What::Revoke,
        (_, 11) => What::Draft(5),
        (_, 12) => What::Sign(0),
        (_, 13) => What::End(variant),
        (_, 14) => What::Offer(if variant < 6 { 0 } else { variant }),
        (_, 15) if variant < 3 => What::Withdraw(0),
        _ => What::Problem,
    }
}
