//! Parameters that stand for MIDI controllers: VST3 hosts turn a controller into the parameter that we name for
//! it, and nothing else of it arrives. nice-plug would make 2080 of them, and sees none of these: they are hidden,
//! not automatable, in no state, and of every channel only those that mean something to all of its notes.

use std::sync::atomic::{AtomicU64, Ordering};

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    CtrlNumber, ParamID, ParamValue, ParameterInfo, ParameterInfo_::ParameterFlags_::kIsHidden,
    String128, TChar, kRootUnitId,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::int16;

use crate::channel_messages::{CHANNELS, ChannelMessage, controller};

/// The controllers of each channel that are parameters, with their names. The mode messages after "all notes off"
/// share its parameter: they mean the same.
const CONTROLLERS: [(u8, &str); 5] = [
    (controller::SUSTAIN, "Sustain"),
    (controller::SOSTENUTO, "Sostenuto"),
    (controller::ALL_SOUND_OFF, "All Sound Off"),
    (controller::RESET_ALL, "Reset Controllers"),
    (controller::ALL_NOTES_OFF, "All Notes Off"),
];
/// Parameters that stand for controllers.
const COUNT: usize = CONTROLLERS.len() * CHANNELS as usize;
/// Number of the first one. The others follow, channel by channel. Those of other parameters are hashes of their
/// ids; a test sees to it that none is among these.
const FIRST_ID: ParamID = 0x4d49_4400;
/// Largest value of a controller.
const MOST: f64 = 127.0;

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
        let controller = match u8::try_from(controller).ok()? {
            controller::ALL_NOTES_OFF..=controller::POLY_MODE => controller::ALL_NOTES_OFF,
            other => other,
        };
        let at = CONTROLLERS.iter().position(|c| c.0 == controller)?;
        Some(Self { channel, at })
    }

    /// The parameter of this number, if it is one of these.
    pub fn of_id(id: ParamID) -> Option<Self> {
        Self::of_index(usize::try_from(id.checked_sub(FIRST_ID)?).ok()?)
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

    /// Its number.
    pub fn id(self) -> ParamID {
        FIRST_ID + self.index() as ParamID
    }

    /// What a normalized value of it says to its channel.
    pub fn message(self, value: ParamValue) -> Option<ChannelMessage> {
        let value = plain(value).round() as u8;
        ChannelMessage::of_controller(self.channel, CONTROLLERS[self.at].0, value)
    }

    /// Describes it to a host.
    pub fn describe(self, info: &mut ParameterInfo) {
        // SAFETY: all zeros are an empty description.
        *info = unsafe { std::mem::zeroed() };
        let name = format!("MIDI Ch. {} {}", self.channel + 1, CONTROLLERS[self.at].1);
        info.id = self.id();
        write(&name, &mut info.title);
        write(&name, &mut info.shortTitle);
        info.unitId = kRootUnitId;
        info.flags = kIsHidden;
    }
}

/// A normalized value as that of a controller, 0 to 127.
pub fn plain(normalized: ParamValue) -> ParamValue {
    normalized.clamp(0.0, 1.0) * MOST
}

/// A controller's value, 0 to 127, normalized.
pub fn normalized(plain: ParamValue) -> ParamValue {
    (plain / MOST).clamp(0.0, 1.0)
}

/// Writes a normalized value as text.
pub fn show(value: ParamValue, text: &mut String128) {
    write(&format!("{:.0}", plain(value)), text);
}

/// Reads the normalized value that a text means: a whole number, 0 to 127.
///
/// # Safety
/// `text` is null or ends with a zero.
pub unsafe fn read(text: *const TChar) -> Option<ParamValue> {
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
    let value: f64 = number.trim().parse().ok()?;
    (0.0..=MOST).contains(&value).then(|| normalized(value))
}

/// Writes `text` as far as there is room, with a zero at the end.
fn write(text: &str, to: &mut String128) {
    let room = to.len() - 1;
    let units = text.encode_utf16().take(room).chain([0]);
    to.iter_mut()
        .zip(units)
        .for_each(|(to, unit)| *to = unit as TChar);
}

/// The values that a host has given these parameters last, normalized, which it may ask for. Any thread.
pub struct MappedValues([AtomicU64; COUNT]);

impl MappedValues {
    /// All of them 0.
    pub fn new() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
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
            for number in -1..131 {
                let Some(mapped) = Mapped::of_controller(channel, number) else {
                    continue;
                };
                assert_eq!(Mapped::of_id(mapped.id()), Some(mapped));
                assert!((0..16).contains(&channel));
                let meant = ChannelMessage::of_controller(channel as u8, number as u8, 127);
                assert_eq!(mapped.message(1.0), meant);
                ids.push(mapped.id());
            }
        }
        assert_eq!(ids.len(), 16 * 9);
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), COUNT);
        assert_eq!(Mapped::of_id(FIRST_ID - 1), None);
        assert_eq!(Mapped::of_id(FIRST_ID + COUNT as ParamID), None);
    }

    #[test]
    fn values_are_those_of_a_controller_in_both_directions() {
        let mapped = Mapped::of_controller(0, 64).unwrap();
        let values = MappedValues::new();
        for value in [0.0, 63.0, 64.0, 127.0] {
            let mut text = [0; 128];
            show(normalized(value), &mut text);
            // SAFETY: the text ends with a zero.
            assert_eq!(unsafe { read(text.as_ptr()) }, Some(normalized(value)));
            values.set(mapped, normalized(value));
            assert_eq!(values.get(mapped), normalized(value));
            let is_down = value >= 64.0;
            let expected = ChannelMessage::Sustain {
                channel: 0,
                is_down,
            };
            assert_eq!(mapped.message(normalized(value)), Some(expected));
        }
        values.set(mapped, f64::NAN);
        assert_eq!(values.get(mapped), 1.0);
        let mut text = [0; 128];
        write("128", &mut text);
        // SAFETY: the text ends with a zero, or there is none.
        unsafe {
            assert_eq!(read(text.as_ptr()), None);
            assert_eq!(read(std::ptr::null()), None);
        }
    }
}
