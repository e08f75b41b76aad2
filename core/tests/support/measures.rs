//! Measures of sound, one channel at a time.

/// Root mean square.
pub fn rms(x: &[f32]) -> f32 {
    (x.iter().map(|v| v * v).sum::<f32>() / x.len() as f32).sqrt()
}

/// Largest magnitude.
pub fn peak(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |p, v| p.max(v.abs()))
}

/// A ratio of amplitudes in dB.
pub fn db(ratio: f32) -> f32 {
    20.0 * ratio.log10()
}

/// Largest difference of neighbouring samples: a click stands out here.
pub fn largest_step(x: &[f32]) -> f32 {
    x.windows(2).fold(0.0, |m, w| m.max((w[1] - w[0]).abs()))
}

/// How often the sound rises through zero: the periods of a tone.
pub fn rising_crossings(x: &[f32]) -> usize {
    let pairs = x.windows(2);
    pairs.filter(|w| w[0] < 0.0 && w[1] >= 0.0).count()
}

/// Frequency in Hz of the strongest tone within 48 cents of `around_hz`, in steps of 0.12 cents.
pub fn frequency(x: &[f32], sample_rate: f64, around_hz: f64) -> f64 {
    // Correlation with a windowed complex tone.
    let n = x.len();
    let power = |hz: f64| {
        let (mut re, mut im) = (0.0f64, 0.0f64);
        for (i, &v) in x.iter().enumerate() {
            let window = 0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / n as f64).cos();
            let angle = std::f64::consts::TAU * hz * i as f64 / sample_rate;
            re += f64::from(v) * window * angle.cos();
            im += f64::from(v) * window * angle.sin();
        }
        re * re + im * im
    };
    let strongest = (-400..=400)
        .map(|i| around_hz * (f64::from(i) * 0.0001).exp2())
        .max_by(|a, b| power(*a).total_cmp(&power(*b)));
    strongest.unwrap()
}
