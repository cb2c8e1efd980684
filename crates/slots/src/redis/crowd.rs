//! Those who want a slot that is sold out: one asks Redis, and all who came before it asked hear the answer.
//!
//! "Full" is true of a moment between the asking and the answer of whoever asked, so it is true of everybody who had come
//! before the asking and waits behind it. Who comes later waits for the next asking. Anything but "full" breaks the crowd
//! up: each then asks alone, because a seat is one person's.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::value::PickAnswer;
use crate::{Day, Unavailable, Who};

/// Most slots that are remembered as sold out.
const MOST: usize = 1024;

/// What a crowd wants.
pub(super) type Of = (Day, u16, Who);

/// The crowds, by what they want. A slot has one from its first "full" on.
#[derive(Debug, Default)]
pub(super) struct Crowds(Mutex<HashMap<Of, Crowd>>);

#[derive(Debug, Default)]
struct Crowd {
    is_asking: bool,
    /// Came before the one who asks asked.
    behind: Vec<oneshot::Sender<Heard>>,
    /// Came since.
    waiting: Vec<oneshot::Sender<Heard>>,
}

/// What somebody in a crowd is told.
#[derive(Debug)]
enum Heard {
    Full(PickAnswer),
    Unavailable(Unavailable),
    /// It is your turn to ask for those behind you.
    Ask(Asking),
}

/// What somebody is to do.
#[derive(Debug)]
pub(super) enum Turn {
    /// Told by who asked: there is no seat for them, or none at all.
    Full(PickAnswer),
    /// Told by who asked: Redis cannot be asked.
    Unavailable(Unavailable),
    /// Ask Redis, and say the answer.
    Ask(Asking),
}

/// The right to ask Redis. Dropped without a word, by a call that was cancelled, it breaks the crowd up.
#[derive(Debug)]
pub(super) struct Asking {
    crowds: Arc<Crowds>,
    of: Of,
    /// Others wait for the answer.
    leads: bool,
}

impl Crowds {
    fn lock(&self) -> MutexGuard<'_, HashMap<Of, Crowd>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Comes, and waits while somebody else asks.
    pub(super) async fn join(self: &Arc<Self>, of: Of) -> Turn {
        let asking = |leads| Asking {
            crowds: Arc::clone(self),
            of: of.clone(),
            leads,
        };
        let heard = {
            let mut crowds = self.lock();
            let Some(crowd) = crowds.get_mut(&of) else {
                return Turn::Ask(asking(false));
            };
            if !mem::replace(&mut crowd.is_asking, true) {
                return Turn::Ask(asking(true));
            }
            let (tell, heard) = oneshot::channel();
            crowd.waiting.push(tell);
            heard
        };
        match heard.await {
            Ok(Heard::Full(answer)) => Turn::Full(answer),
            Ok(Heard::Unavailable(it)) => Turn::Unavailable(it),
            Ok(Heard::Ask(asking)) => Turn::Ask(asking),
            // The crowd broke up.
            Err(_) => Turn::Ask(asking(false)),
        }
    }

    /// Lets the next one ask, for all who have come by now.
    fn next(self: &Arc<Self>, of: &Of) {
        loop {
            let next = {
                let mut crowds = self.lock();
                let Some(crowd) = crowds.get_mut(of) else {
                    return;
                };
                crowd.behind.append(&mut crowd.waiting);
                let next = crowd.behind.pop();
                crowd.is_asking = next.is_some();
                next
            };
            let Some(next) = next else { return };
            let asking = Asking {
                crowds: Arc::clone(self),
                of: of.clone(),
                leads: true,
            };
            match next.send(Heard::Ask(asking)) {
                // Gone meanwhile: somebody else.
                Err(Heard::Ask(mut asking)) => asking.leads = false,
                _ => return,
            }
        }
    }
}

impl Asking {
    /// The slot was sold out, as the answer says.
    pub(super) fn was_full(mut self, answer: PickAnswer) {
        if mem::take(&mut self.leads) {
            let behind = {
                let mut crowds = self.crowds.lock();
                let crowd = crowds.get_mut(&self.of);
                crowd.map_or_else(Vec::new, |crowd| mem::take(&mut crowd.behind))
            };
            for one in behind {
                _ = one.send(Heard::Full(answer));
            }
            self.crowds.next(&self.of);
        } else {
            let mut crowds = self.crowds.lock();
            if crowds.len() >= MOST {
                crowds.retain(|_, crowd| crowd.is_asking);
            }
            crowds.entry(self.of.clone()).or_default();
        }
    }

    /// Redis could not be asked.
    pub(super) fn was_unavailable(mut self, it: Unavailable) {
        if mem::take(&mut self.leads) {
            for one in self.broken_up() {
                _ = one.send(Heard::Unavailable(it));
            }
        }
    }

    fn broken_up(&self) -> Vec<oneshot::Sender<Heard>> {
        let crowd = self.crowds.lock().remove(&self.of);
        crowd.map_or_else(Vec::new, |mut crowd| {
            crowd.behind.append(&mut crowd.waiting);
            crowd.behind
        })
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if self.leads {
            // Each hears that nobody answers any more.
            drop(self.broken_up());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::NaiveDate;
    use futures::FutureExt as _;

    use super::*;

    const FULL: PickAnswer = PickAnswer::Full;

    fn slot() -> Of {
        let day = Day::new(
            "d",
            "s",
            NaiveDate::from_ymd_opt(2026, 12, 1).expect("a day"),
        );
        (day.expect("a day"), 7, Who::Ordinary)
    }

    async fn asks(crowds: &Arc<Crowds>) -> Asking {
        match crowds.join(slot()).await {
            Turn::Ask(asking) => asking,
            other => panic!("asks nobody: {other:?}"),
        }
    }

    /// Crowds of a slot that is sold out.
    async fn sold_out() -> Arc<Crowds> {
        let crowds: Arc<Crowds> = Arc::default();
        let (one, other) = (asks(&crowds).await, asks(&crowds).await);
        other.was_full(FULL);
        one.was_full(FULL);
        crowds
    }

    #[tokio::test]
    async fn bb_9_2b_who_came_before_the_asking_hears_its_answer_and_who_came_later_the_next() {
        let crowds = sold_out().await;
        let first = asks(&crowds).await;
        let (mut early, mut late) = (crowds.join(slot()).boxed(), crowds.join(slot()).boxed());
        assert!((&mut early).now_or_never().is_none());
        assert!((&mut late).now_or_never().is_none());
        first.was_full(FULL);
        // Both came while the first asked already: one of them asks for both.
        let Some(Turn::Ask(second)) = (&mut late).now_or_never() else {
            panic!("the last to come leads")
        };
        assert!(
            (&mut early).now_or_never().is_none(),
            "not told by the first"
        );
        second.was_full(PickAnswer::OnlyReserved);
        assert!(matches!(early.await, Turn::Full(PickAnswer::OnlyReserved)));
        drop(asks(&crowds).await);
    }

    #[tokio::test]
    async fn bb_9_2b_a_seat_breaks_the_crowd_up_and_each_asks_alone() {
        let crowds = sold_out().await;
        let first = asks(&crowds).await;
        let mut others: Vec<_> = (0..3).map(|_| crowds.join(slot()).boxed()).collect();
        assert!(others.iter_mut().all(|o| o.now_or_never().is_none()));
        // It was given a seat, or was cancelled.
        drop(first);
        for other in others {
            let Some(Turn::Ask(alone)) = other.now_or_never() else {
                panic!("waits for nobody")
            };
            assert!(!alone.leads);
        }
        assert!(crowds.lock().is_empty());
    }

    #[tokio::test]
    async fn who_goes_leads_nobody_and_leaves_nobody_waiting() {
        let crowds = sold_out().await;
        let first = asks(&crowds).await;
        let mut stays = crowds.join(slot()).boxed();
        let mut goes = crowds.join(slot()).boxed();
        assert!((&mut stays).now_or_never().is_none());
        assert!((&mut goes).now_or_never().is_none());
        drop(goes);
        first.was_full(FULL);
        let Some(Turn::Ask(next)) = stays.now_or_never() else {
            panic!("it is its turn")
        };
        let after = Duration::from_millis(1);
        let mut other = crowds.join(slot()).boxed();
        assert!((&mut other).now_or_never().is_none());
        next.was_unavailable(Unavailable { after });
        assert!(matches!(other.await, Turn::Unavailable(_)));
    }
}
