//! Notes, and what ends them, as events and as MIDI, with sound and without.

use std::ffi::CStr;

use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_NOTE_EXPRESSION, CLAP_EVENT_NOTE_OFF, CLAP_EVENT_NOTE_ON,
    CLAP_NOTE_EXPRESSION_BRIGHTNESS, CLAP_NOTE_EXPRESSION_PRESSURE, CLAP_NOTE_EXPRESSION_TUNING,
    clap_event_note, clap_event_note_expression,
};
use clap_sys::ext::note_ports::{
    CLAP_EXT_NOTE_PORTS, CLAP_NOTE_DIALECT_CLAP, CLAP_NOTE_DIALECT_MIDI,
    CLAP_NOTE_DIALECT_MIDI_MPE, clap_note_port_info, clap_plugin_note_ports,
};
use clap_sys::plugin::clap_plugin;

use weft_core::instrument::{NoteAddress, NoteControl};

use super::*;
use crate::host::performance::{
    Hands, Midi, assert_three_voices, every_controller, for_as_long_as_asked, last_bend_st,
    meaning, three_voices, wheel,
};
use crate::plugin::events::{Deed, log};

const RATE_HZ: f64 = 48_000.0;
/// Blocks in which a released note is over.
const RELEASE: usize = 600;

/// A plugin that processes.
pub(super) struct Processing(pub(super) *const clap_plugin);

/// What a block leads its sound to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outputs {
    Stereo,
    /// A bus with too few channels.
    Channels(u32),
    /// A bus whose pointers lead nowhere.
    Nowhere,
    None,
}

impl Processing {
    pub(super) fn new(host: &clap_host) -> Self {
        let id: &CStr = descriptors()[0].clap_id();
        // SAFETY: the calls follow CLAP's order; the host outlives the test.
        unsafe {
            let plugin = create_plugin(ptr::null(), host, id.as_ptr());
            let table = &*plugin;
            assert!((table.init.unwrap())(plugin));
            assert!((table.activate.unwrap())(plugin, RATE_HZ, 1, FRAMES));
            assert!((table.start_processing.unwrap())(plugin));
            Self(plugin)
        }
    }

    pub(super) fn adapter(&self) -> &Adapter {
        // SAFETY: it is one until it is dropped.
        unsafe { &*self.0.cast() }
    }

    /// Processes a block. Returns what the plugin says of it, and which channels it calls constant.
    pub(super) fn block(
        &self,
        frames: u32,
        outputs: Outputs,
        events: &[*const clap_event_header],
    ) -> (clap_process_status, u64) {
        unsafe extern "C" fn try_push(
            _list: *const clap_output_events,
            _event: *const clap_event_header,
        ) -> bool {
            true
        }
        let mut channels = [[0.0f32; FRAMES as usize]; 2];
        let mut pointers = match outputs {
            Outputs::Nowhere => [ptr::null_mut(); 2],
            _ => channels.each_mut().map(|channel| channel.as_mut_ptr()),
        };
        let mut output = clap_audio_buffer {
            data32: pointers.as_mut_ptr(),
            data64: ptr::null_mut(),
            channel_count: match outputs {
                Outputs::Channels(count) => count,
                _ => 2,
            },
            latency: 0,
            constant_mask: 0,
        };
        let events = HostEvents(events.to_vec());
        let in_events = events.list();
        let out_events = clap_output_events {
            ctx: ptr::null_mut(),
            try_push: Some(try_push),
        };
        let has_bus = outputs != Outputs::None;
        let block = clap_process {
            steady_time: -1,
            frames_count: frames,
            transport: ptr::null(),
            audio_inputs: ptr::null(),
            audio_outputs: if has_bus {
                &mut output
            } else {
                ptr::null_mut()
            },
            audio_inputs_count: 0,
            audio_outputs_count: u32::from(has_bus),
            in_events: &in_events,
            out_events: &out_events,
        };
        // SAFETY: what the block leads to lives until the end.
        let status = unsafe { ((*self.0).process.unwrap())(self.0, &block) };
        assert_ne!(status, CLAP_PROCESS_ERROR);
        (status, output.constant_mask)
    }

    /// One MIDI message in a block with sound.
    fn midi(&self, data: [u8; 3]) {
        let event = midi(5, data);
        self.block(FRAMES, Outputs::Stereo, &[&raw const event.header]);
    }

    /// MIDI messages in one block, one after the other.
    fn script(&self, frames: u32, outputs: Outputs, script: &[Midi]) {
        let times = (0..FRAMES).chain(std::iter::repeat(FRAMES - 1));
        let events: Vec<_> = times
            .zip(script)
            .map(|(at, data)| midi(at, *data))
            .collect();
        let headers: Vec<_> = events.iter().map(|event| &raw const event.header).collect();
        self.block(frames, outputs, &headers);
    }

    /// How many notes sound after what was released is over.
    fn sounding(&self) -> u32 {
        (0..RELEASE).for_each(|_| {
            self.block(FRAMES, Outputs::Stereo, &[]);
        });
        self.adapter().instance.session.status().voices
    }
}

impl Drop for Processing {
    fn drop(&mut self) {
        // SAFETY: the calls follow CLAP's order.
        unsafe {
            let table = &*self.0;
            (table.stop_processing.unwrap())(self.0);
            (table.deactivate.unwrap())(self.0);
            (table.destroy.unwrap())(self.0);
        }
    }
}

pub(super) fn note(type_: u16, key: i16, velocity: f64) -> clap_event_note {
    clap_event_note {
        header: clap_event_header {
            size: size_of::<clap_event_note>() as u32,
            time: 0,
            space_id: CLAP_CORE_EVENT_SPACE_ID,
            type_,
            flags: 0,
        },
        note_id: -1,
        port_index: 0,
        channel: 0,
        key,
        velocity,
    }
}

#[test]
fn midi_messages_end_notes_and_pedals_hold_them() {
    let host = host();
    let weft = Processing::new(&host);
    weft.midi([0x90, 60, 100]);
    weft.midi([0xb0, 64, 64]);
    weft.midi([0x80, 60, 0]);
    assert_eq!(weft.sounding(), 1);
    weft.midi([0xb0, 64, 63]);
    assert_eq!(weft.sounding(), 0);
    // Note-on without force, sostenuto, and the mode messages.
    weft.midi([0x90, 60, 100]);
    weft.midi([0xb0, 66, 127]);
    weft.midi([0x90, 62, 100]);
    weft.midi([0x90, 62, 0]);
    weft.midi([0x90, 60, 0]);
    assert_eq!(weft.sounding(), 1);
    weft.midi([0xb0, 121, 0]);
    assert_eq!(weft.sounding(), 0);
    for mode in 123..128 {
        weft.midi([0x90, 60, 100]);
        weft.midi([0x91, 60, 100]);
        weft.midi([0xb0, mode, 0]);
        assert_eq!(weft.sounding(), 1, "{mode}");
        weft.midi([0xb1, 120, 0]);
        assert_eq!(weft.sounding(), 0);
    }
}

#[test]
fn a_note_event_without_force_ends_the_note_of_its_key() {
    let host = host();
    let weft = Processing::new(&host);
    let on = note(CLAP_EVENT_NOTE_ON, 60, 0.8);
    let none = note(CLAP_EVENT_NOTE_ON, 60, 0.0);
    weft.block(FRAMES, Outputs::Stereo, &[&raw const on.header]);
    assert_eq!(weft.sounding(), 1);
    weft.block(FRAMES, Outputs::Stereo, &[&raw const none.header]);
    assert_eq!(weft.sounding(), 0);
}

#[test]
fn what_comes_without_sound_is_obeyed() {
    let host = host();
    let silent = [
        (0, Outputs::Stereo),
        (0, Outputs::None),
        (FRAMES, Outputs::None),
        (FRAMES, Outputs::Nowhere),
        (FRAMES, Outputs::Channels(0)),
        (FRAMES, Outputs::Channels(1)),
    ];
    let on = note(CLAP_EVENT_NOTE_ON, 60, 0.8);
    let off = note(CLAP_EVENT_NOTE_OFF, 60, 0.0);
    let pedal = |value| midi(7, [0xb0, 64, value]);
    let (down, up) = (pedal(127), pedal(0));
    for (frames, outputs) in silent {
        let weft = Processing::new(&host);
        weft.block(frames, outputs, &[&raw const on.header]);
        assert_eq!(weft.sounding(), 1, "{frames} {outputs:?}");
        weft.block(
            frames,
            outputs,
            &[&raw const down.header, &raw const off.header],
        );
        assert_eq!(weft.sounding(), 1, "{frames} {outputs:?}");
        weft.block(frames, outputs, &[&raw const up.header]);
        assert_eq!(weft.sounding(), 0, "{frames} {outputs:?}");
        // What was kept is gone with the notes that it was for.
        weft.block(frames, outputs, &[&raw const on.header]);
        // SAFETY: as a host does.
        unsafe { ((*weft.0).reset.unwrap())(weft.0) };
        assert_eq!(weft.sounding(), 0, "{frames} {outputs:?}");
    }
}

#[test]
fn random_messages_in_random_calls_leave_no_note() {
    let host = host();
    let weft = Processing::new(&host);
    for_as_long_as_asked(|seed| {
        let mut hands = Hands::new(seed);
        for _ in 0..2_500 {
            let script: Vec<Midi> = (0..4).map(|_| hands.message()).collect();
            let (frames, outputs) = match hands.any(6) {
                0 => (0, Outputs::Stereo),
                1 => (FRAMES, Outputs::None),
                2 => (FRAMES, Outputs::Channels(0)),
                _ => (FRAMES, Outputs::Stereo),
            };
            weft.script(frames, outputs, &script);
            log::take();
        }
        weft.script(0, Outputs::Stereo, &Hands::leave());
        assert_eq!(weft.sounding(), 0, "seed {seed}");
    });
}

#[test]
fn every_controller_means_what_midi_says() {
    let host = host();
    let weft = Processing::new(&host);
    let script = every_controller();
    log::take();
    for message in script.chunks(16) {
        weft.script(FRAMES, Outputs::Stereo, message);
    }
    assert_eq!(log::take(), meaning(&script));
}

#[test]
fn three_voices_of_an_mpe_keyboard_have_hands_of_their_own() {
    let host = host();
    let weft = Processing::new(&host);
    log::take();
    weft.script(FRAMES, Outputs::Stereo, &three_voices());
    let deeds = log::take();
    assert_eq!(deeds, meaning(&three_voices()));
    assert_three_voices(&deeds);
}

#[test]
fn of_what_moves_without_sound_the_last_place_is_there() {
    let host = host();
    let moved = |frames, outputs| {
        let weft = Processing::new(&host);
        log::take();
        weft.script(frames, outputs, &three_voices());
        for step in 0..1_000 {
            let share = f64::from(step) / 1_000.0;
            weft.script(frames, outputs, &[wheel(2, share), [0xa0, 60, 9]]);
        }
        weft.script(frames, outputs, &[wheel(2, -0.25)]);
        assert_eq!(log::take(), []);
        weft.block(FRAMES, Outputs::Stereo, &[]);
        log::take()
    };
    let deeds = moved(0, Outputs::None);
    // The voices, whose bends are the last ones, and not a thousand others.
    assert!(deeds.len() < 200, "{}", deeds.len());
    assert_eq!(last_bend_st(&deeds, 2), Some(-12.0 + 2.0));
    assert_eq!(last_bend_st(&deeds, 3).map(f32::round), Some(9.0));
    let notes = deeds.iter().filter(|deed| matches!(deed, Deed::NoteOn(..)));
    assert_eq!(notes.count(), 3);
}

#[test]
fn note_expressions_are_for_their_notes() {
    let host = host();
    let weft = Processing::new(&host);
    let expression = |expression_id, value| clap_event_note_expression {
        header: clap_event_header {
            size: size_of::<clap_event_note_expression>() as u32,
            time: 0,
            space_id: CLAP_CORE_EVENT_SPACE_ID,
            type_: CLAP_EVENT_NOTE_EXPRESSION,
            flags: 0,
        },
        expression_id,
        note_id: 7,
        port_index: 0,
        channel: 2,
        key: 60,
        value,
    };
    let events = [
        expression(CLAP_NOTE_EXPRESSION_PRESSURE, 0.25),
        expression(CLAP_NOTE_EXPRESSION_BRIGHTNESS, 1.0),
        expression(CLAP_NOTE_EXPRESSION_TUNING, -3.5),
    ];
    let headers = events.each_ref().map(|event| &raw const event.header);
    let note = NoteAddress {
        note_id: Some(7),
        channel: Some(2),
        key: Some(60),
    };
    let expected = [
        Deed::Control(note, NoteControl::Pressure, 0.25),
        Deed::Control(note, NoteControl::Timbre, 1.0),
        Deed::Control(note, NoteControl::Tuning, -3.5),
    ];
    log::take();
    weft.block(FRAMES, Outputs::Stereo, &headers);
    assert_eq!(log::take(), expected);
    // The same without sound.
    weft.block(0, Outputs::None, &headers);
    assert_eq!(log::take(), []);
    weft.block(FRAMES, Outputs::Stereo, &[]);
    assert_eq!(log::take(), expected);
}

#[test]
fn a_held_wheel_follows_the_bend_range() {
    let host = host();
    let weft = Processing::new(&host);
    weft.midi([0xe3, 127, 127]);
    let range = weft.adapter().instance.params.sound.bend_range.as_ptr();
    log::take();
    // SAFETY: the parameter lives as long as the plugin.
    unsafe { range._internal_set_normalized_value(0.5) };
    weft.block(FRAMES, Outputs::Stereo, &[]);
    assert_eq!(last_bend_st(&log::take(), 3), Some(12.0));
    // Nothing moves by itself.
    weft.block(FRAMES, Outputs::Stereo, &[]);
    assert_eq!(log::take(), []);
    // After a reset hands are at rest: the range has nothing to bend.
    // SAFETY: as a host does.
    unsafe { ((*weft.0).reset.unwrap())(weft.0) };
    // SAFETY: as above.
    unsafe { range._internal_set_normalized_value(0.25) };
    weft.block(FRAMES, Outputs::Stereo, &[]);
    assert_eq!(last_bend_st(&log::take(), 3), Some(0.0));
}

#[test]
fn hosts_may_send_mpe() {
    let host = host();
    let weft = Processing::new(&host);
    // SAFETY: as a host does.
    unsafe {
        let ports = get_extension(weft.0, CLAP_EXT_NOTE_PORTS.as_ptr());
        let ports = &*ports.cast::<clap_plugin_note_ports>();
        let (count, get) = (ports.count.unwrap(), ports.get.unwrap());
        assert_eq!((count(weft.0, true), count(weft.0, false)), (1, 0));
        let mut info: clap_note_port_info = std::mem::zeroed();
        assert!(get(weft.0, 0, true, &mut info));
        let dialects = CLAP_NOTE_DIALECT_CLAP | CLAP_NOTE_DIALECT_MIDI | CLAP_NOTE_DIALECT_MIDI_MPE;
        assert_eq!(info.supported_dialects, dialects);
        assert_eq!(info.preferred_dialect, CLAP_NOTE_DIALECT_CLAP);
        assert!(!get(weft.0, 1, true, &mut info));
        assert!(!get(weft.0, 0, true, ptr::null_mut()));
    }
}
