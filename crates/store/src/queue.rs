//! What many want at the same time is done together: the busier the service, the more of it at once.
//!
//! Whoever comes puts down what is wanted. A runner takes all that lies there, does it in one go, and comes again until
//! nothing is left. Alone one waits for nobody; under load the statements grow instead of the queue, and a statement for
//! many costs both sides far less than many statements. Where that is not enough, others run beside the first.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Runners of a queue at the same time, at most.
const AT_ONCE: usize = 4;

/// When so many wait, another runner begins.
const MANY: usize = 24;

/// When nothing was taken for so long although somebody waits, another runner begins: the others are held up.
const LONG: Duration = Duration::from_millis(20);

/// Most that is done in one go: a statement stays short, and so does the wait for it.
const MOST: usize = 64;

/// When so many were taken in one go, others are on their way: the runner lets them come before it takes again.
const BUSY: usize = 4;

/// For so long. What a statement costs whoever it is for is shared by more, and nobody waits who is alone.
const REST: Duration = Duration::from_millis(2);

/// What waits, and how many run.
#[derive(Debug)]
pub(crate) struct Queue<T>(Mutex<Waiting<T>>);

#[derive(Debug)]
struct Waiting<T> {
    items: Vec<T>,
    runners: usize,
    taken: Instant,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self(Mutex::new(Waiting {
            items: Vec::new(),
            runners: 0,
            taken: Instant::now(),
        }))
    }
}

/// A runner's place in the queue; given back when it is dropped.
pub(crate) struct Runner<'a, T> {
    queue: &'a Queue<T>,
    is_busy: bool,
    is_done: bool,
}

impl<T> Queue<T> {
    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an item down. True: whoever put it down starts a runner.
    pub(crate) fn put(&self, item: T) -> bool {
        let mut waiting = self.lock();
        waiting.items.push(item);
        let is_runner_wanted = match waiting.runners {
            0 => true,
            AT_ONCE.. => false,
            _ => waiting.items.len() >= MANY || waiting.taken.elapsed() >= LONG,
        };
        waiting.runners += usize::from(is_runner_wanted);
        is_runner_wanted
    }

    /// The place of a runner that [`Queue::put`] wanted.
    pub(crate) fn runner(&self) -> Runner<'_, T> {
        Runner {
            queue: self,
            is_busy: false,
            is_done: false,
        }
    }
}

impl<T> Runner<'_, T> {
    /// What lies there by the time that it is worth while, oldest first; nothing: the runner ends.
    pub(crate) async fn next(&mut self) -> Vec<T> {
        if self.is_busy {
            tokio::time::sleep(REST).await;
        }
        self.take()
    }

    fn take(&mut self) -> Vec<T> {
        let mut waiting = self.queue.lock();
        waiting.taken = Instant::now();
        self.is_busy = waiting.items.len() >= BUSY;
        if waiting.items.len() > MOST {
            let later = waiting.items.split_off(MOST);
            return std::mem::replace(&mut waiting.items, later);
        }
        let items = std::mem::take(&mut waiting.items);
        if items.is_empty() {
            waiting.runners -= 1;
            self.is_done = true;
        }
        items
    }
}

impl<T> Drop for Runner<'_, T> {
    fn drop(&mut self) {
        // It broke off: its place is free again.
        if !self.is_done {
            self.queue.lock().runners -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn nothing_is_left_behind_and_one_does_all_while_few_wait() {
        let queue = Queue::default();
        assert!(queue.put(0));
        let mut first = queue.runner();
        assert!(!queue.put(1), "one runs already");
        assert_eq!(first.take(), [0, 1]);
        assert!(first.take().is_empty(), "it ends");
        drop(first);
        assert!(queue.put(2));
        drop(queue.runner());
        assert!(queue.put(3), "one that broke off leaves its place");
        assert_eq!(queue.runner().take(), [2, 3]);
    }

    #[test]
    fn others_help_when_many_wait_and_when_one_is_held_up() {
        let queue = Queue::default();
        // As if somebody came just now, or not for long, however fast this runs.
        let came = |taken: Instant| queue.lock().taken = taken;
        assert!(queue.put(0));
        came(Instant::now() + Duration::from_secs(3_600));
        let mut first = queue.runner();
        for item in 1..MANY {
            assert_eq!(queue.put(item), item + 1 == MANY, "{item}");
        }
        let mut second = queue.runner();
        assert_eq!(second.take().len(), MANY);
        assert!(second.take().is_empty());
        drop(second);
        came(Instant::now() - LONG);
        assert!(queue.put(0), "nobody came for a while");
        assert!(queue.put(1));
        assert!(queue.put(2));
        assert!(!queue.put(3), "so many run, and no more");
        assert_eq!(first.take(), [0, 1, 2, 3]);
    }

    #[tokio::test]
    async fn who_is_alone_waits_for_nobody_and_where_many_come_they_are_waited_for() {
        let queue = Queue::default();
        queue.put(0);
        let mut runner = queue.runner();
        assert_eq!(runner.next().now_or_never(), Some(vec![0]));
        queue.put(0);
        assert_eq!(runner.next().now_or_never(), Some(vec![0]));
        for item in 0..BUSY {
            queue.put(item);
        }
        let many = runner.next().now_or_never();
        assert_eq!(many.map(|items| items.len()), Some(BUSY));
        queue.put(0);
        let rested = Instant::now();
        assert_eq!(runner.next().await, [0]);
        assert!(rested.elapsed() >= REST);
        assert_eq!(runner.next().now_or_never(), Some(Vec::new()));
    }

    #[test]
    fn a_long_queue_is_taken_in_parts() {
        let queue = Queue::default();
        for item in 0..=MOST {
            queue.put(item);
        }
        let mut runner = queue.runner();
        assert_eq!(runner.take().len(), MOST);
        assert_eq!(runner.take(), [MOST]);
    }
}
