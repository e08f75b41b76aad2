//! Controls: swept and jumped they do not click, they are heard soon, and nonsense is kept within.

mod support;

use weft_core::instrument::{Controls, NoteAddress, NoteControl, Transport};

use support::clips::RATE;
use support::host::{HOLD, bouncing_with};
use support::measures::{db, largest_step, rms};
use support::models;

/// Each control at its ends and in between, and what it may do to the level.
type Sweep = (&'static str, fn(f32) -> Controls, bool);

const SWEEPS: [Sweep; 12] = [
    (
        "pitch",
        |x| Controls {
            pitch_st: 48.0 * x - 24.0,
            ..HOLD
        },
        true,
    ),
    (
        "bend",
        |x| Controls {
            bend_st: 4.0 * x - 2.0,
            ..HOLD
        },
        true,
    ),
    (
        "time",
        |x| Controls {
            time: 4.0 * x,
            ..HOLD
        },
        true,
    ),
    (
        "brightness",
        |x| Controls {
            brightness_db_per_octave: 24.0 * x - 12.0,
            ..HOLD
        },
        true,
    ),
    ("smear", |x| Controls { smear_s: x, ..HOLD }, true),
    (
        "contrast",
        |x| Controls {
            contrast: 2.0 * x,
            ..HOLD
        },
        true,
    ),
    (
        "density",
        |x| Controls {
            density: 2.0 * x,
            ..HOLD
        },
        true,
    ),
    (
        "width",
        |x| Controls {
            width: 2.0 * x,
            ..HOLD
        },
        true,
    ),
    (
        "low cut",
        |x| Controls {
            low_cut_hz: 20.0 * 1000.0f32.powf(x),
            ..HOLD
        },
        false,
    ),
    (
        "high cut",
        |x| Controls {
            high_cut_hz: 20.0 * 1000.0f32.powf(x),
            ..HOLD
        },
        false,
    ),
    (
        "gain",
        |x| Controls {
            gain_db: 72.0 * x - 60.0,
            ..HOLD
        },
        false,
    ),
    ("sustain", |x| Controls { sustain: x, ..HOLD }, false),
];

#[test]
fn controls_sweep_without_clicks_and_keep_the_level() {
    let (_instrument, mut host) = bouncing_with(models::rain(), f64::from(RATE));
    let seconds = 4;
    let samples = seconds * RATE as usize;
    let plain = host.drive(None, samples, || 256, |_, _| HOLD);
    let natural = largest_step(&plain[0]);
    let level = rms(&plain[0]);
    for (name, at, keeps_level) in SWEEPS {
        host.reset();
        let sweep = host.drive(
            None,
            samples,
            || 256,
            |_, done| at(done as f32 / samples as f32),
        );
        let step = largest_step(&sweep[0]);
        let levels: Vec<f32> = sweep[0][RATE as usize / 4..]
            .chunks_exact(RATE as usize)
            .map(|x| db(rms(x) / level))
            .collect();
        println!(
            "{name}: largest step {:.2} of the texture's own, level {levels:.1?} dB",
            step / natural
        );
        // A brighter texture has larger steps of its own: what it may have goes by what it holds.
        let brighter = largest_step(&sweep[0]) / rms(&sweep[0]).max(level);
        assert!(brighter < 3.0 * natural / level, "{name}: a step of {step}");
        if keeps_level {
            assert!(
                levels.iter().all(|l| l.abs() < 3.0),
                "{name}: {levels:?} dB"
            );
        }
    }
}

#[test]
fn jumps_of_controls_do_not_click() {
    let (_instrument, mut host) = bouncing_with(models::rain(), f64::from(RATE));
    let plain = host.drive(None, 16_000, || 256, |_, _| HOLD);
    let natural = largest_step(&plain[0]);
    for (name, at, _) in SWEEPS {
        host.reset();
        let jumps = host.drive(
            None,
            32_000,
            || 100,
            |_, done| at(if done / 2_000 % 2 == 0 { 0.1 } else { 0.9 }),
        );
        let loudest = rms(&jumps[0]).max(rms(&plain[0]));
        let step = largest_step(&jumps[0]) / loudest * rms(&plain[0]);
        println!(
            "{name}: largest step {:.2} of the texture's own",
            step / natural
        );
        assert!(step < 3.0 * natural, "{name}: a step of {step}");
    }
}

#[test]
fn controls_are_heard_soon() {
    // A bounce with the change and one without differ from the sample on which it is first heard.
    let at = 8_000;
    for (name, control, _) in SWEEPS {
        let bounce = |value: f32| {
            let (_instrument, mut host) = bouncing_with(models::rain(), f64::from(RATE));
            host.drive(
                None,
                16_000,
                || 64,
                |_, done| control(if done < at { 0.5 } else { value }),
            )
        };
        let (same, changed) = (bounce(0.5), bounce(0.7));
        assert!(same[0][..at] == changed[0][..at]);
        let differs = |(a, b): (&f32, &f32)| (a - b).abs() > 0.02 * rms(&same[0]);
        let after = same[0][at..]
            .iter()
            .zip(&changed[0][at..])
            .position(differs);
        let delay_s = after.map(|samples| samples as f32 / RATE as f32);
        println!(
            "{name}: heard after {:.1} ms",
            1e3 * delay_s.unwrap_or(f32::NAN)
        );
        // What acts on frames waits for the look-ahead; the rest acts at once.
        let most = match name {
            "pitch" | "bend" | "gain" | "width" | "sustain" => 0.01,
            _ => 0.1,
        };
        assert!(delay_s.is_some_and(|s| s < most), "{name}: {delay_s:?} s");
    }
}

#[test]
fn settings_out_of_range_are_kept_within() {
    let (_instrument, mut host) = bouncing_with(models::rain(), f64::from(RATE));
    for bad in [f32::NAN, f32::INFINITY, -1e30, 1e30] {
        let controls = Controls {
            gain_db: if bad > 0.0 { 0.0 } else { bad },
            attack_s: bad,
            decay_s: bad,
            sustain: bad,
            release_s: bad,
            pitch_st: bad,
            bend_st: bad,
            time: bad,
            brightness_db_per_octave: bad,
            smear_s: bad,
            contrast: bad,
            density: bad,
            width: bad,
            low_cut_hz: bad,
            high_cut_hz: bad,
            lock_tempo: bad,
            key_follow: true,
            root_key: 255,
            ..HOLD
        };
        host.note_on(NoteAddress::key(200), bad);
        host.control_note(NoteAddress::default(), NoteControl::Tuning, bad);
        host.control_note(NoteAddress::default(), NoteControl::Volume, bad);
        let sound = host.drive(
            None,
            4_000,
            || 256,
            |player, done| {
                player.set_transport(Some(Transport {
                    samples: done as i64,
                    beats: Some(f64::from(bad)),
                    bar_start_beats: Some(f64::from(bad)),
                    beats_per_bar: Some(f64::from(bad)),
                    tempo: Some(f64::from(bad)),
                }));
                controls
            },
        );
        assert!(sound.iter().flatten().all(|x| x.is_finite()));
    }
}
