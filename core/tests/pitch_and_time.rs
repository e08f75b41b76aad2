//! Pitch and time: neither touches the other, and the song's time decides what is heard where.

mod support;

use weft_core::instrument::{Controls, Transport};

use support::clips::RATE;
use support::host::{HOLD, Host, bouncing_with};
use support::measures::{db, frequency, largest_step, rising_crossings, rms};
use support::models::{self, TONE_HZ};

#[test]
fn pitch_and_time_do_not_touch_each_other() {
    let (_instrument, mut host) = bouncing_with(models::tone(), f64::from(RATE));
    let mut pitch_of = |pitch_st: f32, time: f32| {
        host.reset();
        let controls = Controls {
            pitch_st,
            time,
            ..HOLD
        };
        let left = host.play_left(24_000, &controls);
        let expected = TONE_HZ * (f64::from(pitch_st) / 12.0).exp2();
        let found = frequency(&left[8_000..], f64::from(RATE), expected);
        1200.0 * (found / expected).log2()
    };
    let base = pitch_of(0.0, 1.0);
    for (pitch_st, time) in [
        (-24.0, 1.0),
        (-7.0, 1.0),
        (5.5, 1.0),
        (12.0, 1.0),
        (24.0, 1.0),
        (0.0, 0.1),
        (0.0, 4.0),
        (0.0, 0.0),
        (7.0, 0.5),
    ] {
        let cents = pitch_of(pitch_st, time) - base;
        println!("pitch {pitch_st} st, time {time}: {cents:.2} cents");
        assert!(cents.abs() < 3.0, "{pitch_st} st at {time}: {cents} cents");
    }
}

#[test]
fn every_rate_from_8_to_192_khz_has_the_pitch() {
    for rate in [8_000.0, 22_050.0, 96_000.0, 192_000.0] {
        let (_instrument, mut host) = bouncing_with(models::tone(), rate);
        let [left, _] = host.drive(None, rate as usize, || 4096, |_, _| HOLD);
        let rising = rising_crossings(&left);
        assert!(
            (490..512).contains(&rising),
            "{rising} periods a second at {rate} Hz"
        );
    }
}

/// A song at 120 beats a minute in bars of four, at `rate`.
fn transport(sample: i64, rate: f64) -> Transport {
    let beats = sample as f64 / rate * 2.0;
    Transport {
        samples: sample,
        beats: Some(beats),
        bar_start_beats: Some((beats / 4.0 + 1e-9).floor() * 4.0),
        beats_per_bar: Some(4.0),
        tempo: Some(120.0),
    }
}

#[test]
fn a_locked_bar_sounds_the_same_however_it_was_reached() {
    for (rate, pitch_st, time, lock_tempo) in [
        (f64::from(RATE), 0.0, 1.0, 0.0),
        (44_100.0, 3.0, 1.0, 0.0),
        (f64::from(RATE), -5.0, 0.5, 0.0),
        (f64::from(RATE), 0.0, 1.0, 100.0),
    ] {
        let bar = (2.0 * rate) as i64;
        let controls = Controls {
            lock: true,
            lock_tempo,
            pitch_st,
            time,
            smear_s: if time == 1.0 { 0.0 } else { 0.2 },
            ..HOLD
        };
        let run = |host: &mut Host, from: i64, samples: i64, block: usize| {
            host.drive(
                None,
                samples as usize,
                || block,
                |player, done| {
                    player.set_transport(Some(transport(from + done as i64, rate)));
                    controls
                },
            )
        };
        // Played from three bars before; reached by a seek from elsewhere; and by a loop.
        let (_a, mut host) = bouncing_with(models::rain(), rate);
        let played = run(&mut host, 13 * bar, 4 * bar, 512);
        let played = played.map(|x| x[3 * bar as usize..].to_vec());
        let (_b, mut host) = bouncing_with(models::rain(), rate);
        run(&mut host, 2 * bar + 777, 5_000, 300);
        let sought = run(&mut host, 16 * bar, bar, 441);
        let looped = run(&mut host, 16 * bar, bar, 64);
        // Notes fade in, streams cross-fade: from then on it is the same.
        let bridge = (0.05 * rate) as usize;
        assert!(rms(&played[0][bridge..]) > 0.0);
        for other in [&sought, &looped] {
            for (a, b) in played.iter().zip(other) {
                let differ = a[bridge..]
                    .iter()
                    .zip(&b[bridge..])
                    .position(|(a, b)| a != b);
                assert_eq!(differ, None, "at {rate} Hz, pitch {pitch_st}, time {time}");
            }
        }
        // Not because everything sounds the same.
        let elsewhere = run(&mut host, 20 * bar, bar, 64);
        assert!(elsewhere[0][bridge..] != played[0][bridge..]);
    }
}

#[test]
fn a_locked_seek_is_bridged_without_a_click() {
    let rate = f64::from(RATE);
    let (_instrument, mut host) = bouncing_with(models::rain(), rate);
    let controls = Controls { lock: true, ..HOLD };
    let mut sound = Vec::new();
    for seek in 0..8 {
        let from = 40_000 * ((seek * 5) % 8);
        let part = host.drive(
            None,
            8_000,
            || 128,
            |player, done| {
                player.set_transport(Some(transport(from + done as i64, rate)));
                controls
            },
        );
        sound.extend(&part[0]);
    }
    let natural = largest_step(&sound[2_000..7_000]);
    assert!(largest_step(&sound) < 1.5 * natural);
    for window in sound[1_000..].chunks_exact(1_000) {
        let level = db(rms(window) / rms(&sound));
        assert!(level.abs() < 6.0, "{level} dB");
    }
}
