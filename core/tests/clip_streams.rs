//! Files of packets: chains of OGG streams are one recording, and what encoders put before and behind the sound
//! is not part of it.

mod support;

use weft_core::clip::{Clip, ClipError, MAX_READ_S, Remark, SoundFile};

use support::random::Random;
use support::streams::{
    OPUS_PACKET_FRAMES, OPUS_RATE, edits, gapless_tag, mp4, ogg_flac, ogg_opus, ogg_opus_packets,
};
use support::vorbis::{self, Packet, ogg_vorbis, ogg_vorbis_with_book};

/// Sample rate of what is no Opus, in Hz.
const RATE: u32 = 8_000;

fn noise(seed: u64, frames: usize) -> Vec<i16> {
    let mut random = Random::new(seed);
    (0..frames)
        .map(|_| (random.next() >> 50) as i16 - 8_192)
        .collect()
}

fn floats(samples: &[i16]) -> Vec<f32> {
    samples.iter().map(|x| f32::from(*x) / 32_768.0).collect()
}

/// Reads `bytes`, whatever their name says.
#[track_caller]
fn read(bytes: &[u8]) -> Clip {
    let clip = Clip::read_bytes(bytes, None).unwrap();
    assert!(Clip::read_bytes(bytes, Some("wav")).unwrap() == clip);
    clip
}

#[test]
fn a_chain_of_streams_is_one_recording() {
    let parts = [5_000, 700, 9_001].map(|frames| noise(frames as u64, frames));
    let serials = [[1, 2, 3], [7, 7, 7]];
    for serials in serials {
        let links = parts.iter().zip(serials);
        let links = links.map(|(part, serial)| ogg_flac(serial, RATE, std::slice::from_ref(part)));
        let clip = read(&links.collect::<Vec<_>>().concat());
        assert_eq!(clip.sample_rate(), RATE);
        assert!(clip.channels() == [floats(&parts.concat())], "{serials:?}");
    }
}

#[test]
fn a_chain_that_turns_stereo_or_to_another_rate_goes_on() {
    let [mono, left, right] = [4_000, 6_000, 6_000].map(|frames| noise(frames as u64, frames));
    let first = ogg_flac(1, RATE, std::slice::from_ref(&mono));
    let second = ogg_flac(2, RATE, &[left.clone(), right.clone()]);
    let clip = read(&[first.clone(), second].concat());
    let expected = [left, right].map(|side| floats(&[mono.clone(), side].concat()));
    assert!(clip.channels() == expected);

    // Half a second at twice the rate.
    let second = ogg_flac(2, 2 * RATE, &[noise(3, RATE as usize)]);
    let clip = read(&[first, second].concat());
    assert_eq!(clip.sample_rate(), RATE);
    assert_eq!(clip.len(), mono.len() + RATE as usize / 2);
    assert!(clip.channels()[0][..mono.len()] == floats(&mono));
}

/// What is said of a file, rather than of its sound.
fn about(bytes: &[u8]) -> Vec<Remark> {
    let file = SoundFile::read_bytes(bytes, None).unwrap();
    // All remarks are those of the sound and these.
    assert!(file.remarks().ends_with(file.about_file()));
    assert_eq!(
        file.remarks().len(),
        file.clip.remarks().len() + file.about_file().len()
    );
    file.about_file().to_vec()
}

#[test]
fn a_chain_whose_links_differ_is_told_of() {
    let link = |serial, rate: u32, channels: usize| {
        let side = noise(u64::from(serial), rate as usize / 2);
        ogg_flac(serial, rate, &vec![side; channels])
    };
    let chain = |shapes: &[(u32, usize)]| {
        let links = (1..).zip(shapes);
        links
            .map(|(serial, &(rate, channels))| link(serial, rate, channels))
            .collect::<Vec<_>>()
            .concat()
    };
    for alike in [
        &[(RATE, 1)][..],
        &[(RATE, 1); 3],
        &[(2 * RATE, 2); 2],
        &[(RATE, 4); 2],
    ] {
        assert_eq!(about(&chain(alike)), [], "{alike:?}");
    }
    let twice = 2 * RATE;
    for (shapes, differs, words) in [
        (
            &[(RATE, 1), (twice, 1)][..],
            (true, false),
            "different sample rates: all of it is taken at 8000 Hz",
        ),
        (
            &[(RATE, 2), (RATE, 2), (RATE, 1)],
            (false, true),
            "different numbers of channels: all of it is taken at 8000 Hz in stereo",
        ),
        // Both are stereo once they are mixed, but only one of them was.
        (
            &[(RATE, 2), (RATE, 4)],
            (false, true),
            "different numbers of channels",
        ),
        (
            &[(twice, 1), (RATE, 2), (twice, 1)],
            (true, true),
            "different sample rates and channels: all of it is taken at 16000 Hz and in stereo",
        ),
    ] {
        let (rates_differ, channels_differ) = differs;
        let joined = Remark::Joined {
            sample_rate_hz: shapes[0].0,
            rates_differ,
            channels_differ,
        };
        let said = about(&chain(shapes));
        assert_eq!(said, [joined], "{shapes:?}");
        let said = said[0].to_string();
        assert!(said.contains(words), "{said}");
    }
    // Of links that are not kept nothing is said: the longest stretch here is the last two.
    let mut links = [(twice, 1), (RATE, 1), (RATE, 1), (RATE, 1)]
        .iter()
        .zip(1..)
        .map(|(&(rate, channels), serial)| link(serial, rate, channels))
        .collect::<Vec<_>>();
    links[1][28..32].fill(b'x');
    assert_eq!(about(&links.concat()), []);
}

#[test]
fn a_chain_keeps_its_longest_stretch_where_a_link_is_damaged() {
    let parts = [9_000, 4_000, 9_500, 3_000].map(|frames| noise(frames as u64, frames));
    let mut links: Vec<_> = (1..)
        .zip(&parts)
        .map(|(serial, part)| ogg_flac(serial, RATE, std::slice::from_ref(part)))
        .collect();
    // The second one's identification says what nothing knows.
    links[1][28..32].fill(b'x');
    let clip = read(&links.concat());
    assert!(clip.channels() == [floats(&[&parts[2][..], &parts[3]].concat())]);

    // What breaks off in its last link ends there.
    links.remove(1);
    let mut bytes = links.concat();
    bytes.truncate(bytes.len() - links[2].len() / 2);
    let clip = read(&bytes);
    let whole = floats(&[&parts[0][..], &parts[2], &parts[3]].concat());
    assert!(clip.len() >= 18_500 && clip.channels()[0] == whole[..clip.len()]);
}

#[test]
fn a_chain_is_read_as_far_as_any_file() {
    let second = noise(1, RATE as usize);
    let links: Vec<_> = (0..MAX_READ_S as u32 + 9)
        .map(|n| ogg_flac(n, RATE, std::slice::from_ref(&second)))
        .collect();
    let clip = read(&links.concat());
    assert_eq!(clip.duration_s(), MAX_READ_S);
    let said_of = |count: usize| about(&links[..count].concat());
    assert_eq!(said_of(MAX_READ_S as usize), []);
    assert_eq!(said_of(MAX_READ_S as usize + 1), [Remark::Cut]);
}

/// A chord that fades in, in mono or stereo.
fn chord(channels: usize, frames: usize) -> Vec<f32> {
    let tone = |n: usize, hz: f32| {
        (std::f32::consts::TAU * hz * n as f32 / OPUS_RATE as f32).sin() * (n as f32 / 5e4).min(0.3)
    };
    let sides = [440.0, 700.0];
    (0..frames)
        .flat_map(|n| sides[..channels].iter().map(move |hz| tone(n, *hz)))
        .collect()
}

#[test]
fn opus_is_read_without_what_its_encoder_puts_before_it() {
    let frames = 60 * OPUS_PACKET_FRAMES;
    for channels in [1, 2] {
        let samples = chord(channels, frames);
        let skipped = 312;
        let whole = read(&ogg_opus(1, channels, &samples, 0));
        let clip = read(&ogg_opus(1, channels, &samples, skipped));
        assert_eq!(
            (clip.sample_rate(), clip.channel_count()),
            (OPUS_RATE, channels)
        );
        assert_eq!(
            (whole.len(), clip.len()),
            (frames, frames - usize::from(skipped))
        );
        for (channel, (whole, read)) in whole.channels().iter().zip(clip.channels()).enumerate() {
            assert!(whole[usize::from(skipped)..] == read[..]);
            // The encoder's delay in this mode is what is skipped.
            let original = samples[channel..].iter().step_by(channels);
            let errors = original.zip(read).map(|(x, y)| (x - y).powi(2));
            let error = errors.sum::<f32>() / read.len() as f32;
            let power = read.iter().map(|y| y * y).sum::<f32>() / read.len() as f32;
            assert!(
                error < 0.01 * power,
                "channel {channel}: {error} of {power}"
            );
        }
        let chain = [1, 2].map(|serial| ogg_opus(serial, channels, &samples, skipped));
        let chain = read(&chain.concat());
        assert!(chain.channels()[0] == [&clip.channels()[0][..], &clip.channels()[0]].concat());
    }
}

#[test]
fn packets_of_opus_that_are_damaged_are_told() {
    // Three frames, of which the sizes don't fit.
    let packets = vec![vec![(28 << 3) | 3, 3, 2, 1]; 100];
    let error = Clip::read_bytes(&ogg_opus_packets(1, 1, packets, 0), None).unwrap_err();
    assert!(matches!(error, ClipError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("Opus is damaged"), "{error}");
}

#[test]
fn edits_of_an_mp4_file_say_where_its_sound_begins_and_ends() {
    let (packet, rate) = (1_000, RATE);
    let samples = noise(5, 16_000);
    let whole = floats(&samples);
    let file = |movie_units, track: &[u8], movie: &[u8]| {
        mp4(&samples, rate, packet, movie_units, [track, movie])
    };
    let plain = read(&file(1_000, &[], &[]));
    assert!(plain.channels()[0] == whole);
    for (what, movie_units, list, expected) in [
        ("to the end", 1_000, vec![(0, 2_112)], 2_112..16_000),
        (
            "a delay before it",
            1_000,
            vec![(500, -1), (0, 1_024)],
            1_024..16_000,
        ),
        // Milliseconds, which are coarser than frames: the packet in which it ends is kept.
        ("coarse", 1_000, vec![(1_200, 1_500)], 1_500..12_000),
        ("exact", rate, vec![(9_601, 1_500)], 1_500..11_101),
        ("finer", 48_000, vec![(60_000, 0)], 0..10_000),
        ("longer than the sound", rate, vec![(99_999, 7)], 7..16_000),
        (
            "two stretches",
            rate,
            vec![(4_000, 3), (4_000, 9_000)],
            3..16_000,
        ),
    ] {
        let clip = read(&file(movie_units, &edits(&list), &[]));
        assert_eq!(clip.len(), expected.len(), "{what}");
        assert!(clip.channels()[0] == whole[expected], "{what}");
    }
    let tag = gapless_tag(2_112, 88, 13_800);
    let clip = read(&file(1_000, &[], &tag));
    assert!(clip.channels()[0] == whole[2_112..15_912]);
    // An edit list has the say; a tag of nonsense none.
    let clip = read(&file(1_000, &edits(&[(0, 5)]), &tag));
    assert!(clip.channels()[0] == whole[5..]);
    let clip = read(&file(1_000, &[], &gapless_tag(999_999, 0, 1)));
    assert!(clip.channels()[0] == whole);
}

/// A packet whose channels are no longer coupled (Vorbis I specification, section 4.3.5).
fn uncoupled(coupled: &Packet, steps: &[(u32, u32)]) -> Packet {
    let mut packet = coupled.clone();
    for (magnitude, angle) in steps.iter().rev() {
        let (magnitude, angle) = (*magnitude as usize, *angle as usize);
        for line in 0..vorbis::LINES {
            let (m, a) = (packet[magnitude].0[line], packet[angle].0[line]);
            let pair = match (m > 0, a > 0) {
                (true, true) => (m, m - a),
                (true, false) => (m + a, m),
                (false, true) => (m, m + a),
                (false, false) => (m - a, m),
            };
            (packet[magnitude].0[line], packet[angle].0[line]) = pair;
        }
    }
    packet
}

#[test]
fn channels_of_vorbis_that_are_coupled_one_with_several_are_told_apart() {
    let mut random = Random::new(0x51);
    let mut lines = || std::array::from_fn(|_| random.below(3) as i32 - 1);
    let packets: Vec<Packet> = (0..40)
        .map(|n| {
            // In some packets a channel or all are silent.
            let sounds = |channel: i32| n % 8 != 3 + channel && n != 17;
            (0..3).map(|channel| (lines(), sounds(channel))).collect()
        })
        .collect();
    for steps in [
        &[(0, 1), (0, 2)][..],
        &[(0, 2), (0, 1)],
        &[(1, 2), (0, 1)],
        &[(0, 1), (2, 0), (1, 2)],
        &[(2, 1)],
    ] {
        let plain: Vec<_> = packets
            .iter()
            .map(|packet| uncoupled(packet, steps))
            .collect();
        let expected = Clip::read_bytes(&ogg_vorbis(RATE, &[], &plain), None).unwrap();
        assert_eq!(expected.len(), 39 * vorbis::LINES);
        assert!(expected.peak() > 0.1);
        let bytes = ogg_vorbis(RATE, steps, &packets);
        assert!(
            Clip::read_bytes(&bytes, None).unwrap() == expected,
            "{steps:?}"
        );
    }
}

#[test]
fn a_header_of_vorbis_gets_no_more_memory_than_sound_needs() {
    let packets = vec![vec![([1; vorbis::LINES], true); 3]; 40];
    let with_book =
        |book| Clip::read_bytes(&ogg_vorbis_with_book(RATE, &[], Some(book), &packets), None);
    assert_eq!(with_book((1 << 12, 2)).unwrap().len(), 39 * vorbis::LINES);
    // A gigabyte, and many entries of two values each.
    for book in [(1 << 23, 31), (1 << 23, 2)] {
        let error = with_book(book).unwrap_err();
        assert!(matches!(error, ClipError::NotAudio { .. }), "{error}");
        assert!(error.to_string().contains("more than any sound"), "{error}");
    }
}
