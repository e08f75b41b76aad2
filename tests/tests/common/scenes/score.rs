//! A score of nearly everything, bounced in blocks of every kind.

use weft_hosts::measure::fingerprint;
use weft_hosts::{Event, EventKind, Expression, Host, Note, Render, Song, random_blocks};

use super::super::sound::assert_sounds;
use super::{LONGEST_BLOCK, SAMPLE_RATE, SECOND, first_difference, from_the_start};

/// Length of the score in frames.
const FRAMES: usize = 5 * SECOND / 2;
/// Where the parameters stand at its start, normalized.
const STANDING: [(&str, f64); 11] = [
    ("Hold", 0.0),
    ("Key Follow", 1.0),
    ("Attack", 0.2),
    ("Release", 0.2),
    ("Lock to Timeline", 0.0),
    ("Quality", 0.0),
    ("Seed", 0.25),
    ("Bend Range", 0.5),
    ("Limiter", 1.0),
    ("Root Key", 0.6),
    ("Lock Tempo", 0.0),
];
/// Between which values others move to and fro; they start at the first.
const MOVED: [(&str, f64, f64); 12] = [
    ("Pitch", 0.45, 0.6),
    ("Time", 0.3, 0.7),
    ("Smear", 0.0, 0.5),
    ("Brightness", 0.4, 0.6),
    ("Gain", 0.7, 0.8),
    ("Density", 0.3, 0.7),
    ("Contrast", 0.35, 0.65),
    ("Width", 0.2, 0.8),
    ("Low Cut", 0.0, 0.4),
    ("High Cut", 0.7, 1.0),
    ("Pitch Bend", 0.25, 0.75),
    ("Sustain", 0.5, 1.0),
];

/// Two seconds and a half with notes, expressions, the pitch wheel and automation of nearly
/// everything, at frames that no block size divides; the texture is locked to the song for a while.
fn score(host: &impl Host) -> Render {
    let song = Song::new(f64::from(SAMPLE_RATE), 120.0);
    let mut render = Render::silent(FRAMES).in_song(&song, song.bar(9) + 12_345);
    render.events = automation(host);
    render.events.extend(notes());
    render.events.extend(turns(host));
    render
}

fn at(frame: usize, kind: EventKind) -> Event {
    Event { frame, kind }
}

/// Where the parameters stand, and how they move.
fn automation(host: &impl Host) -> Vec<Event> {
    let to = |name: &str, normalized: f64| host.move_to(name, normalized).unwrap();
    let standing = STANDING.map(|(name, normalized)| at(0, to(name, normalized)));
    let starting = MOVED.map(|(name, low, _)| at(0, to(name, low)));
    let mut events = [&standing[..], &starting].concat();
    for (step, frame) in (0..FRAMES).step_by(1_499).enumerate() {
        for (i, (name, low, high)) in MOVED.into_iter().enumerate() {
            if step % (i + 2) == 0 {
                let sweep = (step * (3 * i + 7) % 32) as f64 / 32.0;
                // Only half of them fall on the same frame.
                let frame = frame + i % 2 * 13 * i;
                events.push(at(frame, to(name, low + sweep * (high - low))));
            }
        }
    }
    events
}

/// Notes, each with an expression, on three channels.
fn notes() -> Vec<Event> {
    let mut events = Vec::new();
    for (i, start) in (5..FRAMES - SECOND / 2).step_by(SECOND / 4 + 1).enumerate() {
        let note = Note {
            id: Some(i as i32),
            channel: (i % 3) as u8,
            key: (52 + i * 5 % 17) as u8,
        };
        let velocity = 0.5 + 0.0625 * (i % 8) as f32;
        events.push(at(start, EventKind::NoteOn { note, velocity }));
        events.push(at(start + SECOND / 3, EventKind::NoteOff { note }));
        let expressions = [
            (Expression::Volume, 0.5),
            (Expression::Pan, 0.25),
            // A multiple of 240 / 1024: the same in VST3's terms to the last bit.
            (Expression::Tuning, 1.875),
            (Expression::Brightness, 0.75),
        ];
        let (expression, value) = expressions[i % 4];
        let kind = EventKind::Expression {
            note,
            expression,
            value,
        };
        events.push(at(start + 3_001, kind));
    }
    events
}

/// The wheel, the lock, the quality and the root key, each turned once or twice.
fn turns(host: &impl Host) -> Vec<Event> {
    let to = |name: &str, normalized: f64| host.move_to(name, normalized).unwrap();
    // The ends of the wheel: in between, the formats map it differently.
    let wheel = |position| EventKind::PitchBend {
        channel: 2,
        position,
    };
    let (note, velocity) = (Note::key(67), 0.75);
    vec![
        at(30_011, wheel(16_383)),
        at(41_017, wheel(0)),
        at(60_013, to("Lock to Timeline", 1.0)),
        at(83_003, to("Quality", 1.0)),
        at(90_001, to("Lock to Timeline", 0.0)),
        // A note and the key that it follows on one frame.
        at(95_009, to("Root Key", 0.5)),
        at(95_009, EventKind::NoteOn { note, velocity }),
    ]
}

/// Bounces [`score`] in blocks of every kind, twice, and returns what all of them gave.
pub fn assert_bounces_are_identical(host: &mut impl Host) -> Vec<Vec<f32>> {
    let score = score(host);
    let blocks = [
        vec![64],
        vec![441],
        vec![1_024],
        random_blocks(3, 900),
        random_blocks(4, LONGEST_BLOCK),
    ];
    let mut first = None;
    for blocks in &blocks {
        for round in 1..=2 {
            let render = score.clone().in_blocks(blocks);
            let sound = from_the_start(host, &render).channels;
            let name = match blocks.as_slice() {
                [length] => length.to_string(),
                _ => "random lengths".into(),
            };
            println!(
                "blocks of {name}, round {round}: {:016x}",
                fingerprint(&sound)
            );
            let first = first.get_or_insert_with(|| sound.clone());
            assert_eq!(
                first_difference(first, &sound, 0),
                None,
                "blocks of {name}, round {round}"
            );
        }
    }
    let sound = first.unwrap();
    assert_sounds(&sound);
    sound
}
