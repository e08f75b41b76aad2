//! What an instrument tells of itself.

use std::ops::Range;

use super::bank::Contents;
use super::controls::Slot;
use super::shared::{FitProgress, MetersReader};
use crate::network::Model;

/// What an instrument does, as far as the slot that plays is concerned.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Phase {
    /// There is no texture yet.
    Empty,
    /// A recording waits for its level or bar.
    Waiting,
    /// A recording is going on.
    Capturing {
        /// Part of it that is done, 0 to 1.
        done: f32,
    },
    /// A fit is going on or waits for another slot's; its snapshots can be heard already.
    Fitting {
        /// Steps done.
        step: u32,
        /// Steps in all.
        steps: u32,
        /// Smoothed loss; not a number before the first step.
        loss: f32,
    },
    /// There is a texture, and nothing else to do.
    Playing,
}

/// How the fit of a slot stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FitState {
    /// It waits for another slot's to end.
    Queued {
        /// Steps in all.
        steps: u32,
    },
    /// It waits for fits that a helper makes for others.
    Waiting {
        /// How many come before.
        ahead: u32,
        /// Steps in all.
        steps: u32,
    },
    /// It runs.
    Running {
        /// Steps done.
        step: u32,
        /// Steps in all.
        steps: u32,
        /// Smoothed loss; not a number before the first step.
        loss: f32,
    },
}

/// A look at a slot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SlotStatus {
    /// What its user calls the texture.
    pub name: String,
    /// What plays, if anything does.
    pub texture: Option<TextureInfo>,
    /// The fit that was asked for, if it is not done.
    pub fit: Option<FitState>,
    /// The newest capture's length in seconds, and the part of it that is used.
    pub capture_s: Option<(f64, Range<f64>)>,
    /// What is to be said of the newest capture.
    pub remark: Option<String>,
    /// Whether something was there before that [`Instrument::undo`](super::Instrument::undo) brings back.
    pub can_undo: bool,
}

/// What is known of a texture that plays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TextureInfo {
    /// Length of the capture in seconds; 0 if it was not kept.
    pub duration_s: f64,
    /// Sample rate of the capture in Hz.
    pub sample_rate: u32,
    /// Whether left and right differ.
    pub stereo: bool,
    /// Training steps done.
    pub fit_steps: u32,
    /// Smoothed loss at its end; not a number before the first step.
    pub loss: f32,
}

/// A look at an instrument.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// What it does.
    pub phase: Phase,
    /// Largest input sample since the last look, linear.
    pub input_peak: f32,
    /// Largest output sample since the last look, linear.
    pub output_peak: f32,
    /// Frames that came too late so far, and were made up from the ones before.
    pub underruns: u64,
    /// Notes that sound.
    pub voices: u32,
    /// The helper's device on which the newest fit is or was made; none where the processor makes it.
    pub fit_device: Option<String>,
    /// What went wrong last, until it is cleared or a fit starts.
    pub error: Option<String>,
    /// What plays: the texture of the slot that does.
    pub texture: Option<TextureInfo>,
    /// Which slot plays.
    pub playing: Slot,
    /// Every slot, in order.
    pub slots: [SlotStatus; 4],
    /// Another number whenever what [`Instrument::save_state`](super::Instrument::save_state) returns may have changed.
    pub revision: u64,
}

impl Phase {
    /// What is done for the slot that plays.
    pub(super) fn of(playing: &SlotStatus, meters: &MetersReader) -> Self {
        if meters.is_capture_waiting() {
            return Self::Waiting;
        }
        if let Some(done) = meters.capture_done() {
            return Self::Capturing { done };
        }
        match (playing.fit, playing.texture) {
            (Some(FitState::Running { step, steps, loss }), _) => {
                Self::Fitting { step, steps, loss }
            }
            (Some(FitState::Queued { steps } | FitState::Waiting { steps, .. }), _) => {
                Self::Fitting {
                    step: 0,
                    steps,
                    loss: f32::NAN,
                }
            }
            (None, Some(_)) => Self::Playing,
            (None, None) => Self::Empty,
        }
    }
}

impl TextureInfo {
    fn of(model: &Model) -> Self {
        Self {
            duration_s: model.capture().map_or(0.0, |c| {
                let used = c.used_s();
                used.end - used.start
            }),
            sample_rate: model.sample_rate(),
            stereo: model.is_stereo(),
            fit_steps: model.fit_record().steps,
            loss: model.fit_record().loss,
        }
    }
}

impl SlotStatus {
    /// What a slot holds, and how the fit that runs stands if it is this slot's.
    pub(super) fn of(slot: Slot, contents: &Contents, fit: Option<FitProgress>) -> Self {
        let running = fit.filter(|f| f.slot == slot);
        Self {
            name: contents.name.clone(),
            texture: contents.model.as_ref().map(TextureInfo::of),
            fit: contents.plan.map(|plan| match running {
                Some(FitProgress {
                    ahead: Some(ahead),
                    steps,
                    ..
                }) => FitState::Waiting { ahead, steps },
                Some(FitProgress {
                    step, steps, loss, ..
                }) => FitState::Running { step, steps, loss },
                None => FitState::Queued { steps: plan.steps },
            }),
            capture_s: contents
                .newest_capture()
                .map(|c| (c.clip().duration_s(), c.used_s())),
            remark: contents.remark.clone(),
            can_undo: contents.before.is_some(),
        }
    }
}
