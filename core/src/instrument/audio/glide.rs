//! Values that glide to their targets.

/// Part of the way that counts as arrived.
const ARRIVED: f32 = 1e-4;

/// A value that follows its target exponentially and arrives: once it is near enough, it is the target.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Glide {
    value: f32,
    target: f32,
}

impl Glide {
    /// Goes to `target` at once.
    pub fn jump(&mut self, target: f32) {
        *self = Self {
            value: target,
            target,
        };
    }

    /// Goes to `target` from now on.
    #[inline]
    pub fn set(&mut self, target: f32) {
        self.target = target;
    }

    pub fn value(&self) -> f32 {
        self.value
    }

    /// Whether it has arrived.
    pub fn is_at_rest(&self) -> bool {
        self.value == self.target
    }

    /// The next value; `follow` is the part of the way that is made in one step.
    #[inline]
    pub fn next(&mut self, follow: f32) -> f32 {
        if self.value != self.target {
            let way = self.target - self.value;
            if way.abs() <= ARRIVED * self.target.abs().max(0.01) {
                self.value = self.target;
            } else {
                self.value += way * follow;
            }
        }
        self.value
    }
}

/// Part of the way that a [`Glide`] makes in `samples`, to be 63 % there after `seconds`.
pub(super) fn follow(seconds: f64, samples: f64, sample_rate: f64) -> f32 {
    (1.0 - (-samples / (seconds * sample_rate)).exp()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glide_arrives() {
        let mut glide = Glide::default();
        glide.set(3.0);
        let step = follow(0.01, 16.0, 48_000.0);
        let arrived = (0..1000).position(|_| glide.next(step) == 3.0).unwrap();
        assert!((200..400).contains(&arrived), "{arrived}");
    }
}
