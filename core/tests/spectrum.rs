//! Transforms, bands, the front end and periods through their public doors.

mod support;

use weft_core::clip::Clip;
use weft_core::procedural::Texture;
use weft_core::spectrum::{Bands, FrameSpectrum, FrontEnd, SpectrumError, Stft, fft_size_for};
use weft_core::texture::find_periods;

use support::clips::{RATE, texture};

#[test]
fn overlap_add_reconstructs_the_signal() {
    let clip = texture(Texture::Fire, 1, 2.0);
    let signal = &clip.channels()[0];
    for (fft_size, hop_size) in [(2048, 512), (2048, 256), (512, 64), (256, 64), (8192, 2048)] {
        let stft = Stft::new(fft_size, hop_size).unwrap();
        let back = stft.synthesise(&stft.analyse(signal));
        // The window vanishes at the very first and last samples.
        let inner = fft_size / 16..back.len() - fft_size / 16;
        let error = |i: usize| (back[i] - signal[i]).abs();
        let worst = inner.map(error).fold(0.0f32, f32::max);
        println!("{fft_size}/{hop_size}: largest error {worst:.1e}");
        assert!(worst < 2e-6, "{fft_size}/{hop_size}: {worst}");
    }
}

#[test]
fn sizes_that_do_not_add_up_are_refused() {
    for (fft_size, hop_size) in [(2048, 1024), (2048, 0), (2048, 500), (8, 2), (63, 9)] {
        let error = Stft::new(fft_size, hop_size).unwrap_err();
        assert_eq!(error, SpectrumError::FrameSizes { fft_size, hop_size });
        assert!(error.to_string().contains(&fft_size.to_string()));
    }
}

#[test]
fn bands_keep_what_is_smooth() {
    for rate in [8_000.0, 16_000.0, 44_100.0, 48_000.0, 96_000.0, 192_000.0] {
        let fft_size = fft_size_for(rate);
        let bands = Bands::new(rate, fft_size);
        assert_eq!(bands.bins(), fft_size / 2 + 1);
        assert!(bands.edges().is_sorted() && bands.direct() < bands.count());
        let ramp: Vec<f32> = (0..bands.bins()).map(|k| k as f32).collect();
        let (mut banded, mut back) = (vec![0.0; bands.count()], vec![0.0; bands.bins()]);
        bands.pool_into(&ramp, &mut banded);
        bands.spread_into(&banded, &mut back);
        // A straight line survives, but for the outer half of the highest band.
        let last = bands.edges()[bands.count() - 1];
        for k in 0..last {
            assert!(
                (back[k] - ramp[k]).abs() < 1e-2,
                "bin {k} at {rate} Hz: {}",
                back[k]
            );
        }
    }
    assert_eq!(Bands::new(44_100.0, 2048).count(), 168);
}

#[test]
fn features_return_as_magnitudes_of_the_capture_s_level() {
    let clip = texture(Texture::Rain, 1, 4.0);
    let (front_end, features) = FrontEnd::analyse(&clip).unwrap();
    assert!(front_end.is_stereo());
    let bins = front_end.stft().bins();
    let mid: Vec<f32> = {
        let [left, right] = clip.channels() else {
            panic!("rain is stereo")
        };
        left.iter().zip(right).map(|(l, r)| 0.5 * (l + r)).collect()
    };
    let energy_of_mid: f64 = front_end
        .stft()
        .analyse(&mid)
        .iter()
        .map(|z| f64::from(z.norm_sqr()))
        .sum();
    let mut scratch = front_end.make_expand_scratch();
    let mut frame = FrameSpectrum::silent(bins);
    let mut energy = 0.0;
    for t in 0..features.frames() {
        front_end.expand(features.frame(t), 1, t as i64, &mut scratch, &mut frame);
        assert!(frame.pan.iter().all(|p| p.abs() <= 1.0));
        energy += frame
            .mid
            .iter()
            .map(|&x| f64::from(x) * f64::from(x))
            .sum::<f64>();
    }
    let ratio_db = 10.0 * (energy / energy_of_mid).log10();
    assert!(ratio_db.abs() < 1.0, "{ratio_db} dB off");
}

#[test]
fn fine_structure_is_addressed_by_frame() {
    let clip = texture(Texture::Wind, 1, 2.0);
    let (front_end, features) = FrontEnd::analyse(&clip).unwrap();
    let expand = |indices: &[i64]| {
        let mut scratch = front_end.make_expand_scratch();
        let mut frame = FrameSpectrum::silent(front_end.stft().bins());
        for &index in indices {
            front_end.expand(features.frame(3), 9, index, &mut scratch, &mut frame);
        }
        frame.mid
    };
    assert!(expand(&[40, 41, 42]) == expand(&[42]));
    assert!(expand(&[42]) != expand(&[43]));
}

#[test]
fn equal_channels_are_mono_and_short_captures_are_refused() {
    let noise = texture(Texture::Rain, 1, 2.0).channels()[0].clone();
    let twice = Clip::new(RATE, vec![noise.clone(), noise.clone()]).unwrap();
    let (front_end, _) = FrontEnd::analyse(&twice).unwrap();
    assert!(!front_end.is_stereo());
    assert_eq!(front_end.output_channels(), 2);
    let short = Clip::new(RATE, vec![noise[..3_000].to_vec()]).unwrap();
    let error = FrontEnd::analyse(&short).unwrap_err().to_string();
    assert!(error.contains("3000 samples"), "{error}");
}

#[test]
fn periods_are_found_where_they_are() {
    let frame_rate = 93.75;
    // A whole number: of other periods, a multiple may fit the frames better.
    let beat_frames = 31.0;
    let noise = texture(Texture::Rain, 1, 2.0).channels()[0].clone();
    let bands: Vec<f32> = (0..800)
        .flat_map(|t| {
            let since = f64::from(t) % beat_frames;
            let level = 3.0 * (-since / 4.0).exp() as f32;
            let noise = &noise;
            (0..6).map(move |b| 1.0 + level + noise[(t * 6 + b) as usize])
        })
        .collect();
    let found = find_periods(&bands, 6, frame_rate);
    let error = (found[0].frames / beat_frames - 1.0).abs();
    assert!(error < 0.01 && found[0].strength > 0.6, "{found:?}");
    let steady = vec![1.0; 6 * 800];
    assert!(find_periods(&steady, 6, frame_rate).is_empty());
    assert!(find_periods(&bands[..60], 6, frame_rate).is_empty());
}
