//! What the outside knows when a command is decided.

use bangban_calendar::Calendar;
use bangban_kit::{identity::Caller, refusal::Refusal};
use bangban_limits::time;
pub use bangban_limits::time::timestamp;
use bangban_proto::bangban::{
    consultation::v1::{Consultation, ConsultationState},
    directory::v1::{Department, ItemVersion},
    types::v1::Actor,
};
use chrono::{DateTime, NaiveDate, Utc};
use prost_types::Timestamp;

use super::Assigned;

/// Time, actor, calendar and catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Outside<'a> {
    /// Now, by the clock that rules are judged by.
    pub now: DateTime<Utc>,
    /// Who acts.
    pub caller: &'a Caller,
    /// The district's calendar.
    pub calendar: &'a Calendar,
    /// Versions of the item that is meant; none when no item is, or when it is unknown.
    pub items: &'a [ItemVersion],
    /// Departments of the district, where a command asks for them.
    pub departments: &'a [Department],
    /// Directory's word on the one who takes the consultation over, where a command asks for it.
    pub assigned: Option<&'a Assigned>,
}

impl Outside<'_> {
    /// Now, as the contract writes it.
    #[must_use]
    pub fn at(&self) -> Option<Timestamp> {
        Some(timestamp(self.now))
    }

    /// Today in Asia/Shanghai.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        time::today(self.now)
    }

    /// Who acts, as the contract writes it.
    #[must_use]
    pub fn actor(&self) -> Option<Actor> {
        Some(self.caller.actor())
    }

    /// The version of the item that is in force today (BB-7.2).
    #[must_use]
    pub fn in_force(&self) -> Option<&ItemVersion> {
        let today = self.today().to_string();
        let is_before = |until: &str| until.is_empty() || today.as_str() < until;
        let mut found = self.items.iter().filter(|item| {
            item.effective_from <= today
                && is_before(&item.effective_until)
                && is_before(&item.withdrawn_from)
        });
        let first = found.next()?;
        Some(found.fold(first, |a, b| if b.version > a.version { b } else { a }))
    }

    /// A department of the district.
    #[must_use]
    pub fn department(&self, id: &str) -> Option<&Department> {
        self.departments.iter().find(|d| d.id == id)
    }
}

/// ITEM_NOT_PUBLISHED (BB-7.2).
#[must_use]
pub fn not_published(item: &str) -> Refusal {
    Refusal::not_found(
        "ITEM_NOT_PUBLISHED",
        "BB-7.2",
        format!("事项 {item} 未在目录中公布或当前未生效"),
        format!("the item {item} is not published, or not in force today"),
    )
    .field("item", "not published")
}

/// The consultation is in one of these states.
///
/// # Errors
/// OUT_OF_ORDER (BB-8d).
pub fn in_state(
    consultation: &Consultation,
    states: &[ConsultationState],
    zh: &str,
    en: &str,
) -> Result<(), Refusal> {
    let state = consultation.state();
    if states.contains(&state) {
        return Ok(());
    }
    Err(Refusal::precondition(
        "OUT_OF_ORDER",
        "BB-8d",
        format!("{zh}（当前状态：{}）", state_zh(state)),
        format!(
            "{en} (the consultation is {})",
            state
                .as_str_name()
                .trim_start_matches("CONSULTATION_STATE_")
        ),
    ))
}

/// A state as a clerk reads it.
#[must_use]
pub fn state_zh(state: ConsultationState) -> &'static str {
    match state {
        ConsultationState::Unspecified => "未知",
        ConsultationState::Open => "待答复",
        ConsultationState::Referred => "已转主管部门",
        ConsultationState::Answered => "已答复",
        ConsultationState::Converting => "正在转为办件",
        ConsultationState::Converted => "已转为办件",
        ConsultationState::Ended => "已终止",
    }
}
