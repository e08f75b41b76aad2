//! The recipe of a frame: its work in named steps, which are spread over the time in which a hop is heard.

use super::expansion::Plane;

/// A step of a frame's work. No step takes much longer than another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Features at the frame's place in the texture, and its fine structure.
    TakeFrames,
    /// Gains of the bins, if what they come from has moved.
    UpdateGains,
    /// One plane at full resolution.
    MakePlane(Plane),
    /// The finished magnitudes go to the inverters.
    HandOver,
    /// One of the inverters' own steps, of which there are many.
    Invert,
}

/// Steps in their order; those of the inverters follow.
const RECIPE: [Step; 6] = [
    Step::TakeFrames,
    Step::UpdateGains,
    Step::MakePlane(Plane::Mid),
    Step::MakePlane(Plane::Side),
    Step::MakePlane(Plane::Pan),
    Step::HandOver,
];

/// How far the work on a frame has come.
#[derive(Default)]
pub(super) struct HopWork {
    steps_done: usize,
}

impl HopWork {
    /// Steps of a frame that takes `inverting_steps` of the inverters.
    pub fn steps(inverting_steps: usize) -> usize {
        RECIPE.len() + inverting_steps
    }

    /// Whether fewer than `steps` are done.
    pub fn is_behind(&self, steps: usize) -> bool {
        self.steps_done < steps
    }

    /// The step that comes next, which counts as done.
    pub fn next_step(&mut self) -> Step {
        let step = RECIPE.get(self.steps_done).copied();
        self.steps_done += 1;
        step.unwrap_or(Step::Invert)
    }

    /// The next frame's work begins.
    pub fn begin_anew(&mut self) {
        self.steps_done = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magnitudes_are_handed_over_before_any_step_of_the_inverters() {
        let mut work = HopWork::default();
        let steps: Vec<_> = (0..HopWork::steps(3)).map(|_| work.next_step()).collect();
        assert_eq!(steps[0], Step::TakeFrames);
        assert_eq!(steps[RECIPE.len() - 1], Step::HandOver);
        assert!(steps[RECIPE.len()..] == [Step::Invert; 3]);
        assert!(!work.is_behind(HopWork::steps(3)));
        work.begin_anew();
        assert!(work.is_behind(1) && work.next_step() == Step::TakeFrames);
    }
}
