//! From a start to an image that brings an objective down: iterations of L-BFGS, told as they go, and cancelled.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use candle_core::{Device, Var};

use crate::curve::{Curve, CurvePoint, TermValue};
use crate::error::LabError;
use crate::lbfgs::{LbfgsSettings, Minimizer, StepOutcome};
use crate::objective::Objective;
use crate::spectrogram::Image;
use crate::tensors::scalar;

/// How long an optimisation goes on, and between what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptimizeSettings {
    /// Most iterations.
    pub iterations: u32,
    /// Bounds and memory of L-BFGS.
    pub lbfgs: LbfgsSettings,
}

/// What is told after each iteration.
#[derive(Clone, Debug)]
pub struct Progress<'a> {
    /// The loss now.
    pub point: &'a CurvePoint,
    /// Iterations that there will be at most.
    pub iterations: u32,
    /// Time that is left if every iteration takes as long as those before, in seconds.
    pub seconds_left: f64,
}

/// Why an optimisation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All iterations are done.
    Done,
    /// Nothing lower could be found.
    Converged,
    /// It was cancelled.
    Cancelled,
}

/// What came of an optimisation.
#[derive(Clone, Debug)]
pub struct Optimized {
    /// The best image.
    pub image: Image,
    /// The loss all along.
    pub curve: Curve,
    /// The loss of the best image.
    pub best: CurvePoint,
    /// Why it ended.
    pub ending: Ending,
}

/// Brings `objective` down from `start`, on `device`. `on_progress` is called with the start and after each iteration;
/// once `cancel` is set, what has been found so far is returned, at the latest after the evaluation that is under way.
///
/// The best image is the one with the lowest sum since the objective has settled.
///
/// # Errors
/// If a tensor can't be made on the device, or the loss is no number at the start.
pub fn optimize(
    objective: &mut dyn Objective,
    start: Image,
    device: &Device,
    settings: &OptimizeSettings,
    cancel: &AtomicBool,
    on_progress: &mut dyn FnMut(&Progress<'_>),
) -> Result<Optimized, LabError> {
    let mut evaluator = Evaluator {
        objective,
        shape: (start.rows(), start.columns),
        device,
        cancel,
        iteration: 0,
        evaluations: 0,
        seen: Vec::new(),
    };
    let (columns, began) = (start.columns, Instant::now());
    let start: Vec<f64> = start.values.iter().map(|&x| f64::from(x)).collect();
    let mut minimizer = Minimizer::new(start, settings.lbfgs, &mut |p: &[f64]| {
        evaluator.at(p, false)
    })?;
    if !minimizer.value().is_finite() {
        return Err(LabError::NotFinite {
            value: minimizer.value(),
            iteration: 0,
        });
    }
    let settles_at = evaluator.objective.settles_at();
    let mut run = Run {
        points: Vec::new(),
        best: None,
        began,
        settings,
        on_progress,
    };
    run.arrived(&minimizer, &evaluator, 0, settles_at);
    let mut ending = Ending::Done;
    for iteration in 0..settings.iterations {
        evaluator.iteration = iteration;
        evaluator.seen.clear();
        let step = (|| {
            if iteration > 0 && iteration <= settles_at {
                // It is another function in each iteration, until it has settled.
                minimizer.evaluate_again(&mut |p: &[f64]| evaluator.at(p, true))?;
            }
            minimizer.step(&mut |p: &[f64]| evaluator.at(p, true))
        })();
        match step {
            Ok(StepOutcome::Moved) => {
                run.arrived(&minimizer, &evaluator, iteration + 1, settles_at)
            }
            // In the next iteration it will be another function.
            Ok(StepOutcome::Converged) if iteration < settles_at => {}
            Ok(StepOutcome::Converged) => {
                ending = Ending::Converged;
                break;
            }
            Err(Stop::Cancelled) => {
                ending = Ending::Cancelled;
                break;
            }
            Err(Stop::Failed(error)) => return Err(error),
        }
    }
    let Some((best, values)) = run.best else {
        unreachable!("the start has arrived");
    };
    let curve = Curve { points: run.points };
    let image = Image { values, columns };
    Ok(Optimized {
        image,
        curve,
        best,
        ending,
    })
}

/// What is written down on the way.
struct Run<'a> {
    points: Vec<CurvePoint>,
    best: Option<(CurvePoint, Vec<f32>)>,
    began: Instant,
    settings: &'a OptimizeSettings,
    on_progress: &'a mut dyn FnMut(&Progress<'_>),
}

impl Run<'_> {
    fn arrived(
        &mut self,
        minimizer: &Minimizer,
        evaluator: &Evaluator<'_>,
        iteration: u32,
        settles_at: u32,
    ) {
        let seconds = self.began.elapsed().as_secs_f64();
        let point = CurvePoint {
            iteration,
            seconds,
            evaluations: evaluator.evaluations,
            total: minimizer.value(),
            terms: evaluator.terms_of(minimizer.value()),
        };
        // Sums of other functions don't compare.
        let was_other = |best: &CurvePoint| best.iteration <= settles_at && iteration > settles_at;
        let best = self.best.as_ref();
        if best.is_none_or(|(best, _)| was_other(best) || point.total < best.total) {
            let values = minimizer.point().iter().map(|&x| x as f32).collect();
            self.best = Some((point.clone(), values));
        }
        let left = f64::from(self.settings.iterations - iteration);
        (self.on_progress)(&Progress {
            point: &point,
            iterations: self.settings.iterations,
            seconds_left: seconds / f64::from(iteration.max(1)) * left,
        });
        self.points.push(point);
    }
}

/// Why an iteration was broken off.
enum Stop {
    Cancelled,
    Failed(LabError),
}

impl From<candle_core::Error> for Stop {
    fn from(error: candle_core::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Stop> for LabError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Failed(error) => error,
            // Only the start is asked for in this way, and that is not cancelled.
            Stop::Cancelled => unreachable!("the start is always evaluated"),
        }
    }
}

/// The objective as a function of a flat vector.
struct Evaluator<'a> {
    objective: &'a mut dyn Objective,
    shape: (usize, usize),
    device: &'a Device,
    cancel: &'a AtomicBool,
    iteration: u32,
    evaluations: u64,
    /// Sums of this iteration, and what they are sums of.
    seen: Vec<(f64, Vec<TermValue>)>,
}

impl Evaluator<'_> {
    /// The terms of a sum that this iteration has seen.
    fn terms_of(&self, total: f64) -> Vec<TermValue> {
        let seen = self.seen.iter().rev().find(|seen| seen.0 == total);
        seen.map_or_else(Vec::new, |seen| seen.1.clone())
    }

    /// The loss at a point and its gradient.
    fn at(&mut self, point: &[f64], may_cancel: bool) -> Result<(f64, Vec<f64>), Stop> {
        if may_cancel && self.cancel.load(Ordering::Relaxed) {
            return Err(Stop::Cancelled);
        }
        self.evaluations += 1;
        let values: Vec<f32> = point.iter().map(|&x| x as f32).collect();
        let image = Var::from_vec(values, self.shape, self.device)?;
        let terms = self.objective.terms(image.as_tensor(), self.iteration)?;
        let mut values = Vec::with_capacity(terms.len());
        let mut total = None;
        for term in &terms {
            values.push(TermValue {
                name: term.name,
                weight: term.weight,
                value: scalar(&term.value)?,
            });
            let weighted = (&term.value * term.weight)?;
            total = Some(match total {
                Some(sum) => (sum + weighted)?,
                None => weighted,
            });
        }
        let value = values.iter().map(|t| t.weight * t.value).sum();
        self.seen.push((value, values));
        let gradients = total.map(|total| total.backward()).transpose()?;
        let gradient = gradients.as_ref().and_then(|all| all.get(&image));
        let gradient = match gradient {
            Some(gradient) => gradient.flatten_all()?.to_vec1::<f32>()?,
            None => vec![0.0; point.len()],
        };
        Ok((value, gradient.into_iter().map(f64::from).collect()))
    }
}
