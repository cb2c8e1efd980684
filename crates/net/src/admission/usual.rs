//! How long each method takes when little is going on: learned, and what deadlines are held against.

use std::time::Duration;

use bangban_proto::METHODS;

/// By the number of the method; nothing where it was not seen yet.
#[derive(Debug)]
pub(super) struct Usual(Vec<Option<f64>>);

impl Usual {
    pub(super) fn new() -> Self {
        Self(vec![None; METHODS.len()])
    }

    /// How long this method usually takes, where that is known.
    pub(super) fn of(&self, method: Option<usize>) -> Option<Duration> {
        self.0.get(method?)?.map(Duration::from_secs_f64)
    }

    /// A call took so long, and little was going on when it began and when it ended. Shorter times count ten times as much as longer ones: what is left is
    /// near the quickest tenth, so that nobody is sent away whose time might have sufficed.
    pub(super) fn learn(&mut self, method: Option<usize>, took: Duration) {
        let Some(known) = method.and_then(|at| self.0.get_mut(at)) else {
            return;
        };
        let took = took.as_secs_f64();
        let usual = known.get_or_insert(took);
        let weight = if took < *usual { 0.2 } else { 0.02 };
        *usual += (took - *usual) * weight;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lies_among_the_quicker_calls_and_follows_when_all_become_slow() {
        let mut usual = Usual::new();
        assert_eq!(usual.of(Some(0)), None);
        for n in 0..1000u64 {
            usual.learn(Some(0), Duration::from_millis(10 + n % 90));
        }
        let known = usual.of(Some(0)).unwrap();
        assert!(
            known > Duration::from_millis(10) && known < Duration::from_millis(45),
            "{known:?}"
        );
        for _ in 0..500 {
            usual.learn(Some(0), Duration::from_millis(200));
        }
        assert!(usual.of(Some(0)).unwrap() > Duration::from_millis(190));
        assert_eq!(usual.of(Some(1)), None);
        assert_eq!(usual.of(None), None);
    }
}
