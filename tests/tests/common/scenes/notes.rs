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

/// The same key on three channels of an MPE keyboard's zone.
const FINGERS: [Note; 3] = [finger(1), finger(2), finger(3)];

const fn finger(channel: u8) -> Note {
    Note {
        id: None,
        channel,
        key: ROOT_KEY,
    }
}

/// MIDI messages one frame after the other, and from there on the left channel of `notes` that begin together, while
/// their pitch is steady.
fn performance(host: &mut impl Host, messages: &[[u8; 3]], notes: &[Note]) -> Vec<f32> {
    let velocity = 0.25;
    let start = messages.len() + 1;
    let mut render = Render::silent(start + STEADY.end).in_blocks(&[16, 333]);
    for (at, &message) in messages.iter().enumerate() {
        render = render.at(at, EventKind::Midi { message });
    }
    for &note in notes {
        render = render.at(start, EventKind::NoteOn { note, velocity });
    }
    let rendered = from_the_start(host, &render);
    rendered.channels[0][start + STEADY.start..].to_vec()
}

/// The wheel of a channel, at a share of its way.
fn wheel(channel: u8, share: f64) -> [u8; 3] {
    let position = (8192.0 + share * 8191.0) as u16;
    let [low, high] = [position & 0x7f, position >> 7].map(|bits| bits as u8);
    [0xe0 | channel, low, high]
}

/// A registered parameter of a channel, and none chosen after it.
fn registered(channel: u8, number: u8, value: u8) -> [[u8; 3]; 5] {
    [(101, 0), (100, number), (6, value), (101, 127), (100, 127)]
        .map(|(controller, value)| [0xb0 | channel, controller, value])
}

/// How loud the tone is, transposed by so many semitones, in dB.
fn tone_db(sound: &[f32], semitones: f64) -> f64 {
    let hz = transposed(semitones);
    let around = (-10..=10).map(|i| hz + f64::from(i));
    let levels = around.map(|hz| tone_amplitude(sound, f64::from(SAMPLE_RATE), hz));
    20.0 * levels.fold(0.0, f64::max).log10()
}

/// How loud the noise is that lies high above the tone, in dB.
fn noise_db(sound: &[f32]) -> f64 {
    // Falls by 12 dB an octave towards the tone.
    let bent = sound
        .windows(3)
        .map(|x| f64::from(x[0] - 2.0 * x[1] + x[2]));
    let power = bent.map(|x| x * x).sum::<f64>() / sound.len() as f64;
    10.0 * power.log10()
}

/// With the tone captured: three notes of one key on the channels of an MPE keyboard are bent, pressed and slid along
/// each by itself, and their zone's manager bends all of them.
pub fn assert_mpe_voices_have_hands_of_their_own(host: &mut impl Host) {
    set(
        host,
        &[
            ("Hold", 0.0),
            ("Key Follow", 1.0),
            ("Root Key", f64::from(ROOT_KEY) / 127.0),
            ("Lock to Timeline", 0.0),
            ("Bend Range", 2.0 / 24.0),
            ("Limiter", 0.0),
        ],
    );
    let bends = [wheel(1, 0.0), wheel(2, 4.0 / 48.0), wheel(3, 7.0 / 48.0)];
    // Before there is a zone, every wheel reaches two semitones.
    let sound = performance(host, &[wheel(1, 1.0), wheel(2, -1.0)], &FINGERS);
    assert_tones(&sound, &[2.0, -2.0, 0.0], &[4.0, 7.0, 12.0]);
    let zone = registered(0, 6, 15);
    let bent = [zone.as_slice(), &bends].concat();
    let sound = performance(host, &bent, &FINGERS);
    assert_tones(&sound, &[0.0, 4.0, 7.0], &[2.0, 9.0, 12.0]);
    for (finger, semitones) in FINGERS.iter().zip([0.0, 4.0, 7.0]) {
        let cents = cents_off(&performance(host, &bends, &[*finger]), semitones);
        println!("channel {}: {cents:.2} cents off", finger.channel);
        assert!(cents.abs() < 2.0 * TUNING_CENTS, "{cents}");
    }
    // The manager's wheel has two semitones, on top of each finger's own.
    let all = [bends.as_slice(), &[wheel(0, 1.0)]].concat();
    let sound = performance(host, &all, &FINGERS);
    assert_tones(&sound, &[2.0, 6.0, 9.0], &[0.0, 4.0, 7.0, 12.0]);

    // Pressure makes one finger's note louder by 6 dB, and no other.
    let at_rest = performance(host, &bends, &FINGERS);
    let pressed = [bends.as_slice(), &[[0xd2, 127, 0]]].concat();
    let pressed = performance(host, &pressed, &FINGERS);
    for (semitones, gain_db) in [(0.0, 0.0), (4.0, 6.0), (7.0, 0.0)] {
        let gain = tone_db(&pressed, semitones) - tone_db(&at_rest, semitones);
        println!("pressure: {gain:.2} dB at {semitones} st");
        assert!((gain - gain_db).abs() < 1.0, "{gain} dB");
    }
    // A slide brightens its own note, and no other.
    let note = [finger(2)];
    let level = |host: &mut _, slide: [u8; 3]| noise_db(&performance(host, &[slide], &note));
    let rest = level(host, [0xb2, 74, 64]);
    let (up, down) = (level(host, [0xb2, 74, 127]), level(host, [0xb2, 74, 0]));
    let other = level(host, [0xb3, 74, 127]);
    println!("slide: noise at {down:.1}, {rest:.1}, {up:.1} dB; of another: {other:.1}");
    assert!(up > rest + 6.0 && down < rest - 6.0 && (other - rest).abs() < 0.5);
    // The zone is left as it was found: none.
    performance(host, &registered(0, 6, 0), &[]);
}
