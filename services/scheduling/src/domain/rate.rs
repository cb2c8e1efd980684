//! Appointments kept within the appointed time (BB-9.2b): a service that starts outside its slot is the institution's
//! breach, and so is one that never starts for somebody who was there, or whose time the site took away. Who else does not
//! come breaches nothing of the institution's and nothing of their own: nobody's breach.

use bangban_kit::refusal::Refusal;
use bangban_proto::bangban::scheduling::v1::{Booking, BookingPolicy};
use chrono::{DateTime, TimeDelta, Utc};

use super::{policy, time};

/// What happened to one appointment, as the rate sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// When the slot starts.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// When the applicant was there.
    pub checked_in_at: Option<DateTime<Utc>>,
    /// When the service started.
    pub started_at: Option<DateTime<Utc>>,
    /// Whether the site could not keep the time, and the applicant was told so.
    pub is_taken_away: bool,
}

/// How an appointment counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The slot has not ended and nothing has been decided.
    Open,
    /// The service started within the slot.
    OnTime,
    /// It started before the slot, or after it, or not at all although the applicant was there, or had no other time for the
    /// one that the site could not keep: the institution's breach.
    Breach,
    /// The applicant did not come: nobody's breach, not counted.
    NoShow,
}

/// How an appointment counts, at an instant. A slot is the time from its start to its end, the end not included.
#[must_use]
pub fn verdict(kept: &Kept, now: DateTime<Utc>) -> Verdict {
    let is_within = |at: DateTime<Utc>| kept.starts_at <= at && at < kept.ends_at;
    match (kept.started_at, kept.checked_in_at) {
        (Some(started), _) if is_within(started) => Verdict::OnTime,
        (Some(_), _) => Verdict::Breach,
        (None, _) if now < kept.ends_at => Verdict::Open,
        (None, Some(_)) => Verdict::Breach,
        (None, None) if kept.is_taken_away => Verdict::Breach,
        (None, None) => Verdict::NoShow,
    }
}

/// Whether somebody may be checked in now: from some minutes before the slot until it ends. Who comes later has missed the
/// slot and is served as one who comes without an appointment.
///
/// # Errors
/// CHECK_IN_TOO_EARLY, CHECK_IN_TOO_LATE (BB-9.2b).
pub fn may_check_in(
    booking: &Booking,
    rules: &BookingPolicy,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let (starts_at, ends_at) = (
        time::of(booking.starts_at.as_ref()),
        time::of(booking.ends_at.as_ref()),
    );
    let minutes = policy::filled(rules).check_in_from_minutes;
    let early = TimeDelta::minutes(minutes.into());
    if now < starts_at - early {
        return Err(Refusal::precondition(
            "CHECK_IN_TOO_EARLY",
            "BB-9.2b",
            format!("签到时间未到，请在预约开始前 {minutes} 分钟内签到"),
            format!("it is too early: check in from {minutes} minutes before the appointment"),
        ));
    }
    if now >= ends_at {
        return Err(Refusal::precondition(
            "CHECK_IN_TOO_LATE",
            "BB-9.2b",
            "预约时段已过；请现场取号或另行预约",
            "the appointment is over: take a number on the spot, or book again",
        ));
    }
    Ok(())
}

/// Appointments of a period, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Whose service started within the slot.
    pub on_time_count: u64,
    /// Which the institution did not keep.
    pub breach_count: u64,
    /// To which nobody came.
    pub no_show_count: u64,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Open => {}
            Verdict::OnTime => self.on_time_count += 1,
            Verdict::Breach => self.breach_count += 1,
            Verdict::NoShow => self.no_show_count += 1,
        }
    }

    /// Appointments that the institution had to keep.
    #[must_use]
    pub fn due_count(&self) -> u64 {
        self.on_time_count + self.breach_count
    }

    /// Kept among those that were to be kept, 0 to 1; 1 when none was.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate is for people; 2^52 appointments are not reached"
    )]
    pub fn on_time_rate(&self) -> f64 {
        match self.due_count() {
            0 => 1.0,
            due => self.on_time_count as f64 / due as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use bangban_limits::time::timestamp;
    use proptest::prelude::*;

    use super::*;

    fn instant(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + 60 * minute, 0).expect("an instant")
    }

    fn kept(checked_in: Option<i64>, started: Option<i64>) -> Kept {
        Kept {
            starts_at: instant(0),
            ends_at: instant(15),
            checked_in_at: checked_in.map(instant),
            started_at: started.map(instant),
            is_taken_away: false,
        }
    }

    #[test]
    fn a_service_that_starts_outside_its_slot_is_the_institutions_breach() {
        let later = instant(60);
        assert_eq!(verdict(&kept(Some(-5), Some(0)), later), Verdict::OnTime);
        assert_eq!(verdict(&kept(Some(-5), Some(14)), later), Verdict::OnTime);
        assert_eq!(verdict(&kept(Some(-5), Some(15)), later), Verdict::Breach);
        assert_eq!(verdict(&kept(Some(-5), Some(-1)), later), Verdict::Breach);
        assert_eq!(verdict(&kept(Some(-5), None), later), Verdict::Breach);
        assert_eq!(
            verdict(&kept(Some(-5), None), instant(14)),
            Verdict::Open,
            "there is still time"
        );
    }

    #[test]
    fn a_no_show_is_nobodys_breach() {
        let mut counts = Counts::default();
        counts.add(verdict(&kept(None, None), instant(15)));
        assert_eq!((counts.no_show_count, counts.due_count()), (1, 0));
        assert!((counts.on_time_rate() - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn nobody_who_was_told_to_choose_another_time_has_not_come() {
        let kept = Kept {
            is_taken_away: true,
            ..kept(None, None)
        };
        assert_eq!(
            verdict(&kept, instant(14)),
            Verdict::Open,
            "they may choose"
        );
        let mut counts = Counts::default();
        counts.add(verdict(&kept, instant(15)));
        assert_eq!((counts.no_show_count, counts.due_count()), (0, 1));
        assert!(counts.on_time_rate().abs() < f64::EPSILON);
    }

    #[test]
    fn one_checks_in_from_a_while_before_the_slot_until_its_end() {
        let booking = Booking {
            starts_at: Some(timestamp(instant(0))),
            ends_at: Some(timestamp(instant(15))),
            ..Booking::default()
        };
        let rules = BookingPolicy::default();
        let at = |minute| may_check_in(&booking, &rules, instant(minute));
        assert_eq!(at(-31).expect_err("early").reason, "CHECK_IN_TOO_EARLY");
        assert!(at(-30).is_ok() && at(14).is_ok());
        assert_eq!(at(15).expect_err("late").reason, "CHECK_IN_TOO_LATE");
    }

    proptest! {
        #[test]
        fn the_rate_is_that_of_the_appointments_that_were_to_be_kept(
            all in prop::collection::vec((any::<bool>(), prop::option::of(-30_i64..45)), 0..60)
        ) {
            let mut counts = Counts::default();
            let mut on_time = 0_u32;
            let mut due = 0_u32;
            for (came, started) in &all {
                counts.add(verdict(&kept(came.then_some(-10), *started), instant(60)));
                let is_due = *came || started.is_some();
                due += u32::from(is_due);
                on_time += u32::from(started.is_some_and(|at| (0..15).contains(&at)));
            }
            let total = counts.due_count() + counts.no_show_count;
            prop_assert_eq!(total, all.len() as u64, "each is counted once");
            prop_assert_eq!(counts.due_count(), u64::from(due));
            let expected = if due == 0 { 1.0 } else { f64::from(on_time) / f64::from(due) };
            prop_assert!((counts.on_time_rate() - expected).abs() < 1e-12);
        }

        /// What is decided stays decided: time alone turns only what is open.
        #[test]
        fn a_verdict_never_changes_by_waiting(
            came in prop::option::of(-30_i64..15), started in prop::option::of(-30_i64..45),
            now in -60_i64..100, wait in 0_i64..1_000,
        ) {
            let kept = kept(came, started);
            let (before, after) = (verdict(&kept, instant(now)), verdict(&kept, instant(now + wait)));
            prop_assert!(before == after || before == Verdict::Open);
        }
    }
}
