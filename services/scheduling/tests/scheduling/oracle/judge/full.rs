//! I4: whoever was told "full" was told so rightly.

use std::collections::HashMap;

use super::History;
use crate::{
    oracle::{
        calls::{Answer, Asked},
        truth::Timeline,
    },
    served::double::is_special,
};

pub(super) fn judge(history: &History, wrong: &mut Vec<String>) {
    let mut lines: HashMap<(&str, bool), Timeline> = HashMap::new();
    for call in history.calls.iter().filter(|c| c.answer == Answer::Full) {
        let (slot, applicant) = match &call.asked {
            Asked::Hold { slot, applicant } => (slot, applicant),
            Asked::Move { to, applicant, .. } => (to, applicant),
            other => {
                wrong.push(format!("I4: full is no answer to {other:?}"));
                continue;
            }
        };
        let special = is_special(applicant);
        let line = lines.entry((slot, special)).or_insert_with(|| {
            let first = if special { 0 } else { history.reserved };
            Timeline::new(&history.truth, slot, first, history.capacity)
        });
        if !line.was_full(call.from, call.to) {
            wrong.push(format!("I4: told full while a seat was free: {call:?}"));
        }
    }
}
