//! Whether the host may rest the plugin, and how it is asked to go on.
//!
//! A plugin that says that it will stay silent is processed no more until there is an event, or sound at an
//! input. What the window or a load changes meanwhile is nothing of the kind: then the host has to be asked.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use weft_core::instrument::Outlook;

/// Asks the host to process the plugin. Called from any thread.
pub type ProcessRequester = Arc<dyn Fn() + Send + Sync>;

/// Seconds of silence before the plugin rests: what was changed takes effect, and the streams of the notes to
/// come are made.
const SETTLING_S: f32 = 0.25;

const OUTLOOKS: [Outlook; 4] = [
    Outlook::Silent,
    Outlook::Fading,
    Outlook::Listening,
    Outlook::Endless,
];

/// What is known of the plugin's rest. Everything is real-time safe, but for what says that it is not for the
/// audio thread.
#[derive(Default)]
pub struct Rest {
    /// What is to come, by its place among [`OUTLOOKS`].
    outlook: AtomicU8,
    /// Frames in a row after which the plugin would stay silent.
    silent_frames: AtomicU32,
    /// The host was told that it need not go on.
    is_resting: AtomicBool,
    /// There is something to be processed that the host does not know of.
    is_awaited: AtomicBool,
    requester: Mutex<Option<ProcessRequester>>,
}

impl Rest {
    /// What the plugin does from here on if nothing comes.
    pub fn outlook(&self) -> Outlook {
        OUTLOOKS[usize::from(self.outlook.load(Ordering::Relaxed)) % OUTLOOKS.len()]
    }

    /// Sets [`Rest::outlook`], as it is after a block.
    pub fn set_outlook(&self, outlook: Outlook) {
        let index = OUTLOOKS.iter().position(|o| *o == outlook).unwrap_or(0);
        self.outlook.store(index as u8, Ordering::Relaxed);
    }

    /// The host processes a block.
    pub fn begin_block(&self) {
        self.is_resting.store(false, Ordering::SeqCst);
    }

    /// Whether the host may rest the plugin after a block of `frames` frames at a `sample_rate` in Hz, in which
    /// nothing came if it `is_quiet`.
    pub fn end_block(&self, frames: u32, sample_rate: f32, is_quiet: bool) -> bool {
        let is_awaited = self.is_awaited.swap(false, Ordering::SeqCst);
        if is_awaited || !is_quiet || self.outlook() != Outlook::Silent {
            self.silent_frames.store(0, Ordering::Relaxed);
            return false;
        }
        let before = self.silent_frames.load(Ordering::Relaxed);
        let silent = before.saturating_add(frames);
        self.silent_frames.store(silent, Ordering::Relaxed);
        if (silent as f32) < SETTLING_S * sample_rate {
            return false;
        }
        // In this order: who awaits something either is seen here, or sees that the host has to be asked.
        self.is_resting.store(true, Ordering::SeqCst);
        if self.is_awaited.load(Ordering::SeqCst) {
            self.is_resting.store(false, Ordering::SeqCst);
            return false;
        }
        true
    }

    /// The host stops, and knows by itself when it goes on.
    pub fn stop(&self) {
        self.is_resting.store(false, Ordering::SeqCst);
        self.silent_frames.store(0, Ordering::Relaxed);
    }

    /// Whether the plugin rests.
    pub fn is_resting(&self) -> bool {
        self.is_resting.load(Ordering::SeqCst)
    }

    /// Notes that there is something to be processed that the host does not know of. Returns whether it has to be
    /// asked for that, as the plugin rests.
    pub fn expect(&self) -> bool {
        self.is_awaited.store(true, Ordering::SeqCst);
        self.is_resting()
    }

    /// Has a plugin that rests processed: there is something that the host does not know of. Not for the audio
    /// thread.
    pub fn end(&self) {
        self.expect();
        self.remind();
    }

    /// Asks the host again, if it has not heard yet. Not for the audio thread.
    pub fn remind(&self) {
        if !(self.is_awaited.load(Ordering::SeqCst) && self.is_resting()) {
            return;
        }
        let requester = (self.requester.lock())
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        // Not under the lock: a host may call back.
        if let Some(request) = requester {
            request();
        }
    }

    /// Installs the format's way of asking the host, or takes it away. Not for the audio thread.
    pub fn set_requester(&self, requester: Option<ProcessRequester>) {
        *(self.requester.lock()).unwrap_or_else(PoisonError::into_inner) = requester;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: f32 = 48_000.0;
    const BLOCK: u32 = 480;
    const SETTLING_BLOCKS: u32 = 25;

    fn block(rest: &Rest) -> bool {
        rest.begin_block();
        rest.end_block(BLOCK, RATE, true)
    }

    /// A plugin that rests, and the count of the host's requests.
    fn resting() -> (Rest, Arc<AtomicU32>) {
        let rest = Rest::default();
        let asked = Arc::new(AtomicU32::new(0));
        let count = asked.clone();
        let request = move || {
            count.fetch_add(1, Ordering::Relaxed);
        };
        rest.set_requester(Some(Arc::new(request)));
        for _ in 1..SETTLING_BLOCKS {
            assert!(!block(&rest) && !rest.is_resting());
        }
        assert!(block(&rest) && rest.is_resting());
        (rest, asked)
    }

    #[test]
    fn a_plugin_rests_after_a_while_of_silence_in_which_nothing_came() {
        let (rest, _) = resting();
        assert!(block(&rest));
        rest.begin_block();
        assert!(!rest.end_block(BLOCK, RATE, false) && !rest.is_resting());
        assert!(!block(&rest));
        for outlook in &OUTLOOKS[1..] {
            let (rest, _) = resting();
            rest.set_outlook(*outlook);
            assert_eq!(rest.outlook(), *outlook);
            assert!((0..100).all(|_| !block(&rest)), "{outlook:?}");
        }
    }

    #[test]
    fn the_host_is_asked_to_go_on_until_it_does_and_not_where_it_goes_on_anyway() {
        let (rest, asked) = resting();
        let asked = || asked.load(Ordering::Relaxed);
        rest.remind();
        assert_eq!(asked(), 0);
        rest.end();
        rest.remind();
        assert_eq!(asked(), 2);
        // What was asked for takes effect before the plugin rests again.
        assert!(!block(&rest));
        rest.remind();
        assert_eq!(asked(), 2);
        assert!((2..SETTLING_BLOCKS).all(|_| !block(&rest)));
        rest.end();
        assert!(!block(&rest));
        assert_eq!(asked(), 2);
        // A host that has stopped is not asked.
        while !block(&rest) {}
        rest.stop();
        rest.end();
        assert_eq!(asked(), 2);
    }
}
