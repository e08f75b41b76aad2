//! Whether the audio thread waits for frames that are missing.

/// Whether missing frames are waited for.
pub(in crate::instrument) trait Supply {
    /// Called while a frame is missing. `false`: go on without it.
    fn wait(&mut self) -> bool;
}

/// Real time: nobody waits.
pub(in crate::instrument) struct NoWait;

impl Supply for NoWait {
    fn wait(&mut self) -> bool {
        false
    }
}
