//! Properties that hold in every history.

use bangban_consultation::{
    domain::{conversion, fold, outside::timestamp},
    tasks,
};
use bangban_limits::clock::runs;
use bangban_proto::bangban::{
    casework::v1::Clock,
    consultation::v1::{
        Consultation, ConsultationAct, ConsultationState, ConvertConsultationRequest,
    },
    types::v1::Channel,
};
use proptest::prelude::*;
use prost::Message as _;

use crate::story::{Story, told};

/// One step of a history; what is refused changes nothing.
fn step(story: &mut Story, what: u8) {
    let who = ["li-na", "chen-jun", "wang-wei"];
    let done = match what % 14 {
        0 => story.answer(&told()).map(drop),
        1 => story.refer("civil-affairs").map(drop),
        2 => story.refer("health").map(drop),
        3 => story.department_answers(1).map(drop),
        4 => story.department_answers(2).map(drop),
        5 => story.end().map(drop),
        n @ 6..=8 => story.offer(who[usize::from(n) - 6]).map(drop),
        9 => story.accept().map(drop),
        10 => story.decline().map(drop),
        11 => {
            let request = ConvertConsultationRequest {
                mode: Channel::Window.into(),
                ..ConvertConsultationRequest::default()
            };
            story.convert(&request).map(drop)
        }
        12 => {
            if story.consultation.state() == ConsultationState::Converting {
                let act = conversion::acknowledge(&story.consultation, "case", "R-1");
                story.happens(act.into_iter().collect());
            }
            Ok(())
        }
        _ => {
            if let Some(asked) = story.consultation.conversion.clone() {
                let act = conversion::refuse(&story.consultation, &asked, "NO");
                story.happens(act.into_iter().collect());
            }
            Ok(())
        }
    };
    let _ = done;
}

/// The state that the log leads to.
fn folded(story: &Story) -> Consultation {
    let mut state = Consultation::default();
    for (at, bytes) in &story.log {
        let act = ConsultationAct::decode(bytes.as_slice()).expect("an act");
        fold::apply(&mut state, &act.act.expect("an act"), timestamp(*at), false);
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn one_is_responsible_and_the_applicants_clock_never_grows(
        steps in prop::collection::vec((0_u8..14, 0_i64..900), 1..25)
    ) {
        let mut story = Story::new();
        let mut reply_due = None;
        for (what, minutes) in steps {
            story.later(minutes);
            let before = story.consultation.clone();
            let due = tasks::due_acts(&before, story.now.timestamp());
            story.happens(due);
            step(&mut story, what);
            let c = &story.consultation;

            // Exactly one, and another one only by accepting.
            prop_assert!(!c.agent.is_empty());
            let accepted = |c: &Consultation| c.handovers.iter().filter(|h| h.accepted_at.is_some()).count();
            prop_assert!(c.agent == before.agent || accepted(c) == accepted(&before) + 1);

            // The reply is owed once, and never later than it was.
            let replies: Vec<_> = c.clocks.iter().filter(|k| k.id == "reply").collect();
            prop_assert!(replies.len() <= 1);
            if let Some(reply) = replies.first() {
                let due = reply.due_at.map(|d| d.seconds);
                prop_assert!(reply_due.is_none_or(|earlier| due <= earlier));
                reply_due = Some(due);
            }

            // Somebody waits exactly while a clock runs.
            let running = c.clocks.iter().filter(|k| runs(k)).count();
            match c.state() {
                ConsultationState::Open | ConsultationState::Referred => prop_assert_eq!(running, 1),
                ConsultationState::Converting => {
                    prop_assert_eq!(running, usize::from(c.answer.is_none()));
                }
                _ => prop_assert_eq!(running, 0),
            }
            if let Some(answer) = &c.answer {
                let by = |at: &Option<prost_types::Timestamp>| at.map(|t| (t.seconds, t.nanos));
                let answered = by(&answer.answered_at);
                let ended = |k: &Clock| k.ended_at.is_some() && by(&k.ended_at) <= answered;
                prop_assert!(c.clocks.iter().all(ended));
            }

            // What has ended stays so, and the answer is the first one.
            if matches!(before.state(), ConsultationState::Converted | ConsultationState::Ended) {
                prop_assert_eq!(c.state(), before.state());
            }
            if before.answer.is_some() {
                prop_assert_eq!(&c.answer, &before.answer);
            }
            prop_assert_eq!(c.act_count, story.log.len() as u64);
            prop_assert_eq!(c, &folded(&story));
        }
    }
}
