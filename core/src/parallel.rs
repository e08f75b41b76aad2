//! Work on several threads that are gone when it is done: a plugin may be unloaded at any time, and a
//! thread pool that outlives it takes the host with it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How many threads to work on, the caller's included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Threads(usize);

impl Threads {
    /// `count` threads; 0 for one per core.
    pub fn new(count: usize) -> Self {
        match count {
            0 => Self(thread::available_parallelism().map_or(1, usize::from)),
            _ => Self(count),
        }
    }

    /// The results of `task(0) .. task(count - 1)`, in this order, whoever computed them.
    pub fn map<T: Send>(self, count: usize, task: impl Fn(usize) -> T + Sync) -> Vec<T> {
        self.map_beside(count, task, || ()).0
    }

    /// The same, beside `main`, which runs on the calling thread before that joins in.
    pub fn map_beside<T: Send, M>(
        self,
        count: usize,
        task: impl Fn(usize) -> T + Sync,
        main: impl FnOnce() -> M,
    ) -> (Vec<T>, M) {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return done;
                }
                done.push((index, task(index)));
            }
        };
        let (mut results, main) = thread::scope(|scope| {
            let helpers: Vec<_> = (1..self.0).map(|_| scope.spawn(work)).collect();
            let main = main();
            let mut results = work();
            for helper in helpers {
                // A panic goes on in the caller, as it would on one thread.
                results.extend(
                    helper
                        .join()
                        .unwrap_or_else(|p| std::panic::resume_unwind(p)),
                );
            }
            (results, main)
        });
        results.sort_unstable_by_key(|r| r.0);
        (results.into_iter().map(|r| r.1).collect(), main)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_on_any_number_of_threads() {
        for threads in [1, 2, 7] {
            let (squares, main) = Threads::new(threads).map_beside(100, |i| i * i, || "done");
            assert_eq!((squares.len(), squares[99], main), (100, 9801, "done"));
            assert!(squares.is_sorted());
        }
        assert!(Threads::new(3).map(0, |i| i).is_empty());
    }
}
