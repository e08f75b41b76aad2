//! A running instrument through its public doors: capture, fit, sound, state, bad input.

mod guard;

use std::time::{Duration, Instant};

use guard::allocations;

use weft_core::clip::Clip;
use weft_core::instrument::{
    Bank, CaptureSettings, Controls, Instrument, NoteAddress, Phase, Player, Slot, Transport,
};
use weft_core::procedural::{Texture, synthesize};

const RATE: u32 = 16_000;
const BLOCK: usize = 128;
const HOLD: Controls = Controls {
    attack_s: 0.005,
    release_s: 0.05,
    hold: true,
    seed: 3,
    limiter: false,
    ..Controls::DEFAULT
};

fn rain(seconds: f64) -> Clip {
    synthesize(Texture::Rain, 1, RATE, seconds)
}

/// A bouncing instrument with short fits.
fn bouncing(sample_rate: f64) -> (Instrument, Player) {
    let (instrument, mut player) = Instrument::new().unwrap();
    instrument.set_fit_steps(12);
    player.prepare(sample_rate);
    player.set_offline(true);
    (instrument, player)
}

/// Feeds `input` (or silence) for `samples` samples in blocks of `block`; returns left and right.
fn run(
    player: &mut Player,
    input: Option<&Clip>,
    samples: usize,
    block: usize,
    controls: &Controls,
) -> [Vec<f32>; 2] {
    let silence = vec![0.0; samples];
    let channel = |c: usize| match input {
        Some(clip) => &clip.channels()[c.min(clip.channel_count() - 1)],
        None => &silence,
    };
    let (left_in, right_in) = (channel(0), channel(1));
    let mut out = [vec![0.0; samples], vec![0.0; samples]];
    let [left, right] = &mut out;
    for start in (0..samples).step_by(block) {
        let part = start..(start + block).min(samples);
        let input = [&left_in[part.clone()], &right_in[part.clone()]];
        let output = [&mut left[part.clone()], &mut right[part]];
        let guarded = allocations(|| player.process(input, output, controls));
        assert_eq!(guarded, 0, "processing allocated or freed memory");
    }
    out
}

fn saved(instrument: &Instrument) -> Option<Vec<u8>> {
    instrument.save_state()
}

fn rms(x: &[f32]) -> f32 {
    (x.iter().map(|v| v * v).sum::<f32>() / x.len() as f32).sqrt()
}

fn peak(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |p, v| p.max(v.abs()))
}

/// Captures rain in a bounce and returns what sounds afterwards.
fn capture_and_play(instrument: &Instrument, player: &mut Player, block: usize) -> [Vec<f32>; 2] {
    let clip = rain(2.0);
    player.start_capture(CaptureSettings::now(Slot::A, 1.5));
    let heard = run(player, Some(&clip), clip.len(), block, &HOLD);
    assert_eq!(
        peak(&heard[0][..RATE as usize]),
        0.0,
        "the input must not be heard"
    );
    assert!(!player.is_capturing());
    let sound = run(player, None, RATE as usize, block, &HOLD);
    assert_eq!(instrument.status().error, None);
    assert_eq!(instrument.status().phase, Phase::Playing);
    sound
}

/// What an instrument saves that has captured the rain.
fn captured() -> Vec<u8> {
    let (instrument, mut player) = bouncing(f64::from(RATE));
    capture_and_play(&instrument, &mut player, 64);
    saved(&instrument).unwrap()
}

#[test]
fn a_capture_becomes_a_texture() {
    let (instrument, mut player) = bouncing(f64::from(RATE));
    let [left, right] = capture_and_play(&instrument, &mut player, BLOCK);
    let level = rms(&rain(2.0).channels()[0]);
    for x in [&left, &right] {
        assert!(x.iter().all(|v| v.is_finite()) && peak(x) < 1.0);
        let ratio = rms(x) / level;
        assert!((0.5..2.0).contains(&ratio), "level ratio {ratio}");
    }
    assert!(left != right);
    let info = instrument.status().texture.unwrap();
    assert_eq!(
        (info.sample_rate, info.stereo, info.fit_steps),
        (RATE, true, 12)
    );
    assert_eq!(instrument.status().underruns, 0);
}

#[test]
fn bounces_are_identical_at_any_block_size() {
    let bounce = |block| {
        let (instrument, mut player) = bouncing(f64::from(RATE));
        capture_and_play(&instrument, &mut player, block)
    };
    let first = bounce(64);
    assert!(first == bounce(441));
    assert!(first == bounce(1024));
}

#[test]
fn a_bounce_begins_at_the_beginning_whatever_was_played_before() {
    let state = captured();
    let bounce = |played_before: usize| {
        let (instrument, mut player) = bouncing(f64::from(RATE));
        instrument.load_state(&state).unwrap();
        player.set_offline(false);
        run(&mut player, None, played_before, BLOCK, &HOLD);
        player.set_offline(true);
        // Some hosts roll a moment later.
        run(&mut player, None, played_before / 10, BLOCK, &HOLD);
        player.set_transport(Some(Transport {
            samples: 0,
            beats: None,
            bar_start_beats: None,
            beats_per_bar: None,
            tempo: None,
        }));
        run(&mut player, None, RATE as usize, BLOCK, &HOLD)
    };
    let first = bounce(0);
    assert!(rms(&first[0]) > 0.0);
    assert!(bounce(12_345) == first);
}

#[test]
fn a_host_that_renders_fast_without_saying_so_misses_nothing() {
    let state = captured();
    let render = |says_so: bool| {
        let (instrument, mut player) = bouncing(f64::from(RATE));
        instrument.load_state(&state).unwrap();
        let second = RATE as usize;
        run(&mut player, None, second, BLOCK, &HOLD);
        player.set_offline(says_so);
        // As a host that has been playing: the rings are full.
        std::thread::sleep(Duration::from_millis(500));
        let sound = run(&mut player, None, 60 * second, BLOCK, &HOLD);
        assert_eq!(instrument.status().underruns, 0);
        sound
    };
    assert!(render(true) == render(false));
}

#[test]
fn state_plays_at_once_with_no_fit_and_sounds_the_same() {
    let (instrument, mut player) = bouncing(f64::from(RATE));
    assert!(saved(&instrument).is_none());
    capture_and_play(&instrument, &mut player, BLOCK);
    player.reset();
    let sound = run(&mut player, None, 8_000, BLOCK, &HOLD);
    let state = saved(&instrument).unwrap();

    let (other, mut other_player) = bouncing(f64::from(RATE));
    other.load_state(&state).unwrap();
    let same = run(&mut other_player, None, 8_000, BLOCK, &HOLD);
    assert!(rms(&same[0]) > 0.0);
    assert!(sound == same);
    assert!(saved(&other).unwrap() == state);
    assert!(!other.is_busy());
}

#[test]
fn what_plays_can_be_refined() {
    let (instrument, mut player) = bouncing(f64::from(RATE));
    instrument.refine(Slot::A);
    while instrument.is_busy() {
        std::thread::yield_now();
    }
    let error = instrument.status().error.unwrap();
    assert!(error.contains("no texture"), "{error}");

    capture_and_play(&instrument, &mut player, BLOCK);
    let before = instrument.status().texture.unwrap();
    instrument.refine(Slot::A);
    // The bounce waits for it, as for any fit.
    let sound = run(&mut player, None, RATE as usize, BLOCK, &HOLD);
    let after = instrument.status().texture.unwrap();
    assert!(after.fit_steps > before.fit_steps && after.loss < before.loss);
    assert!(rms(&sound[0]) > 0.0);
    assert_eq!(instrument.status().error, None);
}

#[test]
fn seeds_differ_and_the_same_seed_is_the_same() {
    let (instrument, mut player) = bouncing(f64::from(RATE));
    capture_and_play(&instrument, &mut player, BLOCK);
    let mut play = |seed| {
        player.reset();
        let controls = Controls { seed, ..HOLD };
        run(&mut player, None, 8_000, BLOCK, &controls)
    };
    let (a, b, c) = (play(1), play(2), play(1));
    assert!(a != b);
    assert!(a == c);
}

#[test]
fn notes_gate_the_sound() {
    let (instrument, mut player) = bouncing(f64::from(RATE));
    capture_and_play(&instrument, &mut player, BLOCK);
    assert_eq!(allocations(|| player.reset()), 0);
    let gate = Controls {
        hold: false,
        ..HOLD
    };
    assert_eq!(peak(&run(&mut player, None, 4_000, BLOCK, &gate)[0]), 0.0);
    player.note_on(NoteAddress::key(60), 1.0);
    let sound = run(&mut player, None, 4_000, BLOCK, &gate);
    assert!(
        rms(&sound[0][..200]) > 0.0,
        "a note sounds within one block"
    );
    player.note_off(NoteAddress::key(60));
    let tail = run(&mut player, None, 4_000, BLOCK, &gate);
    assert!(rms(&tail[0][..200]) > 0.0 && peak(&tail[0][3_000..]) == 0.0);
}

#[test]
fn another_host_rate_keeps_the_pitch_and_the_level() {
    let (instrument, mut player) = bouncing(f64::from(RATE));
    // A hum at 1 kHz, so that the pitch can be seen.
    let hum = |i: usize| 0.2 * (std::f32::consts::TAU * 1000.0 * i as f32 / RATE as f32).sin();
    let noise = rain(2.0);
    let channel = |c: &Vec<f32>| {
        c.iter()
            .enumerate()
            .map(|(i, x)| hum(i) + 0.05 * x)
            .collect()
    };
    let clip = Clip::new(RATE, noise.channels().iter().map(channel).collect()).unwrap();
    instrument.load_clip(Slot::A, clip, "hum");
    let base = run(&mut player, None, 16_000, BLOCK, &HOLD);
    player.prepare(44_100.0);
    let other = run(&mut player, None, 44_100, BLOCK, &HOLD);
    let crossings = |x: &[f32]| x.windows(2).filter(|w| w[0] < 0.0 && w[1] >= 0.0).count() as f32;
    let (a, b) = (crossings(&base[0]), crossings(&other[0]));
    assert!((a / b - 1.0).abs() < 0.02, "{a} and {b} crossings a second");
    assert!((rms(&base[0]) / rms(&other[0]) - 1.0).abs() < 0.1);
}

#[test]
fn bad_captures_change_nothing() {
    let (instrument, mut player) = bouncing(f64::from(RATE));
    capture_and_play(&instrument, &mut player, BLOCK);
    let state = saved(&instrument);
    let silence = Clip::new(RATE, vec![vec![0.0; 40_000]]).unwrap();
    let mut spoiled = rain(2.0).channels()[0].clone();
    spoiled[9_000] = f32::NAN;
    let nan = Clip::new(RATE, vec![spoiled]).unwrap();
    for (clip, word) in [(silence, "silen"), (nan, "NaN")] {
        player.start_capture(CaptureSettings::now(Slot::A, 1.0));
        run(&mut player, Some(&clip), 20_000, BLOCK, &HOLD);
        let error = instrument.status().error.expect("a message");
        assert!(error.contains(word), "{error}");
        assert!(rms(&run(&mut player, None, 4_000, BLOCK, &HOLD)[0]) > 0.0);
        assert!(saved(&instrument) == state);
        instrument.clear_error();
    }
    for garbage in [
        &b""[..],
        b"not a texture",
        &state.as_ref().unwrap()[..2_000],
    ] {
        assert!(instrument.load_state(garbage).is_err());
    }
    let mut newer = state.clone().unwrap();
    let key = br#"\"version\":1"#;
    let at = newer
        .windows(key.len())
        .position(|w| w == key)
        .expect("the header's version");
    newer[at + key.len() - 1] = b'9';
    let error = instrument.load_state(&newer).unwrap_err().to_string();
    assert!(error.contains("newer"), "{error}");
    instrument.load_file(Slot::A, "no such file.wav".into());
    run(&mut player, None, BLOCK, BLOCK, &HOLD);
    assert!(
        instrument
            .status()
            .error
            .unwrap()
            .contains("no such file.wav")
    );
    assert!(saved(&instrument) == state);
}

#[test]
fn damaged_states_never_panic() {
    let (instrument, mut player) = bouncing(f64::from(RATE));
    capture_and_play(&instrument, &mut player, BLOCK);
    let state = saved(&instrument).unwrap();
    // Every bit of the header, and a spread of the rest.
    let step = |i: usize| if i < 4_000 { 7 } else { 4_999 };
    let mut at = 0;
    while at < state.len() {
        let mut bytes = state.clone();
        bytes[at] ^= 1 << (at % 8);
        if let Ok(bank) = Bank::from_bytes(&bytes) {
            let texture = bank.texture(Slot::A);
            assert!(texture.is_none_or(|model| model.sample_rate() >= 8_000));
        }
        at += step(at);
    }
}

#[test]
fn dropping_at_any_time_ends_every_thread() {
    for phase in 0..4 {
        let (instrument, mut player) = Instrument::new().unwrap();
        instrument.set_fit_steps(100_000);
        player.prepare(f64::from(RATE));
        if phase > 0 {
            instrument.load_clip(Slot::A, rain(2.0), "rain");
        }
        let deadline = Instant::now() + Duration::from_secs(60);
        let reached = |phase: u32| match instrument.status().phase {
            Phase::Fitting { step, .. } => step >= phase,
            _ => false,
        };
        while phase > 1 && !reached(phase - 1) {
            assert!(Instant::now() < deadline, "the fit does not start");
            run(&mut player, None, BLOCK, BLOCK, &HOLD);
            std::thread::sleep(Duration::from_millis(1));
        }
        if phase % 2 == 0 {
            drop(instrument);
            // The audio thread may go on for a while.
            run(&mut player, None, 4_000, BLOCK, &HOLD);
        } else {
            drop(player);
            drop(instrument);
        }
    }
}

#[test]
fn snapshots_are_heard_in_real_time_without_a_click() {
    let (instrument, mut player) = Instrument::new().unwrap();
    instrument.set_fit_steps(60);
    player.prepare(f64::from(RATE));
    let clip = rain(2.0);
    let loudest_step = |x: &[f32]| x.windows(2).fold(0.0f32, |m, w| m.max((w[1] - w[0]).abs()));
    let natural = loudest_step(&clip.channels()[0]);
    instrument.load_clip(Slot::A, clip, "rain");
    let mut sound = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(120);
    while instrument.is_busy() || sound.len() < 16_000 {
        assert!(Instant::now() < deadline, "the fit does not end");
        sound.extend(run(&mut player, None, BLOCK, BLOCK, &HOLD)[0].iter());
        std::thread::sleep(Duration::from_millis(8));
    }
    let onset = sound
        .iter()
        .position(|&x| x != 0.0)
        .expect("something is heard");
    let step = loudest_step(&sound[onset..]);
    assert!(
        step < 2.0 * natural,
        "a step of {step}, {natural} in the capture"
    );
    assert_eq!(instrument.status().error, None);
}

#[test]
fn a_bad_capture_over_a_loaded_texture_changes_nothing() {
    let rate = 48_000;
    let clip = synthesize(Texture::Rain, 1, rate, 1.5);
    let (instrument, mut player) = bouncing(f64::from(rate));
    instrument.load_clip(Slot::A, clip, "rain");
    run(&mut player, None, BLOCK, BLOCK, &HOLD);
    let state = saved(&instrument).unwrap();

    let (other, mut player) = bouncing(f64::from(rate));
    other.load_state(&state).unwrap();
    player.reset();
    let before = run(&mut player, None, 24_000, 512, &HOLD);
    player.start_capture(CaptureSettings::now(Slot::A, 1.0));
    run(&mut player, None, 48_000 + 512, 512, &HOLD);
    assert!(other.status().error.expect("a message").contains("silen"));
    player.reset();
    let again = run(&mut player, None, 24_000, 512, &HOLD);
    assert!(again == before);
}

#[test]
fn a_capture_right_behind_another_gets_its_own_samples() {
    let rate = 8_000;
    let clip = synthesize(Texture::Rain, 1, rate, 1.0);
    let silence = Clip::new(rate, vec![vec![0.0; rate as usize]; 2]).unwrap();
    for _ in 0..20 {
        let (instrument, mut player) = Instrument::new().unwrap();
        instrument.set_fit_steps(1);
        player.prepare(f64::from(rate));
        // Back to back in real time, faster than the worker looks: silence, then rain.
        player.start_capture(CaptureSettings::now(Slot::A, 1.0));
        run(&mut player, Some(&silence), rate as usize, BLOCK, &HOLD);
        player.start_capture(CaptureSettings::now(Slot::A, 1.0));
        run(&mut player, Some(&clip), rate as usize, BLOCK, &HOLD);
        let deadline = Instant::now() + Duration::from_secs(60);
        while instrument.is_busy() {
            assert!(Instant::now() < deadline, "the fit does not end");
            std::thread::sleep(Duration::from_millis(1));
        }
        let captured = instrument.capture(Slot::A).unwrap();
        let close = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
        for (a, b) in captured.clip().channels().iter().zip(clip.channels()) {
            assert!(a.len() == b.len() && a.iter().zip(b).all(close));
        }
    }
}
