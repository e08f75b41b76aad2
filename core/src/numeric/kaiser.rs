//! The Kaiser window, which both resampling filters are cut with.

/// Modified Bessel function of the first kind, order 0, by its power series `Σ ((x/2)^k / k!)²`: exact to
/// rounding for the arguments up to 20 that windows have.
pub(crate) fn bessel_i0(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..50 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}

/// The window of shape `beta` at `position`, -1 to 1 from end to end, without a scale (Kaiser 1974):
/// `I₀(β √(1 − position²))`.
pub(crate) fn kaiser(position: f64, beta: f64) -> f64 {
    bessel_i0(beta * (1.0 - position * position).max(0.0).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bessel_function_has_its_tabulated_values() {
        for (x, expected) in [
            (0.0, 1.0),
            (1.0, 1.266_065_877_752_008_4),
            (5.0, 27.239_871_823_604_442),
            (9.0, 1_093.588_354_511_374_6),
        ] {
            let error = bessel_i0(x) / expected - 1.0;
            assert!(error.abs() < 1e-14, "{x}: off by {error}");
        }
    }

    /// Scores were taken with a series of 30 terms, summed as `x/2 / k`.
    #[test]
    fn the_series_of_the_scores_is_the_same_to_the_bit() {
        let short = |x: f64| {
            let (mut term, mut sum) = (1.0, 1.0);
            for k in 1..30 {
                term *= (0.5 * x / f64::from(k)).powi(2);
                sum += term;
            }
            sum
        };
        for i in 0..=10_000 {
            let x = f64::from(i) * 9e-4;
            assert_eq!(bessel_i0(x).to_bits(), short(x).to_bits(), "{x}");
        }
    }

    #[test]
    fn the_window_falls_from_its_middle_to_one() {
        assert_eq!(kaiser(0.0, 5.0), bessel_i0(5.0));
        assert_eq!([kaiser(1.0, 5.0), kaiser(-1.0, 5.0)], [1.0, 1.0]);
        assert!(kaiser(0.3, 5.0) > kaiser(0.4, 5.0));
    }
}
