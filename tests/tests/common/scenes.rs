//! What the tests of both formats play: the same scenes, so that both have to sound the same.

use std::ops::Range;

use weft_hosts::measure::{db, fingerprint, frequency, rms, tone_amplitude};
use weft_hosts::{EventKind, Expression, Host, Note, Render, Rendered, Song, random_blocks};

use super::sound::{assert_silent, assert_sounds};

pub const SAMPLE_RATE: u32 = 48_000;
pub const SECOND: usize = SAMPLE_RATE as usize;
/// Longest block that the plugins are activated with here.
pub const LONGEST_BLOCK: usize = 2_048;
/// The notes' key that plays a capture at its own pitch.
const ROOT_KEY: u8 = 60;
/// Frequency of [`tone`].
const TONE_HZ: f64 = 500.0;
/// How far off a pitch may be, in cents: what is captured in a few steps is no tuning fork.
const TUNING_CENTS: f64 = 10.0;
/// After a seek, what sounded before has faded by then.
pub const BRIDGE_FRAMES: usize = SECOND / 20;

/// A tone over a little noise, for captures whose pitch can be measured.
pub fn tone(frames: usize) -> Vec<Vec<f32>> {
    let turn = std::f64::consts::TAU * TONE_HZ / f64::from(SAMPLE_RATE);
    let mut noise = 1_u32;
    let samples = (0..frames).map(|i| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = f64::from(noise >> 8) / f64::from(1_u32 << 23) - 1.0;
        (0.3 * (turn * i as f64).sin() + 0.01 * noise) as f32
    });
    vec![samples.collect()]
}

/// Moves the parameters by automation, in a short render of their own.
pub fn set(host: &mut impl Host, values: &[(&str, f64)]) {
    let render = values.iter().fold(Render::silent(256), |render, value| {
        render.at(0, host.move_to(value.0, value.1).unwrap())
    });
    host.play(&render).unwrap();
}

/// Captures the first second of `recording` from `port` and fits it, in an offline render.
pub fn capture(host: &mut impl Host, port: usize, recording: &[Vec<f32>]) {
    set(host, &[("Fit Steps A", 0.0), ("Capture Length", 0.0)]);
    let to = |normalized| host.move_to("Capture", normalized).unwrap();
    // The fit keeps to the song: it is done after half a second.
    let render = Render::silent(2 * SECOND)
        .feed(port, recording)
        .at(0, to(1.0))
        .at(SECOND, to(0.0));
    host.play(&render).unwrap();
}

/// Plays `render` from the first frame on.
fn from_the_start(host: &mut impl Host, render: &Render) -> Rendered {
    host.restart().unwrap();
    host.play(render).unwrap()
}

/// Two seconds and a half with notes, expressions, the pitch wheel and automation of nearly
/// everything, at frames that no block size divides; the texture is locked to the song for a while.
fn score(host: &impl Host) -> Render {
    const FRAMES: usize = 5 * SECOND / 2;
    /// At its start, in its middle, and to and fro between other values.
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
    let song = Song::new(f64::from(SAMPLE_RATE), 120.0);
    let mut render = Render::silent(FRAMES).in_song(&song, song.bar(9) + 12_345);
    let mut at = |frame: usize, kind: EventKind| {
        render.events.push(weft_hosts::Event { frame, kind });
    };
    let to = |name: &str, normalized: f64| host.move_to(name, normalized).unwrap();
    for (name, normalized) in [
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
    ] {
        at(0, to(name, normalized));
    }
    for (name, low, _) in MOVED {
        at(0, to(name, low));
    }
    for (step, frame) in (0..FRAMES).step_by(1_499).enumerate() {
        for (i, (name, low, high)) in MOVED.into_iter().enumerate() {
            if step % (i + 2) == 0 {
                let sweep = (step * (3 * i + 7) % 32) as f64 / 32.0;
                // Only half of them fall on the same frame.
                at(frame + i % 2 * 13 * i, to(name, low + sweep * (high - low)));
            }
        }
    }
    for (i, start) in (5..FRAMES - SECOND / 2).step_by(SECOND / 4 + 1).enumerate() {
        let note = Note {
            id: Some(i as i32),
            channel: (i % 3) as u8,
            key: (52 + i * 5 % 17) as u8,
        };
        let velocity = 0.5 + 0.0625 * (i % 8) as f32;
        at(start, EventKind::NoteOn { note, velocity });
        at(start + SECOND / 3, EventKind::NoteOff { note });
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
        at(start + 3_001, kind);
    }
    // The ends of the wheel: in between, the formats map it differently.
    for (frame, position) in [(30_011, 16_383), (41_017, 0)] {
        let channel = 2;
        at(frame, EventKind::PitchBend { channel, position });
    }
    at(60_013, to("Lock to Timeline", 1.0));
    at(83_003, to("Quality", 1.0));
    at(90_001, to("Lock to Timeline", 0.0));
    // A note and the key that it follows on one frame.
    at(95_009, to("Root Key", 0.5));
    let (note, velocity) = (Note::key(67), 0.75);
    at(95_009, EventKind::NoteOn { note, velocity });
    render
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

/// The first frame from `start` on at which two sounds differ.
pub fn first_difference(a: &[Vec<f32>], b: &[Vec<f32>], start: usize) -> Option<usize> {
    let differ = |(a, b): (&Vec<f32>, &Vec<f32>)| {
        assert_eq!(a.len(), b.len());
        let mut pairs = a.iter().zip(b).skip(start);
        pairs.position(|(a, b)| a.to_bits() != b.to_bits())
    };
    let first = a.iter().zip(b).filter_map(differ).min();
    first.map(|frame| frame + start)
}

/// Bar 17 of `song`, locked to the timeline: the same played from bar 14 on, after a seek, and in a
/// loop. Returns the left channels of it and of bar 18, without their bridges.
fn locked_bar(host: &mut impl Host, song: &Song, settings: &[(&str, f64)]) -> [Vec<f32>; 2] {
    let bar = song.bar(17);
    let bar_frames = (song.bar(18) - bar) as usize;
    let lead = (bar - song.bar(14)) as usize;
    host.restart().unwrap();
    set(host, &[("Hold", 1.0), ("Lock to Timeline", 1.0)]);
    set(host, settings);
    let played = Render::silent(lead + bar_frames)
        .in_song(song, song.bar(14))
        .in_blocks(&[512]);
    let played = host.play(&played).unwrap();
    let played = played.frames(lead..lead + bar_frames);

    let elsewhere = Render::silent(5_000)
        .in_song(song, song.bar(3) + 777)
        .in_blocks(&[300]);
    from_the_start(host, &elsewhere);
    let again = Render::silent(bar_frames).in_song(song, bar);
    let sought = host.play(&again.clone().in_blocks(&[441])).unwrap();
    let looped = host
        .play(&again.clone().in_blocks(&random_blocks(9, 1_500)))
        .unwrap();
    for (how, other) in [("sought", &sought), ("looped", &looped)] {
        assert_eq!(
            first_difference(&played, &other.channels, BRIDGE_FRAMES),
            None,
            "{how}, with {settings:?}"
        );
    }
    let next = Render::silent(bar_frames).in_song(song, song.bar(18));
    let next = host.play(&next).unwrap().channels;
    assert!(
        first_difference(&played, &next, BRIDGE_FRAMES).is_some(),
        "two bars are the same"
    );
    [played, next].map(|bar| {
        assert_sounds(&bar);
        let mut channels = bar.into_iter();
        channels.next().unwrap().split_off(BRIDGE_FRAMES)
    })
}

/// How alike the courses of two sounds' levels are, over steps of 20 ms: 1 for the same, 0 for
/// sounds that have nothing to do with each other.
fn likeness(a: &[f32], b: &[f32]) -> f64 {
    let levels = |sound: &[f32]| -> Vec<f64> {
        let steps = sound.chunks_exact(SECOND / 50);
        let levels: Vec<f64> = steps.map(|step| db(rms(&[step.to_vec()]))).collect();
        let mean = levels.iter().sum::<f64>() / levels.len() as f64;
        levels.iter().map(|level| level - mean).collect()
    };
    let (a, b) = (levels(a), levels(b));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}

/// Bars locked to the timeline sound the same however they are reached. Returns them.
pub fn assert_locked_bars_are_identical(host: &mut impl Host) -> Vec<Vec<f32>> {
    let rate = f64::from(SAMPLE_RATE);
    let steady = Song::new(rate, 120.0);
    // Two bars at half the tempo, long before bar 17, and a change after it.
    let moved = steady
        .clone()
        .tempo_from(8.0, 60.0)
        .tempo_from(16.0, 120.0)
        .tempo_from(80.0, 90.0);
    let mut bars = locked_bar(host, &steady, &[("Lock Tempo", 0.0)]).to_vec();
    bars.extend(locked_bar(host, &moved, &[("Lock Tempo", 0.0)]));
    let sound = [("Pitch", 0.55), ("Time", 0.4), ("Smear", 0.3)];
    bars.extend(locked_bar(host, &steady, &sound));
    set(host, &[("Pitch", 0.5), ("Time", 0.5), ("Smear", 0.0)]);
    for tempo in [120.0, 100.0] {
        let lock_tempo = [("Lock Tempo", tempo / 300.0)];
        let followed = locked_bar(host, &steady, &lock_tempo);
        // It follows the song's beats: a slower passage elsewhere does not move the texture. Its
        // grain hangs on the song's samples, so that it is not the same bit by bit.
        let other = locked_bar(host, &moved, &lock_tempo);
        let (alike, unlike) = (
            likeness(&followed[0], &other[0]),
            likeness(&followed[0], &other[1]),
        );
        println!("lock tempo {tempo}: bar 17 {alike:.3} alike, bar 18 {unlike:.3}");
        assert!(alike > 0.6 && unlike < 0.4, "{alike}, {unlike}");
        bars.extend(followed);
        bars.extend(other);
    }
    for bar in bars.chunks(1) {
        println!("a locked bar: {:016x}", fingerprint(bar));
    }
    bars
}

/// Seconds of the capture that [`capture_in_a_bounce`] makes: the least that the parameter allows.
const BOUNCED_CAPTURE_S: usize = 1;
/// Frames of the bounce around it.
const BOUNCED_FRAMES: usize = 5 * SECOND / 2;

/// A bounce of a new instance in which automation makes a capture from `port` and the texture plays
/// as soon as it can. The fit takes the parameter's fewest steps.
pub fn capture_in_a_bounce(host: &mut impl Host, port: usize, blocks: &[usize]) -> Vec<Vec<f32>> {
    let start = 4_801;
    let to = |name: &str, normalized| host.move_to(name, normalized).unwrap();
    let mut recording = vec![vec![0.0; start]];
    recording[0].extend(&tone(BOUNCED_CAPTURE_S * SECOND)[0]);
    let render = Render::silent(BOUNCED_FRAMES)
        .in_blocks(blocks)
        .feed(port, &recording)
        .at(0, to("Fit Steps A", 0.0))
        .at(0, to("Capture Length", 0.0))
        .at(0, to("Hold", 1.0))
        .at(start, to("Capture", 1.0))
        .at(start + 30_000, to("Capture", 0.0));
    let bounced = from_the_start(host, &render);
    let fitted = start + BOUNCED_CAPTURE_S * SECOND;
    assert_silent(&bounced.frames(0..fitted));
    // It is heard while it is fitted.
    assert_sounds(&bounced.frames(fitted + SECOND / 10..fitted + SECOND / 5));
    assert_sounds(&bounced.frames(BOUNCED_FRAMES - SECOND / 2..BOUNCED_FRAMES));
    println!(
        "captured in a bounce: {:016x}",
        fingerprint(&bounced.channels)
    );
    bounced.channels
}

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
