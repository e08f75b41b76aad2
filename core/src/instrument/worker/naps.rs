//! How long the worker and its fits sleep: the longer nothing has moved, the longer, so that what nobody
//! processes costs next to nothing. Who waits wakes the worker; the audio thread can't in real time, and finds
//! it after a nap.

use std::time::Duration;

/// The worker's naps while the audio thread moves: in a bounce, while streams are out, and else.
const OFFLINE: Duration = Duration::from_micros(200);
const FEEDING: Duration = Duration::from_millis(4);
const WATCHING: Duration = Duration::from_millis(15);
/// The longest while something is in the making, which nobody wakes the worker for.
const LONGEST_MAKING: Duration = WATCHING;
/// The longest of all: the rings hold an eighth of a second even two octaves up, and a note whose stream is not
/// there when a host goes on after a long stop waits for no more than this.
const LONGEST: Duration = Duration::from_millis(50);
/// A nap is the time that everything has stood still for, by this. A host that takes a quarter of a second for
/// each block finds the worker at its shortest naps, nearly.
const STILL_PER_NAP: u32 = 8;

/// For how long everything has stood still, as far as naps tell.
#[derive(Debug, Default)]
pub(super) struct Stillness(Duration);

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

/// What the worker sees when it has nothing to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Samples that the audio thread has processed since its last reset.
    pub clock: u64,
    /// Whether the host bounces.
    pub is_offline: bool,
    /// Whether streams are out, which have to be fed.
    pub has_streams: bool,
    /// Whether captures, previews or fits are in the making.
    pub is_making: bool,
}

/// The worker's naps.
#[derive(Debug, Default)]
pub(super) struct Naps {
    stillness: Stillness,
    clock: u64,
}

impl Naps {
    /// There was something to do.
    pub fn end_stillness(&mut self) {
        self.stillness.end();
    }

    /// How long the worker may sleep.
    pub fn next_nap(&mut self, seen: &Seen) -> Duration {
        if seen.clock != self.clock {
            self.clock = seen.clock;
            self.stillness.end();
        }
        let shortest = if seen.is_offline {
            OFFLINE
        } else if seen.has_streams {
            FEEDING
        } else {
            WATCHING
        };
        let longest = if seen.is_making {
            LONGEST_MAKING
        } else {
            LONGEST
        };
        self.stillness.next_nap(shortest, longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOPPED: Seen = Seen {
        clock: 480,
        is_offline: false,
        has_streams: true,
        is_making: false,
    };
    const BOUNCED: Seen = Seen {
        is_offline: true,
        ..STOPPED
    };

    /// Naps in the first `time` after the last movement.
    fn count(naps: &mut Naps, seen: &Seen, time: Duration) -> u32 {
        let mut slept = Duration::ZERO;
        let mut count = 0;
        while slept < time {
            slept += naps.next_nap(seen);
            count += 1;
        }
        count
    }

    #[test]
    fn the_worker_of_a_host_that_stands_still_hardly_ever_looks() {
        let second = Duration::from_secs(1);
        for seen in [STOPPED, BOUNCED] {
            let mut naps = Naps::default();
            count(&mut naps, &seen, 4 * second);
            assert_eq!(count(&mut naps, &seen, second), 20, "{seen:?}");
        }
    }

    #[test]
    fn naps_are_short_as_long_as_the_host_moves() {
        let mut naps = Naps::default();
        for (seen, nap) in [
            (STOPPED, FEEDING),
            (BOUNCED, OFFLINE),
            (
                Seen {
                    has_streams: false,
                    ..STOPPED
                },
                WATCHING,
            ),
        ] {
            for block in 0..1_000 {
                let clock = 480 * block;
                assert_eq!(naps.next_nap(&Seen { clock, ..seen }), nap);
            }
        }
    }

    #[test]
    fn a_host_whose_blocks_are_long_is_no_host_that_stands_still() {
        let mut naps = Naps::default();
        let block = Duration::from_millis(100);
        for clock in 0..100 {
            let mut slept = Duration::ZERO;
            while slept < block {
                let nap = naps.next_nap(&Seen { clock, ..STOPPED });
                assert!(nap <= WATCHING, "{nap:?}");
                slept += nap;
            }
        }
    }

    #[test]
    fn naps_shorten_at_once_when_the_host_moves_or_something_was_to_do() {
        let mut naps = Naps::default();
        count(&mut naps, &STOPPED, Duration::from_secs(4));
        assert_eq!(naps.next_nap(&STOPPED), LONGEST);
        // A reset counts as well.
        assert_eq!(
            naps.next_nap(&Seen {
                clock: 0,
                ..STOPPED
            }),
            FEEDING
        );
        count(&mut naps, &STOPPED, Duration::from_secs(4));
        naps.end_stillness();
        assert_eq!(naps.next_nap(&STOPPED), FEEDING);
    }

    #[test]
    fn what_is_in_the_making_is_looked_after_however_still_the_host_stands() {
        for seen in [STOPPED, BOUNCED] {
            let seen = Seen {
                is_making: true,
                ..seen
            };
            let mut naps = Naps::default();
            count(&mut naps, &seen, Duration::from_secs(4));
            assert_eq!(naps.next_nap(&seen), LONGEST_MAKING);
        }
    }

    #[test]
    fn stillness_may_last_for_ever() {
        let mut stillness = Stillness(Duration::MAX);
        let longest = Duration::from_secs(1);
        assert_eq!(stillness.next_nap(OFFLINE, longest), longest);
        assert_eq!(stillness.next_nap(OFFLINE, longest), longest);
    }
}
