//! Seconds of one evaluation of `antognini`'s loss and gradient, part by part, and what part of the machine's own
//! matrix product that is.
//!
//! `cargo run --release -p weft-lab --example speed -- [SECONDS OF SOUND]`

use std::time::Instant;

use candle_core::{Device, Tensor, Var};
use weft_core::numeric::linalg::{View, multiply};
use weft_core::numeric::threads::Threads;
use weft_core::procedural::{Texture, synthesize};
use weft_lab::lbfgs::{LbfgsSettings, Minimizer};
use weft_lab::loss::{AutocorrelationTarget, DiversityTarget, GramTarget};
use weft_lab::methods::{Antognini, Method};
use weft_lab::network::{Ensemble, Filters};

/// The fastest of so many runs counts: other programs only ever slow it down.
const RUNS: usize = 5;

fn fastest(mut run: impl FnMut()) -> f64 {
    let times = (0..RUNS).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}

/// Products and sums per second of a large product on all cores, in 10⁹.
fn peak_gflops() -> f64 {
    const SIZE: usize = 1_536;
    let factor = vec![0.5f32; SIZE * SIZE];
    let threads = Threads::new(0);
    let mut out = vec![0.0f32; SIZE * SIZE];
    let seconds = fastest(|| {
        let mut parts: Vec<_> = out
            .chunks_mut(SIZE * SIZE.div_ceil(threads.count()))
            .collect();
        threads.for_each(&mut parts, |part| {
            let rows = View::new(&factor[..part.len()], part.len() / SIZE, SIZE);
            multiply(part, rows, View::new(&factor, SIZE, SIZE), false);
        });
    });
    2e-9 * (SIZE as f64).powi(3) / seconds
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seconds: f64 = std::env::args().nth(1).map_or(Ok(5.0), |s| s.parse())?;
    let method = Antognini::default();
    let format = method.format();
    let target = format.image(&synthesize(Texture::Fire, 1, 16_000, seconds))?;
    let (rows, columns) = (target.rows(), target.columns);
    let widths = [2, 4, 8, 16, 32, 64];
    let filters = widths.into_iter().zip(0..);
    let filters = filters.map(|(w, i)| Filters::glorot(columns, w, method.filters, 0, i));
    let networks = Ensemble::parallel(filters.collect());
    let image = Var::from_vec(target.values.clone(), (rows, columns), &Device::Cpu)?;
    let features = networks.features(image.as_tensor())?;
    let gram = GramTarget::new(&features)?;
    let correlation = AutocorrelationTarget::new(&features, 50..501)?;
    let diversity = DiversityTarget::new(&features)?;

    let places = |width: usize| (rows + 1 - width) as f64;
    let filters = method.filters as f64;
    // There and back.
    let convolutions: f64 = widths
        .iter()
        .map(|w| 4.0 * places(*w) * (w * columns) as f64 * filters)
        .sum();
    let grams: f64 = widths
        .iter()
        .map(|w| 4.0 * places(*w) * filters * filters)
        .sum();
    let peak = peak_gflops();
    let count = Threads::new(0).count();
    println!("{seconds} s of sound, {rows} frames; {count} cores multiply {peak:.0} GFLOP/s");

    let forward = fastest(|| drop(networks.features(image.as_tensor()).unwrap()));
    let whole = fastest(|| {
        let features = networks.features(image.as_tensor()).unwrap();
        let sums = features.iter().map(|f| f.map.sum_all().unwrap());
        let sum = sums.reduce(|a, b| (a + b).unwrap()).unwrap();
        sum.backward().unwrap();
    });
    let alone: Vec<Var> = features
        .iter()
        .map(|f| Var::from_tensor(&f.map).unwrap())
        .collect();
    let mut alone_features = features.clone();
    for (feature, var) in alone_features.iter_mut().zip(&alone) {
        feature.map = var.as_tensor().clone();
    }
    let timed = |loss: &dyn Fn() -> Tensor| fastest(|| drop(loss().backward().unwrap()));
    let by_gram = timed(&|| gram.loss(&alone_features).unwrap());
    let by_correlation = timed(&|| correlation.loss(&alone_features).unwrap());
    let shifts: Vec<usize> = (0..rows).step_by(50).collect();
    let by_diversity = timed(&|| diversity.loss(&alone_features, &shifts, rows).unwrap().0);
    println!(
        "  convolutions     {whole:.3} s ({forward:.3} s forward), {:.0} GFLOP/s",
        convolutions * 1e-9 / whole
    );
    println!(
        "  Gram             {by_gram:.3} s, {:.0} GFLOP/s",
        grams * 1e-9 / by_gram
    );
    println!("  autocorrelation  {by_correlation:.3} s");
    println!("  diversity        {by_diversity:.3} s");
    let sum = whole + by_gram + by_correlation;
    println!(
        "  an evaluation    {sum:.3} s without diversity, {:.0} GFLOP/s, {:.0} % of the product's",
        (convolutions + grams) * 1e-9 / sum,
        (convolutions + grams) * 1e-9 / sum / peak * 100.0
    );

    // What the minimiser itself takes, on a function that costs nothing.
    let start: Vec<f64> = target.values.iter().map(|x| f64::from(*x)).collect();
    let mut function = |x: &[f64]| {
        let factor = |i: usize| 1.0 + (i % 1_000) as f64;
        let value = x.iter().enumerate().map(|(i, x)| factor(i) * x * x).sum();
        Ok::<_, ()>((
            value,
            x.iter()
                .enumerate()
                .map(|(i, x)| 2.0 * factor(i) * x)
                .collect(),
        ))
    };
    let mut minimizer =
        Minimizer::new(start, LbfgsSettings::default(), &mut function).map_err(|()| "no start")?;
    for _ in 0..15 {
        let _ = minimizer.step(&mut function);
    }
    let by_step = fastest(|| {
        let _ = minimizer.step(&mut function);
    });
    println!("  a step of L-BFGS {by_step:.3} s beside");
    Ok(())
}
