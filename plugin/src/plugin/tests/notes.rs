//! Events for notes.

use super::*;

/// Longer than any envelope's shortest release.
const BLOCKS_OF_A_RELEASE: usize = 400;

#[test]
fn a_note_that_ends_with_its_block_ends_and_the_host_is_told() {
    let (voice_id, channel, key) = (VoiceID::ID(5), Channel::Number(3), Key::Number(60));
    let mut weft: Weft = activated();
    let mut context = TestContext::new();
    // As nice-plug has it where a parameter changes at the sample of the note-off.
    let timing = BLOCK as u32;
    context.events = [
        NoteEvent::NoteOn {
            timing: 0,
            voice_id,
            channel,
            key,
            velocity: 1.0,
        },
        NoteEvent::NoteOff {
            timing,
            // Bitwig leaves it out here.
            voice_id: VoiceID::Wildcard,
            channel,
            key,
            velocity: 0.0,
        },
    ]
    .into();
    for _ in 0..BLOCKS_OF_A_RELEASE {
        let silence = || constant(0.0, BLOCK);
        process(&mut weft, silence(), silence(), &mut context);
    }
    let ended = |event: &PluginNoteEvent<Weft>| {
        matches!(
            *event,
            NoteEvent::VoiceTerminated {
                timing,
                voice_id: VoiceID::ID(5),
                channel: Channel::Number(3),
                key: Key::Number(60),
            } if (timing as usize) < BLOCK
        )
    };
    assert_eq!(context.sent.len(), 1, "{:?}", context.sent);
    assert!(context.sent.iter().all(ended), "{:?}", context.sent);
}

#[test]
fn events_of_every_kind_are_survived() {
    let (voice_id, channel, key) = (VoiceID::ID(1), Channel::Number(0), Key::Number(64));
    let mut weft: Weft = activated();
    let mut context = TestContext::new();
    context.transport.playing = true;
    context.transport.pos_samples = Some(-500);
    context.events = [
        NoteEvent::NoteOn {
            timing: 0,
            voice_id,
            channel,
            key,
            velocity: 1.0,
        },
        NoteEvent::NoteOn {
            timing: 0,
            voice_id,
            channel,
            key: Key::Wildcard,
            velocity: 1.0,
        },
        NoteEvent::PolyModulation {
            timing: 1,
            voice_id: 1,
            poly_modulation_id: 0,
            normalized_offset: 0.5,
        },
        NoteEvent::PolyModulation {
            timing: 1,
            voice_id: 1,
            poly_modulation_id: u32::MAX,
            normalized_offset: f32::NAN,
        },
        NoteEvent::MonoAutomation {
            timing: 2,
            poly_modulation_id: 0,
            normalized_value: 0.5,
        },
        NoteEvent::PolyPan {
            timing: 2,
            voice_id,
            channel,
            key,
            pan: -1.0,
        },
        NoteEvent::PolyPressure {
            timing: 2,
            voice_id,
            channel,
            key,
            pressure: 1.0,
        },
        NoteEvent::Choke {
            timing: 3,
            voice_id: VoiceID::Wildcard,
            channel: Channel::Wildcard,
            key: Key::Wildcard,
        },
        NoteEvent::NoteOff {
            timing: 4,
            voice_id: VoiceID::Wildcard,
            channel: Channel::Wildcard,
            key: Key::Wildcard,
            velocity: 0.0,
        },
    ]
    .into();
    let silence = || constant(0.0, BLOCK);
    let out = process(&mut weft, silence(), silence(), &mut context);
    assert_eq!(out, silence());
    assert!(context.events.is_empty());
    assert!(!weft.instance.session.has_audio_fault());
}
