//! MOV files with sound, and other bytes between its parts, built byte by byte.

use super::containers::RATE;
use super::streams::atom;

/// Bytes that stand for pictures, between the chunks of sound.
const PICTURE: [u8; 37] = [0xa5; 37];

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// A description of sound in version 0 or 1, with more atoms in it.
pub fn description(
    letters: &[u8; 4],
    version: u8,
    channels: u16,
    bits: u16,
    more: &[u8],
) -> Vec<u8> {
    let longer = if version == 1 { 16 } else { 0 };
    let numbers = [channels.to_be_bytes(), bits.to_be_bytes()].concat();
    let rate = (RATE << 16).to_be_bytes();
    atom(
        letters,
        &[
            &[0, 0, 0, 0, 0, 0, 0, 1, 0, version],
            &[0; 6],
            &numbers,
            &[0; 4],
            &rate,
            &vec![0; longer],
            more,
        ],
    )
}

/// Plain samples in a description of version 2.
pub fn description_2(channels: u32, bits: u32, flags: u32) -> Vec<u8> {
    let rest = [channels, 0x7f00_0000, bits, flags, channels * bits / 8, 1];
    atom(
        b"lpcm",
        &[
            &[0, 0, 0, 0, 0, 0, 0, 1, 0, 2],
            &[0; 6],
            &[0, 3, 0, 16, 0xff, 0xfe, 0, 0, 0, 1, 0, 0],
            &72_u32.to_be_bytes(),
            &f64::from(RATE).to_be_bytes(),
            &words(&rest),
        ],
    )
}

/// Sizes as a table has them.
pub enum Sizes {
    All(u32),
    Each(Vec<u32>),
}

/// A file of chunks: the samples in each, as its tables count them, and its bytes.
pub fn mov(description: &[u8], sizes: &Sizes, chunks: &[(u32, Vec<u8>)], edits: &[u8]) -> Vec<u8> {
    let count = chunks.iter().map(|(samples, _)| samples).sum();
    let sizes = match sizes {
        Sizes::All(size) => words(&[0, *size, count]),
        Sizes::Each(sizes) => [words(&[0, 0, count]), words(sizes)].concat(),
    };
    let runs = (1..)
        .zip(chunks)
        .flat_map(|(first, (samples, _))| [first, *samples, 1]);
    let runs: Vec<u32> = runs.collect();
    let file_type = atom(b"ftyp", &[b"qt  \0\0\0\0qt  "]);
    let movie = |begin: u32| {
        let offsets = chunks.iter().scan(begin, |at, (_, bytes)| {
            let offset = *at + PICTURE.len() as u32;
            *at = offset + bytes.len() as u32;
            Some(offset)
        });
        let number = chunks.len() as u32;
        let table = [
            atom(b"stsd", &[&words(&[0, 1]), description]),
            atom(b"stts", &[&words(&[0, 1, count, 1])]),
            atom(b"stsc", &[&words(&[0, number]), &words(&runs)]),
            atom(b"stsz", &[&sizes]),
            atom(
                b"stco",
                &[&words(&[0, number]), &words(&offsets.collect::<Vec<_>>())],
            ),
        ];
        let information = [atom(b"smhd", &[&[0; 8]]), atom(b"stbl", &[&table.concat()])];
        let media = [
            atom(b"mdhd", &[&words(&[0, 0, 0, RATE, count, 0])]),
            atom(b"hdlr", &[&words(&[0, 0]), b"soun", &[0; 13]]),
            atom(b"minf", &[&information.concat()]),
        ];
        let mut head = words(&[0, 0, 0, 1, 0, 0]);
        head.resize(84, 0);
        let track = [
            atom(b"tkhd", &[&head]),
            edits.to_vec(),
            atom(b"mdia", &[&media.concat()]),
        ];
        // A track of pictures comes first.
        let pictures = atom(
            b"mdia",
            &[&atom(b"hdlr", &[&words(&[0, 0]), b"vide", &[0; 13]])],
        );
        let mut movie_head = words(&[0, 0, 0, 600, 0, 0x1_0000]);
        movie_head.resize(100, 0);
        atom(
            b"moov",
            &[
                &atom(b"mvhd", &[&movie_head]),
                &atom(b"trak", &[&atom(b"tkhd", &[&head]), &pictures]),
                &atom(b"trak", &[&track.concat()]),
            ],
        )
    };
    let begin = file_type.len() + movie(0).len() + 8;
    let data = chunks
        .iter()
        .flat_map(|(_, bytes)| [&PICTURE[..], bytes].concat());
    let data: Vec<u8> = data.collect();
    [file_type, movie(begin as u32), atom(b"mdat", &[&data])].concat()
}

/// Samples of `bytes` for `unit` frames each, in chunks of different lengths that hold whole units; the tables count
/// frames, or units if `counts_units`.
pub fn chunks(data: &[u8], bytes: usize, unit: u32, counts_units: bool) -> Vec<(u32, Vec<u8>)> {
    let (mut rest, mut chunks) = (data, Vec::new());
    for units in [1, 50, 7].into_iter().cycle() {
        let (chunk, after) = rest.split_at(rest.len().min(units * bytes));
        let held = (chunk.len() / bytes) as u32;
        chunks.push((
            if counts_units { held } else { held * unit },
            chunk.to_vec(),
        ));
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    chunks
}

/// 16-bit mono in packets of ALAC that are not compressed: the configuration and the packets.
pub fn alac(samples: &[i16], packet_frames: usize) -> (Vec<u8>, Vec<Vec<u8>>) {
    let numbers = [255, 0, 0, RATE];
    let configuration = [
        &(packet_frames as u32).to_be_bytes()[..],
        &[0, 16, 40, 10, 14, 1],
        &words(&numbers)[2..],
    ]
    .concat();
    let packet = |samples: &[i16]| {
        let mut bits = Vec::new();
        let mut put = |number: u32, count: u32| {
            bits.extend((0..count).rev().map(|bit| number >> bit & 1 == 1))
        };
        let is_short = samples.len() < packet_frames;
        // One channel, whether its length is given, nothing shifted, not compressed.
        for (number, count) in [
            (0, 3),
            (0, 4),
            (0, 12),
            (u32::from(is_short), 1),
            (0, 2),
            (1, 1),
        ] {
            put(number, count);
        }
        put(samples.len() as u32, if is_short { 32 } else { 0 });
        for sample in samples {
            put(u32::from(*sample as u16), 16);
        }
        put(7, 3);
        let bytes = bits.chunks(8).map(|bits| {
            let byte = bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
            byte << (8 - bits.len())
        });
        bytes.collect()
    };
    (
        configuration,
        samples.chunks(packet_frames).map(packet).collect(),
    )
}

/// A MOV file of packets of ALAC, some to a chunk; the configuration stands deep in it, as Apple's programs have it.
pub fn alac_mov(samples: &[i16]) -> Vec<u8> {
    let (configuration, packets) = alac(samples, 512);
    let inner = atom(b"alac", &[&[0; 4], &configuration]);
    let wave = atom(
        b"wave",
        &[
            &atom(b"frma", &[b"alac"]),
            &inner,
            &[0, 0, 0, 8, 0, 0, 0, 0],
        ],
    );
    let description = description(b"alac", 1, 1, 16, &wave);
    let sizes = packets.iter().map(|packet| packet.len() as u32).collect();
    let chunks = packets
        .chunks(3)
        .map(|some| (some.len() as u32, some.concat()));
    mov(
        &description,
        &Sizes::Each(sizes),
        &chunks.collect::<Vec<_>>(),
        &[],
    )
}
