//! Each term of the losses: by hand, against the plain forms of `core`, and its gradient against differences.

mod support;

use std::sync::Arc;

use candle_core::{DType, Result, Tensor};
use support::{
    gradient_error, matrix, number, random, relative_difference, value_and_gradient, values,
};
use weft_core::texture::loss::{
    AutocorrelationLoss, DiversityLoss, GramLoss, GramSettings, Loss as _,
};
use weft_lab::loss::{
    AutocorrelationTarget, DiversityTarget, GramTarget, ShiftSchedule, autocorrelation,
    autocorrelation_by_products, gram, gram_by_products,
};
use weft_lab::network::{Ensemble, FeatureMap, Filters};

/// Largest error of a gradient where nothing is rectified.
const SMOOTH: f64 = 1e-3;
/// Largest error of a gradient through rectifiers: some of the kinks lie between the two places of a difference.
const WITH_KINKS: f64 = 1e-2;
/// How near two ways to compute the same come in single precision.
const SAME: f64 = 1e-5;

/// An image itself as the only feature map.
fn one_map(map: &Tensor) -> Vec<FeatureMap> {
    vec![FeatureMap {
        map: map.clone(),
        hop: 1,
    }]
}

/// Networks of different widths, beside each other and on top of each other.
fn networks(channels: usize) -> [Ensemble; 2] {
    let beside = [2, 4, 7].map(|w| Filters::glorot(channels, w, 9, 1, w as u64));
    let first = Filters::glorot(channels, 2, 8, 1, 0);
    let next = [1, 2].map(|index| Filters::glorot(8, 2, 8, 1, index));
    let [second, third] = next;
    [
        Ensemble::parallel(beside.into()),
        Ensemble::stacked(vec![first, second, third]),
    ]
}

fn check_gradient(
    name: &str,
    values: &[f32],
    columns: usize,
    loss: &dyn Fn(&Tensor) -> Result<Tensor>,
    largest: f64,
) {
    // Far enough for rounding to be small, and near enough for few kinks to lie between.
    let step = 4e-4 * (values.len() as f64).sqrt();
    let error = gradient_error(values, columns, step, loss);
    println!("{name}: relative error of the gradient {error:.1e}");
    assert!(error < largest, "{name}: {error}");
}

#[test]
fn a_convolution_is_worked_out_by_hand() {
    // Two channels, width 2, one filter: 1·x0[0] + 2·x0[1] + 3·x1[0] − 1·x1[1].
    let filters = Arc::new(Filters::new(2, 2, 1, vec![1.0, 2.0, 3.0, -1.0]));
    let image = matrix(&[1.0, 0.0, 2.0, 1.0, -1.0, 0.0], 2);
    // Places: 1 + 0 + 6 − 1 = 6; 2 + 2 − 3 − 0 = 1.
    assert_eq!(values(&filters.activations(&image).unwrap()), [6.0, 1.0]);
    // The sum's gradient adds the filter at both places, but for what is rectified.
    let sum = |image: &Tensor| filters.activations(image)?.sum_all();
    let (_, gradient) = value_and_gradient(&[1.0, 0.0, 2.0, 1.0, -1.0, 0.0], 2, &sum);
    assert_eq!(gradient, [1.0, 2.0, 4.0, 1.0, 3.0, -1.0]);
    let (value, gradient) = value_and_gradient(&[1.0, 0.0, 2.0, 1.0, -9.0, 0.0], 2, &sum);
    assert_eq!(
        (value, gradient),
        (6.0, vec![1.0, 2.0, 3.0, -1.0, 0.0, 0.0])
    );
    assert!(filters.activations(&matrix(&[1.0; 9], 3)).is_err());
    assert!(filters.activations(&matrix(&[1.0; 2], 2)).is_err());
}

#[test]
fn filters_have_the_moments_of_their_distribution() {
    let (channels, width, count) = (50, 4, 100);
    let moments = |filters: &Filters| {
        let weights = filters.weights();
        assert_eq!(weights.len(), width * channels * count);
        let mean = |power: i32| {
            let powers = weights.iter().map(|w| f64::from(*w).powi(power));
            powers.sum::<f64>() / weights.len() as f64
        };
        (mean(1), mean(2))
    };
    // Glorot & Bengio, eq. 16: a variance of two over both fans.
    let (mean, square) = moments(&Filters::glorot(channels, width, count, 1, 0));
    let wanted = 2.0 / (width * (channels + count)) as f64;
    assert!(
        mean.abs() < 2e-3 && (square / wanted - 1.0).abs() < 0.02,
        "{mean} {square}"
    );
    let (mean, square) = moments(&Filters::normal(channels, width, count, 0.5, (1, 0)));
    assert!(
        mean.abs() < 1e-2 && (square / 0.25 - 1.0).abs() < 0.03,
        "{mean} {square}"
    );
}

#[test]
fn our_convolution_is_the_one_by_unfolding() {
    // More rows than a chunk, and fewer.
    for (rows, width, count) in [(700, 5, 33), (40, 16, 3), (12, 9, 20)] {
        let channels = 7;
        let filters = Arc::new(Filters::glorot(channels, width, count, 3, 0));
        let image = random(4, rows * channels, 1.0);
        let weight = matrix(&random(5, (rows + 1 - width) * count, 1.0), count);
        let ours = |image: &Tensor| {
            (filters.activations(image)? * &weight)?
                .to_dtype(DType::F64)?
                .sum_all()
        };
        let plain = |i: &Tensor| {
            (filters.activations_by_unfolding(i)? * &weight)?
                .to_dtype(DType::F64)?
                .sum_all()
        };
        let (a, by_a) = value_and_gradient(&image, channels, &ours);
        let (b, by_b) = value_and_gradient(&image, channels, &plain);
        assert!((a - b).abs() <= SAME * b.abs().max(1.0), "{a} {b}");
        let difference = relative_difference(&by_a, &by_b);
        assert!(difference < SAME, "{rows} rows: {difference}");
        check_gradient("convolution", &image, channels, &ours, WITH_KINKS);
    }
}

#[test]
fn stacked_networks_see_averages_of_what_is_below() {
    let ones = |channels: usize| Filters::new(channels, 2, 1, vec![1.0; 2 * channels]);
    let stack = Ensemble::stacked(vec![ones(1), ones(1), ones(1)]);
    assert_eq!(stack.least_rows(), 11);
    let image: Vec<f32> = (0..11).map(|i| i as f32).collect();
    let features = stack.features(&matrix(&image, 1)).unwrap();
    let hops: Vec<usize> = features.iter().map(|f| f.hop).collect();
    assert_eq!(hops, [1, 2, 4]);
    // Sums of neighbours, averages of pairs, sums, averages, and a sum.
    let by_hand: [&[f32]; 3] = [
        &[1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0, 17.0, 19.0],
        &[8.0, 16.0, 24.0, 32.0],
        &[40.0],
    ];
    for (feature, by_hand) in features.iter().zip(by_hand) {
        assert_eq!(values(&feature.map), by_hand);
    }
    assert!(stack.features(&matrix(&image[1..], 1)).is_err());
}

#[test]
fn a_gram_matrix_and_its_loss_are_worked_out_by_hand() {
    // Eq. 3: two places, two filters.
    let map = matrix(&[1.0, 2.0, 3.0, 0.0], 2);
    let by_hand = [5.0, 1.0, 1.0, 2.0];
    assert_eq!(values(&gram(&map).unwrap()), by_hand);
    assert_eq!(values(&gram_by_products(&map).unwrap()), by_hand);
    // Eq. 4 over two networks together: the second has one filter, G̃ = 4, and G = 1.
    let target = [one_map(&map), one_map(&matrix(&[2.0, 2.0], 1))].concat();
    let other = [
        one_map(&matrix(&[1.0, 0.0, 1.0, 0.0], 2)),
        one_map(&matrix(&[1.0, 1.0], 1)),
    ];
    let target = GramTarget::new(&target).unwrap();
    assert_eq!(target.energy(), 25.0 + 1.0 + 1.0 + 4.0 + 16.0);
    // Errors: (1 − 5)² + 1 + 1 + 4 of the first, (1 − 4)² of the second.
    let loss = number(&target.loss(&other.concat()).unwrap());
    assert!((loss - 31.0 / 47.0).abs() < 1e-12, "{loss}");
}

#[test]
fn the_gram_loss_is_that_of_core() {
    let (channels, rows) = (6, 60);
    let settings = GramSettings {
        widths: vec![2, 4, 8],
        filters: 12,
        seed: 9,
        threads: 1,
    };
    let [a, b] = [1, 2].map(|seed| random(seed, rows * channels, 1.0));
    let plain = GramLoss::new(&a, channels, &settings);
    let filters = [2, 4, 8].into_iter().zip(0..);
    let filters = filters.map(|(width, index)| Filters::glorot(channels, width, 12, 9, index));
    let networks = Ensemble::parallel(filters.collect());
    let target = GramTarget::new(&networks.features(&matrix(&a, channels)).unwrap()).unwrap();
    let loss = |image: &Tensor| target.loss(&networks.features(image)?);
    let (value, gradient) = value_and_gradient(&b, channels, &loss);
    let (plain_value, kept) = plain.forward(&b);
    let mut plain_gradient = vec![0.0; b.len()];
    plain.backward(&b, &kept, 1.0, &mut plain_gradient);
    assert!(
        (value / plain_value - 1.0).abs() < SAME,
        "{value} {plain_value}"
    );
    let difference = relative_difference(&gradient, &plain_gradient);
    assert!(difference < SAME, "{difference}");
}

#[test]
fn the_gradient_of_the_gram_loss_is_that_of_its_differences() {
    let channels = 5;
    for (networks, name) in networks(channels).iter().zip(["parallel", "stacked"]) {
        let target = matrix(&random(1, 40 * channels, 1.0), channels);
        let target = GramTarget::new(&networks.features(&target).unwrap()).unwrap();
        let loss = |image: &Tensor| target.loss(&networks.features(image)?);
        for rows in [30, 300] {
            let image = random(2, rows * channels, 1.0);
            let name = format!("Gram, {name}, {rows} rows");
            check_gradient(&name, &image, channels, &loss, WITH_KINKS);
        }
    }
}

#[test]
fn the_gradient_of_the_gram_matrix_is_that_of_its_differences_and_of_products() {
    let columns = 13;
    let image = random(2, 40 * columns, 1.0);
    let target = one_map(&matrix(&random(1, 60 * columns, 1.0), columns));
    let target = GramTarget::new(&target).unwrap();
    let loss = |image: &Tensor| target.loss(&one_map(image));
    check_gradient("Gram", &image, columns, &loss, SMOOTH);
    let weight = matrix(&random(3, columns * columns, 1.0), columns);
    let ours = |x: &Tensor| (gram(x)? * &weight)?.sum_all();
    let plain = |x: &Tensor| (gram_by_products(x)? * &weight)?.sum_all();
    let (_, by_ours) = value_and_gradient(&image, columns, &ours);
    let (_, by_plain) = value_and_gradient(&image, columns, &plain);
    assert!(relative_difference(&by_ours, &by_plain) < SAME);
}

#[test]
fn an_autocorrelation_and_its_loss_are_worked_out_by_hand() {
    // Eq. 5 with zeros behind the end: of 1 2 3 4, at lag 1 it is 1·2 + 2·3 + 3·4 = 20, at lag 2 11, over four places.
    let map = matrix(&[1.0, 2.0, 3.0, 4.0], 1);
    for correlated in [
        autocorrelation(&map, 1..3),
        autocorrelation_by_products(&map, 1..3),
    ] {
        let found = values(&correlated.unwrap());
        assert!(
            (found[0] - 5.0).abs() < 1e-5 && (found[1] - 2.75).abs() < 1e-5,
            "{found:?}"
        );
    }
    // Eq. 6, against 0 0 2 2: at lag 1 it is 1, at lag 2 it is 0.
    let target = AutocorrelationTarget::new(&one_map(&map), 1..3).unwrap();
    let loss = target.loss(&one_map(&matrix(&[0.0, 0.0, 2.0, 2.0], 1)));
    let by_hand = (4.0 * 4.0 + 2.75 * 2.75) / (25.0 + 2.75 * 2.75);
    let loss = number(&loss.unwrap());
    assert!((loss - by_hand).abs() < 1e-6, "{loss} {by_hand}");
}

#[test]
fn the_autocorrelation_loss_is_that_of_core() {
    let columns = 19;
    let reference = random(1, 60 * columns, 1.0);
    let plain = AutocorrelationLoss::new(&reference, columns, 5..40, 1);
    let target = one_map(&matrix(&reference, columns));
    let target = AutocorrelationTarget::new(&target, 5..40).unwrap();
    let loss = |image: &Tensor| target.loss(&one_map(image));
    // As long as the reference, and longer.
    for rows in [60, 100] {
        let image = random(2, rows * columns, 1.0);
        let (value, gradient) = value_and_gradient(&image, columns, &loss);
        let (plain_value, kept) = plain.forward(&image);
        let mut plain_gradient = vec![0.0; image.len()];
        plain.backward(&image, &kept, 1.0, &mut plain_gradient);
        assert!(
            (value / plain_value - 1.0).abs() < SAME,
            "{value} {plain_value}"
        );
        let difference = relative_difference(&gradient, &plain_gradient);
        assert!(difference < SAME, "{difference}");
    }
    // Shorter than the longest lag: those that it holds count.
    let short = random(2, 25 * columns, 1.0);
    assert!(number(&loss(&matrix(&short, columns)).unwrap()).is_finite());
    assert!(loss(&matrix(&short[..4 * columns], columns)).is_err());
}

#[test]
fn the_gradient_of_the_autocorrelation_loss_is_that_of_its_differences() {
    let channels = 5;
    let image = random(2, 90 * channels, 1.0);
    for (networks, name) in networks(channels).iter().zip(["parallel", "stacked"]) {
        let target = matrix(&random(1, 120 * channels, 1.0), channels);
        let features = networks.features(&target).unwrap();
        let target = AutocorrelationTarget::new(&features, 8..50).unwrap();
        let loss = |image: &Tensor| target.loss(&networks.features(image)?);
        let name = format!("autocorrelation, {name}");
        check_gradient(&name, &image, channels, &loss, WITH_KINKS);
    }
    let smooth = one_map(&matrix(&random(1, 120 * channels, 1.0), channels));
    let smooth = AutocorrelationTarget::new(&smooth, 8..50).unwrap();
    let loss = |image: &Tensor| smooth.loss(&one_map(image));
    check_gradient("autocorrelation", &image, channels, &loss, SMOOTH);
    let weight = matrix(&random(3, 40 * channels, 1.0), channels);
    let ours = |x: &Tensor| (autocorrelation(x, 3..43)? * &weight)?.sum_all();
    let plain = |x: &Tensor| (autocorrelation_by_products(x, 3..43)? * &weight)?.sum_all();
    let (_, by_ours) = value_and_gradient(&image, channels, &ours);
    let (_, by_plain) = value_and_gradient(&image, channels, &plain);
    assert!(relative_difference(&by_ours, &by_plain) < SAME);
}

#[test]
fn a_diversity_is_worked_out_by_hand() {
    // Eq. 8: against 1 0 2, with energy 5, at shift 0 the distance of 0 3 1 is 1 + 9 + 1 = 11; one step on, 3 1 0, it
    // is 4 + 1 + 4 = 9; two steps on, 1 0 3, it is 1.
    let target = DiversityTarget::new(&one_map(&matrix(&[1.0, 0.0, 2.0], 1))).unwrap();
    let image = one_map(&matrix(&[0.0, 3.0, 1.0], 1));
    for (shifts, by_hand, nearest) in [
        (&[0][..], 5.0 / 11.0, 0),
        (&[0, 1], 5.0 / 9.0, 1),
        (&[0, 1, 2], 5.0, 2),
    ] {
        let (loss, found) = target.loss(&image, shifts, 3).unwrap();
        assert!((number(&loss) - by_hand).abs() < 1e-6);
        assert_eq!(found, nearest);
    }
    assert!(target.loss(&image, &[], 3).is_err());
}

#[test]
fn the_diversity_is_that_of_core() {
    let columns = 21;
    let reference = random(1, 30 * columns, 1.0);
    let plain = DiversityLoss::new(reference.clone(), columns);
    let target = DiversityTarget::new(&one_map(&matrix(&reference, columns))).unwrap();
    // Nearest at a shift by far, so that small moves don't change which.
    let mut image = reference;
    image.rotate_right(7 * columns);
    for (x, noise) in image.iter_mut().zip(random(2, 30 * columns, 0.4)) {
        *x += noise;
    }
    let shifts: Vec<usize> = (0..30).collect();
    let loss = |image: &Tensor| Ok(target.loss(&one_map(image), &shifts, 30)?.0);
    let (value, gradient) = value_and_gradient(&image, columns, &loss);
    let (plain_value, kept) = plain.forward(&image);
    let mut plain_gradient = vec![0.0; image.len()];
    plain.backward(&image, &kept, 1.0, &mut plain_gradient);
    assert!(
        (value / plain_value - 1.0).abs() < SAME,
        "{value} {plain_value}"
    );
    assert!(relative_difference(&gradient, &plain_gradient) < SAME);
    check_gradient("diversity", &image, columns, &loss, SMOOTH);
    // Of an exact copy there is no way down.
    let copy = random(1, 30 * columns, 1.0);
    assert!(plain.forward(&copy).0 > 1e8);
    let (value, gradient) = value_and_gradient(&copy, columns, &loss);
    assert!(value > 1e8 && gradient.iter().all(|d| *d == 0.0), "{value}");
}

#[test]
fn the_diversity_of_networks_finds_shifted_copies() {
    let (channels, rows) = (6, 64);
    let reference = random(1, rows * channels, 1.0);
    for networks in networks(channels) {
        let target = networks.features(&matrix(&reference, channels)).unwrap();
        let target = DiversityTarget::new(&target).unwrap();
        // Later by eight rows, and earlier; the stacked networks' places are four rows apart.
        for shift in [8, rows - 8] {
            let mut image = reference.clone();
            image.rotate_right(shift * channels);
            let features = networks.features(&matrix(&image, channels)).unwrap();
            let shifts: Vec<usize> = (0..rows).collect();
            let (copied, nearest) = target.loss(&features, &shifts, rows).unwrap();
            assert_eq!(nearest, shift);
            let far = number(&target.loss(&features, &[rows / 2], rows).unwrap().0);
            assert!(number(&copied) > 2.0 * far, "{} {far}", number(&copied));
        }
        let loss = |image: &Tensor| Ok(target.loss(&networks.features(image)?, &[5], 50)?.0);
        // Also for an image that is shorter.
        let image = random(2, 50 * channels, 1.0);
        check_gradient("diversity of networks", &image, channels, &loss, WITH_KINKS);
    }
}

#[test]
fn every_shift_gets_its_turn_and_the_nearest_come_back() {
    let mut schedule = ShiftSchedule::default();
    let mut seen = vec![0; 120];
    for iteration in 0..50 {
        for shift in schedule.shifts(iteration, 120) {
            seen[shift] += 1;
        }
    }
    assert!(seen.iter().all(|times| *times == 1), "{seen:?}");
    assert_eq!(schedule.shifts(50, 120), [0, 50, 100]);
    schedule.remember(100);
    // Asked again in the same iteration, they are the same.
    assert_eq!(schedule.shifts(50, 120), [0, 50, 100]);
    schedule.remember(50);
    for iteration in 51..=60 {
        let first = iteration as usize % 50;
        assert!(schedule.shifts(iteration, 120).contains(&50));
        schedule.remember(first);
    }
    // Ten steps later it is forgotten, and those of the ten steps are there.
    let shifts = schedule.shifts(61, 120);
    assert!(
        !shifts.contains(&50) && (1..=10).all(|s| shifts.contains(&s)),
        "{shifts:?}"
    );
}
