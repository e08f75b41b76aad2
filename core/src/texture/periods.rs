//! Periods of a capture: how fast it ticks, chirps or clatters.
//!
//! Analysis alone: it runs where a fit or a score is made, never on the audio thread.

use realfft::RealFftPlanner;

use crate::spectrum::hann_window;

/// Shortest period that is looked for, in seconds.
const SHORTEST_S: f64 = 0.06;
/// Longest period that is looked for, in seconds.
const LONGEST_S: f64 = 2.0;
/// Least height and prominence of a peak of the autocorrelation.
const LEAST_PEAK: f64 = 0.1;
/// At most so many unrelated periods.
const MOST_PERIODS: usize = 3;
/// A peak this high, as a part of the highest, is as strong as it.
const AS_STRONG: f64 = 0.92;
/// A period is related to another if their ratio is this near to a whole number.
const RELATED: f64 = 0.06;
/// Least overlap that is made up for, as a part of all frames.
const LEAST_OVERLAP: f64 = 0.2;

/// A period and how strongly the envelope repeats after it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Period {
    /// Length in frames.
    pub frames: f64,
    /// Normalised autocorrelation there, up to about 1.
    pub strength: f64,
}

/// Periods of a spectrogram of `width` bands (`frames × width`, row-major) at `frame_rate` frames per
/// second, from the autocorrelation of its spectral flux and of its level. The first is the shortest of
/// those about as strong as the strongest; the others follow by strength.
///
/// Empty for a spectrogram of less than two seconds, or without peaks.
///
/// # Examples
/// ```
/// use weft_core::texture::find_periods;
///
/// // Two bands for six seconds, with a beat every 25 frames.
/// let frame = |t: usize| if t % 25 < 2 { [1.0, 0.5] } else { [0.1, 0.1] };
/// let bands: Vec<f32> = (0..600).flat_map(frame).collect();
/// let periods = find_periods(&bands, 2, 100.0);
/// assert!((periods[0].frames - 25.0).abs() < 0.1);
/// assert!(periods[0].strength > 0.8);
/// ```
pub fn find_periods(bands: &[f32], width: usize, frame_rate: f64) -> Vec<Period> {
    let rows: Vec<&[f32]> = bands.chunks_exact(width).collect();
    let n = rows.len().saturating_sub(1);
    let half_window = frame_rate as usize;
    if n < 2 * half_window || n < 8 {
        return Vec::new();
    }
    let total = repetition(&rows, half_window);
    let low = (SHORTEST_S * frame_rate) as usize;
    let high = ((LONGEST_S * frame_rate) as usize).min(n - 2);
    let peaks: Vec<usize> = peaks(&total[..high])
        .into_iter()
        .filter(|&i| i >= low.max(1))
        .collect();
    let mut found = unrelated(&total, &peaks);
    found.truncate(MOST_PERIODS);
    for period in &mut found {
        period.frames = refine(&total, *period);
    }
    found
}

/// How strongly a spectrogram repeats after every number of frames: the normalised autocorrelations of its
/// flux and of its level, half of each.
fn repetition(rows: &[&[f32]], half_window: usize) -> Vec<f64> {
    let rises = |p: &[&[f32]]| {
        p[0].iter()
            .zip(p[1])
            .map(|(a, b)| f64::from((b - a).max(0.0)))
            .sum()
    };
    let flux: Vec<f64> = rows.windows(2).map(rises).collect();
    let level: Vec<f64> = rows[1..]
        .iter()
        .map(|r| r.iter().map(|&x| f64::from(x)).sum())
        .collect();
    let n = flux.len();
    let mut total = vec![0.0f64; n];
    for mut signal in [flux, level] {
        remove_trend(&mut signal, half_window);
        let ac = autocorrelation(&signal);
        for (lag, (t, a)) in total.iter_mut().zip(&ac).enumerate() {
            // The shrinking overlap is made up for, but not beyond a fifth.
            let overlap = ((n - lag) as f64).max(n as f64 * LEAST_OVERLAP);
            *t += 0.5 * a / (ac[0] + 1e-12) * n as f64 / overlap;
        }
    }
    total
}

/// The periods at these peaks, but multiples and parts of those before them: the shortest of the strongest
/// first, the others by strength.
fn unrelated(total: &[f64], peaks: &[usize]) -> Vec<Period> {
    let Some(strongest) = peaks.iter().map(|&i| total[i]).reduce(f64::max) else {
        return Vec::new();
    };
    let first = peaks
        .iter()
        .copied()
        .find(|&i| total[i] > AS_STRONG * strongest)
        .unwrap_or(peaks[0]);
    let mut found = vec![Period {
        frames: vertex(total, first),
        strength: total[first],
    }];
    let mut by_strength = peaks.to_vec();
    by_strength.sort_by(|&a, &b| total[b].total_cmp(&total[a]));
    for i in by_strength {
        let at = vertex(total, i);
        let related = |p: &Period| {
            let ratio = at / p.frames;
            (ratio - ratio.round_ties_even()).abs() <= RELATED
        };
        if !found.iter().any(related) {
            found.push(Period {
                frames: at,
                strength: total[i],
            });
        }
    }
    found
}

/// Subtracts a moving average of `2·half_window + 1` points with a Hann weight, mirrored at the ends.
fn remove_trend(signal: &mut [f64], half_window: usize) {
    let n = signal.len();
    let kernel: Vec<f64> = hann_window(2 * half_window)
        .into_iter()
        .map(f64::from)
        .collect();
    let sum: f64 = kernel.iter().sum();
    let at = |i: isize| {
        let i = i.unsigned_abs();
        if i < n { i } else { 2 * (n - 1) - i }
    };
    let trend: Vec<f64> = (0..n as isize)
        .map(|t| {
            // The window's first point is zero, as its missing last one would be.
            let weighted =
                |(j, w): (usize, &f64)| w * signal[at(t + j as isize - half_window as isize)];
            kernel.iter().enumerate().map(weighted).sum::<f64>() / sum
        })
        .collect();
    for (x, m) in signal.iter_mut().zip(trend) {
        *x -= m;
    }
}

fn autocorrelation(signal: &[f64]) -> Vec<f64> {
    let n = signal.len();
    let mut planner = RealFftPlanner::<f64>::new();
    let (forward, inverse) = (
        planner.plan_fft_forward(2 * n),
        planner.plan_fft_inverse(2 * n),
    );
    let mut padded = signal.to_vec();
    padded.resize(2 * n, 0.0);
    let mut spectrum = forward.make_output_vec();
    forward
        .process(&mut padded, &mut spectrum)
        .expect("planned lengths");
    for z in &mut spectrum {
        *z = (z.norm_sqr() / (2 * n) as f64).into();
    }
    inverse
        .process(&mut spectrum, &mut padded)
        .expect("planned lengths");
    padded.truncate(n);
    padded
}

/// Local maxima of at least [`LEAST_PEAK`], as prominent as that.
fn peaks(x: &[f64]) -> Vec<usize> {
    let is_peak = |&i: &usize| x[i] > x[i - 1] && x[i] >= x[i + 1] && x[i] >= LEAST_PEAK;
    let prominent = |&i: &usize| {
        // The lowest point on either side before something higher.
        let left = x[..i].iter().rev().take_while(|&&v| v <= x[i]);
        let right = x[i + 1..].iter().take_while(|&&v| v <= x[i]);
        let lowest = |side: &mut dyn Iterator<Item = &f64>| side.fold(x[i], |m, &v| m.min(v));
        let base = lowest(&mut left.into_iter()).max(lowest(&mut right.into_iter()));
        x[i] - base >= LEAST_PEAK
    };
    (1..x.len().saturating_sub(1))
        .filter(is_peak)
        .filter(prominent)
        .collect()
}

/// Where a parabola through the point and its neighbours has its top.
fn vertex(x: &[f64], i: usize) -> f64 {
    let (a, b, c) = (x[i - 1], x[i], x[i + 1]);
    let curvature = a - 2.0 * b + c;
    let shift = if curvature == 0.0 {
        0.0
    } else {
        0.5 * (a - c) / curvature
    };
    i as f64 + shift.clamp(-0.5, 0.5)
}

/// Multiples of a period measure it more finely.
fn refine(total: &[f64], period: Period) -> f64 {
    let mut best = period.frames;
    for multiple in 2..9 {
        let reach = ((0.03 * best) as usize).max(2);
        let centre = (best * f64::from(multiple)).round_ties_even() as usize;
        if (centre + reach + 2) as f64 >= total.len() as f64 * 0.75 || centre < reach {
            break;
        }
        let range = centre - reach..=centre + reach;
        let top = range
            .clone()
            .rev()
            .max_by(|&a, &b| total[a].total_cmp(&total[b]))
            .unwrap_or(centre);
        if total[top] <= 0.5 * period.strength {
            break;
        }
        best = vertex(total, top) / f64::from(multiple);
    }
    best
}
