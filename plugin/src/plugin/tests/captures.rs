//! What starts a capture, and what does not.

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
