//! Spectral convergence and cost of the inversion methods on a folder of recordings.
//!
//! `cargo run --release -p weft-core --example inversion_table -- FOLDER [SECONDS] [FFT_SIZE] [ITERATIONS]`
//!
//! Reads every WAV file of the folder at its own rate, takes its magnitudes at an eighth and a quarter
//! of the frame, inverts them again, and prints the mean and each file's figure in dB. All channels are
//! mixed to one; then stereo files are inverted in stereo as well. The offline method runs 32 iterations,
//! and as many as asked for in a row of its own. Of the streaming ones the table shows what one hop takes
//! in µs (median and 99th percentile) and the longest of its steps (by their medians).

use std::path::{Path, PathBuf};
use std::time::Instant;

use weft_core::inversion::{
    InversionError, InversionSettings, StreamingInverter, TargetFrame, griffin_lim,
    spectral_convergence_db,
};
use weft_core::spectrum::{Stft, pan_index};

/// The choice of Perraudin, Balazs & Søndergaard 2013.
const OFFLINE_MOMENTUM: f32 = 0.99;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .ok_or("usage: inversion_table FOLDER [SECONDS] [FFT_SIZE] [ITERATIONS]")?;
    let seconds: f64 = arguments.next().map_or(Ok(3.0), |s| s.parse())?;
    let fft_size: usize = arguments.next().map_or(Ok(512), |s| s.parse())?;
    let more_iterations: Option<usize> = arguments.next().map(|s| s.parse()).transpose()?;
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|path| {
        path.extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("wav"))
    });
    files.sort();
    let sounds = files
        .iter()
        .map(|path| read(path, seconds))
        .collect::<Result<Vec<_>, _>>()?;
    if sounds.is_empty() {
        return Err("the folder holds no WAV files".into());
    }
    let mono: Vec<Vec<f32>> = sounds.iter().map(|channels| mix(channels, &[])).collect();

    for hop_size in [fft_size / 8, fft_size / 4] {
        let stft = Stft::new(fft_size, hop_size)?;
        println!(
            "{fft_size}/{hop_size}, mono, {} files of {seconds} s",
            sounds.len()
        );
        for (name, settings) in streaming_methods(fft_size, hop_size) {
            let mut cost = Cost::default();
            let rows: Vec<f64> = mono
                .iter()
                .map(|sound| {
                    let signal = padded(&stft, sound);
                    let target = magnitudes(&stft, &signal);
                    let (out, _) = stream(&stft, &settings, &target, None, &mut cost);
                    spectral_convergence_db(&stft, &target, &out)
                })
                .collect();
            print_row(name, &rows, Some(&mut cost));
        }
        for iterations in [Some(32), more_iterations].into_iter().flatten() {
            let rows = mono
                .iter()
                .map(|sound| {
                    let target = magnitudes(&stft, &padded(&stft, sound));
                    let out = griffin_lim(&stft, &target, iterations, OFFLINE_MOMENTUM, 1)?;
                    Ok(spectral_convergence_db(&stft, &target, &out))
                })
                .collect::<Result<Vec<f64>, InversionError>>()?;
            print_row(&format!("offline, {iterations} iterations"), &rows, None);
        }
        stereo_rows(&stft, &sounds);
    }
    Ok(())
}

fn streaming_methods(fft_size: usize, hop_size: usize) -> [(&'static str, InversionSettings); 3] {
    let eco = InversionSettings::eco(fft_size, hop_size);
    let start = InversionSettings {
        iterations: 0,
        ..eco.clone()
    };
    let high = InversionSettings::high(fft_size, hop_size);
    [("RTPGHI alone", start), ("Eco", eco), ("High", high)]
}

/// Convergence of left and right together, and of mid and side, for the files of two channels.
fn stereo_rows(stft: &Stft, sounds: &[Vec<Vec<f32>>]) {
    let pairs: Vec<_> = sounds
        .iter()
        .filter(|channels| channels.len() == 2)
        .collect();
    if pairs.is_empty() {
        return;
    }
    println!(
        "{}/{}, stereo, {} files",
        stft.fft_size(),
        stft.hop_size(),
        pairs.len()
    );
    for (name, settings) in streaming_methods(stft.fft_size(), stft.hop_size()) {
        let settings = settings.in_stereo();
        let (mut mid_side, mut left_right, mut cost) = (Vec::new(), Vec::new(), Cost::default());
        for channels in &pairs {
            let mid = padded(stft, &mix(channels, &[0.5, 0.5]));
            let side = padded(stft, &mix(channels, &[0.5, -0.5]));
            let (m, s) = (stft.analyse(&mid), stft.analyse(&side));
            let pan: Vec<f32> = m.iter().zip(&s).map(|(&m, &s)| pan_index(m, s)).collect();
            let (mid, side) = (magnitudes(stft, &mid), magnitudes(stft, &side));
            let (a, b) = stream(stft, &settings, &mid, Some((&side, &pan)), &mut cost);
            mid_side.push(joint_db(
                spectral_convergence_db(stft, &mid, &a),
                spectral_convergence_db(stft, &side, &b),
                &mid,
                &side,
            ));
            let target = |channel: usize| magnitudes(stft, &padded(stft, &channels[channel]));
            let (left, right) = (target(0), target(1));
            let sum =
                |sign: f32| -> Vec<f32> { a.iter().zip(&b).map(|(a, b)| a + sign * b).collect() };
            left_right.push(joint_db(
                spectral_convergence_db(stft, &left, &sum(1.0)),
                spectral_convergence_db(stft, &right, &sum(-1.0)),
                &left,
                &right,
            ));
        }
        print_row(&format!("{name}, mid and side"), &mid_side, Some(&mut cost));
        print_row(&format!("{name}, left and right"), &left_right, None);
    }
}

/// Convergence of two channels as of one, laid end to end: both errors against both energies. `x_db` is that of
/// magnitudes `p`, `y_db` that of `q`.
fn joint_db(x_db: f64, y_db: f64, p: &[f32], q: &[f32]) -> f64 {
    let power = |v: &[f32]| v.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
    let (p, q) = (power(p), power(q));
    let error = |db: f64, power: f64| {
        if power > 0.0 {
            10f64.powf(db / 10.0) * power
        } else {
            0.0
        }
    };
    10.0 * ((error(x_db, p) + error(y_db, q)) / (p + q)).log10()
}

/// What the hops took, in µs.
#[derive(Default)]
struct Cost {
    hops: Vec<f64>,
    /// For each step of a hop, begin and finish included, what it took in each hop.
    steps: Vec<Vec<f64>>,
}

impl Cost {
    fn begin_hop(&mut self) {
        self.hops.push(0.0);
    }

    fn time<R>(&mut self, step: usize, work: impl FnOnce() -> R) -> R {
        let begin = Instant::now();
        let result = work();
        let cost = 1e6 * begin.elapsed().as_secs_f64();
        if self.steps.len() <= step {
            self.steps.resize(step + 1, Vec::new());
        }
        self.steps[step].push(cost);
        *self.hops.last_mut().expect("a hop was begun") += cost;
        result
    }
}

fn quantile(values: &mut [f64], q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * q) as usize]
}

/// Mean and each value, and between them the costs.
fn print_row(name: &str, rows: &[f64], cost: Option<&mut Cost>) {
    let mean = rows.iter().sum::<f64>() / rows.len() as f64;
    print!("  {name:32} {mean:6.2} dB ");
    match cost {
        Some(cost) => {
            let steps = cost.steps.iter_mut().map(|step| quantile(step, 0.5));
            let longest = steps.fold(0.0, f64::max);
            let (median, most) = (
                quantile(&mut cost.hops, 0.5),
                quantile(&mut cost.hops, 0.99),
            );
            print!("{median:5.0} {most:5.0} us, step {longest:4.1} us |");
        }
        None => print!("{:28} |", ""),
    }
    for row in rows {
        print!(" {row:6.2}");
    }
    println!();
}

/// The sound between a frame of silence at either end, so that all of it is covered alike.
fn padded(stft: &Stft, sound: &[f32]) -> Vec<f32> {
    let n = stft.fft_size();
    let mut signal = vec![0.0; (sound.len() + 2 * n).next_multiple_of(n)];
    signal[n..n + sound.len()].copy_from_slice(sound);
    signal
}

fn magnitudes(stft: &Stft, signal: &[f32]) -> Vec<f32> {
    stft.analyse(signal).iter().map(|z| z.norm()).collect()
}

/// Mid and side of the length that the frames cover, and into `cost` what it took.
fn stream(
    stft: &Stft,
    settings: &InversionSettings,
    mid: &[f32],
    side_pan: Option<(&[f32], &[f32])>,
    cost: &mut Cost,
) -> (Vec<f32>, Vec<f32>) {
    let mut inverter =
        StreamingInverter::new(settings.clone()).expect("the settings above are valid");
    let (n, hop, bins) = (stft.fft_size(), stft.hop_size(), stft.bins());
    let (mut out_mid, mut out_side) = (Vec::new(), Vec::new());
    let (mut block_mid, mut block_side) = (vec![0.0; hop], vec![0.0; hop]);
    let silence = vec![0.0; bins];
    let frames = mid.len() / bins;
    for t in 0..frames + n / hop - 1 + inverter.latency_frames() {
        let span = t * bins..(t + 1) * bins;
        let frame = TargetFrame {
            index: t as i64,
            mid: mid.get(span.clone()).unwrap_or(&silence),
            side_pan: side_pan
                .and_then(|(side, pan)| Some((side.get(span.clone())?, pan.get(span)?))),
        };
        cost.begin_hop();
        cost.time(0, || inverter.begin_frame(frame));
        let steps = inverter.steps_per_frame();
        for step in 0..steps {
            cost.time(1 + step, || inverter.advance());
        }
        cost.time(1 + steps, || {
            inverter.finish_frame(&mut block_mid, &mut block_side);
        });
        if t >= inverter.latency_frames() {
            out_mid.extend_from_slice(&block_mid);
            out_side.extend_from_slice(&block_side);
        }
    }
    (out_mid, out_side)
}

/// The channels' weighted sum; without weights their mean.
fn mix(channels: &[Vec<f32>], weights: &[f32]) -> Vec<f32> {
    let mean = 1.0 / channels.len() as f32;
    (0..channels[0].len())
        .map(|i| {
            let weighted = channels.iter().enumerate();
            weighted
                .map(|(c, x)| weights.get(c).unwrap_or(&mean) * x[i])
                .sum()
        })
        .collect()
}

fn read(path: &Path, seconds: f64) -> Result<Vec<Vec<f32>>, hound::Error> {
    let mut reader = hound::WavReader::open(path)?;
    let spec = reader.spec();
    let channels = usize::from(spec.channels);
    let count = (seconds * f64::from(spec.sample_rate)) as usize * channels;
    let samples: Vec<f32> = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples().take(count).collect::<Result<_, _>>()?,
        hound::SampleFormat::Int => {
            let scale = 1.0 / (1i64 << (spec.bits_per_sample - 1)) as f32;
            let samples = reader.samples::<i32>().take(count);
            samples
                .map(|s| s.map(|s| s as f32 * scale))
                .collect::<Result<_, _>>()?
        }
    };
    Ok((0..channels)
        .map(|c| samples.iter().skip(c).step_by(channels).copied().collect())
        .collect())
}
