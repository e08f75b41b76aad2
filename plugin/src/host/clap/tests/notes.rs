//! Notes, and what ends them, as events and as MIDI, with sound and without.

use std::ffi::CStr;

use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_NOTE_OFF, CLAP_EVENT_NOTE_ON, clap_event_midi,
    clap_event_note,
};
use clap_sys::plugin::clap_plugin;

use super::*;

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
fn controllers_are_reset_and_the_wheel_with_them() {
    let host = host();
    let weft = Processing::new(&host);
    weft.midi([0xe0, 0, 127]);
    let controls = || weft.adapter().instance.params.controls();
    assert!(controls().bend_st > 1.0);
    weft.midi([0xb0, 121, 0]);
    assert_eq!(controls().bend_st, 0.0);
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
    let mut state = 13u32;
    let mut any = |count: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % count
    };
    for _ in 0..2_500 {
        let events: Vec<clap_event_midi> = (0..4)
            .map(|at| {
                let (channel, key, value) = (any(3) as u8, 60 + any(8) as u8, any(128) as u8);
                let data = match any(10) {
                    0..4 => [0x90 | channel, key, value],
                    4..7 => [0x80 | channel, key, value],
                    7 => [0xb0 | channel, [64, 66][any(2) as usize], value],
                    8 => [0xb0 | channel, 120 + any(8) as u8, value],
                    _ => [0xe0 | channel, value, value],
                };
                midi(8 * at, data)
            })
            .collect();
        let headers: Vec<_> = events.iter().map(|event| &raw const event.header).collect();
        let (frames, outputs) = match any(6) {
            0 => (0, Outputs::Stereo),
            1 => (FRAMES, Outputs::None),
            2 => (FRAMES, Outputs::Channels(0)),
            _ => (FRAMES, Outputs::Stereo),
        };
        weft.block(frames, outputs, &headers);
    }
    // The hands leave the keys and the pedals, the last of them without sound.
    for channel in 0..3 {
        let ends = [
            midi(0, [0xb0 | channel, 64, 0]),
            midi(0, [0xb0 | channel, 66, 0]),
            midi(0, [0xb0 | channel, 123, 0]),
        ];
        let headers = ends.each_ref().map(|event| &raw const event.header);
        weft.block(0, Outputs::Stereo, &headers);
    }
    assert_eq!(weft.sounding(), 0);
}
