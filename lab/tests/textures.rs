//! Huzaifah & Wyse's method, McDermott & Simoncelli's, and the transfer of style, each on short recordings with few
//! filters and iterations: what comes out is nearer, as long as asked for, and where it should be.

use std::sync::atomic::AtomicBool;

use weft_core::clip::Clip;
use weft_core::procedural::{Texture, synthesize};
use weft_core::texture::score::{Recording, ScoreSettings, score};
use weft_lab::axes::{Axis, Scale};
use weft_lab::methods::{
    Generation, Huzaifah, McDermott, Synthesis, SynthesisSettings, Synthesizer, Transfer,
};
use weft_lab::{Device, LabError};

fn settings(iterations: u32, seconds: Option<f64>) -> SynthesisSettings {
    SynthesisSettings {
        seconds,
        iterations: Some(iterations),
        seed: 3,
    }
}

fn small(axis: Axis) -> Huzaifah {
    Huzaifah {
        axis,
        filters: Some(24),
        kernel: 5,
        ..Huzaifah::default()
    }
}

fn made(
    method: &dyn Synthesizer,
    recordings: &[(&Clip, f64)],
    settings: &SynthesisSettings,
) -> Result<Synthesis, LabError> {
    let never = AtomicBool::new(false);
    method.synthesize(recordings, settings, &Device::Cpu, &never, &mut |_| {})
}

/// Value of a term before the first iteration, and of the best.
fn before_and_after(made: &Synthesis, name: &str) -> (f64, f64) {
    let of =
        |point: &weft_lab::CurvePoint| point.terms.iter().find(|t| t.name == name).unwrap().value;
    (of(&made.curve.points[0]), of(&made.best))
}

#[test]
fn huzaifahs_style_comes_nearer_on_every_axis_and_scale() {
    let clip = synthesize(Texture::Rain, 1, 22_050, 1.0);
    for axis in [Axis::Frequency, Axis::Time, Axis::Plane] {
        for scale in [Scale::Linear, Scale::Mel, Scale::ConstantQ] {
            // Squares see a hundred thousand places: once is enough.
            if axis == Axis::Plane && scale != Scale::Mel {
                continue;
            }
            let method = Huzaifah {
                scale,
                ..small(axis)
            };
            let made = made(&method, &[(&clip, 1.0)], &settings(12, None)).unwrap();
            let (before, after) = before_and_after(&made, "style");
            assert!(
                after < 0.3 * before,
                "{axis:?} {scale:?}: {before} to {after}"
            );
            assert_eq!(made.clip.sample_rate(), 22_050);
            assert_eq!(made.clip.len(), 22_050, "{axis:?} {scale:?}");
            assert_eq!(made.image.columns, 513);
        }
    }
}

#[test]
fn both_programs_and_deeper_layers_come_nearer() {
    let clip = synthesize(Texture::Fire, 2, 22_050, 1.5);
    for (generation, layers, columns) in [
        (Generation::First, vec![1], 1_025),
        (Generation::First, vec![1, 2], 1_025),
        (Generation::Second, vec![2], 513),
        (Generation::Second, vec![1, 3], 513),
    ] {
        let method = Huzaifah {
            generation,
            layers: layers.clone(),
            ..small(Axis::Frequency)
        };
        let made = made(&method, &[(&clip, 1.0)], &settings(25, None)).unwrap();
        let (before, after) = before_and_after(&made, "style");
        assert!(
            after < 0.5 * before,
            "{generation:?} {layers:?}: {before} to {after}"
        );
        assert_eq!(made.image.columns, columns);
    }
}

#[test]
fn a_texture_is_of_any_length_and_the_same_for_the_same_seed() {
    let clip = synthesize(Texture::Rain, 1, 22_050, 1.0);
    let method = small(Axis::Frequency);
    let longer = made(&method, &[(&clip, 1.0)], &settings(6, Some(2.5))).unwrap();
    assert_eq!(longer.clip.len(), 55_125);
    let again = made(&method, &[(&clip, 1.0)], &settings(6, Some(2.5))).unwrap();
    assert_eq!(longer.clip, again.clip);
    // With frames as channels there is no more time than the recording has.
    let error = made(&small(Axis::Time), &[(&clip, 1.0)], &settings(6, Some(2.5))).unwrap_err();
    assert!(
        error.to_string().contains("the length can't be 2.5 s"),
        "{error}"
    );
    let shorter = made(&small(Axis::Time), &[(&clip, 1.0)], &settings(2, Some(0.5))).unwrap();
    assert_eq!(shorter.clip.len(), 11_025);
}

#[test]
fn several_recordings_lend_their_grams_by_weight() {
    let wind = synthesize(Texture::Wind, 1, 22_050, 2.0);
    let crickets = synthesize(Texture::Crickets, 1, 22_050, 2.0);
    // A hundred filters would leave what is silent in these as it starts.
    let method = Huzaifah {
        filters: Some(512),
        kernel: 11,
        ..small(Axis::Frequency)
    };
    let distance = |reference: &Clip, made: &Clip| {
        let [a, b] = [reference, made].map(|clip| Recording::new(clip).unwrap());
        score(&a, &b, &ScoreSettings::default())
            .unwrap()
            .frechet_mel
    };
    let of = |a: f64, b: f64| {
        let clip = made(&method, &[(&wind, a), (&crickets, b)], &settings(50, None))
            .unwrap()
            .clip;
        ((distance(&wind, &clip), distance(&crickets, &clip)), clip)
    };
    let (windy, clip) = of(9.0, 1.0);
    let (chirpy, _) = of(1.0, 9.0);
    println!("distance to wind, to crickets: {windy:?} and {chirpy:?}");
    assert!(windy.0 < 0.9 * chirpy.0, "{windy:?} and {chirpy:?}");
    assert!(chirpy.1 < 0.9 * windy.1, "{windy:?} and {chirpy:?}");
    // Weights are shares: their sum does not matter.
    assert_eq!(of(18.0, 2.0).1, clip);
    let error = made(&method, &[(&wind, 0.0)], &settings(1, None)).unwrap_err();
    assert!(error.to_string().contains("weight can't be 0"), "{error}");
    let error = made(&method, &[], &settings(1, None)).unwrap_err();
    assert!(
        error.to_string().contains("number of recordings"),
        "{error}"
    );
    let two = [(&wind, 1.0), (&crickets, 1.0)];
    let error = made(&McDermott::default(), &two, &settings(1, None)).unwrap_err();
    assert!(
        error.to_string().contains("huzaifah takes several"),
        "{error}"
    );
}

#[test]
fn huzaifahs_settings_are_checked() {
    let clip = synthesize(Texture::Rain, 1, 22_050, 1.0);
    let refused = |method: Huzaifah, part: &str| {
        let error = made(&method, &[(&clip, 1.0)], &settings(1, None)).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    };
    let layers = |generation, layers: &[usize]| Huzaifah {
        generation,
        layers: layers.to_vec(),
        ..small(Axis::Frequency)
    };
    refused(layers(Generation::First, &[3]), "give 1, 2 or 1,2");
    refused(layers(Generation::Second, &[]), "give some of 1, 2 and 3");
    refused(layers(Generation::Second, &[1, 1]), "each once");
    let kernel = |kernel| Huzaifah {
        kernel,
        ..small(Axis::Frequency)
    };
    refused(kernel(0), "give 1 to 64 places");
    refused(
        Huzaifah {
            filters: Some(0),
            ..small(Axis::Frequency)
        },
        "give 1 to 8192",
    );
    // Three layers of 64 places with pooling see 5 s.
    let wide = Huzaifah {
        kernel: 64,
        layers: vec![3],
        ..small(Axis::Frequency)
    };
    refused(wide, "too short for this method's filters");
}

#[test]
fn mcdermotts_statistics_come_nearer_from_noise() {
    let clip = synthesize(Texture::Fire, 5, 20_000, 2.5);
    let method = McDermott::default();
    let made_with =
        |iterations| made(&method, &[(&clip, 1.0)], &settings(iterations, Some(3.0))).unwrap();
    let texture = made_with(25);
    assert_eq!(texture.clip.len(), 60_000);
    assert_eq!(texture.clip.sample_rate(), 20_000);
    for name in [
        "variance",
        "skew",
        "kurtosis",
        "correlation",
        "modulation",
        "C1",
        "C2",
    ] {
        let (before, after) = before_and_after(&texture, name);
        assert!(after < 0.2 * before, "{name}: {before} to {after}");
    }
    let noise = made_with(1);
    let reference = Recording::new(&clip).unwrap();
    let snr_db = |made: &Synthesis| {
        let synthesis = Recording::new(&made.clip).unwrap();
        let scores = score(&reference, &synthesis, &ScoreSettings::default()).unwrap();
        scores.statistics_snr_db
    };
    let (before, after) = (snr_db(&noise), snr_db(&texture));
    println!("stat_snr: {before:.1} dB to {after:.1} dB");
    assert!(after > before + 4.0, "{before} to {after}");
    // As loud as the recording, to what so few iterations leave.
    let power = |clip: &Clip| {
        let samples = &clip.channels()[0];
        samples.iter().map(|x| f64::from(x * x)).sum::<f64>() / samples.len() as f64
    };
    let level_db = 10.0 * (power(&texture.clip) / power(&clip)).log10();
    assert!(level_db.abs() < 2.5, "{level_db} dB");
    let short = synthesize(Texture::Fire, 5, 20_000, 1.5);
    let error = made(&method, &[(&short, 1.0)], &settings(1, None));
    assert!(matches!(error, Err(LabError::TooShort { .. })));
}

#[test]
fn a_transfer_keeps_the_contents_envelope_and_takes_the_styles_gram() {
    let content = synthesize(Texture::Clock, 1, 22_050, 1.5);
    let style = synthesize(Texture::Surf, 2, 22_050, 2.0);
    let transfer = |envelopes, from_noise| {
        let transfer = Transfer {
            method: small(Axis::Frequency),
            envelopes,
            from_noise,
            ..Transfer::default()
        };
        let never = AtomicBool::new(false);
        transfer
            .synthesize(
                &content,
                &style,
                &settings(30, None),
                &Device::Cpu,
                &never,
                &mut |_| {},
            )
            .unwrap()
    };
    let plain = transfer(None, false);
    assert_eq!(
        plain.synthesis.clip.len(),
        content.resampled(22_050).unwrap().len()
    );
    let names: Vec<&str> = plain.synthesis.best.terms.iter().map(|t| t.name).collect();
    assert_eq!(names, ["style", "content", "range"]);
    let (before, after) = before_and_after(&plain.synthesis, "style");
    assert!(after < 0.5 * before, "{before} to {after}");
    // From the content, the content has no distance before.
    assert!(before_and_after(&plain.synthesis, "content").0 < 1e-9);
    let with = transfer(Some(Transfer::ENVELOPE_WEIGHTS), true);
    let names: Vec<&str> = with.synthesis.best.terms.iter().map(|t| t.name).collect();
    assert_eq!(
        names,
        [
            "style",
            "content",
            "range",
            "envelope over frequency",
            "envelope over time"
        ]
    );
    for name in &names[3..] {
        let (before, after) = before_and_after(&with.synthesis, name);
        assert!(after < 0.6 * before, "{name}: {before} to {after}");
    }
    let without = transfer(None, true);
    println!(
        "over time {:.2}, without envelopes {:.2}; over frequency {:.2}, {:.2}",
        with.over_time, without.over_time, with.over_frequency, without.over_frequency
    );
    assert!(
        with.over_time > without.over_time,
        "{} {}",
        with.over_time,
        without.over_time
    );
    let refused = Transfer {
        content_layer: Some(4),
        ..Transfer::default()
    };
    assert!(
        refused
            .check()
            .unwrap_err()
            .to_string()
            .contains("layer can't be 4")
    );
    let refused = Transfer {
        style_weight: f64::NAN,
        ..Transfer::default()
    };
    assert!(
        refused
            .check()
            .unwrap_err()
            .to_string()
            .contains("give 0 or more")
    );
}
