//! Containers of plain samples beside WAV and AIFF: AU, CAF, VOC, SPHERE, IRCAM, AVR, PAF and 8SVX, in every
//! encoding and byte order of theirs, and with sizes that are not right.

mod support;

use weft_core::clip::{Clip, ClipError};

use support::containers::{RATE, aiff_chunk, form};
use support::plain::{au, caf, sphere, voc, words};
use support::random::Random;
use support::samples::{FRAMES, expected};
use support::sound_files::flac_bytes;

/// 16-bit noise, interleaved, of which the lower byte is nothing if `is_coarse`.
fn noise(channels: usize, is_coarse: bool) -> Vec<i16> {
    let mut random = Random::new(0xf11e);
    let samples = (0..FRAMES * channels).map(|_| (random.next() >> 50) as i16 - 8_192);
    samples
        .map(|x| if is_coarse { x & !255 } else { x })
        .collect()
}

#[track_caller]
fn assert_read(what: &str, bytes: &[u8], expected: &Clip) {
    for hint in [None, Some("wav"), Some("au")] {
        match Clip::read_bytes(bytes, hint) {
            Ok(read) => assert!(read == *expected, "{what}: {} frames", read.len()),
            Err(error) => panic!("{what}: {error}"),
        }
    }
}

#[track_caller]
fn assert_told(what: &str, bytes: &[u8], told: &str) {
    let error = Clip::read_bytes(bytes, None).unwrap_err();
    assert!(
        matches!(
            error,
            ClipError::NotAudio { .. } | ClipError::NoSamples { .. }
        ),
        "{what}: {error}"
    );
    assert!(error.to_string().contains(told), "{what}: {error}");
}

/// Signed whole numbers of `width` bytes, or floats of 4 or 8 if `is_float`.
fn stored(samples: &[i16], width: usize, is_float: bool, is_little: bool) -> Vec<u8> {
    let sample = |x: i16| {
        let mut bytes = match (is_float, width) {
            (true, 4) => (f32::from(x) / 32_768.0).to_be_bytes().to_vec(),
            (true, _) => (f64::from(x) / 32_768.0).to_be_bytes().to_vec(),
            _ => (i32::from(x) << 16).to_be_bytes()[..width].to_vec(),
        };
        if is_little {
            bytes.reverse();
        }
        bytes
    };
    samples.iter().flat_map(|x| sample(*x)).collect()
}

#[test]
fn au_in_every_encoding() {
    for channels in [1, 2] {
        for is_little in [false, true] {
            for (encoding, width, is_float) in [
                (2, 1, false),
                (3, 2, false),
                (4, 3, false),
                (5, 4, false),
                (6, 4, true),
                (7, 8, true),
            ] {
                let samples = noise(channels, width == 1);
                let data = stored(&samples, width, is_float, is_little);
                let bytes = au(encoding, channels, is_little, data.len() as u32, &[], &data);
                assert_read(
                    &format!("AU {encoding}"),
                    &bytes,
                    &expected(&samples, channels),
                );
            }
        }
    }
    let samples = noise(1, false);
    let (data, clip) = (stored(&samples, 2, false, false), expected(&samples, 1));
    for size in [0, u32::MAX, data.len() as u32 + 9] {
        for note in [&[][..], b"a note of any length\0\0"] {
            assert_read(
                &format!("size {size}"),
                &au(3, 1, false, size, note, &data),
                &clip,
            );
        }
    }
    assert_told("G.722", &au(24, 1, false, u32::MAX, &[], &data), "G.722");
    assert_told(
        "no sound",
        &au(3, 1, false, u32::MAX, &[], &[]),
        "no samples",
    );
    // A byte for a sample, on a curve: the same in AU, AIFF-C, CAF and the others.
    for (encoding, letters) in [(1, b"ulaw"), (27, b"alaw")] {
        let clip = Clip::read_bytes(&au(encoding, 1, false, u32::MAX, &[], &data), None).unwrap();
        assert_eq!(clip.len(), data.len());
        let bytes = caf(letters, 0, [1, 1, 1, 8], -1, &[], &data);
        assert_read("CAF on a curve", &bytes, &clip);
        let bytes = sphere(
            "ulaw alaw"
                .split(' ')
                .nth(usize::from(encoding == 27))
                .unwrap(),
            1,
            1,
            "1",
            &data,
        );
        assert_read("SPHERE on a curve", &bytes, &clip);
    }
}

#[test]
fn caf_in_every_encoding_and_with_any_size() {
    for channels in [1, 2] {
        for (flags, width, is_float) in [
            (0, 1, false),
            (0, 2, false),
            (0, 3, false),
            (0, 4, false),
            (1, 4, true),
            (1, 8, true),
        ] {
            for is_little in [false, true] {
                let samples = noise(channels, width == 1);
                let data = stored(&samples, width, is_float, is_little);
                let packet = (channels * width) as u32;
                let numbers = [packet, 1, channels as u32, 8 * width as u32];
                let flags = flags + 2 * u32::from(is_little);
                let size = data.len() as i64 + 4;
                let bytes = caf(b"lpcm", flags, numbers, size, &[], &data);
                assert_read(
                    &format!("CAF {flags}, {width} bytes"),
                    &bytes,
                    &expected(&samples, channels),
                );
            }
        }
    }
    let samples = noise(1, false);
    let (data, clip) = (stored(&samples, 2, false, false), expected(&samples, 1));
    let right = data.len() as i64 + 4;
    let free = |size: i64| [&b"free"[..], &size.to_be_bytes(), &[0; 40]].concat();
    for size in [right, -1, 0, right + 44, i64::MAX] {
        for chunks in [vec![], free(40), free(-1), free(1 << 40)] {
            let bytes = caf(b"lpcm", 0, [2, 1, 1, 16], size, &chunks, &data);
            assert_read(&format!("size {size}"), &bytes, &clip);
        }
    }
    let whole = caf(b"lpcm", 0, [2, 1, 1, 16], right, &[], &data);
    assert_read("chunks behind it", &[whole, free(40)].concat(), &clip);
    // A packet table that counts what is not the sound.
    let table = [
        &b"pakt"[..],
        &24_i64.to_be_bytes(),
        &[0; 8],
        &8_000_i64.to_be_bytes(),
        &words(&[100, 400], false),
    ];
    let bytes = caf(b"lpcm", 0, [2, 1, 1, 16], right, &table.concat(), &data);
    let read = Clip::read_bytes(&bytes, None).unwrap();
    assert!(read.channels()[0] == clip.channels()[0][100..8_100]);
    assert_told(
        "an unknown codec",
        &caf(b"QDM2", 0, [0, 0, 2, 0], right, &[], &data),
        "convert it",
    );
    assert_told("no description", &bytes[..30], "breaks off");
}

#[test]
fn voc_in_blocks() {
    let samples = noise(2, false);
    let data = stored(&samples, 2, false, true);
    let clip = expected(&samples, 2);
    let head = [&RATE.to_le_bytes()[..], &[16, 2, 4, 0, 0, 0, 0, 0]].concat();
    let (one, other) = data.split_at(data.len() / 3 / 4 * 4);
    let blocks = [
        (5, b"a text\0".to_vec()),
        (9, [&head[..], one].concat()),
        (4, vec![1, 0]),
        (2, other.to_vec()),
    ];
    assert_read("VOC", &voc(&blocks), &clip);
    let bytes = voc(&blocks);
    let cut = Clip::read_bytes(&bytes[..bytes.len() - 4_001], None).unwrap();
    assert!(cut.channels()[0][..] == clip.channels()[0][..cut.len()] && cut.len() > FRAMES - 1_002);

    let samples = noise(1, true);
    let data: Vec<u8> = samples.iter().map(|x| ((x >> 8) + 128) as u8).collect();
    let clip = expected(&samples, 1);
    let bytes = voc(&[(1, [&[131, 0][..], &data].concat())]);
    assert_read("the oldest", &bytes, &clip);
    let divisor = (65_536 - 256_000_000 / RATE) as u16;
    let extended = [&divisor.to_le_bytes()[..], &[0, 0]].concat();
    let bytes = voc(&[(8, extended), (1, [&[0, 0][..], &data].concat())]);
    assert_read("extended", &bytes, &clip);
    assert_told(
        "ADPCM",
        &voc(&[(1, [&[131, 1][..], &data].concat())]),
        "ADPCM",
    );
    assert_told("no block", &voc(&[]), "breaks off");
}

#[test]
fn sphere_ircam_avr_paf_and_8svx() {
    for channels in [1, 2] {
        for is_little in [false, true] {
            for width in [1, 2, 3, 4] {
                let samples = noise(channels, width == 1);
                let data = stored(&samples, width, false, is_little);
                let order = if is_little { "01" } else { "10" };
                let bytes = sphere("pcm", channels, width, order, &data);
                assert_read("SPHERE", &bytes, &expected(&samples, channels));
            }
            let samples = noise(channels, false);
            let clip = expected(&samples, channels);
            for (encoding, width, is_float) in [(2, 2, false), (4, 4, true), (0x4_0004, 4, false)] {
                let data = stored(&samples, width, is_float, is_little);
                let magic = if is_little {
                    [0x64, 0xa3, 2, 0]
                } else {
                    [0, 2, 0xa3, 0x64]
                };
                let fields = words(
                    &[(RATE as f32).to_bits(), channels as u32, encoding],
                    is_little,
                );
                let mut bytes = [&magic[..], &fields].concat();
                bytes.resize(1_024, 0);
                bytes.extend(data);
                assert_read("IRCAM", &bytes, &clip);
            }
            let magic = if is_little { b"fap " } else { b" paf" };
            let fields = words(
                &[0, is_little.into(), RATE, 0, channels as u32, 0],
                is_little,
            );
            let mut bytes = [&magic[..], &fields].concat();
            bytes.resize(2_048, 0);
            bytes.extend(stored(&samples, 2, false, is_little));
            assert_read("PAF", &bytes, &clip);
        }
        for bits in [8_u16, 16] {
            let samples = noise(channels, bits == 8);
            let is_stereo = 0_u16.wrapping_sub(u16::from(channels == 2));
            let mut bytes = b"2BITname\0\0\0\0".to_vec();
            for field in [is_stereo, bits, u16::MAX, 0, u16::MAX] {
                bytes.extend(field.to_be_bytes());
            }
            bytes.extend(RATE.to_be_bytes());
            bytes.resize(128, 0);
            bytes.extend(stored(&samples, usize::from(bits / 8), false, false));
            assert_read("AVR", &bytes, &expected(&samples, channels));
        }
    }
    for (kind, width) in [(b"8SVX", 1), (b"16SV", 2)] {
        let samples = noise(1, width == 1);
        let voice = [
            &[0; 12][..],
            &(RATE as u16).to_be_bytes(),
            &[1, 0, 0, 1, 0, 0],
        ]
        .concat();
        let chunks = [
            aiff_chunk(b"ANNO", b"odd"),
            aiff_chunk(b"VHDR", &voice),
            aiff_chunk(b"BODY", &stored(&samples, width, false, false)),
        ];
        assert_read("8SVX", &form(kind, &chunks), &expected(&samples, 1));
    }
}

#[test]
fn pvf_whose_header_is_text() {
    for channels in [1, 2] {
        for width in [1, 2, 4] {
            let samples = noise(channels, width == 1);
            let header = format!("PVF1\n{channels} {RATE} {}\n", 8 * width);
            let bytes = [header.as_bytes(), &stored(&samples, width, false, false)].concat();
            assert_read("PVF", &bytes, &expected(&samples, channels));
        }
    }
    for (numbers, told) in [
        ("1 8000\n", "breaks off"),
        ("1 8000 x\n", "breaks off"),
        ("1 8000 99\n", "bits"),
        ("0 8000 16\n", "0 channels"),
        ("1 8000 16\n", "no samples"),
        ("1 8000 16", "no samples"),
    ] {
        let bytes = format!("PVF1\n{numbers}");
        assert_told(numbers, bytes.as_bytes(), told);
    }
}

#[test]
fn tags_behind_flac_take_nothing_of_it() {
    let clip = expected(&noise(2, false), 2);
    let bytes = flac_bytes(&clip);
    let whole = Clip::read_bytes(&bytes, None).unwrap();
    let title = [&b"TAGtitle"[..], &[0; 120]].concat();
    let ape = |size: u32, flags: u32| {
        [
            &b"APETAGEX"[..],
            &words(&[2_000, size, 0, flags, 0, 0], true),
        ]
        .concat()
    };
    let item = vec![7; 500];
    for tags in [
        title.clone(),
        ape(32, 0),
        ape(32, 1 << 31),
        [item.clone(), ape(532, 0)].concat(),
        [ape(532, 3 << 30), item, ape(532, 1 << 31), title].concat(),
    ] {
        assert_read("tags", &[bytes.clone(), tags].concat(), &whole);
    }
}

#[test]
fn files_that_are_something_else_are_named() {
    let filled = |magic: &[u8]| [magic, &[0x80; 600]].concat();
    let speex = [&b"OggS\0\x02"[..], &[0; 20], b"\x01\x50Speex   1.2"].concat();
    for (bytes, told) in [
        (filled(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"), "Windows Media"),
        (filled(b"wvpk"), "WavPack"),
        (filled(b"#!AMR\n"), "AMR"),
        (filled(b"MThd"), "MIDI"),
        (filled(b"PK\x03\x04"), "ZIP archive: unpack it"),
        (speex, "Speex"),
        (b"<!DOCTYPE html><p>Not found</p>\n".repeat(40), "a text"),
        (
            filled(b"\0\0\0\x14ftypM4A \0\0\0\0M4A \0\0\x10\0mdat"),
            "MP4 header breaks off",
        ),
    ] {
        assert_told(told, &bytes, told);
        assert_told(told, &bytes, "convert it to WAV");
    }
}
