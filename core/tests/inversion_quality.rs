//! How near the magnitudes a stream and the offline inversion come, in mono.

mod support;

use weft_core::inversion::{
    InversionSettings, StreamingInverter, griffin_lim, spectral_convergence_db,
};
use weft_core::spectrum::Stft;

use support::inversion::{
    FFT, HOP, RATE, db, energy, magnitudes, mono_inverter, mono_target, noise, padded, sine, stft,
    stream, texture,
};

#[test]
fn every_stage_brings_the_magnitudes_nearer() {
    let signal = padded(&texture(3, 24_000));
    let target = mono_target(&signal);
    let convergence = |lookahead_frames, iterations| {
        let settings = InversionSettings {
            lookahead_frames,
            iterations,
            ..InversionSettings::eco(FFT, HOP)
        };
        let (out, _) = stream(&mut StreamingInverter::new(settings).unwrap(), &target);
        spectral_convergence_db(&stft(), &target.0, &out)
    };
    let random = griffin_lim(&stft(), &target.0, 0, 0.0, 1).unwrap();
    let random = spectral_convergence_db(&stft(), &target.0, &random);
    let start = convergence(3, 0);
    let everyday = convergence(3, 1);
    let high = convergence(3, 5);
    assert!(
        start < random - 6.0,
        "start phases {start}, random {random}"
    );
    assert!(
        everyday < start - 4.0,
        "refined {everyday}, start phases {start}"
    );
    assert!(high < everyday - 2.0, "five rounds {high}, one {everyday}");
    assert!(everyday < -18.0, "{everyday}");
    assert!(convergence(1, 1) > everyday, "look-ahead must help");
}

#[test]
fn momentum_converges_further() {
    for (hop, gain) in [(FFT / 4, 1.0), (FFT / 8, 0.5)] {
        let stft = Stft::new(FFT, hop).unwrap();
        let signal = padded(&texture(22, 24_000));
        let target = (magnitudes(&stft.analyse(&signal)), None);
        let convergence = |settings: InversionSettings| {
            let (out, _) = stream(&mut StreamingInverter::new(settings).unwrap(), &target);
            spectral_convergence_db(&stft, &target.0, &out)
        };
        let high = InversionSettings::high(FFT, hop);
        let plain = InversionSettings {
            momentum: 0.0,
            ..high.clone()
        };
        let (high, plain) = (convergence(high), convergence(plain));
        assert!(high < plain - gain, "hop {hop}: {high}, without {plain}");
    }
}

#[test]
fn momentum_stays_stable_on_magnitudes_of_no_signal() {
    // The magnitudes of noise, each drawn on its own: nothing has them. What plain rounds reach on them
    // momentum must not lose, for as long as it plays.
    for hop in [FFT / 4, FFT / 8, FFT / 16] {
        let stft = Stft::new(FFT, hop).unwrap();
        let draws = noise(23, 600 * stft.bins());
        let target = draws.iter().map(|x| (-(x.abs() + 1e-9).ln()).sqrt());
        let target = (target.collect::<Vec<_>>(), None);
        let convergence = |settings: InversionSettings| {
            let (out, _) = stream(&mut StreamingInverter::new(settings).unwrap(), &target);
            let late = &target.0[500 * stft.bins()..];
            spectral_convergence_db(&stft, late, &out[500 * hop..])
        };
        let high = InversionSettings::high(FFT, hop);
        let plain = InversionSettings {
            momentum: 0.0,
            ..high.clone()
        };
        let (high, plain) = (convergence(high), convergence(plain));
        assert!(high < plain + 0.3, "hop {hop}: {high}, without {plain}");
    }
}

#[test]
fn more_overlap_converges_further() {
    let stft = Stft::new(FFT, FFT / 8).unwrap();
    let signal = padded(&texture(4, 16_000));
    let target = (magnitudes(&stft.analyse(&signal)), None);
    let mut inverter = StreamingInverter::new(InversionSettings::eco(FFT, FFT / 8)).unwrap();
    let (out, _) = stream(&mut inverter, &target);
    let convergence = spectral_convergence_db(&stft, &target.0, &out);
    assert!(convergence < -22.0, "{convergence}");
}

#[test]
fn a_steady_sine_stays_steady() {
    // Between bins, on a bin, low, high.
    for frequency in [440.0, 1000.0, 97.0, 6_543.2] {
        let (out, _) = stream(&mut mono_inverter(), &mono_target(&sine(frequency, 24_000)));
        let settled = &out[4_000..20_000];
        // The envelope by projection on the known frequency over a whole number of hops.
        let levels: Vec<f64> = settled
            .windows(800)
            .step_by(50)
            .enumerate()
            .map(|(w, window)| {
                let (mut re, mut im) = (0.0, 0.0);
                for (i, &x) in window.iter().enumerate() {
                    let angle =
                        std::f64::consts::TAU * f64::from(frequency / RATE) * (50 * w + i) as f64;
                    re += f64::from(x) * angle.cos();
                    im += f64::from(x) * angle.sin();
                }
                2.0 * re.hypot(im) / window.len() as f64
            })
            .collect();
        let (least, most) = levels
            .iter()
            .fold((f64::MAX, 0.0f64), |(a, b), &x| (a.min(x), b.max(x)));
        assert!(
            least > 0.97 && most < 1.03,
            "{frequency} Hz: level from {least} to {most}"
        );
    }
}

#[test]
fn a_steady_sine_keeps_its_frequency_and_level() {
    // Convergence and level in dB, frequency in cents.
    for (settings, most, most_level, most_cents) in [
        (InversionSettings::eco(FFT, FFT / 4), -38.0, 0.15, 0.5),
        (InversionSettings::eco(FFT, FFT / 8), -45.0, 0.03, 0.25),
        (InversionSettings::high(FFT, FFT / 4), -68.0, 0.005, 0.05),
        (InversionSettings::high(FFT, FFT / 8), -68.0, 0.01, 0.02),
    ] {
        let stft = Stft::new(FFT, settings.hop_size).unwrap();
        for frequency in [440.0, 1000.0, 2_215.6, 6_543.2] {
            let name = format!("{settings:?}, {frequency} Hz");
            let target = magnitudes(&stft.analyse(&sine(frequency, 24_000)));
            let mut inverter = StreamingInverter::new(settings.clone()).unwrap();
            let (out, _) = stream(&mut inverter, &(target.clone(), None));
            // The phases have settled after a quarter of a second.
            let first = 4_000 / settings.hop_size;
            let settled = &out[first * settings.hop_size..23_000];
            let convergence =
                spectral_convergence_db(&stft, &target[first * stft.bins()..], settled);

            let project = |from: usize| {
                let (mut re, mut im) = (0.0, 0.0);
                for (i, &x) in settled[from..from + 4_000].iter().enumerate() {
                    let turns = f64::from(frequency) / f64::from(RATE) * (from + i) as f64;
                    let angle = std::f64::consts::TAU * turns;
                    re += f64::from(x) * angle.cos() / 2_000.0;
                    im -= f64::from(x) * angle.sin() / 2_000.0;
                }
                (re, im)
            };
            let (a, b) = (project(0), project(12_000));
            let level = 10.0 * (a.0 * a.0 + a.1 * a.1).log10();
            let drift = (b.1 * a.0 - b.0 * a.1).atan2(b.0 * a.0 + b.1 * a.1);
            let hertz = drift / std::f64::consts::TAU / (12_000.0 / f64::from(RATE));
            let cents = 1200.0 * (1.0 + hertz / f64::from(frequency)).log2();
            assert!(convergence < most, "{name}: {convergence} dB");
            assert!(level.abs() < most_level, "{name}: {level} dB");
            assert!(cents.abs() < most_cents, "{name}: {cents} cents off");
        }
    }
}

#[test]
fn an_impulse_stays_an_impulse_at_its_place() {
    for place in [4_000, 4_032, 4_077] {
        let mut signal = vec![0.0; 8_000];
        signal[place] = 1.0;
        let (out, _) = stream(&mut mono_inverter(), &mono_target(&signal));
        let near = energy(&out[place - 16..place + 17]) / energy(&out);
        assert!(near > 0.8, "{near} of the energy within 1 ms of {place}");
        let level = db(energy(&out));
        assert!(level.abs() < 1.5, "{level} dB");
    }
}

#[test]
fn offline_iterations_and_momentum_help() {
    let (target, _) = mono_target(&padded(&texture(20, 12_000)));
    let convergence = |iterations, momentum| {
        let out = griffin_lim(&stft(), &target, iterations, momentum, 3).unwrap();
        spectral_convergence_db(&stft(), &target, &out)
    };
    let (random, plain, fast) = (
        convergence(0, 0.0),
        convergence(32, 0.0),
        convergence(32, 0.99),
    );
    assert!(plain < random - 8.0, "{plain} {random}");
    assert!(fast < plain - 2.0, "{fast} {plain}");
    assert!(griffin_lim(&stft(), &[], 3, 0.0, 0).unwrap().is_empty());
}

#[test]
fn spectral_convergence_measures_the_error() {
    let signal = padded(&texture(21, 8_000));
    let (target, _) = mono_target(&signal);
    assert_eq!(
        spectral_convergence_db(&stft(), &target, &signal),
        f64::NEG_INFINITY
    );
    let silence = vec![0.0; signal.len()];
    assert!(spectral_convergence_db(&stft(), &target, &silence).abs() < 1e-6);
    let louder: Vec<f32> = signal.iter().map(|x| x * 1.1).collect();
    assert!((spectral_convergence_db(&stft(), &target, &louder) + 20.0).abs() < 0.01);
}
