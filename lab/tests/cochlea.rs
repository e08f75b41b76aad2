//! The cochlear statistics: worked by hand, against the scores', and their gradients.

mod gradients;

use std::f64::consts::TAU;

use candle_core::{DType, Device, Tensor};
use gradients::{assert_gradients, noise, terms};
use weft_core::clip::Clip;
use weft_core::procedural::{Texture, synthesize};
use weft_core::texture::score::{Recording, ScoreSettings, score};
use weft_lab::cochlea::{Cochlea, CochleaSettings, Statistics, TextureStatistics, TimeWeights};

/// Sounds of a lower rate are as good for what does not depend on it, and quicker.
const SMALL: CochleaSettings = CochleaSettings {
    sample_rate_hz: 8_000,
    envelope_rate_hz: 400,
    bands: 12,
    lowest_hz: 20.0,
    highest_hz: 4_000.0,
};

fn assert_near(value: f64, expected: f64, tolerance: f64, what: &str) {
    assert!(
        (value - expected).abs() < tolerance,
        "{what}: {value} for {expected}"
    );
}

#[test]
fn a_tones_envelopes_are_its_amplitude_in_each_band_compressed() {
    let samples = 16_000;
    let tone: Vec<f64> = (0..samples)
        .map(|i| 0.25 * (TAU * 440.0 * i as f64 / 8_000.0).sin())
        .collect();
    let cochlea = Cochlea::new(&SMALL, samples).unwrap();
    let envelopes = cochlea
        .envelopes(&Tensor::new(tone, &Device::Cpu).unwrap())
        .unwrap();
    assert_eq!(envelopes.dims(), [14, 800]);
    let envelopes = envelopes.to_vec2::<f64>().unwrap();
    // Not compressed again, the squares of all bands add up to the tone's amplitude, at every time.
    for t in (0..800).step_by(37) {
        let sum: f64 = envelopes.iter().map(|row| row[t].powf(2.0 / 0.3)).sum();
        assert_near(sum.sqrt(), 0.25, 1e-6, "amplitude");
    }
    // Only two neighbours hear it; the others have the floor, 100 dB below the level of what is compared.
    let heard = envelopes.iter().filter(|row| row[0] > 0.1).count();
    assert_eq!(heard, 2);
    assert_near(envelopes[0][5], 1e-7f64.powf(0.3), 1e-6, "floor");
}

/// Statistics of rows that `of` gives for the parts of a period of 800 samples, two seconds.
fn of_rows(of: &[&dyn Fn(f64) -> f64]) -> Statistics {
    let cochlea = Cochlea::new(&SMALL, 16_000).unwrap();
    let rows: Vec<f64> = of
        .iter()
        .flat_map(|row| (0..800).map(|t| row(TAU * f64::from(t) / 800.0)))
        .collect();
    let rows = Tensor::from_vec(rows, (of.len(), 800), &Device::Cpu).unwrap();
    let time = TimeWeights::even(800).unwrap();
    cochlea.statistics(&rows, &time).unwrap()
}

#[test]
fn moments_and_correlations_of_cosines_are_what_they_are_by_hand() {
    // A mean of 2, a cosine of amplitude 1: variance 1/2 over 4, no skew, kurtosis 3/8 over 1/4. The third row
    // is half of the first upside down, the second a quarter turn from both.
    let s = of_rows(&[
        &|p| 2.0 + (8.0 * p).cos(),
        &|p| 2.0 + (8.0 * p).sin(),
        &|p| 1.0 - 0.5 * (8.0 * p).cos(),
    ]);
    let mean = s.mean.to_vec1::<f64>().unwrap();
    let variance = s.variance.to_vec1::<f64>().unwrap();
    let (skew, kurtosis) = (
        s.skew.to_vec1::<f64>().unwrap(),
        s.kurtosis.to_vec1::<f64>().unwrap(),
    );
    for (row, expected) in [2.0, 2.0, 1.0].into_iter().enumerate() {
        assert_near(mean[row], expected, 1e-9, "mean");
        assert_near(variance[row], 0.125, 1e-9, "variance");
        assert_near(skew[row], 0.0, 1e-9, "skew");
        assert_near(kurtosis[row], 1.5, 1e-9, "kurtosis");
    }
    // Two pairs one apart, one pair two apart.
    let correlation = s.correlation.to_vec1::<f64>().unwrap();
    for (value, expected) in correlation.iter().zip([0.0, 0.0, -1.0]) {
        assert_near(*value, expected, 1e-9, "correlation");
    }
    assert_eq!(correlation.len(), 3);
    // The eighth of a turn that follows has a skew: cos + cos of twice the frequency has a variance of 1 and a
    // third moment of 3/4.
    let skewed_row = |p: f64| 3.0 + (8.0 * p).cos() + (16.0 * p).cos();
    let skewed = of_rows(&[&skewed_row, &skewed_row]);
    assert_near(skewed.skew.to_vec1::<f64>().unwrap()[0], 0.75, 1e-9, "skew");
}

#[test]
fn modulation_is_in_the_bands_around_its_frequency_and_c2_tells_the_phase_an_octave_up() {
    // Two periods of the row a second, 400 samples: the harmonic h has h/2 Hz. At 12.5 and 25 Hz are centres of
    // octave bands, which end there for their neighbours.
    let angle = 0.7;
    let s = of_rows(&[
        &|p| 5.0 + (25.0 * p).cos() + 0.5 * (50.0 * p + angle).cos(),
        &|p| 5.0 + (25.0 * p + 1.0).cos() + 0.5 * (50.0 * p + angle + 2.0).cos(),
    ]);
    let modulation = s.modulation.to_vec2::<f64>().unwrap();
    let centre = |band: usize| 0.5 * 400f64.powf(band as f64 / 19.0);
    for (band, share) in modulation[0].iter().enumerate() {
        let hears = |hz: f64| (hz / centre(band) - 1.0).abs() < 0.5;
        assert_eq!(*share > 1e-9, hears(12.5) || hears(25.0), "band {band}");
    }
    // C1: the octave at 12.5 Hz is the third that is correlated, and one row is a radian ahead; at 25 Hz, two.
    let c1 = s.c1.to_vec2::<f64>().unwrap();
    assert_eq!((c1.len(), c1[0].len()), (1, 6));
    assert_near(c1[0][2], 1f64.cos(), 1e-9, "C1 at 12.5 Hz");
    assert_near(c1[0][3], 2f64.cos(), 1e-9, "C1 at 25 Hz");
    // C2: of the pairs of octaves from 1.6 Hz on, the fourth is 12.5 and 25 Hz. A cosine `angle` ahead is the
    // cosine of the angle in phase, and its Hilbert transform the sine.
    let c2 = s.c2.to_vec3::<f64>().unwrap();
    for (row, c2) in c2.iter().enumerate() {
        assert_near(c2[0][3], angle.cos(), 1e-9, &format!("C2 of row {row}"));
        assert_near(
            c2[1][3],
            angle.sin(),
            1e-9,
            &format!("C2 of row {row}, behind"),
        );
    }
}

#[test]
fn as_many_statistics_as_in_the_paper() {
    let rain = synthesize(Texture::Rain, 1, 20_000, 1.0);
    let objective =
        TextureStatistics::new(&rain.channels()[0], CochleaSettings::default(), DType::F64)
            .unwrap();
    // A complex C2 counts once.
    let counts = objective
        .target()
        .groups()
        .map(|(name, values)| match name {
            "C2" => values.elem_count() / 2,
            _ => values.elem_count(),
        });
    assert_eq!(counts, [32, 32, 32, 32, 189, 640, 366, 192]);
    assert_eq!(counts.iter().sum::<usize>(), 1_515);
}

#[test]
fn moments_agree_with_the_scores() {
    // The scores' bands: the same thirty, up to 98 % of half of 16 kHz, without what lies below and above.
    let settings = CochleaSettings {
        sample_rate_hz: 16_000,
        highest_hz: 0.98 * 8_000.0,
        ..CochleaSettings::default()
    };
    let sounds = [Texture::Rain, Texture::Fire].map(|texture| {
        let clip = synthesize(texture, 3, 16_000, 2.5);
        let mut samples: Vec<f64> = clip.channels()[0].iter().map(|&x| f64::from(x)).collect();
        let mean = samples.iter().sum::<f64>() / samples.len() as f64;
        samples.iter_mut().for_each(|x| *x -= mean);
        let rms = (samples.iter().map(|x| x * x).sum::<f64>() / samples.len() as f64).sqrt();
        samples.iter_mut().for_each(|x| *x *= 0.1 / rms);
        samples
    });
    let statistics = sounds.each_ref().map(|samples| {
        let cochlea = Cochlea::new(&settings, samples.len()).unwrap();
        let sound = Tensor::new(samples.as_slice(), &Device::Cpu).unwrap();
        let envelopes = cochlea.envelopes(&sound).unwrap().narrow(0, 1, 30).unwrap();
        // The scores leave 50 ms at either end out, where a sound that does not go round has its edges.
        let count = cochlea.envelope_samples();
        let inside = |t: usize| f64::from(u8::from((20..count - 20).contains(&t)));
        let time = TimeWeights::of((0..count).map(inside).collect()).unwrap();
        cochlea.statistics(&envelopes, &time).unwrap()
    });
    let snr_db = |values: fn(&Statistics) -> Vec<f64>| {
        let [signal, other] = statistics.each_ref().map(values);
        let error: f64 = signal
            .iter()
            .zip(&other)
            .map(|(x, y)| (x - y).powi(2))
            .sum();
        10.0 * (signal.iter().map(|x| x * x).sum::<f64>() / error).log10()
    };
    let clips = sounds.map(|samples| {
        let samples = samples.into_iter().map(|x| x as f32).collect();
        Recording::new(&Clip::new(16_000, vec![samples]).unwrap()).unwrap()
    });
    let scores = score(&clips[0], &clips[1], &ScoreSettings::default()).unwrap();
    let plain = scores.statistics;
    assert_eq!(statistics[0].mean.dims(), [30]);
    for (name, value, expected) in [
        ("mean", snr_db(|s| s.mean.to_vec1().unwrap()), plain.mean),
        // The scores have deviations over means, the paper their squares.
        (
            "variation",
            snr_db(|s| s.variance.sqrt().unwrap().to_vec1().unwrap()),
            plain.variation,
        ),
        ("skew", snr_db(|s| s.skew.to_vec1().unwrap()), plain.skew),
        (
            "kurtosis",
            snr_db(|s| s.kurtosis.to_vec1().unwrap()),
            plain.kurtosis,
        ),
    ] {
        println!("{name}: {value:.5} dB, the scores' {expected:.5} dB");
        assert_near(value, expected, 2e-3, name);
    }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let recording = synthesize(Texture::Fire, 2, 8_000, 1.0);
    let mut objective =
        TextureStatistics::new(&recording.channels()[0], SMALL, DType::F64).unwrap();
    // Two seconds are asked for, one is known: any length will do.
    let image = Tensor::new(noise(16_000, 9), &Device::Cpu).unwrap();
    assert_gradients(&mut objective, &image, 1e-5, 1e-6);
}

#[test]
fn a_sound_that_goes_round_has_no_distance_to_itself_and_grows_apart_from_others() {
    let samples = 8_000;
    let image = Tensor::new(noise(samples, 4), &Device::Cpu).unwrap();
    let other = Tensor::new(noise(samples, 5), &Device::Cpu).unwrap();
    let recording = synthesize(Texture::Rain, 2, 8_000, 1.0);
    let mut recorded = TextureStatistics::new(&recording.channels()[0], SMALL, DType::F64).unwrap();
    let target = recorded.of(&image).unwrap();
    let gains = recorded.gains().to_vec();
    let mut objective = TextureStatistics::from_statistics(target, gains, SMALL).unwrap();
    for (name, value) in terms(&mut objective, &image) {
        assert!(value < 1e-20, "{name}: {value}");
    }
    for (name, value) in terms(&mut objective, &other) {
        assert!(value > 1e-7, "{name}: {value}");
    }
    // Half a second later is the same sound, for it goes round.
    let half = samples / 2;
    let turned = [image.narrow(0, half, half), image.narrow(0, 0, half)].map(Result::unwrap);
    let turned = Tensor::cat(&turned, 0).unwrap();
    for (name, value) in terms(&mut objective, &turned) {
        assert!(value < 1e-18, "{name}: {value}");
    }
}

#[test]
fn an_image_is_the_sound_that_its_bands_gains_make() {
    let count = 8_000;
    let recording: Vec<f64> = (0..count)
        .map(|i| 0.2 * (TAU * 700.0 * f64::from(i) / 8_000.0).sin())
        .collect();
    let plain = Cochlea::new(&SMALL, count as usize).unwrap();
    let levels = plain.levels(&recording);
    // The powers of all bands add up to the tone's.
    let power: f64 = levels.iter().map(|level| level * level).sum();
    assert_near(power, 0.02, 1e-9, "power");
    let gains = plain.gains_for(&levels);
    let shaped = Cochlea::shaped(&SMALL, count as usize, &gains).unwrap();
    let image: Vec<f32> = noise(count as usize, 3).iter().map(|x| *x as f32).collect();
    let sound = shaped.sound(&image);
    // Noise of the two bands that hear the tone is as loud as the tone in them, to what chance leaves.
    let double: Vec<f64> = sound.iter().map(|&x| f64::from(x) * 3f64.sqrt()).collect();
    let largest = levels.iter().copied().fold(0.0, f64::max);
    for (band, (level, expected)) in plain.levels(&double).iter().zip(&levels).enumerate() {
        // Neighbours overlap: what is beside a loud band hears its flank.
        if *expected > 0.5 * largest {
            assert_near(level / expected, 1.0, 0.35, &format!("band {band}"));
        } else {
            assert!(*level < largest, "band {band}: {level}");
        }
    }
    // What the model hears of the image is what the plain one hears of the sound.
    let heard = |cochlea: &Cochlea, samples: &[f32]| {
        let tensor = Tensor::new(samples, &Device::Cpu).unwrap();
        cochlea
            .envelopes(&tensor)
            .unwrap()
            .to_vec2::<f32>()
            .unwrap()
    };
    let (of_image, of_sound) = (heard(&shaped, &image), heard(&plain, &sound));
    for (a, b) in of_image.iter().flatten().zip(of_sound.iter().flatten()) {
        assert!((a - b).abs() < 1e-3, "{a} for {b}");
    }
    let error = Cochlea::shaped(&SMALL, 8_000, &[1.0; 3]).err().unwrap();
    assert!(
        error.to_string().contains("3 gains for 14 bands"),
        "{error}"
    );
}

#[test]
fn what_makes_no_sense_is_refused_with_what_to_do() {
    let settings = CochleaSettings::default();
    let refused = |message: String, part: &str| assert!(message.contains(part), "{message}");
    let error = Cochlea::new(&settings, 20_050).err().unwrap().to_string();
    refused(error, "20050 samples are no multiple of 100");
    let odd = CochleaSettings {
        sample_rate_hz: 22_050,
        ..settings
    };
    refused(
        Cochlea::new(&odd, 2_200).err().unwrap().to_string(),
        "choose a whole divisor",
    );
    let high = CochleaSettings {
        highest_hz: 10_001.0,
        ..settings
    };
    refused(
        Cochlea::new(&high, 2_000).err().unwrap().to_string(),
        "up to half of 20000 Hz",
    );
    let silence = TextureStatistics::new(&[0.0; 2_000], settings, DType::F32);
    refused(silence.err().unwrap().to_string(), "silence");
    let mut objective =
        TextureStatistics::new(&[1.0, -1.0].repeat(1_000), settings, DType::F32).unwrap();
    let image = Tensor::zeros(150, DType::F32, &Device::Cpu).unwrap();
    refused(
        objective.of(&image).unwrap_err().to_string(),
        "no multiple of 100",
    );
}
