//! Modulation: every source moves every target as far as it says, from when on it says so, and without a click.

mod support;

use weft_core::instrument::{
    ChannelControl, Controls, ModulationSource, ModulationTarget, NoteControl, Player, Route,
};

use support::clips::RATE;
use support::host::{GATE, HOLD, bouncing_with};
use support::measures::{db, frequency, largest_step, rms};
use support::models;
use support::modulation::{SHORT, note, sound, with_route};

/// A note whose source is half of what it can be.
type Played<'a> = (ModulationSource, &'a dyn Fn(&mut Player));

/// `controls` with all sources sent to gain at no amount.
fn unrouted(mut controls: Controls) -> Controls {
    controls.routes = controls.routes.map(|_| Route {
        target: ModulationTarget::Gain,
        amount: 0.0,
    });
    controls
}

/// `controls` with `target` set to where a quarter of the full amount, or that below it, would move it.
fn moved(mut controls: Controls, target: ModulationTarget, quarter: f32) -> Controls {
    match target {
        ModulationTarget::Pitch => controls.pitch_st += 12.0 * quarter,
        ModulationTarget::Time => controls.time *= (2.0 * quarter).exp2(),
        ModulationTarget::Brightness => controls.brightness_db_per_octave += 12.0 * quarter,
        ModulationTarget::Contrast => controls.contrast += quarter,
        ModulationTarget::Density => controls.density += quarter,
        ModulationTarget::Width => controls.width += quarter,
        ModulationTarget::Smear => controls.smear_s += quarter,
        ModulationTarget::Gain => controls.gain_db += 24.0 * quarter,
    }
    controls
}

#[test]
fn every_source_moves_every_target_as_if_the_control_were_set_there() {
    let (_instrument, mut host) = bouncing_with(models::rain(), f64::from(RATE));
    // Both ways from here are within the ranges.
    let plain = Controls {
        smear_s: 0.5,
        ..unrouted(GATE)
    };
    let play: [Played<'_>; 6] = [
        (ModulationSource::Wheel, &|player| {
            player.set_channel_control(Some(3), ChannelControl::Wheel, 0.5);
            player.note_on(note(3, 60), 1.0);
        }),
        (ModulationSource::Pressure, &|player| {
            player.note_on(note(3, 60), 1.0);
            player.set_channel_control(Some(3), ChannelControl::Pressure, 0.5);
        }),
        (ModulationSource::Pressure, &|player| {
            player.note_on(note(3, 60), 1.0);
            player.control_note(note(3, 60), NoteControl::Pressure, 0.5);
        }),
        (ModulationSource::Slide, &|player| {
            player.note_on(note(3, 60), 1.0);
            player.control_note(note(3, 60), NoteControl::Timbre, 0.75);
            player.set_channel_control(Some(3), ChannelControl::Slide, -0.25);
        }),
        (ModulationSource::Slide, &|player| {
            player.set_channel_control(None, ChannelControl::Slide, 0.5);
            player.note_on(note(3, 60), 1.0);
        }),
        (ModulationSource::Velocity, &|player| {
            player.note_on(note(3, 60), 0.5);
        }),
    ];
    let strike = |player: &mut Player| player.note_on(note(3, 60), 1.0);
    let rest = sound(&mut host, SHORT, &plain, strike);
    for target in ModulationTarget::ALL {
        for amount in [0.5, -0.5] {
            let set = moved(plain, target, 0.5 * amount);
            let expected = sound(&mut host, SHORT, &set, strike);
            assert!(expected != rest, "{target:?} is not heard");
            for (source, play) in play {
                if (source, target) == (ModulationSource::Velocity, ModulationTarget::Gain) {
                    continue;
                }
                let routed = with_route(plain, source, target, amount);
                let heard = sound(&mut host, SHORT, &routed, play);
                assert!(heard == expected, "{source:?} to {target:?} by {amount}");
            }
        }
    }
    // What has no amount moves nothing.
    for (source, play) in play {
        let heard = sound(&mut host, SHORT, &plain, play);
        assert!(heard == rest, "{source:?}");
    }
}

#[test]
fn velocity_is_loudness_as_far_as_its_amount_says() {
    let (_instrument, mut host) = bouncing_with(models::rain(), f64::from(RATE));
    let mut level = |amount: f32, velocity: f32| {
        let to_gain = with_route(
            GATE,
            ModulationSource::Velocity,
            ModulationTarget::Gain,
            amount,
        );
        let strike = |player: &mut Player| player.note_on(note(0, 60), velocity);
        rms(&sound(&mut host, SHORT, &to_gain, strike)[0])
    };
    let full = level(1.0, 1.0);
    for (amount, velocity, share) in [
        (1.0, 0.5, 0.5),
        (0.5, 0.5, 0.75),
        (0.0, 0.1, 1.0),
        (-0.5, 0.5, 0.75),
        (-1.0, 0.25, 0.75),
        (9.0, 0.5, 0.5),
        (f32::NAN, 0.5, 0.5),
    ] {
        let is = level(amount, velocity) / full;
        assert!(
            (is / share - 1.0).abs() < 1e-3,
            "{amount} at {velocity}: {is}"
        );
    }
    assert_eq!((level(1.0, 0.0), level(-1.0, 1.0)), (0.0, 0.0));
    // Nobody struck Hold.
    let inverted = with_route(
        HOLD,
        ModulationSource::Velocity,
        ModulationTarget::Gain,
        -1.0,
    );
    let held = sound(&mut host, SHORT, &inverted, |_| ());
    assert!(held == sound(&mut host, SHORT, &HOLD, |_| ()));
}

#[test]
fn at_first_the_wheel_brightens_pressure_swells_and_a_slide_tilts_by_six_decibels() {
    let (_instrument, mut host) = bouncing_with(models::rain(), f64::from(RATE));
    let strike = |player: &mut Player| player.note_on(note(0, 60), 1.0);
    let mut with = |controls: &Controls, control: Option<(ChannelControl, f32)>| {
        sound(&mut host, SHORT, controls, |player| {
            strike(player);
            if let Some((control, value)) = control {
                player.set_channel_control(Some(0), control, value);
            }
        })
    };
    let brightness =
        |db_per_octave: f32| moved(GATE, ModulationTarget::Brightness, db_per_octave / 12.0);
    let (brighter, darker) = (brightness(6.0), brightness(-3.0));
    assert!(with(&GATE, Some((ChannelControl::Wheel, 1.0))) == with(&brighter, None));
    assert!(with(&GATE, Some((ChannelControl::Slide, 1.0))) == with(&brighter, None));
    assert!(with(&GATE, Some((ChannelControl::Slide, -0.5))) == with(&darker, None));
    let plain = rms(&with(&GATE, None)[0]);
    let pressed = rms(&with(&GATE, Some((ChannelControl::Pressure, 1.0)))[0]);
    assert!((db(pressed / plain) - 6.0).abs() < 0.05);
}

#[test]
fn wheels_move_the_pitch_of_a_tone_by_what_they_say() {
    let (_instrument, mut host) = bouncing_with(models::tone(), f64::from(RATE));
    let controls = with_route(GATE, ModulationSource::Wheel, ModulationTarget::Pitch, -0.5);
    for (bend_st, wheel, semitones) in [(2.0, 0.0, 2.0), (0.0, 1.0, -6.0), (-1.5, 0.5, -4.5)] {
        let [left, _] = sound(&mut host, 2 * RATE as usize, &controls, |player| {
            player.set_channel_control(Some(0), ChannelControl::BendSt, bend_st);
            player.set_channel_control(Some(0), ChannelControl::Wheel, wheel);
            player.note_on(note(0, 60), 1.0);
        });
        let around_hz = models::TONE_HZ * (semitones / 12.0f64).exp2();
        let hz = frequency(&left[RATE as usize..], f64::from(RATE), around_hz);
        let cents = 1200.0 * (hz / around_hz).log2();
        assert!(cents.abs() < 5.0, "{semitones} st: {cents} cents off");
    }
}

#[test]
fn changes_after_a_rest_are_followed_as_controls_are() {
    let (_instrument, mut host) = bouncing_with(models::rain(), f64::from(RATE));
    let unrouted = unrouted(GATE);
    let routed = with_route(
        unrouted,
        ModulationSource::Wheel,
        ModulationTarget::Pitch,
        1.0,
    );
    let set = Controls {
        pitch_st: 3.0,
        ..unrouted
    };
    let at = SHORT.next_multiple_of(128);
    let mut play = |setup: &dyn Fn(&mut Player, usize) -> Controls| {
        host.reset();
        host.note_on(note(0, 60), 1.0);
        host.drive(None, 2 * at, || 128, setup)
    };
    let expected = play(&|_, done| if done < at { unrouted } else { set });
    let another_route = play(&|player, done| {
        player.set_channel_control(Some(0), ChannelControl::Wheel, 0.25);
        if done < at { unrouted } else { routed }
    });
    let another_value = play(&|player, done| {
        if done == at {
            player.set_channel_control(Some(0), ChannelControl::Wheel, 0.25);
        }
        routed
    });
    assert!(expected == another_route && expected == another_value);
}

#[test]
fn sources_that_jump_do_not_click() {
    let (_instrument, mut host) = bouncing_with(models::rain(), f64::from(RATE));
    let plain = host.play(16_000, &HOLD);
    let natural = largest_step(&plain[0]);
    for target in ModulationTarget::ALL {
        for amount in [1.0, -1.0] {
            let controls = with_route(HOLD, ModulationSource::Wheel, target, amount);
            host.reset();
            let jumps = host.drive(
                None,
                16_000,
                || 100,
                |player, done| {
                    let wheel = (done / 2_000 % 2) as f32;
                    player.set_channel_control(Some(1), ChannelControl::Wheel, wheel);
                    controls
                },
            );
            let loudest = rms(&jumps[0]).max(rms(&plain[0]));
            let step = largest_step(&jumps[0]) / loudest * rms(&plain[0]);
            assert!(
                step < 3.0 * natural,
                "{target:?}, {amount}: a step of {step}"
            );
        }
    }
}

#[test]
fn what_is_frozen_stays_frozen_and_nonsense_is_kept_within() {
    let (_instrument, mut host) = bouncing_with(models::rain(), f64::from(RATE));
    let frozen = Controls { time: 0.0, ..GATE };
    let faster = with_route(frozen, ModulationSource::Wheel, ModulationTarget::Time, 1.0);
    let push = |player: &mut Player| {
        player.note_on(note(0, 60), 1.0);
        player.set_channel_control(Some(0), ChannelControl::Wheel, 1.0);
    };
    let strike = |player: &mut Player| player.note_on(note(0, 60), 1.0);
    assert!(sound(&mut host, SHORT, &faster, push) == sound(&mut host, SHORT, &frozen, strike));
    for bad in [f32::NAN, f32::INFINITY, -1e30, 1e30] {
        for target in ModulationTarget::ALL {
            let mut controls = GATE;
            controls.routes = controls.routes.map(|_| Route {
                target,
                amount: bad,
            });
            let heard = sound(&mut host, 2_000, &controls, |player| {
                for control in [
                    ChannelControl::BendSt,
                    ChannelControl::Wheel,
                    ChannelControl::Pressure,
                    ChannelControl::Slide,
                ] {
                    player.set_channel_control(None, control, bad);
                }
                player.note_on(note(0, 60), bad);
                player.control_note(note(0, 60), NoteControl::Pressure, bad);
                player.control_note(note(0, 60), NoteControl::Timbre, bad);
            });
            assert!(heard.iter().flatten().all(|x| x.is_finite()));
        }
    }
}
