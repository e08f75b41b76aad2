//! Work on several threads that are gone when it is done: a plugin may be unloaded at any time, and a
//! thread pool that outlives it takes the host with it.

use std::sync::{Mutex, PoisonError};
use std::thread;

use thread_priority::{ThreadPriority, ThreadPriorityValue, set_current_thread_priority};

/// More threads than this have nothing to do in a step of a fit.
const MOST: usize = 8;
/// Priority of background work, of 0 to 99 with ordinary threads at 50: about "nice 10" on Linux.
const BACKGROUND_PRIORITY: u8 = 25;

/// Gives way to every ordinary thread from now on. Where the system refuses, the thread stays as it is.
pub fn lower_priority() {
    if let Ok(value) = ThreadPriorityValue::try_from(BACKGROUND_PRIORITY) {
        let _ = set_current_thread_priority(ThreadPriority::Crossplatform(value));
    }
}

/// How many threads to work on, the caller's included.
#[derive(Clone, Copy, Debug)]
pub struct Threads {
    count: usize,
    background: bool,
}

impl Threads {
    /// `count` threads; 0 for one per core.
    pub fn new(count: usize) -> Self {
        Self::with_priority(count, false)
    }

    /// `count` threads (0 for one per core) whose helpers give way to ordinary threads, as their caller should
    /// ([`lower_priority`]).
    pub fn in_background(count: usize) -> Self {
        Self::with_priority(count, true)
    }

    fn with_priority(count: usize, background: bool) -> Self {
        let wanted = match count {
            0 => thread::available_parallelism().map_or(1, usize::from),
            _ => count,
        };
        Self {
            count: wanted.min(MOST),
            background,
        }
    }

    /// How many there are, the caller's included.
    pub fn count(self) -> usize {
        self.count
    }

    /// The results of `task(0) .. task(count - 1)`, in this order, whoever computed them.
    pub fn map<T: Send>(self, count: usize, task: impl Fn(usize) -> T + Sync) -> Vec<T> {
        let mut results: Vec<(usize, Option<T>)> = (0..count).map(|i| (i, None)).collect();
        self.for_each(&mut results, |(i, result)| *result = Some(task(*i)));
        results.into_iter().filter_map(|r| r.1).collect()
    }

    /// Does `work` once on every item, in no particular order; each thread takes the next item as it
    /// gets free.
    pub fn for_each<T: Send>(self, items: &mut [T], work: impl Fn(&mut T) + Sync) {
        let helpers = self.count.min(items.len()).saturating_sub(1);
        if helpers == 0 {
            return items.iter_mut().for_each(work);
        }
        let queue = Mutex::new(items.iter_mut());
        // A panic in `work` poisons nothing: the lock is held only to take an item.
        let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let run = || {
            while let Some(item) = take() {
                work(item);
            }
        };
        thread::scope(|scope| {
            for _ in 0..helpers {
                scope.spawn(|| {
                    // On Linux a thread starts with the priority of the one that made it.
                    if self.background && !cfg!(target_os = "linux") {
                        lower_priority();
                    }
                    run();
                });
            }
            run();
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_worked_on_once_by_any_number_of_threads() {
        for threads in [1, 2, 7, 100] {
            let mut items: Vec<usize> = (0..100).collect();
            Threads::new(threads).for_each(&mut items, |i| *i = *i * *i + 1);
            assert!(items.iter().enumerate().all(|(i, x)| *x == i * i + 1));
            let squares = Threads::new(threads).map(100, |i| i * i);
            assert!(squares.into_iter().eq((0..100).map(|i| i * i)));
        }
        Threads::new(3).for_each(&mut Vec::<usize>::new(), |_| unreachable!());
    }
}
