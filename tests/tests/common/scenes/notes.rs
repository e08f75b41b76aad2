//! Notes whose pitches are measured.

use std::ops::Range;

use weft_hosts::measure::{frequency, tone_amplitude};
use weft_hosts::{EventKind, Expression, Host, Note, Render};

use super::super::sound::assert_sounds;
use super::{SAMPLE_RATE, SECOND, TONE_HZ, from_the_start, set};

/// The notes' key that plays a capture at its own pitch.
const ROOT_KEY: u8 = 60;
/// How far off a pitch may be, in cents: what is captured in a few steps is no tuning fork.
const TUNING_CENTS: f64 = 10.0;

/// Frames after a note's start from which its pitch is measured, to the end of [`chord`].
const STEADY: Range<usize> = SECOND / 2..3 * SECOND / 2;

/// The left channel of notes that begin together, while the pitch is steady. `extra` adds events,
/// which go after the notes.
fn chord(host: &mut impl Host, notes: &[Note], extra: &[EventKind]) -> Vec<f32> {
    let velocity = 0.5;
    let start = 101;
    let mut render = Render::silent(start + STEADY.end).in_blocks(&[333]);
    for &note in notes {
        render = render.at(start, EventKind::NoteOn { note, velocity });
    }
    for &kind in extra {
        render = render.at(start, kind);
    }
    let rendered = from_the_start(host, &render);
    assert_sounds(&rendered.frames(start + STEADY.start..start + STEADY.end));
    rendered.channels[0][start + STEADY.start..].to_vec()
}

/// `TONE_HZ` transposed.
fn transposed(semitones: f64) -> f64 {
    TONE_HZ * (semitones / 12.0).exp2()
}

/// How far the tone in `sound` is from where `semitones` would put it, in cents.
fn cents_off(sound: &[f32], semitones: f64) -> f64 {
    let expected = transposed(semitones);
    let found = frequency(sound, f64::from(SAMPLE_RATE), expected);
    1200.0 * (found / expected).log2()
}

/// [`tone`] is heard at these transpositions in semitones, and not at those.
#[track_caller]
pub fn assert_tones(sound: &[f32], heard: &[f64], unheard: &[f64]) {
    // The strongest around a place: the tone of a capture wavers a little.
    let level = |semitones: f64| {
        let hz = transposed(semitones);
        let around = (-10..=10).map(|i| hz + f64::from(i));
        around
            .map(|hz| tone_amplitude(sound, f64::from(SAMPLE_RATE), hz))
            .fold(0.0, f64::max)
    };
    let levels = |places: &[f64]| places.iter().map(|&st| level(st)).collect::<Vec<_>>();
    let (heard, unheard) = (levels(heard), levels(unheard));
    let loudest = heard.iter().copied().fold(0.0, f64::max);
    println!("heard {heard:.4?}, unheard {unheard:.4?}");
    assert!(heard.iter().all(|level| *level > 0.2 * loudest));
    assert!(unheard.iter().all(|level| *level < 0.05 * loudest));
}

/// With the tone captured: chords follow the keys, and the wheel and expressions the notes.
pub fn assert_notes_have_pitches_of_their_own(host: &mut impl Host) {
    let (root, fifth) = (Note::numbered(1, ROOT_KEY), Note::numbered(2, ROOT_KEY + 7));
    set(
        host,
        &[
            ("Hold", 0.0),
            ("Key Follow", 1.0),
            ("Root Key", f64::from(ROOT_KEY) / 127.0),
            ("Lock to Timeline", 0.0),
            // Two semitones of 24.
            ("Bend Range", 2.0 / 24.0),
        ],
    );
    let alone = chord(host, &[root], &[]);
    let own = cents_off(&alone, 0.0);
    println!("the capture is {own:.2} cents off");
    assert!(own.abs() < 2.0 * TUNING_CENTS);
    assert_tones(&alone, &[0.0], &[2.0, 7.0, 12.0]);
    assert_tones(&chord(host, &[root, fifth], &[]), &[0.0, 7.0], &[3.5, 12.0]);

    // Two notes of one key, told apart by the host's numbers.
    let twin = Note::numbered(3, ROOT_KEY);
    let tuned = EventKind::Expression {
        note: twin,
        expression: Expression::Tuning,
        value: 3.75,
    };
    assert_tones(&chord(host, &[root, twin], &[tuned]), &[0.0, 3.75], &[7.0]);
    let hushed = EventKind::Expression {
        note: fifth,
        expression: Expression::Volume,
        value: 0.0,
    };
    assert_tones(&chord(host, &[root, fifth], &[hushed]), &[0.0], &[7.0]);

    for (position, semitones) in [(16_383, 2.0), (0, -2.0), (12_288, 1.0), (8_192, 0.0)] {
        let channel = 0;
        let wheel = EventKind::PitchBend { channel, position };
        let sound = chord(host, &[root], &[wheel]);
        let cents = cents_off(&sound, semitones) - own;
        println!("wheel at {position}: {cents:.2} cents off {semitones} st");
        assert!(cents.abs() < TUNING_CENTS, "{cents} cents");
    }
}
