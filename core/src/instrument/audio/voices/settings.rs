//! What was changed of a single note.

use crate::instrument::controls::NoteControl;

/// The settings of a single note.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoteSettings([f32; NoteControl::COUNT]);

impl NoteSettings {
    /// Settings that change nothing.
    pub const NEUTRAL: Self = {
        let mut values = [0.0; NoteControl::COUNT];
        values[NoteControl::Volume as usize] = 1.0;
        Self(values)
    };

    pub fn get(&self, control: NoteControl) -> f32 {
        self.0[control as usize]
    }

    pub fn set(&mut self, control: NoteControl, value: f32) {
        self.0[control as usize] = value;
    }
}
