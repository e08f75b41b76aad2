//! What an inversion keeps of the stereo image.

mod support;

use weft_core::inversion::{StreamingInverter, spectral_convergence_db};

use support::inversion::{
    db, eco, energy, high, low_passed, magnitudes, mono_inverter, mono_target, noise,
    stereo_inverter, stereo_target, stft, stream, texture,
};

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
