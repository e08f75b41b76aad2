//! How long somebody sleeps who has to look by himself: the longer nothing has moved, the longer.

use std::time::Duration;

/// A nap is the time that everything has stood still for, by this. Who looks for something that moves every
/// quarter of a second stays at his shortest naps, nearly.
const STILL_PER_NAP: u32 = 8;

/// For how long everything has stood still, as far as naps tell.
#[derive(Debug, Default)]
pub(in crate::instrument) struct Stillness(Duration);

impl Stillness {
    /// Something has moved.
    pub fn end(&mut self) {
        self.0 = Duration::ZERO;
    }

    /// The next nap, at least `shortest` and at most `longest`: it lengthens as the stillness lasts.
    pub fn next_nap(&mut self, shortest: Duration, longest: Duration) -> Duration {
        let nap = (self.0 / STILL_PER_NAP).min(longest).max(shortest);
        self.0 = self.0.saturating_add(nap);
        nap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORTEST: Duration = Duration::from_millis(4);
    const LONGEST: Duration = Duration::from_millis(50);

    /// Naps in the next `time`, in which nothing moves.
    fn count(stillness: &mut Stillness, time: Duration) -> u32 {
        let mut slept = Duration::ZERO;
        let mut count = 0;
        while slept < time {
            slept += stillness.next_nap(SHORTEST, LONGEST);
            count += 1;
        }
        count
    }

    #[test]
    fn where_everything_stands_still_naps_are_long_and_short_again_as_soon_as_something_moves() {
        let second = Duration::from_secs(1);
        let mut stillness = Stillness::default();
        assert_eq!(stillness.next_nap(SHORTEST, LONGEST), SHORTEST);
        count(&mut stillness, 4 * second);
        assert_eq!(count(&mut stillness, second), 20);
        stillness.end();
        assert_eq!(stillness.next_nap(SHORTEST, LONGEST), SHORTEST);
    }

    #[test]
    fn a_host_whose_blocks_are_long_is_no_host_that_stands_still() {
        let mut stillness = Stillness::default();
        let block = Duration::from_millis(100);
        for _ in 0..100 {
            let mut slept = Duration::ZERO;
            while slept < block {
                let nap = stillness.next_nap(SHORTEST, LONGEST);
                assert!(nap <= Duration::from_millis(15), "{nap:?}");
                slept += nap;
            }
            stillness.end();
        }
    }
}
