//! What hands do beside the keys, by mapped controllers and note expressions, with sound and without.

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::Event_::EventTypes_::kNoteExpressionValueEvent;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    Event, IEditControllerTrait, NoteExpressionValueEvent,
};
use weft_core::instrument::{NoteAddress, NoteControl};

use super::super::mapped::Mapped;
use super::notes::{FRAMES, Moved, Outputs, PRESSURE, Processing, SAMPLE, WHEEL, in_vst3, off, on};
use crate::host::performance::{
    Hands, Midi, assert_three_voices, every_controller, for_as_long_as_asked, last_bend_st,
    meaning, registered, three_voices, wheel,
};
use crate::plugin::events::{Deed, log};

#[test]
fn every_controller_means_what_midi_says() {
    let weft = Processing::new();
    let script = every_controller();
    log::take();
    weft.script(FRAMES, Outputs::Stereo, &script);
    assert_eq!(log::take(), meaning(&script));
}

#[test]
fn three_voices_of_an_mpe_keyboard_have_hands_of_their_own() {
    let weft = Processing::new();
    log::take();
    weft.script(FRAMES, Outputs::Stereo, &three_voices());
    let deeds = log::take();
    assert_eq!(deeds, meaning(&three_voices()));
    assert_three_voices(&deeds);
}

#[test]
fn messages_of_one_sample_keep_the_order_that_they_make_sense_in() {
    let changes = |script: &[Midi]| -> Vec<Moved> {
        script
            .iter()
            .filter_map(|message| in_vst3(*message).1)
            .collect()
    };
    let weft = Processing::new();
    log::take();
    // A zone, and then no parameter; both ends of the choice are in the same queues.
    weft.play(&[], &changes(&registered(0, 6, 15)));
    weft.play(&[], &changes(&registered(1, 0, 24)));
    let mut note = on(1, 60, 0.5);
    note.sampleOffset = SAMPLE;
    weft.play(&[note], &changes(&[wheel(1, 0.5), [0xb1, 6, 7]]));
    let deeds = log::take();
    let bend = last_bend_st(&deeds, 1).unwrap();
    assert!((bend - 12.0).abs() < 0.01, "{bend}");
    // The bend is there when the note begins.
    assert!(matches!(deeds.last(), Some(Deed::NoteOn(..))));
}

#[test]
fn controllers_at_their_defaults_change_nothing() {
    let weft = Processing::new();
    let default = |channel: u8, controller: u8| {
        let mapped = Mapped::of_controller(channel.into(), controller.into()).unwrap();
        // SAFETY: a query without conditions.
        let value = unsafe { weft.0.getParamNormalized(mapped.id()) };
        (channel, controller, mapped.plain(value).round() as u16)
    };
    let moving = [1, 6, 33, 38, 64, 66, 74, 98, 99, 100, 101, PRESSURE, WHEEL];
    let of_channel = |channel| moving.map(|controller| default(channel, controller));
    let defaults: Vec<Moved> = (0..16).flat_map(of_channel).collect();
    for _ in 0..3 {
        weft.play(&[], &defaults);
    }
    log::take();
    weft.play(&[], &[(4, WHEEL, 16_383)]);
    assert_eq!(last_bend_st(&log::take(), 4), Some(2.0));
}

#[test]
fn more_places_than_there_is_room_for_end_no_note() {
    let weft = Processing::new();
    weft.play(&[on(1, 60, 0.8)], &[]);
    let moved: Vec<Moved> = (0..10_000)
        .map(|at| (1 + at as u8 % 3, WHEEL, at))
        .collect();
    weft.play(&[], &moved);
    weft.block(0, Outputs::None, &[], &moved);
    log::take();
    weft.play(&[], &[]);
    // Three places are left of those without sound.
    assert_eq!(log::take().len(), 3);
    assert_eq!(weft.sounding(), 1);
}

#[test]
fn of_what_moves_without_sound_the_last_place_is_there() {
    let weft = Processing::new();
    log::take();
    weft.script(0, Outputs::None, &three_voices());
    for step in 0..1_000 {
        let share = f64::from(step) / 1_000.0;
        weft.script(0, Outputs::None, &[wheel(2, share), [0xa0, 60, 9]]);
    }
    weft.script(0, Outputs::None, &[wheel(2, -0.25)]);
    assert_eq!(log::take(), []);
    weft.play(&[], &[]);
    let deeds = log::take();
    assert!(deeds.len() < 200, "{}", deeds.len());
    assert_eq!(last_bend_st(&deeds, 2), Some(-12.0 + 2.0));
    assert_eq!(last_bend_st(&deeds, 3).map(f32::round), Some(9.0));
    let notes = deeds.iter().filter(|deed| matches!(deed, Deed::NoteOn(..)));
    assert_eq!(notes.count(), 3);
}

#[test]
fn note_expressions_find_their_notes_by_number_alone() {
    let weft = Processing::new();
    let expression = |id, value| {
        // SAFETY: all zeros are an event.
        let mut event: Event = unsafe { std::mem::zeroed() };
        event.r#type = kNoteExpressionValueEvent as u16;
        event.__field0.noteExpressionValue = NoteExpressionValueEvent {
            typeId: id,
            noteId: 7,
            value,
        };
        event
    };
    let numbered = |key, id| {
        let mut event = on(0, key, 0.5);
        event.__field0.noteOn.noteId = id;
        event
    };
    // More notes since than anybody remembers, one of them under the same number before.
    weft.play(&[numbered(50, 7), off(0, 50), numbered(60, 7)], &[]);
    for key in 0..40 {
        weft.play(&[numbered(key, 100 + i32::from(key)), off(0, key)], &[]);
    }
    let events = [
        expression(2, 0.5 + 12.0 / 240.0),
        expression(5, 1.0),
        expression(4, 1.0),
        expression(100_000, 0.75),
    ];
    let note = NoteAddress {
        note_id: Some(7),
        ..NoteAddress::default()
    };
    let expected = [
        Deed::Control(note, NoteControl::Tuning, 12.0),
        Deed::Control(note, NoteControl::Timbre, 1.0),
        Deed::Control(note, NoteControl::Pressure, 0.75),
    ];
    log::take();
    weft.play(&events, &[]);
    assert_eq!(log::take(), expected);
    weft.block(0, Outputs::None, &events, &[]);
    assert_eq!(log::take(), []);
    weft.play(&[], &[]);
    assert_eq!(log::take(), expected);
}

#[test]
fn random_messages_in_random_calls_leave_no_note() {
    let weft = Processing::new();
    for_as_long_as_asked(|seed| {
        let mut hands = Hands::new(seed);
        for _ in 0..2_500 {
            let (frames, outputs) = match hands.any(6) {
                0 => (0, Outputs::Stereo),
                1 => (FRAMES, Outputs::None),
                2 => (FRAMES, Outputs::NoChannels),
                _ => (FRAMES, Outputs::Stereo),
            };
            let messages = (0..4).map(|_| in_vst3(hands.message()));
            let (events, moved): (Vec<_>, Vec<_>) = messages.unzip();
            let events: Vec<_> = events.into_iter().flatten().collect();
            let moved = moved.into_iter().flatten();
            let moved: Vec<_> = moved.filter(|moved| weft.is_mapped(*moved)).collect();
            weft.block(frames, outputs, &events, &moved);
            log::take();
        }
        weft.script(0, Outputs::Stereo, &Hands::leave());
        assert_eq!(weft.sounding(), 0, "seed {seed}");
    });
}
