//! Elementwise functions that compilers can vectorise: no branches, no calls.

/// `exp(x)` to about two units in the last place; clamped to what `f32` holds.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    // ln 2 in two parts, the first with few bits, so that n · LN2_HIGH is exact (Cody & Waite).
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // Adding 1.5·2^23 leaves the nearest integer in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    // Taylor's series to r^6; |r| is at most ln(2)/2.
    let p = 1.0 / 720.0;
    let p = p * r + 1.0 / 120.0;
    let p = p * r + 1.0 / 24.0;
    let p = p * r + 1.0 / 6.0;
    let p = p * r + 0.5;
    let p = p * r + 1.0;
    let p = p * r + 1.0;
    let exponent = shifted
        .to_bits()
        .wrapping_sub(ROUND.to_bits())
        .wrapping_add(127)
        << 23;
    p * f32::from_bits(exponent)
}

/// `ln(1 + exp(x))`.
#[inline(always)]
pub(crate) fn softplus(x: f32) -> f32 {
    softplus_with_slope(x).0
}

/// [`softplus`], and its derivative `1 / (1 + exp(-x))`.
#[inline(always)]
pub(crate) fn softplus_with_slope(x: f32) -> (f32, f32) {
    let u = exp(-x.abs());
    // ln(1 + u) = 2 artanh(s) with s = u / (2 + u), at most a third.
    let s = u / (2.0 + u);
    let q = s * s;
    let p = 1.0 / 13.0;
    let p = p * q + 1.0 / 11.0;
    let p = p * q + 1.0 / 9.0;
    let p = p * q + 1.0 / 7.0;
    let p = p * q + 1.0 / 5.0;
    let p = p * q + 1.0 / 3.0;
    let p = p * q + 1.0;
    let above = if x < 0.0 { u } else { 1.0 };
    (x.max(0.0) + 2.0 * s * p, above / (1.0 + u))
}

/// Natural logarithm of a normal positive number, to about two units in the last place.
#[inline(always)]
pub(crate) fn ln(x: f32) -> f32 {
    const SQRT_HALF_BITS: u32 = 0x3F35_04F3;
    // Moves the mantissa to sqrt(1/2) .. sqrt(2), where the series converges fastest.
    let shifted = x.to_bits().wrapping_sub(SQRT_HALF_BITS) as i32;
    let exponent = (shifted >> 23) as f32;
    let m = f32::from_bits(((shifted & 0x007F_FFFF) as u32).wrapping_add(SQRT_HALF_BITS));
    // ln m = 2 artanh(s) with s = (m - 1) / (m + 1), at most 0.172.
    let s = (m - 1.0) / (m + 1.0);
    let q = s * s;
    let p = 1.0 / 9.0;
    let p = p * q + 1.0 / 7.0;
    let p = p * q + 1.0 / 5.0;
    let p = p * q + 1.0 / 3.0;
    let p = p * q + 1.0;
    exponent * std::f32::consts::LN_2 + 2.0 * s * p
}

/// `cos(2π·turns)` for `turns` within 0..1.
#[inline(always)]
pub(crate) fn cos_turns(turns: f32) -> f32 {
    // cos(2πx) = sin(2π(|x - 1/2| - 1/4)): an odd series over a quarter turn either side.
    let x = ((turns - 0.5).abs() - 0.25) * std::f32::consts::TAU;
    let q = x * x;
    let p = -1.0 / 39_916_800.0;
    let p = p * q + 1.0 / 362_880.0;
    let p = p * q - 1.0 / 5_040.0;
    let p = p * q + 1.0 / 120.0;
    let p = p * q - 1.0 / 6.0;
    let p = p * q + 1.0;
    x * p
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_double_precision() {
        for i in -860..=860 {
            let x = i as f32 * 0.1003;
            let truth = f64::from(x).exp();
            if truth < 1e38 {
                assert!((f64::from(exp(x)) / truth - 1.0).abs() < 4e-7, "exp({x})");
            }
            let truth = f64::from(x).exp().ln_1p();
            let error = (f64::from(softplus(x)) - truth).abs();
            assert!(
                error < 4e-7 * truth.max(1.0),
                "softplus({x}) is off by {error}"
            );
            let truth = 1.0 / (1.0 + (-f64::from(x)).exp());
            let slope = softplus_with_slope(x).1;
            assert!((f64::from(slope) - truth).abs() < 4e-7, "slope at {x}");
        }
        for i in 1..10_000 {
            let x = (i as f32 * 1e-3).powi(5);
            let truth = f64::from(x).ln();
            let error = (f64::from(ln(x)) - truth).abs();
            assert!(
                error < 3e-7 * truth.abs().max(1.0),
                "ln({x}) is off by {error}"
            );
            let turns = i as f32 * 1e-4;
            let truth = (std::f64::consts::TAU * f64::from(turns)).cos();
            let error = (f64::from(cos_turns(turns)) - truth).abs();
            assert!(error < 4e-7, "cos_turns({turns}) is off by {error}");
        }
    }
}
