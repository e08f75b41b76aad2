//! Mid and side, and where a sound lies between left and right.

use super::Complex32;

/// Keeps the pan index of silence at 0; far below the energy of any bin that is heard.
const LEAST_ENERGY: f32 = 1e-9;

/// Pan index of one bin, `2·Re(M·S*) / (|M|² + |S|²)`, in −1 (right) to 1 (left) but for rounding; 0 in
/// silence.
///
/// With `M = (L + R)/2` and `S = (L − R)/2` this is `(|L|² − |R|²) / (|L|² + |R|²)`. Bins whose energy comes
/// near 10⁻⁹, 100 dB below a bin of white noise at a front end's level of analysis, are drawn to the middle.
pub fn pan_index(mid: Complex32, side: Complex32) -> f32 {
    2.0 * (mid * side.conj()).re / (mid.norm_sqr() + side.norm_sqr() + LEAST_ENERGY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pan_index_is_the_level_difference_of_left_and_right() {
        let (l, r) = (Complex32::new(0.3, -0.8), Complex32::new(-0.1, 0.4));
        let expected = (l.norm_sqr() - r.norm_sqr()) / (l.norm_sqr() + r.norm_sqr());
        assert!((pan_index((l + r) * 0.5, (l - r) * 0.5) - expected).abs() < 1e-6);
        assert_eq!(pan_index(Complex32::default(), Complex32::default()), 0.0);
    }
}
