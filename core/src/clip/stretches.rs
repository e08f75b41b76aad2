//! What is kept of a damaged file: its longest stretch without a gap.

use super::mix::StereoMix;
use super::{Clip, ClipError, Remark};

/// Runs of decoded frames without a gap: those that have ended, and the one being decoded.
#[derive(Default)]
pub(super) struct Stretches {
    ended: Vec<Vec<Vec<f32>>>,
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
        if frames(&self.current) > 0 {
            self.frames_in_ended += frames(&self.current);
            self.ended.push(std::mem::take(&mut self.current));
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

    /// All runs in their order, and whether the last one goes on with what follows the data.
    pub fn into_runs(mut self) -> (Vec<Vec<Vec<f32>>>, bool) {
        let goes_on = frames(&self.current) > 0;
        self.end_stretch();
        (self.ended, goes_on)
    }
}

fn frames(channels: &[Vec<f32>]) -> usize {
    channels.first().map_or(0, Vec::len)
}

/// A run of one part of a file.
struct Run {
    clip: Clip,
    /// Channels of the part, before they were mixed to two.
    channels: usize,
}

/// The runs of a file's parts, which follow each other.
#[derive(Default)]
pub(super) struct Chain {
    /// Runs that follow each other without a gap, group by group.
    groups: Vec<Vec<Run>>,
    /// Whether the next run follows the last one.
    goes_on: bool,
}

impl Chain {
    /// Takes the runs of the next part, of so many Hz and `channels` before they were mixed to two. `begins_whole` is
    /// whether nothing is missing before the first.
    pub fn append(
        &mut self,
        (sample_rate, channels): (u32, usize),
        stretches: Stretches,
        begins_whole: bool,
    ) -> Result<(), ClipError> {
        let (runs, goes_on) = stretches.into_runs();
        self.goes_on &= begins_whole;
        for run in runs {
            let clip = Clip::new(sample_rate, run)?;
            let run = Run { clip, channels };
            match self.groups.last_mut().filter(|_| self.goes_on) {
                Some(group) => group.push(run),
                None => self.groups.push(vec![run]),
            }
            self.goes_on = false;
        }
        self.goes_on = goes_on;
        Ok(())
    }

    /// Something is missing here.
    pub fn leave_gap(&mut self) {
        self.goes_on = false;
    }

    /// Length of what was read, in seconds.
    pub fn duration_s(&self) -> f64 {
        self.groups.iter().map(|group| duration_s(group)).sum()
    }

    /// The longest stretch without a gap, at the sample rate of its beginning, in stereo if any of it is, and what is
    /// to be said of it where its parts differ. `None` if there is nothing.
    pub fn into_longest(self) -> Result<Option<(Clip, Option<Remark>)>, ClipError> {
        let mut longest: Vec<Run> = Vec::new();
        for group in self.groups {
            if duration_s(&group) > duration_s(&longest) {
                longest = group;
            }
        }
        let remark = joined(&longest);
        let count = longest.iter().map(|run| run.clip.channel_count()).max();
        let mut runs = longest.into_iter().map(|run| run.clip);
        let (Some(first), Some(count)) = (runs.next(), count) else {
            return Ok(None);
        };
        let rate = first.sample_rate();
        let mut channels = widened(first, count);
        for run in runs {
            let run = match run.sample_rate() == rate {
                true => run,
                false => run.resampled(rate)?,
            };
            for (channel, more) in channels.iter_mut().zip(widened(run, count)) {
                channel.extend(more);
            }
        }
        Clip::new(rate, channels).map(|clip| Some((clip, remark)))
    }
}

/// What is to be said of parts that differ from the first.
fn joined(group: &[Run]) -> Option<Remark> {
    let first = group.first()?;
    let sample_rate_hz = first.clip.sample_rate();
    let rates_differ = group
        .iter()
        .any(|run| run.clip.sample_rate() != sample_rate_hz);
    let channels_differ = group.iter().any(|run| run.channels != first.channels);
    (rates_differ || channels_differ).then_some(Remark::Joined {
        sample_rate_hz,
        rates_differ,
        channels_differ,
    })
}

fn duration_s(group: &[Run]) -> f64 {
    group.iter().map(|run| run.clip.duration_s()).sum()
}

/// The channels of a clip of one or two, as `count`.
fn widened(clip: Clip, count: usize) -> Vec<Vec<f32>> {
    match clip.channel_count() < count {
        true => clip.to_stereo().into_channels(),
        false => clip.into_channels(),
    }
}
