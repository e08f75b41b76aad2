//! A capture to features, and the constants of its front end measured on the way.

use super::fine_structure::FineStructure;
use super::front_end::{Constants, FrontEnd};
use super::layout::{Layout, fft_size_for};
use super::sides::Sides;
use super::stereo::pan_index;
use super::{Complex32, SpectrumError};
use crate::clip::{Clip, Image};
use crate::numeric::moments::{ColumnMoments, to_single};

/// Level of the equalised spectrum's root mean square: `log1p`'s useful range is the same everywhere.
const EQUALISED_LEVEL: f32 = 14.0;
/// The equaliser amplifies no region by more than 80 dB over the loudest.
const EQUALISER_RANGE: f32 = 1e-4;
/// Side energy below this against mid, in dB, is no stereo.
const MONO_BELOW_DB: f64 = -40.0;
/// Bound of the fine structure's depth.
const DEPTH_MAX: f32 = 1.3;
/// Log magnitudes below this have the slope of this one: bins that are all but silent have hardly any, and
/// their residual would be divided by nothing.
const LEAST_LOG_MAGNITUDE: f32 = 0.02;
/// Root mean square that captures are normalised to before analysis.
const ANALYSIS_RMS: f64 = 0.1;
/// Frames of white noise from which the fine structure's own deviation is measured, and their seed.
const NOISE_FRAMES: i64 = 200;
const NOISE_SEED: u32 = 1;
/// A capture must hold this many frames' lengths for its statistics to mean anything.
const LEAST_FRAME_LENGTHS: usize = 8;

/// The features of a capture: `frames × width`, row-major. Column `channel · bands + band`.
#[derive(Clone, Debug)]
pub struct Features {
    /// The values.
    pub data: Vec<f32>,
    /// Columns.
    pub width: usize,
}

impl Features {
    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.data.len() / self.width
    }

    /// One frame.
    pub fn frame(&self, t: usize) -> &[f32] {
        &self.data[t * self.width..(t + 1) * self.width]
    }
}

impl FrontEnd {
    /// Measures a capture and returns its features.
    ///
    /// # Errors
    /// [`SpectrumError::TooShort`] if the capture is shorter than eight frames' lengths.
    pub fn analyse(clip: &Clip) -> Result<(Self, Features), SpectrumError> {
        let sample_rate = clip.sample_rate();
        let least = LEAST_FRAME_LENGTHS * fft_size_for(f64::from(sample_rate));
        if clip.len() < least {
            return Err(SpectrumError::TooShort {
                samples: clip.len(),
                least,
                sample_rate,
            });
        }
        let channels = clip.centred_channels();
        let (layout, sound, spectra) = lay_out(sample_rate, &channels)?;
        let rms = rms(&layout, &spectra);
        let equaliser = equaliser(&layout, &rms);
        let planes = Planes::new(&layout, &spectra, &equaliser);
        let constants = Constants {
            analysis_gain: sound.gain,
            depth: depth(&layout, &rms, &planes),
            equaliser,
            rms,
            mean_full: planes.mean_full,
            mean_band: planes.mean_band,
        };
        let features = Features {
            data: planes.banded,
            width: layout.feature_width(),
        };
        Ok((Self::from_parts(layout, constants), features))
    }
}

/// The layout of a capture of `channels` without offset at its image, what is analysed of it, and its spectra.
fn lay_out(
    sample_rate: u32,
    channels: &[Vec<f32>],
) -> Result<(Layout, MidSide, Vec<Vec<Complex32>>), SpectrumError> {
    let at = |image: Image| {
        let sound = MidSide::new(image.sources(channels.to_vec()));
        let layout = Layout::new(sample_rate, channels.len(), sound.is_stereo())?.at_image(image);
        let spectra = sound.spectra(&layout);
        Ok((layout, sound, spectra))
    };
    let image = Image::of(channels);
    let laid_out = at(image)?;
    let (layout, _, spectra) = &laid_out;
    let [mid, side] = spectra.as_slice() else {
        return Ok(laid_out);
    };
    match Sides::of([mid, side], layout.bins()).image() {
        // What was inverted before it was measured is so where it was recorded.
        Some(apart) => at(apart.within(image)),
        None => Ok(laid_out),
    }
}

/// A capture without offset and at [`ANALYSIS_RMS`], as mid and side of what is analysed at its image.
struct MidSide {
    mid: Vec<f32>,
    side: Vec<f32>,
    /// What the capture was multiplied by.
    gain: f32,
}

impl MidSide {
    /// Of the sources at the capture's image.
    fn new(channels: Vec<Vec<f32>>) -> Self {
        let samples = channels.iter().map(Vec::len).sum::<usize>() as f64;
        let energy = energy(channels.iter().flatten());
        let gain = (ANALYSIS_RMS / ((energy / samples).sqrt() + 1e-9)) as f32;
        let (left, right) = (&channels[0], &channels[channels.len() - 1]);
        let half = 0.5 * gain;
        let pairs = || left.iter().zip(right);
        Self {
            mid: pairs().map(|(l, r)| (l + r) * half).collect(),
            side: pairs().map(|(l, r)| (l - r) * half).collect(),
            gain,
        }
    }

    /// Whether the side is loud enough to be heard.
    fn is_stereo(&self) -> bool {
        let (mid, side) = (energy(&self.mid), energy(&self.side));
        let side_db = 10.0 * (side / (mid + 1e-12) + 1e-12).log10();
        side_db > MONO_BELOW_DB
    }

    /// Spectra of all frames, `frames × bins` for each magnitude channel.
    fn spectra(&self, layout: &Layout) -> Vec<Vec<Complex32>> {
        [&self.mid, &self.side][..layout.magnitude_channels()]
            .iter()
            .map(|x| layout.stft().analyse(x))
            .collect()
    }
}

fn energy<'a>(samples: impl IntoIterator<Item = &'a f32>) -> f64 {
    let squares = samples.into_iter().map(|&v| f64::from(v).powi(2));
    squares.sum::<f64>()
}

/// Root mean square of the magnitudes, `[magnitude channels × bins]`.
fn rms(layout: &Layout, spectra: &[Vec<Complex32>]) -> Vec<f32> {
    let bins = layout.bins();
    let mut out = Vec::with_capacity(spectra.len() * bins);
    for spectrum in spectra {
        let mut energy = vec![0.0f64; bins];
        for frame in spectrum.chunks_exact(bins) {
            for (e, z) in energy.iter_mut().zip(frame) {
                *e += f64::from(z.norm_sqr());
            }
        }
        let frames = (spectrum.len() / bins) as f64;
        out.extend(energy.iter().map(|e| (e / frames).sqrt() as f32));
    }
    out
}

/// `c` in `log1p(c·|X|)`, `[magnitude channels × bins]`: over the capture's level, smoothed over half an octave.
fn equaliser(layout: &Layout, rms: &[f32]) -> Vec<f32> {
    let bins = layout.bins();
    let mut smooth = Vec::with_capacity(rms.len());
    for rms in rms.chunks_exact(bins) {
        for k in 0..bins {
            // From 0.84 to 1.19 of the bin's frequency: half an octave.
            let low = ((k as f64 * 0.84) as usize).saturating_sub(2);
            let high = ((k as f64 * 1.19) as usize + 3).min(bins);
            let part = &rms[low..high];
            let log = part.iter().map(|&v| (v + 1e-9).ln()).sum::<f32>() / part.len() as f32;
            smooth.push(log.exp());
        }
    }
    // Of mid: side is measured against it.
    let loudest = smooth[..bins].iter().copied().fold(0.0f32, f32::max);
    let floor = (loudest * EQUALISER_RANGE).max(1e-9);
    smooth
        .iter()
        .map(|s| EQUALISED_LEVEL / s.max(floor))
        .collect()
}

/// Log magnitudes (and the pan index) of all frames, at full resolution and banded, and their means.
struct Planes {
    /// `frames × [feature channels × bins]`.
    full: Vec<f32>,
    /// `frames × [feature channels × bands]`.
    banded: Vec<f32>,
    mean_full: Vec<f32>,
    mean_band: Vec<f32>,
}

impl Planes {
    fn new(layout: &Layout, spectra: &[Vec<Complex32>], equaliser: &[f32]) -> Self {
        let (bins, count) = (layout.bins(), layout.bands().count());
        let frames = spectra[0].len() / bins;
        let (wide, width) = (layout.feature_channels() * bins, layout.feature_width());
        let mut full = vec![0.0f32; frames * wide];
        let mut banded = vec![0.0f32; frames * width];
        let (mut full_moments, mut band_moments) =
            (ColumnMoments::new(wide), ColumnMoments::new(width));
        let rows = full.chunks_exact_mut(wide);
        for (t, (row, banded)) in rows.zip(banded.chunks_exact_mut(width)).enumerate() {
            let frame = |channel: usize| &spectra[channel][t * bins..(t + 1) * bins];
            let planes = row.chunks_exact_mut(bins).zip(equaliser.chunks_exact(bins));
            for (channel, (plane, equaliser)) in planes.enumerate() {
                for ((x, z), c) in plane.iter_mut().zip(frame(channel)).zip(equaliser) {
                    *x = (z.norm() * c).ln_1p();
                }
            }
            if layout.has_pan() {
                let pan = &mut row[layout.magnitude_channels() * bins..];
                for (pan, (&mid, &side)) in pan.iter_mut().zip(frame(0).iter().zip(frame(1))) {
                    *pan = pan_index(mid, side);
                }
            }
            let planes = row.chunks_exact(bins).zip(banded.chunks_exact_mut(count));
            for (plane, banded) in planes {
                layout.bands().pool_into(plane, banded);
            }
            full_moments.add(row.iter().copied());
            band_moments.add(banded.iter().copied());
        }
        Self {
            full,
            banded,
            mean_full: to_single(&full_moments.means()),
            mean_band: to_single(&band_moments.means()),
        }
    }
}

/// How strong the fine structure of white noise must be to deviate as much as the capture's own residual does,
/// `[feature channels × bins]`.
fn depth(layout: &Layout, rms: &[f32], planes: &Planes) -> Vec<f32> {
    let bins = layout.bins();
    let (fc, mc) = (layout.feature_channels(), layout.magnitude_channels());
    let (mut depth, slopes) = residual(layout, planes);
    let white = noise_deviations(layout, rms);
    for c in 0..fc {
        for k in 0..bins {
            let (slope, noise) = if c < mc {
                // Mid and side share one scale of white noise.
                let sum = (0..mc).map(|c| white[c * bins + k]).sum::<f32>();
                (slopes[c * bins + k], sum / mc as f32)
            } else {
                // The pan index has its own.
                (1.0, white[c * bins + k])
            };
            let depth = &mut depth[c * bins + k];
            *depth = (*depth / (slope * noise + 1e-6)).min(DEPTH_MAX);
            // A band of one bin loses nothing.
            if k < layout.bands().direct() {
                *depth = 0.0;
            }
        }
    }
    depth
}

/// Deviations of what banding loses of the capture, `[feature channels × bins]`, and the root mean square slope
/// of its log magnitudes `log1p(cA)` over `log A`, `[magnitude channels × bins]`.
fn residual(layout: &Layout, planes: &Planes) -> (Vec<f32>, Vec<f32>) {
    let (bins, count) = (layout.bins(), layout.bands().count());
    let (fc, mc) = (layout.feature_channels(), layout.magnitude_channels());
    let mut residual = ColumnMoments::new(fc * bins);
    let mut slope_square = vec![0.0f64; mc * bins];
    let (mut offset, mut spread) = (vec![0.0f32; count], vec![0.0f32; fc * bins]);
    let rows = planes.full.chunks_exact(fc * bins);
    for (row, banded) in rows.zip(planes.banded.chunks_exact(fc * count)) {
        let channels = banded
            .chunks_exact(count)
            .zip(planes.mean_band.chunks_exact(count));
        for ((banded, means), spread) in channels.zip(spread.chunks_exact_mut(bins)) {
            for ((o, b), m) in offset.iter_mut().zip(banded).zip(means) {
                *o = b - m;
            }
            layout.bands().spread_into(&offset, spread);
        }
        let values = row.iter().zip(&planes.mean_full).zip(&spread);
        residual.add(values.map(|((x, m), s)| x - (m + s)));
        for (q, &x) in slope_square.iter_mut().zip(row) {
            *q += f64::from(1.0 - (-x.max(LEAST_LOG_MAGNITUDE)).exp()).powi(2);
        }
    }
    let frames = residual.count() as f64;
    let slopes = slope_square.iter().map(|q| (q / frames).sqrt() as f32);
    (to_single(&residual.deviations()), slopes.collect())
}

/// Deviations of the fine structure of white noise itself, `[feature channels × bins]`.
fn noise_deviations(layout: &Layout, rms: &[f32]) -> Vec<f32> {
    let channels = layout.feature_channels();
    let mut moments = ColumnMoments::new(channels * layout.bins());
    let mut fine = FineStructure::new(layout);
    for t in 0..NOISE_FRAMES {
        fine.advance_to(layout, rms, NOISE_SEED, t);
        moments.add(fine.planes()[..channels].iter().flatten().copied());
    }
    to_single(&moments.deviations())
}
