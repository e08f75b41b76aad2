//! The parameters a host sees: stable ids, ranges, units and text in both directions; and what they
//! mean to the player.
//!
//! An id, once released, names the same control for ever: saved projects and automation lanes refer
//! to it. Ranges may grow, never shrink.
//!
//! Each group has a file, in which everything about its controls stands: the declaration, the range and
//! text, what is written into [`Controls`], what a host may modulate for single notes, the places on the
//! pages of remote controls, and the ids. So a new control is written in three files: the field of
//! `Controls` in `weft_core`, the group's file here, and its row in the window.
//!
//! Parameters are made on the main thread. What is marked real-time safe is for the audio thread too.

mod amp;
mod capture;
mod choices;
mod controls;
mod defaults;
mod imprint;
mod modulation;
mod pages;
mod play;
mod sound;
mod sources;
mod spectrum;
#[cfg(test)]
mod tests;
mod through;
pub mod typed;

use std::sync::Arc;

use nice_plug::prelude::*;
use weft_core::instrument::{CaptureSettings, Controls, NoteControl};

use crate::imprint::ImprintRequest;
use crate::project::{Project, StateVersion};
use amp::AmpParams;
use capture::CaptureParams;
pub use choices::CHOICE_IDS;
pub use defaults::defaults;
use imprint::ImprintParams;
use pages::{OnPages, Place};
use play::PlayParams;
use sound::SoundParams;
pub use sound::speed;
use sources::SourcesParams;
use spectrum::SpectrumParams;
pub use through::{Through, dry_gain};

/// Voices that hosts may modulate one by one.
pub const VOICES: u32 = 16;

/// Every parameter of the plugin, and the textures that travel in its state.
#[derive(Params)]
pub struct WeftParams {
    /// The captures and the fitted networks, as stored in the host's project.
    #[persist = "slots"]
    pub project: Project,

    /// From which version a state is.
    #[persist = "state_version"]
    pub state_version: StateVersion,

    /// Where in pitch and time the texture is played.
    #[nested(group = "Sound")]
    pub sound: SoundParams,

    /// What becomes of its spectrum.
    #[nested(group = "Spectrum")]
    pub spectrum: SpectrumParams,

    /// How loud it is when.
    #[nested(group = "Amp")]
    pub amp: AmpParams,

    /// How it follows notes and the host's song.
    #[nested(group = "Play")]
    pub play: PlayParams,

    /// How a texture comes in.
    #[nested(group = "Capture")]
    pub capture: CaptureParams,

    /// What wheel, pressure, slide and velocity move.
    #[nested(group = "Modulation")]
    pub sources: SourcesParams,

    /// What of which slots becomes a new texture.
    #[nested(group = "Imprint")]
    pub imprint: ImprintParams,
}

impl WeftParams {
    /// Parameters at their defaults, with the textures of `project` as their persistent part;
    /// `passes_input`: those of the effect.
    pub fn with_project(project: Project, passes_input: bool) -> Self {
        let defaults = Controls::DEFAULT;
        let session = project.session().clone();
        let take_steps = move |slot, steps| session.set_fit_steps(slot, steps);
        Self {
            sound: SoundParams::new(&defaults),
            spectrum: SpectrumParams::new(&defaults),
            amp: AmpParams::new(&defaults, passes_input),
            play: PlayParams::new(&defaults),
            capture: CaptureParams::new(Arc::new(take_steps)),
            sources: SourcesParams::new(&defaults),
            imprint: ImprintParams::new(),
            project,
            state_version: StateVersion,
        }
    }

    /// For tests: the parameters of an instance without a host.
    #[cfg(test)]
    pub fn new(session: Arc<crate::session::Session>, passes_input: bool) -> Self {
        Self::with_project(Project::new(session, Default::default()), passes_input)
    }

    /// What the player is to do, with what the host modulates for all notes. Real-time safe.
    pub fn controls(&self) -> Controls {
        let mut controls = Controls::DEFAULT;
        self.sound.write(&mut controls);
        self.spectrum.write(&mut controls);
        self.amp.write(&mut controls);
        self.play.write(&mut controls);
        self.sources.write(&mut controls);
        controls
    }

    /// The capture that a trigger asks for. Real-time safe.
    pub fn capture_settings(&self) -> CaptureSettings {
        self.capture.settings(self.play.slot.value().into())
    }

    /// The imprint that a trigger asks for. Real-time safe.
    pub fn imprint_request(&self) -> ImprintRequest {
        self.imprint.request(self.play.slot.value().into())
    }

    /// How the input is passed on, if it is: by the effect.
    pub fn through(&self) -> Option<&Through> {
        self.amp.through.0.as_ref()
    }

    /// What a host's modulation of one note changes, and by how much: `id` is the parameter's
    /// polyphonic modulation id, `normalized_offset` the distance from its unmodulated value.
    /// Real-time safe.
    ///
    /// It takes the place of what the host modulates for all notes, and includes that. So the
    /// offset is from the modulated value, which is what [`WeftParams::controls`] gives all notes.
    pub fn modulation(&self, id: u32, normalized_offset: f32) -> Option<(NoteControl, f32)> {
        let mut modulated = (self.sound.modulated().into_iter())
            .chain(self.spectrum.modulated())
            .chain(self.amp.modulated());
        let modulated = modulated.find(|modulated| modulated.has_id(id))?;
        modulated.offset(normalized_offset)
    }

    /// Describes the pages of remote controls to a CLAP host.
    pub fn describe_pages(&self, host: &mut impl RemoteControlsContext) {
        pages::describe(self, host);
    }
}

impl OnPages for WeftParams {
    fn offer_to<P: RemoteControlsPage>(&self, place: &mut Place<'_, P>) {
        self.sound.offer_to(place);
        self.spectrum.offer_to(place);
        self.amp.offer_to(place);
        self.play.offer_to(place);
        self.capture.offer_to(place);
        self.sources.offer_to(place);
        self.imprint.offer_to(place);
    }
}
