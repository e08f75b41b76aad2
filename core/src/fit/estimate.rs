//! How long a fit takes on a device.

use std::time::Instant;

use super::schedule::Schedule;
use super::{Device, FitError, FitRequest, LEAST_FRAMES, Start, StepPlan};

/// Steps that are made before time is taken: the first prepare what all others use.
const STEPS_BEFORE: u32 = 1;
/// Steps of which time is taken.
const TIMED_STEPS: u32 = 3;

/// About how many seconds a fit takes on a device, from a few of its steps, which are thrown away. What only the later
/// steps of a long fit have (a critic, contexts) is not in it: it is rather too short, by a third at most.
///
/// # Errors
/// As the fit itself.
///
/// # Examples
/// ```
/// use weft_core::clip::Capture;
/// use weft_core::fit::cpu::Cpu;
/// use weft_core::fit::{FitRequest, FitSettings, FitStart, estimated_s};
/// use weft_core::procedural::{Texture, synthesize};
///
/// let rain = Capture::new(&synthesize(Texture::Rain, 1, 8_000, 1.5))?;
/// let request = |steps| FitRequest {
///     start: FitStart::Capture(rain.clone()),
///     settings: FitSettings { steps, ..FitSettings::default() },
/// };
/// let (short, long) = (request(10), request(10_000));
/// assert!(estimated_s(&Cpu::default(), &short)? < estimated_s(&Cpu::default(), &long)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn estimated_s(device: &dyn Device, request: &FitRequest) -> Result<f64, FitError> {
    let (recipe, generator) = request.recipe()?;
    let steps = request.steps_before();
    let mut trainer = device.trainer(&recipe, Start { generator, steps })?;
    let plan = StepPlan {
        learning_rate: 0.0,
        frames: LEAST_FRAMES,
        context_weight: 0.0,
        critic_weight: None,
    };
    for _ in 0..STEPS_BEFORE {
        trainer.step(plan)?;
    }
    let begun = Instant::now();
    for _ in 0..TIMED_STEPS {
        trainer.step(plan)?;
    }
    // A device that works ahead has to be done.
    trainer.snapshot()?;
    let timed_frames = f64::from(TIMED_STEPS) * LEAST_FRAMES as f64;
    let frames = Schedule::frames_in_all(&request.settings, steps > 0) as f64;
    Ok(begun.elapsed().as_secs_f64() / timed_frames * frames)
}
