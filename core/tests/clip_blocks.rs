//! Sound in blocks that Weft decodes itself: GSM 06.10, Apple's IMA ADPCM and MIDI sample dumps, to the sample.

mod support;

use weft_core::clip::{Clip, ClipError};

use support::blocks::{
    any_g72x_codes, any_gsm_frames, gsm_files, gsm_frames, ima4_files, sample_dump,
};
use support::containers::{chunk, format, riff};
use support::plain::{au, caf};
use support::random::Random;
use support::samples::{FRAMES, assert_read, expected, noise};

/// FNV-1a of a clip's samples as 16-bit numbers, interleaved.
fn checksum(clip: &Clip) -> u64 {
    let frames = (0..clip.len()).flat_map(|n| clip.channels().iter().map(move |c| c[n]));
    let bytes = frames.flat_map(|x| ((x * 32_768.0) as i16).to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// What libsndfile 1.2.2 decodes frames of any numbers to. Those lead everywhere that the standard does: to each
/// lag, gain, grid and scale, and to what overflows.
const ANY_GSM: u64 = 0x7f1b_6bc8_5923_5a7a;
/// What the same decodes packets of any bytes to, in one channel and in two.
const ANY_IMA4: [u64; 2] = [0xc3e7_c599_06a8_de6f, 0x409a_14fd_562c_de10];

/// What the same decodes codes of any numbers to: the encoding in AU, bits of a code, and the sum.
const ANY_G72X: [(u32, usize, u64); 3] = [
    (23, 4, 0x8368_ff38_df42_8808),
    (25, 3, 0x2381_40ee_3808_49b6),
    (26, 5, 0x3239_8a04_2fa3_1023),
];

#[test]
fn gsm_is_decoded_to_the_sample_in_every_container() {
    let frames = any_gsm_frames(100);
    for (container, bytes) in gsm_files(&frames) {
        let clip = Clip::read_bytes(&bytes, None).unwrap_or_else(|e| panic!("{container}: {e}"));
        assert_eq!(
            (clip.len(), clip.channel_count()),
            (16_000, 1),
            "{container}"
        );
        assert_eq!(checksum(&clip), ANY_GSM, "{container}");
        assert_read(container, &bytes, &clip);
    }
}

#[test]
fn a_frame_of_gsm_that_is_cut_off_or_damaged_takes_nothing_else_with_it() {
    let frames = any_gsm_frames(200);
    let whole = gsm_frames(&frames);
    let file = |data: &[u8]| caf(b"agsm", 0, [33, 160, 1, 0], -1, &[], data);
    let clip = Clip::read_bytes(&file(&whole), None).unwrap();
    let cut = Clip::read_bytes(&file(&whole[..whole.len() - 40]), None).unwrap();
    assert!(cut.channels()[0] == clip.channels()[0][..198 * 160]);
    // Without its signature it is none; the longest stretch without a gap is kept.
    let mut damaged = whole;
    damaged[33 * 120] = 0;
    let kept = Clip::read_bytes(&file(&damaged), None).unwrap();
    assert!(kept.channels()[0] == clip.channels()[0][..120 * 160]);
}

#[test]
fn gsm_that_there_is_none_of_is_told() {
    let mut head = format(0x31, 2, 0, &[2, 0, 64, 1]);
    let stereo = riff(&[chunk(b"fmt ", &head), chunk(b"data", &[0; 65_000])]);
    let error = Clip::read_bytes(&stereo, None).unwrap_err();
    assert!(matches!(error, ClipError::NotAudio { .. }), "{error}");
    assert!(error.to_string().contains("in 2 channels"), "{error}");
    head[2] = 1;
    let short = riff(&[chunk(b"fmt ", &head), chunk(b"data", &[0; 64])]);
    let error = Clip::read_bytes(&short, None).unwrap_err();
    assert!(matches!(error, ClipError::NoSamples { .. }), "{error}");
}

/// A packet of Apple's IMA ADPCM: the header with the upper nine bits of `sample` and the `step`, and one code for
/// all of its 64 samples.
fn packet(sample: i16, step: u16, code: u8) -> Vec<u8> {
    let header = (sample as u16 & 0xff80) | step;
    [&header.to_be_bytes()[..], &[code << 4 | code; 32]].concat()
}

#[test]
fn a_packet_of_ima_adpcm_goes_on_from_the_last_sample_unless_it_says_otherwise() {
    // At the smallest step, code 1 goes up by one and stays there: each sample is one more than the last, though
    // a header can't say it.
    let ramp: Vec<i16> = (1..=9_600).collect();
    let packets = (0..150).flat_map(|n| packet(64 * n, 0, 1));
    let packets: Vec<u8> = packets.collect();
    for (container, bytes) in ima4_files(1, &packets) {
        assert_read(container, &bytes, &expected(&ramp, 1));
    }
    // Each channel has its own last sample.
    let pairs = (0..150).flat_map(|n| [packet(64 * n, 0, 1), packet(-64 * n, 0, 9)]);
    let pairs: Vec<u8> = pairs.flatten().collect();
    let both: Vec<i16> = ramp.iter().flat_map(|x| [*x, -*x]).collect();
    for (container, bytes) in ima4_files(2, &pairs) {
        assert_read(container, &bytes, &expected(&both, 2));
    }
    // Another place, and another step: what the header says is what there is.
    let mut elsewhere = packets.clone();
    elsewhere.splice(34 * 75..34 * 76, packet(-12_800, 0, 1));
    let mut stepped = packets;
    stepped.splice(34 * 75..34 * 76, packet(4_736, 3, 1));
    for (changed, begin) in [(elsewhere, -12_800), (stepped, 4_736)] {
        for (container, bytes) in ima4_files(1, &changed) {
            let clip = Clip::read_bytes(&bytes, None).unwrap();
            let at = |n: usize| (clip.channels()[0][n] * 32_768.0) as i16;
            assert_eq!(at(4_799), 4_800, "{container}");
            assert!((begin + 1..begin + 8).contains(&at(4_800)), "{container}");
        }
    }
}

#[test]
fn any_bytes_of_ima_adpcm_are_decoded_to_the_sample() {
    for (channels, sum) in (1..).zip(ANY_IMA4) {
        let mut random = Random::new(0x1a4);
        let packets = (0..34 * 150 * usize::from(channels)).map(|_| random.next() as u8);
        let packets: Vec<u8> = packets.collect();
        for (container, bytes) in ima4_files(channels, &packets) {
            let clip = Clip::read_bytes(&bytes, None).unwrap();
            assert_eq!(clip.len(), 9_600, "{container}");
            assert_eq!(checksum(&clip), sum, "{container} of {channels}");
        }
    }
}

#[test]
fn g721_and_g723_are_decoded_to_the_sample() {
    for (encoding, bits, sum) in ANY_G72X {
        let data = any_g72x_codes(bits, 9_600);
        let bytes = au(encoding, 1, false, u32::MAX, &[], &data);
        let clip = Clip::read_bytes(&bytes, None).unwrap();
        assert_eq!(clip.len(), 9_600, "{bits} bits");
        assert_eq!(checksum(&clip), sum, "{bits} bits");
        assert_read("AU", &bytes, &clip);
        if bits == 4 {
            let head = chunk(b"fmt ", &format(0x40, 1, 4, &[2, 0, 0, 0]));
            assert_read("WAV", &riff(&[head, chunk(b"data", &data)]), &clip);
            // G.726 has the upper bits first, and rounds where the others do not.
            let turned: Vec<u8> = data.iter().map(|byte| byte.rotate_left(4)).collect();
            let head = chunk(b"fmt ", &format(0x45, 1, 4, &[0, 0]));
            let bytes = riff(&[head, chunk(b"data", &turned)]);
            let rounded = Clip::read_bytes(&bytes, None).unwrap();
            let pairs = rounded.channels()[0].iter().zip(&clip.channels()[0]);
            let most = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(most > 0.0 && most < 0.1 * clip.peak(), "{most}");
        }
        let stereo = au(encoding, 2, false, u32::MAX, &[], &data);
        let error = Clip::read_bytes(&stereo, None).unwrap_err();
        assert!(error.to_string().contains("2 channels"), "{error}");
    }
}

#[test]
fn sample_dumps_are_read_in_words_of_every_width() {
    for bits in [8, 12, 14, 15, 16, 20, 21, 22, 24, 28] {
        let kept = u32::MAX << (32 - u32::from(bits.min(16)));
        let samples: Vec<i16> = noise(1).iter().map(|x| x & (kept >> 16) as i16).collect();
        // Zero is the lowest that there is.
        let words: Vec<u32> = samples
            .iter()
            .map(|x| (i32::from(*x) << 16) as u32 ^ 1 << 31)
            .collect();
        let clip = expected(&samples, 1);
        // A receiver's answers between the packets, as a recorder of messages writes them.
        for between in [&[][..], &[0xf0, 0x7e, 0, 0x7f, 3, 0xf7]] {
            let bytes = sample_dump(&words, bits, FRAMES as u32, between);
            assert_read(&format!("{bits} bits"), &bytes, &clip);
        }
        // What a length that can't be says is not believed: the last packet is there to its end.
        for length in [0, 7, FRAMES as u32 + 999] {
            let read = Clip::read_bytes(&sample_dump(&words, bits, length, &[]), None).unwrap();
            assert!(
                (FRAMES..FRAMES + 60).contains(&read.len()),
                "{}",
                read.len()
            );
            assert!(read.channels()[0][..FRAMES] == clip.channels()[0]);
        }
    }
}

#[test]
fn a_sample_dump_ends_where_its_packets_do() {
    let words = vec![0x4000_0000; FRAMES];
    let bytes = sample_dump(&words, 16, FRAMES as u32, &[]);
    // Another sample follows; its sound is not this one's.
    let two = [&bytes[..], &bytes].concat();
    assert_eq!(Clip::read_bytes(&two, None).unwrap().len(), FRAMES);
    let cut = Clip::read_bytes(&bytes[..bytes.len() - 60], None).unwrap();
    assert_eq!(cut.len(), FRAMES / 40 * 40);
    let mut wide = bytes.clone();
    wide[6] = 33;
    for (bytes, told) in [
        (&bytes[..21], "no samples"),
        (&bytes[..15], "breaks off"),
        (&wide[..], "33 bits"),
    ] {
        let error = Clip::read_bytes(bytes, None).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
}
