//! What goes in, and what of it comes out.

use super::*;

#[test]
fn the_input_is_measured_and_never_heard() {
    let mut weft: Weft = activated();
    let mut context = TestContext::new();
    context.events = [note_on(0), note_on(17), note_on(BLOCK as u32 - 1)].into();
    let out = process(
        &mut weft,
        constant(0.25, BLOCK),
        constant(0.5, BLOCK),
        &mut context,
    );
    assert_eq!(out, constant(0.0, BLOCK));
    assert!(context.events.is_empty());
    assert_eq!(weft.instance.session.status().input_peak, 0.75);
}

#[test]
fn the_effect_passes_its_input_on() {
    let mut weft: WeftFx = activated();
    let mut run = |level: f32| {
        let (input, none) = (constant(level, BLOCK), constant(0.0, BLOCK));
        process(&mut weft, input, none, &mut TestContext::new())
    };
    assert_eq!(run(0.25), constant(0.25, BLOCK));
    // What goes wrong in the texture must not take the track's sound with it.
    weft.instance.session.set_audio_fault(true);
    let (input, none) = (constant(0.5, BLOCK), constant(0.0, BLOCK));
    let out = process(&mut weft, input, none, &mut TestContext::new());
    assert_eq!(out, constant(0.5, BLOCK));
}

#[test]
fn the_effect_is_mono_on_a_mono_track() {
    let frames = BLOCK;
    for (layout, expected) in [(1, vec![0.25, 0.25]), (2, vec![0.25])] {
        let mut weft = WeftFx::default();
        let config = BufferConfig {
            sample_rate: SAMPLE_RATE,
            min_buffer_size: None,
            max_buffer_size: BLOCK as u32,
            process_mode: ProcessMode::Realtime,
        };
        let layout = &Insert::LAYOUTS[layout];
        assert!(weft.activate(layout, &config, &mut TestContext::new()));
        weft.reset();
        let mut left = vec![0.25; frames];
        // What nice-plug leaves in a channel that no input belongs to is none.
        let mut right = vec![7.0; frames];
        let mut buffer = Buffer::default();
        // SAFETY: all channels hold the same number of frames.
        unsafe {
            buffer.set_slices(frames, |slices| {
                *slices = vec![&mut left, &mut right];
                slices.truncate(expected.len());
            });
        }
        let mut auxiliary = AuxiliaryBuffers {
            inputs: &mut [],
            outputs: &mut [],
        };
        weft.process(&mut buffer, &mut auxiliary, &mut TestContext::new());
        for (channel, level) in buffer.as_slice().iter().zip(&expected) {
            assert!(channel.iter().all(|x| x == level), "{}", layout.name());
        }
        assert_eq!(weft.instance.session.status().input_peak, 0.25);
    }
}

#[test]
fn a_missing_main_input_is_not_taken_from_the_output_buffer() {
    let mut weft: Weft = activated();
    weft.instance.link.set_main_input_connected(false);
    let left_over = constant(0.9, BLOCK);
    let out = process(
        &mut weft,
        left_over,
        constant(0.125, BLOCK),
        &mut TestContext::new(),
    );
    assert_eq!(out, constant(0.0, BLOCK));
    assert_eq!(weft.instance.session.status().input_peak, 0.125);
}

#[test]
fn blocks_longer_than_announced_and_empty_ones_are_survived() {
    let mut weft: Weft = activated();
    for frames in [3 * BLOCK + 5, 0, 1] {
        let mut context = TestContext::new();
        context.events = [note_on(0), note_on(frames.saturating_sub(1) as u32)].into();
        let out = process(
            &mut weft,
            constant(0.25, frames),
            constant(0.0, frames),
            &mut context,
        );
        assert_eq!(out, constant(0.0, frames));
        assert!(!weft.instance.session.has_audio_fault());
    }
}
