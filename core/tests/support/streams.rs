//! Containers of packets, built byte by byte: OGG with FLAC and Opus in it, and MP4.

use libflac_rs::{Encoder, EncoderConfig};
use ropus::{Application, Bitrate, Channels, Encoder as OpusEncoder};

/// Frames in a packet of FLAC, and of Opus (20 ms).
pub const FLAC_PACKET_FRAMES: usize = 4_096;
pub const OPUS_PACKET_FRAMES: usize = 960;
/// Sample rate of Opus, in Hz.
pub const OPUS_RATE: u32 = 48_000;
/// Bytes of the identification of a FLAC stream: four letters and the first block of metadata.
const FLAC_IDENTIFICATION_BYTES: usize = 42;

/// A page of one packet, with what its header says of the stream before it.
fn page(flags: u8, granule: u64, serial: u32, number: u32, packet: &[u8]) -> Vec<u8> {
    let mut lengths = vec![255; packet.len() / 255];
    lengths.push((packet.len() % 255) as u8);
    assert!(lengths.len() < 256, "a packet of more than one page");
    let mut page = [
        &b"OggS\0"[..],
        &[flags],
        &granule.to_le_bytes(),
        &serial.to_le_bytes(),
        &number.to_le_bytes(),
        &[0; 4],
        &[lengths.len() as u8],
        &lengths,
        packet,
    ]
    .concat();
    let sum = checksum(&page);
    page[22..26].copy_from_slice(&sum.to_le_bytes());
    page
}

/// Of a page whose own field for it is zero.
fn checksum(page: &[u8]) -> u32 {
    page.iter().fold(0_u32, |sum, byte| {
        (0..8).fold(sum ^ (u32::from(*byte) << 24), |sum, _| {
            (sum << 1) ^ if sum >> 31 == 1 { 0x04c1_1db7 } else { 0 }
        })
    })
}

/// Sets the checksums of all pages right, so that what was changed in them is decoded.
pub fn set_checksums(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some(offset) = bytes[at..].windows(4).position(|word| word == b"OggS") {
        at += offset;
        let Some(segments) = bytes.get(at + 26).map(|count| usize::from(*count)) else {
            return;
        };
        let lengths = bytes.get(at + 27..at + 27 + segments).unwrap_or_default();
        let body: usize = lengths.iter().map(|length| usize::from(*length)).sum();
        let Some(page) = bytes.get_mut(at..at + 27 + segments + body) else {
            return;
        };
        page[22..26].fill(0);
        let sum = checksum(page);
        page[22..26].copy_from_slice(&sum.to_le_bytes());
        at += 27 + segments + body;
    }
}

/// One stream: headers, and packets with the frames that have passed at their ends.
pub fn stream(serial: u32, headers: &[Vec<u8>], packets: &[(Vec<u8>, u64)]) -> Vec<u8> {
    let headers = headers.iter().map(|header| (header, 0));
    let packets = packets.iter().map(|(packet, granule)| (packet, *granule));
    let all: Vec<_> = headers.chain(packets).collect();
    let pages = all.iter().enumerate().map(|(number, (packet, granule))| {
        let first = u8::from(number == 0) * 2;
        let last = u8::from(number + 1 == all.len()) * 4;
        page(first | last, *granule, serial, number as u32, packet)
    });
    pages.collect::<Vec<_>>().concat()
}

/// 16-bit samples, one vector for each channel, as FLAC: the identification and packets of so many frames.
fn flac(rate: u32, channels: &[Vec<i16>], packet_frames: usize) -> (Vec<u8>, Vec<Vec<u8>>) {
    let encoded = |frames: std::ops::Range<usize>| {
        let words = frames.flat_map(|n| channels.iter().map(move |c| i32::from(c[n])));
        let config = EncoderConfig::new(channels.len() as u32, 16, rate);
        Encoder::new(config).encode(&words.collect::<Vec<_>>())
    };
    let len = channels[0].len();
    let (mut identification, mut packets) = (Vec::new(), Vec::new());
    for begin in (0..len).step_by(packet_frames) {
        // A stream of one block: what follows its metadata is a packet.
        let whole = encoded(begin..len.min(begin + packet_frames));
        let mut at = 4;
        loop {
            let head = &whole[at..at + 4];
            let size =
                usize::from(head[1]) << 16 | usize::from(head[2]) << 8 | usize::from(head[3]);
            at += 4 + size;
            if head[0] & 0x80 != 0 {
                break;
            }
        }
        identification = whole[..FLAC_IDENTIFICATION_BYTES].to_vec();
        packets.push(whole[at..].to_vec());
    }
    (identification, packets)
}

/// 16-bit samples, one vector for each channel, as FLAC in OGG.
pub fn ogg_flac(serial: u32, rate: u32, channels: &[Vec<i16>]) -> Vec<u8> {
    let len = channels[0].len();
    let (mut identification, packets) = flac(rate, channels, FLAC_PACKET_FRAMES);
    let ends = (1..).map(|number| len.min(number * FLAC_PACKET_FRAMES) as u64);
    let packets: Vec<_> = packets.into_iter().zip(ends).collect();
    // Neither sizes nor a sum of all are known, and another block follows.
    identification[4] &= 0x7f;
    identification[8..18].copy_from_slice(&[16, 0, 16, 0, 0, 0, 0, 0, 0, 0]);
    identification[21] &= 0xf0;
    identification[22..].fill(0);
    let first = [&b"\x7fFLAC\x01\0\0\x01"[..], &identification].concat();
    let comment = [&[0x84, 0, 0, 8][..], &[0; 8]].concat();
    stream(serial, &[first, comment], &packets)
}

/// Sound as Opus in OGG; `pre_skip` frames before it are left out by who reads it. The samples are interleaved.
pub fn ogg_opus(serial: u32, channels: usize, samples: &[f32], pre_skip: u16) -> Vec<u8> {
    let layout = [Channels::Mono, Channels::Stereo][channels - 1];
    let mut encoder = OpusEncoder::builder(OPUS_RATE, layout, Application::Audio)
        .bitrate(Bitrate::try_bits(128_000).unwrap())
        .build()
        .unwrap();
    let blocks = samples.chunks_exact(OPUS_PACKET_FRAMES * channels);
    let packets = blocks.map(|block| {
        let mut packet = vec![0; 4_000];
        let size = encoder.encode_float(block, &mut packet).unwrap();
        packet.truncate(size);
        packet
    });
    ogg_opus_packets(serial, channels, packets.collect(), pre_skip)
}

/// Packets of 20 ms as a stream of Opus in OGG.
pub fn ogg_opus_packets(
    serial: u32,
    channels: usize,
    packets: Vec<Vec<u8>>,
    pre_skip: u16,
) -> Vec<u8> {
    let packets = packets.into_iter().enumerate();
    let packets: Vec<_> = packets
        .map(|(number, packet)| (packet, ((number + 1) * OPUS_PACKET_FRAMES) as u64))
        .collect();
    let head = [
        &b"OpusHead\x01"[..],
        &[channels as u8],
        &pre_skip.to_le_bytes(),
        &OPUS_RATE.to_le_bytes(),
        &[0; 3],
    ]
    .concat();
    let tags = [&b"OpusTags"[..], &[0; 8]].concat();
    stream(serial, &[head, tags], &packets)
}

/// An atom of an MP4 file.
pub fn atom(name: &[u8; 4], contents: &[&[u8]]) -> Vec<u8> {
    let contents = contents.concat();
    let size = (contents.len() as u32 + 8).to_be_bytes();
    [&size[..], name, &contents].concat()
}

/// An edit list of entries: durations in units of the movie, and where they begin in units of the media.
pub fn edits(entries: &[(u32, i32)]) -> Vec<u8> {
    let count = (entries.len() as u32).to_be_bytes();
    let entries = entries.iter().flat_map(|(duration, begin)| {
        [
            duration.to_be_bytes(),
            begin.to_be_bytes(),
            0x1_0000_u32.to_be_bytes(),
        ]
        .concat()
    });
    let list = atom(b"elst", &[&[0; 4], &count, &entries.collect::<Vec<_>>()]);
    atom(b"edts", &[&list])
}

/// Apple's tag of the frames before, behind and in the sound.
pub fn gapless_tag(before: u32, behind: u32, frames: u64) -> Vec<u8> {
    let text = format!(" 00000000 {before:08X} {behind:08X} {frames:016X} 00000000");
    let tag = [
        atom(b"mean", &[&[0; 4], b"com.apple.iTunes"]),
        atom(b"name", &[&[0; 4], b"iTunSMPB"]),
        atom(b"data", &[&[0, 0, 0, 1, 0, 0, 0, 0], text.as_bytes()]),
    ];
    let list = atom(b"ilst", &[&atom(b"----", &[&tag.concat()])]);
    atom(b"udta", &[&atom(b"meta", &[&[0; 4], &list])])
}

/// An MP4 file of 16-bit mono as FLAC in packets of `packet_frames`, with atoms for its track and its movie, and times of
/// the movie in `movie_units` a second.
pub fn mp4(
    samples: &[i16],
    rate: u32,
    packet_frames: u32,
    movie_units: u32,
    more: [&[u8]; 2],
) -> Vec<u8> {
    let (mut identification, packets) = flac(rate, &[samples.to_vec()], packet_frames as usize);
    // Sizes are not known, and no other block follows.
    identification[4] |= 0x80;
    identification[8..18].copy_from_slice(&[16, 0, 16, 0, 0, 0, 0, 0, 0, 0]);
    identification[21] &= 0xf0;
    identification[22..].fill(0);
    let sizes: Vec<u32> = packets.iter().map(|packet| packet.len() as u32).collect();
    let (data, count) = (packets.concat(), packets.len() as u32);
    let words = |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|w| w.to_be_bytes()).collect() };
    let entry = [
        &[0; 6][..],
        &[0, 1],
        &[0; 8],
        &[0, 1, 0, 16, 0, 0, 0, 0],
        &(rate << 16).to_be_bytes(),
        &atom(b"dfLa", &[&[0; 4], &identification[4..]]),
    ];
    let entry = atom(b"fLaC", &entry);
    let file_type = atom(b"ftyp", &[b"qt  \0\0\0\0qt  "]);
    let movie = |offset: u32| {
        let table = [
            atom(b"stsd", &[&words(&[0, 1]), &entry]),
            atom(b"stts", &[&words(&[0, 1, count, packet_frames])]),
            atom(b"stsc", &[&words(&[0, 1, 1, count, 1])]),
            atom(b"stsz", &[&words(&[0, 0, count]), &words(&sizes)]),
            atom(b"stco", &[&words(&[0, 1, offset])]),
        ];
        let information = [atom(b"smhd", &[&[0; 8]]), atom(b"stbl", &[&table.concat()])];
        let media = [
            atom(
                b"mdhd",
                &[&words(&[0, 0, 0, rate, count * packet_frames, 0])],
            ),
            atom(b"hdlr", &[&words(&[0, 0]), b"soun", &[0; 13]]),
            atom(b"minf", &[&information.concat()]),
        ];
        let mut head = words(&[0, 0, 0, 1, 0, 0]);
        head.resize(84, 0);
        let track = [
            atom(b"tkhd", &[&head]),
            more[0].to_vec(),
            atom(b"mdia", &[&media.concat()]),
        ];
        let mut head = words(&[0, 0, 0, movie_units, 0, 0x1_0000]);
        head.resize(100, 0);
        let movie = [
            atom(b"mvhd", &[&head]),
            atom(b"trak", &[&track.concat()]),
            more[1].to_vec(),
        ];
        atom(b"moov", &[&movie.concat()])
    };
    let offset = file_type.len() + movie(0).len() + 8;
    [file_type, movie(offset as u32), atom(b"mdat", &[&data])].concat()
}
