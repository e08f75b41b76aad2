//! The fit's trainer on tensors against the processor's, stage by stage.
//!
//! On the tensor library's processor always; on a graphics processor where the build has one and one answers.

use candle_core::Device;
use weft_core::clip::Clip;
use weft_core::fit::cpu::Cpu;
use weft_core::fit::{FitSettings, Recipe, Start, StepPlan, StepTrace};
use weft_core::network::Weights;
use weft_core::procedural::{Texture, synthesize};
use weft_lab::DeviceChoice;
use weft_lab::fit::TensorDevice;

const FRAMES: usize = 384;

/// What every stage may be off, as a part of the root of its mean square: about five times what was measured on the
/// tensor library's processor and on CUDA.
struct Bounds {
    features: f64,
    set: f64,
    /// By projections, and by weights.
    gradient: f64,
    contexts: f64,
    by_critic: f64,
    /// The critic's own gradient, and its gap.
    critic: f64,
    weights: f64,
    report: f64,
}

/// One step after the same steps before. Where two projections differ by rounding only, they may swap ranks, and each
/// is then pulled to the other's quantile: gradients differ by more than rounding.
const ONE_STEP: Bounds = Bounds {
    features: 1.5e-6,
    set: 2e-6,
    gradient: 3e-3,
    contexts: 3e-5,
    by_critic: 4e-5,
    critic: 4e-6,
    weights: 7e-5,
    report: 1.5e-6,
};
/// Muon takes small singular values for as much as large ones, so that rounding grows from step to step.
const TEN_STEPS: Bounds = Bounds {
    features: 2.5e-3,
    set: 1e-3,
    gradient: 1.5e-1,
    contexts: 3.5e-3,
    by_critic: 1.5e-1,
    critic: 5e-5,
    weights: 1.5e-2,
    report: 1e-3,
};

fn mono() -> Clip {
    let rain = synthesize(Texture::Rain, 1, 8_000, 3.0);
    Clip::new(8_000, vec![rain.channels()[0].to_vec()]).unwrap()
}

/// A texture with a period, and two channels that are not alike.
fn stereo() -> Clip {
    synthesize(Texture::Clock, 1, 8_000, 5.0)
}

/// The root of the mean squared difference, as a part of that of `b`.
fn difference(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let pairs = a.iter().zip(b);
    let error: f64 = pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum();
    let size: f64 = b.iter().map(|b| f64::from(*b).powi(2)).sum();
    if error == 0.0 {
        0.0
    } else {
        (error / size).sqrt()
    }
}

/// The largest difference of any tensor.
fn of_weights(a: &Weights, b: &Weights) -> f64 {
    let pairs = a.tensors().zip(b.tensors());
    let differences = pairs.map(|(a, b)| difference(a.data(), b.data()));
    differences.fold(0.0, |worst: f64, d| if d <= worst { worst } else { d })
}

/// Prints how far the stages of a step are apart, and checks it.
fn check(case: &str, ours: &StepTrace, theirs: &StepTrace, bounds: &Bounds) {
    let part = |a: &[f32], b: &[f32], less: (&[f32], &[f32])| {
        let minus = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>();
        difference(&minus(a, less.0), &minus(b, less.1))
    };
    let gap = |trace: &StepTrace| trace.report.critic_gap.unwrap_or(0.0);
    let rows = [
        (
            "features",
            difference(&ours.features, &theirs.features),
            bounds.features,
        ),
        (
            "losses of sets",
            difference(&ours.by_set, &theirs.by_set),
            bounds.set,
        ),
        (
            "by projections",
            difference(&ours.by_projections, &theirs.by_projections),
            bounds.gradient,
        ),
        (
            "by contexts",
            part(
                &ours.with_contexts,
                &theirs.with_contexts,
                (&ours.by_projections, &theirs.by_projections),
            ),
            bounds.contexts,
        ),
        (
            "by critic",
            part(
                &ours.with_critic,
                &theirs.with_critic,
                (&ours.with_contexts, &theirs.with_contexts),
            ),
            bounds.by_critic,
        ),
        (
            "critic's own",
            difference(&ours.by_critic, &theirs.by_critic),
            bounds.critic,
        ),
        (
            "by weights",
            of_weights(&ours.by_weights, &theirs.by_weights),
            bounds.gradient,
        ),
        (
            "weights",
            of_weights(&ours.weights, &theirs.weights),
            bounds.weights,
        ),
        (
            "loss",
            f64::from((ours.report.loss / theirs.report.loss - 1.0).abs()),
            bounds.report,
        ),
        (
            "critic's gap",
            f64::from((gap(ours) - gap(theirs)).abs()),
            bounds.critic,
        ),
    ];
    println!("{case}");
    for (stage, difference, bound) in rows {
        println!("  {stage:<16} {difference:.1e} (at most {bound:.1e})");
    }
    for (stage, difference, bound) in rows {
        assert!(difference <= bound, "{case}, {stage}: {difference:.1e}");
    }
}

/// All losses in every step, on some frames in turn.
fn plans(count: usize, frames: impl Fn(usize) -> usize) -> Vec<StepPlan> {
    let plan = |step| StepPlan {
        learning_rate: 2e-3,
        frames: frames(step),
        context_weight: 1.0,
        critic_weight: Some(0.2),
    };
    (0..count).map(plan).collect()
}

fn compare(device: &Device) {
    for (name, clip) in [("mono", mono()), ("stereo", stereo())] {
        let recipe = Recipe::new(&clip, &FitSettings::default()).unwrap();
        let tensors = TensorDevice::new(device.clone());
        let has_table = recipe.new_generator().weights().table.is_some();
        assert_eq!(has_table, name == "stereo", "a clock has a period");
        let start = |steps| Start {
            generator: recipe.new_generator(),
            steps,
        };
        // Twice the frames later on: the layout changes, and the critic sees one stretch for all.
        let plans = plans(10, |step| if step < 8 { FRAMES } else { 2 * FRAMES });
        let theirs = Cpu::default().traces(&recipe, start(0), &plans);
        let ours = tensors.traces(&recipe, start(0), &plans).unwrap();
        check(
            &format!("{name}, first step"),
            &ours[0],
            &theirs[0],
            &ONE_STEP,
        );
        check(
            &format!("{name}, ten steps"),
            &ours[9],
            &theirs[9],
            &TEN_STEPS,
        );
        // Eight stretches, of which the critic sees two.
        let more = StepPlan {
            frames: 8 * FRAMES,
            ..plans[0]
        };
        let theirs = Cpu::default().traces(&recipe, start(7), &[more]);
        let ours = tensors.traces(&recipe, start(7), &[more]).unwrap();
        check(
            &format!("{name}, eight times the frames"),
            &ours[0],
            &theirs[0],
            &ONE_STEP,
        );
    }
}

#[test]
fn on_the_librarys_processor() {
    compare(&Device::Cpu);
}

#[test]
fn on_a_graphics_processor_that_answers() {
    let device = DeviceChoice::Auto.open().unwrap();
    if device.is_cpu() {
        println!("no graphics processor answers: nothing is compared");
        return;
    }
    compare(&device);
}
