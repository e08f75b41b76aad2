//! The plugin object driven as nice-plug drives it, block by block.

use std::collections::VecDeque;

use nice_plug::context::PluginApi;
use nice_plug::context::process::SendEventError;
use nice_plug::midi::{Channel, Key, VoiceID};
use nice_plug::prelude::*;
use weft_core::instrument::{self, Phase};

use super::*;

const SAMPLE_RATE: f32 = 48_000.0;
const BLOCK: usize = 256;

/// Everything that a host would tell during one `process` call.
struct TestContext {
    transport: Transport,
    events: VecDeque<PluginNoteEvent<Weft>>,
    /// What the plugin has sent.
    sent: Vec<PluginNoteEvent<Weft>>,
}

impl TestContext {
    fn new() -> Self {
        Self {
            transport: Transport::new(SAMPLE_RATE),
            events: VecDeque::new(),
            sent: Vec::with_capacity(16),
        }
    }
}

impl<R: Role> ProcessContext<WeftPlugin<R>> for TestContext {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Clap
    }
    fn execute_background(&self, _task: host::Rest) {}
    fn execute_gui(&self, _task: host::Rest) {}
    fn transport(&self) -> &Transport {
        &self.transport
    }
    fn next_event(&mut self) -> Option<PluginNoteEvent<Weft>> {
        self.events.pop_front()
    }
    fn try_send_event(
        &mut self,
        event: PluginNoteEvent<Weft>,
    ) -> Result<(), (PluginNoteEvent<Weft>, SendEventError)> {
        if self.sent.len() == self.sent.capacity() {
            return Err((event, SendEventError::HostBufferFull));
        }
        self.sent.push(event);
        Ok(())
    }
    fn set_latency_samples(&self, _samples: u32) {}
    fn request_restart(&self) {}
    fn set_current_voice_capacity(&self, _capacity: u32) {}
}

impl<R: Role> ActivateContext<WeftPlugin<R>> for TestContext {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Clap
    }
    fn execute(&self, _task: host::Rest) {}
    fn set_latency_samples(&self, _samples: u32) {}
    fn set_current_voice_capacity(&self, _capacity: u32) {}
}

fn activated<R: Role>() -> WeftPlugin<R> {
    let mut weft = WeftPlugin::<R>::default();
    let config = BufferConfig {
        sample_rate: SAMPLE_RATE,
        min_buffer_size: None,
        max_buffer_size: BLOCK as u32,
        process_mode: ProcessMode::Realtime,
    };
    assert!(weft.activate(&R::LAYOUTS[0], &config, &mut TestContext::new()));
    weft.reset();
    weft
}

/// Gives `weft` one block with `main` in the output buffer, as nice-plug leaves it there, and `aux`
/// at the capture input, and returns what is in the output buffer then.
fn process<R: Role>(
    weft: &mut WeftPlugin<R>,
    mut main: [Vec<f32>; 2],
    mut aux: [Vec<f32>; 2],
    context: &mut TestContext,
) -> [Vec<f32>; 2] {
    {
        let frames = main[0].len();
        let mut main_buffer = Buffer::default();
        let mut aux_buffers = [Buffer::default()];
        let [main_left, main_right] = &mut main;
        let [aux_left, aux_right] = &mut aux;
        // SAFETY: all channels hold the same number of frames.
        unsafe {
            main_buffer.set_slices(frames, |slices| *slices = vec![main_left, main_right]);
            aux_buffers[0].set_slices(frames, |slices| *slices = vec![aux_left, aux_right]);
        }
        let mut auxiliary = AuxiliaryBuffers {
            inputs: &mut aux_buffers,
            outputs: &mut [],
        };
        let status = weft.process(&mut main_buffer, &mut auxiliary, context);
        assert_eq!(status, ProcessStatus::KeepAlive);
    }
    main
}

fn constant(level: f32, frames: usize) -> [Vec<f32>; 2] {
    [vec![level; frames], vec![level; frames]]
}

fn note_on(timing: u32) -> PluginNoteEvent<Weft> {
    NoteEvent::NoteOn {
        timing,
        voice_id: VoiceID::Wildcard,
        channel: Channel::Number(0),
        key: Key::Number(60),
        velocity: 0.8,
    }
}

#[test]
fn the_input_is_measured_and_never_heard() {
    let mut weft: Weft = activated();
    let mut context = TestContext::new();
    context.events = [note_on(0), note_on(17), note_on(BLOCK as u32 - 1)].into();
    let out = process(
        &mut weft,
        constant(0.25, BLOCK),
        constant(0.5, BLOCK),
        &mut context,
    );
    assert_eq!(out, constant(0.0, BLOCK));
    assert!(context.events.is_empty());
    assert_eq!(weft.session.status().input_peak, 0.75);
}

#[test]
fn the_effect_passes_its_input_on() {
    let mut weft: WeftFx = activated();
    let mut run = |level: f32| {
        let (input, none) = (constant(level, BLOCK), constant(0.0, BLOCK));
        process(&mut weft, input, none, &mut TestContext::new())
    };
    assert_eq!(run(0.25), constant(0.25, BLOCK));
    // What goes wrong in the texture must not take the track's sound with it.
    weft.session.set_audio_fault(true);
    let (input, none) = (constant(0.5, BLOCK), constant(0.0, BLOCK));
    let out = process(&mut weft, input, none, &mut TestContext::new());
    assert_eq!(out, constant(0.5, BLOCK));
}

#[test]
fn the_effect_is_mono_on_a_mono_track() {
    let frames = BLOCK;
    for (layout, expected) in [(1, vec![0.25, 0.25]), (2, vec![0.25])] {
        let mut weft = WeftFx::default();
        let config = BufferConfig {
            sample_rate: SAMPLE_RATE,
            min_buffer_size: None,
            max_buffer_size: BLOCK as u32,
            process_mode: ProcessMode::Realtime,
        };
        let layout = &Insert::LAYOUTS[layout];
        assert!(weft.activate(layout, &config, &mut TestContext::new()));
        weft.reset();
        let mut left = vec![0.25; frames];
        // What nice-plug leaves in a channel that no input belongs to is none.
        let mut right = vec![7.0; frames];
        let mut buffer = Buffer::default();
        // SAFETY: all channels hold the same number of frames.
        unsafe {
            buffer.set_slices(frames, |slices| {
                *slices = vec![&mut left, &mut right];
                slices.truncate(expected.len());
            });
        }
        let mut auxiliary = AuxiliaryBuffers {
            inputs: &mut [],
            outputs: &mut [],
        };
        weft.process(&mut buffer, &mut auxiliary, &mut TestContext::new());
        for (channel, level) in buffer.as_slice().iter().zip(&expected) {
            assert!(channel.iter().all(|x| x == level), "{}", layout.name());
        }
        assert_eq!(weft.session.status().input_peak, 0.25);
    }
}

#[test]
fn a_missing_main_input_is_not_taken_from_the_output_buffer() {
    let mut weft: Weft = activated();
    weft.session.host().set_main_input_connected(false);
    let left_over = constant(0.9, BLOCK);
    let out = process(
        &mut weft,
        left_over,
        constant(0.125, BLOCK),
        &mut TestContext::new(),
    );
    assert_eq!(out, constant(0.0, BLOCK));
    assert_eq!(weft.session.status().input_peak, 0.125);
}

#[test]
fn blocks_longer_than_announced_and_empty_ones_are_survived() {
    let mut weft: Weft = activated();
    for frames in [3 * BLOCK + 5, 0, 1] {
        let mut context = TestContext::new();
        context.events = [note_on(0), note_on(frames.saturating_sub(1) as u32)].into();
        let out = process(
            &mut weft,
            constant(0.25, frames),
            constant(0.0, frames),
            &mut context,
        );
        assert_eq!(out, constant(0.0, frames));
        assert!(!weft.session.has_audio_fault());
    }
}

#[test]
fn a_request_starts_a_capture_and_cancel_ends_it() {
    let mut weft: Weft = activated();
    weft.session.request_capture();
    let step = |weft: &mut Weft| {
        process(
            weft,
            constant(0.25, BLOCK),
            constant(0.0, BLOCK),
            &mut TestContext::new(),
        );
    };
    step(&mut weft);
    assert!(weft.player.is_capturing());
    assert!(matches!(
        weft.session.status().phase,
        Phase::Capturing { .. }
    ));
    weft.session.cancel(instrument::Slot::A);
    step(&mut weft);
    assert!(!weft.player.is_capturing());
    assert!(weft.session.status().texture.is_none());
}

#[test]
fn an_audio_fault_is_silence_until_the_next_activation() {
    let mut weft: Weft = activated();
    weft.fail(Box::new("a bug"));
    let out = process(
        &mut weft,
        constant(0.25, BLOCK),
        constant(0.25, BLOCK),
        &mut TestContext::new(),
    );
    assert_eq!(out, constant(0.0, BLOCK));
    assert!(weft.session.has_audio_fault());
    weft.deactivate();
    let config = BufferConfig {
        sample_rate: SAMPLE_RATE,
        min_buffer_size: None,
        max_buffer_size: BLOCK as u32,
        process_mode: ProcessMode::Realtime,
    };
    assert!(weft.activate(&Weft::AUDIO_IO_LAYOUTS[0], &config, &mut TestContext::new()));
    assert!(!weft.session.has_audio_fault());
}

#[test]
fn a_loaded_project_does_not_record_over_its_texture() {
    let mut weft: Weft = activated();
    let step = |weft: &mut Weft| {
        let silence = || constant(0.0, BLOCK);
        process(weft, silence(), silence(), &mut TestContext::new());
    };
    step(&mut weft);
    // As nice-plug sets a saved value, before it hands over the texture.
    let press = |weft: &Weft, on: bool| {
        for trigger in [&weft.params.capture.trigger, &weft.params.capture.grab] {
            // SAFETY: the parameter lives as long as the plugin.
            unsafe {
                trigger
                    .as_ptr()
                    ._internal_set_normalized_value(if on { 1.0 } else { 0.0 })
            };
        }
    };
    press(&weft, true);
    weft.session.state_loaded();
    step(&mut weft);
    assert!(!weft.player.is_capturing());
    // A press is one that was seen to begin.
    press(&weft, false);
    step(&mut weft);
    press(&weft, true);
    step(&mut weft);
    assert!(weft.player.is_capturing());
}

#[test]
fn a_contained_panic_is_said_in_the_window() {
    let weft: Weft = activated();
    let result = weft
        .session
        .contain("testing", || -> u32 { panic!("on purpose") });
    assert_eq!(result, None);
    let error = weft.session.status().error.unwrap_or_default();
    assert!(
        error.contains("testing") && error.contains("on purpose"),
        "{error}"
    );
}

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
    assert!(!weft.session.has_audio_fault());
}
