//! A stream as a whole: what it plays where its frames come late, and what a window sees of it.

use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use super::*;
use crate::fit::{FitSettings, fit};
use crate::instrument::controls::Quality;
use crate::network::Model;
use crate::procedural::{Texture, synthesize};

const RATE: u32 = 16_000;

fn rain() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| {
        let clip = synthesize(Texture::Rain, 1, RATE, 3.0);
        let settings = FitSettings {
            steps: 150,
            ..FitSettings::default()
        };
        fit(&clip, &settings, &mut |_| ControlFlow::Continue(())).unwrap()
    })
}

/// Both halves of a stream of [`rain`] from its beginning.
fn stream_of(model: &Model) -> (Engine, EngineFeed) {
    let start = StreamStart {
        seed: 3,
        quality: Quality::Eco,
        host_rate: f64::from(RATE),
        controls: FrameControls::default(),
        place: Place::Free {
            frame: 0,
            position: 0.0,
            stagger: 0.0,
        },
    };
    let shaping = Arc::new(shaping_for(model));
    build(1, model, &shaping, &start, &mut || {}).unwrap()
}

fn rms(x: &[f32]) -> f32 {
    (x.iter().map(|v| v * v).sum::<f32>() / x.len() as f32).sqrt()
}

/// Mid of ten seconds, and how many frames were missing, where the feed makes one frame in
/// `one_in` hops.
fn starved(model: &Model, one_in: usize) -> (Vec<f32>, u32) {
    let (mut engine, mut feed) = stream_of(model);
    let mut mid = vec![0.0; 10 * RATE as usize];
    let hop_size = model.front_end().stft().hop_size();
    let mut side = vec![0.0; hop_size];
    for (n, block) in mid.chunks_mut(hop_size).enumerate() {
        if n % one_in == 0 {
            feed.send_frame();
        }
        let side = &mut side[..block.len()];
        engine.render(block, side, &FrameControls::default(), None, &mut NoWait);
    }
    (mid, engine.take_missing())
}

#[test]
fn missing_frames_are_made_up() {
    let (whole, missing) = starved(rain(), 1);
    assert_eq!(missing, 0);
    // A worker that falls behind more and more, and one that has stopped.
    for one_in in [3, usize::MAX] {
        let (mid, missing) = starved(rain(), one_in);
        println!("one frame in {one_in}: {missing} were missing");
        assert!(missing > 300, "{missing}");
        for window in mid.chunks_exact(4_000) {
            let level_db = 20.0 * (rms(window) / rms(&whole)).log10();
            assert!(level_db.abs() < 6.0, "{level_db} dB");
        }
        // No repeat: no stretch of 0.2 s comes twice.
        let piece = &mid[80_000..83_200];
        let mut most = 0.0f32;
        for shift in 4_000..40_000 {
            let other = &mid[80_000 + shift..83_200 + shift];
            let both: f32 = piece.iter().zip(other).map(|(a, b)| a * b).sum();
            most = most.max(both.abs() / (3_200.0 * rms(piece) * rms(other)));
        }
        println!("largest correlation with a later stretch: {most:.2}");
        assert!(most < 0.5, "a repeat: {most}");
    }
}

#[test]
fn shown_bands_have_the_power_of_what_is_heard() {
    let (mut engine, mut feed) = stream_of(rain());
    let hop_size = rain().hop_size();
    let controls = FrameControls::default();
    let (mut mid, mut side) = (vec![0.0; hop_size], vec![0.0; hop_size]);
    let (mut heard, mut shown) = (0.0, [0.0f32; 24]);
    let hops = 600;
    for _ in 0..hops {
        feed.top_up();
        engine.render(&mut mid, &mut side, &controls, None, &mut NoWait);
        heard += (rms(&mid).powi(2) + rms(&side).powi(2)) / hops as f32;
        engine.add_shown_bands(1.0 / hops as f32, &mut shown);
    }
    let level_db = 10.0 * (shown.iter().sum::<f32>() / heard).log10();
    assert!(level_db.abs() < 1.0, "{level_db} dB");
}
