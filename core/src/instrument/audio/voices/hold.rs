//! Hold: a note of its own, at the root key.

use super::HOLD_VOICE;
use super::channels::ChannelValues;
use super::stream_link::StreamLink;
use super::voice::Voice;
use crate::instrument::controls::{Controls, NoteAddress};

/// The voice of Hold.
pub(super) struct Hold {
    voice: Voice,
}

impl Hold {
    pub fn new() -> Self {
        Self {
            voice: Voice::new(HOLD_VOICE, 1),
        }
    }

    pub fn voice(&self) -> &Voice {
        &self.voice
    }

    pub fn voice_mut(&mut self) -> &mut Voice {
        &mut self.voice
    }

    /// Starts or releases the note as the controls say. Where the texture `is_locked` to the song, it starts
    /// with a stream from the song's place. `recent` is what any channel did last.
    pub fn follow(
        &mut self,
        controls: &Controls,
        recent: &ChannelValues,
        is_locked: bool,
        link: &mut StreamLink,
    ) {
        if !controls.hold {
            self.voice.release();
        } else if !self.voice.is_held() {
            let root = NoteAddress::key(controls.root_key);
            self.voice.start(root, None, 0, recent);
            if is_locked {
                self.voice.request_stream(link);
            }
        }
    }

    /// Follows what a channel did.
    pub fn follow_channel(&mut self, recent: &ChannelValues) {
        self.voice.follow_channel(recent);
    }

    /// Asks for a stream if the note is to sound and none was asked for.
    pub fn keep_ready(&mut self, controls: &Controls, link: &mut StreamLink) {
        if controls.hold && !self.voice.has_asked() {
            self.voice.request_stream(link);
        }
    }
}
