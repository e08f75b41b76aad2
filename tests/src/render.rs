//! What a host asks of a plugin, and what comes back.

use std::time::Duration;

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
    /// CLAP's plain value, VST3's normalized one; the hosts' `parameter_value` makes it from text.
    Parameter {
        /// The format's own number of the parameter.
        id: u32,
        /// The new value.
        value: f64,
    },
    /// A key goes down.
    NoteOn {
        /// MIDI key, 0 to 127.
        key: u8,
        /// 0 to 1.
        velocity: f32,
    },
    /// A key comes up.
    NoteOff {
        /// MIDI key, 0 to 127.
        key: u8,
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
    /// How many frames to process.
    pub frames: usize,
    /// What the input ports hear.
    pub inputs: Vec<InputFeed>,
    /// What happens, in any order.
    pub events: Vec<Event>,
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

/// What a plugin made of a [`Render`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rendered {
    /// Samples of the main output port, one vector a channel.
    pub channels: Vec<Vec<f32>>,
    /// How long each call of the plugin's process function took.
    pub block_times: Vec<Duration>,
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
