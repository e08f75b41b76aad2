//! What a host asks of a plugin, and what comes back.

use std::time::Duration;

use crate::song::Song;

/// A key on a channel, under the host's own number if it gives one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// The host's number of the note.
    pub id: Option<i32>,
    /// MIDI channel, 0 to 15.
    pub channel: u8,
    /// MIDI key, 0 to 127.
    pub key: u8,
}

impl Note {
    /// A key on the first channel, without a number.
    pub const fn key(key: u8) -> Self {
        Self {
            id: None,
            channel: 0,
            key,
        }
    }

    /// A key on the first channel under the number `id`.
    pub const fn numbered(id: i32, key: u8) -> Self {
        Self {
            id: Some(id),
            channel: 0,
            key,
        }
    }
}

/// What a note expression changes of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expression {
    /// A factor, 0 to 4.
    Volume,
    /// 0 (left) to 1 (right).
    Pan,
    /// Semitones, -120 to 120.
    Tuning,
    /// 0 to 1.
    Brightness,
    /// 0 to 1; CLAP has it as an expression, VST3 as an event of its own ([`EventKind::Midi`]).
    Pressure,
}

/// Which buses a host gives a call. In VST3, those that it does not give are inactive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Buses {
    /// All of them, with a buffer for each channel.
    #[default]
    All,
    /// An output without channels, as a host bypasses a device.
    EmptyOutput,
    /// No output.
    NoOutput,
    /// No input.
    NoInput,
}

impl Buses {
    /// Whether the output's sound goes anywhere.
    pub(crate) fn has_sound(self) -> bool {
        matches!(self, Self::All | Self::NoInput)
    }
}

/// Something that happens while a plugin processes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// Frames after the start of the [`Render`].
    pub frame: usize,
    /// What happens.
    pub kind: EventKind,
}

/// What an [`Event`] does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EventKind {
    /// Automation of the parameter with the format's `id`. `value` is in the format's own terms:
    /// CLAP's plain value, VST3's normalized one; the hosts' `automation` makes it from text.
    Parameter {
        /// The format's own number of the parameter.
        id: u32,
        /// The new value.
        value: f64,
    },
    /// CLAP's polyphonic modulation: an offset of a parameter for the notes that go by a number.
    Modulation {
        /// CLAP's number of the parameter.
        id: u32,
        /// The host's number of the note.
        note_id: i32,
        /// The offset, in the unit of the parameter's plain value.
        amount: f64,
    },
    /// A key goes down.
    NoteOn {
        /// Which one.
        note: Note,
        /// 0 to 1.
        velocity: f32,
    },
    /// A key comes up.
    NoteOff {
        /// Which one.
        note: Note,
    },
    /// A note expression. VST3 hosts need a note with a number for it.
    Expression {
        /// For which note.
        note: Note,
        /// What changes.
        expression: Expression,
        /// To which value, in the expression's unit.
        value: f64,
    },
    /// The pitch wheel: a MIDI message in CLAP, in VST3 the parameter that the plugin names for it.
    PitchBend {
        /// MIDI channel, 0 to 15.
        channel: u8,
        /// 0 to 16383; 8192 is its rest position.
        position: u16,
    },
    /// A MIDI message of three bytes, the last of a channel's pressure being none: as it is in CLAP, in VST3 the event
    /// or the parameter that stand for it.
    Midi {
        /// Its bytes.
        message: [u8; 3],
    },
    /// The song that plays goes on from another place, as at the end of a loop. VST3 hosts can tell
    /// that at the beginning of a block only.
    Locate {
        /// Frame of the song.
        frame: i64,
    },
}

/// Sound for one input port; silence after its end, and on the ports that are not fed.
#[derive(Debug, Clone, PartialEq)]
pub struct InputFeed {
    /// Index of the input port.
    pub port: usize,
    /// One sample vector a channel. A single one feeds every channel of the port.
    pub channels: Vec<Vec<f32>>,
}

/// A stretch of processing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Render {
    /// How many frames to process. None at all are one call for the events alone.
    pub frames: usize,
    /// What the input ports hear.
    pub inputs: Vec<InputFeed>,
    /// What happens, in any order.
    pub events: Vec<Event>,
    /// The song that plays meanwhile, and its frame at the start; nothing while the song stands
    /// still.
    pub song: Option<(Song, i64)>,
    /// Lengths of the blocks, over and over, each at most the one that the plugin was activated
    /// with; empty for the longest throughout.
    pub blocks: Vec<usize>,
    /// The buses of every call; sound that goes nowhere comes back as silence.
    pub buses: Buses,
    /// Waits after each block until a sound card would ask for the next one.
    pub paced: bool,
}

impl Render {
    /// `frames` frames with silent inputs and no events.
    pub fn silent(frames: usize) -> Self {
        Self {
            frames,
            ..Self::default()
        }
    }

    /// Feeds `channels` to the input port `port` from the first frame on.
    #[must_use]
    pub fn feed(mut self, port: usize, channels: &[Vec<f32>]) -> Self {
        self.inputs.push(InputFeed {
            port,
            channels: channels.to_vec(),
        });
        self
    }

    /// Adds an event.
    #[must_use]
    pub fn at(mut self, frame: usize, kind: EventKind) -> Self {
        self.events.push(Event { frame, kind });
        self
    }

    /// Plays `song` from its frame `start` on.
    #[must_use]
    pub fn in_song(mut self, song: &Song, start: i64) -> Self {
        self.song = Some((song.clone(), start));
        self
    }

    /// Processes in blocks of these lengths, over and over.
    #[must_use]
    pub fn in_blocks(mut self, lengths: &[usize]) -> Self {
        self.blocks = lengths.to_vec();
        self
    }

    /// Processes with these buses.
    #[must_use]
    pub fn with_buses(mut self, buses: Buses) -> Self {
        self.buses = buses;
        self
    }

    /// Processes no faster than a sound card would ask for it.
    #[must_use]
    pub fn paced(mut self) -> Self {
        self.paced = true;
        self
    }

    /// First frames and lengths of the blocks, of at most `longest` frames each: one of none if there are no frames.
    pub(crate) fn block_ranges(&self, longest: usize) -> impl Iterator<Item = (usize, usize)> {
        let whole = [longest];
        let lengths = match self.blocks.as_slice() {
            [] => whole.to_vec(),
            lengths => lengths.to_vec(),
        };
        let (mut start, frames) = (0, self.frames);
        let blocks = lengths.into_iter().cycle().map_while(move |length| {
            let length = length.clamp(1, longest.max(1)).min(frames - start);
            let block = (start, length);
            start += length;
            (length > 0).then_some(block)
        });
        (frames == 0).then_some((0, 0)).into_iter().chain(blocks)
    }

    /// Copies the frames from `start` on that the channel `channel` of the port `port` hears to
    /// `block`.
    pub(crate) fn fill_input(&self, port: usize, channel: usize, start: usize, block: &mut [f32]) {
        block.fill(0.0);
        let feeds = self.inputs.iter().filter(|feed| feed.port == port);
        for feed in feeds {
            let source = match feed.channels.as_slice() {
                [mono] => mono,
                channels => match channels.get(channel) {
                    Some(source) => source,
                    None => continue,
                },
            };
            let heard = source.get(start..).unwrap_or_default();
            for (sample, &heard) in block.iter_mut().zip(heard) {
                *sample = heard;
            }
        }
    }

    /// The events in the order of their frames; those of one frame keep theirs.
    pub(crate) fn sorted_events(&self) -> Vec<Event> {
        let mut events = self.events.clone();
        events.sort_by_key(|event| event.frame);
        events
    }
}

/// Lengths of blocks from 1 to `most` frames, for [`Render::in_blocks`]: the same seed gives the same
/// ones.
pub fn random_blocks(seed: u32, most: usize) -> Vec<usize> {
    let mut state = seed;
    let lengths = std::iter::repeat_with(|| {
        // Numerical Recipes' linear congruential generator, whose upper bits are the good ones.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        1 + (state >> 8) as usize % most.max(1)
    });
    lengths.take(1_000).collect()
}

/// What a plugin made of a [`Render`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rendered {
    /// Samples of the main output port, one vector a channel.
    pub channels: Vec<Vec<f32>>,
    /// How long each call of the plugin's process function took.
    pub block_times: Vec<Duration>,
    /// The notes whose sound has ended, as a CLAP plugin tells them, with the frame that it gives.
    pub ended_notes: Vec<(usize, Note)>,
    /// For each block whether a CLAP plugin says that no more are needed until something comes.
    pub rests: Vec<bool>,
}

impl Rendered {
    /// Time the plugin took for everything.
    pub fn total_time(&self) -> Duration {
        self.block_times.iter().sum()
    }

    /// The same frames of every channel.
    pub fn frames(&self, range: std::ops::Range<usize>) -> Vec<Vec<f32>> {
        self.channels
            .iter()
            .map(|channel| channel[range.clone()].to_vec())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_go_over_every_frame_once() {
        let render = Render::silent(10);
        let ranges = |render: &Render| render.block_ranges(4).collect::<Vec<_>>();
        assert_eq!(ranges(&render), [(0, 4), (4, 4), (8, 2)]);
        let render = render.in_blocks(&[1, 3, 900]);
        assert_eq!(ranges(&render), [(0, 1), (1, 3), (4, 4), (8, 1), (9, 1)]);
        assert_eq!(ranges(&Render::silent(0)), [(0, 0)]);
        let lengths = random_blocks(1, 50);
        assert!(lengths.iter().all(|length| (1..=50).contains(length)));
        assert_eq!(lengths, random_blocks(1, 50));
        assert_ne!(lengths, random_blocks(2, 50));
    }
}
