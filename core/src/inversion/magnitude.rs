//! Magnitudes that every step can trust.

/// Magnitudes above this (a full-scale sine in a frame of 2^15 samples has 2^13) are limited to it, so
/// that squares of their products stay finite.
const MAX_MAGNITUDE: f32 = 1e7;
/// Magnitudes below this (more than 180 dB under a quiet recording's noise) are silence.
const MIN_MAGNITUDE: f32 = 1e-10;

/// A magnitude that is finite, not negative, and within the limits above.
#[inline(always)]
pub(super) fn sanitised(magnitude: f32) -> f32 {
    // NaN is in no range; infinity is a broken value as well, not a loud one.
    if (MIN_MAGNITUDE..f32::INFINITY).contains(&magnitude) {
        magnitude.min(MAX_MAGNITUDE)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sanitised_magnitudes_are_finite_and_not_negative() {
        for bad in [
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            -1.0,
            1e-30,
            -0.0,
        ] {
            assert_eq!(sanitised(bad), 0.0, "{bad}");
        }
        assert_eq!(sanitised(2.5), 2.5);
        assert_eq!(sanitised(1e30), MAX_MAGNITUDE);
    }
}
