//! Synthesized textures: determinism, level, stereo, spectrum and rhythm.

use weft_core::clip::Clip;
use weft_core::procedural::{MAX_SYNTHESIS_S, Texture, UnknownTexture, synthesize};
use weft_core::spectrum::Stft;

const SAMPLE_RATE: u32 = 48_000;

fn dbfs(linear: f32) -> f32 {
    20.0 * linear.log10()
}

/// Mean power per frequency bin of the first channel, and the width of a bin in Hz.
fn power_spectrum(clip: &Clip) -> (Vec<f64>, f64) {
    const FFT_SIZE: usize = 2_048;
    let stft = Stft::new(FFT_SIZE, FFT_SIZE / 4).unwrap();
    let mut power = vec![0.0; stft.bins()];
    for spectrum in stft.analyse(&clip.channels()[0]).chunks_exact(stft.bins()) {
        for (power, bin) in power.iter_mut().zip(spectrum) {
            *power += f64::from(bin.norm_sqr());
        }
    }
    (power, f64::from(clip.sample_rate()) / FFT_SIZE as f64)
}

/// Centre of gravity of the power spectrum in Hz.
fn spectral_centroid_hz(clip: &Clip) -> f64 {
    let (power, bin_hz) = power_spectrum(clip);
    let weighted: f64 = power
        .iter()
        .enumerate()
        .map(|(bin, power)| bin as f64 * bin_hz * power)
        .sum();
    weighted / power.iter().sum::<f64>()
}

/// RMS per stretch of `seconds`, of the first channel.
fn envelope(clip: &Clip, seconds: f64) -> Vec<f64> {
    let frames = (seconds * f64::from(clip.sample_rate())) as usize;
    clip.channels()[0]
        .chunks_exact(frames)
        .map(|part| {
            let energy: f64 = part.iter().map(|&s| f64::from(s).powi(2)).sum();
            (energy / frames as f64).sqrt()
        })
        .collect()
}

#[test]
fn a_seed_gives_the_same_samples_and_another_seed_others() {
    for texture in Texture::ALL {
        let clip = synthesize(texture, 7, SAMPLE_RATE, 1.5);
        assert!(
            clip == synthesize(texture, 7, SAMPLE_RATE, 1.5),
            "{texture}"
        );
        let other = synthesize(texture, 8, SAMPLE_RATE, 1.5);
        assert_eq!(other.len(), clip.len());
        let differing = clip.channels()[0]
            .iter()
            .zip(&other.channels()[0])
            .filter(|(a, b)| (*a - *b).abs() > 1e-6)
            .count();
        assert!(differing > clip.len() / 2, "{texture}: {differing}");
    }
}

#[test]
fn every_texture_is_a_sound_stereo_capture_at_every_rate() {
    for texture in Texture::ALL {
        for (seed, sample_rate) in [(0, 8_000), (1, 44_100), (u64::MAX, 48_000), (3, 192_000)] {
            let clip = synthesize(texture, seed, sample_rate, 3.0);
            assert_eq!(clip.sample_rate(), sample_rate);
            assert_eq!(clip.channel_count(), 2);
            assert_eq!(clip.len(), 3 * sample_rate as usize);
            clip.check_texture().unwrap();
            assert!(clip.peak() < 0.96, "{texture}: {}", clip.peak());
            let level = dbfs(clip.rms());
            assert!((-32.0..=-19.5).contains(&level), "{texture}: {level} dBFS");
            let offset = clip.channels()[0].iter().sum::<f32>() / clip.len() as f32;
            assert!(offset.abs() < 2e-3, "{texture}: {offset}");
        }
    }
}

#[test]
fn the_channels_are_related_and_not_the_same() {
    for texture in Texture::ALL {
        let clip = synthesize(texture, 2, SAMPLE_RATE, 6.0);
        let [left, right] = clip.channels() else {
            panic!("{texture} is not stereo");
        };
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter()
                .zip(b)
                .map(|(&a, &b)| f64::from(a) * f64::from(b))
                .sum()
        };
        let correlation = dot(left, right) / (dot(left, left) * dot(right, right)).sqrt();
        assert!(
            correlation.abs() < 0.9,
            "{texture}: correlation {correlation}"
        );
        let balance_db = 10.0 * (dot(left, left) / dot(right, right)).log10();
        assert!(balance_db.abs() < 8.0, "{texture}: balance {balance_db} dB");
    }
}

#[test]
fn every_texture_reaches_the_top_of_the_band() {
    for texture in Texture::ALL {
        let (power, bin_hz) = power_spectrum(&synthesize(texture, 4, SAMPLE_RATE, 6.0));
        let total: f64 = power.iter().sum();
        let top: f64 = power[(16_000.0 / bin_hz) as usize..].iter().sum();
        let top_db = 10.0 * (top / total).log10();
        assert!(top_db > -60.0, "{texture}: {top_db} dB above 16 kHz");
    }
}

#[test]
fn spectra_are_ordered_as_in_nature() {
    let centroid_hz = |texture| spectral_centroid_hz(&synthesize(texture, 5, SAMPLE_RATE, 8.0));
    let rain = centroid_hz(Texture::Rain);
    let fire = centroid_hz(Texture::Fire);
    let wind = centroid_hz(Texture::Wind);
    let crickets = centroid_hz(Texture::Crickets);
    let surf = centroid_hz(Texture::Surf);
    assert!(
        wind < surf && surf < rain && rain < 8_000.0,
        "{wind} {surf} {rain}"
    );
    assert!(fire < rain, "{fire} {rain}");
    assert!((3_500.0..7_000.0).contains(&crickets), "{crickets}");
}

#[test]
fn events_stand_out_where_they_should() {
    // Ratio of the loudest to the middle 5 ms.
    let contrast_db = |texture| {
        let mut levels = envelope(&synthesize(texture, 6, SAMPLE_RATE, 8.0), 0.005);
        levels.sort_by(f64::total_cmp);
        20.0 * (levels[levels.len() - 1] / levels[levels.len() / 2]).log10()
    };
    let steady = contrast_db(Texture::Rain).max(contrast_db(Texture::Wind));
    let eventful = contrast_db(Texture::Fire).min(contrast_db(Texture::Clock));
    assert!(eventful > steady + 3.0, "{eventful} dB against {steady} dB");
}

#[test]
fn a_clock_keeps_time() {
    let levels = envelope(&synthesize(Texture::Clock, 9, SAMPLE_RATE, 10.0), 0.005);
    let mean = levels.iter().sum::<f64>() / levels.len() as f64;
    let autocorrelation = |lag: usize| -> f64 {
        levels
            .iter()
            .zip(&levels[lag..])
            .map(|(a, b)| (a - mean) * (b - mean))
            .sum()
    };
    // Lags of 0.15 to 0.35 s, in steps of 5 ms.
    let best = (30..70)
        .max_by(|&a, &b| autocorrelation(a).total_cmp(&autocorrelation(b)))
        .unwrap();
    assert!((47..=53).contains(&best), "{best}");
    assert!(autocorrelation(best) > 0.5 * autocorrelation(0));
}

#[test]
fn a_texture_begins_as_it_goes_on() {
    for texture in Texture::ALL {
        let levels = envelope(&synthesize(texture, 11, SAMPLE_RATE, 12.0), 1.0);
        let mean = levels.iter().sum::<f64>() / levels.len() as f64;
        assert!(levels[0] > 0.1 * mean, "{texture}: {levels:?}");
    }
}

#[test]
fn names_are_read_as_they_are_written() {
    for texture in Texture::ALL {
        assert_eq!(texture.to_string().parse::<Texture>(), Ok(texture));
        assert_eq!(
            texture.name().to_uppercase().parse::<Texture>(),
            Ok(texture)
        );
    }
    let error = "hail".parse::<Texture>().unwrap_err();
    assert_eq!(
        error,
        UnknownTexture {
            name: "hail".into()
        }
    );
    assert!(error.to_string().contains("hail") && error.to_string().contains("rain, fire"));
}

#[test]
fn no_duration_gives_an_empty_clip() {
    for texture in Texture::ALL {
        assert!(synthesize(texture, 0, SAMPLE_RATE, 0.0).is_empty());
    }
}

#[test]
#[should_panic(expected = "is outside 0 to 600 s")]
fn too_long_a_texture_panics_as_documented() {
    synthesize(Texture::Rain, 0, 8_000, MAX_SYNTHESIS_S + 1.0);
}
