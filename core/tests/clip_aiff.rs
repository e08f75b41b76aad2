//! AIFF and AIFF-C files as programs really write them: whatever their headers say, the sound that is there is
//! read, to the sample.

mod support;

use support::containers::{aiff_chunk, aiff_chunk_of_size, common, form, sound};
use support::samples::{FRAMES, assert_read, big, expected, little, noise};

#[test]
fn aiff_headers_that_do_not_fit() {
    let samples = noise(2);
    let (data, clip) = (big(&samples), expected(&samples, 2));
    let frames = FRAMES as u32;
    let plain = common(2, frames, 16, &[]);
    let body = sound(0, 0, &data);
    let ssnd = aiff_chunk(b"SSND", &body);
    for size in [0, 4, u32::MAX, 100, body.len() as u32] {
        let mut bytes = form(b"AIFF", &[plain.clone(), ssnd.clone()]);
        bytes[4..8].copy_from_slice(&size.to_be_bytes());
        assert_read(&format!("FORM of {size}"), &bytes, &clip);
    }
    let right = body.len() as u32;
    for size in [0, u32::MAX, 0x7fff_fff8, right + 8, right - 8, right + 44] {
        let ssnd = aiff_chunk_of_size(b"SSND", &body, size);
        let bytes = form(b"AIFF", &[plain.clone(), ssnd]);
        assert_read(&format!("SSND of {size}"), &bytes, &clip);
    }
    for frames in [0, 1, frames + 99, u32::MAX] {
        let chunks = [common(2, frames, 16, &[]), ssnd.clone()];
        assert_read("frames", &form(b"AIFF", &chunks), &clip);
    }
    for (offset, block) in [(0, 512), (0, 4), (8, 0), (500, 512), (2, u32::MAX)] {
        let ssnd = aiff_chunk(b"SSND", &sound(offset, block, &data));
        let bytes = form(b"AIFF", &[plain.clone(), ssnd]);
        assert_read(&format!("offset {offset}, block {block}"), &bytes, &clip);
    }
    let marks = [
        aiff_chunk(b"MARK", &9_u16.to_be_bytes()),
        aiff_chunk(b"MARK", &[]),
        aiff_chunk(b"COMT", &[0xff; 3]),
        aiff_chunk(b"ANNO", b"odd"),
        b"NAME\0\0\0\x03odd".to_vec(),
        aiff_chunk_of_size(b"ANNO", b"text", 90_000),
        aiff_chunk(b"ID3 ", b"ID3\xff\xff"),
        aiff_chunk(b"APPL", b"pdos"),
    ];
    for mark in marks {
        for chunks in [
            [plain.clone(), mark.clone(), ssnd.clone()],
            [ssnd.clone(), mark.clone(), plain.clone()],
            [plain.clone(), ssnd.clone(), mark],
        ] {
            assert_read("description", &form(b"AIFF", &chunks), &clip);
        }
    }
}

#[test]
fn encodings_of_aiff_c() {
    let samples = noise(1);
    let clip = expected(&samples, 1);
    let wide = |shift: u32, bytes: usize, is_big: bool| -> Vec<u8> {
        let samples = samples.iter().map(|x| i32::from(*x) << shift);
        let bytes_of = |x: i32| {
            let mut sample = x.to_le_bytes()[..bytes].to_vec();
            if is_big {
                sample.reverse();
            }
            sample
        };
        samples.flat_map(bytes_of).collect()
    };
    let floats = samples.iter().map(|x| f32::from(*x) / 32_768.0);
    let float_32 = floats.clone().flat_map(f32::to_be_bytes).collect();
    let float_64 = floats.flat_map(|x| f64::from(x).to_be_bytes()).collect();
    let cases: [(&[u8; 4], u16, Vec<u8>); 15] = [
        (b"NONE", 16, big(&samples)),
        (b"none", 16, big(&samples)),
        (b"twos", 16, big(&samples)),
        (b"sowt", 16, little(&samples)),
        (b"NONE", 24, wide(8, 3, true)),
        (b"twos", 24, wide(8, 3, true)),
        (b"sowt", 24, wide(8, 3, false)),
        (b"sowt", 32, wide(16, 4, false)),
        (b"in24", 24, wide(8, 3, true)),
        (b"in24", 16, wide(8, 3, true)),
        (b"in32", 32, wide(16, 4, true)),
        (b"42ni", 24, wide(8, 3, false)),
        (b"23ni", 32, wide(16, 4, false)),
        (b"fl32", 32, float_32),
        (b"FL64", 64, float_64),
    ];
    for (letters, bits, data) in cases {
        let chunks = [
            aiff_chunk(b"FVER", &[0; 4]),
            common(1, FRAMES as u32, bits, letters),
            aiff_chunk(b"SSND", &sound(0, 0, &data)),
        ];
        let what = format!("{} of {bits} bits", letters.escape_ascii());
        assert_read(&what, &form(b"AIFC", &chunks), &clip);
    }
}
