//! The sum of overlapping frames: those that are committed, and those that wait.

use super::InversionSettings;
use super::waiting::WaitingFrame;
use crate::numeric::simd::dispatch;
use crate::spectrum::Stft;

/// The rims of the newest windows are divided by no less than this sum of squared windows: what is
/// known there is too little to be taken at full level.
const LEAST_WEIGHT: f32 = 0.1;

/// The overlap-add of the committed frames, and the windows to look at its sum with the waiting ones.
pub(super) struct OverlapAdd {
    fft_size: usize,
    hop_size: usize,
    /// For each channel: the committed frames from the oldest waiting one on, `fft_size` samples.
    committed: Vec<Vec<f32>>,
    /// For each waiting frame: its window, divided by the sum of the squared windows of the frames that
    /// are there, relative to the full overlap.
    windows: Vec<Vec<f32>>,
}

impl OverlapAdd {
    /// Silence. Allocates.
    pub fn new(stft: &Stft, settings: &InversionSettings) -> Self {
        Self {
            fft_size: stft.fft_size(),
            hop_size: stft.hop_size(),
            committed: vec![vec![0.0; stft.fft_size()]; settings.channels()],
            windows: windows(stft, settings.lookahead_frames),
        }
    }

    /// Silence, as it was made.
    pub fn clear(&mut self) {
        for committed in &mut self.committed {
            committed.fill(0.0);
        }
    }

    /// Goes on by one hop, which was heard.
    pub fn shift(&mut self) {
        let (n, hop) = (self.fft_size, self.hop_size);
        for committed in &mut self.committed {
            committed.copy_within(hop.., 0);
            committed[n - hop..].fill(0.0);
        }
    }

    /// Adds the oldest waiting frame for good: the first hop is then complete.
    pub fn commit(&mut self, oldest: &WaitingFrame) {
        for (channel, committed) in self.committed.iter_mut().enumerate() {
            let part = oldest.channel(channel).part();
            dispatch(
                #[inline(always)]
                || add(committed, part),
            );
        }
    }

    /// The first hop of a channel, if there is such a channel.
    pub fn first_hop(&self, channel: usize) -> Option<&[f32]> {
        Some(&self.committed.get(channel)?[..self.hop_size])
    }

    /// What the sum of all frames has at the place of waiting frame `at`, windowed for its transform, to
    /// `samples` (`fft_size`).
    pub fn look_at(
        &self,
        at: usize,
        waiting: &[WaitingFrame],
        channel: usize,
        samples: &mut [f32],
    ) {
        let (n, hop) = (self.fft_size, self.hop_size);
        let (samples, window) = (&mut samples[..n], &self.windows[at][..n]);
        let committed = &self.committed[channel][at * hop..];
        dispatch(
            #[inline(always)]
            || {
                samples[..committed.len()].copy_from_slice(committed);
                samples[committed.len()..].fill(0.0);
                // Summed anew each time: no rounding error builds up, and silence stays exact.
                for (other, frame) in waiting.iter().enumerate() {
                    let part = frame.channel(channel).part();
                    if other >= at {
                        let shift = (other - at) * hop;
                        add(&mut samples[shift..], &part[..n - shift]);
                    } else {
                        let shift = (at - other) * hop;
                        add(&mut samples[..n - shift], &part[shift..]);
                    }
                }
                for (x, &w) in samples.iter_mut().zip(window) {
                    *x *= w;
                }
            },
        );
    }
}

#[inline(always)]
fn add(sum: &mut [f32], part: &[f32]) {
    for (x, &y) in sum.iter_mut().zip(part) {
        *x += y;
    }
}

/// For each waiting frame its analysis window, with all past frames present and `lookahead` frames after the
/// oldest waiting one.
fn windows(stft: &Stft, lookahead: usize) -> Vec<Vec<f32>> {
    let (n, hop) = (stft.fft_size(), stft.hop_size());
    let weight = |at: usize| {
        let mut weight = 0.0;
        for frame in -((n / hop) as i64)..=lookahead as i64 {
            let at = at as i64 - frame * hop as i64;
            if (0..n as i64).contains(&at) {
                weight += stft.window()[at as usize].powi(2);
            }
        }
        stft.overlap_gain() / weight.max(LEAST_WEIGHT)
    };
    (0..=lookahead)
        .map(|frame| {
            let window = stft.window().iter().enumerate();
            window.map(|(i, w)| w * weight(frame * hop + i)).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::waiting::TargetFrame;
    use super::*;

    /// A frame whose part is `level` throughout.
    fn frame(stft: &Stft, settings: &InversionSettings, level: f32) -> WaitingFrame {
        let mut frame = WaitingFrame::new(stft, settings);
        frame.set_target(TargetFrame {
            index: 0,
            mid: &vec![0.0; stft.bins()],
            side_pan: None,
        });
        frame.channel_mut(0).part_mut().fill(level);
        frame
    }

    #[test]
    fn a_place_is_the_sum_of_all_frames_there() {
        let (settings, n, hop) = (InversionSettings::eco(64, 16), 64, 16);
        let stft = Stft::new(n, hop).unwrap();
        let mut sum = OverlapAdd::new(&stft, &settings);
        let waiting: Vec<WaitingFrame> = [1.0, 10.0, 100.0, 1000.0]
            .map(|level| frame(&stft, &settings, level))
            .into();
        // A frame that was heard in part: its last three hops overlap the oldest waiting one.
        sum.commit(&frame(&stft, &settings, 0.5));
        sum.shift();
        let mut samples = vec![0.0; n];
        for (at, expected) in [
            (0, [1.5, 11.5, 111.5, 1111.0]),
            (2, [111.5, 1111.0, 1110.0, 1100.0]),
        ] {
            sum.look_at(at, &waiting, 0, &mut samples);
            for (i, &x) in samples.iter().enumerate().skip(1) {
                let level = x / sum.windows[at][i];
                assert!((level / expected[i / hop] - 1.0).abs() < 1e-5, "{at}, {i}");
            }
        }
        sum.commit(&waiting[0]);
        assert!(sum.first_hop(0).unwrap().iter().all(|&x| x == 1.5));
        assert!(sum.first_hop(1).is_none(), "mono");
        sum.clear();
        assert!(sum.first_hop(0).unwrap().iter().all(|&x| x == 0.0));
    }
}
