//! Captures that tests make by playing into an instrument.

use std::sync::OnceLock;

use weft_core::clip::Capture;
use weft_core::instrument::{CaptureSettings, Instrument, Phase, Slot};

use super::clips::{RATE, rain};
use super::host::{HOLD, Host, bouncing};
use super::measures::peak;

/// Captures rain in a bounce; a second of what sounds afterwards.
pub fn capture_rain(instrument: &Instrument, host: &mut Host) -> [Vec<f32>; 2] {
    let clip = rain(2.0);
    host.start_capture(CaptureSettings::now(Slot::A, 1.5));
    let during = host.feed(&clip, clip.len(), &HOLD);
    assert_eq!(
        peak(&during[0][..RATE as usize]),
        0.0,
        "the input must not be heard"
    );
    assert!(!host.is_capturing());
    let sound = host.play(RATE as usize, &HOLD);
    assert_eq!(instrument.status().error, None);
    assert_eq!(instrument.status().phase, Phase::Playing);
    sound
}

/// What an instrument saves that has captured the rain.
pub fn captured_state() -> &'static [u8] {
    static STATE: OnceLock<Vec<u8>> = OnceLock::new();
    STATE.get_or_init(|| {
        let (instrument, mut host) = bouncing();
        capture_rain(&instrument, &mut host);
        instrument.save_state().unwrap()
    })
}

/// Whether `part` is what `capture` kept, of the left channel.
pub fn is_kept(capture: &Capture, part: &[f32]) -> bool {
    let kept = &capture.clip().channels()[0];
    kept.len() == part.len() && kept.iter().zip(part).all(|(a, b)| (a - b).abs() < 1e-6)
}
