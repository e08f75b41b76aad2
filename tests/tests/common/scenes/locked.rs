//! Bars that are locked to the timeline.

use weft_hosts::measure::{db, fingerprint, rms};
use weft_hosts::{Host, Render, Song, random_blocks};

use super::super::sound::assert_sounds;
use super::{BRIDGE_FRAMES, SAMPLE_RATE, SECOND, first_difference, from_the_start, set};

/// Bar 17 of `song`, locked to the timeline: the same played from bar 14 on, after a seek, and in a
/// loop. Returns the left channels of it and of bar 18, without their bridges.
fn locked_bar(host: &mut impl Host, song: &Song, settings: &[(&str, f64)]) -> [Vec<f32>; 2] {
    let bar = song.bar(17);
    let bar_frames = (song.bar(18) - bar) as usize;
    let lead = (bar - song.bar(14)) as usize;
    host.restart().unwrap();
    set(host, &[("Hold", 1.0), ("Lock to Timeline", 1.0)]);
    set(host, settings);
    let played = Render::silent(lead + bar_frames)
        .in_song(song, song.bar(14))
        .in_blocks(&[512]);
    let played = host.play(&played).unwrap();
    let played = played.frames(lead..lead + bar_frames);

    let elsewhere = Render::silent(5_000)
        .in_song(song, song.bar(3) + 777)
        .in_blocks(&[300]);
    from_the_start(host, &elsewhere);
    let again = Render::silent(bar_frames).in_song(song, bar);
    let sought = host.play(&again.clone().in_blocks(&[441])).unwrap();
    let looped = host
        .play(&again.clone().in_blocks(&random_blocks(9, 1_500)))
        .unwrap();
    for (how, other) in [("sought", &sought), ("looped", &looped)] {
        assert_eq!(
            first_difference(&played, &other.channels, BRIDGE_FRAMES),
            None,
            "{how}, with {settings:?}"
        );
    }
    let next = Render::silent(bar_frames).in_song(song, song.bar(18));
    let next = host.play(&next).unwrap().channels;
    assert!(
        first_difference(&played, &next, BRIDGE_FRAMES).is_some(),
        "two bars are the same"
    );
    [played, next].map(|bar| {
        assert_sounds(&bar);
        let mut channels = bar.into_iter();
        channels.next().unwrap().split_off(BRIDGE_FRAMES)
    })
}

/// How alike the courses of two sounds' levels are, over steps of 20 ms: 1 for the same, 0 for
/// sounds that have nothing to do with each other.
fn likeness(a: &[f32], b: &[f32]) -> f64 {
    let levels = |sound: &[f32]| -> Vec<f64> {
        let steps = sound.chunks_exact(SECOND / 50);
        let levels: Vec<f64> = steps.map(|step| db(rms(&[step.to_vec()]))).collect();
        let mean = levels.iter().sum::<f64>() / levels.len() as f64;
        levels.iter().map(|level| level - mean).collect()
    };
    let (a, b) = (levels(a), levels(b));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}

/// Bars locked to the timeline sound the same however they are reached. Returns them.
pub fn assert_locked_bars_are_identical(host: &mut impl Host) -> Vec<Vec<f32>> {
    let rate = f64::from(SAMPLE_RATE);
    let steady = Song::new(rate, 120.0);
    // Two bars at half the tempo, long before bar 17, and a change after it.
    let moved = steady
        .clone()
        .tempo_from(8.0, 60.0)
        .tempo_from(16.0, 120.0)
        .tempo_from(80.0, 90.0);
    let mut bars = locked_bar(host, &steady, &[("Lock Tempo", 0.0)]).to_vec();
    bars.extend(locked_bar(host, &moved, &[("Lock Tempo", 0.0)]));
    let sound = [("Pitch", 0.55), ("Time", 0.4), ("Smear", 0.3)];
    bars.extend(locked_bar(host, &steady, &sound));
    set(host, &[("Pitch", 0.5), ("Time", 0.5), ("Smear", 0.0)]);
    for tempo in [120.0, 100.0] {
        let lock_tempo = [("Lock Tempo", tempo / 300.0)];
        let followed = locked_bar(host, &steady, &lock_tempo);
        // It follows the song's beats: a slower passage elsewhere does not move the texture. Its
        // fine structure hangs on the song's samples, so that it is not the same bit by bit.
        let other = locked_bar(host, &moved, &lock_tempo);
        let (alike, unlike) = (
            likeness(&followed[0], &other[0]),
            likeness(&followed[0], &other[1]),
        );
        println!("lock tempo {tempo}: bar 17 {alike:.3} alike, bar 18 {unlike:.3}");
        assert!(alike > 0.6 && unlike < 0.4, "{alike}, {unlike}");
        bars.extend(followed);
        bars.extend(other);
    }
    for bar in bars.chunks(1) {
        println!("a locked bar: {:016x}", fingerprint(bar));
    }
    bars
}
