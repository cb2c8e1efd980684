//! Who is of a special group (BB-7.1.1), as far as this process remembers it. It follows directory's feed, so that it hears
//! of everybody whose groups change; without the feed, what is remembered is in doubt after a while.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long it is remembered.
const KEPT: Duration = Duration::from_secs(600);

/// How long it is certain when nothing is heard of directory's feed, which takes about two seconds.
const CERTAIN: Duration = Duration::from_secs(30);

/// Most people who are remembered; then all are forgotten.
const MOST: usize = 100_000;

/// Who is of a special group.
#[derive(Debug, Default)]
pub(crate) struct Specials(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    people: HashMap<String, Known>,
    /// What was known before is in doubt.
    missed: Option<Instant>,
}

/// What is known of somebody.
#[derive(Debug, Clone, Copy)]
enum Known {
    /// By a question that was asked then.
    Is(bool, Instant),
    /// It has changed since.
    Changed(Instant),
}

impl Specials {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a person is of a special group, as far as it is remembered.
    pub(crate) fn has(&self, applicant: &str) -> Option<bool> {
        match self.inside().people.get(applicant)? {
            Known::Is(is_special, asked) if asked.elapsed() < KEPT => Some(*is_special),
            _ => None,
        }
    }

    /// Whether a person may be of another group by now than what is remembered.
    pub(crate) fn doubts(&self, applicant: &str) -> bool {
        let inside = self.inside();
        match inside.people.get(applicant) {
            Some(Known::Is(_, asked)) => {
                asked.elapsed() >= CERTAIN || inside.missed.is_some_and(|missed| *asked <= missed)
            }
            _ => true,
        }
    }

    /// What the database and directory said to a question that was asked then.
    pub(crate) fn learned(&self, applicant: &str, is_special: bool, asked: Instant) {
        let mut inside = self.inside();
        if let Some(Known::Changed(at)) = inside.people.get(applicant)
            && *at >= asked
        {
            return;
        }
        inside.put(applicant, Known::Is(is_special, asked));
    }

    /// Directory has changed what it says of a person, and the database knows.
    pub(crate) fn changed(&self, applicant: &str) {
        self.inside().put(applicant, Known::Changed(Instant::now()));
    }

    /// Directory may have changed what it says of anybody, unheard.
    pub(crate) fn missed(&self) {
        self.inside().missed = Some(Instant::now());
    }
}

impl Inside {
    fn put(&mut self, applicant: &str, known: Known) {
        if self.people.len() >= MOST {
            self.people.clear();
            // Of those who have changed as well.
            self.missed = Some(Instant::now());
        }
        self.people.insert(applicant.to_owned(), known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ago(seconds: u64) -> Instant {
        Instant::now() - Duration::from_secs(seconds)
    }

    #[test]
    fn bb_7_1_1_what_was_learned_is_certain_for_a_while_and_remembered_for_longer() {
        let specials = Specials::default();
        assert!(specials.has("lin").is_none() && specials.doubts("lin"));
        specials.learned("lin", false, ago(29));
        assert_eq!(
            (specials.has("lin"), specials.doubts("lin")),
            (Some(false), false)
        );
        specials.learned("lin", true, ago(31));
        assert_eq!(
            (specials.has("lin"), specials.doubts("lin")),
            (Some(true), true)
        );
        specials.learned("lin", true, ago(601));
        assert_eq!(specials.has("lin"), None);
    }

    #[test]
    fn bb_7_1_1_who_has_changed_is_asked_for_anew_whatever_was_asked_before() {
        let specials = Specials::default();
        let asked = ago(1);
        specials.learned("lin", false, asked);
        specials.changed("lin");
        assert!(specials.has("lin").is_none() && specials.doubts("lin"));
        specials.learned("lin", false, asked);
        assert!(specials.doubts("lin"), "an answer of before");
        specials.learned("lin", true, Instant::now());
        assert_eq!(
            (specials.has("lin"), specials.doubts("lin")),
            (Some(true), false)
        );
    }

    #[test]
    fn bb_7_1_1_what_was_known_before_the_feed_was_followed_is_in_doubt() {
        let specials = Specials::default();
        let asked = ago(1);
        specials.learned("lin", false, asked);
        specials.missed();
        assert!(specials.doubts("lin"));
        assert_eq!(specials.has("lin"), Some(false), "to begin with");
        specials.learned("wang", false, asked);
        assert!(specials.doubts("wang"), "asked before");
        specials.learned("wang", false, Instant::now());
        assert!(!specials.doubts("wang"));
    }

    #[test]
    fn bb_7_1_1_when_all_are_forgotten_nobody_is_certain_by_what_was_asked_before() {
        let specials = Specials::default();
        let asked = ago(1);
        specials.changed("lin");
        for n in 1..=MOST {
            specials.learned(&n.to_string(), false, Instant::now());
        }
        specials.learned("lin", false, asked);
        assert!(specials.has("1").is_none(), "forgotten");
        assert!(specials.doubts("lin"));
    }
}
