//! What is kept of a damaged file: its longest stretch without a gap.

use super::mix::StereoMix;

/// The longest run of decoded frames without a gap, and the run being decoded.
#[derive(Default)]
pub(super) struct Stretches {
    longest: Vec<Vec<f32>>,
    current: Vec<Vec<f32>>,
    frames_in_ended: usize,
}

impl Stretches {
    /// Takes the frames of the next packet, mixed to at most two channels.
    pub fn append(&mut self, mix: &StereoMix, planes: &[Vec<f32>]) {
        self.current.resize(mix.output_channels(), Vec::new());
        mix.append(planes, &mut self.current);
    }

    /// Ends the run: what comes next does not follow it.
    pub fn end_stretch(&mut self) {
        self.frames_in_ended += frames(&self.current);
        if frames(&self.current) > frames(&self.longest) {
            self.longest = std::mem::take(&mut self.current);
        } else {
            self.current.clear();
        }
    }

    /// Frames decoded so far, of all stretches together.
    pub fn frames_read(&self) -> usize {
        self.frames_in_ended + frames(&self.current)
    }

    /// Cuts the end off, so that no more than `max_frames` were read in all.
    pub fn truncate(&mut self, max_frames: usize) {
        let kept = max_frames.saturating_sub(self.frames_in_ended);
        for samples in &mut self.current {
            samples.truncate(kept);
        }
    }

    /// The longest run, one vector for each channel.
    pub fn into_longest(mut self) -> Vec<Vec<f32>> {
        self.end_stretch();
        self.longest
    }
}

fn frames(channels: &[Vec<f32>]) -> usize {
    channels.first().map_or(0, Vec::len)
}
