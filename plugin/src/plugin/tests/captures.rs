//! What starts a capture, and what does not.

use nice_plug::params::persist::PersistentField;

use super::*;

#[test]
fn a_request_starts_a_capture_and_cancel_ends_it() {
    let mut weft: Weft = activated();
    weft.instance.session.request_capture();
    let step = |weft: &mut Weft| {
        process(
            weft,
            constant(0.25, BLOCK),
            constant(0.0, BLOCK),
            &mut TestContext::new(),
        );
    };
    step(&mut weft);
    assert!(weft.player.is_capturing());
    assert!(matches!(
        weft.instance.session.status().phase,
        Phase::Capturing { .. }
    ));
    weft.instance.session.cancel(instrument::Slot::A);
    step(&mut weft);
    assert!(!weft.player.is_capturing());
    assert!(weft.instance.session.status().texture.is_none());
}

#[test]
fn a_loaded_project_does_not_record_over_its_texture() {
    let mut weft: Weft = activated();
    let step = |weft: &mut Weft| {
        let silence = || constant(0.0, BLOCK);
        process(weft, silence(), silence(), &mut TestContext::new());
    };
    step(&mut weft);
    // As nice-plug sets a saved value, before it hands over the texture.
    let press = |weft: &Weft, on: bool| {
        for trigger in [
            &weft.instance.params.capture.trigger,
            &weft.instance.params.capture.grab,
            &weft.instance.params.imprint.trigger,
        ] {
            // SAFETY: the parameter lives as long as the plugin.
            unsafe {
                trigger
                    .as_ptr()
                    ._internal_set_normalized_value(if on { 1.0 } else { 0.0 })
            };
        }
    };
    press(&weft, true);
    weft.instance.project().set_state_loaded();
    step(&mut weft);
    assert!(!weft.player.is_capturing());
    // A press is one that was seen to begin.
    press(&weft, false);
    step(&mut weft);
    press(&weft, true);
    step(&mut weft);
    assert!(weft.player.is_capturing());
}

/// Moves a parameter as nice-plug does.
fn set<P: Param>(param: &P, text: &str) {
    let normalized = param.string_to_normalized_value(text).unwrap();
    // SAFETY: the parameter lives as long as the plugin.
    unsafe { param.as_ptr()._internal_set_normalized_value(normalized) };
}

/// A block in which `level` is heard at the capture input.
fn hear(weft: &mut Weft, level: f32) {
    let (main, aux) = (constant(0.0, BLOCK), constant(level, BLOCK));
    process(weft, main, aux, &mut TestContext::new());
}

/// A plugin with a capture that waits for a level that does not come.
fn waiting() -> Weft {
    let mut weft: Weft = activated();
    let capture = &weft.instance.params.capture;
    set(&capture.start, "Threshold");
    set(&capture.threshold, "0 dB");
    set(&capture.trigger, "on");
    hear(&mut weft, 0.1);
    set(&weft.instance.params.capture.trigger, "off");
    hear(&mut weft, 0.1);
    assert!(weft.player.is_capturing() && !weft.player.is_recording());
    weft
}

#[test]
fn a_capture_that_waits_follows_its_settings() {
    let mut weft = waiting();
    set(&weft.instance.params.capture.threshold, "-12 dB");
    hear(&mut weft, 0.1);
    assert!(!weft.player.is_recording());
    set(&weft.instance.params.capture.threshold, "-30 dB");
    hear(&mut weft, 0.1);
    assert!(weft.player.is_recording());

    let mut weft = waiting();
    set(&weft.instance.params.capture.start, "Now");
    hear(&mut weft, 0.1);
    assert!(weft.player.is_recording());
}

#[test]
fn a_capture_that_waits_can_be_started_anew() {
    for is_activated_anew in [false, true] {
        let mut weft = waiting();
        if is_activated_anew {
            weft.deactivate();
            let config = BufferConfig {
                sample_rate: SAMPLE_RATE,
                min_buffer_size: None,
                max_buffer_size: BLOCK as u32,
                process_mode: ProcessMode::Realtime,
            };
            let layout = &Weft::AUDIO_IO_LAYOUTS[0];
            assert!(weft.activate(layout, &config, &mut TestContext::new()));
            weft.reset();
        }
        set(&weft.instance.params.capture.start, "Now");
        set(&weft.instance.params.capture.trigger, "on");
        hear(&mut weft, 0.1);
        assert!(weft.player.is_recording());
    }
}

#[test]
fn a_project_that_takes_the_place_of_another_ends_its_capture_and_an_undo_does_not() {
    let mut weft = waiting();
    // As an undo of a parameter loads it: there is no texture, and was none.
    weft.instance.project().set(String::new());
    hear(&mut weft, 0.1);
    assert!(weft.player.is_capturing());
    // A press that no block has seen yet is not obeyed either.
    weft.instance.session.request_capture();
    weft.instance.project().set("AAAA".to_owned());
    hear(&mut weft, 1.0);
    assert!(!weft.player.is_capturing());
}

#[test]
fn an_imprint_is_asked_for_by_its_trigger_for_the_slot_that_is_chosen() {
    let mut weft: Weft = activated();
    let mut press = |slot: &str, style: &str| {
        let params = weft.instance.params.clone();
        set(&params.play.slot, slot);
        set(&params.imprint.style, style);
        for value in ["off", "on"] {
            set(&params.imprint.trigger, value);
            hear(&mut weft, 0.0);
        }
        let session = &weft.instance.session;
        let began = std::time::Instant::now();
        loop {
            if let Some(error) = session.status().error {
                session.clear_error();
                return error;
            }
            assert!(began.elapsed().as_secs() < 60, "nobody was asked");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    };
    assert!(press("D", "B").contains("slot A has no capture"));
    assert!(press("B", "B").contains("not slot B"));
    assert!(press("D", "A").contains("slot A twice"));
}
