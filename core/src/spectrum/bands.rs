//! Frequency bands: one for each bin at low frequencies, of constant relative width above.

/// Below this frequency every bin is a band of its own, in Hz: there, partials must stay apart.
const DIRECT_BELOW_HZ: f64 = 2000.0;

/// Width in bins that a band would have at [`DIRECT_BELOW_HZ`]; above, it grows with frequency.
const BAND_GROWTH: f64 = 3.0;

/// Bands over the bins of a spectrum, and the way back by interpolation.
#[derive(Clone, Debug, PartialEq)]
pub struct Bands {
    /// Band `j` is the bins `edges[j] .. edges[j + 1]`.
    edges: Vec<usize>,
    direct: usize,
    /// For each bin, the lower of the two bands that it lies between, and the weight of the upper one.
    between: Vec<(usize, f32)>,
}

impl Bands {
    /// Bands for spectra of `fft_size / 2 + 1` bins at `sample_rate` (Hz).
    pub fn new(sample_rate: f64, fft_size: usize) -> Self {
        let (bins, bin_hz) = (fft_size / 2 + 1, sample_rate / fft_size as f64);
        let direct = ((DIRECT_BELOW_HZ / bin_hz) as usize).min(bins - 1);
        let mut edges: Vec<usize> = (0..direct).collect();
        let mut edge = direct as f64;
        while edge < bins as f64 {
            edges.push(edge.round_ties_even() as usize);
            edge += (BAND_GROWTH * edge * bin_hz / DIRECT_BELOW_HZ).max(1.0);
        }
        edges.push(bins);
        edges.dedup();
        let centre = |j: usize| (edges[j] + edges[j + 1] - 1) as f64 / 2.0;
        let count = edges.len() - 1;
        let mut between = Vec::with_capacity(bins);
        let mut upper = 0;
        for bin in 0..bins {
            while upper < count && centre(upper) < bin as f64 {
                upper += 1;
            }
            let lower = upper.saturating_sub(1).min(count - 2);
            let (a, b) = (centre(lower), centre(lower + 1));
            between.push((lower, ((bin as f64 - a) / (b - a)).clamp(0.0, 1.0) as f32));
        }
        Self {
            edges,
            direct,
            between,
        }
    }

    /// Number of bands.
    pub fn count(&self) -> usize {
        self.edges.len() - 1
    }

    /// Number of bins.
    pub fn bins(&self) -> usize {
        self.between.len()
    }

    /// How many of the lowest bands are single bins by design.
    pub fn direct(&self) -> usize {
        self.direct
    }

    /// First bin of every band, and the number of bins at the end.
    pub fn edges(&self) -> &[usize] {
        &self.edges
    }

    /// Means over each band: `bins` values to [`count`](Self::count) values.
    pub fn pool_into(&self, bins: &[f32], bands: &mut [f32]) {
        assert_eq!((bins.len(), bands.len()), (self.bins(), self.count()));
        for (band, edge) in bands.iter_mut().zip(self.edges.windows(2)) {
            let part = &bins[edge[0]..edge[1]];
            *band = part.iter().sum::<f32>() / part.len() as f32;
        }
    }

    /// Linear interpolation between the bands' centres, constant outside: `count` values to `bins`.
    pub fn spread_into(&self, bands: &[f32], bins: &mut [f32]) {
        assert_eq!((bins.len(), bands.len()), (self.bins(), self.count()));
        for (bin, &(lower, upper_weight)) in bins.iter_mut().zip(&self.between) {
            let (a, b) = (bands[lower], bands[lower + 1]);
            *bin = a + (b - a) * upper_weight;
        }
    }
}
