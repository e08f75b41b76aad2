//! Bounces of the built CLAP: the same sound however they are cut, wherever the song is, whatever was played before.

mod common;

use weft_hosts::clap::{ClapPlugin, RenderMode};
use weft_hosts::{EventKind, Expression, Host as _, Note, Render, Rendered, Song};

use common::driving::{BLOCK_SIZE, SAMPLE_RATE, bounce};
use common::rain::{ENVELOPE_FRAMES, activate, fitted, load};
use common::scenes::{self, LONGEST_BLOCK};
use common::sound::assert_sounds;

#[test]
fn a_loaded_project_sounds_at_once_and_the_same() {
    let frames = 2 * SAMPLE_RATE as usize;
    let mut first = fitted();
    let mut second = fitted();
    let bounced = bounce(&mut first, frames);
    assert!(
        bounced == bounce(&mut second, frames),
        "two instances differ"
    );
    assert!(bounced == bounce(&mut first, frames), "two bounces differ");
    let start: Vec<_> = bounced
        .iter()
        .map(|channel| channel[..ENVELOPE_FRAMES].to_vec())
        .collect();
    assert_sounds(&start);
}

#[test]
fn a_bounce_does_not_depend_on_the_block_size() {
    let frames = SAMPLE_RATE as usize;
    let mut plugin = fitted();
    let whole = bounce(&mut plugin, frames);
    for block_size in [32, 1000] {
        activate(&mut plugin, RenderMode::Offline, block_size);
        let cut = bounce(&mut plugin, frames);
        assert!(
            cut == whole,
            "blocks of {block_size} frames sound different"
        );
    }
}

#[test]
fn a_bounce_with_everything_is_the_same_in_every_block_size() {
    let mut plugin = fitted();
    activate(&mut plugin, RenderMode::Offline, LONGEST_BLOCK);
    scenes::assert_bounces_are_identical(&mut plugin);
}

#[test]
fn a_locked_bar_sounds_the_same_however_it_was_reached() {
    let mut plugin = fitted();
    activate(&mut plugin, RenderMode::Offline, LONGEST_BLOCK);
    scenes::assert_locked_bars_are_identical(&mut plugin);
}

#[test]
fn a_capture_in_a_bounce_is_the_same_every_time() {
    let bounced = |blocks: &[usize]| {
        let mut plugin = load();
        activate(&mut plugin, RenderMode::Offline, LONGEST_BLOCK);
        let port = plugin.capture_port().unwrap();
        scenes::capture_in_a_bounce(&mut plugin, port, blocks)
    };
    let first = bounced(&[512]);
    for blocks in [512, 333] {
        let again = bounced(&[blocks]);
        let difference = scenes::first_difference(&first, &again, 0);
        assert_eq!(difference, None, "blocks of {blocks}");
    }
}

#[test]
fn a_loop_within_a_block_is_heard_from_its_own_sample() {
    let mut plugin = fitted();
    activate(&mut plugin, RenderMode::Offline, LONGEST_BLOCK);
    let song = Song::new(f64::from(SAMPLE_RATE), 120.0);
    let (bar, next) = (song.bar(17), song.bar(18));
    let bar_frames = (next - bar) as usize;
    scenes::set(&mut plugin, &[("Hold", 1.0), ("Lock to Timeline", 1.0)]);
    // No number of these blocks makes a bar.
    let render = Render::silent(2 * bar_frames)
        .in_song(&song, bar)
        .in_blocks(&[1_999])
        .at(bar_frames, EventKind::Locate { frame: bar });
    let looped = plugin.render(&render).unwrap();
    let straight = Render::silent(2 * bar_frames).in_song(&song, bar);
    plugin.reset().unwrap();
    let straight = plugin.render(&straight).unwrap();
    let first = |sound: &Rendered| sound.frames(0..bar_frames);
    let second = |sound: &Rendered| sound.frames(bar_frames..2 * bar_frames);
    let difference =
        |a: &[Vec<f32>], b: &[Vec<f32>]| scenes::first_difference(a, b, scenes::BRIDGE_FRAMES);
    assert_eq!(difference(&first(&looped), &first(&straight)), None);
    assert_eq!(difference(&second(&looped), &first(&straight)), None);
    assert!(difference(&second(&looped), &second(&straight)).is_some());
}

#[test]
fn what_was_played_before_does_not_change_a_bounce() {
    let (note, velocity) = (Note::key(60), 0.5);
    let on = |note: Note| EventKind::NoteOn { note, velocity };
    let settings = [("Hold", 0.0), ("Key Follow", 1.0), ("Pitch", 0.5)];
    let fresh = || {
        let mut plugin = fitted();
        scenes::set(&mut plugin, &settings);
        plugin
    };
    // More notes than have streams in readiness, after a move of the pitch.
    let mut bounce = Render::silent(30_000).at(5, on(note));
    for key in 50..58 {
        bounce = bounce.at(10_000, on(Note::key(key)));
    }
    let plugin = fresh();
    let moved = plugin.move_to("Pitch", 0.7).unwrap();
    let still = plugin.move_to("Pitch", 0.5).unwrap();
    let bounce = bounce.at(0, still).at(9_000, moved);
    let bounced = |mut plugin: ClapPlugin| {
        activate(&mut plugin, RenderMode::Offline, BLOCK_SIZE);
        plugin.reset().unwrap();
        plugin.render(&bounce).unwrap().channels
    };
    let expected = bounced(fresh());

    let tuned = EventKind::Expression {
        note,
        expression: Expression::Tuning,
        value: 7.0,
    };
    let before: [(&str, RenderMode, Render); 4] = [
        ("the same", RenderMode::Offline, bounce.clone()),
        (
            "a tuned note",
            RenderMode::Offline,
            Render::silent(20_000).at(5, on(note)).at(5, tuned),
        ),
        (
            "another key",
            RenderMode::Offline,
            Render::silent(20_000).at(5, on(Note::key(72))),
        ),
        (
            "the same in real time",
            RenderMode::Realtime,
            bounce.clone(),
        ),
    ];
    for (name, mode, render) in before {
        let mut plugin = fresh();
        activate(&mut plugin, mode, BLOCK_SIZE);
        plugin.render(&render).unwrap();
        let difference = scenes::first_difference(&expected, &bounced(plugin), 0);
        assert_eq!(difference, None, "after {name}");
    }
}
