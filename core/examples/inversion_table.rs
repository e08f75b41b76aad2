//! Spectral convergence of the inversion methods on a folder of recordings.
//!
//! `cargo run --release -p weft-core --example inversion_table -- FOLDER [SECONDS]`
//!
//! Reads every WAV file of the folder (all channels mixed to one, at the rate of the file), takes its
//! magnitudes at 512/64 and 512/128 and inverts them again.

use std::path::{Path, PathBuf};
use std::time::Instant;

use weft_core::inversion::{
    InversionSettings, StreamingInverter, TargetFrame, griffin_lim, spectral_convergence_db,
};
use weft_core::spectrum::Stft;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .ok_or("usage: inversion_table FOLDER [SECONDS]")?;
    let seconds: f64 = arguments.next().map_or(Ok(3.0), |s| s.parse())?;
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|path| {
        path.extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("wav"))
    });
    files.sort();
    let sounds = files
        .iter()
        .map(|path| read_mono(path, seconds))
        .collect::<Result<Vec<_>, _>>()?;
    if sounds.is_empty() {
        return Err("the folder holds no WAV files".into());
    }

    for hop_size in [64, 128] {
        let stft = Stft::new(512, hop_size)?;
        println!("512/{hop_size}, {} files of {seconds} s", sounds.len());
        let plain = InversionSettings::new(512, hop_size);
        let most = 512 / hop_size - 1;
        let streaming = [
            (
                "RTPGHI alone",
                InversionSettings {
                    iterations: 0,
                    ..plain.clone()
                },
            ),
            ("RTPGHI + look-ahead 3x1", plain.clone()),
            (
                "online FGLA, full window x 5",
                InversionSettings {
                    lookahead_frames: most,
                    iterations: 5,
                    momentum: 0.99,
                    ..plain.clone()
                },
            ),
        ];
        for (name, settings) in streaming {
            let mut spent = 0.0;
            let rows: Vec<f64> = sounds
                .iter()
                .map(|sound| {
                    let (signal, magnitudes) = padded(&stft, sound);
                    let begin = Instant::now();
                    let out = stream(&stft, &settings, &magnitudes, signal);
                    spent +=
                        begin.elapsed().as_secs_f64() / (magnitudes.len() / stft.bins()) as f64;
                    spectral_convergence_db(&stft, &magnitudes, &out)
                })
                .collect();
            print_row(name, &rows, Some(1e6 * spent / sounds.len() as f64));
        }
        if std::env::args().nth(3).is_some() {
            continue;
        }
        for (name, iterations, momentum) in [
            ("random phase", 0, 0.0),
            ("offline FGLA, 32 iterations", 32, 0.99),
        ] {
            let rows = sounds
                .iter()
                .map(|sound| {
                    let (_, magnitudes) = padded(&stft, sound);
                    let out = griffin_lim(&stft, &magnitudes, iterations, momentum, 1)?;
                    Ok(spectral_convergence_db(&stft, &magnitudes, &out))
                })
                .collect::<Result<Vec<f64>, weft_core::inversion::InversionError>>()?;
            print_row(name, &rows, None);
        }
    }
    Ok(())
}

fn print_row(name: &str, rows: &[f64], us_per_frame: Option<f64>) {
    let mean = rows.iter().sum::<f64>() / rows.len() as f64;
    print!("{name:30} {mean:6.2} dB ");
    if let Some(us) = us_per_frame {
        print!("{us:6.1} us/frame ");
    }
    print!(" |");
    for row in rows {
        print!(" {row:6.2}");
    }
    println!();
}

/// The sound between a frame of silence at either end, so that all of it is covered alike, and its
/// magnitudes; returns the padded length.
fn padded(stft: &Stft, sound: &[f32]) -> (usize, Vec<f32>) {
    let n = stft.fft_size();
    let length = (sound.len() + 2 * n).next_multiple_of(n);
    let mut signal = vec![0.0; length];
    signal[n..n + sound.len()].copy_from_slice(sound);
    (
        length,
        stft.analyse(&signal).iter().map(|z| z.norm()).collect(),
    )
}

fn stream(
    stft: &Stft,
    settings: &InversionSettings,
    magnitudes: &[f32],
    length: usize,
) -> Vec<f32> {
    let mut inverter =
        StreamingInverter::new(settings.clone()).expect("the settings above are valid");
    let hop = stft.hop_size();
    let mut out = Vec::with_capacity(length + settings.fft_size);
    let silence = vec![0.0; stft.bins()];
    let mut block = vec![0.0; hop];
    let frames = magnitudes.chunks_exact(stft.bins());
    let flush = std::iter::repeat_n(
        &silence[..],
        settings.fft_size / hop + inverter.latency_frames(),
    );
    for (index, mid) in frames.chain(flush).enumerate() {
        inverter.push_frame(
            TargetFrame {
                index: index as i64,
                mid,
                side_pan: None,
            },
            &mut block,
            &mut [],
        );
        if index >= inverter.latency_frames() {
            out.extend_from_slice(&block);
        }
    }
    out.truncate(length);
    out
}

fn read_mono(path: &Path, seconds: f64) -> Result<Vec<f32>, hound::Error> {
    let mut reader = hound::WavReader::open(path)?;
    let spec = reader.spec();
    let count = (seconds * f64::from(spec.sample_rate)) as usize * usize::from(spec.channels);
    let samples: Vec<f32> = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples().take(count).collect::<Result<_, _>>()?,
        hound::SampleFormat::Int => {
            let scale = 1.0 / (1i64 << (spec.bits_per_sample - 1)) as f32;
            reader
                .samples::<i32>()
                .take(count)
                .map(|s| s.map(|s| s as f32 * scale))
                .collect::<Result<_, _>>()?
        }
    };
    let channels = usize::from(spec.channels);
    Ok(samples
        .chunks_exact(channels)
        .map(|frame| frame.iter().sum::<f32>() / channels as f32)
        .collect())
}
