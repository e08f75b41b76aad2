//! Weft as a CLAP and VST3 instrument, and as an effect: it captures a few seconds of texture from its
//! input, has [`weft_core`] fit a small network to them, and plays that texture endlessly.

mod capture;
mod denormals;
mod editor;
mod host;
mod notes;
mod parameters;
mod role;
mod session;
mod state;
#[cfg(test)]
mod tests;
mod text;

use std::any::Any;
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use nice_plug::context::PluginApi;
use nice_plug::prelude::*;
use weft_core::instrument::{Controls, NoteAddress, Player};

use crate::capture::{CaptureInput, Trigger};
use crate::denormals::DenormalGuard;
use crate::editor::EditorApp;
use crate::parameters::{VOICES, WeftParams, dry_gain};
use crate::role::{Insert, Role, Synth};
use crate::session::Session;

/// In so many seconds the effect is bypassed, and comes back.
const BYPASS_FADE_S: f32 = 0.02;

/// The instrument.
pub type Weft = WeftPlugin<Synth>;
/// The effect, which passes its input on.
pub type WeftFx = WeftPlugin<Insert>;

/// A plugin instance, as the audio thread owns it.
#[allow(private_bounds, reason = "nobody outside needs another role")]
pub struct WeftPlugin<R: Role> {
    params: Arc<WeftParams>,
    session: Arc<Session>,
    player: Player,
    input: CaptureInput,
    main_input_channels: usize,
    /// The right channel of an output that has only one.
    second: Vec<f32>,
    capture_trigger: Trigger,
    grab_trigger: Trigger,
    /// The payload of a panic in `process`, kept until it can be freed off the audio thread.
    caught_panic: Option<Box<dyn Any + Send>>,
    /// How far the effect is bypassed, 0 to 1, and the most that it changes in a sample.
    bypassed: f32,
    bypass_step: f32,
    role: PhantomData<R>,
}

impl<R: Role> Default for WeftPlugin<R> {
    fn default() -> Self {
        let (session, player) = Session::new();
        let session = Arc::new(session);
        let params = Arc::new(WeftParams::new(session.clone(), R::PASSES_INPUT));
        host::announce(&session, &params);
        Self {
            params,
            session,
            player,
            input: CaptureInput::default(),
            main_input_channels: 2,
            second: Vec::new(),
            capture_trigger: Trigger::default(),
            grab_trigger: Trigger::default(),
            caught_panic: None,
            bypassed: 0.0,
            bypass_step: 1.0,
            role: PhantomData,
        }
    }
}

impl<R: Role> WeftPlugin<R> {
    /// Renders one block whose parameters stand still.
    fn render<P: Plugin>(
        &mut self,
        buffer: &mut Buffer,
        aux: &AuxiliaryBuffers,
        context: &mut impl ProcessContext<P>,
    ) {
        self.player.set_offline(self.session.host().is_offline());
        self.obey_capture_wishes();

        // Once for what may become several calls of the player, which goes on counting by itself.
        let beats_per_bar = self.session.host().beats_per_bar();
        let position = notes::song_position(context.transport(), beats_per_bar);
        self.player.set_transport(position);
        let controls = self.params.controls();

        // Out of `self` for as long as it is written to; without allocation, both ways.
        let mut second = std::mem::take(&mut self.second);
        self.render_into(buffer, &mut second, aux, &controls, context);
        self.second = second;
    }

    /// Renders into `buffer`, and where that is mono, into `second` for the right channel.
    fn render_into<P: Plugin>(
        &mut self,
        buffer: &mut Buffer,
        second: &mut [f32],
        aux: &AuxiliaryBuffers,
        controls: &Controls,
        context: &mut impl ProcessContext<P>,
    ) {
        let api = context.plugin_api();
        let frames = buffer.samples();
        let mut block_start = 0;
        let mut event = context.next_event();
        // Once, but for a host that sends more than it said at activation.
        while block_start < frames {
            let block_len = (frames - block_start).min(self.input.max_block_size());
            if block_len == 0 {
                silence(buffer);
                return;
            }
            self.input.clear(block_len);
            let range = block_start..block_start + block_len;
            if self.session.host().is_main_input_connected() {
                let main = buffer.as_slice_immutable();
                let main = main.get(..self.main_input_channels).unwrap_or(main);
                self.input.add_bus(main, block_start, block_len);
            }
            for bus in aux.inputs.iter() {
                self.input
                    .add_bus(bus.as_slice_immutable(), block_start, block_len);
            }
            let is_mono = buffer.channels() == 1;
            let (left, right) = match buffer.as_slice() {
                [left, right, ..] => (left.get_mut(range.clone()), right.get_mut(range.clone())),
                [mono] => (mono.get_mut(range.clone()), second.get_mut(..block_len)),
                [] => return,
            };
            let (Some(left), Some(right)) = (left, right) else {
                return;
            };

            let mut start = 0;
            while start < block_len {
                while let Some(due) = event.as_ref()
                    && due.timing() as usize <= block_start + start
                {
                    self.play(due, api);
                    event = context.next_event();
                }
                let end = event
                    .as_ref()
                    .map_or(block_len, |next| next.timing() as usize - block_start)
                    .min(block_len);
                self.player.process(
                    self.input.slice(start, end),
                    [&mut left[start..end], &mut right[start..end]],
                    controls,
                );
                let last = (block_start + end).saturating_sub(1) as u32;
                while let Some(note) = self.player.next_ended_note() {
                    // A host that has no room for it, or does not care, does without.
                    let _ = context.try_send_event(notes::ended(note, last));
                }
                start = end;
            }
            self.pass_input_on([&mut *left, &mut *right]);
            if is_mono {
                for (left, right) in left.iter_mut().zip(right) {
                    *left = 0.5 * (*left + *right);
                }
            }
            block_start += block_len;
        }
        // Where a host sends a note before a parameter of the same sample, nice-plug gives us the
        // note with the block that ends there.
        while let Some(due) = event {
            self.play(&due, api);
            event = context.next_event();
        }
    }

    /// Puts the input of the block under the texture, where that is what the plugin is for.
    fn pass_input_on(&mut self, [left, right]: [&mut [f32]; 2]) {
        let Some(through) = &self.params.amp.through.0 else {
            return;
        };
        let target = f32::from(u8::from(through.bypass.value()));
        let step = self.bypass_step;
        let [input_left, input_right] = self.input.slice(0, left.len());
        let inputs = input_left.iter().zip(input_right);
        for ((left, right), (input_left, input_right)) in left.iter_mut().zip(right).zip(inputs) {
            let dry = dry_gain(through.dry.smoothed.next());
            self.bypassed += (target - self.bypassed).clamp(-step, step);
            let (wet, input) = (1.0 - self.bypassed, dry + self.bypassed * (1.0 - dry));
            *left = wet * *left + input * input_left;
            *right = wet * *right + input * input_right;
        }
    }

    /// Begins, grabs or cancels a capture where automation or the window asks for it. A press during a
    /// capture changes nothing, so that the button, which presses twice, is heard once.
    fn obey_capture_wishes(&mut self) {
        let (capture, grab) = (&self.params.capture.trigger, &self.params.capture.grab);
        if self.session.take_state_loaded() {
            // A project saved while a trigger was pressed must not record over its texture when it
            // is opened.
            self.capture_trigger.rises(capture.value());
            self.grab_trigger.rises(grab.value());
        }
        let automated = self.capture_trigger.rises(capture.value());
        let requested = self.session.take_capture_request();
        let settings = self.params.capture_settings();
        if self.session.take_cancel_request() {
            self.player.cancel_capture();
        } else if (automated || requested) && !self.player.is_capturing() {
            self.player.start_capture(settings);
        }
        if self.grab_trigger.rises(grab.value()) {
            self.player.grab(settings);
        }
    }

    fn play<S>(&mut self, event: &NoteEvent<S>, api: PluginApi) {
        match *event {
            NoteEvent::NoteOn {
                voice_id,
                channel,
                key,
                velocity,
                ..
            } => {
                let note = notes::address(voice_id, channel, key);
                if note.key.is_some() {
                    self.player.note_on(note, velocity);
                }
            }
            NoteEvent::NoteOff {
                voice_id,
                channel,
                key,
                ..
            } => match notes::address(voice_id, channel, key) {
                every if every == NoteAddress::default() => self.player.all_notes_off(),
                note => self.player.note_off(note),
            },
            NoteEvent::Choke {
                voice_id,
                channel,
                key,
                ..
            } => self.player.choke(notes::address(voice_id, channel, key)),
            // The modulation of a note stays what it is when the parameter moves under it, so that
            // `MonoAutomation` needs no answer.
            NoteEvent::PolyModulation {
                voice_id,
                poly_modulation_id,
                normalized_offset,
                ..
            } => {
                let modulation = self
                    .params
                    .modulation(poly_modulation_id, normalized_offset);
                if let Some((control, offset)) = modulation {
                    let note = notes::numbered(voice_id);
                    self.player.control_note(note, control, offset);
                }
            }
            _ => {
                if let Some((note, control, value)) = notes::expression(event, api) {
                    self.player.control_note(note, control, value);
                }
            }
        }
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
    type SysExMessage = ();
    // The instrument owns its threads: nice-plug's background thread is shared by all instances,
    // and dies with the first of them that is dropped. All that it may be told is to rest.
    type BackgroundTask = host::Rest;

    fn task_executor(&mut self) -> TaskExecutor<Self> {
        Box::new(host::Rest::wait)
    }

    fn params(&self) -> Arc<dyn Params> {
        self.params.clone()
    }

    fn editor(&mut self, executor: AsyncExecutor<Self>) -> Option<Self::Editor> {
        let rester = move |rest| executor.execute_background(rest);
        self.session.host().set_background_rester(Arc::new(rester));
        editor::create(R::NAME, self.params.clone(), self.session.clone())
    }

    fn filter_state(state: &mut PluginState) {
        state::migrate(state);
    }

    fn activate(
        &mut self,
        layout: &AudioIOLayout,
        config: &BufferConfig,
        _context: &mut impl ActivateContext<Self>,
    ) -> bool {
        self.caught_panic = None;
        self.session.host().set_sample_rate(config.sample_rate);
        let main = layout.main_input_channels.map_or(0, NonZeroU32::get);
        self.main_input_channels = main as usize;
        self.bypass_step = 1.0 / (BYPASS_FADE_S * config.sample_rate);
        let max_block_size = config.max_buffer_size as usize;
        let session = self.session.clone();
        let prepared = session.contain("preparing to play", || {
            self.input.prepare(max_block_size);
            self.second.resize(max_block_size, 0.0);
            self.player.prepare(f64::from(config.sample_rate));
        });
        session.set_audio_fault(prepared.is_none());
        prepared.is_some()
    }

    fn reset(&mut self) {
        let through = self.params.amp.through.0.as_ref();
        let bypassed = through.is_some_and(|t| t.bypass.value());
        self.bypassed = f32::from(u8::from(bypassed));
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
        self.session.count_process_call();
        if self.session.has_audio_fault() {
            // An effect leaves in the buffer what came in, if anything did.
            if !R::PASSES_INPUT || !self.session.host().is_main_input_connected() {
                silence(buffer);
            }
            return ProcessStatus::KeepAlive;
        }
        let _denormals = DenormalGuard::new();
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| self.render(buffer, aux, context))) {
            self.fail(payload);
            silence(buffer);
        }
        // Weft sounds without notes where Hold is on, and listens always.
        ProcessStatus::KeepAlive
    }

    fn deactivate(&mut self) {
        self.caught_panic = None;
    }
}

impl<R: Role> WeftPlugin<R> {
    /// After a panic on the audio thread: silent until the host activates us anew.
    fn fail(&mut self, payload: Box<dyn Any + Send>) {
        match &self.caught_panic {
            None => self.caught_panic = Some(payload),
            // Leaked: freeing it would call the allocator on the audio thread.
            Some(_) => std::mem::forget(payload),
        }
        self.session.set_audio_fault(true);
    }
}

impl<R: Role> ClapPlugin for WeftPlugin<R> {
    const CLAP_ID: &'static str = R::CLAP_ID;
    const CLAP_DESCRIPTION: Option<&'static str> = Some(R::DESCRIPTION);
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] = R::CLAP_FEATURES;

    const CLAP_POLY_MODULATION_CONFIG: Option<PolyModulationConfig> = Some(PolyModulationConfig {
        max_voice_capacity: VOICES,
        supports_overlapping_voices: true,
    });

    fn remote_controls(&self, context: &mut impl RemoteControlsContext) {
        let WeftParams {
            sound,
            spectrum,
            amp,
            play,
            capture,
            ..
        } = &*self.params;
        context.add_section("Weft", |section| {
            section.add_page("Play", |page| {
                page.add_param(&sound.pitch);
                page.add_param(&sound.time);
                page.add_param(&spectrum.brightness);
                page.add_param(&spectrum.smear);
                page.add_param(&spectrum.contrast);
                page.add_param(&spectrum.density);
                page.add_param(&spectrum.width);
                page.add_param(&amp.gain);
            });
            section.add_page("Sound", |page| {
                page.add_param(&sound.pitch);
                page.add_param(&sound.time);
                page.add_param(&spectrum.low_cut);
                page.add_param(&spectrum.high_cut);
                page.add_param(&sound.bend);
                page.add_param(&sound.bend_range);
                page.add_param(&sound.quality);
                page.add_param(&play.seed);
            });
            section.add_page("Amp", |page| {
                page.add_param(&amp.attack);
                page.add_param(&amp.decay);
                page.add_param(&amp.sustain);
                page.add_param(&amp.release);
                page.add_param(&amp.gain);
                page.add_param(&amp.limiter);
                page.add_param(&play.hold);
                page.add_param(&play.slot);
            });
            section.add_page("Notes and Song", |page| {
                page.add_param(&play.hold);
                page.add_param(&play.key_follow);
                page.add_param(&play.root_key);
                page.add_param(&sound.bend_range);
                page.add_param(&play.lock);
                page.add_param(&play.lock_tempo);
                page.add_param(&play.seed);
                page.add_param(&play.slot);
            });
            section.add_page("Capture", |page| {
                page.add_param(&capture.trigger);
                page.add_param(&capture.grab);
                page.add_param(&capture.seconds);
                page.add_param(&capture.start);
                page.add_param(&capture.threshold);
                page.add_param(&play.slot);
            });
            section.add_page("Fit", |page| {
                for fit in &capture.fits {
                    page.add_param(&fit.steps);
                }
                page.add_param(&play.slot);
            });
        });
    }
}

impl<R: Role> Vst3Plugin for WeftPlugin<R> {
    const VST3_CLASS_ID: [u8; 16] = R::VST3_CLASS_ID;
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = R::VST3_SUBCATEGORIES;
}
