//! The hop that is heard: the stretch of sound that a stream reads at the speed that makes its pitch.

use super::interpolator::{Kernels, ONE, TAPS};
use crate::clip::Image;

/// Samples of the sound as it is made for one sample as it is heard, in fixed point.
pub(in crate::instrument::stream) fn reading_step(
    texture_rate: u32,
    host_rate: f64,
    transposition: f64,
) -> u64 {
    let speed = f64::from(texture_rate) / host_rate * transposition;
    ((speed * ONE as f64).round() as u64).max(1)
}

/// One hop's sound before it is read, and where it is read: a stretch of the hop before, then the hop.
pub(in crate::instrument::stream) struct Tape {
    kernels: &'static Kernels,
    mid: Vec<f32>,
    side: Vec<f32>,
    /// Reading position, in fixed point; see [`Kernels::read`].
    position: u64,
    /// Synthesis hop that the tape holds.
    hop: i64,
}

impl Tape {
    /// Position from which a hop is read. The kernel's samples on both sides of it are on the tape too, so that
    /// a hop is heard half a kernel late.
    const START: u64 = ONE;

    /// An empty tape in place of hop number `hop`, of `hop_size` samples. Allocates.
    pub fn new(hop_size: usize, hop: i64) -> Self {
        Self {
            kernels: Kernels::get(),
            mid: vec![0.0; TAPS + hop_size],
            side: vec![0.0; TAPS + hop_size],
            position: Self::START,
            hop,
        }
    }

    /// Synthesis hop that it holds.
    pub fn hop(&self) -> i64 {
        self.hop
    }

    /// Samples in a hop.
    pub fn hop_size(&self) -> usize {
        self.mid.len() - TAPS
    }

    /// A hop in fixed point.
    fn hop_length(&self) -> u64 {
        self.hop_size() as u64 * ONE
    }

    /// Position at which the next hop is needed.
    fn end(&self) -> u64 {
        Self::START + self.hop_length()
    }

    /// Reads on from `offset` (fixed point) in the hop.
    pub fn read_from(&mut self, offset: u64) {
        self.position = offset + Self::START;
    }

    /// Whether the hop has been read, and the next one has to be written.
    pub fn is_read(&self) -> bool {
        self.position >= self.end()
    }

    /// Part of the hop that has been read, 0 to 1.
    pub fn part_read(&self) -> f64 {
        let left = self.end().saturating_sub(self.position) as f64 / self.hop_length() as f64;
        (1.0 - left).max(0.0)
    }

    /// Samples of the hop (as it was made, not as it is heard) that have been read.
    pub fn samples_read(&self) -> f64 {
        (self.position - Self::START) as f64 / ONE as f64
    }

    /// Reads mid and side by `step` (see [`reading_step`]) for each sample, as far as the hop reaches. Returns
    /// how many samples of `out` are written.
    pub fn read(&mut self, step: u64, out: [&mut [f32]; 2]) -> usize {
        let [mid, side] = out;
        let left = (self.end() - self.position).div_ceil(step) as usize;
        let count = left.min(mid.len());
        self.kernels.read(
            [&self.mid, &self.side],
            self.position,
            step,
            [&mut mid[..count], &mut side[..count]],
        );
        self.position += count as u64 * step;
        count
    }

    /// Puts mid and side of the next hop, brought to `image`, behind the end of the one that it holds.
    pub fn write_hop(&mut self, hop: [&[f32]; 2], image: Image) {
        for (tape, hop) in [&mut self.mid, &mut self.side].into_iter().zip(hop) {
            tape.copy_within(hop.len().., 0);
            tape[TAPS..].copy_from_slice(hop);
        }
        image.place(&mut self.mid[TAPS..], &mut self.side[TAPS..]);
        self.hop += 1;
    }

    /// Goes on to read the hop that was written after the last one had been read.
    pub fn read_on(&mut self) {
        self.position -= self.hop_length();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads 200 samples at `step` from a tape of hops of 32 samples that count up, in blocks of `block`.
    fn counted(step: u64, block: usize) -> Vec<f32> {
        let mut tape = Tape::new(32, -1);
        let hop = |n: i64| -> Vec<f32> { (0..32).map(|i| (32 * n + i) as f32).collect() };
        // As a stream is primed: what lies before the first hop that is heard is on the tape.
        for n in 0..4 {
            tape.write_hop([&hop(n), &hop(n)], Image::PLAIN);
        }
        tape.read_from(0);
        let mut out = vec![0.0; 200];
        for block in out.chunks_mut(block) {
            let mut done = 0;
            while done < block.len() {
                if tape.is_read() {
                    tape.write_hop([&hop(tape.hop() + 1), &hop(tape.hop() + 1)], Image::PLAIN);
                    tape.read_on();
                    continue;
                }
                let before = tape.part_read();
                let mut side = vec![0.0; block.len() - done];
                done += tape.read(step, [&mut block[done..], &mut side]);
                assert!(tape.part_read() > before && tape.samples_read() <= 32.0 + 4.0);
            }
        }
        out
    }

    #[test]
    fn hops_follow_each_other_without_a_seam_at_any_block_size() {
        let whole = counted(ONE, 200);
        assert!(whole.windows(2).all(|w| w[1] - w[0] == 1.0));
        let quick = counted(3 * ONE / 2, 200);
        // A ramp is read as a ramp: band-limited interpolation errs by less than a thousandth of it.
        assert!(quick.windows(2).all(|w| (w[1] - w[0] - 1.5).abs() < 0.15));
        for block in [1, 7, 64] {
            assert!(counted(ONE, block) == whole);
            assert!(counted(3 * ONE / 2, block) == quick);
        }
    }
}
