//! Sound of MOV and MP4 files as cameras and editors store it: in every encoding of samples, in parts with pictures
//! between them, whatever way their tables count.

mod support;

use weft_core::clip::{Clip, ClipError};

use support::blocks::{any_gsm_frames, gsm_files, gsm_frames, ima4_files};
use support::movies::{Sizes, alac_mov, chunks, description, description_2, mov};
use support::plain::au;
use support::random::Random;
use support::samples::{FRAMES, assert_read, big, bytes_of, expected, little, noise};
use support::streams::{atom, edits};

/// Letters, bits as they are stated, atoms that tell more, and the samples.
type Case<'a> = (&'a [u8; 4], u16, Vec<u8>, Vec<u8>);

/// What says that numbers have the lower byte first.
fn turned() -> Vec<u8> {
    atom(
        b"wave",
        &[&atom(b"enda", &[&[0, 1]]), &[0, 0, 0, 8, 0, 0, 0, 0]],
    )
}

/// Reads frames of `bytes` in each of the ways in which tables count them.
#[track_caller]
fn assert_read_as_counted(what: &str, description: &[u8], data: &[u8], bytes: usize, clip: &Clip) {
    let parts = chunks(data, bytes, 1, true);
    for size in [1, bytes as u32] {
        let file = mov(description, &Sizes::All(size), &parts, &[]);
        assert_read(&format!("{what}, sizes of {size}"), &file, clip);
    }
    // A sample of the tables is a chunk.
    let whole: Vec<_> = parts.iter().map(|(_, bytes)| (1, bytes.clone())).collect();
    let sizes = whole.iter().map(|(_, bytes)| bytes.len() as u32).collect();
    let file = mov(description, &Sizes::Each(sizes), &whole, &[]);
    assert_read(&format!("{what}, sizes of each"), &file, clip);
}

/// Whole numbers of `width` bytes.
fn of_width(samples: &[i16], width: usize, is_big: bool) -> Vec<u8> {
    let sample = |x: &i16| {
        let mut bytes = (i32::from(*x) << 16).to_be_bytes()[..width].to_vec();
        if !is_big {
            bytes.reverse();
        }
        bytes
    };
    samples.iter().flat_map(sample).collect()
}

fn float(sample: i16) -> f32 {
    f32::from(sample) / 32_768.0
}

fn double(sample: i16) -> f64 {
    f64::from(float(sample))
}

#[test]
fn samples_of_every_encoding_are_read() {
    for channels in [1, 2] {
        let samples = noise(usize::from(channels));
        let clip = expected(&samples, channels.into());
        let of_width = |width, is_big| of_width(&samples, width, is_big);
        let pcm = |is_little: u8, bits: u8| atom(b"pcmC", &[&[0, 0, 0, 0, is_little, bits]]);
        let cases: Vec<Case> = vec![
            (b"twos", 16, vec![], big(&samples)),
            (b"twos", 24, vec![], of_width(3, true)),
            (b"NONE", 16, vec![], big(&samples)),
            (b"sowt", 16, vec![], little(&samples)),
            (b"sowt", 24, vec![], of_width(3, false)),
            (b"in24", 16, vec![], of_width(3, true)),
            (b"in24", 16, turned(), of_width(3, false)),
            (b"in32", 16, vec![], of_width(4, true)),
            (b"in32", 32, turned(), of_width(4, false)),
            (
                b"fl32",
                16,
                vec![],
                bytes_of(&samples, |x| float(x).to_be_bytes()),
            ),
            (
                b"fl32",
                16,
                turned(),
                bytes_of(&samples, |x| float(x).to_le_bytes()),
            ),
            (
                b"fl64",
                64,
                vec![],
                bytes_of(&samples, |x| double(x).to_be_bytes()),
            ),
            (
                b"fl64",
                64,
                turned(),
                bytes_of(&samples, |x| double(x).to_le_bytes()),
            ),
            (b"ipcm", 16, pcm(1, 16), little(&samples)),
            (b"ipcm", 16, pcm(0, 24), of_width(3, true)),
            (
                b"fpcm",
                16,
                pcm(1, 32),
                bytes_of(&samples, |x| float(x).to_le_bytes()),
            ),
        ];
        for (letters, bits, more, data) in cases {
            for version in [0, 1] {
                let what = format!(
                    "{} of {bits} bits, {channels} channels",
                    letters.escape_ascii()
                );
                let head = description(letters, version, channels, bits, &more);
                let bytes = data.len() / FRAMES;
                assert_read_as_counted(&what, &head, &data, bytes, &clip);
            }
        }
    }
}

#[test]
fn samples_that_flags_tell_of_are_read() {
    for channels in [1_u16, 2] {
        let samples = noise(usize::from(channels));
        let clip = expected(&samples, channels.into());
        let of_width = |width, is_big| of_width(&samples, width, is_big);
        // With flags: floats, the upper byte first, signed.
        for (bits, flags, data) in [
            (16, 4, little(&samples)),
            (16, 6, big(&samples)),
            (24, 14, of_width(3, true)),
            (32, 12, of_width(4, false)),
            (32, 1, bytes_of(&samples, |x| float(x).to_le_bytes())),
            (64, 3, bytes_of(&samples, |x| double(x).to_be_bytes())),
        ] {
            let head = description_2(channels.into(), bits, flags);
            let bytes = data.len() / FRAMES;
            assert_read_as_counted(&format!("flags of {flags}"), &head, &data, bytes, &clip);
        }
    }
}

#[test]
fn samples_of_a_byte_are_read_in_every_encoding() {
    let data: Vec<u8> = noise(1).iter().map(|x| (x >> 6) as u8).collect();
    let signed = data
        .iter()
        .map(|byte| i16::from(*byte as i8) << 8)
        .collect::<Vec<_>>();
    let unsigned = data
        .iter()
        .map(|byte| (i16::from(*byte) - 128) << 8)
        .collect::<Vec<_>>();
    let on_curve = |encoding| Clip::read_bytes(&au(encoding, 1, false, u32::MAX, &[], &data), None);
    for (letters, clip) in [
        (b"twos", expected(&signed, 1)),
        (b"raw ", expected(&unsigned, 1)),
        (b"ulaw", on_curve(1).unwrap()),
        (b"alaw", on_curve(27).unwrap()),
    ] {
        for version in [0, 1] {
            let head = description(letters, version, 1, 8, &[]);
            assert_read_as_counted(&letters.escape_ascii().to_string(), &head, &data, 1, &clip);
        }
    }
}

#[test]
fn blocks_are_read_as_in_other_containers() {
    let mut random = Random::new(0x30);
    let packets: Vec<u8> = (0..34 * 2 * 140).map(|_| random.next() as u8).collect();
    let frames = any_gsm_frames(60);
    for (letters, channels, bytes, unit, data, other) in [
        (
            b"ima4",
            1,
            34,
            64,
            packets.clone(),
            &ima4_files(1, &packets)[0].1,
        ),
        (
            b"ima4",
            2,
            68,
            64,
            packets.clone(),
            &ima4_files(2, &packets)[0].1,
        ),
        (
            b"agsm",
            1,
            33,
            160,
            gsm_frames(&frames),
            &gsm_files(&frames)[0].1,
        ),
    ] {
        let clip = Clip::read_bytes(other, None).unwrap();
        let head = description(letters, 1, channels, 16, &[]);
        for (counts_units, size) in [(false, 1), (true, bytes as u32)] {
            let parts = chunks(&data, bytes, unit, counts_units);
            let file = mov(&head, &Sizes::All(size), &parts, &[]);
            assert_read(
                &format!("{} in {channels}", letters.escape_ascii()),
                &file,
                &clip,
            );
        }
    }
}

#[test]
fn alac_is_read_though_pictures_stand_between() {
    let samples = noise(1);
    assert_read("ALAC", &alac_mov(&samples), &expected(&samples, 1));
}

#[test]
fn an_edit_and_a_cut_leave_what_there_is() {
    let samples = noise(1);
    let (head, parts) = (
        description(b"twos", 1, 1, 16, &[]),
        chunks(&big(&samples), 2, 1, true),
    );
    // From the 200th frame on, for a second in units of 1/600 s: to one of these more, and never less.
    let edited = mov(&head, &Sizes::All(2), &parts, &edits(&[(600, 200)]));
    let clip = Clip::read_bytes(&edited, None).unwrap();
    let whole = expected(&samples, 1);
    assert!((8_000..=8_014).contains(&clip.len()), "{}", clip.len());
    assert!(clip.channels()[0] == whole.channels()[0][200..200 + clip.len()]);
    // A long way into the file: what comes before is not read.
    let long: Vec<i16> = (0..100).flat_map(|_| samples.clone()).collect();
    let parts_of_long = chunks(&big(&long), 2, 1, true);
    let late = mov(
        &head,
        &Sizes::All(2),
        &parts_of_long,
        &edits(&[(600, 800_000)]),
    );
    let clip = Clip::read_bytes(&late, None).unwrap();
    assert!((8_000..=8_014).contains(&clip.len()), "{}", clip.len());
    assert!(clip.channels()[0] == expected(&long[800_000..][..clip.len()], 1).channels()[0]);
    let beyond = mov(&head, &Sizes::All(2), &parts, &edits(&[(600, i32::MAX)]));
    let error = Clip::read_bytes(&beyond, None).unwrap_err();
    assert!(matches!(error, ClipError::NoSamples { .. }), "{error}");
    // Of a file that breaks off, what comes before.
    let file = mov(&head, &Sizes::All(2), &parts, &[]);
    let cut = Clip::read_bytes(&file[..file.len() - 1_000], None).unwrap();
    assert!((7_900..8_400).contains(&cut.len()), "{}", cut.len());
    assert!(cut.channels()[0] == whole.channels()[0][..cut.len()]);
}

#[test]
fn what_cannot_be_decoded_is_told() {
    let parts = chunks(&big(&noise(1)), 2, 1, true);
    let file = |head: &[u8]| mov(head, &Sizes::All(2), &parts, &[]);
    for head in [
        description(b"QDM2", 1, 1, 16, &[]),
        description(b"twos", 0, 1, 99, &[]),
        description(b"twos", 0, 0, 16, &[]),
        description(b"agsm", 0, 2, 16, &[]),
    ] {
        let error = Clip::read_bytes(&file(&head), None).unwrap_err();
        assert!(matches!(error, ClipError::NotAudio { .. }), "{error}");
        assert!(error.to_string().contains("convert"), "{error}");
    }
    let empty = mov(
        &description(b"twos", 0, 1, 16, &[]),
        &Sizes::All(2),
        &[],
        &[],
    );
    let error = Clip::read_bytes(&empty, None).unwrap_err();
    assert!(!error.to_string().is_empty());
}
