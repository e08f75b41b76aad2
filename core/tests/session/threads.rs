//! The two sides of a host: what its main thread does to an instrument, and what its audio thread plays.

use weft_core::instrument::{
    CaptureSettings, Controls, Instrument, NoteAddress, NoteControl, Player, Slot, Transport,
};
use weft_core::network::Model;
use weft_core::procedural::{Texture, synthesize};

use crate::happening::{AudioHappening, MainHappening, SlotChange};

/// Samples after which the song goes back to where it was sought last: about four seconds.
const LOOP_SAMPLES: i64 = 190_000;
/// Level of what is heard at the input.
const INPUT_LEVEL: f32 = 0.01;
/// The channel of all notes.
const CHANNEL: NoteAddress = NoteAddress {
    note_id: None,
    channel: Some(0),
    key: None,
};

/// The instrument, as the window and the host's project see it.
pub struct MainThread {
    pub instrument: Instrument,
    textures: [Model; 2],
    saved: Option<Vec<u8>>,
}

impl MainThread {
    /// Puts the textures into the first two slots.
    pub fn new(instrument: Instrument, textures: [Model; 2]) -> Self {
        for (slot, texture) in [Slot::A, Slot::B].into_iter().zip(&textures) {
            instrument.play(slot, texture.clone());
        }
        Self {
            instrument,
            textures,
            saved: None,
        }
    }

    /// Does what happens, `audio` being at rest.
    pub fn apply(&mut self, happening: &MainHappening, audio: &mut AudioThread) {
        match *happening {
            MainHappening::Slot { slot, ref change } => self.change(slot, change),
            MainHappening::Save => self.saved = self.instrument.save_state(),
            MainHappening::Load => {
                if let Some(bytes) = &self.saved {
                    self.instrument.load_state(bytes).unwrap();
                }
            }
            MainHappening::SampleRate(rate) => audio.set_sample_rate(rate),
        }
    }

    fn change(&self, slot: Slot, change: &SlotChange) {
        let instrument = &self.instrument;
        match *change {
            SlotChange::Fit => {
                let wind = synthesize(Texture::Wind, 3, 16_000, 1.5);
                instrument.load_clip(slot, wind, "wind");
            }
            SlotChange::CancelFit => instrument.cancel_fit(slot),
            SlotChange::Undo => instrument.undo(slot),
            SlotChange::CopyFirst => instrument.copy(Slot::A, slot),
            SlotChange::Clear => instrument.clear(slot),
            SlotChange::Grab => instrument.grab(slot, 1.0),
            SlotChange::Texture(which) => instrument.play(slot, self.textures[which].clone()),
        }
    }
}

/// The player, the song, and the memory of a block.
pub struct AudioThread {
    player: Player,
    controls: Controls,
    sample_rate: f64,
    song: SongLoop,
    rolling: bool,
    input: Vec<f32>,
    output: [Vec<f32>; 2],
}

impl AudioThread {
    /// Plays in blocks of at most `longest_block` samples at `sample_rate` Hz, at which the song counts too.
    pub fn new(mut player: Player, sample_rate: f64, longest_block: usize) -> Self {
        player.prepare(sample_rate);
        Self {
            player,
            controls: Controls {
                hold: true,
                ..Controls::DEFAULT
            },
            sample_rate,
            song: SongLoop::new(sample_rate),
            rolling: true,
            input: vec![INPUT_LEVEL; longest_block],
            output: [vec![0.0; longest_block], vec![0.0; longest_block]],
        }
    }

    pub fn set_offline(&mut self, offline: bool) {
        self.player.set_offline(offline);
    }

    /// The controls as they stand.
    pub fn controls(&self) -> &Controls {
        &self.controls
    }

    /// The sample rate in Hz as it stands.
    pub fn sample_rate(&self) -> f64 {
        self.sample_rate
    }

    /// The song goes on counting as it did: nobody listens to the pitch.
    fn set_sample_rate(&mut self, sample_rate: f64) {
        self.sample_rate = sample_rate;
        self.player.prepare(sample_rate);
    }

    /// Does what happens. Neither allocates nor calls the system.
    pub fn apply(&mut self, happening: &AudioHappening) {
        match *happening {
            AudioHappening::NoteOn { key, velocity } => {
                let note = NoteAddress {
                    key: Some(key),
                    ..CHANNEL
                };
                self.player.note_on(note, velocity);
            }
            AudioHappening::NotesOff => self.player.note_off(CHANNEL),
            AudioHappening::Channel {
                channel,
                control,
                value,
            } => self.player.set_channel_control(channel, control, value),
            AudioHappening::Tuning { semitones } => {
                let everything = NoteAddress::default();
                let tuning = NoteControl::Tuning;
                self.player.control_note(everything, tuning, semitones);
            }
            AudioHappening::Controls(controls) => self.controls = controls,
            AudioHappening::Seek { sample } => self.song.seek(sample),
            AudioHappening::Transport { rolling } => self.rolling = rolling,
            AudioHappening::Capture => {
                let capture = CaptureSettings::now(Slot::C, 1.0);
                self.player.start_capture(capture);
            }
            AudioHappening::Reset => self.player.reset(),
        }
    }

    /// Plays `block` samples. Neither allocates nor calls the system.
    pub fn process(&mut self, block: usize) {
        let transport = self.song.transport();
        self.player.set_transport(self.rolling.then_some(transport));
        let input = &self.input[..block];
        let output = self.output.each_mut().map(|samples| &mut samples[..block]);
        self.player.process([input, input], output, &self.controls);
        while self.player.next_ended_note().is_some() {}
        self.song.advance(block);
    }

    /// What the last block of `block` samples played, by channel.
    pub fn played(&self, block: usize) -> [&[f32]; 2] {
        self.output.each_ref().map(|samples| &samples[..block])
    }
}

/// A song at 120 beats a minute that goes round in a loop.
struct SongLoop {
    sample_rate: f64,
    start: i64,
    sample: i64,
}

impl SongLoop {
    fn new(sample_rate: f64) -> Self {
        Self {
            sample_rate,
            start: 0,
            sample: 0,
        }
    }

    fn seek(&mut self, sample: i64) {
        (self.start, self.sample) = (sample, sample);
    }

    fn advance(&mut self, samples: usize) {
        self.sample += samples as i64;
        if self.sample > self.start + LOOP_SAMPLES {
            self.sample = self.start;
        }
    }

    fn transport(&self) -> Transport {
        Transport {
            samples: self.sample,
            beats: Some(self.sample as f64 / self.sample_rate * 2.0),
            bar_start_beats: None,
            beats_per_bar: Some(4.0),
            tempo: Some(120.0),
        }
    }
}
