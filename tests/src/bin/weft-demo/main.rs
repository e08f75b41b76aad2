//! The program behind `cargo xtask demo`: the whole way of a sound, in a real host.

mod picture;

use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use weft_core::clip::{Clip, SampleFormat};
use weft_core::instrument::{Bank, Slot};
use weft_core::procedural::{self, Texture};
use weft_hosts::clap::{ClapPlugin, RenderMode};
use weft_hosts::demo_options::DemoOptions;
use weft_hosts::{CLAP_BUNDLE, Render, Rendered, VST3_BUNDLE, bundle, measure};

/// Captures a texture in a host and records what Weft plays. `cargo xtask demo` runs it.
#[derive(Parser)]
#[command(name = "weft-demo")]
struct Cli {
    #[command(flatten)]
    options: DemoOptions,
}

/// A block size that hosts use, in frames.
const BLOCK_SIZE: usize = 512;
/// Sample rates that a host runs at, in Hz; a recording at another one is resampled to the first.
const HOST_RATES_HZ: [u32; 4] = [48_000, 44_100, 88_200, 96_000];
/// Duration of the synthesized rain, in seconds.
const RAIN_S: f64 = 10.0;
/// How often the progress of the fit is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    match run(&Cli::parse().options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &DemoOptions) -> anyhow::Result<()> {
    let (name, clip) = recording(options)?;
    let clap = bundle(CLAP_BUNDLE)?;
    let bundle_dir = clap.parent().context("the bundle lies in no folder")?;
    // Beside the bundles, in Cargo's target folder.
    let output_dir = bundle_dir.with_file_name("demo");
    fs::create_dir_all(&output_dir)
        .with_context(|| format!("can't make the folder {}", output_dir.display()))?;

    println!(
        "capturing {:.2} s of {name} ({} Hz, {})",
        clip.duration_s(),
        clip.sample_rate(),
        match clip.channel_count() {
            1 => "mono",
            _ => "stereo",
        }
    );
    let mut plugin = ClapPlugin::load(&clap)?;
    let sample_rate = f64::from(clip.sample_rate());
    let fit_time = capture_and_fit(&mut plugin, &clip, options)?;
    let rendered = play(&mut plugin, sample_rate, options.seconds)?;

    let endless = Clip::new(clip.sample_rate(), rendered.channels.clone())?;
    let wavs = [("capture.wav", &clip), ("endless.wav", &endless)];
    for (file_name, clip) in wavs {
        clip.write_wav(&output_dir.join(file_name), SampleFormat::Float32)?;
    }
    picture::write(&output_dir.join("weft.png"), &clip, &endless)?;

    println!("captured and fitted in {:.1} s", fit_time.as_secs_f64());
    report("capture", clip.channels());
    report("endless", endless.channels());
    report_times(&rendered, sample_rate);
    for file_name in ["capture.wav", "endless.wav", "weft.png"] {
        println!("wrote {}", output_dir.join(file_name).display());
    }
    for name in [CLAP_BUNDLE, VST3_BUNDLE] {
        println!("bundle {}", bundle_dir.join(name).display());
    }
    check(&endless)
}

/// The name and the stretch of sound to capture, at a sample rate that a host runs at.
fn recording(options: &DemoOptions) -> anyhow::Result<(String, Clip)> {
    let (name, clip) = match &options.audio_file {
        Some(path) => (path.display().to_string(), Clip::read(path)?),
        None => {
            let rate = HOST_RATES_HZ[0];
            let seed = u64::from(options.seed);
            let rain = procedural::synthesize(Texture::Rain, seed, rate, RAIN_S);
            ("synthesized rain".to_owned(), rain)
        }
    };
    let clip = if HOST_RATES_HZ.contains(&clip.sample_rate()) {
        clip
    } else {
        clip.resampled(HOST_RATES_HZ[0])?
    };
    let clip = clip.trimmed(0.0, options.capture_seconds);
    clip.check_texture()?;
    Ok((name, clip))
}

/// Plays `clip` into the capture input, with the automation that a user would draw, and waits for the
/// fit; how long both took. The host renders offline, where a fit keeps to the song: it goes on for as many
/// seconds as that takes.
fn capture_and_fit(
    plugin: &mut ClapPlugin,
    clip: &Clip,
    options: &DemoOptions,
) -> anyhow::Result<Duration> {
    let port = plugin.capture_port()?;
    plugin.set_render_mode(RenderMode::Offline)?;
    plugin.activate(f64::from(clip.sample_rate()), BLOCK_SIZE)?;
    // Rounded down to what the text shows, so that the capture ends before the clip does.
    let capture_s = (clip.duration_s() * 100.0).floor() / 100.0;
    let mut settings = Render::silent(BLOCK_SIZE);
    for (name, text) in [
        ("Fit Steps A", options.fit_steps.to_string()),
        ("Seed", options.seed.to_string()),
        ("Capture length", capture_s.to_string()),
        ("Hold", "Off".to_owned()),
        ("Capture", "Off".to_owned()),
    ] {
        settings = settings.at(0, plugin.automation(name, &text)?);
    }
    plugin.render(&settings)?;

    let feed = Render::silent(clip.len() + BLOCK_SIZE)
        .feed(port, clip.channels())
        .at(0, plugin.automation("Capture", "On")?)
        .at(clip.len(), plugin.automation("Capture", "Off")?);
    let style = ProgressStyle::with_template(
        "capturing and fitting {wide_bar} {pos} of {len} steps, {elapsed}, {eta} to go",
    )?;
    let progress = ProgressBar::new(u64::from(options.fit_steps)).with_style(style);
    let began = Instant::now();
    let mut looked = began;
    let mut look = |plugin: &mut ClapPlugin| {
        progress.tick();
        if looked.elapsed() >= LOOK_EVERY {
            looked = Instant::now();
            if let Some((steps, _)) = fit_so_far(plugin) {
                progress.set_position(u64::from(steps));
            }
        }
    };
    plugin.render_watched(&feed, &mut look)?;
    let second = Render::silent(clip.sample_rate() as usize);
    // Far longer than it takes: a step at least for each second.
    for _ in 0..options.fit_steps {
        if !fit_so_far(plugin).is_some_and(|(_, goes_on)| goes_on) {
            break;
        }
        plugin.render_watched(&second, &mut look)?;
    }
    progress.finish_and_clear();
    let took = began.elapsed();
    match fit_so_far(plugin) {
        // A fit that no longer improves ends sooner.
        Some((1.., false)) => Ok(took),
        Some((_, true)) => bail!("the fit does not come to an end"),
        Some((0, false)) => bail!("the fit did not begin"),
        None => bail!("the plugin has no texture: the capture or the fit failed"),
    }
}

/// Training steps of the texture in the plugin's state, which holds every snapshot of a running fit, and
/// whether there are more to come.
fn fit_so_far(plugin: &mut ClapPlugin) -> Option<(u32, bool)> {
    let state = plugin.save_state().ok()?;
    // Its length comes before the JSON.
    let json = state.iter().position(|&byte| byte == b'{')?;
    let state: serde_json::Value = serde_json::from_slice(&state[json..]).ok()?;
    let field: String = serde_json::from_str(state["fields"]["slots"].as_str()?).ok()?;
    let bank = Bank::from_bytes(&BASE64.decode(field).ok()?).ok()?;
    let goes_on = bank.has_unfinished_fits();
    match bank.texture(Slot::A) {
        Some(texture) => Some((texture.fit_record().steps, goes_on)),
        None => goes_on.then_some((0, true)),
    }
}

/// Records `seconds` of what the plugin plays with silent inputs and *Hold* on, from the stream's
/// first frame.
fn play(plugin: &mut ClapPlugin, sample_rate: f64, seconds: f64) -> anyhow::Result<Rendered> {
    plugin.reset()?;
    let frames = (seconds * sample_rate).round() as usize;
    let render = Render::silent(frames).at(0, plugin.automation("Hold", "On")?);
    let progress = progress_bar(frames, "recording");
    let rendered = plugin.render_watched(&render, &mut |_| progress.tick())?;
    progress.finish_and_clear();
    ensure!(
        rendered.channels.len() == 2,
        "the plugin has {} output channels instead of 2",
        rendered.channels.len()
    );
    Ok(rendered)
}

fn progress_bar(frames: usize, what: &'static str) -> ProgressBar {
    ProgressBar::new(frames as u64).with_message(what)
}

fn report(name: &str, channels: &[Vec<f32>]) {
    println!(
        "{name}: peak {:.1} dBFS, rms {:.1} dBFS, largest step {:.3}",
        measure::db(f64::from(measure::peak(channels))),
        measure::db(measure::rms(channels)),
        measure::largest_step(channels)
    );
}

/// How fast the plugin was, as a whole and block by block.
fn report_times(rendered: &Rendered, sample_rate: f64) {
    let frames = rendered.channels.first().map_or(0, Vec::len);
    let duration_s = frames as f64 / sample_rate;
    let spent_s = rendered.total_time().as_secs_f64();
    println!(
        "rendered {duration_s:.1} s in {spent_s:.2} s: {:.0} times faster than real time",
        duration_s / spent_s
    );
    let deadline_s = BLOCK_SIZE as f64 / sample_rate;
    let mut shares: Vec<f64> = rendered
        .block_times
        .iter()
        .map(|t| 100.0 * t.as_secs_f64() / deadline_s)
        .collect();
    shares.sort_by(f64::total_cmp);
    if let [.., worst] = shares[..] {
        let at = |part: f64| shares[((shares.len() - 1) as f64 * part) as usize];
        println!(
            "a block of {BLOCK_SIZE} frames took {:.2} % of its time (median), {:.2} % (99th \
             percentile), {worst:.2} % (worst); offline, so that waiting for frames counts",
            at(0.5),
            at(0.99)
        );
    }
}

/// What would make the demo a failure.
fn check(endless: &Clip) -> anyhow::Result<()> {
    let peak = measure::peak(endless.channels());
    if !peak.is_finite() {
        bail!("endless.wav holds samples that are not numbers");
    }
    ensure!(peak < 1.0, "endless.wav is clipped: its peak is {peak}");
    let level_db = measure::db(measure::rms(endless.channels()));
    ensure!(
        level_db > -60.0,
        "endless.wav is silent: its level is {level_db:.1} dBFS"
    );
    Ok(())
}
