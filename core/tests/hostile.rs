//! Files and states as nobody would write them: whatever comes in, nothing panics, memory stays bounded, and
//! what is taken can be played.
//!
//! `WEFT_FUZZ_S=600 cargo test --release -p weft-core --test hostile -- --nocapture --test-threads 1` gives
//! each kind ten minutes instead of seconds; `WEFT_FUZZ_FILES` names a folder of sound files to begin with
//! besides our own, and `WEFT_FUZZ_SLOWEST` a file for the bytes that took longest.

mod support;

use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use weft_core::clip::{Clip, SampleFormat};
use weft_core::instrument::{Bank, Slot};
use weft_core::network::Model;
use weft_core::procedural::{Texture, synthesize};
use weft_core::render::Renderer;

use support::allocator::{peak_bytes, watch_peak};
use support::blocks::{any_gsm_frames, gsm_files, sample_dump};
use support::containers::{aiff_chunk, common, form, format, rf64, sound, wave64};
use support::models::{fitted, rendered};
use support::movies::{Sizes, alac_mov, chunks, description, mov};
use support::mutations::mutate;
use support::plain::{au, caf, sphere, voc};
use support::random::Random;
use support::sound_files::{aiff_bytes, flac_bytes, wav_bytes};
use support::streams::{edits, gapless_tag, mp4, ogg_flac, ogg_opus, set_checksums};
use support::vorbis::{LINES, ogg_vorbis};

/// Seconds for each kind, unless told otherwise.
const SECONDS: f64 = 3.0;
/// Bytes that may be in use at once beyond what there was. A minute of stereo at 192 kHz, decoded twice over,
/// takes 180 MB.
const MOST_BYTES: usize = 400 << 20;
/// One in so many that were taken is played.
const PLAYED: usize = 8;

/// One kind at a time, or their memory would be counted together.
static TURN: Mutex<()> = Mutex::new(());

/// Gives `take` changed versions of `corpus` until time is up; it says whether it took one.
fn hostile(kind: &str, corpus: &[Vec<u8>], mut take: impl FnMut(&[u8], &mut Random) -> bool) {
    let seconds = std::env::var("WEFT_FUZZ_S").ok();
    let seconds = seconds.and_then(|s| s.parse().ok()).unwrap_or(SECONDS);
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    for whole in corpus {
        assert!(
            take(whole, &mut Random::new(1)),
            "{kind}: the corpus is refused"
        );
    }
    let before = watch_peak();
    let mut random = Random::new(0x5eed);
    let (mut tried, mut taken, mut longest) = (0usize, 0usize, Duration::ZERO);
    let begin = Instant::now();
    while begin.elapsed().as_secs_f64() < seconds {
        let mut bytes = corpus[random.below(corpus.len())].clone();
        for _ in 0..1 + random.below(4) {
            mutate(&mut bytes, corpus, &mut random);
        }
        let start = Instant::now();
        taken += usize::from(take(&bytes, &mut random));
        if start.elapsed() > longest {
            longest = start.elapsed();
            keep_slowest(&bytes);
        }
        tried += 1;
    }
    let most = peak_bytes() - before;
    println!(
        "{kind}: {tried} tried in {seconds} s, {taken} taken, {} MB at most, longest {:.0} ms",
        most >> 20,
        1e3 * longest.as_secs_f64()
    );
    assert!(most < MOST_BYTES, "{kind}: {most} bytes in use");
}

/// Writes the bytes that took longest so far, if a file was named for them.
fn keep_slowest(bytes: &[u8]) {
    if let Some(path) = std::env::var_os("WEFT_FUZZ_SLOWEST") {
        std::fs::write(path, bytes).unwrap();
    }
}

fn textures() -> &'static [Model; 2] {
    static MODELS: OnceLock<[Model; 2]> = OnceLock::new();
    MODELS.get_or_init(|| {
        [(Texture::Rain, 2), (Texture::Clock, 1)].map(|(texture, channels)| {
            let channels = synthesize(texture, 1, 8_000, 1.5).into_channels()[..channels].to_vec();
            fitted(&Clip::new(8_000, channels).unwrap(), 4).named("hostile")
        })
    })
}

/// Plays a little of it, if it is its turn.
fn play(model: &Model, random: &mut Random) {
    if random.below(PLAYED) > 0 {
        return;
    }
    let mut renderer = Renderer::new(model, 1).expect("what is taken can be played");
    let out = rendered(&mut renderer, 2_048);
    assert!(out.iter().flatten().all(|x| x.is_finite()));
}

#[test]
fn textures_of_any_bytes() {
    let [stereo, mono] = textures();
    let corpus = [
        stereo.to_bytes(),
        mono.to_bytes(),
        mono.without_capture().to_bytes(),
    ];
    hostile(
        "textures",
        &corpus,
        |bytes, random| match Model::from_bytes(bytes) {
            Ok(model) => {
                play(&model, random);
                true
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                false
            }
        },
    );
}

#[test]
fn banks_of_any_bytes() {
    let [stereo, mono] = textures();
    let one = Bank::with_texture(Slot::B, stereo.clone());
    let other = Bank::with_texture(Slot::A, mono.clone());
    let corpus = [one.to_bytes(), other.to_bytes(), mono.to_bytes()];
    hostile("banks", &corpus, |bytes, random| {
        let Ok(bank) = Bank::from_bytes(bytes) else {
            return false;
        };
        for slot in Slot::ALL {
            if let Some(model) = bank.texture(slot) {
                play(model, random);
            }
        }
        let again = Bank::from_bytes(&bank.to_bytes());
        assert!(again.is_ok(), "what was read can't be read back");
        true
    });
}

/// The containers whose headers are read before a decoder sees them, beside WAV and AIFF.
fn more_containers(samples: &[u8]) -> Vec<Vec<u8>> {
    let words: Vec<i16> = samples.iter().map(|x| i16::from(*x) << 7).collect();
    let size = samples.len() as i64 + 4;
    let head = [&8_000_u32.to_le_bytes()[..], &[16, 1, 4, 0, 0, 0, 0, 0]].concat();
    let rest = samples[8_000..].to_vec();
    let tone: Vec<f32> = (0..57_600).map(|n| (n as f32 / 20.0).sin() / 2.0).collect();
    let tag = gapless_tag(100, 50, 15_000);
    vec![
        au(3, 1, false, samples.len() as u32, b"note", samples),
        au(26, 1, false, u32::MAX, b"", samples),
        caf(b"lpcm", 2, [2, 1, 1, 16], size, &[], samples),
        caf(b"ima4", 0, [34, 64, 1, 0], size, &[], samples),
        voc(&[(9, [&head[..], &samples[..8_000]].concat()), (2, rest)]),
        sphere("pcm", 1, 2, "01", samples),
        [b"PVF1\n1 8000 16\n", samples].concat(),
        sample_dump(&[0x1234_5678; 9_000], 16, 9_000, &[]),
        [1, 2]
            .map(|link| ogg_flac(link, 8_000, std::slice::from_ref(&words)))
            .concat(),
        [1, 2].map(|link| ogg_opus(link, 1, &tone, 312)).concat(),
        ogg_opus(1, 2, &tone, 0),
        ogg_vorbis(
            8_000,
            &[(0, 1), (0, 2)],
            &vec![vec![([1; LINES], true); 3]; 40],
        ),
        mov(
            &description(b"in24", 1, 1, 16, &[]),
            &Sizes::All(3),
            &chunks(&samples[..15_999], 3, 1, true),
            &edits(&[(300, 50)]),
        ),
        alac_mov(&words),
        mp4(&words, 8_000, 1_000, 600, [&edits(&[(900, 200)]), &tag]),
    ]
}

#[test]
fn sound_files_of_any_bytes() {
    let clip = synthesize(Texture::Rain, 1, 16_000, 1.2);
    let mut corpus = vec![
        wav_bytes(&clip, SampleFormat::Float32),
        wav_bytes(&clip, SampleFormat::Int24),
        flac_bytes(&clip),
        aiff_bytes(&clip),
    ];
    let samples = vec![0x15; 16_000];
    let pcm = format(1, 1, 16, &[]);
    corpus.extend([
        rf64(b"RF64", &pcm, &samples, 16_000),
        wave64(&pcm, &samples, 16_000),
        form(
            b"AIFC",
            &[
                aiff_chunk(b"MARK", &[0; 2]),
                common(1, 8_000, 16, b"sowt"),
                aiff_chunk(b"SSND", &sound(0, 0, &samples)),
            ],
        ),
    ]);
    corpus.extend(more_containers(&samples));
    let in_gsm = gsm_files(&any_gsm_frames(60)).into_iter();
    corpus.extend(in_gsm.map(|(_, bytes)| bytes));
    // Recordings in formats that nothing here can write.
    if let Ok(folder) = std::env::var("WEFT_FUZZ_FILES") {
        let files = std::fs::read_dir(folder).unwrap().flatten();
        corpus.extend(files.map(|file| std::fs::read(file.path()).unwrap()));
    }
    hostile("sound files", &corpus, |bytes, random| {
        let hints = [
            None,
            Some("wav"),
            Some("ogg"),
            Some("mp3"),
            Some("m4a"),
            Some("caf"),
        ];
        let hint = hints[random.below(hints.len())];
        // A page that is damaged is not decoded, unless its checksum says that it is not.
        let mut bytes = bytes.to_vec();
        if random.below(4) > 0 {
            set_checksums(&mut bytes);
        }
        let bytes = &bytes[..];
        match Clip::read_bytes(bytes, hint) {
            Ok(clip) => {
                // Must not panic either.
                let _ = clip.check_texture();
                clip.remarks();
                true
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                false
            }
        }
    });
}
