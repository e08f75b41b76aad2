//! Captures: from the input and its memory, when they begin, which are refused, and how they are kept.

mod support;

use weft_core::clip::{Clip, Remark};
use weft_core::instrument::{CaptureSettings, CaptureStart, Phase, Slot, Transport};
use weft_core::network::Model;
use weft_core::procedural::{Texture, synthesize};

use support::capturing::{capture_rain, captured_state, is_kept};
use support::clips::{RATE, map_samples, max_difference, rain, silence, texture};
use support::host::{BLOCK_SIZE, HOLD, bouncing, bouncing_at, started};
use support::measures::rms;
use support::waiting::wait_for_rest;

#[test]
fn what_was_heard_can_be_grabbed_afterwards() {
    let (instrument, mut host) = bouncing();
    let clip = texture(Texture::Rain, 1, 4.0);
    let heard = host.feed(&clip, clip.len(), &HOLD);
    assert!(
        heard.iter().flatten().all(|x| *x == 0.0),
        "the input is not heard"
    );
    // By the window, then by automation.
    instrument.grab(Slot::B, 2.0);
    host.grab(CaptureSettings::now(Slot::C, 1.5));
    // A fit of automation goes on with the song.
    host.play(RATE as usize / 4, &HOLD);
    wait_for_rest(&instrument);
    assert_eq!(instrument.status().error, None);
    let channel = &clip.channels()[0];
    let last = |seconds: f64| &channel[channel.len() - (seconds * f64::from(RATE)) as usize..];
    assert!(is_kept(&instrument.capture(Slot::B).unwrap(), last(2.0)));
    assert!(is_kept(&instrument.capture(Slot::C).unwrap(), last(1.5)));

    // More than is remembered is as much as there is; nothing at all is refused.
    instrument.grab(Slot::D, 30.0);
    wait_for_rest(&instrument);
    let all = instrument.capture(Slot::D).unwrap();
    assert!(all.clip().duration_s() > 3.9);
    host.prepare(2.0 * f64::from(RATE));
    instrument.grab(Slot::A, 5.0);
    wait_for_rest(&instrument);
    assert!(instrument.status().error.is_some());
    assert!(instrument.capture(Slot::A).is_none());
}

#[test]
fn thirty_seconds_are_remembered_and_no_more() {
    let (instrument, mut host) = bouncing();
    instrument.set_fit_steps(1);
    let clip = texture(Texture::Fire, 2, 45.0);
    host.feed(&clip, clip.len(), &HOLD);
    instrument.grab(Slot::A, 30.0);
    wait_for_rest(&instrument);
    let channel = &clip.channels()[0];
    let last = &channel[channel.len() - 30 * RATE as usize..];
    assert!(is_kept(&instrument.capture(Slot::A).unwrap(), last));
}

#[test]
fn a_capture_waits_for_its_level_or_bar() {
    let (instrument, mut host) = bouncing();
    let rain = texture(Texture::Rain, 1, 3.0);
    // A second of faint noise, then rain.
    let faint = 0.0005 / rain.peak();
    let channels = rain.channels().iter().map(|c| {
        let quiet = c[..RATE as usize].iter().map(|x| x * faint);
        quiet.chain(c.iter().copied()).collect()
    });
    let clip = Clip::new(RATE, channels.collect()).unwrap();
    host.start_capture(CaptureSettings {
        start: CaptureStart::Threshold(-50.0),
        ..CaptureSettings::now(Slot::A, 1.5)
    });
    host.feed(&clip, RATE as usize, &HOLD);
    assert_eq!(instrument.status().phase, Phase::Waiting);
    let rest = clip.trimmed(1.0, 10.0);
    host.feed(&rest, rest.len(), &HOLD);
    let channels = clip.channels();
    let loud = (0..clip.len())
        .position(|i| channels.iter().any(|c| c[i].abs() >= 10.0f32.powf(-2.5)))
        .unwrap();
    let begin = loud - RATE as usize / 100;
    let part = &channels[0][begin..begin + 3 * RATE as usize / 2];
    assert!(is_kept(&instrument.capture(Slot::A).unwrap(), part));

    // At 120 beats a minute a bar of four has two seconds; the song is at one second.
    host.start_capture(CaptureSettings {
        start: CaptureStart::NextBar,
        ..CaptureSettings::now(Slot::B, 1.0)
    });
    let begin = i64::from(RATE);
    let blocks = || BLOCK_SIZE;
    host.drive(Some(&clip), clip.len(), blocks, |player, done| {
        let song = begin + done as i64;
        player.set_transport(Some(Transport {
            samples: song,
            beats: Some(song as f64 / f64::from(RATE) * 2.0),
            bar_start_beats: None,
            beats_per_bar: Some(4.0),
            tempo: Some(120.0),
        }));
        HOLD
    });
    wait_for_rest(&instrument);
    let second = RATE as usize;
    let part = &channels[0][second..2 * second];
    assert!(is_kept(&instrument.capture(Slot::B).unwrap(), part));

    // One that waits can be cancelled.
    host.start_capture(CaptureSettings {
        start: CaptureStart::NextBar,
        ..CaptureSettings::now(Slot::C, 1.0)
    });
    host.cancel_capture();
    assert!(!host.is_capturing() && instrument.status().phase != Phase::Waiting);
}

#[test]
fn a_capture_right_behind_another_gets_its_own_samples() {
    let rate = 8_000;
    let clip = synthesize(Texture::Rain, 1, rate, 1.0);
    let silence = silence(rate, rate as usize);
    for _ in 0..20 {
        let (instrument, mut host) = started(f64::from(rate), 1);
        // Back to back in real time, faster than the worker looks: silence, then rain.
        host.start_capture(CaptureSettings::now(Slot::A, 1.0));
        host.feed(&silence, rate as usize, &HOLD);
        host.start_capture(CaptureSettings::now(Slot::A, 1.0));
        host.feed(&clip, rate as usize, &HOLD);
        wait_for_rest(&instrument);
        let captured = instrument.capture(Slot::A).unwrap();
        let close = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
        for (a, b) in captured.clip().channels().iter().zip(clip.channels()) {
            assert!(a.len() == b.len() && a.iter().zip(b).all(close));
        }
    }
}

#[test]
fn bad_captures_change_nothing() {
    let (instrument, mut host) = bouncing();
    capture_rain(&instrument, &mut host);
    let state = instrument.save_state();
    let silence = Clip::new(RATE, vec![vec![0.0; 40_000]]).unwrap();
    let mut spoiled = rain(2.0).channels()[0].clone();
    spoiled[9_000] = f32::NAN;
    let nan = Clip::new(RATE, vec![spoiled]).unwrap();
    for (clip, word) in [(silence, "silen"), (nan, "NaN")] {
        host.start_capture(CaptureSettings::now(Slot::A, 1.0));
        host.feed(&clip, 20_000, &HOLD);
        let error = instrument.status().error.expect("a message");
        assert!(error.contains(word), "{error}");
        assert!(rms(&host.play(4_000, &HOLD)[0]) > 0.0);
        assert!(instrument.save_state() == state);
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
    host.play(BLOCK_SIZE, &HOLD);
    assert!(
        instrument
            .status()
            .error
            .unwrap()
            .contains("no such file.wav")
    );
    assert!(instrument.save_state() == state);
}

#[test]
fn a_bad_capture_over_a_loaded_texture_changes_nothing() {
    let rate = 48_000;
    let clip = synthesize(Texture::Rain, 1, rate, 1.5);
    let (instrument, mut host) = bouncing_at(f64::from(rate));
    instrument.load_clip(Slot::A, clip, "rain");
    host.play(BLOCK_SIZE, &HOLD);
    let state = instrument.save_state().unwrap();

    let (other, mut host) = bouncing_at(f64::from(rate));
    other.load_state(&state).unwrap();
    host.reset();
    host.block_size = 512;
    let before = host.play(24_000, &HOLD);
    host.start_capture(CaptureSettings::now(Slot::A, 1.0));
    host.play(48_000 + 512, &HOLD);
    assert!(other.status().error.expect("a message").contains("silen"));
    host.reset();
    let again = host.play(24_000, &HOLD);
    assert!(again == before);
}

#[test]
fn captures_are_judged_before_they_are_learned() {
    let rain = texture(Texture::Rain, 1, 2.0);
    assert_eq!(rain.remarks(), []);
    let scaled = |gain: f32| map_samples(&rain, |x| (x * gain).clamp(-1.0, 1.0));
    let peak = rain.peak();
    let clipped = scaled(8.0 / peak).remarks();
    assert!(matches!(clipped[..], [Remark::Clipped { peaks }] if peaks > 2));
    let quiet = scaled(0.005 / peak).remarks();
    assert!(matches!(quiet[..], [Remark::Quiet { peak_dbfs }] if peak_dbfs < -40.0));
    let short = texture(Texture::Rain, 1, 1.9).remarks();
    assert!(
        matches!(short[..], [Remark::Short { duration_s }] if (1.8..2.0).contains(&duration_s))
    );
    assert!(short[0].to_string().contains("only 1.9 s"));
    let mut pauses = rain.clone().into_channels();
    pauses.iter_mut().for_each(|c| c[10_000..].fill(0.0));
    let pauses = Clip::new(RATE, pauses).unwrap().remarks();
    assert!(matches!(pauses[..], [Remark::MostlySilent { share }] if share > 0.6));
}

#[test]
fn captures_are_kept_losslessly_at_the_bits_they_need() {
    let folder = tempfile::tempdir().unwrap();
    let through_a_file = |clip: &Clip| {
        let (instrument, mut host) = bouncing();
        instrument.set_fit_steps(1);
        instrument.load_clip(Slot::A, clip.clone(), "it");
        host.play(BLOCK_SIZE, &HOLD);
        let path = folder.path().join("it.weft");
        let model = instrument.texture(Slot::A).unwrap();
        model.write(&path).unwrap();
        let size = std::fs::metadata(&path).unwrap().len();
        let back = Model::read(&path).unwrap();
        assert!(back.capture() == model.capture());
        (back.capture().unwrap().clip().clone(), size)
    };
    let rain = texture(Texture::Rain, 1, 3.0);
    let sixteen = map_samples(&rain, |x| (x * 32_768.0).round() / 32_768.0);
    let (kept, small) = through_a_file(&sixteen);
    assert!(kept == sixteen);
    let (kept, large) = through_a_file(&rain);
    let error = max_difference(&kept, &rain);
    // Half a step of 24 bits, and the rounding of the samples themselves.
    assert!(error <= rain.peak() / 8_388_608.0, "{error}");
    assert!(small < large);
    // A faint recording keeps as many bits.
    let faint = map_samples(&rain, |x| x * 1e-3);
    let (kept, _) = through_a_file(&faint);
    let error = max_difference(&kept, &faint);
    assert!(error <= faint.peak() / 8_388_608.0, "{error}");
}

#[test]
fn a_load_ends_what_was_begun_for_the_contents_before_it() {
    let state = captured_state();
    let loud = texture(Texture::Fire, 3, 2.0);
    let quiet = map_samples(&loud, |x| x * 1e-4);
    let waits = CaptureSettings {
        start: CaptureStart::Threshold(-20.0),
        ..CaptureSettings::now(Slot::A, 1.0)
    };
    for settings in [waits, CaptureSettings::now(Slot::A, 1.0)] {
        let (instrument, mut host) = bouncing();
        host.start_capture(settings);
        host.feed(&quiet, RATE as usize / 2, &HOLD);
        assert!(host.is_capturing());
        instrument.load_state(state).unwrap();
        assert!(!host.is_capturing());
        host.feed(&loud, loud.len(), &HOLD);
        wait_for_rest(&instrument);
        assert!(instrument.save_state().unwrap() == state);
        assert_ne!(instrument.status().phase, Phase::Waiting);
        // What begins afterwards is for what is there now.
        host.start_capture(settings);
        host.feed(&loud, loud.len(), &HOLD);
        wait_for_rest(&instrument);
        assert!(instrument.save_state().unwrap() != state);
    }
}

#[test]
fn a_capture_that_waits_follows_its_settings() {
    let (instrument, mut host) = bouncing();
    let clip = texture(Texture::Rain, 1, 3.0);
    let waits = CaptureSettings {
        start: CaptureStart::Threshold(0.0),
        ..CaptureSettings::now(Slot::A, 2.0)
    };
    host.start_capture(waits);
    host.feed(&clip, RATE as usize / 2, &HOLD);
    assert!(host.is_capturing() && !host.is_recording());
    host.follow_capture(CaptureSettings::now(Slot::D, 1.0));
    assert!(host.is_recording());
    host.feed(&clip, clip.len(), &HOLD);
    wait_for_rest(&instrument);
    assert!(instrument.capture(Slot::A).is_none());
    let begin = &clip.channels()[0][..RATE as usize];
    assert!(is_kept(&instrument.capture(Slot::D).unwrap(), begin));
}
