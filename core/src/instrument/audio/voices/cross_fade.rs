//! The cross-fade from one stream to the next, sample by sample.

use crate::numeric::fade::square_root_gains;

/// Where a cross-fade stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct CrossFade {
    length_samples: usize,
    /// Samples that are still to come; 0 where there is none.
    left_samples: usize,
}

impl CrossFade {
    /// Cross-fades of this length, of which none is going on.
    pub fn new(length_samples: usize) -> Self {
        Self {
            length_samples,
            left_samples: 0,
        }
    }

    /// Begins one.
    pub fn begin(&mut self) {
        self.left_samples = self.length_samples;
    }

    /// Ends it at once.
    pub fn end(&mut self) {
        self.left_samples = 0;
    }

    /// Whether one is going on.
    pub fn is_on(&self) -> bool {
        self.left_samples > 0
    }

    /// Gains of the new stream and of the old one for the next sample. Two stretches of a texture are
    /// uncorrelated: equal power keeps the level.
    pub fn next_gains(&mut self) -> (f32, f32) {
        self.left_samples = self.left_samples.saturating_sub(1);
        square_root_gains(self.left_samples as f32 / self.length_samples as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_power_stays_and_the_fade_ends_after_its_length() {
        let mut fade = CrossFade::new(32);
        assert!(!fade.is_on());
        fade.begin();
        for _ in 0..32 {
            assert!(fade.is_on());
            let (new, old) = fade.next_gains();
            assert!((new * new + old * old - 1.0).abs() < 1e-6);
        }
        assert!(!fade.is_on());
        fade.begin();
        fade.end();
        assert!(!fade.is_on());
    }
}
