//! What channels do to their notes: to which, from when on, and until when.

mod support;

use weft_core::instrument::{
    ChannelControl, Controls, ModulationSource, ModulationTarget, NoteAddress, NoteControl, Player,
};

use support::clips::RATE;
use support::host::{GATE, HOLD, bouncing_with};
use support::measures::{db, rms};
use support::models;
use support::modulation::{SHORT, Sound, let_go, note, sound, with_route};

/// Level of the end of `sound`, in dB over that of `plain`.
fn end_level(sound: &Sound, plain: &Sound) -> f32 {
    let end = |sound: &Sound| rms(&sound[0][sound[0].len() - SHORT..]);
    db(end(sound) / end(plain))
}

/// Full pressure takes 24 dB away.
fn muffled() -> Controls {
    with_route(
        Controls {
            release_s: 20.0,
            ..GATE
        },
        ModulationSource::Pressure,
        ModulationTarget::Gain,
        -1.0,
    )
}

#[test]
fn a_channel_reaches_its_own_notes_those_that_are_released_and_those_that_start_later() {
    let (_instrument, mut host) = bouncing_with(models::rain(), f64::from(RATE));
    let press = |player: &mut Player, channel, value| {
        player.set_channel_control(channel, ChannelControl::Pressure, value);
    };
    let controls = muffled();
    let mut play = |pressed: Option<Option<u8>>, before: bool, released: bool| {
        host.reset();
        if before && let Some(channel) = pressed {
            press(&mut host, channel, 1.0);
        }
        host.note_on(note(2, 60), 1.0);
        host.play(SHORT, &controls);
        if released {
            host.note_off(note(2, 60));
        }
        if !before && let Some(channel) = pressed {
            press(&mut host, channel, 1.0);
        }
        host.play(2 * SHORT, &controls)
    };
    for released in [false, true] {
        let plain = play(None, false, released);
        for before in [false, true] {
            for channel in [Some(2), None] {
                let pressed = play(Some(channel), before, released);
                let level = end_level(&pressed, &plain);
                assert!(
                    (level + 24.0).abs() < 0.1,
                    "{channel:?}, {before}: {level} dB"
                );
            }
            for other in [1, 3, 15, 16, 255] {
                assert!(play(Some(Some(other)), before, released) == plain);
            }
        }
    }
}

#[test]
fn what_a_channel_does_outlasts_its_notes_until_it_is_let_go() {
    let (_instrument, mut host) = bouncing_with(models::rain(), f64::from(RATE));
    let controls = muffled();
    let resets: [Option<fn(&mut Player)>; 6] = [
        None,
        Some(|player| player.set_channel_control(Some(2), ChannelControl::Pressure, 0.0)),
        Some(|player| player.set_channel_control(None, ChannelControl::Pressure, 0.0)),
        Some(|player| let_go(player, 2)),
        Some(Player::reset),
        Some(|player| {
            [1, 3, 16]
                .into_iter()
                .for_each(|other| let_go(player, other))
        }),
    ];
    let mut levels = resets.map(|reset| {
        host.reset();
        host.set_channel_control(Some(2), ChannelControl::Pressure, 1.0);
        host.note_on(note(2, 60), 1.0);
        host.play(SHORT, &controls);
        host.note_off(note(2, 60));
        host.note_off(NoteAddress::default());
        host.choke(NoteAddress::default());
        host.play(SHORT, &controls);
        if let Some(reset) = reset {
            reset(&mut host);
        }
        host.note_on(note(2, 62), 1.0);
        let later = host.play(2 * SHORT, &controls);
        rms(&later[0][SHORT..])
    });
    let kept = levels[0];
    levels
        .iter_mut()
        .for_each(|level| *level = db(*level / kept));
    println!("after a reset: {levels:.1?} dB");
    assert!(
        levels[1..5]
            .iter()
            .all(|level| (20.0..28.0).contains(level))
    );
    assert_eq!(levels[5], 0.0);
}

#[test]
fn pressure_on_a_key_is_its_notes_own_and_the_stronger_of_both_counts() {
    let (_instrument, mut host) = bouncing_with(models::rain(), f64::from(RATE));
    let controls = muffled();
    let mut play = |own: f32, channels: f32, key: u8, reset: bool| {
        sound(&mut host, 2 * SHORT, &controls, |player| {
            player.note_on(note(0, 60), 1.0);
            player.set_channel_control(Some(0), ChannelControl::Pressure, channels);
            player.control_note(note(0, key), NoteControl::Pressure, own);
            if reset {
                let_go(player, 0);
            }
        })
    };
    let plain = play(0.0, 0.0, 60, false);
    assert!(play(1.0, 0.0, 61, false) == plain);
    assert!(play(1.0, 0.5, 60, true) == plain);
    for (own, channels, expected) in [
        (0.5, 0.0, -12.0),
        (0.5, 0.25, -12.0),
        (0.25, 0.5, -12.0),
        (7.0, 0.0, -24.0),
        (-7.0, 0.25, -6.0),
    ] {
        let level = end_level(&play(own, channels, 60, false), &plain);
        assert!(
            (level - expected).abs() < 0.1,
            "{own}, {channels}: {level} dB"
        );
    }
}

#[test]
fn hold_and_notes_without_a_channel_follow_what_any_channel_did_last() {
    let (_instrument, mut host) = bouncing_with(models::rain(), f64::from(RATE));
    let bent = |bend_st| Controls { bend_st, ..HOLD };
    let mut held = |controls: &Controls, channels: &[u8]| {
        sound(&mut host, SHORT, controls, |player| {
            for (bend_st, channel) in (1..).zip(channels) {
                let bend_st = bend_st as f32;
                player.set_channel_control(Some(*channel), ChannelControl::BendSt, bend_st);
            }
        })
    };
    let plain = held(&HOLD, &[]);
    assert!(held(&HOLD, &[16]) == plain);
    let once = held(&HOLD, &[9]);
    assert!(once != plain && once == held(&bent(1.0), &[]));
    assert!(held(&HOLD, &[9, 2]) == held(&bent(2.0), &[]));
    let mut free = |controls: &Controls, bend_st: f32| {
        sound(&mut host, SHORT, controls, |player| {
            player.set_channel_control(Some(5), ChannelControl::BendSt, bend_st);
            player.note_on(NoteAddress::key(60), 1.0);
        })
    };
    let expected = Controls {
        bend_st: 3.0,
        ..GATE
    };
    assert!(free(&GATE, 3.0) == free(&expected, 0.0));
}
