//! Acts that were ever written stay readable: `acts.golden` holds one line for each, kind and payload in hexadecimal, in
//! the order of a history. Lines are added, never changed; a new kind of act adds its own.

use bangban_consultation::domain::fold;
use bangban_proto::bangban::consultation::v1::{
    Consultation, ConsultationAct, ConsultationState, consultation_act::Act,
};
use prost::Message as _;
use prost_types::Timestamp;

const ACTS: &str = include_str!("acts.golden");

/// Kinds that the contract has.
const KINDS: usize = 17;

fn acts() -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    ACTS.lines().map(|line| {
        let (kind, hex) = line.split_once(' ').expect("kind and payload");
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
        (kind, (0..hex.len()).step_by(2).map(byte).collect())
    })
}

fn read(payload: &[u8]) -> Act {
    let read = ConsultationAct::decode(payload).expect("readable");
    read.act.expect("an act of a known kind")
}

#[test]
fn every_act_that_was_ever_written_is_read_and_written_alike() {
    let mut kinds = std::collections::BTreeSet::new();
    for (kind, payload) in acts() {
        let act = read(&payload);
        assert_eq!(fold::kind(&act), kind);
        assert_eq!(ConsultationAct { act: Some(act) }.encode_to_vec(), payload);
        kinds.insert(kind);
    }
    assert_eq!(kinds.len(), KINDS);
}

#[test]
fn an_old_history_leads_where_it_led() {
    let mut state = Consultation::default();
    for (at, (_, payload)) in acts().enumerate() {
        let seconds = 1_772_416_800 + 60 * i64::try_from(at).expect("few");
        fold::apply(
            &mut state,
            &read(&payload),
            Timestamp { seconds, nanos: 0 },
            false,
        );
    }
    assert_eq!(state.state(), ConsultationState::Ended);
    assert_eq!(state.agent, "chen-jun");
    assert_eq!(state.act_count, acts().count() as u64);
    assert_eq!(state.referrals[0].issuer, "老龄股");
    assert_eq!(state.conversion.expect("it").receipt, "R-1");
    assert_eq!((state.breaches.len(), state.corrections.len()), (1, 1));
    assert!(state.answer.expect("it").notice.expect("it").item.is_some());
}
