//! What many want at the same time is done together: the busier the service, the more of it at once.
//!
//! Whoever comes puts down what is wanted. At most [`AT_ONCE`] runners take all that lies there, do it in one go, and come
//! again until nothing is left. Alone one waits for nobody; under load the statements grow instead of the queue.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Runners of a queue: while one waits for the database, the next gathers.
const AT_ONCE: usize = 2;

/// Most that is done in one go: a statement stays short, and so does the wait for it.
const MOST: usize = 64;

/// What waits, and how many run.
#[derive(Debug)]
pub(crate) struct Queue<T>(Mutex<Waiting<T>>);

#[derive(Debug)]
struct Waiting<T> {
    items: Vec<T>,
    runners: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self(Mutex::new(Waiting {
            items: Vec::new(),
            runners: 0,
        }))
    }
}

/// A runner's place in the queue; given back when it is dropped.
pub(crate) struct Runner<'a, T> {
    queue: &'a Queue<T>,
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
        let is_runner_wanted = waiting.runners < AT_ONCE;
        waiting.runners += usize::from(is_runner_wanted);
        is_runner_wanted
    }

    /// The place of a runner that [`Queue::put`] wanted.
    pub(crate) fn runner(&self) -> Runner<'_, T> {
        Runner {
            queue: self,
            is_done: false,
        }
    }
}

impl<T> Runner<'_, T> {
    /// What lies there, oldest first; nothing: the runner ends.
    pub(crate) fn take(&mut self) -> Vec<T> {
        let mut waiting = self.queue.lock();
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
    use super::*;

    #[test]
    fn nothing_is_left_behind_and_no_more_than_two_run() {
        let queue = Queue::default();
        assert!(queue.put(0));
        let mut first = queue.runner();
        assert!(queue.put(1));
        let mut second = queue.runner();
        assert!(!queue.put(2), "two run already");
        assert_eq!(first.take(), [0, 1, 2]);
        assert!(second.take().is_empty(), "the second ends");
        drop(second);
        assert!(queue.put(3), "there is room for another");
        let third = queue.runner();
        drop(third);
        assert!(queue.put(4), "one that broke off leaves its place");
        assert_eq!(first.take(), [3, 4]);
        assert!(first.take().is_empty());
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
