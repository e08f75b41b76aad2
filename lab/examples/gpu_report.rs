//! What the fit does on a graphics processor: whether its gradients are the processor's, how many steps and frames it
//! makes in a second, what part of the device's own matrix product that is, and what comes of fits of a few seconds.
//!
//! `gpu_report OUT_DIR [--device auto|cpu|cuda|metal] [--frames N] [--seconds 1,2,5,10] SOUND...`
//!
//! Writes `NAME.SECONDS.weft` and `NAME.SECONDS.wav` (40 s) to `OUT_DIR`. What fails is told, and the rest goes on.

use std::error::Error;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use candle_core::{Device, Tensor};
use weft_core::clip::{Clip, SampleFormat, SoundFile, WavWriter};
use weft_core::fit::cpu::Cpu;
use weft_core::fit::{
    Device as FitDevice, FitSettings, LEAST_FRAMES, Recipe, STEPS_RANGE, Start, StepPlan,
    StepTrace, fit_on,
};
use weft_core::network::{HIDDEN, Model, SCALES};
use weft_core::procedural::{Texture, synthesize};
use weft_core::render::Renderer;
use weft_core::texture::loss::{BANK_FAMILIES, BANKS, FAMILY};
use weft_lab::fit::TensorDevice;
use weft_lab::{DeviceChoice, device_name};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Seconds that steps of one kind are timed, and fewest steps of it.
const TIMED: Duration = Duration::from_millis(1_500);
const LEAST_TIMED: u32 = 20;
/// Steps before a timing: buffers and kernels come to be.
const WARM_UP: u32 = 12;
const RENDERED_S: usize = 40;
const RENDER_SEED: u32 = 1;

struct Arguments {
    folder: PathBuf,
    device: DeviceChoice,
    frames: Option<usize>,
    seconds: Vec<f64>,
    sounds: Vec<PathBuf>,
}

impl Arguments {
    fn read() -> Outcome<Self> {
        let mut all = std::env::args().skip(1);
        let mut arguments = Self {
            folder: PathBuf::new(),
            device: DeviceChoice::Auto,
            frames: None,
            seconds: vec![1.0, 2.0, 5.0, 10.0],
            sounds: Vec::new(),
        };
        let mut paths = Vec::new();
        while let Some(argument) = all.next() {
            let mut value = || all.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--device" => {
                    arguments.device = match value()?.as_str() {
                        "auto" => DeviceChoice::Auto,
                        "cpu" => DeviceChoice::Cpu,
                        "cuda" => DeviceChoice::Cuda,
                        "metal" => DeviceChoice::Metal,
                        other => return Err(format!("there is no device '{other}'").into()),
                    };
                }
                "--frames" => arguments.frames = Some(value()?.parse()?),
                "--seconds" => {
                    let seconds = value()?;
                    let seconds = seconds.split(',').filter(|s| !s.is_empty());
                    arguments.seconds = seconds.map(str::parse).collect::<Result<_, _>>()?;
                }
                _ => paths.push(PathBuf::from(argument)),
            }
        }
        let mut paths = paths.into_iter();
        arguments.folder = paths.next().ok_or("give a folder for the results")?;
        arguments.sounds = paths.collect();
        Ok(arguments)
    }
}

/// Does one part of the report, and tells if it failed; a panic in it ends it alone.
fn section(name: &str, run: impl FnOnce() -> Outcome<()>) {
    let started = Instant::now();
    println!("\n## {name}");
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => println!("failed: {error}"),
        Err(_) => println!("failed: it gave up"),
    }
    println!("({:.1} s)", started.elapsed().as_secs_f64());
}

fn difference(a: &[f32], b: &[f32]) -> f64 {
    let pairs = a.iter().zip(b);
    let error: f64 = pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum();
    let size: f64 = b.iter().map(|b| f64::from(*b).powi(2)).sum();
    (error / size.max(f64::MIN_POSITIVE)).sqrt()
}

/// A step of which everything counts.
fn plan(frames: usize) -> StepPlan {
    StepPlan {
        learning_rate: 2e-3,
        frames,
        context_weight: 1.0,
        critic_weight: Some(0.2),
    }
}

fn start(recipe: &Recipe) -> Start {
    Start {
        generator: recipe.new_generator(),
        steps: 0,
    }
}

/// How far a device's steps are from the processor's, as parts of the root of the mean square.
fn parity(device: &TensorDevice, clip: &Clip, frames: usize) -> Outcome<()> {
    let recipe = Recipe::new(clip, &FitSettings::default())?;
    let plans = vec![plan(frames); 10];
    let theirs = Cpu::default().traces(&recipe, start(&recipe), &plans);
    let ours = device.traces(&recipe, start(&recipe), &plans)?;
    for step in [0, 9] {
        let (a, b): (&StepTrace, &StepTrace) = (&ours[step], &theirs[step]);
        let weights = |trace: &StepTrace| -> Vec<f32> {
            trace
                .by_weights
                .tensors()
                .flat_map(|t| t.data())
                .copied()
                .collect()
        };
        let moved = |trace: &StepTrace| -> Vec<f32> {
            trace
                .weights
                .tensors()
                .flat_map(|t| t.data())
                .copied()
                .collect()
        };
        println!(
            "step {:>2} of {frames} frames: features {:.1e}, sets {:.1e}, by projections {:.1e}, with contexts {:.1e}, \
             with critic {:.1e}, critic's own {:.1e}, by weights {:.1e}, weights {:.1e}, loss {:.1e}",
            step + 1,
            difference(&a.features, &b.features),
            difference(&a.by_set, &b.by_set),
            difference(&a.by_projections, &b.by_projections),
            difference(&a.with_contexts, &b.with_contexts),
            difference(&a.with_critic, &b.with_critic),
            difference(&a.by_critic, &b.by_critic),
            difference(&weights(a), &weights(b)),
            difference(&moved(a), &moved(b)),
            (a.report.loss / b.report.loss - 1.0).abs(),
        );
    }
    Ok(())
}

/// Floating-point operations per second of a large product of matrices.
fn peak_flops(device: &Device) -> Outcome<f64> {
    let size = if device.is_cpu() { 1_024 } else { 8_192 };
    let matrix = Tensor::randn(0f32, 1.0, (size, size), device)?;
    let once = || -> Outcome<()> {
        let product = matrix.matmul(&matrix)?;
        product
            .narrow(0, 0, 1)?
            .narrow(1, 0, 1)?
            .flatten_all()?
            .to_vec1::<f32>()?;
        Ok(())
    };
    once()?;
    let mut fastest = f64::INFINITY;
    for _ in 0..5 {
        let started = Instant::now();
        once()?;
        fastest = fastest.min(started.elapsed().as_secs_f64());
    }
    Ok(2.0 * (size as f64).powi(3) / fastest)
}

/// Floating-point operations of the products in a step, there and back; the critic's are left out.
fn step_flops(recipe: &Recipe, frames: usize) -> f64 {
    let generator = recipe.new_generator();
    let mut products = 0.0;
    for (s, scale) in generator.weights().scales.iter().enumerate() {
        let columns = (frames >> (SCALES - 1 - s)) as f64 + 4.0;
        for layer in [&scale.first, &scale.second] {
            products += columns * layer.weight.data().len() as f64;
        }
    }
    let features = generator.feature_width() as f64;
    products += frames as f64 * HIDDEN as f64 * features;
    let network = 3.0 * products;
    let filters = (BANKS * BANK_FAMILIES * FAMILY) as f64;
    let loss = 2.0 * frames as f64 * filters * features;
    let reference = recipe.loss().reference_frames() as f64 * filters / BANKS as f64 * features;
    2.0 * (network + loss + reference)
}

/// Seconds of a step of `frames` frames.
fn timed(device: &dyn FitDevice, recipe: &Recipe, frames: usize) -> Outcome<f64> {
    let mut trainer = device.trainer(recipe, start(recipe))?;
    for _ in 0..WARM_UP {
        trainer.step(plan(frames))?;
    }
    // All that was asked for is done when the weights come back.
    trainer.snapshot()?;
    let started = Instant::now();
    let mut steps = 0;
    while steps < LEAST_TIMED || started.elapsed() < TIMED {
        trainer.step(plan(frames))?;
        steps += 1;
    }
    trainer.snapshot()?;
    Ok(started.elapsed().as_secs_f64() / f64::from(steps))
}

fn speed(device: &TensorDevice, name: &str, clip: &Clip, peak: Option<f64>) -> Outcome<()> {
    let recipe = Recipe::new(clip, &FitSettings::default())?;
    println!(
        "{name}: {} frames of {} features, {} sets",
        recipe.loss().reference_frames(),
        recipe.loss().shape().width(),
        recipe.loss().sets().len()
    );
    let tell = |who: &str, frames: usize, seconds: f64, peak: Option<f64>| {
        let flops = step_flops(&recipe, frames) / seconds;
        let share = peak.map_or(String::new(), |peak| {
            format!(", {:.2} % of the peak", 100.0 * flops / peak)
        });
        println!(
            "  {who:<4} {frames:>5} frames: {:.2} ms, {:.0} steps/s, {:.0} frames/s, {:.2} TFLOP/s{share}",
            1e3 * seconds,
            1.0 / seconds,
            frames as f64 / seconds,
            1e-12 * flops,
        );
    };
    let started = Instant::now();
    if let Some(frames) = device.step_frames(&recipe) {
        let seconds = started.elapsed().as_secs_f64();
        println!("  a short measurement ({seconds:.2} s) chooses {frames} frames");
    }
    for times in [1, 4, 8, 16] {
        let frames = times * LEAST_FRAMES;
        let seconds = timed(device, &recipe, frames)?;
        tell(device_name(device.device()), frames, seconds, peak);
    }
    let two_cores = Cpu {
        threads: 2,
        background: false,
    };
    let seconds = timed(&two_cores, &recipe, LEAST_FRAMES)?;
    tell("2 cores", LEAST_FRAMES, seconds, None);
    Ok(())
}

/// Fits for some seconds of wall time, and keeps the model; its rendering is made beside what comes next.
fn fit(
    device: &TensorDevice,
    arguments: &Arguments,
    sound: &Path,
    seconds: f64,
) -> Outcome<thread::JoinHandle<Outcome<f64>>> {
    let clip = SoundFile::read(sound)?.clip;
    let settings = FitSettings {
        steps: *STEPS_RANGE.end(),
        step_frames: arguments.frames,
        max_duration_s: Some(seconds),
        ..FitSettings::default()
    };
    let started = Instant::now();
    let mut steps = 0;
    let model = fit_on(device, &clip, &settings, &mut |event| {
        if let weft_core::fit::FitEvent::Progress { step, .. } = event {
            steps = step;
        }
        ControlFlow::Continue(())
    })?;
    let took = started.elapsed().as_secs_f64();
    let stem = sound
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let path = |ending: &str| arguments.folder.join(format!("{stem}.{seconds}.{ending}"));
    model.write(&path("weft"))?;
    println!(
        "{stem}, {seconds} s: took {took:.2} s, {steps} steps, quality {:.2} dB, gap {:?}",
        model.fit_record().quality_db(),
        model.fit_record().critic_gap
    );
    let wav = path("wav");
    Ok(thread::spawn(move || render(&model, &wav)))
}

fn render(model: &Model, path: &Path) -> Outcome<f64> {
    let started = Instant::now();
    let mut renderer = Renderer::new(model, RENDER_SEED)?;
    let length = RENDERED_S * renderer.sample_rate() as usize;
    let mut channels = vec![vec![0.0; length]; renderer.channels()];
    let mut parts: Vec<&mut [f32]> = channels.iter_mut().map(Vec::as_mut_slice).collect();
    renderer.render_into(&mut parts);
    let mut writer = WavWriter::create(
        path,
        renderer.sample_rate(),
        channels.len(),
        SampleFormat::Float32,
    )?;
    writer.write(&channels.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
    writer.finish()?;
    Ok(started.elapsed().as_secs_f64())
}

fn main() -> Outcome<()> {
    let arguments = Arguments::read()?;
    std::fs::create_dir_all(&arguments.folder)?;
    let started = Instant::now();
    let device = TensorDevice::new(arguments.device.open()?);
    println!(
        "device {}, {} processors, opened in {:.1} s",
        device_name(device.device()),
        thread::available_parallelism().map_or(1, usize::from),
        started.elapsed().as_secs_f64()
    );
    let rate = 44_100;
    let stereo = synthesize(Texture::Fire, 1, rate, 8.0);
    let mono = synthesize(Texture::Rain, 1, rate, 4.0).to_mono();
    let small = synthesize(Texture::Clock, 1, 8_000, 5.0);
    if let Some(remark) = device.remark() {
        println!("{remark}");
    }
    let plain = TensorDevice::plain(device.device().clone());
    for (what, device) in [
        ("the library's operations alone", &plain),
        ("our own operations", &device),
    ] {
        section(&format!("parity with the processor, {what}"), || {
            println!("5 s of a clock, 8 kHz, stereo");
            parity(device, &small, LEAST_FRAMES)?;
            println!("4 s of rain, mono");
            parity(device, &mono, LEAST_FRAMES)
        });
    }
    section("parity with the processor, eight times the frames", || {
        parity(&device, &mono, 8 * LEAST_FRAMES)
    });
    let mut peak = None;
    section("peak of the device's own product", || {
        let flops = peak_flops(device.device())?;
        println!("{:.2} TFLOP/s", 1e-12 * flops);
        peak = Some(flops);
        Ok(())
    });
    section("speed of the library's operations alone", || {
        let recipe = Recipe::new(&mono, &FitSettings::default())?;
        let seconds = timed(&plain, &recipe, LEAST_FRAMES)?;
        println!("4 s mono, {LEAST_FRAMES} frames: {:.2} ms", 1e3 * seconds);
        Ok(())
    });
    section("speed", || {
        speed(&device, "4 s mono", &mono, peak)?;
        speed(&device, "8 s stereo", &stereo, peak)
    });
    let mut renders = Vec::new();
    for sound in &arguments.sounds {
        section(&format!("fits of {}", sound.display()), || {
            for seconds in &arguments.seconds {
                renders.push(fit(&device, &arguments, sound, *seconds)?);
            }
            Ok(())
        });
    }
    section("renderings", || {
        for render in renders {
            match render.join() {
                Ok(Ok(seconds)) => println!("rendered in {seconds:.1} s"),
                Ok(Err(error)) => println!("failed: {error}"),
                Err(_) => println!("failed: it gave up"),
            }
        }
        Ok(())
    });
    println!("\ndone in {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}
