//! Note expressions of VST3: those that nice-plug knows, and pressure, of which VST3 has none of its own.

use std::mem;

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::NoteExpressionTypeIDs_::{
    kBrightnessTypeID, kCustomStart, kInvalidTypeID, kPanTypeID, kTuningTypeID, kVolumeTypeID,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    NoteExpressionTypeID, NoteExpressionTypeInfo, NoteExpressionValueEvent, PhysicalUITypeID,
    PhysicalUITypeIDs_::{kPUIPressure, kPUIXMovement, kPUIYMovement},
    kNoParamId, kRootUnitId,
};
use weft_core::instrument::NoteControl;

use super::mapped::write;
use crate::channel_messages::ChannelMessage;
use crate::notes::timbre;

/// Pressure on one key. Hosts send it where they send what a finger does on a key as note expressions.
pub const PRESSURE: NoteExpressionTypeID = kCustomStart as NoteExpressionTypeID;
const VOLUME: NoteExpressionTypeID = kVolumeTypeID as NoteExpressionTypeID;
const PAN: NoteExpressionTypeID = kPanTypeID as NoteExpressionTypeID;
const TUNING: NoteExpressionTypeID = kTuningTypeID as NoteExpressionTypeID;
const BRIGHTNESS: NoteExpressionTypeID = kBrightnessTypeID as NoteExpressionTypeID;
/// Values are absolute, not offsets.
const ABSOLUTE: i32 = 1 << 2;
/// A volume of 1 is a fourth of the way.
const VOLUME_MOST: f64 = 4.0;
/// A tuning goes ten octaves each way.
const TUNING_ST: f64 = 240.0;

/// What an expression says of the note of a number, if it is one that Weft knows. Expression itself would be a
/// second volume, whose rest position no format defines.
pub fn message(event: &NoteExpressionValueEvent) -> Option<ChannelMessage> {
    let value = event.value.clamp(0.0, 1.0);
    let (control, value) = match event.typeId {
        VOLUME => (NoteControl::Volume, (VOLUME_MOST * value) as f32),
        PAN => (NoteControl::Pan, (2.0 * value - 1.0) as f32),
        TUNING => (NoteControl::Tuning, (TUNING_ST * (value - 0.5)) as f32),
        BRIGHTNESS => (NoteControl::Timbre, timbre(value as f32)),
        PRESSURE => (NoteControl::Pressure, value as f32),
        _ => return None,
    };
    ChannelMessage::of_expression(event.noteId, control, value)
}

/// Puts right where an expression of nice-plug's rests: a host that puts a volume there would make it twice as loud.
pub fn correct(info: &mut NoteExpressionTypeInfo) {
    if info.typeId == VOLUME {
        info.valueDesc.defaultValue = 1.0 / VOLUME_MOST;
    }
}

/// Describes [`PRESSURE`] to a host.
pub fn describe_pressure() -> NoteExpressionTypeInfo {
    // SAFETY: all zeros are an empty description.
    let mut info: NoteExpressionTypeInfo = unsafe { mem::zeroed() };
    info.typeId = PRESSURE;
    write("Pressure", &mut info.title);
    write("Pressure", &mut info.shortTitle);
    info.unitId = kRootUnitId;
    info.valueDesc.maximum = 1.0;
    info.flags = ABSOLUTE;
    info.associatedParameterId = kNoParamId;
    info
}

/// The expression that is meant for a way in which a finger moves on a key: across it, along it, or into it.
pub fn of_finger(way: PhysicalUITypeID) -> NoteExpressionTypeID {
    const ACROSS: PhysicalUITypeID = kPUIXMovement as PhysicalUITypeID;
    const ALONG: PhysicalUITypeID = kPUIYMovement as PhysicalUITypeID;
    const INTO: PhysicalUITypeID = kPUIPressure as PhysicalUITypeID;
    match way {
        ACROSS => TUNING,
        ALONG => BRIGHTNESS,
        INTO => PRESSURE,
        _ => kInvalidTypeID as NoteExpressionTypeID,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_have_the_units_of_the_player() {
        let said = |type_id, value| {
            let event = NoteExpressionValueEvent {
                typeId: type_id,
                noteId: 9,
                value,
            };
            match message(&event)? {
                ChannelMessage::Expression {
                    note_id,
                    control,
                    value,
                } => {
                    assert_eq!(note_id, 9);
                    Some((control, value))
                }
                other => panic!("{other:?}"),
            }
        };
        for (type_id, low, middle, high, control) in [
            (0, 0.0, 2.0, 4.0, NoteControl::Volume),
            (1, -1.0, 0.0, 1.0, NoteControl::Pan),
            (2, -120.0, 0.0, 120.0, NoteControl::Tuning),
            (5, -1.0, 0.0, 1.0, NoteControl::Timbre),
            (PRESSURE, 0.0, 0.5, 1.0, NoteControl::Pressure),
        ] {
            for (value, expected) in [(0.0, low), (0.5, middle), (1.0, high), (7.0, high)] {
                assert_eq!(said(type_id, value), Some((control, expected)));
            }
            assert_eq!(said(type_id, f64::NAN), None);
        }
        // Vibrato, expression, text, and those of others.
        for unknown in [3, 4, 6, 7, PRESSURE + 1] {
            assert_eq!(said(unknown, 0.5), None);
        }
    }
}
