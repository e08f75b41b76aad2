//! What a texture costs: rendering against real time, and the audio thread's share of its deadline.
//!
//! `cargo bench -p weft-core --bench audio_thread`

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use weft_core::fit::{FitSettings, fit};
use weft_core::instrument::{Controls, Instrument, NoteAddress, Player, Quality, Slot};
use weft_core::network::Model;
use weft_core::procedural::{Texture, synthesize};
use weft_core::render::Renderer;

const SAMPLE_RATE: u32 = 48_000;
const BLOCKS: [usize; 6] = [16, 32, 64, 128, 512, 2048];
/// Seconds of one pass, and passes over the same notes.
const PASS_S: f64 = 1.0;
const PASSES: usize = 3;

fn main() {
    let clip = synthesize(Texture::Rain, 1, SAMPLE_RATE, 4.0);
    let settings = FitSettings {
        steps: 100,
        ..FitSettings::default()
    };
    let model =
        fit(&clip, &settings, &mut |_| ControlFlow::Continue(())).expect("rain can be fitted");
    rendering(&model);

    println!("process() at {SAMPLE_RATE} Hz, stereo, in per cent of the deadline;");
    println!(
        "worst*: the worst callback's least time in {PASSES} passes, without what interrupts it"
    );
    let (instrument, mut player) = Instrument::new().expect("there is a thread for the worker");
    player.prepare(f64::from(SAMPLE_RATE));
    instrument.play(Slot::A, model);
    for beside in ["alone", "beside a fit"] {
        println!("{beside}");
        println!("  quality voices frames    mean     p99   worst  worst*  underruns");
        for quality in [Quality::Eco, Quality::High] {
            for voices in [1, 8] {
                for block in BLOCKS {
                    if beside != "alone" && !instrument.is_busy() {
                        instrument.set_fit_steps(100_000);
                        instrument.load_clip(
                            Slot::B,
                            synthesize(Texture::Fire, 1, SAMPLE_RATE, 8.0),
                            "fire",
                        );
                    }
                    let case = Case {
                        quality,
                        voices,
                        block,
                    };
                    case.report(case.measure(&mut player, &instrument));
                }
            }
        }
    }
}

fn rendering(model: &Model) {
    let mut renderer = Renderer::new(model, 1).expect("the model can be inverted");
    let mut out = vec![vec![0.0f32; 20 * SAMPLE_RATE as usize]; renderer.channels()];
    let start = Instant::now();
    renderer.render_into(&mut out.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>());
    let factor = 20.0 / start.elapsed().as_secs_f64();
    println!("rendering, stereo at 48 kHz: {factor:.1} s of sound in a second of one core");
}

/// What is measured at a time.
struct Case {
    quality: Quality,
    voices: u8,
    /// Samples in a block.
    block: usize,
}

/// What the calls took of their deadlines.
struct Shares {
    /// Of every call.
    all: Vec<f64>,
    /// The least of each call in the passes over the same notes.
    least: Vec<f64>,
    underruns: u64,
}

impl Case {
    /// Runs in real time, so that the worker has the time that it has in a host.
    fn measure(&self, player: &mut Player, instrument: &Instrument) -> Shares {
        let controls = Controls {
            quality: self.quality,
            ..Controls::default()
        };
        let silence = vec![0.0f32; self.block];
        let (mut left, mut right) = (silence.clone(), silence.clone());
        let deadline = Duration::from_secs_f64(self.block as f64 / f64::from(SAMPLE_RATE));
        let mut process = |player: &mut Player| {
            let start = Instant::now();
            player.process([&silence, &silence], [&mut left, &mut right], &controls);
            start.elapsed().as_secs_f64() / deadline.as_secs_f64()
        };
        let blocks = (PASS_S * f64::from(SAMPLE_RATE)) as usize / self.block;
        let mut shares = Shares {
            all: Vec::with_capacity(blocks * PASSES),
            least: vec![f64::INFINITY; blocks],
            underruns: 0,
        };
        for _ in 0..PASSES {
            player.reset();
            for key in 0..self.voices {
                player.note_on(NoteAddress::key(48 + key), 1.0);
            }
            // The streams have to be there first.
            for _ in 0..40 {
                process(player);
                std::thread::sleep(Duration::from_millis(8));
            }
            let before = instrument.status().underruns;
            let begin = Instant::now();
            for (i, least) in shares.least.iter_mut().enumerate() {
                let share = process(player);
                *least = least.min(share);
                shares.all.push(share);
                let next = begin + (i as u32 + 1) * deadline;
                std::thread::sleep(next.saturating_duration_since(Instant::now()));
            }
            shares.underruns += instrument.status().underruns - before;
        }
        shares
    }

    fn report(&self, mut shares: Shares) {
        let mean = shares.all.iter().sum::<f64>() / shares.all.len() as f64;
        shares.all.sort_by(f64::total_cmp);
        let at = |part: f64| 100.0 * shares.all[((shares.all.len() - 1) as f64 * part) as usize];
        let undisturbed = 100.0 * shares.least.iter().fold(0.0f64, |a, &b| a.max(b));
        println!(
            "  {:7} {:6} {:6} {:7.2} {:7.2} {:7.2} {undisturbed:7.2} {:10}",
            format!("{:?}", self.quality),
            self.voices,
            self.block,
            100.0 * mean,
            at(0.99),
            at(1.0),
            shares.underruns
        );
    }
}
