//! How many frames a step has on a device that is fast enough for more: what a short measurement says.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use weft_core::fit::{DeviceError, LEAST_FRAMES, Recipe, StepPlan, Trainer};

/// How many times the fewest frames are tried, the most first.
const TIMES: [usize; 3] = [16, 8, 4];
/// How much longer than one of the fewest frames a step may take.
const MOST_COST: f64 = 1.5;
/// Steps before those that are timed: buffers and kernels come to be.
const WARM_UP: u32 = 2;
/// Steps of a timing, and timings of which the shortest counts: others may use the device as well.
const TIMED: u32 = 4;
const TIMINGS: u32 = 2;

/// What was measured for captures of some sizes: frames of the capture, and features of each.
#[derive(Debug, Default)]
pub struct KnownFrames(Mutex<HashMap<[usize; 2], usize>>);

impl KnownFrames {
    /// What is known for captures like that of a recipe, or else what is measured now.
    pub fn get(&self, recipe: &Recipe, measure: impl FnOnce() -> Option<usize>) -> Option<usize> {
        let loss = recipe.loss();
        let size = [loss.reference_frames(), loss.shape().width()];
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&frames) = known().get(&size) {
            return Some(frames);
        }
        let frames = measure()?;
        known().insert(size, frames);
        Some(frames)
    }
}

/// The most frames of which a step costs little more than one of the fewest.
pub fn measure(trainer: &mut dyn Trainer) -> Result<usize, DeviceError> {
    let most = MOST_COST * seconds(trainer, LEAST_FRAMES)?;
    for times in TIMES {
        let frames = times * LEAST_FRAMES;
        if seconds(trainer, frames)? <= most {
            return Ok(frames);
        }
    }
    Ok(LEAST_FRAMES)
}

/// How long a step of `frames` frames takes. Contexts count in none of them: to prepare them takes longer than all of
/// this.
fn seconds(trainer: &mut dyn Trainer, frames: usize) -> Result<f64, DeviceError> {
    let plan = StepPlan {
        learning_rate: 1e-3,
        frames,
        context_weight: 0.0,
        critic_weight: Some(0.1),
    };
    let mut run = |steps: u32| -> Result<f64, DeviceError> {
        let started = Instant::now();
        for _ in 0..steps {
            trainer.step(plan)?;
        }
        // All that was asked for is done when the weights come back.
        trainer.snapshot()?;
        Ok(started.elapsed().as_secs_f64() / f64::from(steps))
    };
    run(WARM_UP)?;
    let mut least = f64::INFINITY;
    for _ in 0..TIMINGS {
        least = least.min(run(TIMED)?);
    }
    Ok(least)
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use weft_core::fit::{FitSettings, StepReport};
    use weft_core::network::Generator;
    use weft_core::procedural::{Texture, synthesize};

    use super::*;

    /// Takes so long for a step of the fewest frames, and so much longer for every further one.
    struct Slow {
        milliseconds: f64,
        for_frame: f64,
        generator: Generator,
    }

    impl Trainer for Slow {
        fn step(&mut self, plan: StepPlan) -> Result<StepReport, DeviceError> {
            let more = (plan.frames - LEAST_FRAMES) as f64;
            let seconds = 1e-3 * (self.milliseconds + self.for_frame * more);
            thread::sleep(Duration::from_secs_f64(seconds));
            Ok(StepReport {
                loss: 1.0,
                critic_gap: None,
            })
        }

        fn snapshot(&mut self) -> Result<Generator, DeviceError> {
            Ok(self.generator.clone())
        }
    }

    #[test]
    fn as_many_frames_as_cost_little() {
        let rain = synthesize(Texture::Rain, 1, 8_000, 1.5);
        let recipe = Recipe::new(&rain, &FitSettings::default()).unwrap();
        for (for_frame, times) in [(0.0, 16), (1e-2, 1), (4e-3, 4)] {
            let mut slow = Slow {
                milliseconds: 12.0,
                for_frame,
                generator: recipe.new_generator(),
            };
            assert_eq!(measure(&mut slow).unwrap(), times * LEAST_FRAMES);
        }
        let known = KnownFrames::default();
        assert_eq!(known.get(&recipe, || Some(768)), Some(768));
        assert_eq!(known.get(&recipe, || None), Some(768));
    }
}
