//! The driver and the methods, end to end, on sounds and sizes small enough for a test.

mod support;

use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::{Device, Result, Tensor};
use support::{random, relative_difference};
use weft_core::clip::Clip;
use weft_core::inversion::spectral_convergence_db;
use weft_core::procedural::{Texture, synthesize as record};
use weft_core::spectrum::Stft;
use weft_lab::lbfgs::{Bounds, LbfgsSettings};
use weft_lab::methods::{Antognini, Method, Synthesis, SynthesisSettings, Ulyanov, synthesize};
use weft_lab::{
    Ending, GriffinLim, Image, LabError, Objective, OptimizeSettings, SpectrogramFormat, Term,
    optimize,
};

/// Small enough for a test.
fn antognini() -> Antognini {
    Antognini {
        filters: 12,
        widest: 8,
        ..Antognini::default()
    }
}

fn settings(iterations: u32, seed: u64) -> SynthesisSettings {
    SynthesisSettings {
        iterations: Some(iterations),
        seed,
        ..SynthesisSettings::default()
    }
}

fn made(method: &dyn Method, clip: &Clip, settings: &SynthesisSettings) -> Synthesis {
    let never = AtomicBool::new(false);
    synthesize(method, clip, settings, &Device::Cpu, &never, &mut |_| {}).unwrap()
}

fn fire(seconds: f64) -> Clip {
    record(Texture::Fire, 1, 16_000, seconds)
}

#[test]
fn an_image_of_a_sound_becomes_that_sound_again() {
    let format = Antognini::default().format();
    let clip = fire(1.5).to_mono();
    let image = format.image(&clip).unwrap();
    assert_eq!(
        (image.columns, image.rows()),
        (257, 1 + (24_000 - 512) / 64)
    );
    // ln(1 + |X|), by hand at one place.
    let stft = Stft::new(512, 64).unwrap();
    let spectrogram = stft.analyse(&clip.channels()[0]);
    let wanted = (1.0 + spectrogram[300 * 257 + 20].norm()).ln();
    assert!((image.values[300 * 257 + 20] - wanted).abs() < 1e-6);

    let how = GriffinLim {
        iterations: 100,
        momentum: 0.99,
        seed: 1,
    };
    // All that the frames cover but for the ends.
    let rows = format.rows_for(1.0);
    let part = Image {
        values: image.values[..rows * 257].to_vec(),
        columns: 257,
    };
    let sound = format.sound(&part, 1.0, &how).unwrap();
    assert_eq!((sound.len(), sound.sample_rate()), (16_000, 16_000));
    let magnitudes: Vec<f32> = spectrogram.iter().map(|z| z.norm()).collect();
    // The first whole frame of the sound is the one that began where the ends were cut off.
    let from = &magnitudes[7 * 257..];
    let near = spectral_convergence_db(&stft, from, &sound.channels()[0]);
    println!("spectral convergence {near:.1} dB");
    assert!(near < -18.0, "{near} dB");
}

#[test]
fn sounds_last_as_long_as_asked_for() {
    let format = SpectrogramFormat {
        sample_rate: 16_000,
        fft_size: 512,
        hop_size: 64,
    };
    for seconds in [0.1, 1.0, 1.2345] {
        let image = Image {
            values: vec![0.5; format.rows_for(seconds) * 257],
            columns: 257,
        };
        let how = GriffinLim {
            iterations: 2,
            momentum: 0.0,
            seed: 0,
        };
        let sound = format.sound(&image, seconds, &how).unwrap();
        assert_eq!(sound.len(), (seconds * 16_000.0).round() as usize);
    }
}

/// The squared distance from a target, and what calls do to it.
struct Bowl {
    target: Tensor,
    settles_at: u32,
}

impl Objective for Bowl {
    fn terms(&mut self, image: &Tensor, iteration: u32) -> Result<Vec<Term>> {
        let distance = (image - &self.target)?.sqr()?.sum_all()?;
        let mut terms = vec![Term {
            name: "distance",
            weight: 2.0,
            value: distance,
        }];
        if iteration < self.settles_at {
            terms.push(Term {
                name: "early",
                weight: 0.5,
                value: image.sqr()?.sum_all()?,
            });
        }
        Ok(terms)
    }

    fn settles_at(&self) -> u32 {
        self.settles_at
    }
}

fn bowl(settles_at: u32) -> Bowl {
    let target = Tensor::from_slice(&[1.0f32, -2.0, 3.0, 0.5, 4.0, 0.0], (3, 2), &Device::Cpu);
    Bowl {
        target: target.unwrap(),
        settles_at,
    }
}

fn start() -> Image {
    Image {
        values: random(1, 6, 3.0),
        columns: 2,
    }
}

#[test]
fn an_optimisation_tells_its_terms_and_ends_at_the_minimum() {
    let mut told = Vec::new();
    let settings = OptimizeSettings {
        iterations: 40,
        lbfgs: LbfgsSettings {
            bounds: Bounds::NOT_NEGATIVE,
            ..LbfgsSettings::default()
        },
    };
    let never = AtomicBool::new(false);
    let mut note = |p: &weft_lab::Progress<'_>| told.push((p.point.iteration, p.point.total));
    let found = optimize(
        &mut bowl(5),
        start(),
        &Device::Cpu,
        &settings,
        &never,
        &mut note,
    )
    .unwrap();
    assert_eq!(found.ending, Ending::Converged);
    let wanted = [1.0, 0.0, 3.0, 0.5, 4.0, 0.0];
    assert!(
        relative_difference(&found.image.values, &wanted) < 1e-4,
        "{:?}",
        found.image
    );
    // What lies below the bound is left of the distance: twice 2².
    assert!((found.best.total - 8.0).abs() < 1e-3);
    assert_eq!(found.best.terms.len(), 1);
    let points = &found.curve.points;
    assert_eq!(told.len(), points.len());
    assert!(
        points
            .iter()
            .zip(&told)
            .all(|(p, t)| (p.iteration, p.total) == *t)
    );
    assert_eq!(found.curve.terms(), ["distance", "early"]);
    for point in points {
        let sum: f64 = point.terms.iter().map(|t| t.weight * t.value).sum();
        assert!((sum - point.total).abs() < 1e-9);
        assert_eq!(
            point.terms.len(),
            if point.iteration <= 5 { 2 } else { 1 },
            "{point:?}"
        );
    }
    let csv = found.curve.to_csv();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), points.len() + 1);
    assert!(lines.last().unwrap().ends_with(",,"), "{csv}");
}

#[test]
fn what_is_cancelled_keeps_the_best_so_far() {
    let method = antognini();
    let clip = fire(1.2);
    let cancel = AtomicBool::new(false);
    let mut last = 0;
    let found = synthesize(
        &method,
        &clip,
        &settings(1_000, 0),
        &Device::Cpu,
        &cancel,
        &mut |p| {
            last = p.point.iteration;
            cancel.store(last == 3, Ordering::Relaxed);
        },
    )
    .unwrap();
    assert_eq!((found.ending, last), (Ending::Cancelled, 3));
    let points = &found.curve.points;
    assert_eq!(points.len(), 4);
    assert!(found.best.total < points[0].total);
    assert_eq!(
        found.clip.len(),
        (clip.duration_s() * 16_000.0).round() as usize
    );
    // Before the first iteration, that is the start.
    let at_once = AtomicBool::new(true);
    let start = synthesize(
        &method,
        &clip,
        &settings(9, 0),
        &Device::Cpu,
        &at_once,
        &mut |_| {},
    );
    assert_eq!(start.unwrap().best.iteration, 0);
}

#[test]
fn antognini_comes_near_with_all_that_can_be_left_out() {
    let clip = fire(1.2);
    let variants = [
        (
            "all",
            antognini(),
            &["gram", "autocorrelation", "diversity"][..],
        ),
        (
            "gram",
            Antognini {
                alpha: 0.0,
                beta: 0.0,
                ..antognini()
            },
            &["gram"],
        ),
        (
            "alpha",
            Antognini {
                beta: 0.0,
                ..antognini()
            },
            &["gram", "autocorrelation"],
        ),
        (
            "stacked",
            Antognini {
                stacked: true,
                beta: 0.0,
                ..antognini()
            },
            &["gram", "autocorrelation"],
        ),
    ];
    for (name, method, terms) in variants {
        let found = made(&method, &clip, &settings(25, 3));
        let (first, best) = (found.curve.points[0].total, found.best.total);
        println!("{name}: {first:.3e} to {best:.3e}");
        assert!(best < first / 5.0, "{name}: {first} to {best}");
        assert_eq!(found.curve.terms(), terms, "{name}");
        assert!(found.image.values.iter().all(|x| *x >= 0.0));
        assert_eq!(
            (found.clip.sample_rate(), found.clip.channel_count()),
            (16_000, 1)
        );
        // The recording's level, whatever the method did to it.
        let level = found.clip.rms() / clip.to_mono().rms();
        assert!((0.2..5.0).contains(&level), "{name}: {level}");
    }
}

#[test]
fn the_same_seed_makes_the_same_and_another_another() {
    let clip = fire(1.1);
    let make = |seed| made(&antognini(), &clip, &settings(4, seed)).clip;
    let first = make(1);
    assert_eq!(first, make(1));
    assert_ne!(first, make(2));
}

#[test]
fn a_texture_may_be_longer_or_shorter_than_its_recording() {
    let clip = fire(1.2);
    for seconds in [0.5, 2.0] {
        let settings = SynthesisSettings {
            seconds: Some(seconds),
            ..settings(6, 0)
        };
        let found = made(&antognini(), &clip, &settings);
        assert_eq!(found.clip.len(), (seconds * 16_000.0) as usize);
        assert!(found.best.total < found.curve.points[0].total);
    }
}

#[test]
fn ulyanov_comes_near() {
    let method = Ulyanov {
        filters: 24,
        ..Ulyanov::default()
    };
    let found = made(&method, &fire(1.5), &settings(30, 0));
    let (first, best) = (found.curve.points[0].total, found.best.total);
    println!("ulyanov: {first:.3e} to {best:.3e}");
    assert!(best < first / 10.0, "{first} to {best}");
    assert_eq!(found.clip.sample_rate(), 22_050);
}

#[test]
fn what_a_method_cannot_do_is_told() {
    let never = AtomicBool::new(false);
    let try_on = |method: &dyn Method, clip: &Clip, seconds: Option<f64>| {
        let settings = SynthesisSettings {
            seconds,
            ..settings(1, 0)
        };
        let made = synthesize(method, clip, &settings, &Device::Cpu, &never, &mut |_| {});
        made.map(|_| ()).unwrap_err()
    };
    let silence = Clip::new(16_000, vec![vec![0.0; 20_000]]).unwrap();
    let opposite = Clip::new(
        16_000,
        vec![random(1, 20_000, 0.1), random(1, 20_000, -0.1)],
    );
    for clip in [silence, opposite.unwrap(), fire(0.5)] {
        assert!(matches!(
            try_on(&antognini(), &clip, None),
            LabError::Clip(_)
        ));
    }
    let wide = Antognini {
        widest: 256,
        ..antognini()
    };
    let error = try_on(&wide, &fire(1.0), None);
    assert!(matches!(error, LabError::TooShort { .. }), "{error}");
    let error = try_on(&antognini(), &fire(1.0), Some(0.1));
    assert!(matches!(error, LabError::TooShort { .. }), "{error}");
    for (method, name) in [
        (
            Antognini {
                filters: 0,
                ..antognini()
            },
            "filters",
        ),
        (
            Antognini {
                widest: 3,
                ..antognini()
            },
            "widest",
        ),
        (
            Antognini {
                alpha: -1.0,
                ..antognini()
            },
            "alpha",
        ),
        (
            Antognini {
                beta: f64::NAN,
                ..antognini()
            },
            "beta",
        ),
    ] {
        let error = try_on(&method, &fire(1.0), None).to_string();
        assert!(error.contains(name), "{error}");
    }
}
