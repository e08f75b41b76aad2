//! Four textures: captures from the input's memory, slots, trims, undo, and what a project keeps of them.

use std::time::{Duration, Instant};

use weft_core::clip::{Capture, Clip, Remark};
use weft_core::instrument::{
    Bank, CaptureSettings, CaptureStart, Controls, FitState, Instrument, Phase, Player, Slot,
    Transport,
};
use weft_core::network::Model;
use weft_core::procedural::{Texture, synthesize};

const RATE: u32 = 16_000;
const BLOCK: usize = 256;
const HOLD: Controls = Controls {
    attack_s: 0.001,
    release_s: 0.02,
    hold: true,
    limiter: false,
    ..Controls::DEFAULT
};

/// A bouncing instrument with short fits.
fn bouncing() -> (Instrument, Player) {
    let (instrument, mut player) = Instrument::new().unwrap();
    instrument.set_fit_steps(8);
    player.prepare(f64::from(RATE));
    player.set_offline(true);
    (instrument, player)
}

fn in_slot(slot: Slot) -> Controls {
    Controls { slot, ..HOLD }
}

/// Plays `samples` samples while `input` (or silence) is heard.
fn run(player: &mut Player, input: Option<&Clip>, samples: usize, controls: &Controls) -> Vec<f32> {
    run_in(player, input, samples, controls, BLOCK)
}

/// The same in blocks of `block` samples.
fn run_in(
    player: &mut Player,
    input: Option<&Clip>,
    samples: usize,
    controls: &Controls,
    block: usize,
) -> Vec<f32> {
    let silence = vec![0.0; samples];
    let channel = |c: usize| input.map_or(&silence, |clip| &clip.channels()[c]);
    let mut out = vec![0.0; samples];
    let mut right = vec![0.0; block];
    for start in (0..samples).step_by(block) {
        let part = start..(start + block).min(samples);
        let right = &mut right[..part.len()];
        let input = [&channel(0)[part.clone()], &channel(1)[part.clone()]];
        player.process(input, [&mut out[part], right], controls);
    }
    out
}

fn rms(x: &[f32]) -> f32 {
    (x.iter().map(|v| v * v).sum::<f32>() / x.len() as f32).sqrt()
}

fn wait(instrument: &Instrument) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while instrument.is_busy() {
        assert!(
            Instant::now() < deadline,
            "the instrument does not come to rest"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn texture(kind: Texture, seed: u64, seconds: f64) -> Clip {
    synthesize(kind, seed, RATE, seconds)
}

/// Whether `part` is what `capture` kept of it.
fn is_kept(capture: &Capture, part: &[f32]) -> bool {
    let kept = &capture.clip().channels()[0];
    kept.len() == part.len() && kept.iter().zip(part).all(|(a, b)| (a - b).abs() < 1e-6)
}

#[test]
fn every_slot_plays_its_own_texture_and_changes_without_a_click() {
    let (instrument, mut player) = bouncing();
    instrument.load_clip(Slot::A, texture(Texture::Rain, 1, 2.0), "rain");
    instrument.load_clip(Slot::B, texture(Texture::Surf, 1, 2.0), "surf");
    let a = run(&mut player, None, 8_000, &in_slot(Slot::A));
    let b = run(&mut player, None, 8_000, &in_slot(Slot::B));
    assert!(rms(&a) > 0.0 && rms(&b) > 0.0);
    let status = instrument.status();
    assert_eq!(status.playing, Slot::B);
    let names = status.slots.map(|s| s.name);
    assert_eq!(names, ["rain", "surf", "", ""]);

    // An empty slot is silent, after the fade.
    let silent = run(&mut player, None, 8_000, &in_slot(Slot::C));
    assert!(silent[2_000..].iter().all(|x| *x == 0.0));
    assert!(rms(&run(&mut player, None, 8_000, &in_slot(Slot::A))) > 0.0);

    // Changes of slot make no larger steps than the textures themselves.
    let step = |x: &[f32]| x.windows(2).fold(0.0f32, |m, w| m.max((w[1] - w[0]).abs()));
    let natural = step(&a).max(step(&b));
    let mut sound = Vec::new();
    for i in 0..12 {
        let slot = [Slot::A, Slot::B, Slot::C][i % 3];
        sound.extend(run(&mut player, None, 1_500 + 7 * i, &in_slot(slot)));
    }
    assert!(
        step(&sound) < 1.5 * natural,
        "{} of {natural}",
        step(&sound)
    );

    // The same automation gives the same sound.
    let mut bounce = || {
        player.reset();
        let part = |slot| run(&mut player, None, 3_000, &in_slot(slot));
        [Slot::B, Slot::C, Slot::A].map(part)
    };
    let first = bounce();
    assert!(first == bounce());
}

#[test]
fn what_was_heard_can_be_grabbed_afterwards() {
    let (instrument, mut player) = bouncing();
    let clip = texture(Texture::Rain, 1, 4.0);
    let heard = run(&mut player, Some(&clip), clip.len(), &HOLD);
    assert!(heard.iter().all(|x| *x == 0.0), "the input is not heard");
    // By the window, then by automation.
    instrument.grab(Slot::B, 2.0);
    player.grab(CaptureSettings::now(Slot::C, 1.5));
    // A fit of automation goes on with the song.
    run(&mut player, None, RATE as usize / 4, &HOLD);
    wait(&instrument);
    assert_eq!(instrument.status().error, None);
    let channel = &clip.channels()[0];
    let last = |seconds: f64| &channel[channel.len() - (seconds * f64::from(RATE)) as usize..];
    assert!(is_kept(&instrument.capture(Slot::B).unwrap(), last(2.0)));
    assert!(is_kept(&instrument.capture(Slot::C).unwrap(), last(1.5)));

    // More than is remembered is as much as there is; nothing at all is refused.
    instrument.grab(Slot::D, 30.0);
    wait(&instrument);
    let all = instrument.capture(Slot::D).unwrap();
    assert!(all.clip().duration_s() > 3.9);
    player.prepare(2.0 * f64::from(RATE));
    instrument.grab(Slot::A, 5.0);
    wait(&instrument);
    assert!(instrument.status().error.is_some());
    assert!(instrument.capture(Slot::A).is_none());
}

#[test]
fn a_bounce_captures_all_of_it_however_fast_it_is() {
    // Nothing plays yet: the host is through with it in milliseconds.
    let clip = texture(Texture::Rain, 4, 30.0);
    for _ in 0..8 {
        let (instrument, mut player) = bouncing();
        instrument.set_fit_steps(1);
        player.start_capture(CaptureSettings::now(Slot::A, 30.0));
        run_in(
            &mut player,
            Some(&clip),
            clip.len(),
            &Controls::DEFAULT,
            8192,
        );
        run(&mut player, None, BLOCK, &HOLD);
        assert_eq!(instrument.status().error, None);
        let capture = instrument.capture(Slot::A).unwrap();
        assert!(is_kept(&capture, &clip.channels()[0]));
    }
}

#[test]
fn fits_of_captures_in_a_bounce_keep_to_its_song() {
    let second = RATE as usize;
    let clips = [Texture::Rain, Texture::Fire].map(|kind| texture(kind, 3, 0.5));
    let bounce = |block: usize| {
        let (instrument, mut player) = bouncing();
        instrument.set_fit_steps(400);
        let mut sound = Vec::new();
        let mut play = |player: &mut Player, input: Option<&Clip>, samples, slot| {
            sound.extend(run_in(player, input, samples, &in_slot(slot), block));
        };
        // Two fits at once: the one that is heard goes on, the other waits.
        player.start_capture(CaptureSettings::now(Slot::A, 0.5));
        play(&mut player, Some(&clips[0]), second / 2, Slot::A);
        play(&mut player, None, second / 2, Slot::A);
        player.start_capture(CaptureSettings::now(Slot::B, 0.5));
        play(&mut player, Some(&clips[1]), second / 2, Slot::B);
        for slot in [Slot::B, Slot::A, Slot::B] {
            play(&mut player, None, second / 3, slot);
        }
        let heard = instrument.status().slots.map(|slot| {
            let texture = slot.texture.map(|t| t.fit_steps);
            (texture, slot.fit.is_some())
        });
        (instrument, player, sound, heard)
    };
    let (instrument, mut player, sound, heard) = bounce(64);
    println!("steps heard, and whether there are more to come: {heard:?}");
    assert!(rms(&sound[sound.len() - second / 4..]) > 1e-4);
    for (steps, goes_on) in &heard[..2] {
        assert!(*goes_on && (20..400).contains(&steps.unwrap()));
    }
    for block in [64, 441, 1000] {
        let (_, _, again, heard_again) = bounce(block);
        assert!(sound == again && heard == heard_again, "blocks of {block}");
    }
    // When the bounce is over, they go on as any others.
    player.set_offline(false);
    wait(&instrument);
    let done = [Slot::A, Slot::B].map(|slot| instrument.texture(slot).unwrap());
    assert_eq!(done.map(|model| model.fit_record().steps), [400, 400]);
    assert_eq!(instrument.status().error, None);
}

#[test]
fn a_refused_capture_in_a_bounce_does_not_stop_the_fit_before_it() {
    let second = RATE as usize;
    let (instrument, mut player) = bouncing();
    instrument.set_fit_steps(150);
    let clip = texture(Texture::Rain, 3, 1.0);
    player.start_capture(CaptureSettings::now(Slot::A, 1.0));
    run(&mut player, Some(&clip), clip.len(), &HOLD);
    player.start_capture(CaptureSettings::now(Slot::A, 1.0));
    run(&mut player, None, second + BLOCK, &HOLD);
    let status = instrument.status();
    assert!(status.error.is_some(), "silence was not refused");
    let texture = status.slots[0].texture.unwrap();
    assert_eq!(texture.fit_steps, 150);
    assert!(!instrument.is_busy());
}

#[test]
fn thirty_seconds_are_remembered_and_no_more() {
    let (instrument, mut player) = bouncing();
    instrument.set_fit_steps(1);
    let clip = texture(Texture::Fire, 2, 45.0);
    run(&mut player, Some(&clip), clip.len(), &HOLD);
    instrument.grab(Slot::A, 30.0);
    wait(&instrument);
    let channel = &clip.channels()[0];
    let last = &channel[channel.len() - 30 * RATE as usize..];
    assert!(is_kept(&instrument.capture(Slot::A).unwrap(), last));
}

#[test]
fn a_capture_waits_for_its_level_or_bar() {
    let (instrument, mut player) = bouncing();
    let rain = texture(Texture::Rain, 1, 3.0);
    // A second of faint noise, then rain.
    let faint = 0.0005 / rain.peak();
    let channels = rain.channels().iter().map(|c| {
        let quiet = c[..RATE as usize].iter().map(|x| x * faint);
        quiet.chain(c.iter().copied()).collect()
    });
    let clip = Clip::new(RATE, channels.collect()).unwrap();
    player.start_capture(CaptureSettings {
        start: CaptureStart::Threshold(-50.0),
        ..CaptureSettings::now(Slot::A, 1.5)
    });
    run(&mut player, Some(&clip), RATE as usize, &HOLD);
    assert_eq!(instrument.status().phase, Phase::Waiting);
    let rest = clip.trimmed(1.0, 10.0);
    run(&mut player, Some(&rest), rest.len(), &HOLD);
    let channels = clip.channels();
    let loud = (0..clip.len())
        .position(|i| channels.iter().any(|c| c[i].abs() >= 10.0f32.powf(-2.5)))
        .unwrap();
    let begin = loud - RATE as usize / 100;
    let part = &channels[0][begin..begin + 3 * RATE as usize / 2];
    assert!(is_kept(&instrument.capture(Slot::A).unwrap(), part));

    // At 120 beats a minute a bar of four has two seconds; the song is at one second.
    player.start_capture(CaptureSettings {
        start: CaptureStart::NextBar,
        ..CaptureSettings::now(Slot::B, 1.0)
    });
    let mut song = i64::from(RATE);
    for start in (0..clip.len()).step_by(BLOCK) {
        player.set_transport(Some(Transport {
            samples: song,
            beats: Some(song as f64 / f64::from(RATE) * 2.0),
            bar_start_beats: None,
            beats_per_bar: Some(4.0),
            tempo: Some(120.0),
        }));
        let part = start..(start + BLOCK).min(clip.len());
        let (mut left, mut right) = ([0.0; BLOCK], [0.0; BLOCK]);
        let out = [&mut left[..part.len()], &mut right[..part.len()]];
        let input = [&channels[0][part.clone()], &channels[1][part.clone()]];
        player.process(input, out, &HOLD);
        song += part.len() as i64;
    }
    wait(&instrument);
    let second = RATE as usize;
    let part = &channels[0][second..2 * second];
    assert!(is_kept(&instrument.capture(Slot::B).unwrap(), part));

    // One that waits can be cancelled.
    player.start_capture(CaptureSettings {
        start: CaptureStart::NextBar,
        ..CaptureSettings::now(Slot::C, 1.0)
    });
    player.cancel_capture();
    assert!(!player.is_capturing() && instrument.status().phase != Phase::Waiting);
}

#[test]
fn fits_queue_up_and_can_be_cancelled() {
    let (instrument, mut player) = Instrument::new().unwrap();
    instrument.set_fit_steps(100_000);
    player.prepare(f64::from(RATE));
    for slot in [Slot::A, Slot::B, Slot::C] {
        instrument.load_clip(slot, texture(Texture::Rain, 1, 1.5), "rain");
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    let running = |slot: Slot| {
        let fit = instrument.status().slots[slot.index()].fit;
        matches!(fit, Some(FitState::Running { step, .. }) if step > 0)
    };
    let queued = |slot: Slot| {
        let fit = instrument.status().slots[slot.index()].fit;
        matches!(fit, Some(FitState::Queued { .. }))
    };
    while !running(Slot::A) {
        assert!(Instant::now() < deadline, "the first fit does not start");
    }
    // Those that wait can be heard already.
    let is_untrained = |slot: Slot| {
        let texture = instrument.status().slots[slot.index()].texture;
        texture.is_some_and(|t| t.fit_steps == 0)
    };
    while !(is_untrained(Slot::B) && is_untrained(Slot::C)) {
        assert!(Instant::now() < deadline, "those that wait are silent");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(queued(Slot::B) && queued(Slot::C));
    while rms(&run(&mut player, None, BLOCK, &in_slot(Slot::B))) == 0.0 {
        assert!(Instant::now() < deadline, "one that waits does not sound");
        std::thread::sleep(Duration::from_millis(5));
    }
    instrument.cancel_fit(Slot::B);
    instrument.cancel_fit(Slot::A);
    while !running(Slot::C) {
        assert!(Instant::now() < deadline, "the last fit does not start");
    }
    instrument.cancel_fit(Slot::C);
    wait(&instrument);
    let status = instrument.status();
    assert!(status.slots.iter().all(|s| s.fit.is_none()));
    // The one that never ran is kept, and can still be learned.
    assert!(is_untrained(Slot::B) && status.slots[1].capture_s.is_some());
    // Every slot has its own number of steps.
    instrument.set_slot_fit_steps(Slot::B, 3);
    instrument.refine(Slot::B);
    wait(&instrument);
    let slot = &instrument.status().slots[1];
    assert_eq!(slot.texture.as_ref().unwrap().fit_steps, 3);
}

#[test]
fn a_change_of_texture_can_be_undone_and_done_again() {
    let (instrument, mut player) = bouncing();
    instrument.load_clip(Slot::A, texture(Texture::Rain, 1, 1.5), "rain");
    run(&mut player, None, BLOCK, &HOLD);
    let rain = instrument.texture(Slot::A).unwrap();
    assert!(!instrument.status().slots[0].can_undo);
    instrument.load_clip(Slot::A, texture(Texture::Fire, 1, 1.5), "fire");
    wait(&instrument);
    let name = || instrument.status().slots[0].name.clone();
    assert_eq!(name(), "fire");
    for expected in ["rain", "fire", "rain"] {
        instrument.undo(Slot::A);
        wait(&instrument);
        assert_eq!(name(), expected);
    }
    assert!(instrument.texture(Slot::A).unwrap().capture() == rain.capture());
    assert!(rms(&run(&mut player, None, 4_000, &HOLD)) > 0.0);

    instrument.copy(Slot::A, Slot::D);
    instrument.rename(Slot::D, "  more rain\n");
    instrument.clear(Slot::A);
    wait(&instrument);
    let status = instrument.status();
    assert_eq!(status.slots[3].name, "more rain");
    assert!(status.slots[0].texture.is_none() && status.slots[0].can_undo);
    let silence = run(&mut player, None, 4_000, &HOLD);
    assert!(silence[2_000..].iter().all(|x| *x == 0.0));
    assert!(rms(&run(&mut player, None, 4_000, &in_slot(Slot::D))) > 0.0);
}

#[test]
fn a_trimmed_capture_is_learned_anew_and_can_be_widened_again() {
    let (instrument, mut player) = bouncing();
    instrument.load_clip(Slot::A, texture(Texture::Rain, 1, 4.0), "rain");
    run(&mut player, None, BLOCK, &HOLD);
    instrument.trim(Slot::A, 1.0..3.5);
    run(&mut player, None, BLOCK, &HOLD);
    let slot = instrument.status().slots[0].clone();
    assert_eq!(slot.capture_s, Some((4.0, 1.0..3.5)));
    assert!((slot.texture.unwrap().duration_s - 2.5).abs() < 1e-3);

    // The same part again changes nothing.
    let revision = instrument.revision();
    instrument.trim(Slot::A, 1.0..3.5);
    wait(&instrument);
    assert_eq!(instrument.revision(), revision);

    // What is kept is the whole of it.
    let bytes = instrument.save_state().unwrap();
    let (other, mut other_player) = bouncing();
    other.load_state(&bytes).unwrap();
    run(&mut other_player, None, BLOCK, &HOLD);
    assert_eq!(other.status().slots[0].capture_s, Some((4.0, 1.0..3.5)));
    other.trim(Slot::A, 0.0..9.0);
    wait(&other);
    assert_eq!(other.status().slots[0].capture_s, Some((4.0, 0.0..4.0)));

    for bad in [2.0..2.5, 3.0..1.0, f64::NAN..f64::NAN] {
        other.clear_error();
        other.trim(Slot::A, bad);
        wait(&other);
        assert!(other.status().error.is_some());
        assert_eq!(other.status().slots[0].capture_s, Some((4.0, 0.0..4.0)));
    }
}

#[test]
fn a_bank_survives_its_bytes_and_sounds_the_same() {
    let (instrument, mut player) = bouncing();
    assert!(instrument.save_state().is_none());
    instrument.load_clip(Slot::A, texture(Texture::Rain, 1, 1.5), "rain");
    instrument.synthesize(Slot::C, Texture::Chimes, 3);
    wait(&instrument);
    let bytes = instrument.save_state().unwrap();
    assert!(bytes == instrument.save_state().unwrap());
    let (other, mut other_player) = bouncing();
    other.load_state(&bytes).unwrap();
    for slot in [Slot::A, Slot::C, Slot::B] {
        player.reset();
        let a = run(&mut player, None, 4_000, &in_slot(slot));
        other_player.reset();
        let b = run(&mut other_player, None, 4_000, &in_slot(slot));
        assert!(a == b, "{slot:?}");
    }
    assert!(other.save_state().unwrap() == bytes);
    assert_eq!(other.status().slots[2].name, "Chimes");

    // A single texture is a bank with that.
    let single = instrument.texture(Slot::C).unwrap().to_bytes();
    let bank = Bank::from_bytes(&single).unwrap();
    assert_eq!(bank.texture(Slot::A).unwrap().name(), "Chimes");
    assert!(bank.texture(Slot::C).is_none());
}

#[test]
fn a_fit_that_was_not_done_goes_on_after_loading() {
    let (instrument, mut player) = Instrument::new().unwrap();
    instrument.set_fit_steps(400);
    player.prepare(f64::from(RATE));
    instrument.load_clip(Slot::B, texture(Texture::Rain, 1, 1.5), "rain");
    let deadline = Instant::now() + Duration::from_secs(60);
    let fitted = || {
        let slot = &instrument.status().slots[1];
        slot.texture.as_ref().map_or(0, |t| t.fit_steps)
    };
    while fitted() == 0 {
        assert!(Instant::now() < deadline, "there is no snapshot");
        std::thread::sleep(Duration::from_millis(1));
    }
    let bytes = instrument.save_state().unwrap();
    drop(player);
    let (other, mut player) = bouncing();
    other.load_state(&bytes).unwrap();
    // A bounce would wait for it too, but not as long as it takes on a machine that is busy with other tests.
    wait(&other);
    let found = Bank::from_bytes(&bytes).unwrap();
    let steps = found.texture(Slot::B).unwrap().fit_record().steps;
    assert!((1..400).contains(&steps));
    let resumed = run(&mut player, None, 4_000, &in_slot(Slot::B));
    assert_eq!(other.status().slots[1].texture.unwrap().fit_steps, 400);

    // It ends where it would have ended.
    wait(&instrument);
    let whole = instrument.bank();
    let (third, mut player) = bouncing();
    third.load_bank(whole);
    assert!(resumed == run(&mut player, None, 4_000, &in_slot(Slot::B)));
}

#[test]
fn captures_are_judged_before_they_are_learned() {
    let rain = texture(Texture::Rain, 1, 2.0);
    assert_eq!(rain.remarks(), []);
    let scaled = |gain: f32, most: f32| {
        let channels = rain.channels().iter();
        let channels = channels.map(|c| c.iter().map(|x| (x * gain).clamp(-most, most)).collect());
        Clip::new(RATE, channels.collect()).unwrap()
    };
    let peak = rain.peak();
    let clipped = scaled(8.0 / peak, 1.0).remarks();
    assert!(matches!(clipped[..], [Remark::Clipped { peaks }] if peaks > 2));
    let quiet = scaled(0.005 / peak, 1.0).remarks();
    assert!(matches!(quiet[..], [Remark::Quiet { peak_dbfs }] if peak_dbfs < -40.0));
    let mut pauses = rain.clone().into_channels();
    pauses.iter_mut().for_each(|c| c[10_000..].fill(0.0));
    let pauses = Clip::new(RATE, pauses).unwrap().remarks();
    assert!(matches!(pauses[..], [Remark::MostlySilent { share }] if share > 0.6));
}

#[test]
fn captures_are_kept_losslessly_at_the_bits_they_need() {
    let folder = tempfile::tempdir().unwrap();
    let through_a_file = |clip: &Clip| {
        let (instrument, mut player) = bouncing();
        instrument.set_fit_steps(1);
        instrument.load_clip(Slot::A, clip.clone(), "it");
        run(&mut player, None, BLOCK, &HOLD);
        let path = folder.path().join("it.weft");
        let model = instrument.texture(Slot::A).unwrap();
        model.write(&path).unwrap();
        let size = std::fs::metadata(&path).unwrap().len();
        let back = Model::read(&path).unwrap();
        assert!(back.capture() == model.capture());
        (back.capture().unwrap().clip().clone(), size)
    };
    let rain = texture(Texture::Rain, 1, 3.0);
    let rounded = |steps: f32| {
        let channels = rain.channels().iter();
        let channels = channels.map(|c| c.iter().map(|x| (x * steps).round() / steps).collect());
        Clip::new(RATE, channels.collect()).unwrap()
    };
    let sixteen = rounded(32_768.0);
    let (kept, small) = through_a_file(&sixteen);
    assert!(kept == sixteen);
    let (kept, large) = through_a_file(&rain);
    let error = kept.channels()[0].iter().zip(&rain.channels()[0]);
    let error = error.fold(0.0f32, |m, (a, b)| m.max((a - b).abs()));
    // Half a step of 24 bits, and the rounding of the samples themselves.
    assert!(error <= rain.peak() / 8_388_608.0, "{error}");
    assert!(small < large);
    // A faint recording keeps as many bits.
    let channels = rain.channels().iter();
    let channels = channels.map(|c| c.iter().map(|x| x * 1e-3).collect());
    let faint = Clip::new(RATE, channels.collect()).unwrap();
    let (kept, _) = through_a_file(&faint);
    let error = kept.channels()[0].iter().zip(&faint.channels()[0]);
    let error = error.fold(0.0f32, |m, (a, b)| m.max((a - b).abs()));
    assert!(error <= faint.peak() / 8_388_608.0, "{error}");
}

#[test]
fn a_slot_that_is_emptied_during_a_bounce_holds_nothing_up() {
    let (instrument, mut player) = bouncing();
    instrument.set_fit_steps(1);
    instrument.load_clip(Slot::A, texture(Texture::Rain, 1, 1.5), "rain");
    run(&mut player, None, BLOCK, &HOLD);
    let begin = Instant::now();
    std::thread::scope(|scope| {
        // Somebody loads projects with and without a texture, as fast as they can be taken over.
        let (bank, instrument) = (instrument.bank(), &instrument);
        let loading = scope.spawn(move || {
            for i in 0..21 {
                instrument.load_bank(if i % 2 == 0 {
                    Bank::default()
                } else {
                    bank.clone()
                });
                while instrument.is_busy() {
                    std::thread::yield_now();
                }
            }
        });
        let mut seed = 0;
        while !loading.is_finished() {
            seed += 1;
            run(&mut player, None, 64, &Controls { seed, ..HOLD });
        }
    });
    assert!(
        begin.elapsed() < Duration::from_secs(60),
        "it waited in vain"
    );
    assert_eq!(instrument.status().error, None);
}
