//! What a texture costs: rendering against real time, and the audio thread's share of its deadline.
//!
//! `cargo bench -p weft-core --bench audio_thread`

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use weft_core::fit::{FitSettings, fit};
use weft_core::network::Model;
use weft_core::player::{Controls, Instrument, Player, Renderer};
use weft_core::procedural::{Texture, synthesize};

const SAMPLE_RATE: u32 = 48_000;
const BLOCK: usize = 512;
const BLOCKS: usize = 3_000;

fn main() {
    let clip = synthesize(Texture::Rain, 1, SAMPLE_RATE, 4.0);
    let start = Instant::now();
    let steps = 40;
    let settings = FitSettings {
        steps,
        threads: 1,
        ..FitSettings::default()
    };
    let model =
        fit(&clip, &settings, &mut |_| ControlFlow::Continue(())).expect("rain can be fitted");
    let ms = start.elapsed().as_secs_f64() * 1e3 / f64::from(steps);
    println!("fit, 4 s of stereo at 48 kHz, one thread: {ms:.1} ms a step (analysis included)");
    rendering(&model);

    println!("process(), {BLOCK} frames at {SAMPLE_RATE} Hz, stereo, in parts of the deadline:");
    let (instrument, mut player) = instrument(&model);
    report("alone", &mut player, &instrument);
    instrument.set_fit_steps(100_000);
    instrument.load_clip(synthesize(Texture::Fire, 1, SAMPLE_RATE, 8.0));
    report("beside a fit", &mut player, &instrument);
}

fn rendering(model: &Model) {
    let mut renderer = Renderer::new(model, 1).expect("the model can be inverted");
    let mut out = vec![vec![0.0f32; 20 * SAMPLE_RATE as usize]; renderer.channels()];
    let start = Instant::now();
    renderer.render_into(&mut out.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>());
    let factor = 20.0 / start.elapsed().as_secs_f64();
    println!("rendering, stereo at 48 kHz: {factor:.1} s of sound in a second of one core");
}

fn instrument(model: &Model) -> (Instrument, Player) {
    let (instrument, mut player) = Instrument::new().expect("there is a thread for the worker");
    player.prepare(f64::from(SAMPLE_RATE));
    instrument.play(model.clone());
    (instrument, player)
}

/// Runs in real time, so that the worker has the time that it has in a host.
fn report(name: &str, player: &mut Player, instrument: &Instrument) {
    let controls = Controls {
        hold: true,
        ..Controls::default()
    };
    let silence = [0.0f32; BLOCK];
    let (mut left, mut right) = ([0.0f32; BLOCK], [0.0f32; BLOCK]);
    let deadline = Duration::from_secs_f64(BLOCK as f64 / f64::from(SAMPLE_RATE));
    let before = instrument.status().underruns;
    let mut shares = Vec::with_capacity(BLOCKS);
    let begin = Instant::now();
    for block in 1..=BLOCKS as u32 {
        let start = Instant::now();
        player.process([&silence, &silence], [&mut left, &mut right], &controls);
        shares.push(start.elapsed().as_secs_f64() / deadline.as_secs_f64());
        std::thread::sleep((begin + block * deadline).saturating_duration_since(Instant::now()));
    }
    shares.sort_by(f64::total_cmp);
    let at = |part: f64| 100.0 * shares[((BLOCKS - 1) as f64 * part) as usize];
    let underruns = instrument.status().underruns - before;
    println!(
        "  {name}: median {:.2} %, 99th percentile {:.2} %, worst {:.2} %; {underruns} underruns",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}
