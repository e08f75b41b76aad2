//! A stream of frames through an inverter: exact silence, the same samples however the work is cut, no
//! allocations, and broken frames.

mod support;

use weft_core::inversion::{
    InversionError, InversionSettings, StreamingInverter, TargetFrame, griffin_lim,
};

use support::allocator::allocations;
use support::inversion::{
    FFT, HOP, db, eco, energy, high, mono_inverter, mono_target, noise, padded, stereo_inverter,
    stereo_target, stft, stream, texture,
};

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
