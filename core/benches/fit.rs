//! How fast a fit steps.
//!
//! `cargo bench -p weft-core --bench fit`

use std::ops::ControlFlow;
use std::time::Instant;

use weft_core::clip::Clip;
use weft_core::fit::cpu::Cpu;
use weft_core::fit::{FitEvent, FitSettings, fit_on};
use weft_core::procedural::{Texture, synthesize};

/// Steps before the clock starts: caches and the allocator settle.
const WARM_UP: u32 = 30;
const STEPS: u32 = 300;

fn main() {
    let stereo = synthesize(Texture::Surf, 1, 48_000, 8.0);
    let rhythmic = synthesize(Texture::Clock, 1, 44_100, 8.0);
    let mono = synthesize(Texture::Fire, 1, 16_000, 4.0);
    let mono = Clip::new(16_000, vec![mono.channels()[0].clone()]).expect("one channel is a clip");
    for (name, clip) in [
        ("4 s mono, 16 kHz", &mono),
        ("8 s with a period, 44.1 kHz", &rhythmic),
        ("8 s stereo, 48 kHz", &stereo),
    ] {
        for threads in [1, 2] {
            println!(
                "{name}, {threads} thread(s): {:.2} ms a step",
                ms_a_step(clip, threads)
            );
        }
    }
}

fn ms_a_step(clip: &Clip, threads: usize) -> f64 {
    let settings = FitSettings {
        // Never at its end: snapshots of the first hundredth only.
        steps: 100 * STEPS,
        ..FitSettings::default()
    };
    let device = Cpu {
        threads,
        ..Cpu::default()
    };
    let mut start = Instant::now();
    let mut took_s = 0.0;
    let cancelled = fit_on(&device, clip, &settings, &mut |event| {
        let FitEvent::Progress { step, .. } = event else {
            return ControlFlow::Continue(());
        };
        if step == WARM_UP {
            start = Instant::now();
        }
        if step < WARM_UP + STEPS - 1 {
            return ControlFlow::Continue(());
        }
        took_s = start.elapsed().as_secs_f64();
        ControlFlow::Break(())
    });
    assert!(cancelled.is_err(), "the fit was to be broken off");
    took_s * 1e3 / f64::from(STEPS - 1)
}
