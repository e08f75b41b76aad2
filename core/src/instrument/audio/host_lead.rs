//! Hosts that render faster than real time without saying so, as Ardour does when it freezes a track.

use std::time::{Duration, Instant};

/// A host may be so many seconds ahead of what is heard and still be playing: buffers of its own, and
/// rendering in advance (Reaper: 0.2 s). Less than the rings hold, so that nothing is lost before it shows.
const PLAYING_LEAD_S: f64 = 0.25;
/// The lead is forgotten by and by, over so many seconds: two clocks never agree, and may be as far apart
/// as 44.1 and 48 kHz where a sound card is set to another rate than the host believes.
const MEMORY_S: f64 = 2.0;

/// Follows how much more sound a host has asked for than time has gone by.
#[derive(Default)]
pub(super) struct HostLead {
    seen: Option<Instant>,
    lead_s: f64,
}

impl HostLead {
    /// The host asks for `block_s` more seconds of sound. Returns until when it may be kept waiting for
    /// that; for nothing at all, if it may be playing.
    pub fn ask(&mut self, block_s: f64) -> Option<Instant> {
        self.ask_at(Instant::now(), block_s)
    }

    fn ask_at(&mut self, now: Instant, block_s: f64) -> Option<Instant> {
        let passed_s = self
            .seen
            .map_or(0.0, |seen| now.duration_since(seen).as_secs_f64());
        self.seen = Some(now);
        self.lead_s = (self.lead_s - passed_s).max(0.0) * (-passed_s / MEMORY_S).exp();
        let patience_s = self.lead_s - PLAYING_LEAD_S;
        self.lead_s += block_s;
        (patience_s > 0.0).then(|| now + Duration::from_secs_f64(patience_s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK_S: f64 = 0.01;

    /// Asks for `seconds` of sound, each block `pause(n)` seconds after the one before; the longest wait
    /// that was allowed.
    fn longest_wait(seconds: f64, pause: impl Fn(usize) -> f64) -> f64 {
        let mut lead = HostLead::default();
        let mut now = Instant::now();
        let mut longest = 0.0f64;
        for n in 0..(seconds / BLOCK_S) as usize {
            if let Some(until) = lead.ask_at(now, BLOCK_S) {
                longest = longest.max((until - now).as_secs_f64());
            }
            now += Duration::from_secs_f64(pause(n));
        }
        longest
    }

    #[test]
    fn a_host_that_plays_is_never_kept_waiting() {
        // On time, with a clock that is off by a thousandth or by another sample rate, in bursts of a
        // fifth of a second, and after a rest.
        assert_eq!(longest_wait(3600.0, |_| BLOCK_S), 0.0);
        assert_eq!(longest_wait(3600.0, |_| 0.999 * BLOCK_S), 0.0);
        assert_eq!(longest_wait(600.0, |_| 44.1 / 48.0 * BLOCK_S), 0.0);
        let burst = |n| if n % 20 == 0 { 20.0 * BLOCK_S } else { 0.0 };
        assert_eq!(longest_wait(600.0, burst), 0.0);
        let rest = |n| if n == 100 { 30.0 } else { BLOCK_S };
        assert_eq!(longest_wait(600.0, rest), 0.0);
    }

    #[test]
    fn a_host_that_renders_ahead_may_wait_as_long_as_it_is_ahead() {
        let wait = longest_wait(2.0, |_| 0.0);
        assert!(
            (wait - (2.0 - BLOCK_S - PLAYING_LEAD_S)).abs() < 1e-6,
            "{wait}"
        );
        assert!(longest_wait(60.0, |_| BLOCK_S / 4.0) > 1.0);
    }
}
