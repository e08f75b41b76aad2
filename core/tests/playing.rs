//! Playing an instrument: notes, controls, the song's time, and bounces that are the same every time.

mod guard;

use std::ops::ControlFlow;
use std::sync::OnceLock;

use guard::allocations;

use weft_core::clip::Clip;
use weft_core::fit::{FitSettings, fit};
use weft_core::instrument::{
    Controls, Instrument, NoteAddress, NoteControl, POLYPHONY, Player, Quality, Slot, Transport,
};
use weft_core::network::Model;
use weft_core::procedural::{Texture, synthesize};

const RATE: u32 = 16_000;
const HOLD: Controls = Controls {
    attack_s: 0.005,
    release_s: 0.05,
    hold: true,
    seed: 3,
    limiter: false,
    ..Controls::DEFAULT
};

fn fitted(clip: &Clip) -> Model {
    let settings = FitSettings {
        steps: 150,
        ..FitSettings::default()
    };
    fit(clip, &settings, &mut |_| ControlFlow::Continue(())).unwrap()
}

fn rain() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| fitted(&synthesize(Texture::Rain, 1, RATE, 3.0)))
}

/// A tone of 500 Hz over a little noise.
fn tone() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| {
        let noise = synthesize(Texture::Rain, 2, RATE, 3.0);
        let turn = std::f32::consts::TAU * 500.0 / RATE as f32;
        let tone = |(i, x): (usize, &f32)| 0.3 * (turn * i as f32).sin() + 0.01 * x;
        let channel = noise.channels()[0].iter().enumerate().map(tone).collect();
        fitted(&Clip::new(RATE, vec![channel]).unwrap())
    })
}

/// A bouncing instrument that plays `model`.
fn bouncing(model: &Model, sample_rate: f64) -> (Instrument, Player) {
    let (instrument, mut player) = Instrument::new().unwrap();
    player.prepare(sample_rate);
    player.set_offline(true);
    instrument.play(Slot::A, model.clone());
    (instrument, player)
}

/// Plays `samples` samples in blocks of the lengths that `block` gives, and proves that nothing is
/// allocated meanwhile. `before` is called before each block with the samples done.
fn play(
    player: &mut Player,
    samples: usize,
    mut block: impl FnMut() -> usize,
    mut before: impl FnMut(&mut Player, usize) -> Controls,
) -> [Vec<f32>; 2] {
    let silence = vec![0.0; samples];
    let mut out = [vec![0.0; samples], vec![0.0; samples]];
    let [left, right] = &mut out;
    let mut done = 0;
    while done < samples {
        let part = done..(done + block().max(1)).min(samples);
        done = part.end;
        let input = [&silence[part.clone()], &silence[part.clone()]];
        let output = [&mut left[part.clone()], &mut right[part.clone()]];
        let guarded = allocations(|| {
            let controls = before(player, part.start);
            player.process(input, output, &controls);
        });
        assert_eq!(guarded, 0, "processing allocated or freed memory");
    }
    out
}

/// Block lengths from a seed, 1 to 900.
fn random_blocks(mut seed: u32) -> impl FnMut() -> usize {
    move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        1 + (seed >> 8) as usize % 900
    }
}

fn rms(x: &[f32]) -> f32 {
    (x.iter().map(|v| v * v).sum::<f32>() / x.len() as f32).sqrt()
}

fn db(ratio: f32) -> f32 {
    20.0 * ratio.log10()
}

fn largest_step(x: &[f32]) -> f32 {
    x.windows(2).fold(0.0, |m, w| m.max((w[1] - w[0]).abs()))
}

/// Frequency of the strongest part of `x` in Hz, from the phase that it gains in a frame.
fn frequency(x: &[f32], around_hz: f64) -> f64 {
    // Correlation with a windowed complex tone, its maximum found by golden section.
    let n = x.len();
    let power = |hz: f64| {
        let (mut re, mut im) = (0.0f64, 0.0f64);
        for (i, &v) in x.iter().enumerate() {
            let window = 0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / n as f64).cos();
            let angle = std::f64::consts::TAU * hz * i as f64 / f64::from(RATE);
            re += f64::from(v) * window * angle.cos();
            im += f64::from(v) * window * angle.sin();
        }
        re * re + im * im
    };
    let coarse = (-400..=400)
        .map(|i| around_hz * (f64::from(i) * 0.0001).exp2())
        .max_by(|a, b| power(*a).total_cmp(&power(*b)));
    coarse.unwrap()
}

#[test]
fn bounces_of_an_automated_arrangement_are_identical_at_any_block_size() {
    let bounce = |block: &mut dyn FnMut() -> usize, rate: f64| {
        let (_instrument, mut player) = bouncing(rain(), rate);
        // Events fall on samples that every way of cutting has to hit, as a host's splitting does.
        let mut at = 0usize;
        let mut sound = [Vec::new(), Vec::new()];
        for event in 0..40u32 {
            let key = 48 + (event * 7 % 24) as u8;
            player.note_on(NoteAddress::key(key), 0.4 + 0.015 * event as f32);
            player.note_off(NoteAddress::key(48 + ((event + 20) * 7 % 24) as u8));
            let note = NoteAddress::key(key);
            player.control_note(note, NoteControl::Tuning, 0.1 * event as f32);
            let sweep = event as f32 / 40.0;
            let controls = Controls {
                hold: event < 20,
                pitch_st: 24.0 * sweep - 12.0,
                time: 4.0 * (1.0 - sweep),
                brightness_db_per_octave: 6.0 * sweep,
                smear_s: if event % 3 == 0 { 0.4 } else { 0.0 },
                contrast: 2.0 * sweep,
                density: 2.0 - 2.0 * sweep,
                width: 2.0 * sweep,
                low_cut_hz: 20.0 + 500.0 * sweep,
                key_follow: event % 2 == 0,
                quality: if event < 30 {
                    Quality::Eco
                } else {
                    Quality::High
                },
                seed: event / 15,
                ..HOLD
            };
            let length = 301 + 37 * event as usize;
            at += length;
            let part = play(&mut player, length, &mut *block, |_, _| controls);
            for (all, part) in sound.iter_mut().zip(part) {
                all.extend(part);
            }
        }
        assert_eq!(sound[0].len(), at);
        assert!(sound[0].iter().all(|x| x.is_finite()));
        sound
    };
    for rate in [f64::from(RATE), 44_100.0] {
        let first = bounce(&mut || 64, rate);
        assert!(rms(&first[0]) > 0.0);
        assert!(first == bounce(&mut || 441, rate));
        assert!(first == bounce(&mut || 8192, rate));
        assert!(first == bounce(&mut || 1, rate));
        assert!(first == bounce(&mut random_blocks(5), rate));
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
        let run = |player: &mut Player, from: i64, samples: i64, block: usize| {
            play(
                player,
                samples as usize,
                || block,
                |player, done| {
                    player.set_transport(Some(transport(from + done as i64, rate)));
                    controls
                },
            )
        };
        // Played from three bars before; reached by a seek from elsewhere; and by a loop.
        let (_a, mut player) = bouncing(rain(), rate);
        let played = run(&mut player, 13 * bar, 4 * bar, 512);
        let played = played.map(|x| x[3 * bar as usize..].to_vec());
        let (_b, mut player) = bouncing(rain(), rate);
        run(&mut player, 2 * bar + 777, 5_000, 300);
        let sought = run(&mut player, 16 * bar, bar, 441);
        let looped = run(&mut player, 16 * bar, bar, 64);
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
        let elsewhere = run(&mut player, 20 * bar, bar, 64);
        assert!(elsewhere[0][bridge..] != played[0][bridge..]);
    }
}

#[test]
fn a_locked_seek_is_bridged_without_a_click() {
    let rate = f64::from(RATE);
    let (_instrument, mut player) = bouncing(rain(), rate);
    let controls = Controls { lock: true, ..HOLD };
    let mut sound = Vec::new();
    for seek in 0..8 {
        let from = 40_000 * ((seek * 5) % 8);
        let part = play(
            &mut player,
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

#[test]
fn pitch_and_time_do_not_touch_each_other() {
    let (_instrument, mut player) = bouncing(tone(), f64::from(RATE));
    let mut pitch_of = |pitch_st: f32, time: f32| {
        player.reset();
        let controls = Controls {
            pitch_st,
            time,
            ..HOLD
        };
        let [left, _] = play(&mut player, 24_000, || 256, |_, _| controls);
        let expected = 500.0 * (f64::from(pitch_st) / 12.0).exp2();
        let found = frequency(&left[8_000..], expected);
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
    let (_instrument, mut player) = bouncing(rain(), f64::from(RATE));
    let seconds = 4;
    let samples = seconds * RATE as usize;
    let plain = play(&mut player, samples, || 256, |_, _| HOLD);
    let natural = largest_step(&plain[0]);
    let level = rms(&plain[0]);
    for (name, at, keeps_level) in SWEEPS {
        player.reset();
        let sweep = play(
            &mut player,
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
    let (_instrument, mut player) = bouncing(rain(), f64::from(RATE));
    let plain = play(&mut player, 16_000, || 256, |_, _| HOLD);
    let natural = largest_step(&plain[0]);
    for (name, at, _) in SWEEPS {
        player.reset();
        let jumps = play(
            &mut player,
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
            let (_instrument, mut player) = bouncing(rain(), f64::from(RATE));
            play(
                &mut player,
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
fn two_hundred_notes_a_second_leave_nothing_behind() {
    let (instrument, mut player) = bouncing(rain(), f64::from(RATE));
    let controls = Controls {
        hold: false,
        key_follow: true,
        ..HOLD
    };
    const SECONDS: usize = 10;
    let every = RATE as usize / 200;
    let mut ended = 0;
    let [left, _] = play(
        &mut player,
        SECONDS * RATE as usize,
        || every,
        |player, done| {
            let i = (done / every) as i32;
            let note = |i: i32| NoteAddress {
                note_id: Some(i),
                channel: Some(0),
                key: Some(36 + (i * 13 % 48) as u8),
            };
            player.note_on(note(i), 0.5);
            if i >= 10 {
                player.note_off(note(i - 10));
            }
            while player.next_ended_note().is_some() {
                ended += 1;
            }
            controls
        },
    );
    assert!(instrument.status().voices as usize <= POLYPHONY);
    let step = largest_step(&left) / rms(&left);
    let plain = play(
        &mut player,
        8_000,
        || 256,
        |player, _| {
            player.all_notes_off();
            HOLD
        },
    );
    assert!(
        step < 3.0 * largest_step(&plain[0]) / rms(&plain[0]),
        "{step}"
    );
    play(&mut player, 8_000, || 256, |_, _| controls);
    while player.next_ended_note().is_some() {
        ended += 1;
    }
    assert_eq!(instrument.status().voices, 0);
    assert_eq!(ended, 200 * SECONDS);
}

#[test]
fn notes_have_streams_and_controls_of_their_own() {
    let (_instrument, mut player) = bouncing(rain(), f64::from(RATE));
    let gate = Controls {
        hold: false,
        ..HOLD
    };
    let note = |channel: u8, key: u8| NoteAddress {
        note_id: None,
        channel: Some(channel),
        key: Some(key),
    };
    let mut sound = |setup: &dyn Fn(&mut Player)| {
        player.reset();
        setup(&mut player);
        play(&mut player, 8_000, || 256, |_, _| gate)
    };
    let one = sound(&|p| p.note_on(note(0, 60), 1.0));
    let two = sound(&|p| {
        p.note_on(note(0, 60), 1.0);
        p.note_on(note(1, 60), 1.0);
    });
    // Independent streams add up in power, not in amplitude.
    let more = db(rms(&two[0]) / rms(&one[0]));
    assert!((1.5..4.5).contains(&more), "{more} dB");
    let soft = sound(&|p| p.note_on(note(0, 60), 0.5));
    assert!((db(rms(&soft[0]) / rms(&one[0])) + 6.02).abs() < 0.1);
    // An expression reaches the note that it names.
    let panned = sound(&|p| {
        p.note_on(note(0, 60), 1.0);
        p.control_note(note(1, 60), NoteControl::Volume, 0.0);
        p.control_note(note(0, 60), NoteControl::Pan, 1.0);
    });
    assert!(rms(&panned[0][1_000..]) < 0.02 * rms(&panned[1][1_000..]));
    let choked = sound(&|p| {
        p.note_on(note(0, 60), 1.0);
        p.choke(note(0, 60));
    });
    assert_eq!(rms(&choked[0][2_000..]), 0.0);
}

#[test]
fn a_note_starts_on_its_sample() {
    let (_instrument, mut player) = bouncing(rain(), f64::from(RATE));
    let gate = Controls {
        hold: false,
        ..HOLD
    };
    play(&mut player, 1_000, || 256, |_, _| gate);
    player.note_on(NoteAddress::key(60), 1.0);
    let [left, _] = play(&mut player, 1_000, || 32, |_, _| gate);
    let onset = left.iter().position(|x| *x != 0.0);
    println!("first sample that is not silent: {onset:?}");
    assert!(onset.unwrap() < 2);
}

#[test]
fn every_rate_from_8_to_192_khz_has_the_pitch() {
    for rate in [8_000.0, 22_050.0, 96_000.0, 192_000.0] {
        let (_instrument, mut player) = bouncing(tone(), rate);
        let [left, _] = play(&mut player, rate as usize, || 4096, |_, _| HOLD);
        let rising = left
            .windows(2)
            .filter(|w| w[0] < 0.0 && w[1] >= 0.0)
            .count();
        assert!(
            (490..512).contains(&rising),
            "{rising} periods a second at {rate} Hz"
        );
    }
}

#[test]
fn settings_out_of_range_are_kept_within() {
    let (_instrument, mut player) = bouncing(rain(), f64::from(RATE));
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
        player.note_on(NoteAddress::key(200), bad);
        player.control_note(NoteAddress::default(), NoteControl::Tuning, bad);
        player.control_note(NoteAddress::default(), NoteControl::Volume, bad);
        let sound = play(
            &mut player,
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
