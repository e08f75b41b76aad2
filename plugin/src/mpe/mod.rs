//! What the channels' messages say to the player: gestures of every channel, the range of its wheel, and the zones
//! of MPE, in which a manager's gestures join those of its members. Pure, and on the audio thread.
//!
//! Without a zone, every channel is by itself: its wheel reaches as far as the parameter for it says, or as a
//! registered parameter has said since. In a zone, a note's bend is its manager's and its own together; of wheel
//! and pressure the larger counts, so that a manager that nobody touches changes nothing, and slides add up. How
//! those join is left to the instrument by the specification (MIDI Polyphonic Expression 1.1).
//!
//! *Reset controllers* leaves the slide where it is, as it leaves all that makes the sound (RP-015 of the MIDI
//! Association), and lets go of wheels, pressure and pedals.

mod zones;

use weft_core::instrument::ChannelControl;

use crate::channel_messages::{CHANNELS, ChannelMessage, Gesture, controller};
use zones::{Place, Zones};

/// How far the wheels of a zone reach until told otherwise, in semitones: its manager's, and its members'.
const MANAGER_RANGE_ST: f32 = 2.0;
const MEMBER_RANGE_ST: f32 = 48.0;
/// The registered parameters that are obeyed: the wheel's range in semitones and cents, and the zone.
const BEND_RANGE: [u8; 2] = [0, 0];
const ZONE: [u8; 2] = [0, 6];
/// No parameter.
const NONE_CHOSEN: [u8; 2] = [127, 127];
/// The smallest step of the modulation wheel's high byte.
const WHEEL_STEP: f32 = 1.0 / 127.0;
const CENTS: f32 = 100.0;

/// What the player is to do with a channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Order {
    /// A control of all its notes is here.
    Control {
        channel: u8,
        control: ChannelControl,
        value: f32,
    },
    /// The sustain pedal is down, or up.
    Sustain { channel: u8, is_down: bool },
    /// The sostenuto pedal is down, or up.
    Sostenuto { channel: u8, is_down: bool },
    /// All keys go up.
    LiftKeys { channel: u8 },
    /// Silence at once.
    Silence { channel: u8 },
    /// No key is pressed harder than others.
    RestPressures { channel: u8 },
}

/// Where the hands are that play a channel, and what was said of it.
#[derive(Clone, Copy, Debug)]
struct Channel {
    /// −1 to 1.
    bend: f32,
    wheel: f32,
    wheel_fine: f32,
    pressure: f32,
    slide: f32,
    sustain: bool,
    sostenuto: bool,
    /// How far the wheel reaches in whole semitones and cents, if somebody has said so.
    range_st: Option<(f32, f32)>,
    /// Of the registered parameters, the one whose value comes next.
    chosen: [u8; 2],
}

impl Channel {
    const AT_REST: Self = Self {
        bend: 0.0,
        wheel: 0.0,
        wheel_fine: 0.0,
        pressure: 0.0,
        slide: 0.0,
        sustain: false,
        sostenuto: false,
        range_st: None,
        chosen: NONE_CHOSEN,
    };

    /// Lets go of all that moves.
    fn rest(&mut self) {
        *self = Self {
            range_st: self.range_st,
            chosen: self.chosen,
            ..Self::AT_REST
        };
    }

    /// Lets go of what the message of that name is for.
    fn reset(&mut self) {
        let slide = self.slide;
        self.rest();
        self.slide = slide;
        self.chosen = NONE_CHOSEN;
    }

    fn wheel(&self) -> f32 {
        (self.wheel + self.wheel_fine * WHEEL_STEP).min(1.0)
    }
}

/// All channels, and the zones of which some are.
#[derive(Clone, Debug)]
pub struct Channels {
    channels: [Channel; CHANNELS as usize],
    zones: Zones,
    /// How far a wheel reaches of which nobody has said it, in semitones.
    range_st: f32,
    /// Of each control, the channel that has moved it last: what is told last is what notes without a channel
    /// follow.
    last_moved: [u8; CONTROLS.len()],
}

/// Everything that [`Channels`] can tell of a channel's notes.
const CONTROLS: [ChannelControl; 4] = [
    ChannelControl::BendSt,
    ChannelControl::Wheel,
    ChannelControl::Pressure,
    ChannelControl::Slide,
];

impl Channels {
    /// Hands at rest, no zones, and wheels that reach `range_st` semitones.
    pub fn new(range_st: f32) -> Self {
        Self {
            channels: [Channel::AT_REST; CHANNELS as usize],
            zones: Zones::default(),
            range_st,
            last_moved: [0; CONTROLS.len()],
        }
    }

    /// Lets go of everything, as the player does when it is reset. Zones and ranges stay: a keyboard says them
    /// once.
    pub fn rest(&mut self) {
        self.channels.iter_mut().for_each(Channel::rest);
    }

    /// Wheels reach this far from now on, in semitones, where nothing else was said of their channel.
    pub fn set_range(&mut self, range_st: f32, order: &mut impl FnMut(Order)) {
        if self.range_st == range_st {
            return;
        }
        self.range_st = range_st;
        let follows = |channel: &u8| self.channels[usize::from(*channel)].range_st.is_none();
        self.tell_all(
            (0..CHANNELS).filter(follows),
            &[ChannelControl::BendSt],
            order,
        );
    }

    /// Takes a message in, and calls `order` for what the player is to do. Expressions of single notes are not
    /// for channels: nothing happens.
    pub fn obey(&mut self, message: ChannelMessage, order: &mut impl FnMut(Order)) {
        match message {
            ChannelMessage::Moved {
                channel,
                gesture,
                value,
            } => self.move_to(channel, gesture, value, order),
            ChannelMessage::Sustain { channel, is_down } => {
                let Some(of) = self.channel(channel) else {
                    return;
                };
                of.sustain = is_down;
                self.tell_pedals(channel, order);
            }
            ChannelMessage::Sostenuto { channel, is_down } => {
                let Some(of) = self.channel(channel) else {
                    return;
                };
                of.sostenuto = is_down;
                self.tell_pedals(channel, order);
            }
            ChannelMessage::AllNotesOff { channel } => {
                let channels = self.zones.followers(channel);
                channels.for_each(|channel| order(Order::LiftKeys { channel }));
            }
            ChannelMessage::AllSoundOff { channel } => {
                let channels = self.zones.followers(channel);
                channels.for_each(|channel| order(Order::Silence { channel }));
            }
            ChannelMessage::ResetControllers { channel } => self.reset(channel, order),
            ChannelMessage::Parameter {
                channel,
                controller,
                value,
            } => self.take_parameter(channel, controller, value, order),
            ChannelMessage::Expression { .. } => {}
        }
    }

    fn channel(&mut self, channel: u8) -> Option<&mut Channel> {
        self.channels.get_mut(usize::from(channel))
    }

    fn move_to(
        &mut self,
        channel: u8,
        gesture: Gesture,
        value: f32,
        order: &mut impl FnMut(Order),
    ) {
        let Some(of) = self.channel(channel) else {
            return;
        };
        let control = match gesture {
            Gesture::Bend => {
                of.bend = value;
                ChannelControl::BendSt
            }
            Gesture::Wheel => {
                // The low byte counts from here on.
                (of.wheel, of.wheel_fine) = (value, 0.0);
                ChannelControl::Wheel
            }
            Gesture::WheelFine => {
                of.wheel_fine = value;
                ChannelControl::Wheel
            }
            Gesture::Pressure => {
                of.pressure = value;
                ChannelControl::Pressure
            }
            Gesture::Slide => {
                of.slide = value;
                ChannelControl::Slide
            }
        };
        self.last_moved[control as usize] = channel;
        self.tell_all(self.zones.followers(channel), &[control], order);
    }

    fn reset(&mut self, channel: u8, order: &mut impl FnMut(Order)) {
        for follower in self.zones.followers(channel) {
            if let Some(of) = self.channel(follower) {
                of.reset();
            }
        }
        self.tell_pedals(channel, order);
        self.last_moved = [channel; CONTROLS.len()];
        self.tell_all(self.zones.followers(channel), &CONTROLS, order);
        for channel in self.zones.followers(channel) {
            order(Order::RestPressures { channel });
        }
    }

    /// Takes a part of the choice of a parameter in, or of its value.
    fn take_parameter(
        &mut self,
        channel: u8,
        controller: u8,
        value: u8,
        order: &mut impl FnMut(Order),
    ) {
        let Some(of) = self.channel(channel) else {
            return;
        };
        match (controller, of.chosen) {
            (controller::REGISTERED, _) => of.chosen[0] = value,
            (controller::REGISTERED_FINE, _) => of.chosen[1] = value,
            (controller::UNREGISTERED | controller::UNREGISTERED_FINE, _) => {
                of.chosen = NONE_CHOSEN;
            }
            (controller::DATA_ENTRY, ZONE) => self.set_zone(channel, value, order),
            (controller::DATA_ENTRY, BEND_RANGE) => {
                self.set_channel_range(channel, (f32::from(value), 0.0), order);
            }
            (controller::DATA_ENTRY_FINE, BEND_RANGE) => {
                let (semitones, _) = of.range_st.unwrap_or((self.range_st, 0.0));
                let range_st = (semitones, f32::from(value) / CENTS);
                self.set_channel_range(channel, range_st, order);
            }
            _ => {}
        }
    }

    /// Wheels of `channel` reach so far from now on; of a zone, those of all members together.
    fn set_channel_range(
        &mut self,
        channel: u8,
        range_st: (f32, f32),
        order: &mut impl FnMut(Order),
    ) {
        let place = self.zones.place(channel);
        for other in 0..CHANNELS {
            let is_meant = match place {
                Place::Member { .. } => self.zones.place(other) == place,
                Place::Alone | Place::Manager => other == channel,
            };
            if is_meant && let Some(of) = self.channel(other) {
                of.range_st = Some(range_st);
            }
        }
        let manager = match place {
            Place::Member { manager } => manager,
            Place::Alone | Place::Manager => channel,
        };
        let bend = [ChannelControl::BendSt];
        self.tell_all(self.zones.followers(manager), &bend, order);
    }

    /// Gives the zone of `manager` so many members. Where that changes a zone, its notes end, and its hands let
    /// go: channels have another meaning now. What is said again only brings its ranges back.
    fn set_zone(&mut self, manager: u8, members: u8, order: &mut impl FnMut(Order)) {
        let before = self.zones;
        if self.zones.set(manager, members).is_none() {
            return;
        }
        let mut changed = [false; CHANNELS as usize];
        for of in [zones::LOWER, zones::UPPER] {
            let (old, new) = (before.zone(of), self.zones.zone(of));
            if old == new {
                continue;
            }
            for channel in old.chain(new) {
                changed[usize::from(channel)] = true;
            }
        }
        for channel in 0..CHANNELS {
            let place = self.zones.place(channel);
            let of = &mut self.channels[usize::from(channel)];
            let has_changed = changed[usize::from(channel)];
            if has_changed {
                of.rest();
            }
            let is_in_zone = self.zones.zone(manager).contains(&channel);
            if has_changed || is_in_zone {
                of.range_st = match place {
                    Place::Alone => None,
                    Place::Manager => Some((MANAGER_RANGE_ST, 0.0)),
                    Place::Member { .. } => Some((MEMBER_RANGE_ST, 0.0)),
                };
            }
        }
        let has_changed = |channel: &u8| changed[usize::from(*channel)];
        for channel in (0..CHANNELS).filter(has_changed) {
            self.tell_pedals_of(channel, order);
            order(Order::LiftKeys { channel });
            order(Order::RestPressures { channel });
        }
        self.tell_all((0..CHANNELS).filter(has_changed), &CONTROLS, order);
        let ranges = self
            .zones
            .zone(manager)
            .filter(|channel| !has_changed(channel));
        self.tell_all(ranges, &[ChannelControl::BendSt], order);
    }

    /// Says how the pedals are of `channel` and of those that follow it.
    fn tell_pedals(&self, channel: u8, order: &mut impl FnMut(Order)) {
        for channel in self.zones.followers(channel) {
            self.tell_pedals_of(channel, order);
        }
    }

    fn tell_pedals_of(&self, channel: u8, order: &mut impl FnMut(Order)) {
        let (own, manager) = self.hands(channel);
        order(Order::Sustain {
            channel,
            is_down: own.sustain || manager.sustain,
        });
        order(Order::Sostenuto {
            channel,
            is_down: own.sostenuto || manager.sostenuto,
        });
    }

    /// Says where controls of the notes of some channels are, and of each at last where the hand is that moved it
    /// last.
    fn tell_all(
        &self,
        channels: impl Iterator<Item = u8> + Clone,
        controls: &[ChannelControl],
        order: &mut impl FnMut(Order),
    ) {
        for &control in controls {
            let last = self.last_moved[control as usize];
            for channel in channels
                .clone()
                .filter(|&channel| channel != last)
                .chain([last])
            {
                order(Order::Control {
                    channel,
                    control,
                    value: self.value(channel, control),
                });
            }
        }
    }

    /// Where a control of a channel's notes is.
    fn value(&self, channel: u8, control: ChannelControl) -> f32 {
        let (own, manager) = self.hands(channel);
        match control {
            ChannelControl::BendSt => self.bend_st(&own) + self.bend_st(&manager),
            ChannelControl::Wheel => own.wheel().max(manager.wheel()),
            ChannelControl::Pressure => own.pressure.max(manager.pressure),
            ChannelControl::Slide => (own.slide + manager.slide).clamp(-1.0, 1.0),
        }
    }

    /// Who plays a channel: itself, and its manager, who is at rest where it has none.
    fn hands(&self, channel: u8) -> (Channel, Channel) {
        let of = |channel: u8| {
            let known = self.channels.get(usize::from(channel));
            known.copied().unwrap_or(Channel::AT_REST)
        };
        let manager = match self.zones.place(channel) {
            Place::Member { manager } => of(manager),
            Place::Alone | Place::Manager => Channel::AT_REST,
        };
        (of(channel), manager)
    }

    fn bend_st(&self, of: &Channel) -> f32 {
        let (semitones, cents) = of.range_st.unwrap_or((self.range_st, 0.0));
        of.bend * (semitones + cents)
    }
}

#[cfg(test)]
mod tests;
