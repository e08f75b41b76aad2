//! Random numbers that are the same every time.

/// Xorshift64* (Vigna 2016).
pub struct Random(u64);

impl Random {
    /// From a seed that is not zero.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any 64 bits but zero.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Uniform in 0 to `bound`, which itself is never reached.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound.max(1) as u128) >> 64) as usize
    }

    /// Uniform in 0 to 1, which itself is never reached.
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// Uniform in `low` to `high`.
    pub fn within(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }
}

/// The upper 24 bits of a linear congruential generator's states (Numerical Recipes), which are its good ones.
fn congruential(mut state: u32) -> impl Iterator<Item = u32> {
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    })
}

/// Block lengths from a seed, 1 to 900.
pub fn random_blocks(seed: u32) -> impl FnMut() -> usize {
    let mut draws = congruential(seed);
    move || 1 + draws.next().expect("it never ends") as usize % 900
}

/// White noise in -1 to 1.
pub fn white_noise(samples: usize) -> Vec<f32> {
    let draws = congruential(1).take(samples);
    draws.map(|x| x as f32 / (1 << 23) as f32 - 1.0).collect()
}
