//! Mid and side of one sound: what their magnitudes and the pan index say of the phase between them.

use super::units::unit_or;
use crate::spectrum::Complex32;

/// Mid and side magnitudes for which a pan index exists: no pair of spectra has
/// `|pan| > 2·mid·side / (mid² + side²)`. Where it is so, energy and pan are kept, and mid and side move.
#[inline(always)]
pub(crate) fn feasible(mid: f32, side: f32, pan: f32) -> (f32, f32) {
    let energy = mid * mid + side * side;
    let bad = pan.abs() * energy > 2.0 * mid * side;
    let root = (1.0 - pan * pan).max(0.0).sqrt();
    let large = (0.5 * energy * (1.0 + root)).sqrt();
    let small = (0.5 * energy * (1.0 - root)).max(0.0).sqrt();
    let (loud, quiet) = if mid >= side {
        (large, small)
    } else {
        (small, large)
    };
    (if bad { loud } else { mid }, if bad { quiet } else { side })
}

/// Half of the angle between mid and side, as a unit: `exp(i·θ/2)` with
/// `cos θ = pan·(mid² + side²) / (2·mid·side)`, θ in 0..π.
#[inline(always)]
pub(super) fn half_angle(mid: f32, side: f32, pan: f32) -> Complex32 {
    let product = 2.0 * mid * side;
    let ratio = pan * (mid * mid + side * side) / if product > 0.0 { product } else { 1.0 };
    let cosine = if product > 0.0 {
        ratio.clamp(-1.0, 1.0)
    } else {
        0.0
    };
    Complex32::new(
        (0.5 + 0.5 * cosine).sqrt(),
        (0.5 - 0.5 * cosine).max(0.0).sqrt(),
    )
}

/// Phases, as units, of mid and side nearest to the estimates `m` and `s`, with the angle between
/// them fixed to ±`2·arg(half)`; the sign is the estimates' own. `fallback` holds where they have no
/// direction.
#[inline(always)]
pub(super) fn joint_phases(
    m: Complex32,
    s: Complex32,
    mid: f32,
    side: f32,
    half: Complex32,
    fallback: (Complex32, Complex32),
) -> (Complex32, Complex32) {
    let cross = m.im * s.re - m.re * s.im;
    let turn = Complex32::new(half.re, if cross >= 0.0 { half.im } else { -half.im });
    // Least squares over both channels, each weighted with its magnitude.
    let common = m * turn.conj() * mid + s * turn * side;
    let unit = unit_or(common, fallback.0 * turn.conj());
    (unit * turn, unit * turn.conj())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spectrum::pan_index;

    #[test]
    fn infeasible_pans_keep_energy_and_pan() {
        for (mid, side, pan) in [
            (1.0, 0.1, 0.9),
            (0.2, 3.0, -0.7),
            (0.0, 1.0, 0.5),
            (2.0, 0.0, 1.0),
        ] {
            let (m, s) = feasible(mid, side, pan);
            let energy = mid * mid + side * side;
            assert!((m * m + s * s - energy).abs() < 1e-5 * energy);
            assert!(
                (2.0 * m * s / energy - f32::abs(pan)).abs() < 1e-5,
                "{m} {s} {pan}"
            );
            assert_eq!(m >= s, mid >= side);
        }
        assert_eq!(feasible(1.0, 0.5, 0.3), (1.0, 0.5));
    }

    #[test]
    fn joint_phases_restore_the_spectra_they_came_from() {
        let (m, s) = (Complex32::new(0.7, 0.2), Complex32::new(-0.3, 0.5));
        for s in [s, s.conj()] {
            let half = half_angle(m.norm(), s.norm(), pan_index(m, s));
            let one = Complex32::new(1.0, 0.0);
            let (pm, ps) = joint_phases(m, s, m.norm(), s.norm(), half, (one, one));
            assert!((pm * m.norm() - m).norm() < 1e-4, "{pm}");
            assert!((ps * s.norm() - s).norm() < 1e-4, "{ps}");
        }
    }
}
