//! The built effect, in a CLAP host.

mod common;

use weft_core::procedural::{Texture, synthesize};
use weft_hosts::clap::{ClapPlugin, RenderMode};
use weft_hosts::{CLAP_BUNDLE, Render, bundle};

use common::driving::{BLOCK_SIZE, FIT_STEPS, SAMPLE_RATE, activate, bounce, capture, set};
use common::sound::{assert_silent, assert_sounds};

/// Its place in the bundle, after the instrument.
const EFFECT: usize = 1;
const SECOND: usize = SAMPLE_RATE as usize;

fn active() -> ClapPlugin {
    let mut plugin = ClapPlugin::load_nth(&bundle(CLAP_BUNDLE).unwrap(), EFFECT).unwrap();
    activate(&mut plugin, RenderMode::Offline, SAMPLE_RATE, BLOCK_SIZE);
    set(&mut plugin, &[("Fit Steps A", FIT_STEPS)]);
    plugin
}

fn rain() -> Vec<Vec<f32>> {
    synthesize(Texture::Rain, 7, SAMPLE_RATE, 2.0).into_channels()
}

#[test]
fn it_has_the_instruments_parameters_and_its_own() {
    let plugin = active();
    let ports = (&plugin.inputs[..], &plugin.outputs[..]);
    let ([input], [output]) = ports else {
        panic!("one port a direction, not {ports:?}")
    };
    assert_eq!((input.channels, output.channels), (2, 2));
    assert!(input.is_main && output.is_main);
    assert_eq!(plugin.parameters.len(), weft_hosts::PARAMETERS.len() + 2);
    for name in weft_hosts::PARAMETERS.into_iter().chain(["Dry", "Bypass"]) {
        plugin.parameter(name).unwrap();
    }
}

#[test]
fn it_passes_the_track_on_and_plays_what_it_captured_from_it() {
    let rain = rain();
    let mut plugin = active();
    let heard = capture(&mut plugin, 0, &rain, SAMPLE_RATE);
    for (heard, played) in heard.iter().zip(&rain) {
        assert!(heard[..played.len()] == played[..], "the track has changed");
    }
    set(&mut plugin, &[("Dry", "Off")]);
    let texture = bounce(&mut plugin, 2 * SECOND);
    assert_sounds(&texture);

    // Both together, the texture under the track.
    plugin.reset().unwrap();
    let loud = Render::silent(SECOND)
        .feed(0, &rain)
        .at(0, plugin.automation("Dry", "-6 dB").unwrap());
    let both = plugin.render(&loud).unwrap();
    let settled = SECOND / 2;
    for channel in 0..2 {
        for at in settled..SECOND {
            let dry = both.channels[channel][at] - texture[channel][at];
            let expected = rain[channel][at] * 10.0f32.powf(-6.0 / 20.0);
            assert!((dry - expected).abs() < 1e-6, "frame {at}");
        }
    }

    // Bypassed, there is only the track; the texture goes on unheard.
    set(&mut plugin, &[("Bypass", "On")]);
    plugin.render(&Render::silent(SECOND)).unwrap();
    let bypassed = Render::silent(SECOND).feed(0, &rain);
    let bypassed = plugin.render(&bypassed).unwrap();
    assert!(bypassed.channels[0][..] == rain[0][..SECOND]);
    set(&mut plugin, &[("Bypass", "Off")]);
    assert_sounds(&plugin.render(&Render::silent(SECOND)).unwrap().channels);

    let state = plugin.save_state().unwrap();
    let mut reopened = active();
    reopened.load_state(&state).unwrap();
    set(&mut reopened, &[("Dry", "Off")]);
    assert!(bounce(&mut reopened, 2 * SECOND) == texture);
}

#[test]
fn a_track_without_a_texture_is_left_alone() {
    let rain = rain();
    let mut plugin = active();
    set(&mut plugin, &[("Hold", "On")]);
    let heard = plugin
        .render(&Render::silent(SECOND).feed(0, &rain))
        .unwrap();
    for (heard, played) in heard.channels.iter().zip(&rain) {
        assert!(heard[..] == played[..SECOND]);
    }
    set(&mut plugin, &[("Dry", "Off")]);
    plugin.render(&Render::silent(SECOND)).unwrap();
    let heard = plugin
        .render(&Render::silent(SECOND).feed(0, &rain))
        .unwrap();
    assert_silent(&heard.channels);
}
