//! WAV and AIFF files as programs and recorders really write them: whatever their headers say, the sound that
//! is there is read, to the sample.

mod support;

use weft_core::clip::{Clip, ClipError};

use support::containers::{
    aiff_chunk, chunk, chunk_of_size, common, extensible, form, format, rf64, riff, riff_of_size,
    sound, wave64,
};
use support::samples::{FRAMES, assert_read, big, bytes_of, expected, float, little, noise};

fn pcm_format() -> Vec<u8> {
    chunk(b"fmt ", &format(1, 1, 16, &[]))
}

/// Texts and markers as they stand in many files.
fn descriptions() -> Vec<Vec<u8>> {
    vec![
        chunk(b"LIST", b"INFOISFT\x05\0\0\0Suite\0"),
        chunk(b"bext", &[0; 602]),
        chunk(b"id3 ", b"ID3\x04\0\0\0\0\0\x05hello"),
        chunk(b"cue ", &[0; 4]),
    ]
}

#[test]
fn sizes_in_wav_headers_that_do_not_fit() {
    let samples = noise(1);
    let (data, clip) = (little(&samples), expected(&samples, 1));
    let right = data.len() as u32;
    let sizes = [
        0,
        u32::MAX,
        u32::MAX - 1,
        0x7fff_ffff,
        0x7fff_f000,
        right + 8,
        right + 36,
        right + 44,
        right - 8,
        right - 36,
        right - 44,
    ];
    for size in sizes {
        let sound = chunk_of_size(b"data", &data, size);
        assert_read(
            &format!("data of {size}"),
            &riff(&[pcm_format(), sound.clone()]),
            &clip,
        );
        // What comes behind is no sound, if the size is wrong by no more than a header.
        if size.abs_diff(right) <= 44 {
            for description in descriptions() {
                let chunks = [pcm_format(), sound.clone(), description];
                assert_read(&format!("data of {size}, and more"), &riff(&chunks), &clip);
            }
        }
    }
    for size in [0, 4, 36, right, right + 28, right + 44, u32::MAX] {
        let chunks = [pcm_format(), chunk(b"data", &data)];
        let bytes = riff_of_size(b"RIFF", &chunks, size);
        assert_read(&format!("RIFF of {size}"), &bytes, &clip);
        let chunks = [pcm_format(), chunk_of_size(b"data", &data, 0)];
        let bytes = riff_of_size(b"RIFF", &chunks, size);
        assert_read(&format!("RIFF of {size}, data of 0"), &bytes, &clip);
    }
}

#[test]
fn a_size_that_was_last_written_while_recording_went_on() {
    let samples = noise(1);
    let (data, clip) = (little(&samples), expected(&samples, 1));
    for size in [2, 1_000, data.len() as u32 / 2] {
        let chunks = [pcm_format(), chunk_of_size(b"data", &data, size)];
        assert_read(&format!("data of {size}"), &riff(&chunks), &clip);
    }
}

#[test]
fn chunks_behind_the_sound_correct_a_size_that_is_off() {
    let samples = noise(1);
    let (data, clip) = (little(&samples), expected(&samples, 1));
    let right = data.len() as u32;
    for description in descriptions() {
        for off in [-44, -36, -8, -4, -2, 2, 4, 8, 36, 44] {
            let size = right.wrapping_add_signed(off);
            let sound = chunk_of_size(b"data", &data, size);
            let bytes = riff(&[pcm_format(), sound, description.clone()]);
            assert_read(&format!("data off by {off}"), &bytes, &clip);
        }
        // Last written while the recording went on, and finished by another program.
        let sound = chunk_of_size(b"data", &data, right / 2);
        let bytes = riff(&[pcm_format(), sound, description]);
        assert_read("data of a half", &bytes, &clip);
    }
    // A right size, and a name behind the sound that is none.
    let chunks = [
        pcm_format(),
        chunk(b"data", &data),
        chunk(b"\xa9abc", &[1; 6]),
    ];
    assert_read("a strange name", &riff(&chunks), &clip);
}

#[test]
fn what_is_appended_is_not_taken_for_sound() {
    let samples = noise(1);
    let (data, clip) = (little(&samples), expected(&samples, 1));
    let whole = riff(&[pcm_format(), chunk(b"data", &data)]);
    let tag = [&b"TAGtitle"[..], &[0; 120]].concat();
    for appended in [tag, b"APETAGEX and more".to_vec(), vec![0; 100]] {
        let bytes = [whole.clone(), appended].concat();
        assert_read("appended", &bytes, &clip);
    }
    let tagged = [&b"ID3\x04\0\0\0\0\0\x05hello"[..], &whole].concat();
    assert_read("ID3 before", &tagged, &clip);
}

#[test]
fn an_empty_data_chunk_before_others_holds_no_sound() {
    for more in [vec![], descriptions()] {
        let chunks = [vec![pcm_format(), chunk(b"data", &[])], more].concat();
        let error = Clip::read_bytes(&riff(&chunks), None).unwrap_err();
        assert!(matches!(error, ClipError::NoSamples { .. }), "{error}");
    }
}

#[test]
fn format_chunks_of_every_length() {
    for channels in [1, 2] {
        let samples = noise(channels);
        let clip = expected(&samples, channels);
        let wide = channels as u16;
        for (tag, bits, data) in [(1, 16, little(&samples)), (3, 32, float(&samples))] {
            let data = chunk(b"data", &data);
            for more in [0, 2, 4, 6, 8, 24, 34, 50, 112] {
                let mut extension = vec![0; more];
                if more > 2 {
                    extension[0] = more as u8 - 2;
                }
                let header = chunk(b"fmt ", &format(tag, wide, bits, &extension));
                let what = format!("{channels} channels, tag {tag}, {} bytes", 16 + more);
                assert_read(&what, &riff(&[header, data.clone()]), &clip);
            }
            for valid in [0, bits, 1, 99] {
                for size in [0, 22, 24] {
                    for speakers in [0, 3, 4, u32::MAX] {
                        let extension = extensible(size, valid, speakers, tag);
                        let header = chunk(b"fmt ", &format(0xfffe, wide, bits, &extension));
                        let what = format!("extensible {tag}, {valid} bits, {size} bytes");
                        assert_read(&what, &riff(&[header, data.clone()]), &clip);
                    }
                }
            }
            // Bytes a second and bytes a frame are left out.
            let mut header = format(tag, wide, bits, &[]);
            header[8..14].fill(0);
            let header = chunk(b"fmt ", &header);
            assert_read("no frame size", &riff(&[header, data.clone()]), &clip);
        }
    }
}

#[test]
fn samples_of_odd_widths_stand_in_whole_bytes() {
    let samples = noise(1);
    let clip = expected(&samples, 1);
    let in_24 = bytes_of(&samples, |x| (i32::from(x) << 8).to_le_bytes());
    let in_24: Vec<u8> = in_24.chunks(4).flat_map(|b| b[..3].to_vec()).collect();
    let in_32 = bytes_of(&samples, |x| (i32::from(x) << 16).to_le_bytes());
    let twelve: Vec<i16> = samples.iter().map(|x| x & !15).collect();
    for (what, header, data, clip) in [
        ("20 bits", format(1, 1, 20, &[]), in_24.clone(), &clip),
        ("24 bits", format(1, 1, 24, &[]), in_24, &clip),
        ("32 bits", format(1, 1, 32, &[]), in_32.clone(), &clip),
        (
            "24 in 32 bits",
            format(0xfffe, 1, 32, &extensible(22, 24, 4, 1)),
            in_32,
            &clip,
        ),
        (
            "12 bits",
            format(1, 1, 12, &[]),
            little(&twelve),
            &expected(&twelve, 1),
        ),
    ] {
        let chunks = [chunk(b"fmt ", &header), chunk(b"data", &data)];
        assert_read(what, &riff(&chunks), clip);
    }
}

#[test]
fn companded_samples_are_read_in_every_form() {
    let data: Vec<u8> = noise(1).iter().map(|x| *x as u8).collect();
    for tag in [6, 7] {
        let whole = |header: Vec<u8>| riff(&[chunk(b"fmt ", &header), chunk(b"data", &data)]);
        let plain = whole(format(tag, 1, 8, &[0, 0]));
        let clip = Clip::read_bytes(&plain, None).unwrap();
        assert_eq!(clip.len(), FRAMES);
        assert_read("16 bytes", &whole(format(tag, 1, 8, &[])), &clip);
        assert_read("20 bytes", &whole(format(tag, 1, 8, &[2, 0, 0, 0])), &clip);
        let header = format(0xfffe, 1, 8, &extensible(22, 8, 4, tag));
        assert_read("extensible", &whole(header), &clip);
        let letters = if tag == 6 { b"alaw" } else { b"ulaw" };
        for letters in [letters.to_vec(), letters.to_ascii_uppercase()] {
            let common = common(1, FRAMES as u32, 16, &letters);
            let chunks = [common, aiff_chunk(b"SSND", &sound(0, 0, &data))];
            assert_read("AIFC", &form(b"AIFC", &chunks), &clip);
        }
    }
}

#[test]
fn files_beyond_four_gigabytes_and_big_endian_ones() {
    for channels in [1, 2] {
        let samples = noise(channels);
        let (data, clip) = (little(&samples), expected(&samples, channels));
        let size = data.len() as u64;
        let header = format(1, channels as u16, 16, &[]);
        for kind in [b"RF64", b"BW64"] {
            for size in [size, 0, size + 8, u64::MAX >> 1] {
                let what = format!("64-bit size of {size}");
                assert_read(&what, &rf64(kind, &header, &data, size), &clip);
            }
        }
        for size in [size, 0, 1 << 40] {
            assert_read("W64", &wave64(&header, &data, size), &clip);
        }
        let mut header = header;
        for (at, width) in [(0, 2), (2, 2), (4, 4), (8, 4), (12, 2), (14, 2)] {
            header[at..at + width].reverse();
        }
        let chunks = [
            aiff_chunk(b"fmt ", &header),
            aiff_chunk(b"LIST", b"INFO"),
            aiff_chunk(b"data", &big(&samples)),
        ];
        let size = 4 + chunks.iter().map(Vec::len).sum::<usize>() as u32;
        let bytes = riff_of_size(b"RIFX", &chunks, size.swap_bytes());
        assert_read("RIFX", &bytes, &clip);
    }
}

#[test]
fn descriptions_never_decide() {
    let samples = noise(1);
    let (data, clip) = (little(&samples), expected(&samples, 1));
    let sound = chunk(b"data", &data);
    let info = b"INFOISFT\x05\0\0\0SuiteIART\x04\0\0\0abc\0";
    let mut odd = vec![
        chunk(b"LIST", info),
        chunk(b"LIST", b""),
        chunk(b"LIST", b"INF"),
        chunk(b"LIST", b"INFOISFT\xff\xff\xff\xff"),
        chunk(b"LIST", b"INFOICMT\x10\0\0\0data for all of ufmt !"),
        chunk_of_size(b"LIST", info, 0),
        chunk_of_size(b"LIST", info, 7),
        chunk_of_size(b"LIST", info, info.len() as u32 + 8),
        chunk_of_size(b"LIST", info, 10_000),
        chunk_of_size(b"LIST", info, u32::MAX),
        chunk(b"fact", b""),
        chunk(b"fact", &[1, 0]),
        chunk(b"fact", &[7; 12]),
        chunk(b"id3 ", b"ID3\xff\xff\xff\xff\xff\xff\xff"),
        chunk(b"cue ", &[0xff; 4]),
        chunk(b"JUNK", &[0; 4_321]),
        chunk(b"\xa9abc", &[1; 5]),
    ];
    // An odd one whose padding was forgotten.
    odd.push([&b"LIST\x05\0\0\0INFO\0"[..]].concat());
    odd.push([&b"iXML\x07\0\0\0<a></a>"[..]].concat());
    for (n, description) in odd.into_iter().enumerate() {
        let header = pcm_format();
        let orders = [
            vec![header.clone(), description.clone(), sound.clone()],
            vec![description.clone(), header.clone(), sound.clone()],
            vec![header, sound.clone(), description],
        ];
        for (order, chunks) in orders.iter().enumerate() {
            // A name that is none is looked past before the sound; behind it, it may be anything.
            if n != 16 || order != 2 {
                assert_read(&format!("description {n}, {order}"), &riff(chunks), &clip);
            }
        }
    }
    let chunks = [sound, pcm_format()];
    assert_read("the sound comes first", &riff(&chunks), &clip);
}

#[test]
fn what_cannot_be_decoded_is_named() {
    let data = chunk(b"data", &[0x55; 8_000]);
    let wav = |tag| riff(&[chunk(b"fmt ", &format(tag, 1, 16, &[0, 0])), data.clone()]);
    let aifc = form(
        b"AIFC",
        &[
            common(1, 8_000, 16, b"QDM2"),
            aiff_chunk(b"SSND", &[0; 8_008]),
        ],
    );
    for (bytes, names) in [(wav(0x92), "AC-3"), (wav(0x7777), "0x7777"), (aifc, "QDM2")] {
        let error = Clip::read_bytes(&bytes, None).unwrap_err().to_string();
        assert!(
            error.contains(names) && error.contains("convert"),
            "{error}"
        );
    }
    let wide = chunk(b"fmt ", &format(1, 1, u16::MAX, &[]));
    let error = Clip::read_bytes(&riff(&[wide, data.clone()]), None).unwrap_err();
    assert!(error.to_string().contains("65535 bits"), "{error}");
    let no_format = riff(&[data]);
    let error = Clip::read_bytes(&no_format, None).unwrap_err().to_string();
    assert!(error.contains("header breaks off"), "{error}");
}
