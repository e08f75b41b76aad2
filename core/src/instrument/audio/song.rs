//! Where the host's song is, sample by sample, and which part of the texture belongs there.

use crate::instrument::controls::Transport;
use crate::instrument::stream::SongLine;

/// Hosts that give seconds are off by a sample now and then; more than this is a jump.
const SEEK_SAMPLES: i64 = 2;
/// And so many quarter notes, where beats count.
const SEEK_BEATS: f64 = 0.01;
/// Bars begin so many quarter notes early: the last bits of the host's position must not decide.
const BAR_TOLERANCE: f64 = 1e-6;
/// Quarter notes in a bar where the host doesn't say.
const BEATS_PER_BAR: f64 = 4.0;
/// Tempo where the host doesn't say, in beats a minute.
const TEMPO: f64 = 120.0;
const S_PER_MIN: f64 = 60.0;

/// A running song, as it was at some sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Song {
    samples: i64,
    beats: Option<f64>,
    tempo: f64,
    bar_start: f64,
    beats_per_bar: f64,
    /// Count of the audio thread's samples at which it was so.
    clock: u64,
}

impl Song {
    pub fn new(transport: &Transport, clock: u64) -> Self {
        let positive = |x: Option<f64>, default: f64| {
            x.filter(|x| x.is_finite() && *x > 0.0).unwrap_or(default)
        };
        let beats = transport.beats.filter(|b| b.is_finite());
        let beats_per_bar = positive(transport.beats_per_bar, BEATS_PER_BAR);
        let bar_of = |beats: f64| (beats / beats_per_bar + BAR_TOLERANCE).floor() * beats_per_bar;
        Self {
            samples: transport.samples,
            beats,
            tempo: positive(transport.tempo, TEMPO),
            bar_start: transport
                .bar_start_beats
                .filter(|b| b.is_finite())
                .unwrap_or_else(|| beats.map_or(0.0, bar_of)),
            beats_per_bar,
            clock,
        }
    }

    /// Goes on with what the host says at `clock`. Returns whether it jumped.
    pub fn follow(&mut self, transport: &Transport, clock: u64, sample_rate: f64) -> bool {
        let before = *self;
        let expected = before.samples_at(clock);
        *self = Self::new(transport, clock);
        let jump = (transport.samples - expected).abs() > SEEK_SAMPLES;
        if !jump {
            // Our own count is exact.
            self.samples = expected;
        }
        let beats = before.beats_at(clock, sample_rate);
        jump || self.beats.is_some() != before.beats.is_some()
            || self.beats.is_some_and(|b| (b - beats).abs() > SEEK_BEATS)
    }

    pub fn samples_at(&self, clock: u64) -> i64 {
        self.samples + clock.wrapping_sub(self.clock) as i64
    }

    fn beats_at(&self, clock: u64, sample_rate: f64) -> f64 {
        let elapsed = clock.wrapping_sub(self.clock) as f64 / sample_rate;
        let beats = self
            .beats
            .unwrap_or(self.samples as f64 / sample_rate * self.tempo / S_PER_MIN);
        beats + elapsed * self.tempo / S_PER_MIN
    }

    /// Where the bar began that is sung at `clock`, in quarter notes.
    fn bar_at(&self, clock: u64, sample_rate: f64) -> f64 {
        let bars = (self.beats_at(clock, sample_rate) - self.bar_start) / self.beats_per_bar;
        self.bar_start + (bars + BAR_TOLERANCE).floor().max(0.0) * self.beats_per_bar
    }

    /// The song's line through the texture at `clock`, with time counted from `anchor_s`; and where in it
    /// the bar began. `lock_tempo` as in the controls.
    pub fn line(
        &self,
        clock: u64,
        sample_rate: f64,
        lock_tempo: f32,
        anchor_s: (f64, f64),
    ) -> (SongLine, f64) {
        let beats = self.beats_at(clock, sample_rate);
        let since_bar = beats - self.bar_at(clock, sample_rate);
        let (now_s, rate_s, beat_s) = if lock_tempo > 0.0 && self.beats.is_some() {
            let beat_s = S_PER_MIN / f64::from(lock_tempo);
            let rate_s = self.tempo / f64::from(lock_tempo) / sample_rate;
            (beats * beat_s, rate_s, beat_s)
        } else {
            let now_s = self.samples_at(clock) as f64 / sample_rate;
            (now_s, 1.0 / sample_rate, S_PER_MIN / self.tempo)
        };
        let line = SongLine {
            now_s,
            rate_s,
            anchor_s,
        };
        (line, now_s - since_bar * beat_s)
    }

    /// Samples from `clock` to the first one of the next bar; 0 on the first one of a bar.
    pub fn samples_to_bar(&self, clock: u64, sample_rate: f64) -> usize {
        let since = self.beats_at(clock, sample_rate) - self.bar_at(clock, sample_rate);
        let samples = |beats: f64| beats * S_PER_MIN / self.tempo * sample_rate;
        let since_samples = samples(since);
        if since_samples < 0.5 {
            return 0;
        }
        (samples(self.beats_per_bar) - since_samples - 0.5)
            .ceil()
            .max(0.0) as usize
    }

    /// Number of the bar that is sung at `clock`, counted in bars of this length.
    pub fn bar_number(&self, clock: u64, sample_rate: f64) -> i64 {
        (self.bar_at(clock, sample_rate) / self.beats_per_bar).round() as i64
    }
}
