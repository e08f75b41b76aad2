//! Random numbers for synthesis: small, fast, the same on every machine.

/// A stream of pseudo-random numbers: SplitMix64 (Steele, Lea & Flood, "Fast splittable
/// pseudorandom number generators", OOPSLA 2014), a mixed counter.
#[derive(Debug, Clone)]
pub(super) struct Random {
    counter: u64,
}

/// The golden ratio's fraction as a 64-bit odd number: SplitMix64's counter step.
const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64's finalizer: every bit of the counter reaches every bit of the result.
fn mix(counter: u64) -> u64 {
    let z = (counter ^ (counter >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Random {
    /// Stream number `stream` of a seed.
    pub fn new(seed: u64, stream: u64) -> Self {
        Self {
            counter: mix(mix(seed).wrapping_add(stream.wrapping_mul(GOLDEN_GAMMA))),
        }
    }

    /// An independent stream, so that a change in one part of a texture leaves the others alone.
    pub fn split(&mut self) -> Self {
        Self::new(self.next(), 0)
    }

    fn next(&mut self) -> u64 {
        self.counter = self.counter.wrapping_add(GOLDEN_GAMMA);
        mix(self.counter)
    }

    /// Uniform in 0..1.
    pub fn unit(&mut self) -> f32 {
        // 24 bits are all that an f32 below one holds.
        (self.next() >> 40) as f32 / (1 << 24) as f32
    }

    /// Uniform between two bounds.
    pub fn uniform(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Between two positive bounds, uniform in the logarithm.
    pub fn log_uniform(&mut self, low: f32, high: f32) -> f32 {
        low * (high / low).powf(self.unit())
    }

    /// Exponentially distributed with the given mean: the pause to the next event of a Poisson
    /// process.
    pub fn exponential(&mut self, mean: f32) -> f32 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// From 1 to `max` with a probability density falling as `x^-exponent` (exponent over 1): a few
    /// large events among many small ones.
    pub fn power_law(&mut self, exponent: f32, max: f32) -> f32 {
        let tail = max.powf(1.0 - exponent);
        (1.0 - self.unit() * (1.0 - tail)).powf(1.0 / (1.0 - exponent))
    }

    /// Nearly Gaussian, of zero mean and unit variance: the sum of four uniform numbers. Much
    /// cheaper than an exact transform, and after a filter nobody can tell.
    pub fn noise(&mut self) -> f32 {
        let bits = self.next();
        let sum: i32 = (0..4)
            .map(|part| i32::from((bits >> (16 * part)) as u16))
            .sum();
        /// Standard deviation of the sum of four uniform 16-bit numbers.
        const DEVIATION: f32 = 65_536.0 * 0.577_350_3;
        (sum - 2 * 65_535) as f32 / DEVIATION
    }
}

/// A slow random curve of zero mean, smooth and roughly within ±1: gusts, flicker, swaying.
#[derive(Debug, Clone)]
pub(super) struct Drift {
    seed: u64,
    period_s: f32,
}

impl Drift {
    /// A curve whose slowest movement takes about `period_s` seconds; it holds two faster octaves
    /// too.
    pub fn new(random: &mut Random, period_s: f32) -> Self {
        Self {
            seed: random.next(),
            period_s,
        }
    }

    /// The curve at a time, which may be negative.
    pub fn at(&self, time_s: f32) -> f32 {
        let position = time_s / self.period_s;
        (0..3)
            .map(|octave| {
                let scale = (1 << octave) as f32;
                self.octave(octave, position * scale) / scale
            })
            .sum::<f32>()
            / 1.25
    }

    /// Smooth interpolation between random numbers at whole positions.
    fn octave(&self, octave: u64, position: f32) -> f32 {
        let knot = position.floor();
        let t = position - knot;
        let value = |knot: i64| 2.0 * Random::new(self.seed ^ octave, knot as u64).unit() - 1.0;
        let blend = t * t * (3.0 - 2.0 * t);
        let (from, to) = (value(knot as i64), value(knot as i64 + 1));
        from + blend * (to - from)
    }
}
