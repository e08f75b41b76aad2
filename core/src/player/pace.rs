//! Fits of captures that are made within a bounce go on at the song's pace, as they do while it is played:
//! after so many seconds of the song, so many steps of the fit are heard, in every bounce the same. A bounce
//! waits no longer than that takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};

use super::controls::Slot;
use super::messages::Shared;

/// Steps of a fit for each second of the song: about what two cores make of them while it is played.
const STEPS_PER_S: u64 = 200;
/// How often, in a second of the song, what the fit has come to is looked at.
const LOOKS_PER_S: u64 = 10;
/// Number of a look with which every step may be heard, and of a fit that is over.
const EVERYTHING: u32 = u32::MAX;

/// The number of a capture that was made within a bounce; later ones have greater numbers.
pub(super) type PacedCapture = u32;

/// What the audio thread and the worker tell each other of a slot's paced fit: the number of its capture
/// in the upper half, and a count of steps in the lower, where the sound before the first step counts as
/// one.
#[derive(Default)]
struct Told(AtomicU64);

impl Told {
    fn pack(capture: PacedCapture, steps: u32) -> u64 {
        u64::from(capture) << 32 | u64::from(steps)
    }

    fn read(&self) -> (PacedCapture, u32) {
        let told = self.0.load(Ordering::Acquire);
        ((told >> 32) as u32, told as u32)
    }
}

/// What is shared about the paces of all slots.
pub(super) struct Paces {
    /// Number of the newest capture whose fit began: the worker's to say.
    begun: [AtomicU32; Slot::COUNT],
    /// What may be heard: the audio thread's to say.
    due: [Told; Slot::COUNT],
    /// Up to where everything that was to be heard is heard: the worker's to say.
    settled: [Told; Slot::COUNT],
    /// The slot whose fit goes on, or none of them.
    advancing: AtomicU8,
    /// Whether the bounce waits for that fit.
    is_awaited: AtomicBool,
}

impl Paces {
    pub fn new() -> Self {
        Self {
            begun: Default::default(),
            due: Default::default(),
            settled: Default::default(),
            advancing: AtomicU8::new(u8::MAX),
            is_awaited: AtomicBool::new(false),
        }
    }

    /// Says that the fit of a capture has begun.
    pub fn begin(&self, slot: Slot, capture: PacedCapture) {
        self.begun[slot.index()].store(capture, Ordering::Release);
    }

    /// Steps, counted as [`Told`] says, that may be heard of the fit of `capture`.
    pub fn due(&self, slot: Slot, capture: PacedCapture) -> u32 {
        let (newest, steps) = self.due[slot.index()].read();
        // The song has not heard yet that this fit has begun, or it is about to be cancelled.
        if newest == capture { steps } else { 0 }
    }

    /// Whether the bounce gets ahead with the fit of this slot now. Others may rest.
    pub fn is_advancing(&self, slot: Slot) -> bool {
        usize::from(self.advancing.load(Ordering::Acquire)) == slot.index()
    }

    /// Whether the bounce waits for the fit that goes on. All others should rest.
    pub fn is_awaited(&self) -> bool {
        self.is_awaited.load(Ordering::Acquire)
    }

    /// Says that everything up to so many steps is heard.
    pub fn settle(&self, slot: Slot, capture: PacedCapture, steps: u32) {
        // Neither an older capture nor an older look takes anything back.
        let told = Told::pack(capture, steps);
        self.settled[slot.index()]
            .0
            .fetch_max(told, Ordering::AcqRel);
    }

    /// Says that there is nothing more to come of this capture, or that it no longer keeps to the song.
    pub fn end(&self, slot: Slot, capture: PacedCapture) {
        self.settle(slot, capture, EVERYTHING);
    }
}

/// The song's time for the fit of a capture that was made within the bounce.
struct FitClock {
    capture: PacedCapture,
    /// Samples of the song for which it has gone on.
    samples: u64,
    due: u32,
}

/// The audio thread's half: counts the song's time for the fits.
pub(super) struct Pacer {
    shared: Arc<Shared>,
    sample_rate: u64,
    captures: PacedCapture,
    /// Captures whose fits were heard to begin last.
    begun: [PacedCapture; Slot::COUNT],
    fits: [Option<FitClock>; Slot::COUNT],
}

impl Pacer {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            sample_rate: 1,
            captures: 0,
            begun: Default::default(),
            fits: Default::default(),
        }
    }

    /// Tells the host's sample rate in Hz.
    pub fn prepare(&mut self, sample_rate: f64) {
        let new = (sample_rate.round() as u64).max(1);
        for fit in self.fits.iter_mut().flatten() {
            fit.samples = fit.samples * new / self.sample_rate;
        }
        self.sample_rate = new;
    }

    /// A number for a capture that was made, if its fit is to keep to the song.
    pub fn number_capture(&mut self) -> Option<PacedCapture> {
        if !self.shared.offline.load(Ordering::Acquire) {
            return None;
        }
        self.captures += 1;
        Some(self.captures)
    }

    /// Starts the clocks of the fits that have begun. Where a capture was refused, the fit before it goes on.
    pub fn hear_begun(&mut self) {
        for slot in Slot::ALL {
            let capture = self.shared.paces.begun[slot.index()].load(Ordering::Acquire);
            if capture != self.begun[slot.index()] {
                self.begun[slot.index()] = capture;
                self.fits[slot.index()] = Some(FitClock {
                    capture,
                    samples: 0,
                    due: 0,
                });
                self.tell(slot);
            }
        }
    }

    fn tell(&self, slot: Slot) {
        if let Some(fit) = &self.fits[slot.index()] {
            let told = Told::pack(fit.capture, fit.due);
            self.shared.paces.due[slot.index()]
                .0
                .store(told, Ordering::Release);
        }
    }

    /// The fit that goes on: that of the slot that plays, or else the first of the others.
    fn advancing(&mut self, playing: Slot) -> Option<Slot> {
        for (slot, fit) in Slot::ALL.into_iter().zip(&mut self.fits) {
            let settled = self.shared.paces.settled[slot.index()].read();
            fit.take_if(|fit| settled >= (fit.capture, EVERYTHING));
        }
        let has_fit = |slot: &Slot| self.fits[slot.index()].is_some();
        let slots = std::iter::once(playing).chain(Slot::ALL);
        let advancing = slots.into_iter().find(has_fit);
        let told = advancing.map_or(u8::MAX, |slot| slot.index() as u8);
        self.shared.paces.advancing.store(told, Ordering::Release);
        advancing
    }

    /// `samples` samples of the song have gone by.
    pub fn advance(&mut self, samples: usize, playing: Slot) {
        if let Some(slot) = self.advancing(playing)
            && let Some(fit) = &mut self.fits[slot.index()]
        {
            fit.samples += samples as u64;
        }
    }

    /// Lets be heard what is due now. Where nobody waits for it after this, bounces differ.
    pub fn look(&mut self) {
        for slot in Slot::ALL {
            let Some(fit) = &mut self.fits[slot.index()] else {
                continue;
            };
            let looks = fit.samples * LOOKS_PER_S / self.sample_rate;
            let steps = looks * STEPS_PER_S / LOOKS_PER_S;
            // The sound before the first step counts as one.
            let due = if looks > 0 { steps + 1 } else { 0 };
            fit.due = due.min(u64::from(EVERYTHING - 1)) as u32;
            self.tell(slot);
        }
    }

    /// Says whether somebody waits for that.
    pub fn await_settled(&self, is_awaited: bool) {
        let paces = &self.shared.paces;
        paces.is_awaited.store(is_awaited, Ordering::Release);
    }

    /// Whether everything that is due is heard. Only one fit goes on at a time, and is waited for.
    pub fn is_settled(&self) -> bool {
        let fits = Slot::ALL.into_iter().zip(&self.fits);
        fits.filter_map(|(slot, fit)| Some((slot, fit.as_ref()?)))
            .all(|(slot, fit)| {
                let settled = self.shared.paces.settled[slot.index()].read();
                fit.due == 0 || settled >= (fit.capture, fit.due)
            })
    }

    /// Waits for none of them any more: they are heard as they come.
    pub fn give_up(&mut self) {
        for slot in Slot::ALL {
            if let Some(fit) = &mut self.fits[slot.index()] {
                fit.due = EVERYTHING;
                self.tell(slot);
                self.fits[slot.index()] = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: usize = 48_000;

    fn bouncing() -> (Arc<Shared>, Pacer) {
        let shared = Arc::new(Shared::new(100));
        shared.offline.store(true, Ordering::Release);
        let mut pacer = Pacer::new(shared.clone());
        pacer.prepare(RATE as f64);
        (shared, pacer)
    }

    /// A capture whose fit has begun.
    fn begun(shared: &Shared, pacer: &mut Pacer, slot: Slot) -> PacedCapture {
        let capture = pacer.number_capture().unwrap();
        shared.paces.begin(slot, capture);
        pacer.hear_begun();
        capture
    }

    #[test]
    fn steps_come_due_with_the_song_and_are_waited_for() {
        let (shared, mut pacer) = bouncing();
        let capture = begun(&shared, &mut pacer, Slot::B);
        let due = |pacer: &mut Pacer| {
            pacer.look();
            shared.paces.due(Slot::B, capture)
        };
        assert_eq!(due(&mut pacer), 0);
        assert!(pacer.is_settled());
        for _ in 0..3 {
            // Another slot plays, which has no fit.
            pacer.advance(RATE / 3, Slot::A);
        }
        assert!(shared.paces.is_advancing(Slot::B));
        assert_eq!(u64::from(due(&mut pacer)), STEPS_PER_S + 1);
        assert!(!pacer.is_settled());
        shared
            .paces
            .settle(Slot::B, capture, STEPS_PER_S as u32 + 1);
        assert!(pacer.is_settled());
        // Another sample rate is the same time.
        pacer.prepare(2.0 * RATE as f64);
        assert_eq!(u64::from(due(&mut pacer)), STEPS_PER_S + 1);
        shared.paces.end(Slot::B, capture);
        pacer.advance(RATE, Slot::B);
        assert!(!shared.paces.is_advancing(Slot::B));
    }

    #[test]
    fn only_the_fit_that_plays_goes_on_and_only_the_newest_capture_counts() {
        let (shared, mut pacer) = bouncing();
        let first = begun(&shared, &mut pacer, Slot::C);
        begun(&shared, &mut pacer, Slot::D);
        pacer.advance(RATE, Slot::D);
        pacer.look();
        assert_eq!(shared.paces.due(Slot::C, first), 0);
        pacer.advance(RATE, Slot::C);
        pacer.look();
        assert!(shared.paces.due(Slot::C, first) > 0);
        let second = begun(&shared, &mut pacer, Slot::C);
        assert_eq!(shared.paces.due(Slot::C, first), 0);
        // What is told of the first one, however late, is not taken for the second.
        shared.paces.end(Slot::C, second);
        shared.paces.settle(Slot::C, first, 7);
        pacer.advance(RATE, Slot::C);
        assert!(shared.paces.is_advancing(Slot::D));
    }

    #[test]
    fn a_capture_that_is_refused_does_not_stop_the_fit_before_it() {
        let (shared, mut pacer) = bouncing();
        let first = begun(&shared, &mut pacer, Slot::A);
        pacer.number_capture().unwrap();
        pacer.hear_begun();
        pacer.advance(RATE, Slot::A);
        pacer.look();
        assert_eq!(u64::from(shared.paces.due(Slot::A, first)), STEPS_PER_S + 1);
    }

    #[test]
    fn live_captures_have_no_pace() {
        let (shared, mut pacer) = bouncing();
        shared.offline.store(false, Ordering::Release);
        assert_eq!(pacer.number_capture(), None);
    }
}
