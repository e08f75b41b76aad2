//! What is left of a panic on the audio thread.

use std::any::Any;

/// The payload of a panic, kept until it can be freed off the audio thread.
#[derive(Default)]
pub struct CaughtPanic(Option<Box<dyn Any + Send>>);

impl CaughtPanic {
    /// Keeps the payload of a panic. Real-time safe.
    pub fn keep(&mut self, payload: Box<dyn Any + Send>) {
        match &self.0 {
            None => self.0 = Some(payload),
            // Leaked: freeing it would call the allocator on the audio thread.
            Some(_) => std::mem::forget(payload),
        }
    }

    /// Frees what was kept. Not for the audio thread.
    pub fn free(&mut self) {
        self.0 = None;
    }
}
