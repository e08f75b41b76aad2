//! Two-dimensional convolutions over time and frequency, forward and backward, with weights whose largest
//! singular value is known.

use crate::numeric::linalg::{View, multiply};
use crate::numeric::random::Sequence;

/// Rounds of power iteration on fresh weights: the estimate is then within a few hundredths.
const FIRST_ROUNDS: usize = 10;
/// Places whose patches are laid out at once: they stay in a core's own cache.
const CHUNK_PLACES: usize = 1_024;

/// Values of some channels at every place of a plane: a row for each place, band after band of a time, time
/// after time.
#[derive(Clone, Debug, Default)]
pub(super) struct Plane {
    pub times: usize,
    pub bands: usize,
    pub channels: usize,
    pub values: Vec<f32>,
}

impl Plane {
    pub fn zeros(times: usize, bands: usize, channels: usize) -> Self {
        Self {
            times,
            bands,
            channels,
            values: vec![0.0; times * bands * channels],
        }
    }

    /// Zeros in the same shape.
    pub fn zeros_like(&self) -> Self {
        Self::zeros(self.times, self.bands, self.channels)
    }
}

/// How a convolution goes over a plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    /// Times and bands that it sees at once.
    pub kernel: (usize, usize),
    /// Places from one result to the next, either way.
    pub stride: usize,
    /// Bands of zeros that are put at either end, fewer than the kernel has. Times are never made up.
    pub margin: usize,
    /// Channels of the plane.
    pub inputs: usize,
    /// Channels of the result.
    pub outputs: usize,
}

impl Layout {
    /// Times and bands of the result for a plane of so many.
    pub fn result(&self, times: usize, bands: usize) -> (usize, usize) {
        let count = |length: usize, kernel: usize| {
            (length + self.stride).saturating_sub(kernel) / self.stride
        };
        (
            count(times, self.kernel.0),
            count(bands + 2 * self.margin, self.kernel.1),
        )
    }

    /// Values of a patch: channels of bands of times.
    pub fn patch(&self) -> usize {
        self.kernel.0 * self.kernel.1 * self.inputs
    }
}

/// A convolution whose weights are used at a fixed gain: `gain / σ · W`, where `σ` is the largest singular
/// value of `W` (spectral normalization: Miyato et al. 2018, section 2.1).
#[derive(Clone, Debug)]
pub struct Convolution {
    layout: Layout,
    /// `kernel · inputs × outputs`.
    weights: Vec<f32>,
    bias: Vec<f32>,
    /// Estimate of the right singular vector that goes with the largest singular value.
    direction: Vec<f32>,
    /// What the weights are multiplied by when they are used, and what comes of it.
    factor: f32,
    used: Vec<f32>,
}

/// Gradients by the weights and the bias of a convolution.
#[derive(Clone, Debug, Default)]
pub(super) struct ConvolutionGradient {
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
}

/// One place of the result whose patch is laid out: where in the plane its runs of bands begin.
struct Patch {
    /// First value of the run at the patch's first time.
    from: usize,
    /// Values of a run.
    count: usize,
    /// Values that the margin puts before it.
    offset: usize,
}

impl Convolution {
    /// How it goes over a plane.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Its weights before they are brought to their gain, `patch × outputs`.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Added to each output.
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// Estimate of the right singular vector that goes with the weights' largest singular value.
    pub fn direction(&self) -> &[f32] {
        &self.direction
    }

    /// What the weights are multiplied by when they are used.
    pub fn factor(&self) -> f32 {
        self.factor
    }

    pub(super) fn new(layout: Layout, gain: f32, random: &mut Sequence) -> Self {
        let deviation = (2.0 / layout.patch() as f32).sqrt();
        let mut draw = |count: usize, deviation: f32| -> Vec<f32> {
            (0..count).map(|_| random.gaussian() * deviation).collect()
        };
        let mut out = Self {
            layout,
            weights: draw(layout.patch() * layout.outputs, deviation),
            bias: vec![0.0; layout.outputs],
            direction: draw(layout.outputs, 1.0),
            factor: 1.0,
            used: Vec::new(),
        };
        for _ in 0..FIRST_ROUNDS {
            out.normalize(gain);
        }
        out
    }

    /// Weights and bias, to be moved; [`normalize`](Self::normalize) makes the move count.
    pub(super) fn parameters_mut(&mut self) -> [&mut [f32]; 2] {
        [&mut self.weights, &mut self.bias]
    }

    /// Gradients of zero.
    pub(super) fn zero_gradient(&self) -> ConvolutionGradient {
        ConvolutionGradient {
            weights: vec![0.0; self.weights.len()],
            bias: vec![0.0; self.bias.len()],
        }
    }

    /// Makes a round of power iteration, and sets the weights' gain by its estimate of their largest singular
    /// value.
    pub(super) fn normalize(&mut self, gain: f32) {
        let (rows, columns) = (self.layout.patch(), self.layout.outputs);
        let weights = View::new(&self.weights, rows, columns);
        let mut left = vec![0.0; rows];
        let direction = View::new(&self.direction, columns, 1);
        multiply(&mut left, weights, direction, false);
        to_unit_norm(&mut left);
        let left = View::new(&left, rows, 1);
        multiply(&mut self.direction, weights.transposed(), left, false);
        let largest = to_unit_norm(&mut self.direction);
        self.factor = gain / largest;
        self.used = self.weights.iter().map(|w| w * self.factor).collect();
    }

    /// The convolution of a plane.
    pub(super) fn apply(&self, plane: &Plane) -> Plane {
        let Layout { outputs, .. } = self.layout;
        let (times, bands) = self.layout.result(plane.times, plane.bands);
        let mut out = Plane::zeros(times, bands, outputs);
        let mut rows = Vec::new();
        let chunk = chunk_times(bands);
        let results = out.values.chunks_mut(chunk * bands * outputs);
        for (first, result) in (0..).step_by(chunk).zip(results) {
            for row in result.chunks_exact_mut(outputs) {
                row.copy_from_slice(&self.bias);
            }
            let places = result.len() / outputs;
            self.lay_out(plane, first, places, bands, &mut rows);
            let rows = View::new(&rows, places, self.layout.patch());
            let weights = View::new(&self.used, self.layout.patch(), outputs);
            multiply(result, rows, weights, true);
        }
        out
    }

    /// From the gradient by the result `dy` of [`apply`](Self::apply): adds that by the plane to `dx`, and
    /// that by weights and bias to `gradient`, where they are wanted. The largest singular value counts as a
    /// constant.
    pub(super) fn backward(
        &self,
        plane: &Plane,
        dy: &Plane,
        mut dx: Option<&mut Plane>,
        mut gradient: Option<&mut ConvolutionGradient>,
    ) {
        let Layout { outputs, .. } = self.layout;
        let patch = self.layout.patch();
        let (bands, chunk) = (dy.bands, chunk_times(dy.bands));
        let mut rows = Vec::new();
        let mut by_used = vec![
            0.0;
            if gradient.is_some() {
                self.used.len()
            } else {
                0
            }
        ];
        let parts = dy.values.chunks(chunk * bands * outputs);
        for (first, dy) in (0..).step_by(chunk).zip(parts) {
            let places = dy.len() / outputs;
            let dy_view = View::new(dy, places, outputs);
            if let Some(gradient) = &mut gradient {
                self.lay_out(plane, first, places, bands, &mut rows);
                let rows = View::new(&rows, places, patch).transposed();
                multiply(&mut by_used, rows, dy_view, true);
                for row in dy.chunks_exact(outputs) {
                    for (b, d) in gradient.bias.iter_mut().zip(row) {
                        *b += d;
                    }
                }
            }
            if let Some(dx) = &mut dx {
                rows.resize(places * patch, 0.0);
                let weights = View::new(&self.used, patch, outputs).transposed();
                multiply(&mut rows, dy_view, weights, false);
                self.gather(&rows, first, bands, dx);
            }
        }
        if let Some(gradient) = gradient {
            for (w, d) in gradient.weights.iter_mut().zip(by_used) {
                *w += self.factor * d;
            }
        }
    }

    /// Where the patch of a place of the result lies in a plane of so many bands.
    fn patch_at(&self, time: usize, band: usize, plane_bands: usize) -> Patch {
        let Layout {
            kernel: (_, wide),
            stride,
            margin,
            inputs,
            ..
        } = self.layout;
        // In bands that begin with the margin.
        let begin = band * stride;
        let first = begin.max(margin);
        let end = (begin + wide).min(plane_bands + margin);
        Patch {
            from: (time * stride * plane_bands + first - margin) * inputs,
            count: (end - first) * inputs,
            offset: (first - begin) * inputs,
        }
    }

    /// Lays out the patches of `places` places from time `first` of the result on, a row for each.
    fn lay_out(
        &self,
        plane: &Plane,
        first: usize,
        places: usize,
        bands: usize,
        rows: &mut Vec<f32>,
    ) {
        let run = self.layout.kernel.1 * self.layout.inputs;
        rows.resize(places * self.layout.patch(), 0.0);
        let all = rows.chunks_exact_mut(self.layout.patch());
        for (place, row) in all.enumerate() {
            let patch = self.patch_at(first + place / bands, place % bands, plane.bands);
            for (tap, part) in row.chunks_exact_mut(run).enumerate() {
                let from = patch.from + tap * plane.bands * self.layout.inputs;
                let end = patch.offset + patch.count;
                part[..patch.offset].fill(0.0);
                part[patch.offset..end].copy_from_slice(&plane.values[from..from + patch.count]);
                part[end..].fill(0.0);
            }
        }
    }

    /// The other way round: adds rows of patches from time `first` of the result on to the plane that they
    /// come from.
    fn gather(&self, rows: &[f32], first: usize, bands: usize, plane: &mut Plane) {
        let run = self.layout.kernel.1 * self.layout.inputs;
        let step = plane.bands * self.layout.inputs;
        for (place, row) in rows.chunks_exact(self.layout.patch()).enumerate() {
            let patch = self.patch_at(first + place / bands, place % bands, plane.bands);
            for (tap, part) in row.chunks_exact(run).enumerate() {
                let to = patch.from + tap * step;
                let sums = &mut plane.values[to..to + patch.count];
                let part = &part[patch.offset..patch.offset + patch.count];
                for (sum, d) in sums.iter_mut().zip(part) {
                    *sum += d;
                }
            }
        }
    }
}

/// Times of a chunk of a result with so many bands.
fn chunk_times(bands: usize) -> usize {
    (CHUNK_PLACES / bands.max(1)).max(1)
}

/// Scales to unit norm. Returns the norm that it was.
fn to_unit_norm(x: &mut [f32]) -> f32 {
    let norm = x.iter().map(|v| v * v).sum::<f32>().sqrt() + f32::MIN_POSITIVE;
    x.iter_mut().for_each(|v| *v /= norm);
    norm
}

#[cfg(test)]
impl Convolution {
    /// Moves weights (part 0) or bias (part 1), and leaves the factor that the weights are used with.
    pub fn move_at_fixed_gain(&mut self, part: usize, by: f32, direction: &[f32]) {
        let parameters = self.parameters_mut();
        for (x, d) in parameters[part].iter_mut().zip(direction) {
            *x += by * d;
        }
        self.used = self.weights.iter().map(|w| w * self.factor).collect();
    }
}
