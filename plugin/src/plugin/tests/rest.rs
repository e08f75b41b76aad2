//! What is to come after a block, in every role.

use weft_core::instrument::MEMORY_S;

use super::*;

/// Processes a block with `level` at the main input, and returns what is to come.
fn outlook<R: Role>(
    weft: &mut WeftPlugin<R>,
    level: f32,
    event: Option<PluginNoteEvent<Weft>>,
) -> Outlook {
    let mut context = TestContext::new();
    context.events.extend(event);
    process(
        weft,
        constant(level, BLOCK),
        constant(0.0, BLOCK),
        &mut context,
    );
    weft.instance.session.rest().outlook()
}

fn set<R: Role>(param: &BoolParam, on: bool, _of: &WeftPlugin<R>) {
    // SAFETY: the parameter lives as long as the plugin.
    unsafe {
        param
            .as_ptr()
            ._internal_set_normalized_value(f32::from(u8::from(on)))
    };
}

#[test]
fn an_effect_listens_for_as_long_as_its_memory_holds_sound_bypassed_or_not() {
    for is_bypassed in [false, true] {
        let mut weft: WeftFx = activated();
        let params = weft.instance.params.clone();
        set(&params.through().unwrap().bypass, is_bypassed, &weft);
        assert_eq!(outlook(&mut weft, 0.0, None), Outlook::Silent);
        assert_eq!(outlook(&mut weft, 0.1, None), Outlook::Listening);
        let memory = (MEMORY_S * f64::from(SAMPLE_RATE)) as usize / BLOCK;
        assert!((0..memory).all(|_| outlook(&mut weft, 0.0, None) == Outlook::Listening));
        assert!((0..2).any(|_| outlook(&mut weft, 0.0, None) == Outlook::Silent));
        // What is asked for sounds on, and a bypass may end at any time.
        assert_eq!(outlook(&mut weft, 0.0, Some(note_on(0))), Outlook::Endless);
        set(&params.play.hold, true, &weft);
        assert_eq!(outlook(&mut weft, 0.0, None), Outlook::Endless);
    }
}

#[test]
fn the_plugin_does_not_rest_while_something_is_in_the_making() {
    let mut weft: Weft = activated();
    assert_eq!(outlook(&mut weft, 0.0, None), Outlook::Silent);
    let session = weft.instance.session.clone();
    session.set_fit_steps(instrument::Slot::A, 100);
    let texture = weft_core::procedural::Texture::Rain;
    session
        .instrument()
        .synthesize(instrument::Slot::A, texture, 1);
    let mut listened = false;
    while session.instrument().is_busy() {
        listened |= outlook(&mut weft, 0.0, None) == Outlook::Listening;
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    assert!(listened);
    assert_eq!(outlook(&mut weft, 0.0, None), Outlook::Silent);
}
