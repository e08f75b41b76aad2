//! Magnitudes to sound, through the public doors of `weft_core::inversion`.

mod guard;

use guard::allocations;
use weft_core::inversion::{
    InversionError, InversionSettings, StreamingInverter, TargetFrame, griffin_lim, pan_index,
    spectral_convergence_db,
};
use weft_core::spectrum::{Complex32, Stft};

const RATE: f32 = 16_000.0;
const FFT: usize = 512;
const HOP: usize = 128;

/// White noise in -1..1 from a seed (xorshift64*).
fn noise(seed: u64, length: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x2545_F491_4F6C_DD1D) | 1;
    (0..length)
        .map(|_| {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            let bits = state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40;
            bits as f32 / (1u32 << 23) as f32 - 1.0
        })
        .collect()
}

fn sine(frequency: f32, length: usize) -> Vec<f32> {
    (0..length)
        .map(|i| (std::f64::consts::TAU * f64::from(frequency / RATE) * i as f64).sin() as f32)
        .collect()
}

/// One-pole low pass.
fn low_passed(signal: &[f32], coefficient: f32) -> Vec<f32> {
    let mut y = 0.0;
    signal
        .iter()
        .map(|&x| {
            y += coefficient * (x - y);
            y
        })
        .collect()
}

/// A little of everything: a bed of dark noise, decaying tones, crackle.
fn texture(seed: u64, length: usize) -> Vec<f32> {
    let mut signal: Vec<f32> = low_passed(&noise(seed, length), 0.2)
        .iter()
        .map(|x| 0.2 * x)
        .collect();
    let dice = noise(seed + 1, 64);
    for (event, pair) in dice.chunks_exact(2).enumerate() {
        let start = ((pair[0] * 0.5 + 0.5) * length as f32) as usize;
        let frequency = 300.0 + 1500.0 * (pair[1] + 1.0);
        for (i, x) in signal[start..].iter_mut().take(4000).enumerate() {
            let t = i as f32 / RATE;
            *x += if event % 2 == 0 {
                0.3 * (-t * 25.0).exp() * (std::f32::consts::TAU * frequency * t).sin()
            } else if i < 3 {
                0.8
            } else {
                0.0
            };
        }
    }
    signal
}

fn stft() -> Stft {
    Stft::new(FFT, HOP).unwrap()
}

/// With a frame of silence at either end, so that every sample is covered alike.
fn padded(signal: &[f32]) -> Vec<f32> {
    let mut padded = vec![0.0; FFT];
    padded.extend_from_slice(signal);
    padded.resize((signal.len() + 2 * FFT).next_multiple_of(HOP), 0.0);
    padded
}

fn magnitudes(spectra: &[Complex32]) -> Vec<f32> {
    spectra.iter().map(|z| z.norm()).collect()
}

/// Mid, side and pan of every frame, row-major.
type Target = (Vec<f32>, Option<(Vec<f32>, Vec<f32>)>);

fn mono_target(signal: &[f32]) -> Target {
    (magnitudes(&stft().analyse(signal)), None)
}

fn stereo_target(left: &[f32], right: &[f32]) -> Target {
    let mid: Vec<f32> = left.iter().zip(right).map(|(l, r)| 0.5 * (l + r)).collect();
    let side: Vec<f32> = left.iter().zip(right).map(|(l, r)| 0.5 * (l - r)).collect();
    let (m, s) = (stft().analyse(&mid), stft().analyse(&side));
    let pan = m.iter().zip(&s).map(|(&m, &s)| pan_index(m, s)).collect();
    (magnitudes(&m), Some((magnitudes(&s), pan)))
}

/// Pushes all frames and enough silence after them; sample i of the result is sample i of the signal.
fn stream(inverter: &mut StreamingInverter, target: &Target) -> (Vec<f32>, Vec<f32>) {
    let bins = inverter.bins();
    let hop = inverter.settings().hop_size;
    let frames = target.0.len() / bins;
    let flush = inverter.settings().fft_size / hop - 1 + inverter.latency_frames();
    let (mut mid, mut side) = (Vec::new(), Vec::new());
    let (mut out_mid, mut out_side) = (vec![0.0; hop], vec![0.0; hop]);
    let silence = vec![0.0; bins];
    for t in 0..frames + flush {
        let row = |values: &'_ [f32]| -> Vec<f32> {
            values
                .get(t * bins..(t + 1) * bins)
                .unwrap_or(&silence)
                .to_vec()
        };
        let target_mid = row(&target.0);
        let side_pan = target.1.as_ref().map(|(s, p)| (row(s), row(p)));
        let side_pan = side_pan.as_ref().map(|(s, p)| (&s[..], &p[..]));
        let frame = TargetFrame {
            index: t as i64,
            mid: &target_mid,
            side_pan,
        };
        inverter.push_frame(frame, &mut out_mid, &mut out_side);
        if t < inverter.latency_frames() {
            assert!(
                out_mid.iter().chain(&out_side).all(|&x| x == 0.0),
                "sound before frame 0"
            );
        } else {
            mid.extend_from_slice(&out_mid);
            side.extend_from_slice(&out_side);
        }
    }
    (mid, side)
}

fn eco() -> InversionSettings {
    InversionSettings::eco(FFT, HOP)
}

fn high() -> InversionSettings {
    InversionSettings::high(FFT, HOP)
}

fn mono_inverter() -> StreamingInverter {
    StreamingInverter::new(InversionSettings::eco(FFT, HOP)).unwrap()
}

fn stereo_inverter() -> StreamingInverter {
    StreamingInverter::new(InversionSettings::eco(FFT, HOP).in_stereo()).unwrap()
}

fn energy(signal: &[f32]) -> f64 {
    signal.iter().map(|&x| f64::from(x).powi(2)).sum()
}

fn db(ratio: f64) -> f64 {
    10.0 * ratio.log10()
}

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
fn silence_is_exact() {
    let silence = vec![0.0; 8_000];
    for settings in [eco(), high()] {
        let mut inverter = StreamingInverter::new(settings.clone()).unwrap();
        let (out, _) = stream(&mut inverter, &mono_target(&silence));
        assert!(out.iter().all(|&x| x == 0.0));
        let mut inverter = StreamingInverter::new(settings.in_stereo()).unwrap();
        let (mid, side) = stream(&mut inverter, &stereo_target(&silence, &silence));
        assert!(mid.iter().chain(&side).all(|&x| x == 0.0));
    }
}

#[test]
fn silence_after_sound_is_exact() {
    let mut left = noise(5, 16_000);
    left[8_000..].fill(0.0);
    let right = noise(6, 16_000);
    let right: Vec<f32> = right
        .iter()
        .zip(&left)
        .map(|(r, l)| if *l == 0.0 { 0.0 } else { *r })
        .collect();
    let target = stereo_target(&left, &right);
    for settings in [eco(), high()] {
        let mut inverter = StreamingInverter::new(settings.in_stereo()).unwrap();
        let (mid, side) = stream(&mut inverter, &target);
        assert!(energy(&mid[..8_000]) > 100.0);
        let quiet = (8_000 + FFT).next_multiple_of(HOP)..;
        assert!(
            mid[quiet.clone()]
                .iter()
                .chain(&side[quiet])
                .all(|&x| x == 0.0)
        );
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

/// Level difference in dB and real part of the coherence of left and right, in eight bands.
fn image(left: &[f32], right: &[f32]) -> Vec<(f64, f64)> {
    let (l, r) = (stft().analyse(left), stft().analyse(right));
    let bins = stft().bins();
    (0..8)
        .map(|band| {
            let (mut ll, mut rr, mut lr) = (1e-9, 1e-9, 0.0);
            for (i, (l, r)) in l.iter().zip(&r).enumerate() {
                if (i % bins) * 8 / bins == band {
                    ll += f64::from(l.norm_sqr());
                    rr += f64::from(r.norm_sqr());
                    lr += f64::from((l * r.conj()).re);
                }
            }
            (db(ll / rr), lr / (ll * rr).sqrt())
        })
        .collect()
}

fn left_right((mid, side): (Vec<f32>, Vec<f32>)) -> (Vec<f32>, Vec<f32>) {
    let left = mid.iter().zip(&side).map(|(m, s)| m + s).collect();
    let right = mid.iter().zip(&side).map(|(m, s)| m - s).collect();
    (left, right)
}

#[test]
fn the_stereo_image_is_kept() {
    let length = 32_000;
    let (a, b) = (noise(7, length), noise(8, length));
    let low = low_passed(&a, 0.1);
    let centre = texture(9, length);
    // Dark noise to the left, events in the middle, a wide bed, all at once.
    let left: Vec<f32> = (0..length)
        .map(|i| 0.8 * low[i] + centre[i] + 0.15 * a[i] + 0.1 * b[i])
        .collect();
    let right: Vec<f32> = (0..length)
        .map(|i| 0.2 * low[i] + centre[i] + 0.02 * a[i] + 0.2 * b[i])
        .collect();
    let target = stereo_target(&left, &right);
    let left_target = magnitudes(&stft().analyse(&left));
    for (settings, most) in [(eco(), -13.0), (high(), -18.0)] {
        let mut inverter = StreamingInverter::new(settings.in_stereo()).unwrap();
        let (out_left, out_right) = left_right(stream(&mut inverter, &target));
        for (band, (is, was)) in image(&out_left, &out_right)
            .iter()
            .zip(image(&left, &right))
            .enumerate()
        {
            assert!(
                (is.0 - was.0).abs() < 0.5,
                "band {band}: level difference {} dB, was {}",
                is.0,
                was.0
            );
            assert!(
                (is.1 - was.1).abs() < 0.06,
                "band {band}: coherence {}, was {}",
                is.1,
                was.1
            );
        }
        let convergence = spectral_convergence_db(&stft(), &left_target, &out_left);
        assert!(convergence < most, "left: {convergence}");
    }
}

#[test]
fn extreme_positions_are_kept() {
    let sound = texture(10, 16_000);
    let silence = vec![0.0; sound.len()];
    let inverted: Vec<f32> = sound.iter().map(|x| -x).collect();

    let (left, right) = left_right(stream(
        &mut stereo_inverter(),
        &stereo_target(&sound, &silence),
    ));
    assert!(
        db(energy(&right) / energy(&left)) < -50.0,
        "{}",
        db(energy(&right) / energy(&left))
    );
    assert!(db(energy(&left) / energy(&sound)).abs() < 0.5);

    let (left, right) = left_right(stream(
        &mut stereo_inverter(),
        &stereo_target(&silence, &sound),
    ));
    assert!(db(energy(&left) / energy(&right)) < -50.0);

    let (mid, side) = stream(&mut stereo_inverter(), &stereo_target(&sound, &inverted));
    assert!(mid.iter().all(|&x| x == 0.0), "anti-phase has no mid");
    assert!(db(energy(&side) / energy(&sound)).abs() < 0.5);

    let (mid, side) = stream(&mut stereo_inverter(), &stereo_target(&sound, &sound));
    assert!(side.iter().all(|&x| x == 0.0), "mono has no side");
    assert!(db(energy(&mid) / energy(&sound)).abs() < 0.5);
}

#[test]
fn stereo_without_a_side_is_mono() {
    let (mid, _) = mono_target(&texture(11, 12_000));
    let (mono, none) = stream(&mut mono_inverter(), &(mid.clone(), None));
    let (stereo, side) = stream(&mut stereo_inverter(), &(mid, None));
    assert!(none.iter().chain(&side).all(|&x| x == 0.0));
    let difference: Vec<f32> = mono.iter().zip(&stereo).map(|(a, b)| a - b).collect();
    assert!(db(energy(&difference) / energy(&mono)) < -40.0);
}

#[test]
fn the_same_frames_give_the_same_samples() {
    let target = stereo_target(&texture(12, 12_000), &texture(13, 12_000));
    let mut inverter = stereo_inverter();
    let first = stream(&mut inverter, &target);
    inverter.reset();
    assert_eq!(stream(&mut inverter, &target), first, "after a reset");
    assert_eq!(
        stream(&mut stereo_inverter(), &target),
        first,
        "in a new inverter"
    );
}

#[test]
fn the_frame_index_seeds_the_random_phases() {
    let target = mono_target(&padded(&texture(14, 4_000)));
    let bins = stft().bins();
    let render = |offset: i64| {
        let mut inverter = mono_inverter();
        let (mut all, mut hop) = (Vec::new(), vec![0.0; HOP]);
        for (t, mid) in target.0.chunks_exact(bins).enumerate() {
            let frame = TargetFrame {
                index: offset + t as i64,
                mid,
                side_pan: None,
            };
            inverter.push_frame(frame, &mut hop, &mut []);
            all.extend_from_slice(&hop);
        }
        all
    };
    assert_eq!(render(-5), render(-5));
    assert_ne!(render(-5), render(1_000_000));
}

#[test]
fn work_in_steps_gives_the_same_samples() {
    let (mid, side_pan) = stereo_target(&texture(15, 6_000), &texture(24, 6_000));
    let (side, pan) = side_pan.unwrap();
    let spread = noise(25, 200);
    for settings in [eco(), eco().in_stereo(), high(), high().in_stereo()] {
        let mut whole = StreamingInverter::new(settings.clone()).unwrap();
        let mut stepped = StreamingInverter::new(settings).unwrap();
        let (bins, steps) = (stepped.bins(), stepped.steps_per_frame());
        let (mut a, mut b) = (vec![0.0; 2 * HOP], vec![1.0; 2 * HOP]);
        let (a, b) = (a.split_at_mut(HOP), b.split_at_mut(HOP));
        assert!(!stepped.advance());
        stepped.finish_frame(b.0, b.1);
        assert!(
            b.0.iter().chain(&*b.1).all(|&x| x == 0.0),
            "nothing was begun"
        );
        for (t, mid) in mid.chunks_exact(bins).enumerate() {
            let span = t * bins..(t + 1) * bins;
            let frame = TargetFrame {
                index: t as i64,
                mid,
                side_pan: Some((&side[span.clone()], &pan[span])),
            };
            whole.push_frame(frame, a.0, a.1);
            stepped.begin_frame(frame);
            // Some hops get all their steps, some not.
            let wanted = ((0.5 + spread[t]).abs() * steps as f32) as usize;
            for step in 0..wanted {
                assert_eq!(stepped.advance(), step < steps);
            }
            stepped.finish_frame(b.0, b.1);
            assert_eq!(a, b, "frame {t}");
        }
    }
}

#[test]
fn every_frame_takes_the_same_steps() {
    for settings in [eco(), eco().in_stereo(), high(), high().in_stereo()] {
        let mut inverter = StreamingInverter::new(settings).unwrap();
        let steps = inverter.steps_per_frame();
        // With buffers of 16 samples a hop of 512 is 32 callbacks: none should have much more to do.
        assert!(steps >= 16, "{steps}");
        let (silence, loud) = (vec![0.0; inverter.bins()], noise(26, inverter.bins()));
        for (index, mid) in [&silence, &loud, &loud, &silence].into_iter().enumerate() {
            inverter.begin_frame(TargetFrame {
                index: index as i64,
                mid,
                side_pan: None,
            });
            let mut count = 0;
            while inverter.advance() {
                count += 1;
            }
            assert_eq!(count, steps);
        }
    }
}

#[test]
fn pushing_and_resetting_do_not_allocate() {
    let (mid, side_pan) = stereo_target(&texture(16, 12_000), &texture(17, 12_000));
    let (side, pan) = side_pan.unwrap();
    let mut inverter = StreamingInverter::new(high().in_stereo()).unwrap();
    let bins = inverter.bins();
    let (mut out_mid, mut out_side) = (vec![0.0; HOP], vec![0.0; HOP]);
    let mut push_all = || {
        for t in 0..mid.len() / bins {
            let span = t * bins..(t + 1) * bins;
            let frame = TargetFrame {
                index: t as i64,
                mid: &mid[span.clone()],
                side_pan: Some((&side[span.clone()], &pan[span])),
            };
            inverter.push_frame(frame, &mut out_mid, &mut out_side);
        }
        inverter.reset();
    };
    assert_eq!(allocations(&mut push_all) + allocations(&mut push_all), 0);
    let counted = allocations(|| drop(std::hint::black_box(vec![0u8; 100])));
    assert_eq!(counted, 2, "the counter counts");
}

#[test]
fn broken_frames_do_not_poison_later_ones() {
    let (mut mid, side_pan) = stereo_target(&texture(18, 24_000), &texture(19, 24_000));
    let (mut side, mut pan) = side_pan.unwrap();
    let clean = (mid.clone(), Some((side.clone(), pan.clone())));
    let bins = stft().bins();
    let bad = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        -1.0,
        f32::MAX,
        f32::MIN_POSITIVE,
    ];
    for i in 0..3 * bins {
        mid[50 * bins + i] = bad[i % bad.len()];
        side[52 * bins + i] = bad[(i / 3) % bad.len()];
        pan[54 * bins + i] = bad[i % bad.len()];
    }
    let broken = (mid, Some((side, pan)));
    for settings in [eco(), high()] {
        let settings = settings.in_stereo();
        let clean = stream(
            &mut StreamingInverter::new(settings.clone()).unwrap(),
            &clean,
        );
        let out = stream(&mut StreamingInverter::new(settings).unwrap(), &broken);
        assert!(out.0.iter().chain(&out.1).all(|x| x.is_finite()));
        assert_eq!(out.0[..40 * HOP], clean.0[..40 * HOP], "what was before");
        let later = 70 * HOP..24_000 - FFT;
        for (out, clean) in [(&out.0, &clean.0), (&out.1, &clean.1)] {
            let level = db(energy(&out[later.clone()]) / energy(&clean[later.clone()]));
            assert!(level.abs() < 1.0, "{level} dB after the broken frames");
        }
    }
}

#[test]
fn a_stream_of_noise_only_stays_finite() {
    for settings in [eco(), high()] {
        let mut inverter = StreamingInverter::new(settings.in_stereo()).unwrap();
        let bins = inverter.bins();
        let (mut mid, mut side) = (vec![0.0; HOP], vec![0.0; HOP]);
        for t in 0..300 {
            let values = |stream: u64| -> Vec<f32> {
                noise(1 + 3 * t + stream, bins)
                    .iter()
                    .map(|x| (x * 87.0).exp())
                    .collect()
            };
            let pan = noise(3 * t, bins);
            let (a, b) = (values(1), values(2));
            let frame = TargetFrame {
                index: t as i64,
                mid: &a,
                side_pan: Some((&b, &pan)),
            };
            inverter.push_frame(frame, &mut mid, &mut side);
            assert!(mid.iter().chain(&side).all(|x| x.is_finite()), "frame {t}");
        }
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    let base = InversionSettings::eco(FFT, HOP);
    let error = |settings| StreamingInverter::new(settings).err().unwrap().to_string();
    let message = error(InversionSettings {
        hop_size: 300,
        ..base.clone()
    });
    assert!(message.contains("300"), "{message}");
    for lookahead_frames in [0, 4] {
        let message = error(InversionSettings {
            lookahead_frames,
            ..base.clone()
        });
        assert!(
            message.contains(&lookahead_frames.to_string()) && message.contains("1 to 3"),
            "{message}"
        );
    }
    let message = error(InversionSettings {
        iterations: 1_000,
        ..base.clone()
    });
    assert!(message.contains("1000"), "{message}");
    for momentum in [-0.1, 1.5, f32::NAN] {
        let message = error(InversionSettings {
            momentum,
            ..base.clone()
        });
        assert!(message.contains(&momentum.to_string()), "{message}");
    }
    let message = error(InversionSettings::high(FFT, 0));
    assert!(message.contains('0'), "{message}");
    let shape = griffin_lim(&stft(), &[1.0; 5], 1, 0.0, 0);
    assert_eq!(
        shape,
        Err(InversionError::Shape {
            values: 5,
            bins: 257
        })
    );
    let momentum = griffin_lim(&stft(), &[], 1, f32::NAN, 0);
    assert!(matches!(momentum, Err(InversionError::Momentum { .. })));
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
