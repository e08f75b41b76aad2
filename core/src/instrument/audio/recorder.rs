//! The audio thread's end of the input: everything goes to the worker, which remembers the last of it, and
//! recordings are stretches of that.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use ringbuf::HeapProd;
use ringbuf::traits::{Observer, Producer};

use super::bounce::Bounce;
use crate::instrument::controls::{
    CAPTURE_PREROLL_S, CaptureSettings, CaptureStart, MEMORY_S, Slot,
};
use crate::instrument::shared::{CaptureMeter, DeskReader, InputNews, Waker, Work};

/// The worker is called when this part of the input's ring is full: a third of a second at 48 kHz.
const CALLING_PART: usize = 16;

/// What the recorder is about. Places are counted in samples that were handed to the worker.
#[derive(Clone, Copy, Debug)]
enum State {
    Idle,
    Waiting(CaptureSettings),
    Recording { begin: u64, end: u64, slot: Slot },
}

/// Hands the input to the worker, and says which stretches of it are recordings.
pub(super) struct Recorder {
    work: Arc<Work>,
    desk: DeskReader,
    meter: CaptureMeter,
    news: HeapProd<InputNews>,
    ring: HeapProd<f32>,
    /// Has the worker called for what was handed over.
    waker: Waker,
    sample_rate: f64,
    /// Loads before what is going on was asked for.
    loads: u32,
    /// Samples that were handed over so far.
    handed_over: u64,
    /// Silent samples in a row. When all that is remembered is silence, no more of it is handed over.
    silent: u64,
    /// The worker did not keep up, and does not know yet that there is a gap.
    has_gap: bool,
    state: State,
}

impl Recorder {
    pub fn new(
        work: Arc<Work>,
        desk: DeskReader,
        meter: CaptureMeter,
        news: HeapProd<InputNews>,
        ring: HeapProd<f32>,
        waker: Waker,
    ) -> Self {
        Self {
            work,
            desk,
            meter,
            news,
            ring,
            waker,
            sample_rate: 0.0,
            loads: 0,
            handed_over: 0,
            silent: u64::MAX,
            has_gap: false,
            state: State::Idle,
        }
    }

    /// Takes the host's sample rate in Hz. What was remembered is forgotten, and a recording that is going on
    /// is dropped.
    pub fn prepare(&mut self, sample_rate: f64) {
        self.drop_recording();
        self.sample_rate = sample_rate;
        self.silent = u64::MAX;
        self.has_gap = true;
        self.report_gap();
    }

    /// Whether a recording is going on or waits to begin.
    pub fn is_recording(&self) -> bool {
        !matches!(self.state, State::Idle)
    }

    /// Whether a recording waits to begin.
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting(_))
    }

    /// Whether all that is remembered is silence.
    pub fn remembers_nothing(&self) -> bool {
        self.silent > (MEMORY_S * self.sample_rate) as u64
    }

    /// Whether no load has come since what is going on was asked for.
    pub fn is_wanted(&self) -> bool {
        self.desk.loads() == self.loads
    }

    /// Drops a recording that was begun for contents which a load has replaced.
    pub fn heed_loads(&mut self) {
        let loads = self.desk.loads();
        if loads != self.loads {
            self.loads = loads;
            self.drop_recording();
        }
    }

    /// Sends a number to whoever takes errands. Returns whether there was room for it.
    pub fn send_errand(&mut self, errand: u32) -> bool {
        let is_sent = self.news.try_push(InputNews::Errand(errand)).is_ok();
        if is_sent {
            self.waker.call();
        }
        is_sent
    }

    /// Gives a recording that waits to begin other settings: it may begin at once by them.
    pub fn follow(&mut self, settings: CaptureSettings) {
        if self.is_waiting() {
            self.wait(settings);
        }
    }

    /// Whether a recording waits for the song's next bar.
    pub fn waits_for_bar(&self) -> bool {
        matches!(
            self.state,
            State::Waiting(CaptureSettings {
                start: CaptureStart::NextBar,
                ..
            })
        )
    }

    /// Samples until the recording is done.
    pub fn samples_left(&self) -> Option<usize> {
        match self.state {
            State::Recording { end, .. } => Some((end - self.handed_over) as usize),
            _ => None,
        }
    }

    /// Starts a recording. One that is going on is dropped.
    pub fn start(&mut self, settings: CaptureSettings) {
        self.heed_loads();
        self.drop_recording();
        self.wait(settings);
    }

    /// Begins a recording, or waits for its beginning.
    fn wait(&mut self, settings: CaptureSettings) {
        match settings.start {
            CaptureStart::Now => self.begin(&settings, self.handed_over),
            _ => {
                self.state = State::Waiting(settings);
                self.meter.set_waiting();
            }
        }
    }

    fn begin(&mut self, settings: &CaptureSettings, begin: u64) {
        let end = begin + settings.samples(self.sample_rate) as u64;
        self.state = State::Recording {
            begin,
            end: end.max(self.handed_over + 1),
            slot: settings.slot,
        };
        self.meter.set_done(0.0);
    }

    /// Throws the recording away, if there is one.
    pub fn drop_recording(&mut self) {
        self.state = State::Idle;
        self.meter.set_idle();
    }

    /// Makes a recording of the last seconds that were handed over.
    pub fn grab(&mut self, settings: &CaptureSettings, bounce: &mut Bounce) {
        self.heed_loads();
        let end = self.handed_over;
        let begin = end.saturating_sub(settings.samples(self.sample_rate) as u64);
        self.send(begin, end, settings.slot, bounce);
    }

    fn send(&mut self, begin: u64, end: u64, slot: Slot, bounce: &mut Bounce) {
        let paced = bounce.number_capture();
        // Where too much waits already, this would only be one more.
        let Some(pending) = self.work.begin() else {
            return;
        };
        let recorded = InputNews::Recorded {
            begin,
            end,
            slot,
            loads: self.loads,
            paced,
            pending,
        };
        // A message that finds no room counts itself done.
        let _ = self.news.try_push(recorded);
        self.waker.call();
    }

    /// Whether the ring has room for `samples` more of both channels.
    pub fn has_room(&self, samples: usize) -> bool {
        self.ring.vacant_len() >= 2 * samples
    }

    /// Takes the next samples, no more than [`samples_left`](Self::samples_left). `to_bar` is how many samples
    /// the song's next bar is away, if a recording waits for it.
    pub fn record(
        &mut self,
        [left, right]: [&[f32]; 2],
        to_bar: Option<usize>,
        bounce: &mut Bounce,
    ) {
        self.trigger(left, right, to_bar);
        let is_silent = |x: &[f32]| x.iter().all(|x| *x == 0.0);
        let count = left.len() as u64;
        self.silent = if is_silent(left) && is_silent(right) {
            self.silent.saturating_add(count)
        } else {
            0
        };
        if self.remembers_nothing() && !self.is_recording() {
            return;
        }
        let has_room = self.has_room(left.len());
        if self.has_gap && has_room {
            self.report_gap();
        }
        if self.has_gap || !has_room {
            self.has_gap = true;
            if self.is_recording() {
                self.drop_recording();
                self.meter.set_overrun();
            }
            return;
        }
        let pairs = left.iter().zip(right).flat_map(|(l, r)| [*l, *r]);
        self.ring.push_iter(pairs);
        if self.ring.occupied_len() >= self.ring.capacity().get() / CALLING_PART {
            self.waker.call();
        }
        self.handed_over += count;
        self.advance(bounce);
    }

    /// Begins a recording if what it waits for comes with the next samples.
    fn trigger(&mut self, left: &[f32], right: &[f32], to_bar: Option<usize>) {
        let State::Waiting(settings) = self.state else {
            return;
        };
        match settings.start {
            CaptureStart::Threshold(dbfs) => {
                let least = 10.0f32.powf(dbfs / 20.0);
                let mut pairs = left.iter().zip(right);
                if let Some(at) = pairs.position(|(l, r)| l.abs().max(r.abs()) >= least) {
                    let before = (CAPTURE_PREROLL_S * self.sample_rate).round() as u64;
                    let begin = (self.handed_over + at as u64).saturating_sub(before);
                    self.begin(&settings, begin);
                }
            }
            CaptureStart::NextBar => {
                if let Some(at) = to_bar.filter(|at| *at < left.len()) {
                    self.begin(&settings, self.handed_over + at as u64);
                }
            }
            CaptureStart::Now => {}
        }
    }

    /// Says how far the recording is, and hands it over when it is done.
    fn advance(&mut self, bounce: &mut Bounce) {
        let State::Recording { begin, end, slot } = self.state else {
            return;
        };
        if self.handed_over >= end {
            self.drop_recording();
            self.send(begin, end, slot, bounce);
        } else {
            let done = self.handed_over.saturating_sub(begin) as f32 / (end - begin) as f32;
            self.meter.set_done(done);
        }
    }

    /// Says that what comes from here on does not follow what came before.
    fn report_gap(&mut self) {
        let gap = InputNews::Gap {
            at: self.handed_over,
            sample_rate: self.sample_rate.round() as u32,
        };
        self.has_gap = self.news.try_push(gap).is_err();
        self.waker.call();
    }
}
