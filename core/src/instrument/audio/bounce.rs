//! All waiting of the audio thread: in a bounce, for whatever the worker has to do, so that every bounce is
//! the same; and for frames, where a host renders faster than real time without saying so.
//!
//! A fit of a capture that is made within the bounce keeps to the song's pace instead, in four steps:
//! 1. the worker says that the fit has *begun*, and the [`Pacer`] starts a clock of the song's time for it;
//! 2. the pacer says how many steps are *due*, and the fit trains that far;
//! 3. the worker hands over what it came to, and says up to which step that is *settled*;
//! 4. the bounce waits for that, and counts the song's time on.

use std::sync::Arc;
use std::time::Instant;

use super::host_lead::HostLead;
use super::pacer::Pacer;
use super::part::is_on_grid;
use super::patience::{FitPatience, Patience};
use crate::instrument::controls::Slot;
use crate::instrument::shared::{MetersWriter, PacedCapture, Waker, Work};
use crate::instrument::stream::Supply;

/// Decides what is waited for, and for how long.
pub(super) struct Bounce {
    work: Arc<Work>,
    /// Wakes whoever is waited for.
    waker: Waker,
    pacer: Pacer,
    is_offline: bool,
    lead: HostLead,
    /// A host that renders faster than real time without saying so may be kept waiting until then.
    lead_deadline: Option<Instant>,
    /// Commands were waited for in vain: not again before all of them are done.
    ignores_commands: bool,
    /// Fits were waited for in vain: not again before all of them are done.
    ignores_fits: bool,
    fit_patience: FitPatience,
    /// Whether streams and frames are still waited for; not after that was in vain.
    is_patient: bool,
}

impl Bounce {
    pub fn new(work: Arc<Work>, waker: Waker, pacer: Pacer) -> Self {
        Self {
            work,
            waker,
            pacer,
            is_offline: false,
            lead: HostLead::default(),
            lead_deadline: None,
            ignores_commands: false,
            ignores_fits: false,
            fit_patience: FitPatience::default(),
            is_patient: true,
        }
    }

    /// Takes the host's sample rate in Hz.
    pub fn prepare(&mut self, sample_rate: f64) {
        self.pacer.prepare(sample_rate);
    }

    /// Begins or ends a bounce. Returns whether that is anything new.
    pub fn set_offline(&mut self, is_offline: bool) -> bool {
        if self.is_offline == is_offline {
            return false;
        }
        self.is_offline = is_offline;
        self.is_patient = true;
        self.ignores_commands = false;
        self.ignores_fits = false;
        self.pacer.set_bouncing(is_offline);
        true
    }

    /// Whether the host bounces.
    pub fn is_offline(&self) -> bool {
        self.is_offline
    }

    /// Begins anew: waits again where it was in vain, and forgets how far the host is ahead.
    pub fn reset(&mut self) {
        self.is_patient = true;
        self.lead = HostLead::default();
    }

    /// The host asks for `block_s` more seconds of sound.
    pub fn begin_block(&mut self, block_s: f64) {
        self.lead_deadline = if self.is_offline {
            None
        } else {
            self.lead.ask(block_s)
        };
    }

    /// Whether the host may be kept waiting.
    pub fn may_wait(&self) -> bool {
        self.is_offline || self.lead_deadline.is_some()
    }

    /// A number for a capture that was made, if its fit is to keep to the song.
    pub fn number_capture(&mut self) -> Option<PacedCapture> {
        self.pacer.number_capture()
    }

    /// In a bounce: waits for commands, for what is due of the fits that keep to the song, and for other fits
    /// of the slot that plays, when so many samples are processed. Returns whether fits were waited for and
    /// are done: frames of snapshots that nobody heard are on their way, and are not to be heard.
    pub fn wait_for_worker(&mut self, slot: Slot, clock: u64, meters: &MetersWriter) -> bool {
        if !self.is_offline {
            return false;
        }
        self.wait_for_commands(meters);
        self.pacer.start_begun_fits();
        if is_on_grid(clock) {
            self.wait_for_paced_fits(meters);
        }
        self.wait_for_fits(slot, meters)
    }

    fn wait_for_commands(&mut self, meters: &MetersWriter) {
        if !self.work.has_commands() {
            self.ignores_commands = false;
        } else if !self.ignores_commands {
            self.ignores_commands = !self.wait(meters, || !self.work.has_commands());
        }
    }

    fn wait_for_paced_fits(&mut self, meters: &MetersWriter) {
        self.pacer.publish_due();
        if self.pacer.is_settled() {
            return;
        }
        self.pacer.set_awaited(true);
        let is_settled = self.wait(meters, || self.pacer.is_settled());
        self.pacer.set_awaited(false);
        if !is_settled {
            self.pacer.give_up();
        }
    }

    fn wait_for_fits(&mut self, slot: Slot, meters: &MetersWriter) -> bool {
        self.ignores_fits &= self.work.has_any_fits();
        if self.ignores_fits || !self.work.has_fits(slot) {
            return false;
        }
        let begin = Instant::now();
        let deadline = self.fit_patience.deadline(begin);
        self.wait(meters, || {
            !self.work.has_fits(slot) || Instant::now() > deadline
        });
        self.fit_patience.spend(begin.elapsed());
        if self.work.has_fits(slot) {
            self.ignores_fits = true;
            meters.set_wait_failed();
            return false;
        }
        self.is_patient = true;
        true
    }

    /// Whether streams and frames are waited for.
    pub fn waits_for_streams(&self) -> bool {
        self.may_wait() && self.is_patient
    }

    /// Waits until the streams that were asked for have come, as `have_come` finds out.
    pub fn wait_for_streams(&mut self, meters: &MetersWriter, have_come: impl FnMut() -> bool) {
        let have_come = self.wait(meters, have_come);
        self.is_patient = have_come || !self.is_offline;
    }

    /// The patience for the frames of one part of a block, if they are waited for. It is to be given back.
    pub fn frame_patience(&self) -> Option<Patience> {
        self.waits_for_streams().then(|| self.patience())
    }

    /// Takes back the patience for frames: where it was in vain, a bounce does not wait for them again.
    pub fn end_frames(&mut self, patience: Option<Patience>, meters: &MetersWriter) {
        if self.is_offline && patience.is_some_and(|p| p.was_in_vain()) {
            self.is_patient = false;
            meters.set_wait_failed();
        }
    }

    /// Waits until the input's ring `has_room`.
    pub fn wait_for_room(&self, meters: &MetersWriter, has_room: impl FnMut() -> bool) {
        if self.may_wait() {
            self.wait(meters, has_room);
        }
    }

    /// Counts `samples` more samples of a bounce's song for the fits that keep to it.
    pub fn advance(&mut self, samples: usize, playing: Slot) {
        if self.is_offline {
            self.pacer.advance(samples, playing);
        }
    }

    fn patience(&self) -> Patience {
        Patience::new(self.waker.clone(), self.lead_deadline)
    }

    /// Waits until `is_done`, only ever where [`may_wait`](Self::may_wait). Returns whether it came to that.
    fn wait(&self, meters: &MetersWriter, mut is_done: impl FnMut() -> bool) -> bool {
        let mut patience = self.patience();
        while !is_done() {
            if !patience.wait() {
                if self.is_offline {
                    meters.set_wait_failed();
                }
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::instrument::shared::{MetersReader, bell, meters, paces};

    fn bounce(is_offline: bool) -> (Bounce, Arc<Work>, MetersWriter, MetersReader) {
        let work = Arc::new(Work::default());
        let (song, _) = paces();
        let mut bounce = Bounce::new(work.clone(), bell().0, Pacer::new(song));
        bounce.prepare(48_000.0);
        bounce.set_offline(is_offline);
        let (writer, _, reader) = meters();
        (bounce, work, writer, reader)
    }

    #[test]
    fn nobody_waits_in_real_time() {
        let (mut bounce, work, meters, _reader) = bounce(false);
        let _fit = work.begin().unwrap().into_fit(Slot::A);
        bounce.begin_block(0.01);
        assert!(!bounce.wait_for_worker(Slot::A, 0, &meters));
        assert!(!bounce.may_wait() && bounce.frame_patience().is_none());
        bounce.wait_for_room(&meters, || unreachable!("nobody asks"));
    }

    #[test]
    fn a_bounce_waits_for_commands_and_for_fits_of_the_slot_that_plays() {
        let (mut bounce, work, meters, _reader) = bounce(true);
        let command = work.begin().unwrap();
        let _other = work.begin().unwrap().into_fit(Slot::B);
        let worker = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(5));
            let fit = command.into_fit(Slot::A);
            std::thread::sleep(Duration::from_millis(5));
            drop(fit);
        });
        assert!(bounce.wait_for_worker(Slot::A, 0, &meters));
        assert!(!work.has_commands() && !work.has_fits(Slot::A));
        // There is nothing more to wait for.
        assert!(!bounce.wait_for_worker(Slot::A, 16, &meters));
        worker.join().unwrap();
    }

    #[test]
    fn frames_that_were_waited_for_in_vain_are_not_waited_for_again() {
        let (mut bounce, _work, meters, reader) = bounce(true);
        let mut patience = bounce.frame_patience().unwrap();
        assert!(patience.wait());
        bounce.end_frames(Some(patience), &meters);
        assert!(bounce.frame_patience().is_some() && !reader.take_wait_failed());
        let past = Instant::now() - Duration::from_millis(1);
        let mut patience = Patience::new(bell().0, Some(past));
        assert!(!patience.wait());
        bounce.end_frames(Some(patience), &meters);
        assert!(bounce.frame_patience().is_none() && reader.take_wait_failed());
        bounce.reset();
        assert!(bounce.frame_patience().is_some());
    }
}
