//! Polyphonic modulation: what a host may modulate for each note by itself. Audio thread.

use nice_plug::prelude::*;
use weft_core::instrument::NoteControl;

/// A parameter that hosts may modulate for each note by itself. Its polyphonic modulation id is the
/// number of the note's control.
pub struct Modulated<'a> {
    control: NoteControl,
    param: &'a FloatParam,
    meaning: fn(f32) -> f32,
}

impl<'a> Modulated<'a> {
    /// `param`, whose plain value has the unit of `control`.
    pub fn new(control: NoteControl, param: &'a FloatParam) -> Self {
        Self::with_meaning(control, param, |plain| plain)
    }

    /// `param`, of whose plain value `meaning` makes one in the unit of `control`.
    pub fn with_meaning(
        control: NoteControl,
        param: &'a FloatParam,
        meaning: fn(f32) -> f32,
    ) -> Self {
        Self {
            control,
            param,
            meaning,
        }
    }

    /// Whether hosts know the parameter by the polyphonic modulation id `id`.
    pub fn has_id(&self, id: u32) -> bool {
        self.control as u32 == id
    }

    /// The note's control, and how far the parameter's value is from the one that all notes have where a
    /// host modulates it by `normalized_offset`; `None` if that is no number. Real-time safe.
    pub fn offset(&self, normalized_offset: f32) -> Option<(NoteControl, f32)> {
        let modulated = self.param.preview_modulated(normalized_offset);
        let offset = (self.meaning)(modulated) - (self.meaning)(self.param.value());
        offset.is_finite().then_some((self.control, offset))
    }

    /// For tests: the control and the parameter.
    #[cfg(test)]
    pub fn parts(&self) -> (NoteControl, &'a FloatParam) {
        (self.control, self.param)
    }
}
