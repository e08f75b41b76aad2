//! The song's clock for the fits of captures that are made within a bounce; [`bounce`](super::bounce) says in
//! which steps they keep to the song.

use crate::instrument::controls::Slot;
use crate::instrument::shared::{EVERYTHING, PacedCapture, SongPaces};

/// Steps of a fit for each second of the song: about what two cores make of them while it is played.
const STEPS_PER_S: u64 = 200;
/// How often, in a second of the song, more steps come due.
const DUES_PER_S: u64 = 10;

/// The song's time for the fit of a capture that was made within the bounce.
struct FitClock {
    capture: PacedCapture,
    /// Samples of the song for which it has gone on.
    samples: u64,
    /// Steps that may be heard, where the sound before the first step counts as one.
    due: u32,
}

/// Counts the song's time for the fits.
pub(super) struct Pacer {
    paces: SongPaces,
    /// Whether captures are made within a bounce.
    is_bouncing: bool,
    sample_rate: u64,
    /// Captures so far.
    captures: PacedCapture,
    /// The newest captures whose fits have begun, by slot.
    begun: [PacedCapture; Slot::COUNT],
    fits: [Option<FitClock>; Slot::COUNT],
}

impl Pacer {
    pub fn new(paces: SongPaces) -> Self {
        Self {
            paces,
            is_bouncing: false,
            sample_rate: 1,
            captures: 0,
            begun: Default::default(),
            fits: Default::default(),
        }
    }

    /// Takes the host's sample rate in Hz.
    pub fn prepare(&mut self, sample_rate: f64) {
        let new = (sample_rate.round() as u64).max(1);
        for fit in self.fits.iter_mut().flatten() {
            fit.samples = fit.samples * new / self.sample_rate;
        }
        self.sample_rate = new;
    }

    /// Says whether what is captured from now on is captured within a bounce.
    pub fn set_bouncing(&mut self, is_bouncing: bool) {
        self.is_bouncing = is_bouncing;
    }

    /// A number for a capture that was made, if its fit is to keep to the song.
    pub fn number_capture(&mut self) -> Option<PacedCapture> {
        if !self.is_bouncing {
            return None;
        }
        self.captures += 1;
        Some(self.captures)
    }

    /// Starts the clocks of the fits that have begun. Where a capture was refused, the fit before it goes on.
    pub fn start_begun_fits(&mut self) {
        for slot in Slot::ALL {
            let capture = self.paces.begun(slot);
            if capture != self.begun[slot.index()] {
                self.begun[slot.index()] = capture;
                self.fits[slot.index()] = Some(FitClock {
                    capture,
                    samples: 0,
                    due: 0,
                });
                self.publish(slot);
            }
        }
    }

    /// Says how many steps are due of the slot's fit.
    fn publish(&self, slot: Slot) {
        if let Some(fit) = &self.fits[slot.index()] {
            self.paces.set_due(slot, fit.capture, fit.due);
        }
    }

    /// The fit that goes on: that of the slot that plays, or else the first of the others.
    fn advancing(&mut self, playing: Slot) -> Option<Slot> {
        for (slot, fit) in Slot::ALL.into_iter().zip(&mut self.fits) {
            let paces = &self.paces;
            fit.take_if(|fit| paces.is_settled(slot, fit.capture, EVERYTHING));
        }
        let has_fit = |slot: &Slot| self.fits[slot.index()].is_some();
        let slots = std::iter::once(playing).chain(Slot::ALL);
        let advancing = slots.into_iter().find(has_fit);
        self.paces.set_advancing(advancing);
        advancing
    }

    /// Counts `samples` more samples of the song.
    pub fn advance(&mut self, samples: usize, playing: Slot) {
        if let Some(slot) = self.advancing(playing)
            && let Some(fit) = &mut self.fits[slot.index()]
        {
            fit.samples += samples as u64;
        }
    }

    /// Says how many steps are due now. Where nobody waits for them after this, bounces differ.
    pub fn publish_due(&mut self) {
        for slot in Slot::ALL {
            let Some(fit) = &mut self.fits[slot.index()] else {
                continue;
            };
            let dues = fit.samples * DUES_PER_S / self.sample_rate;
            let steps = dues * STEPS_PER_S / DUES_PER_S;
            // The sound before the first step counts as one.
            let due = if dues > 0 { steps + 1 } else { 0 };
            fit.due = due.min(u64::from(EVERYTHING - 1)) as u32;
            self.publish(slot);
        }
    }

    /// Says whether the bounce waits for what is due.
    pub fn set_awaited(&self, is_awaited: bool) {
        self.paces.set_awaited(is_awaited);
    }

    /// Whether everything that is due is heard. Only one fit goes on at a time, and is waited for.
    pub fn is_settled(&self) -> bool {
        let fits = Slot::ALL.into_iter().zip(&self.fits);
        fits.filter_map(|(slot, fit)| Some((slot, fit.as_ref()?)))
            .all(|(slot, fit)| fit.due == 0 || self.paces.is_settled(slot, fit.capture, fit.due))
    }

    /// Lets all fits go: they are heard as they come, and are waited for no more.
    pub fn give_up(&mut self) {
        for slot in Slot::ALL {
            if let Some(fit) = &mut self.fits[slot.index()] {
                fit.due = EVERYTHING;
                self.publish(slot);
                self.fits[slot.index()] = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::shared::{FitPaces, paces};

    const RATE: usize = 48_000;

    fn bouncing() -> (FitPaces, Pacer) {
        let (song, fits) = paces();
        let mut pacer = Pacer::new(song);
        pacer.set_bouncing(true);
        pacer.prepare(RATE as f64);
        (fits, pacer)
    }

    /// A capture whose fit has begun.
    fn begun(fits: &FitPaces, pacer: &mut Pacer, slot: Slot) -> PacedCapture {
        let capture = pacer.number_capture().unwrap();
        fits.begin(slot, capture);
        pacer.start_begun_fits();
        capture
    }

    #[test]
    fn steps_come_due_with_the_song_and_are_waited_for() {
        let (fits, mut pacer) = bouncing();
        let capture = begun(&fits, &mut pacer, Slot::B);
        let due = |pacer: &mut Pacer| {
            pacer.publish_due();
            fits.due(Slot::B, capture)
        };
        assert_eq!(due(&mut pacer), 0);
        assert!(pacer.is_settled());
        for _ in 0..3 {
            // Another slot plays, which has no fit.
            pacer.advance(RATE / 3, Slot::A);
        }
        assert!(fits.is_advancing(Slot::B));
        assert_eq!(u64::from(due(&mut pacer)), STEPS_PER_S + 1);
        assert!(!pacer.is_settled());
        fits.settle(Slot::B, capture, STEPS_PER_S as u32 + 1);
        assert!(pacer.is_settled());
        // Another sample rate is the same time.
        pacer.prepare(2.0 * RATE as f64);
        assert_eq!(u64::from(due(&mut pacer)), STEPS_PER_S + 1);
        fits.end(Slot::B, capture);
        pacer.advance(RATE, Slot::B);
        assert!(!fits.is_advancing(Slot::B));
    }

    #[test]
    fn only_the_fit_that_plays_goes_on_and_only_the_newest_capture_counts() {
        let (fits, mut pacer) = bouncing();
        let first = begun(&fits, &mut pacer, Slot::C);
        begun(&fits, &mut pacer, Slot::D);
        pacer.advance(RATE, Slot::D);
        pacer.publish_due();
        assert_eq!(fits.due(Slot::C, first), 0);
        pacer.advance(RATE, Slot::C);
        pacer.publish_due();
        assert!(fits.due(Slot::C, first) > 0);
        let second = begun(&fits, &mut pacer, Slot::C);
        assert_eq!(fits.due(Slot::C, first), 0);
        // What is said of the first one, however late, is not taken for the second.
        fits.end(Slot::C, second);
        fits.settle(Slot::C, first, 7);
        pacer.advance(RATE, Slot::C);
        assert!(fits.is_advancing(Slot::D));
    }

    #[test]
    fn a_capture_that_is_refused_does_not_stop_the_fit_before_it() {
        let (fits, mut pacer) = bouncing();
        let first = begun(&fits, &mut pacer, Slot::A);
        pacer.number_capture().unwrap();
        pacer.start_begun_fits();
        pacer.advance(RATE, Slot::A);
        pacer.publish_due();
        assert_eq!(u64::from(fits.due(Slot::A, first)), STEPS_PER_S + 1);
    }

    #[test]
    fn live_captures_have_no_pace() {
        let (_fits, mut pacer) = bouncing();
        pacer.set_bouncing(false);
        assert_eq!(pacer.number_capture(), None);
    }
}
