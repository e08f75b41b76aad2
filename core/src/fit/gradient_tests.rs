//! Every operation's gradient against central differences along random directions, and the whole step's
//! for every tensor of weights.

use super::cpu::pass::Pass;
use crate::network::inputs::{Form, InputBlocks, ScaleInputs, TABLE_CHANNELS, join, join_backward};
use crate::network::layers::{self, Gradients, TAPS};
use crate::network::{
    BLOCK_FRAMES, FeatureRange, Generator, GeneratorScratch, SCALES, Tensor, Weights,
};
use crate::numeric::random::Sequence;
use crate::texture::Period;
use crate::texture::loss::plain::plain_loss;
use crate::texture::loss::{BANKS, FeatureShape, Loss, SlicedWasserstein, StepTargets};

fn random(source: &mut Sequence, length: usize, scale: f32) -> Vec<f32> {
    (0..length).map(|_| source.gaussian() * scale).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| f64::from(*a) * f64::from(*b))
        .sum()
}

/// Largest error of a gradient along a random direction, for each argument, relative to its own slope and
/// the gradient's mean size. `value` is a scalar; `gradients` are its gradients by `arguments`.
fn gradient_error(
    arguments: &[Vec<f32>],
    gradients: &[Vec<f32>],
    step: f64,
    value: impl Fn(&[Vec<f32>]) -> f64,
) -> f64 {
    let mut source = Sequence::new(77, 0);
    let mut worst = 0.0f64;
    for (i, gradient) in gradients.iter().enumerate() {
        let direction = random(&mut source, gradient.len(), 1.0);
        let norm = dot(&direction, &direction).sqrt();
        let slope = dot(gradient, &direction) / norm;
        let moved = |by: f64| {
            let mut arguments = arguments.to_vec();
            for (x, d) in arguments[i].iter_mut().zip(&direction) {
                *x += (f64::from(*d) / norm * by) as f32;
            }
            value(&arguments)
        };
        let difference = (moved(step) - moved(-step)) / (2.0 * step);
        let mean_size = (dot(gradient, gradient) / gradient.len() as f64).sqrt();
        worst = worst.max((slope - difference).abs() / (slope.abs() + mean_size));
    }
    worst
}

#[test]
fn convolution() {
    let (rows, inputs, outputs) = (20, 5, 7);
    let mut r = Sequence::new(1, 0);
    let arguments = [
        random(&mut r, rows * inputs, 1.0),
        random(&mut r, TAPS * inputs * outputs, 0.3),
        random(&mut r, outputs, 0.3),
    ];
    let dy = random(&mut r, (rows - 2) * outputs, 1.0);
    let forward = |a: &[Vec<f32>]| {
        let mut y = vec![0.0; dy.len()];
        layers::convolve(&a[0], inputs, &a[1], &a[2], &mut y);
        y
    };
    let [mut dx, mut dw, mut db] = arguments.clone();
    layers::convolve_backward(
        &arguments[0],
        inputs,
        &arguments[1],
        &forward(&arguments),
        &dy,
        Gradients {
            dx: Some(&mut dx),
            dw: &mut dw,
            db: &mut db,
        },
    );
    let error = gradient_error(&arguments, &[dx, dw, db], 3e-3, |a| dot(&forward(a), &dy));
    println!("convolution: {error:.1e}");
    assert!(error < 5e-3, "{error}");
}

#[test]
fn residual_sum() {
    let (rows, width) = (9, 4);
    let mut r = Sequence::new(2, 0);
    let arguments = [
        random(&mut r, rows * width, 1.0),
        random(&mut r, (rows - 2) * width, 1.0),
    ];
    let dy = random(&mut r, (rows - 2) * width, 1.0);
    let value = |a: &[Vec<f32>]| {
        let mut y = vec![0.0; dy.len()];
        layers::residual(&a[0], &a[1], width, &mut y);
        dot(&y, &dy)
    };
    let [mut da, mut db] = arguments.clone();
    layers::residual_backward(&dy, width, &mut da, &mut db);
    let error = gradient_error(&arguments, &[da, db], 1e-1, value);
    println!("residual: {error:.1e}");
    assert!(error < 1e-3, "{error}");
}

fn example_inputs(period: Option<f64>) -> (InputBlocks, [ScaleInputs; SCALES]) {
    let blocks = InputBlocks::new(93.75, period);
    let mut inputs: [ScaleInputs; SCALES] = Default::default();
    blocks.fill(5, 0, BLOCK_FRAMES, &mut inputs);
    (blocks, inputs)
}

#[test]
fn join_with_and_without_table() {
    let hidden = 6;
    let mut r = Sequence::new(3, 0);
    for period in [None, Some(12.3)] {
        let (blocks, all) = example_inputs(period);
        for s in 1..SCALES {
            let inputs = &all[s];
            let coarse = all[s - 1].columns - 4;
            let entries = blocks.table_entries().unwrap_or(0);
            let arguments = [
                random(&mut r, coarse * hidden, 1.0),
                random(&mut r, entries * TABLE_CHANNELS, 1.0),
            ];
            let dy = random(&mut r, inputs.columns * inputs.width(hidden), 1.0);
            let value = |a: &[Vec<f32>]| {
                let mut y = vec![0.0; dy.len()];
                join(inputs, &a[0], hidden, &a[1], &mut y);
                dot(&y, &dy)
            };
            let [mut by_coarse, mut by_table] = arguments.clone();
            join_backward(inputs, hidden, &dy, &mut by_coarse, &mut by_table);
            let forms = inputs.blocks.iter().map(|block| block.form);
            let gradients = if forms.clone().any(|form| form == Form::TableWeights) {
                vec![by_coarse, by_table]
            } else {
                vec![by_coarse]
            };
            let error = gradient_error(&arguments, &gradients, 1e-1, value);
            println!("join at scale {s}, period {period:?}: {error:.1e}");
            assert!(error < 1e-3, "{error}");
        }
    }
}

fn example_range(features: usize) -> FeatureRange {
    FeatureRange {
        mean: (0..features).map(|i| 1.0 + 0.1 * i as f32).collect(),
        deviation: vec![0.5; features],
        low: vec![0.3; features],
        high: (0..features).map(|i| 1.8 + 0.1 * i as f32).collect(),
    }
}

#[test]
fn head_with_soft_limits() {
    let (rows, hidden, features) = (15, 6, 9);
    let mut r = Sequence::new(4, 0);
    let arguments = [
        random(&mut r, rows * hidden, 1.0),
        random(&mut r, hidden * features, 0.5),
        random(&mut r, features, 0.5),
    ];
    let range = example_range(features);
    let dy = random(&mut r, rows * features, 1.0);
    let forward = |a: &[Vec<f32>]| {
        let mut y = vec![0.0; dy.len()];
        layers::head(&a[0], hidden, &a[1], &a[2], &range, &mut y);
        y
    };
    let y = forward(&arguments);
    assert!(
        y.iter().all(|y| (0.3..=2.7).contains(y)),
        "outside the soft limits"
    );
    let [h, w, b] = &arguments;
    let (mut same, mut slopes) = (y.clone(), y.clone());
    layers::head_with_slopes(h, hidden, w, b, &range, &mut same, &mut slopes);
    assert_eq!(same, y);
    let [mut dx, mut dw, mut db] = arguments.clone();
    layers::head_backward(
        h,
        hidden,
        w,
        &dy,
        &mut slopes,
        Gradients {
            dx: Some(&mut dx),
            dw: &mut dw,
            db: &mut db,
        },
    );
    let error = gradient_error(&arguments, &[dx, dw, db], 1e-2, |a| dot(&forward(a), &dy));
    println!("head: {error:.1e}");
    assert!(error < 5e-3, "{error}");
}

/// 300 frames with a beat every 12.
fn example_features(shape: FeatureShape) -> Vec<f32> {
    let mut r = Sequence::new(5, 0);
    let beat = |i: usize| {
        if (i / shape.width()).is_multiple_of(12) {
            2.0
        } else {
            0.0
        }
    };
    (0..300 * shape.width())
        .map(|i| 1.0 + 0.3 * r.gaussian() + beat(i))
        .collect()
}

/// A loss on eight bands in two channels, with lag pairs, and the targets of one step.
fn example_loss(frames: usize) -> (SlicedWasserstein, StepTargets, FeatureShape) {
    let shape = FeatureShape {
        channels: 2,
        bands: 8,
    };
    let features = example_features(shape);
    let periods = [Period {
        frames: 12.0,
        strength: 0.8,
    }];
    let whitening = vec![0.5; shape.width()];
    let loss = SlicedWasserstein::new(features, shape, &whitening, &periods, 31.25, frames);
    let targets = StepTargets::new((0..BANKS).map(|bank| loss.draw(1, 0, bank)));
    (loss, targets, shape)
}

/// The loss and its gradient by the features of the frames of `parts`.
fn evaluate(loss: &SlicedWasserstein, targets: &StepTargets, parts: &[&[f32]]) -> (f64, Vec<f32>) {
    let outputs: Vec<Vec<f32>> = parts
        .iter()
        .map(|x| loss.apply_filters(x, targets))
        .collect();
    let outputs: Vec<&[f32]> = outputs.iter().map(Vec::as_slice).collect();
    let banks: Vec<_> = (0..BANKS)
        .map(|bank| loss.compare(&outputs, targets, bank))
        .collect();
    let value = banks.iter().map(|b| f64::from(b.value)).sum();
    let by_outputs: Vec<f32> = banks.into_iter().flat_map(|b| b.by_outputs).collect();
    let mut gradient = vec![0.0; parts.iter().map(|x| x.len()).sum()];
    loss.filters_backward(&by_outputs, targets, 0, &mut gradient);
    (value, gradient)
}

#[test]
fn texture_loss_by_features() {
    let (loss, targets, shape) = example_loss(96);
    let features = random(&mut Sequence::new(6, 0), 96 * shape.width(), 1.0);
    let (whole, gradient) = evaluate(&loss, &targets, &[&features]);
    let value = |a: &[Vec<f32>]| evaluate(&loss, &targets, &[&a[0]]).0;
    let error = gradient_error(
        std::slice::from_ref(&features),
        std::slice::from_ref(&gradient),
        3e-2,
        value,
    );
    println!("texture loss: {error:.1e}");
    assert!(error < 2e-2, "{error}");

    // In one go it is the same loss.
    let at_once = loss.at_step(1, 0);
    let (value, kept) = at_once.forward(&features);
    let mut same = vec![0.0; gradient.len()];
    at_once.backward(&features, &kept, 1.0, &mut same);
    assert!(value == whole && same == gradient);

    // Stretches of frames see each other: where they are cut changes nothing.
    let (first, second) = features.split_at(32 * shape.width());
    let (parts, parts_gradient) = evaluate(&loss, &targets, &[first, second]);
    assert!((whole - parts).abs() < 1e-5 * whole);
    let largest = gradient.iter().fold(0.0f32, |m, x| m.max(x.abs()));
    for (a, b) in gradient.iter().zip(&parts_gradient) {
        assert!((a - b).abs() < 1e-3 * largest);
    }
}

#[test]
fn texture_loss_is_what_its_definition_says() {
    // Pairs of frames leave one over at most poolings.
    let frames = 107;
    let (loss, targets, shape) = example_loss(frames);
    let features = random(&mut Sequence::new(6, 0), frames * shape.width(), 1.0);
    let widen = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
    let sets = loss.spelled_out(&targets);
    assert_eq!(sets.len(), 7 + 8, "the pyramid and the lag pairs");
    let capture = widen(&example_features(shape));
    let plain = plain_loss(&sets, &capture, &widen(&features), shape.width());
    let largest = plain.gradient.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    let (first, second) = features.split_at(40 * shape.width());
    for parts in [&[&features[..]][..], &[first, second]] {
        let (value, gradient) = evaluate(&loss, &targets, parts);
        let error = (value / plain.value - 1.0).abs();
        let gradient = gradient.iter().zip(&plain.gradient);
        let mut errors: Vec<f64> = gradient
            .map(|(x, plain)| (f64::from(*x) - plain).abs() / largest)
            .collect();
        errors.sort_by(f64::total_cmp);
        let (median, worst) = (errors[errors.len() / 2], errors[errors.len() - 1]);
        println!(
            "loss against its definition: {error:.1e}, gradient: {median:.1e}, at most {worst:.1e}"
        );
        // Rounding only, but for answers so close that the ranker's keys are equal: they may swap ranks, which
        // costs their gradients the gap between two quantiles, and the loss next to nothing.
        assert!(error < 1e-5, "{error}");
        assert!(median < 1e-5, "{median}");
        assert!(worst < 1e-3, "{worst}");
    }
}

#[test]
fn the_capture_itself_has_no_loss() {
    let (loss, targets, shape) = example_loss(300);
    let other = random(&mut Sequence::new(8, 0), 300 * shape.width(), 1.0);
    let capture = example_features(shape);
    let (own, _) = evaluate(&loss, &targets, &[&capture]);
    let (others, _) = evaluate(&loss, &targets, &[&other]);
    assert!(own < 1e-6 && others > 0.1, "{own}, {others}");
}

#[test]
fn whole_step_by_every_weight() {
    for period in [None, Some(12.0)] {
        let (blocks, inputs) = example_inputs(period);
        let (loss, targets, shape) = example_loss(BLOCK_FRAMES);
        let mut range = example_range(shape.width());
        range.high.fill(6.0);
        let weights = Weights::random(&blocks, shape.width(), 9);
        let generator = Generator::from_parts(blocks, range, weights);
        let evaluate = |features: &[f32]| evaluate(&loss, &targets, &[features]);

        let mut pass = Pass::new(generator.weights());
        pass.forward(&generator, &inputs, BLOCK_FRAMES);
        pass.backward(&generator, &inputs, &evaluate(&pass.features.clone()).1);
        let with = |weights: &[Vec<f32>]| {
            let mut moved = generator.clone();
            for (tensor, data) in moved.weights_mut().tensors_mut().zip(weights) {
                tensor.data_mut().copy_from_slice(data);
            }
            let mut pass = Pass::new(moved.weights());
            pass.forward(&moved, &inputs, BLOCK_FRAMES);
            evaluate(&pass.features).0
        };
        let data = |tensor: &Tensor| tensor.data().to_vec();
        let weights: Vec<Vec<f32>> = generator.weights().tensors().map(data).collect();
        let gradients: Vec<Vec<f32>> = pass.gradients().tensors().map(data).collect();
        let error = gradient_error(&weights, &gradients, 1e-2, with);
        println!("whole step, period {period:?}: {error:.1e}");
        assert!(error < 2e-2, "{error}");

        // What is trained and what is streamed are the same network.
        let mut streamed = vec![0.0; pass.features.len()];
        generator.block_into(5, 0, &mut GeneratorScratch::default(), &mut streamed);
        assert!(streamed == pass.features);
    }
}
