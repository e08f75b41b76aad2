//! Silence: a host may rest the plugin, is asked to go on where it could not know, and hears of the tail.

use std::sync::atomic::{AtomicU32, Ordering};

use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_NOTE_OFF, CLAP_EVENT_NOTE_ON, CLAP_EVENT_PARAM_VALUE,
    clap_event_param_value,
};
use clap_sys::ext::tail::{CLAP_EXT_TAIL, clap_host_tail, clap_plugin_tail};
use clap_sys::id::clap_id;
use clap_sys::process::{CLAP_PROCESS_CONTINUE, CLAP_PROCESS_SLEEP, CLAP_PROCESS_TAIL};

use super::notes::{Outputs, Processing, note};
use super::*;

/// Blocks after which a plugin that has nothing to do rests at the latest: three seconds.
const LONG: usize = 3 * 48_000 / FRAMES as usize;

/// What the host is called for.
#[derive(Default)]
struct Calls {
    process: AtomicU32,
    tail: AtomicU32,
}

impl Calls {
    fn host(&self) -> clap_host {
        unsafe extern "C" fn request_process(host: *const clap_host) {
            // SAFETY: the test puts its counters there.
            let calls = unsafe { &*(*host).host_data.cast::<Calls>() };
            calls.process.fetch_add(1, Ordering::Relaxed);
        }
        unsafe extern "C" fn changed(host: *const clap_host) {
            // SAFETY: as above.
            let calls = unsafe { &*(*host).host_data.cast::<Calls>() };
            calls.tail.fetch_add(1, Ordering::Relaxed);
        }
        unsafe extern "C" fn extension(_: *const clap_host, id: *const c_char) -> *const c_void {
            static TAIL: clap_host_tail = clap_host_tail {
                changed: Some(changed),
            };
            // SAFETY: ids are C strings.
            if unsafe { CStr::from_ptr(id) } == CLAP_EXT_TAIL {
                (&raw const TAIL).cast()
            } else {
                ptr::null()
            }
        }
        clap_host {
            host_data: ptr::from_ref(self).cast_mut().cast(),
            request_process: Some(request_process),
            get_extension: Some(extension),
            ..host()
        }
    }

    /// How often the host was asked to process since the last look.
    fn take_process(&self) -> u32 {
        self.process.swap(0, Ordering::Relaxed)
    }
}

/// Processes silence until the plugin rests.
fn rest(weft: &Processing) {
    let rests = |_| weft.block(FRAMES, Outputs::Stereo, &[]) == (CLAP_PROCESS_SLEEP, 0b11);
    assert!((0..LONG).any(rests), "it never rests");
    assert!(weft.adapter().instance.session.rest().is_resting());
}

fn status(weft: &Processing, events: &[*const clap_event_header]) -> clap_process_status {
    weft.block(FRAMES, Outputs::Stereo, events).0
}

#[test]
fn a_plugin_that_stays_silent_rests_and_one_with_a_note_does_not() {
    let calls = Calls::default();
    let host = calls.host();
    let weft = Processing::new(&host);
    rest(&weft);
    let on = note(CLAP_EVENT_NOTE_ON, 60, 0.8);
    let off = note(CLAP_EVENT_NOTE_OFF, 60, 0.0);
    assert_eq!(
        status(&weft, &[&raw const on.header]),
        CLAP_PROCESS_CONTINUE
    );
    assert!((0..LONG).all(|_| status(&weft, &[]) == CLAP_PROCESS_CONTINUE));
    assert_eq!(
        status(&weft, &[&raw const off.header]),
        CLAP_PROCESS_CONTINUE
    );
    assert_eq!(status(&weft, &[]), CLAP_PROCESS_TAIL);
    rest(&weft);
    // Without sound: nothing has come, and then a note for the next block.
    let without = |events: &[*const clap_event_header]| weft.block(0, Outputs::None, events).0;
    assert_eq!(without(&[]), CLAP_PROCESS_SLEEP);
    assert_eq!(without(&[&raw const on.header]), CLAP_PROCESS_CONTINUE);
    assert_eq!(status(&weft, &[]), CLAP_PROCESS_CONTINUE);
    assert!((0..LONG).all(|_| status(&weft, &[]) == CLAP_PROCESS_CONTINUE));
    // None of that was news to the host.
    assert_eq!(calls.take_process(), 0);
}

/// CLAP's number of some parameter.
fn first_parameter(weft: &Processing) -> clap_id {
    // SAFETY: the extension is the plugin's, and all zeros are an empty description.
    unsafe {
        let params = get_extension(weft.0, CLAP_EXT_PARAMS.as_ptr());
        let params = &*params.cast::<clap_plugin_params>();
        let mut info: clap_param_info = std::mem::zeroed();
        assert!((params.get_info.unwrap())(weft.0, 0, &mut info));
        info.id
    }
}

#[test]
fn the_host_is_asked_to_go_on_for_what_it_did_not_send_with_a_block() {
    let calls = Calls::default();
    let host = calls.host();
    let weft = Processing::new(&host);
    let session = &weft.adapter().instance.session;
    let bend = clap_event_param_value {
        header: clap_event_header {
            size: size_of::<clap_event_param_value>() as u32,
            time: 0,
            space_id: CLAP_CORE_EVENT_SPACE_ID,
            type_: CLAP_EVENT_PARAM_VALUE,
            flags: 0,
        },
        param_id: first_parameter(&weft),
        cookie: ptr::null_mut(),
        note_id: -1,
        port_index: -1,
        channel: -1,
        key: -1,
        value: 0.25,
    };
    let flush = || {
        let events = HostEvents(vec![&raw const bend.header]);
        let (list, none) = (events.list(), ptr::null());
        // SAFETY: the extension is the plugin's, and the lists live.
        unsafe {
            let params = get_extension(weft.0, CLAP_EXT_PARAMS.as_ptr());
            let params = &*params.cast::<clap_plugin_params>();
            (params.flush.unwrap())(weft.0, &list, none);
        }
    };
    let hold = || {
        // SAFETY: the parameter lives as long as the plugin.
        unsafe {
            let hold = weft.adapter().instance.params.play.hold.as_ptr();
            hold._internal_set_normalized_value(1.0);
        }
        flush();
    };
    let ways: [(&str, &dyn Fn()); 5] = [
        ("a flush", &flush),
        ("a cancelled capture", &|| {
            session.cancel(weft_core::instrument::Slot::A)
        }),
        ("a capture", &|| session.request_capture()),
        ("the window", &|| session.rest().end()),
        ("Hold", &hold),
    ];
    for (what, way) in ways {
        rest(&weft);
        assert_eq!(calls.take_process(), 0);
        way();
        assert_eq!(calls.take_process(), 1, "{what}");
        assert_eq!(status(&weft, &[]), CLAP_PROCESS_CONTINUE, "{what}");
        // Once more while it is awake: nobody is asked.
        session.rest().end();
        assert_eq!(calls.take_process(), 0, "{what}");
        session.cancel(weft_core::instrument::Slot::A);
    }
    // Hold has no end.
    assert!((0..LONG).all(|_| status(&weft, &[]) == CLAP_PROCESS_CONTINUE));
}

#[test]
fn the_tail_is_that_of_the_release_and_endless_with_hold() {
    let calls = Calls::default();
    let host = calls.host();
    let weft = Processing::new(&host);
    let params = &weft.adapter().instance.params;
    // SAFETY: the parameters live as long as the plugin.
    let set = |param: nice_plug::prelude::ParamPtr, normalized| unsafe {
        param._internal_set_normalized_value(normalized);
    };
    // Nobody has asked for it yet.
    set(params.amp.release.as_ptr(), 0.3);
    status(&weft, &[]);
    assert_eq!(calls.tail.load(Ordering::Relaxed), 0);
    // SAFETY: the extension is the plugin's.
    let tail = || unsafe {
        let tail = get_extension(weft.0, CLAP_EXT_TAIL.as_ptr());
        ((*tail.cast::<clap_plugin_tail>()).get.unwrap())(weft.0)
    };
    for normalized in [0.5, 0.8] {
        set(params.amp.release.as_ptr(), normalized);
        // A fall by 80 dB, at 48 kHz.
        let controls = params.controls();
        let samples = f64::from(controls.release_s) * 80.0 / 60.0 * 48_000.0;
        assert!(
            (f64::from(tail()) - samples).abs() < 2.0,
            "{} of {samples}",
            tail()
        );
        let before = calls.tail.load(Ordering::Relaxed);
        status(&weft, &[]);
        status(&weft, &[]);
        assert_eq!(calls.tail.load(Ordering::Relaxed), before + 1);
    }
    set(params.play.hold.as_ptr(), 1.0);
    assert_eq!(tail(), u32::MAX);
    set(params.play.hold.as_ptr(), 0.0);
    assert!(tail() < u32::MAX);
    // A held note goes on as well.
    let on = note(CLAP_EVENT_NOTE_ON, 60, 0.8);
    status(&weft, &[&raw const on.header]);
    assert_eq!(tail(), u32::MAX);
}
