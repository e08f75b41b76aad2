//! Every stage of the fit against arrays that the prototype in Python wrote, one table for all recordings.
//!
//! Each stage is given the prototype's own result of the stage before, so that errors don't add up; rows
//! that say "all ours" start from the recording instead. A difference is the largest one between any two
//! values, as a part of the prototype's largest value.
//!
//! The loss is compared in its plain form, since the fit combines filters in its own way; that the fit's
//! own form gives the same is tested beside the gradients.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::Path;

use safetensors::{Dtype, SafeTensors};

use super::cpu::pass::Pass;
use super::recipe::{PERIOD_INPUT_GATE, STEP_FRAMES, whitening};
use crate::clip::{Capture, Clip};
use crate::inversion::feasible;
use crate::network::inputs::{Form, InputBlocks, ScaleInputs};
use crate::network::{FeatureRange, Generator, SCALES, Weights};
use crate::numeric::random::Noise;
use crate::spectrum::{FrameSpectrum, FrontEnd, FrontEndConstants};
use crate::texture::loss::plain::{PlainLoss, PlainProjection, PlainSet, plain_loss};
use crate::texture::{Period, find_periods};

/// Frames of the forward pass in the files, and the absolute frame and the seed that they start from.
const FRAMES: usize = 192;
const START: i64 = 64;
const SEED: u32 = 7;
/// Frames of the rendering in the files.
const RENDERED: usize = 8;
/// Poolings of the loss's sets in the files.
const POOLS: [usize; 7] = [1, 1, 1, 2, 4, 8, 16];
const LAG_POOLS: [usize; 2] = [1, 4];
/// Weight of the lag pairs against the pyramid.
const LAG_WEIGHT: f64 = 0.75;
const LONGEST_LAG_S: f64 = 2.0;

/// Rounding of single precision in sums of some hundred terms.
const ROUNDING: f64 = 1e-5;
/// Our Gaussians are computed in single precision, the prototype's in double: a few roundings.
const SINGLE_GAUSSIANS: f64 = 2e-6;
/// Rounding of double precision in sums of some hundred terms.
const DOUBLE_ROUNDING: f64 = 1e-12;
/// Rounding of a frame's transform is some 140 dB under the frame. A recording's quietest bins may be
/// only 40 dB above that, and the equaliser lifts them to the level of all others.
const QUIET_BINS: f64 = 1e-3;
/// What neighbours in rank may cost: where two responses differ by rounding only, they may swap ranks, and
/// each is then pulled to the other's quantile. The loss hardly changes by that, its gradient does by the
/// gap between the two quantiles, which is wide in a set of few frames and at the ends of a distribution.
const SWAPPED_RANKS: f64 = 2e-2;

/// The arrays of one recording's file.
struct Reference(HashMap<String, Vec<f64>>);

impl Reference {
    fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).expect("the file is readable");
        let tensors = SafeTensors::deserialize(&bytes).expect("the file is a safetensors file");
        let arrays = tensors.iter().map(|(name, view)| {
            let bytes = view.data();
            let single = |b: &[u8]| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            let double = |b: &[u8]| f64::from_le_bytes(b.try_into().expect("eight bytes"));
            let data = match view.dtype() {
                Dtype::F32 => bytes.chunks_exact(4).map(single).collect(),
                Dtype::F64 => bytes.chunks_exact(8).map(double).collect(),
                other => panic!("'{name}' is {other:?}"),
            };
            (name.to_string(), data)
        });
        Self(arrays.collect())
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn get(&self, name: &str) -> &[f64] {
        let found = self.0.get(name);
        found.unwrap_or_else(|| panic!("'{name}' is missing"))
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        self.get(name).iter().map(|&x| x as f32).collect()
    }

    fn number(&self, name: &str) -> f64 {
        self.get(name)[0]
    }
}

/// The prototype's name of an array of weights.
fn their_name(ours: &str) -> String {
    let scale = |s: &str| s["scale".len()..].to_string();
    match ours.split('.').collect::<Vec<_>>()[..] {
        [s, "first", "weight"] => format!("a{}", scale(s)),
        [s, "first", "bias"] => format!("ab{}", scale(s)),
        [s, "second", "weight"] => format!("b{}", scale(s)),
        [s, "second", "bias"] => format!("bb{}", scale(s)),
        ["head", "weight"] => "out".into(),
        ["head", "bias"] => "out_b".into(),
        _ => ours.into(),
    }
}

fn relative_difference(ours: impl IntoIterator<Item = f64>, theirs: &[f64]) -> f64 {
    let ours: Vec<f64> = ours.into_iter().collect();
    if ours.len() != theirs.len() {
        return f64::INFINITY;
    }
    let largest = theirs.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    let differences = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs());
    // NaN must not get lost.
    let worst = differences.fold(0.0, |m: f64, d| if d <= m { m } else { d });
    if worst == 0.0 { 0.0 } else { worst / largest }
}

/// The same with the median in place of the largest difference.
fn median_difference(ours: &[f64], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let largest = theirs.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    let differences = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs());
    let mut differences: Vec<f64> = differences.collect();
    differences.sort_by(f64::total_cmp);
    differences[differences.len() / 2] / largest
}

fn widen(x: &[f32]) -> impl Iterator<Item = f64> {
    x.iter().map(|&x| f64::from(x))
}

/// What a stage's difference may be; `None` where it is only told.
type Limit = Option<f64>;

/// A row for each stage, a column for each file.
#[derive(Default)]
struct Table {
    files: Vec<String>,
    rows: Vec<(String, Limit, Vec<Option<f64>>)>,
}

impl Table {
    fn note(&mut self, stage: &str, limit: Limit, difference: f64) {
        let column = self.files.len() - 1;
        let known = self.rows.iter().position(|r| r.0 == stage);
        let row = known.unwrap_or_else(|| {
            self.rows.push((stage.to_string(), limit, Vec::new()));
            self.rows.len() - 1
        });
        let cells = &mut self.rows[row].2;
        cells.resize(column, None);
        cells.push(Some(difference));
    }

    fn compare(&mut self, stage: &str, limit: f64, ours: &[f32], theirs: &[f64]) {
        self.note(stage, Some(limit), relative_difference(widen(ours), theirs));
    }

    fn print(&self) {
        println!("| stage | {} | limit |", self.files.join(" | "));
        println!("| --- |{}", " --- |".repeat(self.files.len() + 1));
        for (stage, limit, cells) in &self.rows {
            print!("| {stage} |");
            for i in 0..self.files.len() {
                match cells.get(i).copied().flatten() {
                    Some(0.0) => print!(" 0 |"),
                    Some(x) => print!(" {x:.1e} |"),
                    None => print!(" |"),
                }
            }
            println!(
                " {} |",
                match limit {
                    None => String::new(),
                    Some(0.0) => "0".into(),
                    Some(limit) => format!("{limit:.0e}"),
                }
            );
        }
    }

    fn failures(&self) -> Vec<&str> {
        let within = |limit: f64, cells: &[Option<f64>]| {
            cells
                .iter()
                .flatten()
                .all(|difference| *difference <= limit)
        };
        self.rows
            .iter()
            .filter(|(_, limit, cells)| limit.is_some_and(|l| !within(l, cells)))
            .map(|(stage, ..)| stage.as_str())
            .collect()
    }
}

/// Longest lag at a pooling for a synthesis of `frames` frames, in pooled frames.
fn longest_lag(reference: &Reference, pool: usize, frames: usize) -> usize {
    let width = reference.get("sd").len();
    let frames = frames.min(reference.get("features").len() / width) / pool;
    let longest = LONGEST_LAG_S * reference.number("fps") / pool as f64;
    longest.min((frames - 1) as f64 * 0.6) as usize
}

/// The sets of a step of `frames` frames with the filters and lags that the file holds under `prefix`, for
/// features that are not yet divided by `whitening`.
fn given_sets(
    reference: &Reference,
    prefix: &str,
    whitening: &[f64],
    frames: usize,
) -> Vec<PlainSet> {
    let width = whitening.len();
    // One list of taps for each filter, from `taps × width × filters`.
    let filters = |name: String, taps: usize| -> Vec<Vec<Vec<f64>>> {
        let given = reference.get(&name);
        let count = given.len() / (taps * width);
        let weights = |filter: usize, tap: usize| {
            let rows = given.chunks_exact(count).skip(tap * width).zip(whitening);
            rows.map(|(row, scale)| row[filter] / scale).collect()
        };
        let filter = |filter: usize| (0..taps).map(|tap| weights(filter, tap)).collect();
        (0..count).map(filter).collect()
    };
    let mut sets = Vec::new();
    for (i, (pool, taps)) in POOLS.into_iter().zip([1, 2, 4, 4, 4, 4, 4]).enumerate() {
        let projections = filters(format!("{prefix}filter_{i}"), taps).into_iter();
        sets.push(PlainSet {
            pool,
            reach: taps - 1,
            weight: 1.0 / POOLS.len() as f64,
            projections: projections
                .map(|taps| PlainProjection {
                    taps: taps.into_iter().enumerate().collect(),
                })
                .collect(),
        });
    }
    let lags = format!("{prefix}lags");
    if reference.has(&lags) {
        let lags = reference.get(&lags).chunks_exact(4);
        for ((i, pool), lags) in LAG_POOLS.into_iter().enumerate().zip(lags) {
            let [u, v] =
                ["u", "v"].map(|part| filters(format!("{prefix}lag_filter_{i}_{part}"), 2));
            let pair = |lag: usize, (u, v): (&Vec<Vec<f64>>, &Vec<Vec<f64>>)| PlainProjection {
                taps: u
                    .iter()
                    .cloned()
                    .enumerate()
                    .chain((lag..).zip(v.iter().cloned()))
                    .collect(),
            };
            sets.push(PlainSet {
                pool,
                reach: longest_lag(reference, pool, frames) + 1,
                weight: LAG_WEIGHT / LAG_POOLS.len() as f64,
                projections: lags
                    .iter()
                    .flat_map(|&lag| {
                        let pairs = u.iter().zip(&v);
                        pairs.map(move |uv| pair(lag as usize, uv))
                    })
                    .collect(),
            });
        }
    }
    sets
}

/// What the front end measures on the recording, all ours.
struct Analysis {
    front_end: FrontEnd,
    features: Vec<f32>,
    range: FeatureRange,
    whitening: Vec<f32>,
    periods: Vec<Period>,
}

impl Analysis {
    fn new(clip: &Clip) -> Self {
        let (front_end, features) = FrontEnd::analyse(clip).expect("the recording can be analysed");
        let bands = front_end.bands().count();
        let range = FeatureRange::measure(&features, front_end.magnitude_channels() * bands);
        let frames = features.data.chunks_exact(features.width);
        let mid: Vec<f32> = frames.flat_map(|row| &row[..bands]).copied().collect();
        Self {
            periods: find_periods(&mid, bands, front_end.frame_rate()),
            whitening: whitening(&range.deviation, bands),
            features: features.data,
            range,
            front_end,
        }
    }
}

fn recording(reference: &Reference) -> Clip {
    let samples = reference.floats("audio");
    let channels = reference.number("channels") as usize;
    let channel = |c: usize| samples.iter().skip(c).step_by(channels).copied().collect();
    Clip::new(
        reference.number("rate") as u32,
        (0..channels).map(channel).collect(),
    )
    .expect("the recording is a clip")
}

fn front_end(table: &mut Table, reference: &Reference, clip: &Clip) -> Analysis {
    let ours = Analysis::new(clip);
    let f = ours.front_end.constants();
    let bands = ours.front_end.bands();
    let edges = bands.edges().iter().map(|&e| e as f64);
    let edges = relative_difference(edges, reference.get("edges"));
    table.note("edges", Some(0.0), edges);
    let direct = relative_difference([bands.direct() as f64], reference.get("direct"));
    table.note("direct", Some(0.0), direct);
    for (name, limit, values) in [
        ("gain", ROUNDING, &[f.analysis_gain][..]),
        ("rms", ROUNDING, &f.rms),
        ("equaliser", ROUNDING, &f.equaliser),
        ("features", QUIET_BINS, &ours.features),
        ("mean_full", QUIET_BINS, &f.mean_full),
        ("mean_band", ROUNDING, &f.mean_band),
        ("depth", QUIET_BINS, &f.depth),
        ("mean", ROUNDING, &ours.range.mean),
        ("sd", ROUNDING, &ours.range.deviation),
        ("whitening", ROUNDING, &ours.whitening),
        ("low", QUIET_BINS, &ours.range.low),
        ("high", QUIET_BINS, &ours.range.high),
    ] {
        table.compare(name, limit, values, reference.get(name));
    }
    let stored = Analysis::new(Capture::new(clip).expect("the recording is a clip").clip());
    let features = relative_difference(widen(&stored.features), reference.get("features"));
    table.note(
        "features of the capture as it is kept (24 bits)",
        None,
        features,
    );
    let (frames, strength): (Vec<f64>, Vec<f64>) =
        ours.periods.iter().map(|p| (p.frames, p.strength)).unzip();
    let theirs = reference.get("found_periods").chunks_exact(2);
    let (their_frames, their_strength): (Vec<f64>, Vec<f64>) = theirs.map(|p| (p[0], p[1])).unzip();
    for (name, ours, theirs) in [
        ("found periods, frames", frames, their_frames),
        ("found periods, strength", strength, their_strength),
    ] {
        table.note(name, Some(ROUNDING), relative_difference(ours, &theirs));
    }
    ours
}

fn noise(table: &mut Table, reference: &Reference) {
    let frames = reference.get("hash_frames").iter();
    let noise = frames.map(|&frame| Noise::new(SEED, 3).frame(frame as i64));
    let (mut bits, mut gaussian) = (Vec::new(), Vec::new());
    for frame in noise {
        bits.extend((0..4).map(|c| f64::from(frame.bits(c))));
        gaussian.extend((0..4).map(|c| frame.gaussian(c)));
    }
    let bits = relative_difference(bits, reference.get("hash_seed7_stream3"));
    table.note("noise, hash", Some(0.0), bits);
    let theirs = reference.get("gaussian_seed7_stream3");
    table.compare("noise, gaussian", SINGLE_GAUSSIANS, &gaussian, theirs);
}

/// The values of all blocks that `is_meant`, side by side: a row for each column.
fn side_by_side(input: &ScaleInputs, is_meant: impl Fn(Form) -> bool) -> Vec<f32> {
    let blocks: Vec<_> = input.blocks.iter().filter(|b| is_meant(b.form)).collect();
    let row = |column: usize| {
        let values = blocks.iter().flat_map(move |block| {
            let width = block.values.len() / input.columns;
            &block.values[column * width..(column + 1) * width]
        });
        values.copied().collect::<Vec<_>>()
    };
    (0..input.columns).flat_map(row).collect()
}

fn inputs(table: &mut Table, reference: &Reference, blocks: &InputBlocks) -> [ScaleInputs; SCALES] {
    let mut inputs: [ScaleInputs; SCALES] = Default::default();
    blocks.fill(SEED, START, FRAMES, &mut inputs);
    let is_noise = |form| matches!(form, Form::Noise { .. });
    for (s, input) in inputs.iter().enumerate() {
        let theirs = reference.get(&format!("input_{s}"));
        let ours = side_by_side(input, is_noise);
        let stage = format!("inputs, scale {s}");
        table.compare(&stage, SINGLE_GAUSSIANS, &ours, theirs);
        let theirs = format!("input_period_{s}");
        if reference.has(&theirs) {
            let ours = side_by_side(input, |form| !is_noise(form));
            let stage = format!("inputs, scale {s}, period");
            let theirs = reference.get(&theirs);
            table.compare(&stage, SINGLE_GAUSSIANS, &ours, theirs);
        }
    }
    inputs
}

/// The prototype's weights.
fn weights(reference: &Reference, blocks: &InputBlocks, width: usize) -> Weights {
    let weights = Weights::try_from_fn(blocks, width, |name, shape| -> Result<_, Infallible> {
        let data = reference.floats(&format!("weight_{}", their_name(&name.to_string())));
        assert_eq!(data.len(), shape.iter().product::<usize>(), "{name}");
        Ok(data)
    });
    weights.expect("what is missing panics")
}

/// Forward pass, loss, and both gradients.
fn network_and_loss(
    table: &mut Table,
    reference: &Reference,
    generator: &Generator,
    inputs: &[ScaleInputs; SCALES],
) {
    let mut pass = Pass::new(generator.weights());
    pass.forward(generator, inputs, FRAMES);
    table.compare("output", ROUNDING, &pass.features, reference.get("output"));

    let limits = LAG_POOLS.map(|pool| longest_lag(reference, pool, FRAMES) as f64);
    let limits = relative_difference(limits, reference.get("lag_limits"));
    table.note("longest lags", Some(0.0), limits);
    let sets = given_sets(reference, "", reference.get("whitening"), FRAMES);
    let PlainLoss {
        distances,
        value,
        gradient,
    } = plain_loss(
        &sets,
        reference.get("features"),
        reference.get("output"),
        generator.feature_width(),
    );
    let (exact, exact_lags) = reference.get("exact_sets").split_at(POOLS.len());
    let exact_lags = exact_lags.chunks_exact(4);
    let exact_lags = exact_lags.map(|lags| lags.iter().sum::<f64>() / 4.0);
    let exact = exact.iter().copied().chain(exact_lags);
    for (i, (ours, theirs)) in distances.into_iter().zip(exact).enumerate() {
        let name = match i.checked_sub(POOLS.len()) {
            None => format!("loss, pyramid set {i}"),
            Some(i) => format!("loss, lag pairs at pooling {}", LAG_POOLS[i]),
        };
        let difference = relative_difference([ours], &[theirs]);
        table.note(&name, Some(DOUBLE_ROUNDING), difference);
    }
    let total = &reference.get("loss_total_pyramid_lag")[..1];
    let total = relative_difference([value], total);
    table.note("loss, total", Some(ROUNDING), total);
    let exact = relative_difference(
        gradient.iter().copied(),
        reference.get("exact_gradient_output"),
    );
    let stage = "gradient_output, against the prototype's in double precision";
    table.note(stage, Some(DOUBLE_ROUNDING), exact);
    let theirs = reference.get("gradient_output");
    // The few frames whose responses swapped ranks don't reach the median.
    let median = median_difference(&gradient, theirs);
    let stage = "gradient_output, median difference";
    table.note(stage, Some(ROUNDING), median);
    let difference = relative_difference(gradient, theirs);
    table.note("gradient_output", Some(SWAPPED_RANKS), difference);

    // Given the prototype's gradient by the output, no ranks are involved.
    pass.backward(generator, inputs, &reference.floats("gradient_output"));
    let gradients = pass.gradients();
    for (name, ours) in gradients.names().zip(gradients.tensors()) {
        let name = format!("gradient_{}", their_name(&name.to_string()));
        table.compare(&name, ROUNDING, ours.data(), reference.get(&name));
    }
}

/// Recording to gradients by the weights with nothing of the prototype's but weights and filters.
fn all_ours(table: &mut Table, reference: &Reference, analysis: &Analysis, weights: &Weights) {
    let frame_rate = analysis.front_end.frame_rate();
    let gate = |p: &&Period| p.strength > PERIOD_INPUT_GATE;
    let period = analysis.periods.first().filter(gate);
    let generator = Generator::from_parts(
        InputBlocks::new(frame_rate, period.map(|p| p.frames)),
        analysis.range.clone(),
        weights.clone(),
    );
    let mut inputs: [ScaleInputs; SCALES] = Default::default();
    generator.inputs().fill(SEED, START, FRAMES, &mut inputs);
    let mut pass = Pass::new(generator.weights());
    pass.forward(&generator, &inputs, FRAMES);
    let stage = "output, all ours";
    table.compare(stage, QUIET_BINS, &pass.features, reference.get("output"));
    let [whitening, capture, output] = [&analysis.whitening, &analysis.features, &pass.features]
        .map(|x| widen(x).collect::<Vec<_>>());
    let sets = given_sets(reference, "", &whitening, FRAMES);
    let loss = plain_loss(&sets, &capture, &output, whitening.len());
    let total = &reference.get("loss_total_pyramid_lag")[..1];
    let total = relative_difference([loss.value], total);
    table.note("loss, total, all ours", Some(ROUNDING), total);
    let gradient: Vec<f32> = loss.gradient.iter().map(|&d| d as f32).collect();
    let stage = "gradient_output, all ours";
    let theirs = reference.get("gradient_output");
    table.compare(stage, SWAPPED_RANKS, &gradient, theirs);
    pass.backward(&generator, &inputs, &gradient);
    let gradients = pass.gradients();
    let gradients = gradients.names().zip(gradients.tensors());
    let differences = gradients.map(|(name, ours)| {
        let theirs = reference.get(&format!("gradient_{}", their_name(&name.to_string())));
        relative_difference(widen(ours.data()), theirs)
    });
    let worst = differences.fold(0.0, f64::max);
    let stage = "gradient by any weight, all ours";
    table.note(stage, Some(SWAPPED_RANKS), worst);
}

/// The loss of a first step of training. Later ones are no stage to compare: the optimiser is another.
fn first_step(table: &mut Table, reference: &Reference, generator: &Generator) {
    let mut inputs: [ScaleInputs; SCALES] = Default::default();
    let seed = reference.number("input_seed") as u32;
    generator.inputs().fill(seed, 0, STEP_FRAMES, &mut inputs);
    let mut pass = Pass::new(generator.weights());
    pass.forward(generator, &inputs, STEP_FRAMES);
    let whitening = reference.get("whitening");
    let sets = given_sets(reference, "step0_", whitening, STEP_FRAMES);
    let output: Vec<f64> = widen(&pass.features).collect();
    let loss = plain_loss(
        &sets,
        reference.get("features"),
        &output,
        generator.feature_width(),
    );
    let theirs = &reference.get("stepped_step_loss")[..1];
    let difference = relative_difference([loss.value], theirs);
    table.note("loss of a first step", Some(ROUNDING), difference);
}

fn rendering(table: &mut Table, reference: &Reference, front_end: &FrontEnd) {
    let constants = FrontEndConstants {
        analysis_gain: reference.number("gain") as f32,
        equaliser: reference.floats("equaliser"),
        rms: reference.floats("rms"),
        mean_full: reference.floats("mean_full"),
        mean_band: reference.floats("mean_band"),
        depth: reference.floats("depth"),
    };
    let front_end = FrontEnd::from_parts(front_end.layout().clone(), constants);
    let bins = front_end.bands().bins();
    let output = reference.floats("output");
    let mut scratch = front_end.make_expand_scratch();
    let mut frame = FrameSpectrum::silent(bins);
    let (mut carriers, mut full, mut magnitudes, mut pans) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let rows = output.chunks_exact(front_end.feature_width());
    for (features, index) in rows.take(RENDERED).zip(START..) {
        front_end.expand(features, SEED, index, &mut scratch, &mut frame);
        for carrier in &scratch.carriers()[..front_end.magnitude_channels()] {
            carriers.extend(carrier.iter().map(|z| z.norm()));
        }
        full.extend(scratch.full()[..front_end.feature_channels()].concat());
        // The inverter makes magnitudes feasible, and the prototype before it.
        if front_end.is_stereo() {
            for ((mid, side), pan) in frame.mid.iter_mut().zip(&mut frame.side).zip(&frame.pan) {
                (*mid, *side) = feasible(*mid, *side, *pan);
            }
        }
        // Ours are at the recording's level, the prototype's at the analysis's.
        let channels = [&frame.mid, &frame.side];
        for channel in &channels[..front_end.magnitude_channels()] {
            magnitudes.extend(
                channel
                    .iter()
                    .map(|m| m * front_end.constants().analysis_gain),
            );
        }
        pans.extend_from_slice(&frame.pan);
    }
    for (name, ours) in [
        ("carrier_abs_first8", carriers),
        ("full_first8", full),
        ("magnitude_first8", magnitudes),
        ("pan_first8", pans),
    ] {
        if reference.has(name) {
            table.compare(name, ROUNDING, &ours, reference.get(name));
        }
    }
}

#[test]
fn every_stage_agrees_with_the_prototype() {
    let folder = std::env::var_os("WEFT_PARITY_FILES").expect("WEFT_PARITY_FILES is not set");
    let entries = std::fs::read_dir(&folder).expect("the folder is readable");
    let paths = entries.map(|e| e.expect("the folder is readable").path());
    let mut paths: Vec<_> = paths
        .filter(|p| p.extension().is_some_and(|e| e == "safetensors"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no *.safetensors in {folder:?}");
    let mut table = Table::default();
    for path in &paths {
        let reference = &Reference::read(path);
        let stem = path.file_stem().unwrap_or_default();
        table.files.push(stem.to_string_lossy().into_owned());
        let clip = recording(reference);
        let analysis = front_end(&mut table, reference, &clip);
        noise(&mut table, reference);
        let frame_rate = analysis.front_end.frame_rate();
        let period = reference.get("periods").first();
        let blocks = InputBlocks::new(frame_rate, period.copied());
        let inputs = inputs(&mut table, reference, &blocks);
        let width = analysis.front_end.feature_width();
        let range = FeatureRange {
            mean: reference.floats("mean"),
            deviation: reference.floats("sd"),
            low: reference.floats("low"),
            high: reference.floats("high"),
        };
        let weights = weights(reference, &blocks, width);
        let generator = Generator::from_parts(blocks, range, weights);
        network_and_loss(&mut table, reference, &generator, &inputs);
        all_ours(&mut table, reference, &analysis, generator.weights());
        first_step(&mut table, reference, &generator);
        rendering(&mut table, reference, &analysis.front_end);
    }
    table.print();
    let failures = table.failures();
    assert!(
        failures.is_empty(),
        "too far from the prototype: {failures:?}"
    );
}
