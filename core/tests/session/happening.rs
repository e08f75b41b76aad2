//! What happens in a session, drawn at random before each block.

use weft_core::instrument::{ChannelControl, Controls, ModulationTarget, Quality, Route, Slot};

use crate::support::random::Random;

/// How many things happen in a second, about.
const PER_SECOND: f32 = 10.0;
/// Where the song may be sought, in samples.
const SEEK_SAMPLES: (i64, usize) = (12_000, 200_000);

/// Something that happens before a block.
pub enum Happening {
    /// On the audio thread, which is watched.
    Audio(AudioHappening),
    /// On the main thread, which may allocate.
    Main(MainHappening),
}

/// What the audio thread's host does.
pub enum AudioHappening {
    /// A key goes down.
    NoteOn { key: u8, velocity: f32 },
    /// All keys come up.
    NotesOff,
    /// All notes are tuned.
    Tuning { semitones: f32 },
    /// A wheel is turned, or pressed on the keys, in a channel or in all.
    Channel {
        channel: Option<u8>,
        control: ChannelControl,
        value: f32,
    },
    /// Automation moves controls.
    Controls(Controls),
    /// The song goes on from another sample.
    Seek { sample: i64 },
    /// The song rolls, or stands still.
    Transport { rolling: bool },
    /// A capture begins.
    Capture,
    /// Silence, and back to the first frame.
    Reset,
}

/// What the window and the host's project do.
pub enum MainHappening {
    /// Something is done with a slot.
    Slot { slot: Slot, change: SlotChange },
    /// The host saves the project.
    Save,
    /// The host loads what was saved last.
    Load,
    /// The host changes its sample rate.
    SampleRate(f64),
}

/// What is done with a slot.
pub enum SlotChange {
    /// A synthesized wind is fitted.
    Fit,
    /// Its fit is cancelled.
    CancelFit,
    /// Its last change is undone.
    Undo,
    /// The first slot is copied to it.
    CopyFirst,
    /// It is emptied.
    Clear,
    /// What was heard last is fitted.
    Grab,
    /// One of the session's two textures is put there.
    Texture(usize),
}

impl Happening {
    /// What happens before a block of `block` samples, if anything does. `controls` are as they stand, `rate`
    /// is the session's sample rate in Hz.
    pub fn before(
        block: usize,
        controls: &Controls,
        rate: f64,
        random: &mut Random,
    ) -> Option<Self> {
        let due = random.unit() < PER_SECOND * block as f32 / rate as f32;
        due.then(|| Self::draw(controls, rate, random))
    }

    fn draw(controls: &Controls, rate: f64, random: &mut Random) -> Self {
        match random.below(17) {
            15 => Self::Main(MainHappening::draw_slot(random)),
            16 => Self::Main(MainHappening::draw_project(rate, random)),
            kind => Self::Audio(AudioHappening::draw(kind, controls, random)),
        }
    }
}

impl AudioHappening {
    /// One of the kinds 0 to 14.
    fn draw(kind: usize, controls: &Controls, random: &mut Random) -> Self {
        let automated = |change: fn(&mut Controls, &mut Random), random: &mut Random| {
            let mut controls = *controls;
            change(&mut controls, random);
            Self::Controls(controls)
        };
        match kind {
            0..4 => Self::NoteOn {
                key: 36 + random.below(48) as u8,
                velocity: random.unit(),
            },
            4 | 5 => Self::NotesOff,
            6 if random.below(2) == 0 => Self::Channel {
                channel: Some(random.below(3) as u8).filter(|channel| *channel < 2),
                control: HANDS[random.below(HANDS.len())],
                value: random.within(-1.0, 1.0),
            },
            6 => Self::Tuning {
                semitones: random.within(-2.0, 2.0),
            },
            7..12 => automated(SOUND[kind - 7], random),
            12 => Self::Seek {
                sample: SEEK_SAMPLES.0 + random.below(SEEK_SAMPLES.1) as i64,
            },
            13 if random.below(2) == 0 => Self::Transport {
                rolling: random.unit() < 0.9,
            },
            13 => automated(switch, random),
            _ => match random.below(5) {
                0 => Self::Capture,
                1 => Self::Reset,
                choice => automated(CHOICES[choice - 2], random),
            },
        }
    }
}

/// What is done in a channel.
const HANDS: [ChannelControl; 4] = [
    ChannelControl::BendSt,
    ChannelControl::Wheel,
    ChannelControl::Pressure,
    ChannelControl::Slide,
];

/// Changes of how the texture sounds.
const SOUND: [fn(&mut Controls, &mut Random); 5] = [
    |controls, random| controls.time = 4.0 * random.unit().powi(2),
    |controls, random| controls.pitch_st = random.within(-12.0, 12.0),
    |controls, random| {
        controls.brightness_db_per_octave = random.within(-6.0, 6.0);
        controls.width = random.within(0.0, 2.0);
    },
    |controls, random| {
        controls.contrast = random.within(0.0, 2.0);
        controls.density = random.within(0.0, 2.0);
        controls.routes[random.below(3)] = Route {
            target: ModulationTarget::ALL[random.below(7)],
            amount: random.within(-1.0, 1.0),
        };
    },
    |controls, random| {
        controls.smear_s = random.unit();
        controls.low_cut_hz = random.within(20.0, 500.0);
    },
];

/// Changes of what plays.
const CHOICES: [fn(&mut Controls, &mut Random); 3] = [
    |controls, random| controls.seed = random.below(5) as u32,
    |controls, random| controls.quality = [Quality::Eco, Quality::High][random.below(2)],
    |controls, random| controls.slot = Slot::ALL[random.below(4)],
];

/// Turns the switches, each by itself.
fn switch(controls: &mut Controls, random: &mut Random) {
    controls.lock = random.unit() < 0.7;
    controls.key_follow = random.unit() < 0.5;
    controls.hold = random.unit() < 0.8;
}

impl MainHappening {
    fn draw_slot(random: &mut Random) -> Self {
        let slot = Slot::ALL[random.below(4)];
        let change = match random.below(10) {
            0 => SlotChange::Fit,
            1 => SlotChange::CancelFit,
            2 => SlotChange::Undo,
            3 => SlotChange::CopyFirst,
            4 if slot != Slot::A => SlotChange::Clear,
            5 => SlotChange::Grab,
            n => SlotChange::Texture(n % 2),
        };
        Self::Slot { slot, change }
    }

    fn draw_project(rate: f64, random: &mut Random) -> Self {
        match random.below(8) {
            0..4 => Self::Save,
            4..7 => Self::Load,
            _ => Self::SampleRate([44_100.0, 96_000.0, rate, rate][random.below(4)]),
        }
    }
}
