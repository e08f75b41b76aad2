//! The plugin object, which nice-plug owns and calls.
//!
//! `process` and `reset` run on the audio thread: no allocation, lock, system call or drop of heap
//! memory there. Everything else runs on the main thread.

mod caught_panic;
mod dry_path;
pub mod events;
mod formats;
mod render;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use nice_plug::prelude::*;
use weft_core::instrument::{Outlook, Player};

use crate::background::PauseTask;
use crate::capture::{CaptureInput, CaptureTriggers};
use crate::channel_messages::ChannelMessage;
use crate::denormals::flushed;
use crate::editor::{self, EditorApp};
use crate::instance::Instance;
use crate::mpe::Channels;
use crate::parameters::{CHOICE_IDS, defaults};
use crate::project::migrate;
use crate::roles::{Insert, Role, Synth};
use caught_panic::CaughtPanic;
use dry_path::DryPath;

/// The instrument.
pub type Weft = WeftPlugin<Synth>;
/// The effect, which passes its input on.
pub type WeftFx = WeftPlugin<Insert>;

/// A plugin instance, as the audio thread owns it.
#[allow(private_bounds, reason = "nobody outside needs another role")]
pub struct WeftPlugin<R: Role> {
    instance: Instance,
    player: Player,
    channels: Channels,
    was_offline: bool,
    /// Whether the song ran in a bounce.
    was_bouncing_song: bool,
    input: CaptureInput,
    main_input_channels: usize,
    /// The right channel of an output that has only one.
    mono_right: Vec<f32>,
    triggers: CaptureTriggers,
    dry_path: DryPath,
    caught_panic: CaughtPanic,
    role: PhantomData<R>,
}

impl<R: Role> Default for WeftPlugin<R> {
    fn default() -> Self {
        let (instance, player) = Instance::new(R::PASSES_INPUT);
        let range_st = instance.params.sound.bend_range.value() as f32;
        Self {
            instance,
            player,
            channels: Channels::new(range_st),
            was_offline: false,
            was_bouncing_song: false,
            input: CaptureInput::default(),
            main_input_channels: 2,
            mono_right: Vec::new(),
            triggers: CaptureTriggers::default(),
            dry_path: DryPath::default(),
            caught_panic: CaughtPanic::default(),
            role: PhantomData,
        }
    }
}

impl<R: Role> WeftPlugin<R> {
    /// Tells what is to come after a block.
    fn tell_outlook(&self) -> ProcessStatus {
        let session = &self.instance.session;
        let outlook = match self.player.outlook() {
            // What is in the making changes what the next note plays.
            Outlook::Silent | Outlook::Fading if session.instrument().is_busy() => {
                Outlook::Listening
            }
            outlook => outlook,
        };
        session.rest().set_outlook(outlook);
        match outlook {
            Outlook::Silent => ProcessStatus::Normal,
            Outlook::Fading => ProcessStatus::Tail(self.instance.tail_samples()),
            Outlook::Listening | Outlook::Endless => ProcessStatus::KeepAlive,
        }
    }

    /// After a panic on the audio thread: silent until the host activates us anew.
    fn fail(&mut self, payload: Box<dyn Any + Send>) {
        self.caught_panic.keep(payload);
        self.instance.session.set_audio_fault(true);
    }
}

fn silence(buffer: &mut Buffer) {
    for channel in buffer.as_slice() {
        channel.fill(0.0);
    }
}

impl<R: Role> Plugin for WeftPlugin<R> {
    const NAME: &'static str = R::NAME;
    const VENDOR: &'static str = "The Weft developers";
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = R::LAYOUTS;

    const MIDI_INPUT: MidiConfig = MidiConfig::Basic;
    const SAMPLE_ACCURATE_AUTOMATION: bool = true;

    type Editor = nice_plug_egui::EguiEditor<EditorApp>;
    type SysExMessage = ChannelMessage;
    // The instrument owns its threads: nice-plug's background thread is shared by all instances,
    // and dies with the first of them that is dropped. All that it is ever given is a pause.
    type BackgroundTask = PauseTask;

    fn task_executor(&mut self) -> TaskExecutor<Self> {
        Box::new(PauseTask::run)
    }

    fn params(&self) -> Arc<dyn Params> {
        self.instance.params.clone()
    }

    fn editor(&mut self, executor: AsyncExecutor<Self>) -> Option<Self::Editor> {
        let Instance {
            session,
            link,
            params,
        } = &self.instance;
        let schedule = move |pause| executor.execute_background(pause);
        link.set_pause_scheduler(Arc::new(schedule));
        editor::create(R::NAME, params.clone(), session.clone())
    }

    fn filter_state(state: &mut PluginState) {
        migrate(state, &CHOICE_IDS, defaults(R::PASSES_INPUT));
    }

    fn activate(
        &mut self,
        layout: &AudioIOLayout,
        config: &BufferConfig,
        _context: &mut impl ActivateContext<Self>,
    ) -> bool {
        self.caught_panic.free();
        self.instance.link.set_sample_rate(config.sample_rate);
        let main = layout.main_input_channels.map_or(0, NonZeroU32::get);
        self.main_input_channels = main as usize;
        let outputs = layout.main_output_channels.map_or(0, NonZeroU32::get);
        self.instance.link.set_output_channels(outputs);
        self.dry_path.prepare(config.sample_rate);
        let max_block_size = config.max_buffer_size as usize;
        let session = self.instance.session.clone();
        let prepared = session.contain("preparing to play", || {
            self.input.prepare(max_block_size);
            self.mono_right.resize(max_block_size, 0.0);
            self.player.prepare(f64::from(config.sample_rate));
        });
        session.set_audio_fault(prepared.is_none());
        prepared.is_some()
    }

    fn reset(&mut self) {
        self.dry_path.reset(self.instance.params.through());
        self.channels.rest();
        let reset = catch_unwind(AssertUnwindSafe(|| self.player.reset()));
        if let Err(payload) = reset {
            self.fail(payload);
        }
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        let Instance { session, link, .. } = &self.instance;
        session.count_process_call();
        if session.has_audio_fault() {
            // An effect leaves in the buffer what came in, if anything did.
            if !R::PASSES_INPUT || !link.is_main_input_connected() {
                silence(buffer);
            }
            session.rest().set_outlook(Outlook::Listening);
            return ProcessStatus::KeepAlive;
        }
        let rendered =
            flushed(|| catch_unwind(AssertUnwindSafe(|| self.render(buffer, aux, context))));
        if let Err(payload) = rendered {
            self.fail(payload);
            silence(buffer);
        }
        self.tell_outlook()
    }

    fn deactivate(&mut self) {
        self.caught_panic.free();
    }
}
