//! What sets the plugins of the bundle apart: an instrument, and an effect for the track itself. Constants
//! only, on any thread.

use std::num::NonZeroU32;

use nice_plug::prelude::*;

/// One of the plugins. They play, capture and keep their textures alike.
pub trait Role: Send + 'static {
    /// Name that hosts show.
    const NAME: &'static str;
    /// CLAP's id, for ever.
    const CLAP_ID: &'static str;
    /// One line for CLAP hosts.
    const DESCRIPTION: &'static str;
    /// What CLAP hosts sort it by.
    const CLAP_FEATURES: &'static [ClapFeature];
    /// VST3's id, for ever.
    const VST3_CLASS_ID: [u8; 16];
    /// What VST3 hosts sort it by.
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory];
    /// Layouts of the same buses: a VST3 host takes the bus counts of the first and does not expect
    /// them to change.
    const LAYOUTS: &'static [AudioIOLayout];
    /// Whether what the main input hears goes on to the output, under the texture.
    const PASSES_INPUT: bool;
    /// Input buses of every layout.
    const INPUT_BUSES: usize = 1 + Self::LAYOUTS[0].aux_input_ports.len();
}

/// The instrument.
///
/// It has a main input *and* a capture input:
/// - Bitwig offers a sidechain for the second input bus of an instrument, Cubase and Live for an
///   auxiliary one. Hosts that route by channel (JUCE's, Ardour, Reaper) reach both.
/// - With auxiliary inputs alone, nice-plug's `setBusArrangements` looks for them one place
///   further, past the end of the host's array.
///
/// What arrives on either bus is recorded, so that a host which feeds one of them only can't choose
/// wrongly; nothing of it is passed on. Reaper mixes a track's own channels 1 and 2 into the output of
/// a CLAP instrument itself: there the capture belongs on channels 3 and 4.
pub struct Synth;

/// The effect, for hosts and users that put a plugin on the track they capture from: an instrument's
/// track has no sound of its own in most hosts, and Ardour gives an instrument no input there before a
/// sidechain is added by hand. What it hears is what the track plays, so it needs no other input.
pub struct Insert;

const MONO: NonZeroU32 = new_nonzero_u32(1);
const STEREO: NonZeroU32 = new_nonzero_u32(2);

const fn insert_layout(name: &'static str, input: NonZeroU32, output: NonZeroU32) -> AudioIOLayout {
    AudioIOLayout {
        main_input_channels: Some(input),
        main_output_channels: Some(output),
        aux_input_ports: &[],
        aux_output_ports: &[],
        names: PortNames {
            layout: Some(name),
            main_input: Some("Main"),
            main_output: Some("Main"),
            aux_inputs: &[],
            aux_outputs: &[],
        },
    }
}

impl Role for Synth {
    const NAME: &'static str = "Weft";
    const CLAP_ID: &'static str = "org.weft-audio.weft";
    const DESCRIPTION: &'static str = "Captures a few seconds of texture and plays it endlessly";
    const CLAP_FEATURES: &'static [ClapFeature] = &[
        ClapFeature::Instrument,
        ClapFeature::Synthesizer,
        ClapFeature::Sampler,
        ClapFeature::Stereo,
    ];
    const VST3_CLASS_ID: [u8; 16] = *b"WeftEndlessTextu";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = &[
        Vst3SubCategory::Instrument,
        Vst3SubCategory::Synth,
        Vst3SubCategory::Sampler,
        Vst3SubCategory::Stereo,
    ];
    const LAYOUTS: &'static [AudioIOLayout] = &[AudioIOLayout {
        main_input_channels: Some(STEREO),
        main_output_channels: Some(STEREO),
        aux_input_ports: &[STEREO],
        aux_output_ports: &[],
        names: PortNames {
            layout: Some("Stereo with capture input"),
            // nice-plug gives a CLAP host the main input's name for the main output as well.
            main_input: Some("Main"),
            main_output: Some("Main"),
            aux_inputs: &["Capture"],
            aux_outputs: &[],
        },
    }];
    const PASSES_INPUT: bool = false;
}

impl Role for Insert {
    const NAME: &'static str = "Weft FX";
    const CLAP_ID: &'static str = "org.weft-audio.weft-fx";
    const DESCRIPTION: &'static str =
        "Captures texture from the track it is on and plays it endlessly along with it";
    const CLAP_FEATURES: &'static [ClapFeature] = &[ClapFeature::AudioEffect, ClapFeature::Stereo];
    const VST3_CLASS_ID: [u8; 16] = *b"WeftEndlessTexFx";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] =
        &[Vst3SubCategory::Fx, Vst3SubCategory::Stereo];
    // Tracks are mono in some hosts.
    const LAYOUTS: &'static [AudioIOLayout] = &[
        insert_layout("Stereo", STEREO, STEREO),
        insert_layout("Mono to stereo", MONO, STEREO),
        insert_layout("Mono", MONO, MONO),
    ];
    const PASSES_INPUT: bool = true;
}
