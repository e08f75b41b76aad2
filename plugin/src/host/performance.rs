//! For tests: what hands play, as MIDI sends it, and what that means to the player. Each format's tests play it in
//! the format's own terms.

use std::time::{Duration, Instant};

use weft_core::instrument::{ChannelControl, NoteAddress, NoteControl};

use crate::channel_messages::{CHANNELS, ChannelMessage};
use crate::mpe::{Channels, Order};
use crate::plugin::events::Deed;

/// A MIDI message of three bytes; the last one of a channel's pressure is nothing.
pub type Midi = [u8; 3];

/// Keys of the random messages.
const KEYS: std::ops::Range<u8> = 60..68;

/// The registered parameter `number` of a channel gets this value, and none is chosen any more.
pub fn registered(channel: u8, number: u8, value: u8) -> [Midi; 5] {
    [(101, 0), (100, number), (6, value), (101, 127), (100, 127)]
        .map(|(controller, value)| [0xb0 | channel, controller, value])
}

/// The wheel of a channel, as a share of its way.
pub fn wheel(channel: u8, share: f64) -> Midi {
    let way = if share < 0.0 { 8192.0 } else { 8191.0 };
    let position = (8192.0 + share * way) as u16;
    [
        0xe0 | channel,
        (position & 0x7f) as u8,
        (position >> 7) as u8,
    ]
}

/// Every controller, on channels in and out of a zone.
pub fn every_controller() -> Vec<Midi> {
    let mut script = Vec::new();
    script.extend(registered(0, 6, 5));
    for channel in [0, 2, 5, 6, 15] {
        script.push([0x90 | channel, 60, 100]);
        script.extend(registered(channel, 0, 12));
        script.push([0xb0 | channel, 101, 0]);
        script.push([0xb0 | channel, 100, 0]);
        script.push([0xb0 | channel, 38, 50]);
        for value in [1, 64, 127, 0] {
            script.push([0xd0 | channel, value, 0]);
            script.push([0xa0 | channel, 60, value]);
            for controller in [1, 33, 74, 64, 66] {
                script.push([0xb0 | channel, controller, value]);
            }
        }
        script.extend([-1.0, -0.25, 0.0, 0.5, 1.0].map(|share| wheel(channel, share)));
        script.push([0xb0 | channel, 99, 0]);
        script.push([0xb0 | channel, 98, 0]);
        script.push([0xb0 | channel, 6, 1]);
        script.push([0xb0 | channel, 121, 0]);
        script.push([0x80 | channel, 60, 0]);
        for mode in [120, 123, 124, 125, 126, 127] {
            script.push([0xb0 | channel, mode, 0]);
        }
        // Those that mean nothing.
        script.push([0xb0 | channel, 7, 100]);
        script.push([0xb0 | channel, 11, 100]);
    }
    script.extend(registered(15, 6, 14));
    script.extend(registered(15, 6, 0));
    script
}

/// What `script` means to the player.
pub fn meaning(script: &[Midi]) -> Vec<Deed> {
    let mut channels = Channels::new(2.0);
    let mut deeds = Vec::new();
    for &[status, data1, data2] in script {
        let channel = status & 0x0f;
        let note = NoteAddress {
            note_id: None,
            channel: Some(channel),
            key: Some(data1),
        };
        let share = f32::from(data2) / 127.0;
        let message = match status & 0xf0 {
            0x90 if data2 > 0 => {
                deeds.push(Deed::NoteOn(note, share));
                None
            }
            0x80 | 0x90 => {
                deeds.push(Deed::NoteOff(note));
                None
            }
            0xa0 => {
                deeds.push(Deed::Control(note, NoteControl::Pressure, share));
                None
            }
            0xd0 => ChannelMessage::of_pressure(channel, data1),
            0xe0 => ChannelMessage::of_wheel(channel, u16::from(data2) * 128 + u16::from(data1)),
            _ => ChannelMessage::of_controller(channel, data1, data2),
        };
        if let Some(message) = message {
            channels.obey(message, &mut |order| deeds.push(Deed::Channel(order)));
        }
    }
    deeds
}

/// Three voices of an MPE keyboard, with bends of 0, 4 and 7 semitones, pressures and slides of their own, from the
/// keyboard's own message for its zone on.
pub fn three_voices() -> Vec<Midi> {
    let mut script = registered(0, 6, 15).to_vec();
    for (channel, semitones, pressure, slide) in
        [(1, 0.0, 0, 64), (2, 4.0, 64, 0), (3, 7.0, 127, 127)]
    {
        script.push(wheel(channel, semitones / 48.0));
        script.push([0xb0 | channel, 74, slide]);
        script.push([0xd0 | channel, pressure, 0]);
        script.push([0x90 | channel, 60, 100]);
    }
    // The whole zone up by its manager's two semitones.
    script.push(wheel(0, 1.0));
    script
}

/// Where the bend of a channel was put last.
pub fn last_bend_st(deeds: &[Deed], of: u8) -> Option<f32> {
    last(deeds, of, ChannelControl::BendSt)
}

fn last(deeds: &[Deed], of: u8, what: ChannelControl) -> Option<f32> {
    deeds.iter().rev().find_map(|deed| match *deed {
        Deed::Channel(Order::Control {
            channel,
            control,
            value,
        }) => (channel == of && control == what).then_some(value),
        _ => None,
    })
}

/// The player was told of the bends, pressures and slides of [`three_voices`], each before its note.
pub fn assert_three_voices(deeds: &[Deed]) {
    for (channel, bend_st, pressure, slide) in [
        (1, 2.0, 0.0, 0.0),
        (2, 6.0, 64.0 / 127.0, -1.0),
        (3, 9.0, 1.0, 1.0),
    ] {
        let bend = last_bend_st(deeds, channel).unwrap();
        // A wheel of 14 bits that reaches 48 semitones has steps of half a cent.
        assert!((bend - bend_st).abs() < 0.006, "{channel}: {bend}");
        let told = |what| last(deeds, channel, what);
        assert_eq!(told(ChannelControl::Pressure), Some(pressure));
        assert_eq!(told(ChannelControl::Slide), Some(slide));
        let starts =
            |deed: &Deed| matches!(deed, Deed::NoteOn(note, _) if note.channel == Some(channel));
        let start = deeds.iter().position(starts).unwrap();
        assert_eq!(
            last(&deeds[..start], channel, ChannelControl::Slide),
            Some(slide)
        );
    }
}

/// Random numbers and messages from a seed.
pub struct Hands(u32);

impl Hands {
    pub fn new(seed: u32) -> Self {
        Self(seed)
    }

    /// A number below `count`.
    pub fn any(&mut self, count: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % count
    }

    /// Any message that means something, most of them notes.
    pub fn message(&mut self) -> Midi {
        // Managers of both zones, and members.
        let channel = [0, 1, 2, 15][self.any(4) as usize];
        let key = KEYS.start + self.any(u32::from(KEYS.end - KEYS.start)) as u8;
        let value = self.any(128) as u8;
        let control = |controller| [0xb0 | channel, controller, value];
        match self.any(20) {
            0..7 => [0x90 | channel, key, value],
            7..12 => [0x80 | channel, key, value],
            12 => control([64, 66][self.any(2) as usize]),
            13 => control(120 + self.any(8) as u8),
            14 => [0xe0 | channel, value, value],
            15 => [0xd0 | channel, value, 0],
            16 => [0xa0 | channel, key, value],
            17 => control([1, 33, 74][self.any(3) as usize]),
            18 => control([98, 99, 100, 101][self.any(4) as usize]),
            // Values of parameters, and choices of those that mean something.
            _ => match self.any(3) {
                0 => [0xb0 | channel, 6, value % 17],
                1 => [0xb0 | channel, 101, 0],
                _ => [0xb0 | channel, 100, 6 * (value % 2)],
            },
        }
    }

    /// The hands leave everything.
    pub fn leave() -> Vec<Midi> {
        let of_channel = |channel| {
            let pedals = [64, 66].map(|pedal| [0xb0 | channel, pedal, 0]);
            let keys = KEYS.map(move |key| [0x80 | channel, key, 0]);
            pedals.into_iter().chain(keys)
        };
        (0..CHANNELS).flat_map(of_channel).collect()
    }
}

/// Plays `round` with another seed each time: once, or for as long as `WEFT_HUNG_S` says, in seconds.
///
/// `WEFT_HUNG_S=600 cargo test -p weft random_messages -- --nocapture` is ten minutes for each format.
pub fn for_as_long_as_asked(mut round: impl FnMut(u32)) {
    let asked = std::env::var("WEFT_HUNG_S").ok();
    let seconds = asked.and_then(|s| s.parse().ok()).unwrap_or(0);
    let (began, asked) = (Instant::now(), Duration::from_secs(seconds));
    let mut rounds = 0;
    while rounds == 0 || began.elapsed() < asked {
        rounds += 1;
        round(12 + rounds);
    }
    println!("{rounds} rounds, no note hangs");
}
