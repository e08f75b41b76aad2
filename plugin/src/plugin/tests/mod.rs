//! The plugin object driven as nice-plug drives it, block by block.

mod captures;
mod faults;
mod inputs;
mod notes;
mod rest;

use std::collections::VecDeque;

use nice_plug::context::PluginApi;
use nice_plug::context::process::SendEventError;
use nice_plug::midi::{Channel, Key, VoiceID};
use nice_plug::prelude::*;
use weft_core::instrument::{self, Phase};

use super::*;

const SAMPLE_RATE: f32 = 48_000.0;
const BLOCK: usize = 256;

/// Everything that a host would say during one `process` call.
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
    fn execute_background(&self, _task: PauseTask) {}
    fn execute_gui(&self, _task: PauseTask) {}
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
    fn execute(&self, _task: PauseTask) {}
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
        let told = match weft.instance.session.rest().outlook() {
            Outlook::Silent => ProcessStatus::Normal,
            Outlook::Fading => ProcessStatus::Tail(weft.instance.tail_samples()),
            Outlook::Listening | Outlook::Endless => ProcessStatus::KeepAlive,
        };
        assert_eq!(status, told);
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
