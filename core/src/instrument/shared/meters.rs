//! What the audio thread shows to all others.

use std::sync::Arc;

use super::atomics::{AtomicBool, AtomicF32, AtomicU8, AtomicU32, AtomicU64, Ordering};
use crate::instrument::controls::Slot;

/// What [`capture_done`](MetersReader::capture_done) stands on while there is no recording.
const NO_CAPTURE: f32 = -1.0;

struct Meters {
    is_offline: AtomicBool,
    playing: AtomicU8,
    clock: AtomicU64,
    voices: AtomicU32,
    input_peak: AtomicF32,
    output_peak: AtomicF32,
    underruns: AtomicU64,
    wait_failed: AtomicBool,
    capture_done: AtomicF32,
    capture_waits: AtomicBool,
    capture_overrun: AtomicBool,
}

/// The board of an instrument's meters: two ends for the audio thread, and one for everybody else.
pub(in crate::instrument) fn meters() -> (MetersWriter, CaptureMeter, MetersReader) {
    let meters = Arc::new(Meters {
        is_offline: AtomicBool::new(false),
        playing: AtomicU8::new(0),
        clock: AtomicU64::new(0),
        voices: AtomicU32::new(0),
        input_peak: AtomicF32::new(0.0),
        output_peak: AtomicF32::new(0.0),
        underruns: AtomicU64::new(0),
        wait_failed: AtomicBool::new(false),
        capture_done: AtomicF32::new(NO_CAPTURE),
        capture_waits: AtomicBool::new(false),
        capture_overrun: AtomicBool::new(false),
    });
    (
        MetersWriter(meters.clone()),
        CaptureMeter(meters.clone()),
        MetersReader(meters),
    )
}

/// The audio thread's end. Everything is real-time safe.
pub(in crate::instrument) struct MetersWriter(Arc<Meters>);

impl MetersWriter {
    /// Whether the host renders faster or slower than real time, and waits.
    pub fn set_offline(&self, is_offline: bool) {
        self.0.is_offline.store(is_offline, Ordering::Release);
    }

    /// Slot that plays.
    pub fn set_playing(&self, slot: Slot) {
        self.0.playing.store(slot.index() as u8, Ordering::Relaxed);
    }

    /// Samples processed since the last reset.
    pub fn set_clock(&self, samples: u64) {
        self.0.clock.store(samples, Ordering::Release);
    }

    /// Voices that sound.
    pub fn set_voices(&self, count: usize) {
        self.0.voices.store(count as u32, Ordering::Relaxed);
    }

    /// The input of a block (left, right), of which the largest sample counts.
    pub fn raise_input_peak(&self, input: [&[f32]; 2]) {
        self.0.input_peak.fetch_max(peak(input), Ordering::Relaxed);
    }

    /// The output of a block (left, right), of which the largest sample counts.
    pub fn raise_output_peak(&self, output: [&[f32]; 2]) {
        self.0
            .output_peak
            .fetch_max(peak(output), Ordering::Relaxed);
    }

    /// So many more frames came too late.
    pub fn add_underruns(&self, frames: u32) {
        self.0
            .underruns
            .fetch_add(u64::from(frames), Ordering::Relaxed);
    }

    /// A bounce has waited for the longest time in vain.
    pub fn set_wait_failed(&self) {
        self.0.wait_failed.swap(true, Ordering::Relaxed);
    }
}

/// Largest sample, linear.
fn peak(channels: [&[f32]; 2]) -> f32 {
    let peak = |x: &[f32]| x.iter().fold(0.0f32, |p, x| p.max(x.abs()));
    peak(channels[0]).max(peak(channels[1]))
}

/// The recorder's end, on the audio thread. Everything is real-time safe.
pub(in crate::instrument) struct CaptureMeter(Arc<Meters>);

impl CaptureMeter {
    /// There is no recording.
    pub fn set_idle(&self) {
        self.0.capture_waits.store(false, Ordering::Relaxed);
        self.0.capture_done.store(NO_CAPTURE, Ordering::Relaxed);
    }

    /// A recording waits for its beginning.
    pub fn set_waiting(&self) {
        self.0.capture_waits.store(true, Ordering::Relaxed);
    }

    /// Part of the recording that is done, 0 to 1.
    pub fn set_done(&self, done: f32) {
        self.0.capture_waits.store(false, Ordering::Relaxed);
        self.0.capture_done.store(done, Ordering::Relaxed);
    }

    /// A recording was dropped, as the worker did not keep up.
    pub fn set_overrun(&self) {
        self.0.capture_overrun.swap(true, Ordering::Relaxed);
    }
}

/// Everybody else's end.
#[derive(Clone)]
pub(in crate::instrument) struct MetersReader(Arc<Meters>);

impl MetersReader {
    /// Whether the host renders faster or slower than real time, and waits.
    pub fn is_offline(&self) -> bool {
        self.0.is_offline.load(Ordering::Acquire)
    }

    /// Slot that plays.
    pub fn playing(&self) -> Slot {
        let index = usize::from(self.0.playing.load(Ordering::Relaxed));
        Slot::ALL[index % Slot::COUNT]
    }

    /// Samples processed since the last reset.
    pub fn clock(&self) -> u64 {
        self.0.clock.load(Ordering::Acquire)
    }

    /// Voices that sound.
    pub fn voices(&self) -> u32 {
        self.0.voices.load(Ordering::Relaxed)
    }

    /// Largest input sample since the last call, linear.
    pub fn take_input_peak(&self) -> f32 {
        self.0.input_peak.swap(0.0, Ordering::Relaxed)
    }

    /// Largest output sample since the last call, linear.
    pub fn take_output_peak(&self) -> f32 {
        self.0.output_peak.swap(0.0, Ordering::Relaxed)
    }

    /// Frames that came too late so far.
    pub fn underruns(&self) -> u64 {
        self.0.underruns.load(Ordering::Relaxed)
    }

    /// Whether a bounce has waited for the longest time in vain since the last call.
    pub fn take_wait_failed(&self) -> bool {
        self.0.wait_failed.swap(false, Ordering::Relaxed)
    }

    /// Part of the recording that is done, 0 to 1, if there is one.
    pub fn capture_done(&self) -> Option<f32> {
        let done = self.0.capture_done.load(Ordering::Relaxed);
        (done >= 0.0).then_some(done)
    }

    /// Whether a recording waits for its beginning.
    pub fn is_capture_waiting(&self) -> bool {
        self.0.capture_waits.load(Ordering::Relaxed)
    }

    /// Whether a recording was dropped since the last call, as the worker did not keep up.
    pub fn take_capture_overrun(&self) -> bool {
        self.0.capture_overrun.swap(false, Ordering::Relaxed)
    }
}
