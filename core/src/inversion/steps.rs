//! The work of one frame as a recipe of named steps, so that it can be spread over the callbacks of a hop.

use super::InversionSettings;

/// One step of a frame's work: at most one transform of one channel, or a few sweeps over its bins. Channels are
/// mid (0) and side (1); frames are numbered among the waiting ones, 0 for the oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Frequencies and group delays of the newest frame, from its magnitudes and those before it.
    FindGradients(usize),
    /// From where each bin's phase is integrated.
    FindPaths(usize),
    /// Start phases from those of the frame before.
    IntegrateInTime(usize),
    /// Start phases of bins that are reached from below.
    IntegrateUpward(usize),
    /// Start phases of bins that are reached from above.
    IntegrateDownward(usize),
    /// The angle between mid and side, and the newest frame's first spectra.
    JoinStartPhases,
    /// What the sum of all frames has at the place of one of them.
    Project { frame: usize, channel: usize },
    /// The phases of what was found there, under the frame's own magnitudes.
    KeepPhases { frame: usize },
    /// A frame's part of the overlap-add, from its spectrum.
    Synthesise { frame: usize, channel: usize },
}

/// The steps of a frame, and how far the frame at hand has come.
#[derive(Debug)]
pub(super) struct FrameSteps {
    recipe: Vec<Step>,
    /// Steps that are done of the frame that was begun; `None` between frames.
    done: Option<usize>,
}

impl FrameSteps {
    /// Writes the recipe of all frames. Allocates.
    pub fn new(settings: &InversionSettings) -> Self {
        Self {
            recipe: recipe(settings),
            done: None,
        }
    }

    /// Steps of one frame, always the same.
    pub fn count(&self) -> usize {
        self.recipe.len()
    }

    /// Starts over for a new frame.
    pub fn begin(&mut self) {
        self.done = Some(0);
    }

    /// Leaves the frame that was begun.
    pub fn end(&mut self) {
        self.done = None;
    }

    /// Whether a frame was begun and not left.
    pub fn is_begun(&self) -> bool {
        self.done.is_some()
    }

    /// What is to be done next, and counts it done; `None` if nothing is left.
    pub fn next(&mut self) -> Option<Step> {
        let done = self.done.as_mut()?;
        let step = *self.recipe.get(*done)?;
        *done += 1;
        Some(step)
    }
}

/// A recipe that is being written.
struct Recipe {
    channels: usize,
    steps: Vec<Step>,
}

impl Recipe {
    fn new(channels: usize) -> Self {
        Self {
            channels,
            steps: Vec::new(),
        }
    }

    fn once(&mut self, step: Step) {
        self.steps.push(step);
    }

    fn each_channel(&mut self, step: impl Fn(usize) -> Step) {
        self.steps.extend((0..self.channels).map(step));
    }
}

/// All that happens to the waiting frames when a new one comes, in order.
fn recipe(settings: &InversionSettings) -> Vec<Step> {
    let newest = settings.waiting_frames() - 1;
    let mut recipe = Recipe::new(settings.channels());
    recipe.each_channel(Step::FindGradients);
    recipe.each_channel(Step::FindPaths);
    recipe.each_channel(Step::IntegrateInTime);
    recipe.each_channel(Step::IntegrateUpward);
    recipe.each_channel(Step::IntegrateDownward);
    recipe.once(Step::JoinStartPhases);
    recipe.each_channel(|channel| Step::Synthesise {
        frame: newest,
        channel,
    });
    for _ in 0..settings.iterations {
        // Newest first: what it learns from its past reaches the frame that is committed next.
        for frame in (0..=newest).rev() {
            recipe.each_channel(|channel| Step::Project { frame, channel });
            recipe.once(Step::KeepPhases { frame });
            recipe.each_channel(|channel| Step::Synthesise { frame, channel });
        }
    }
    recipe.steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_started_and_refined_newest_first() {
        let settings = InversionSettings {
            lookahead_frames: 1,
            ..InversionSettings::eco(512, 128)
        };
        let channel = 0;
        let mut steps = FrameSteps::new(&settings);
        assert_eq!((steps.next(), steps.is_begun()), (None, false));
        steps.begin();
        let expected = [
            Step::FindGradients(channel),
            Step::FindPaths(channel),
            Step::IntegrateInTime(channel),
            Step::IntegrateUpward(channel),
            Step::IntegrateDownward(channel),
            Step::JoinStartPhases,
            Step::Synthesise { frame: 1, channel },
            Step::Project { frame: 1, channel },
            Step::KeepPhases { frame: 1 },
            Step::Synthesise { frame: 1, channel },
            Step::Project { frame: 0, channel },
            Step::KeepPhases { frame: 0 },
            Step::Synthesise { frame: 0, channel },
        ];
        for step in expected {
            assert_eq!(steps.next(), Some(step));
        }
        assert_eq!(steps.next(), None);
        assert!(steps.is_begun(), "a frame is left when its hop is taken");
        steps.end();
        assert!(!steps.is_begun());
    }

    #[test]
    fn both_channels_take_every_step() {
        let settings = InversionSettings::high(512, 64).in_stereo();
        let steps = FrameSteps::new(&settings);
        let (start, join, synthesis) = (5 * 2, 1, 2);
        assert_eq!(
            steps.count(),
            start + join + synthesis + 5 * 8 * (2 + 1 + 2)
        );
    }
}
