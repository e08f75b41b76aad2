//! Captures that are one sound, panned, as far as to one side alone, whose sides are far apart in level, or that have
//! one side inverted: they are learned, kept and played where they lie, at their level.

mod support;

use support::clips::{RATE, rain, texture};
use support::host::{HOLD, bouncing_with};
use support::models::{fitted, rendered};
use weft_core::clip::{Clip, Remark};
use weft_core::network::Model;
use weft_core::procedural::Texture;
use weft_core::render::Renderer;

/// Steps of a fit: the levels are the capture's from the first on.
const STEPS: u32 = 100;
const RENDERED_S: usize = 12;
/// Largest error of a side's level.
const LEVEL_DB: f32 = 0.5;
/// What a silent side may hold beside the other.
const LEAK_DB: f32 = -60.0;

/// A recording on the left, and on the right what `right` makes of it and of another one.
fn recorded(right: impl Fn(f32, f32) -> f32) -> Clip {
    let [left, other] = [1, 2].map(|seed| {
        let clip = texture(Texture::Rain, seed, 4.0);
        clip.into_channels().swap_remove(0)
    });
    let pairs = left.iter().zip(&other);
    let right = pairs.map(|(x, y)| right(*x, *y)).collect();
    Clip::new(RATE, vec![left, right]).unwrap()
}

fn mirrored(clip: &Clip) -> Clip {
    let mut channels = clip.clone().into_channels();
    channels.reverse();
    Clip::new(RATE, channels).unwrap()
}

/// Levels of left and right in dBFS, without their offsets.
fn levels_db(channels: &[Vec<f32>]) -> [f32; 2] {
    [0, 1].map(|c| {
        let x = &channels[c];
        let power = |offset: f32| {
            let squares = x.iter().map(|x| f64::from(x - offset).powi(2));
            squares.sum::<f64>() / x.len() as f64
        };
        let offset = x.iter().map(|x| f64::from(*x)).sum::<f64>() / x.len() as f64;
        10.0 * (power(offset as f32) + 1e-30).log10() as f32
    })
}

fn render(model: &Model) -> Vec<Vec<f32>> {
    let mut renderer = Renderer::new(model, 5).unwrap();
    rendered(&mut renderer, RENDERED_S * RATE as usize)
}

/// Checks the levels of what is learned from `clip`, and that a file of it plays the same.
#[track_caller]
fn check_levels(clip: &Clip, what: &str) -> Vec<Vec<f32>> {
    let model = fitted(clip, STEPS);
    let sound = render(&model);
    let (expected, found) = (levels_db(clip.channels()), levels_db(&sound));
    println!("{what}: {found:.2?} dBFS of {expected:.2?}");
    let loudest = expected[0].max(expected[1]);
    for (expected, found) in expected.into_iter().zip(found) {
        if expected < loudest + LEAK_DB {
            assert!(found < loudest + LEAK_DB, "{what}: {found} dBFS leak");
        } else {
            let error = found - expected;
            assert!(error.abs() < LEVEL_DB, "{what}: off by {error} dB");
        }
    }
    // Weights are kept at half precision: the file's own sound is what is the same again.
    let read = Model::from_bytes(&model.to_bytes()).unwrap();
    let again = Model::from_bytes(&read.to_bytes()).unwrap();
    assert!(render(&read) == render(&again), "{what}");
    let kept = levels_db(&render(&read));
    for (kept, found) in kept.into_iter().zip(found) {
        let error = kept.max(loudest + LEAK_DB) - found.max(loudest + LEAK_DB);
        assert!(
            error.abs() < LEVEL_DB,
            "{what}: off by {error} dB in a file"
        );
    }
    sound
}

#[test]
fn a_capture_with_a_silent_side_plays_on_the_other_at_its_level() {
    let silent = recorded(|_, _| 0.0);
    let sound = check_levels(&silent, "left alone");
    assert!(sound[1].iter().all(|x| *x == 0.0));
    let sound = check_levels(&mirrored(&silent), "right alone");
    assert!(sound[0].iter().all(|x| *x == 0.0));
    // The offset of a converter and its last bit are silence as well.
    let idle = recorded(|_, y| 0.01 + 1e-4 * y);
    check_levels(&idle, "left beside a converter's noise");
    check_levels(&mirrored(&idle), "right beside a converter's noise");
    let crosstalk = recorded(|x, _| 0.03 * x);
    check_levels(&crosstalk, "left with crosstalk");
}

#[test]
fn a_capture_whose_right_side_is_inverted_keeps_its_level_and_stays_so() {
    for (noise, what) in [
        (0.0, "inverted"),
        (0.01, "inverted with noise"),
        (0.2, "partly"),
    ] {
        let sound = check_levels(&recorded(|x, y| noise * y - x), what);
        let pairs = sound[0].iter().zip(&sound[1]);
        let product: f64 = pairs.map(|(l, r)| f64::from(*l) * f64::from(*r)).sum();
        assert!(product < 0.0, "{what}");
    }
}

#[test]
fn an_instrument_plays_them_where_they_lie() {
    for (clip, silent) in [
        (recorded(|_, _| 0.0), Some(1)),
        (mirrored(&recorded(|_, _| 0.0)), Some(0)),
        (recorded(|x, _| -x), None),
    ] {
        let model = fitted(&clip, STEPS);
        let (_instrument, mut host) = bouncing_with(&model, f64::from(RATE));
        let sound = host.play(RENDERED_S * RATE as usize, &HOLD);
        let (expected, found) = (levels_db(clip.channels()), levels_db(&sound));
        println!("an instrument: {found:.2?} dBFS of {expected:.2?}");
        let Some(silent) = silent else {
            let pairs = sound[0].iter().zip(&sound[1]);
            assert!(pairs.clone().all(|(l, r)| *l == -r));
            assert!((found[0] - expected[0]).abs() < 1.0);
            continue;
        };
        let heard = 1 - silent;
        assert!(found[silent] < found[heard] + LEAK_DB, "{found:?}");
        assert!((found[heard] - expected[heard]).abs() < 1.0, "{found:?}");
    }
}

#[test]
fn captures_that_are_nearly_mono_keep_their_levels() {
    for noise in [0.0, 1e-4, 0.01, 0.05] {
        check_levels(
            &recorded(|x, y| x + noise * y),
            &format!("mono and {noise}"),
        );
    }
    for gain in [0.97, 0.7, 0.3] {
        check_levels(
            &recorded(|x, _| gain * x),
            &format!("mono and {gain} of it"),
        );
    }
}

#[test]
fn a_quiet_side_keeps_its_own_sound_and_level() {
    for decibels in [-6.0, -20.0, -37.0, -50.0, -58.0] {
        let gain = 10.0f32.powf(decibels / 20.0);
        let clip = recorded(|_, y| gain * y);
        let sound = check_levels(&clip, &format!("another sound at {decibels} dB"));
        let correlation = correlation(&sound);
        assert!(correlation.abs() < 0.1, "{decibels} dB: {correlation}");
    }
    check_levels(&mirrored(&recorded(|_, y| 0.01 * y)), "on the left");
}

#[test]
fn crosstalk_beside_a_side_s_own_sound_stays() {
    for (copy, own) in [(0.3, 0.03), (-0.5, 0.003), (0.1, 0.1)] {
        let clip = recorded(|x, y| copy * x + own * y);
        for (clip, side) in [(mirrored(&clip), "left"), (clip, "right")] {
            let what = format!("{copy} and {own} on the {side}");
            let sound = check_levels(&clip, &what);
            let (expected, found) = (correlation(clip.channels()), correlation(&sound));
            assert!((found - expected).abs() < 0.1, "{what}: {found}");
        }
    }
}

#[test]
fn an_instrument_keeps_the_level_of_a_quiet_side() {
    let clip = recorded(|x, y| 0.02 * x + 0.01 * y);
    let model = fitted(&clip, STEPS);
    let (_instrument, mut host) = bouncing_with(&model, f64::from(RATE));
    let sound = host.play(RENDERED_S * RATE as usize, &HOLD);
    let (expected, found) = (levels_db(clip.channels()), levels_db(&sound));
    println!("an instrument: {found:.2?} dBFS of {expected:.2?}");
    for (found, expected) in found.into_iter().zip(expected) {
        assert!((found - expected).abs() < 1.0);
    }
}

/// Of left and right, −1 to 1.
fn correlation(channels: &[Vec<f32>]) -> f64 {
    let product = |a: &[f32], b: &[f32]| -> f64 {
        let pairs = a.iter().zip(b);
        pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    let (left, right) = (&channels[0], &channels[1]);
    product(left, right) / (product(left, left) * product(right, right)).sqrt()
}

#[test]
fn the_user_is_told() {
    let silent = recorded(|_, _| 0.0);
    let right_is_silent = true;
    assert_eq!(silent.remarks(), [Remark::OneSided { right_is_silent }]);
    let right_is_silent = false;
    let mirrored = mirrored(&silent).remarks();
    assert_eq!(mirrored, [Remark::OneSided { right_is_silent }]);
    assert!(mirrored[0].to_string().contains("the left side is silent"));
    assert_eq!(recorded(|x, _| -x).remarks(), [Remark::Inverted]);
    for ordinary in [
        rain(2.0),
        recorded(|_, y| y),
        recorded(|x, _| x),
        recorded(|x, _| 0.3 * x),
    ] {
        assert_eq!(ordinary.remarks(), []);
    }
}
