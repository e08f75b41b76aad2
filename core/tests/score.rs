//! Scores of textures whose order is known.

mod support;

use weft_core::clip::Clip;
use weft_core::procedural::{Texture, synthesize};
use weft_core::texture::score::{
    MIN_SCORED_S, Recording, ScoreError, ScoreSettings, Scores, StatisticsSnr, discriminate, score,
};

use support::clips::RATE;
use support::random::white_noise;

/// Scores with all cores; the seed is 0.
fn scores(reference: &Clip, synthesis: &Clip) -> Scores {
    let [a, b] = [reference, synthesis].map(|clip| Recording::new(clip).unwrap());
    score(&a, &b, &ScoreSettings::default()).unwrap()
}

fn mono(sample_rate: u32, samples: Vec<f32>) -> Clip {
    Clip::new(sample_rate, vec![samples]).unwrap()
}

fn assert_near(a: &Scores, b: &Scores, relative: f64, absolute_db: f64) {
    let statistics = |s: &StatisticsSnr| s.figures();
    for ((name, a), (_, b)) in statistics(&a.statistics)
        .into_iter()
        .zip(statistics(&b.statistics))
    {
        assert!((a - b).abs() < absolute_db, "{name}: {a} dB, {b} dB");
    }
    for (a, b) in a.figures().iter().zip(b.figures()) {
        let bound = match a.unit {
            "dB" => absolute_db,
            _ => relative * b.value.abs().max(1e-3),
        };
        assert!((a.value - b.value).abs() < bound, "{a:?}, {b:?}");
    }
}

#[test]
fn a_recording_scores_perfectly_against_itself() {
    let clip = synthesize(Texture::Fire, 1, RATE, 2.0);
    let perfect = scores(&clip, &clip);
    assert_eq!((perfect.gram, perfect.autocorrelation), (0.0, 0.0));
    assert!(perfect.statistics_snr_db > 80.0, "{perfect:?}");
    assert!(perfect.frechet_mel < 1e-6, "{perfect:?}");
    assert!((perfect.copying_100_ms - 1.0).abs() < 1e-3, "{perfect:?}");
    assert!(perfect.repetition_250_ms < 0.9, "{perfect:?}");

    // A loop of it repeats, and copies as much.
    let once = clip.channels()[0].clone();
    let looped = scores(&mono(RATE, once.clone()), &mono(RATE, once.repeat(2)));
    assert!((looped.repetition_250_ms - 1.0).abs() < 1e-3, "{looped:?}");
    // A snippet across the seam is not in the recording.
    assert!(looped.copying_100_ms > 0.9, "{looped:?}");
}

#[test]
fn the_same_texture_scores_better_than_another() {
    let clip = |texture, seed| synthesize(texture, seed, RATE, 2.0);
    let rain = clip(Texture::Rain, 1);
    let same = scores(&rain, &clip(Texture::Rain, 2));
    let other = scores(&rain, &clip(Texture::Crickets, 2));
    assert!(same.gram < 0.5 * other.gram, "{same:?}, {other:?}");
    assert!(same.autocorrelation < 0.5 * other.autocorrelation);
    assert!(same.frechet_mel < 0.5 * other.frechet_mel);
    assert!(same.statistics_snr_db > other.statistics_snr_db + 3.0);
    assert!(same.copying_100_ms < 0.9);
}

#[test]
fn level_channels_and_threads_do_not_matter_and_the_sample_rate_hardly_does() {
    let a = synthesize(Texture::Fire, 1, 48_000, 2.0).to_mono();
    let b = synthesize(Texture::Fire, 2, 48_000, 2.0).to_mono();
    let expected = scores(&a, &b);
    let with = |seed, threads| {
        let [a, b] = [&a, &b].map(|clip| Recording::new(clip).unwrap());
        score(&a, &b, &ScoreSettings { seed, threads }).unwrap()
    };
    // Another seed draws other filters and places, and finds about the same.
    let drawn_again = with(5, 1);
    assert_eq!(drawn_again, with(5, 3));
    assert!(drawn_again.gram != expected.gram);
    assert_near(&drawn_again, &expected, 0.25, 1e-9);

    let quiet: Vec<f32> = b.channels()[0].iter().map(|x| 0.01 * x).collect();
    let quiet = Clip::new(48_000, vec![quiet.clone(), quiet]).unwrap();
    let quiet = quiet.resampled(44_100).unwrap();
    assert_near(&scores(&a, &quiet), &expected, 0.03, 0.3);
}

#[test]
fn steady_noise_does_not_drift_and_a_fade_does() {
    let steady = white_noise(4 * RATE as usize);
    let faded: Vec<f32> = steady
        .iter()
        .enumerate()
        .map(|(i, x)| x * (1.0 - 0.9 * i as f32 / steady.len() as f32))
        .collect();
    let reference = mono(RATE, steady[..2 * RATE as usize].to_vec());
    let steady = scores(&reference, &mono(RATE, steady));
    assert!(steady.drift_db < 2.0, "{steady:?}");
    let faded = scores(&reference, &mono(RATE, faded));
    assert!(faded.drift_db > 8.0, "{faded:?}");
}

#[test]
fn the_halves_of_a_recording_are_scored() {
    let recording = Recording::new(&synthesize(Texture::Surf, 1, 24_000, 4.0)).unwrap();
    let (first, second) = recording.halves().unwrap();
    assert_eq!((first.duration_s(), second.duration_s()), (2.0, 2.0));
    score(&first, &second, &ScoreSettings::default()).unwrap();

    let half_silent = [vec![0.0; 2 * RATE as usize], white_noise(2 * RATE as usize)].concat();
    let half_silent = Recording::new(&mono(RATE, half_silent)).unwrap();
    let error = half_silent.halves().unwrap_err().to_string();
    assert!(error.contains("first half"), "{error}");
    let short = Recording::new(&synthesize(Texture::Surf, 1, 24_000, 3.9)).unwrap();
    let error = short.halves().unwrap_err();
    assert!(
        matches!(error, ScoreError::TooShort { least_s, .. } if least_s == 2.0 * MIN_SCORED_S),
        "{error}"
    );
    assert!(error.to_string().contains("3.900 s"), "{error}");
}

#[test]
fn what_sounds_alike_is_not_told_apart_and_what_does_not_is() {
    let settings = ScoreSettings::default();
    let rain = synthesize(Texture::Rain, 1, RATE, 6.0);
    let [rain, more_rain, fire] = [
        rain,
        synthesize(Texture::Rain, 2, RATE, 6.0),
        synthesize(Texture::Fire, 3, RATE, 6.0),
    ]
    .map(|clip| Recording::new(&clip).unwrap());
    let alike = discriminate(&rain, &more_rain, &settings).unwrap();
    let unlike = discriminate(&rain, &fire, &settings).unwrap();
    assert!((0.15..0.85).contains(&alike.auc), "{alike:?}");
    assert!(unlike.auc > 0.97 && unlike.accuracy > 0.8, "{unlike:?}");
    let one_thread = ScoreSettings {
        threads: 1,
        ..settings
    };
    let again = discriminate(&rain, &fire, &one_thread).unwrap();
    assert_eq!(again, unlike);
}

#[test]
fn what_can_not_be_scored_is_refused_with_its_value() {
    let refuse = |clip: Clip, part: &str| {
        let error = Recording::new(&clip).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    let n = 3 * RATE as usize;
    refuse(mono(RATE, white_noise(31_999)), "2 s");
    refuse(mono(RATE, Vec::new()), "0.000 s");
    refuse(mono(RATE, vec![0.0; n]), "-inf dBFS");
    refuse(mono(RATE, vec![0.5; n]), "silent");
    let mut broken = white_noise(n);
    broken[RATE as usize] = f32::INFINITY;
    refuse(mono(RATE, broken), "1.0000 s");
    let opposite: Vec<f32> = white_noise(n).iter().map(|x| -x).collect();
    refuse(
        Clip::new(RATE, vec![white_noise(n), opposite]).unwrap(),
        "polarity",
    );
}

#[test]
fn extreme_recordings_of_any_rate_are_scored_without_a_panic() {
    let settings = ScoreSettings::default();
    let reference = Recording::new(&mono(RATE, white_noise(32_000))).unwrap();
    let mut click = vec![0.0; 32_001];
    click[9_000] = 1.0;
    let sine = |i: usize| 1e30 * (0.1 * i as f32).sin();
    for (clip, is_reference) in [
        (mono(RATE, click), true),
        (mono(8_000, (0..16_001).map(sine).collect()), false),
        (mono(191_999, white_noise(2 * 191_999 + 1)), true),
    ] {
        let clip = Recording::new(&clip).unwrap();
        let (a, b) = if is_reference {
            (&clip, &reference)
        } else {
            (&reference, &clip)
        };
        match score(a, b, &settings) {
            Ok(scores) => assert!(scores.figures().iter().all(|f| f.value.is_finite())),
            Err(error) => assert!(matches!(error, ScoreError::Undefined { .. }), "{error}"),
        }
    }
}
