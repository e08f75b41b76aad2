//! Parameters that stand for MIDI controllers: VST3 hosts turn a controller into the parameter that we name for
//! it, and nothing else of it arrives. nice-plug would make 2080 of them, and sees none of these: they are hidden,
//! not automatable, in no state, and of every channel only those that mean something to all of its notes.

use std::sync::atomic::{AtomicU64, Ordering};

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::ControllerNumbers_::{kAfterTouch, kPitchBend};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    CtrlNumber, ParamID, ParamValue, ParameterInfo, ParameterInfo_::ParameterFlags_::kIsHidden,
    String128, TChar, kRootUnitId,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::int16;

use crate::channel_messages::{CHANNELS, ChannelMessage, controller};

#[allow(clippy::unnecessary_cast, reason = "signed on Windows")]
const PRESSURE: u32 = kAfterTouch as u32;
#[allow(clippy::unnecessary_cast, reason = "signed on Windows")]
const WHEEL: u32 = kPitchBend as u32;

/// The controllers of each channel that are parameters, with their names. The mode messages after "all notes off"
/// share its parameter: they mean the same.
const CONTROLLERS: [(Controller, &str); 16] = [
    (Controller::Midi(controller::MOD_WHEEL), "Mod Wheel"),
    (Controller::Midi(controller::DATA_ENTRY), "Data Entry"),
    (
        Controller::Midi(controller::MOD_WHEEL_FINE),
        "Mod Wheel Fine",
    ),
    (
        Controller::Midi(controller::DATA_ENTRY_FINE),
        "Data Entry Fine",
    ),
    (Controller::Midi(controller::SUSTAIN), "Sustain"),
    (Controller::Midi(controller::SOSTENUTO), "Sostenuto"),
    (Controller::Midi(controller::SLIDE), "Slide"),
    (Controller::Midi(controller::UNREGISTERED_FINE), "NRPN Fine"),
    (Controller::Midi(controller::UNREGISTERED), "NRPN"),
    (Controller::Midi(controller::REGISTERED_FINE), "RPN Fine"),
    (Controller::Midi(controller::REGISTERED), "RPN"),
    (Controller::Midi(controller::ALL_SOUND_OFF), "All Sound Off"),
    (Controller::Midi(controller::RESET_ALL), "Reset Controllers"),
    (Controller::Midi(controller::ALL_NOTES_OFF), "All Notes Off"),
    (Controller::Pressure, "Pressure"),
    (Controller::Wheel, "Pitch Wheel"),
];
/// Parameters that stand for controllers.
const COUNT: usize = CONTROLLERS.len() * CHANNELS as usize;
/// Number of the first channel's controller 0, were it one of them. Those of the others follow from VST3's numbers of
/// the controllers. Those of other parameters are hashes of their ids; a test sees to it that none is among these.
const FIRST_ID: ParamID = 0x4d49_0000;
/// From one channel's numbers to the next one's.
const CHANNEL_IDS: ParamID = 0x100;
/// Largest value of a controller, and of a wheel.
const MOST: f64 = 127.0;
const WHEEL_MOST: f64 = 16_383.0;

/// What VST3 has a number for among the controllers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Controller {
    Midi(u8),
    /// Pressure on the keys.
    Pressure,
    /// The pitch wheel.
    Wheel,
}

impl Controller {
    /// The one with this number of VST3's.
    fn of_number(number: CtrlNumber) -> Option<Self> {
        match u32::try_from(number).ok()? {
            PRESSURE => Some(Self::Pressure),
            WHEEL => Some(Self::Wheel),
            _ => match u8::try_from(number).ok()? {
                controller::ALL_NOTES_OFF..=controller::POLY_MODE => {
                    Some(Self::Midi(controller::ALL_NOTES_OFF))
                }
                other => Some(Self::Midi(other)),
            },
        }
    }

    /// Its number in VST3.
    const fn number(self) -> u32 {
        match self {
            Self::Midi(number) => number as u32,
            Self::Pressure => PRESSURE,
            Self::Wheel => WHEEL,
        }
    }
}

/// A controller of a channel that is a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapped {
    channel: u8,
    /// Where it stands in [`CONTROLLERS`].
    at: usize,
}

impl Mapped {
    /// How many there are.
    pub const COUNT: i32 = COUNT as i32;

    /// The one that stands for `controller` of `channel`, if there is one.
    pub fn of_controller(channel: int16, controller: CtrlNumber) -> Option<Self> {
        let channel = u8::try_from(channel).ok().filter(|&c| c < CHANNELS)?;
        let controller = Controller::of_number(controller)?;
        let at = CONTROLLERS.iter().position(|c| c.0 == controller)?;
        Some(Self { channel, at })
    }

    /// The parameter of this number, if it is one of these.
    pub fn of_id(id: ParamID) -> Option<Self> {
        let place = id.checked_sub(FIRST_ID)?;
        let channel = u8::try_from(place / CHANNEL_IDS)
            .ok()
            .filter(|&c| c < CHANNELS)?;
        let is_it = |c: &(Controller, &str)| c.0.number() == place % CHANNEL_IDS;
        let at = CONTROLLERS.iter().position(is_it)?;
        Some(Self { channel, at })
    }

    /// The parameter at this place among these.
    pub fn of_index(index: usize) -> Option<Self> {
        (index < COUNT).then_some(Self {
            channel: (index / CONTROLLERS.len()) as u8,
            at: index % CONTROLLERS.len(),
        })
    }

    fn index(self) -> usize {
        usize::from(self.channel) * CONTROLLERS.len() + self.at
    }

    fn controller(self) -> Controller {
        CONTROLLERS[self.at].0
    }

    /// Its number.
    pub fn id(self) -> ParamID {
        FIRST_ID + ParamID::from(self.channel) * CHANNEL_IDS + self.controller().number()
    }

    /// What a normalized value of it says to its channel.
    pub fn message(self, value: ParamValue) -> Option<ChannelMessage> {
        let value = self.plain(value).round();
        match self.controller() {
            Controller::Midi(number) => {
                ChannelMessage::of_controller(self.channel, number, value as u8)
            }
            Controller::Pressure => ChannelMessage::of_pressure(self.channel, value as u8),
            Controller::Wheel => ChannelMessage::of_wheel(self.channel, value as u16),
        }
    }

    /// Where it is before anybody has moved it, normalized. Hosts agree on the middle of a wheel, whose own is not
    /// quite one half.
    fn rest(self) -> ParamValue {
        match self.controller() {
            Controller::Wheel | Controller::Midi(controller::SLIDE) => 0.5,
            // No parameter is chosen: a host that sets all of these to their defaults must not give one a value.
            Controller::Midi(controller::UNREGISTERED_FINE..=controller::REGISTERED) => 1.0,
            _ => 0.0,
        }
    }

    fn most(self) -> f64 {
        match self.controller() {
            Controller::Wheel => WHEEL_MOST,
            _ => MOST,
        }
    }

    /// A normalized value as that of its controller, 0 to 127, or 16383 of the wheel.
    pub fn plain(self, normalized: ParamValue) -> ParamValue {
        normalized.clamp(0.0, 1.0) * self.most()
    }

    /// A value of its controller, normalized.
    pub fn normalized(self, plain: ParamValue) -> ParamValue {
        (plain / self.most()).clamp(0.0, 1.0)
    }

    /// Writes a normalized value as text.
    pub fn show(self, value: ParamValue, text: &mut String128) {
        write(&format!("{:.0}", self.plain(value)), text);
    }

    /// Reads the normalized value that a text means: a number of the controller's range.
    ///
    /// # Safety
    /// `text` is null or ends with a zero.
    pub unsafe fn read(self, text: *const TChar) -> Option<ParamValue> {
        // SAFETY: by the contract above.
        let value = unsafe { read(text) }?;
        (0.0..=self.most())
            .contains(&value)
            .then(|| self.normalized(value))
    }

    /// Describes it to a host.
    pub fn describe(self, info: &mut ParameterInfo) {
        // SAFETY: all zeros are an empty description.
        *info = unsafe { std::mem::zeroed() };
        let name = format!("MIDI Ch. {} {}", self.channel + 1, CONTROLLERS[self.at].1);
        info.id = self.id();
        write(&name, &mut info.title);
        write(&name, &mut info.shortTitle);
        info.defaultNormalizedValue = self.rest();
        info.unitId = kRootUnitId;
        info.flags = kIsHidden;
    }
}

/// Reads the number that a text means.
///
/// # Safety
/// `text` is null or ends with a zero.
unsafe fn read(text: *const TChar) -> Option<ParamValue> {
    /// Longer texts are no such number.
    const LONGEST: usize = 8;
    if text.is_null() {
        return None;
    }
    let mut number = String::new();
    for at in 0..LONGEST {
        // SAFETY: by the contract above; the loop ends with the zero.
        match unsafe { *text.add(at) } {
            0 => break,
            unit => number.push(char::from_u32(u32::from(unit))?),
        }
    }
    number.trim().parse().ok()
}

/// Writes `text` as far as there is room, with a zero at the end.
pub fn write(text: &str, to: &mut String128) {
    let room = to.len() - 1;
    let units = text.encode_utf16().take(room).chain([0]);
    to.iter_mut()
        .zip(units)
        .for_each(|(to, unit)| *to = unit as TChar);
}

/// The values that a host has given these parameters last, normalized, which it may ask for. Any thread.
pub struct MappedValues([AtomicU64; COUNT]);

impl MappedValues {
    /// All of them at rest.
    pub fn new() -> Self {
        Self(std::array::from_fn(|index| {
            let rest = Mapped::of_index(index).map_or(0.0, Mapped::rest);
            AtomicU64::new(rest.to_bits())
        }))
    }

    pub fn get(&self, mapped: Mapped) -> ParamValue {
        f64::from_bits(self.0[mapped.index()].load(Ordering::Relaxed))
    }

    /// Keeps a value. What is not a number changes nothing.
    pub fn set(&self, mapped: Mapped, value: ParamValue) {
        if value.is_finite() {
            let bits = value.clamp(0.0, 1.0).to_bits();
            self.0[mapped.index()].store(bits, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_has_its_controllers_and_no_others() {
        let mut ids = Vec::new();
        for channel in -1..18 {
            for number in -1..140 {
                let Some(mapped) = Mapped::of_controller(channel, number) else {
                    continue;
                };
                assert_eq!(Mapped::of_id(mapped.id()), Some(mapped));
                assert!((0..16).contains(&channel));
                let channel = channel as u8;
                let meant = match number {
                    128 => ChannelMessage::of_pressure(channel, 127),
                    129 => ChannelMessage::of_wheel(channel, 16_383),
                    _ => ChannelMessage::of_controller(channel, number as u8, 127),
                };
                assert!(meant.is_some());
                assert_eq!(mapped.message(1.0), meant);
                ids.push(mapped.id());
            }
        }
        // Four modes have the parameter of "all notes off".
        assert_eq!(ids.len(), COUNT + 16 * 4);
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), COUNT);
        assert!((0..COUNT).all(|at| ids.contains(&Mapped::of_index(at).unwrap().id())));
        for beyond in [FIRST_ID - 1, FIRST_ID, FIRST_ID + 16 * CHANNEL_IDS + 64] {
            assert_eq!(Mapped::of_id(beyond), None);
        }
    }

    #[test]
    fn a_wheel_in_the_middle_of_its_range_rests() {
        let rests = |channel, number, value| {
            let mapped = Mapped::of_controller(channel, number).unwrap();
            let message = mapped.message(value);
            matches!(message, Some(ChannelMessage::Moved { value: 0.0, .. }))
        };
        // Hosts map its centre to one half, or to its share of 14 bits.
        for value in [0.5, 8192.0 / 16_383.0] {
            assert!(rests(3, 129, value), "{value}");
        }
        for value in [0.5, 64.0 / 127.0] {
            assert!(rests(3, 74, value), "{value}");
        }
        let values = MappedValues::new();
        let wheel = Mapped::of_controller(9, 129).unwrap();
        assert_eq!(values.get(wheel), 0.5);
        assert_eq!(values.get(Mapped::of_controller(9, 1).unwrap()), 0.0);
        assert_eq!(values.get(Mapped::of_controller(9, 100).unwrap()), 1.0);
    }

    #[test]
    fn values_are_those_of_a_controller_in_both_directions() {
        let mapped = Mapped::of_controller(0, 64).unwrap();
        let values = MappedValues::new();
        for value in [0.0, 63.0, 64.0, 127.0] {
            let mut text = [0; 128];
            let normalized = mapped.normalized(value);
            mapped.show(normalized, &mut text);
            // SAFETY: the text ends with a zero.
            assert_eq!(unsafe { mapped.read(text.as_ptr()) }, Some(normalized));
            values.set(mapped, normalized);
            assert_eq!(values.get(mapped), normalized);
            let is_down = value >= 64.0;
            let expected = ChannelMessage::Sustain {
                channel: 0,
                is_down,
            };
            assert_eq!(mapped.message(normalized), Some(expected));
        }
        values.set(mapped, f64::NAN);
        assert_eq!(values.get(mapped), 1.0);
        let mut text = [0; 128];
        write("128", &mut text);
        // SAFETY: the text ends with a zero, or there is none.
        unsafe {
            assert_eq!(mapped.read(text.as_ptr()), None);
            assert_eq!(mapped.read(std::ptr::null()), None);
        }
    }
}
