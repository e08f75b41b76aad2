//! What a bug of ours does to the sound.

use super::*;

#[test]
fn an_audio_fault_is_silence_until_the_next_activation() {
    let mut weft: Weft = activated();
    weft.fail(Box::new("a bug"));
    let out = process(
        &mut weft,
        constant(0.25, BLOCK),
        constant(0.25, BLOCK),
        &mut TestContext::new(),
    );
    assert_eq!(out, constant(0.0, BLOCK));
    assert!(weft.instance.session.has_audio_fault());
    weft.deactivate();
    let config = BufferConfig {
        sample_rate: SAMPLE_RATE,
        min_buffer_size: None,
        max_buffer_size: BLOCK as u32,
        process_mode: ProcessMode::Realtime,
    };
    assert!(weft.activate(&Weft::AUDIO_IO_LAYOUTS[0], &config, &mut TestContext::new()));
    assert!(!weft.instance.session.has_audio_fault());
}
