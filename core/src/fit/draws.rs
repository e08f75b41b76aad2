//! What the number of a step decides, the same on every device: how it is cut, what is drawn for it, and where the
//! critic looks.

use std::ops::Range;

use crate::numeric::random::Sequence;
use crate::texture::loss::BANKS;

/// Frames that the critic sees of the capture and of a stretch of the synthesis in a step. More make it a better
/// judge, and take as much longer.
pub const SEEN_FRAMES: usize = 384;
/// The critic sees the first of so many stretches of a step.
pub const STRETCHES_FOR_CRITIC: usize = 4;

/// Keeps the noise of the steps apart from the filters, which are drawn from the same seed.
const INPUT_SEED: u64 = 0x1297_0512;
/// Keeps the places that the critic looks at apart from all else that is drawn from the fit's seed.
const PLACES_SEED: u64 = 0x0C41_91CE;
/// From one step that the critic learns in to the next: learning takes twice as long as being heard.
const LEARNS_EVERY: u32 = 2;
/// The frames of a step are made in stretches of about so many, each by one thread. Their margins overlap, so
/// that more of them cost more in all.
const STRETCH_FRAMES: usize = 384;
/// Fewest stretches of a step: two cores are usual. How a step is cut must not depend on threads: the sums'
/// order, and with it the bits, would.
const LEAST_STRETCHES: usize = 2;

/// The stretches that the frames of a step are cut into: contexts and the critic look at each alone.
pub fn stretches(frames: usize) -> impl ExactSizeIterator<Item = Range<usize>> {
    let count = (frames / STRETCH_FRAMES).max(LEAST_STRETCHES);
    let start = move |stretch: usize| frames * stretch / count;
    (0..count).map(move |stretch| start(stretch)..start(stretch + 1))
}

/// Which stretch the critic judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Of the capture.
    Real,
    /// Of the synthesis.
    Synthesized,
}

/// The draws of one step of a fit.
#[derive(Clone, Copy, Debug)]
pub struct StepDraws {
    seed: u64,
    step: u32,
}

impl StepDraws {
    /// Of the step after `step` others of a fit with this seed.
    pub fn new(seed: u64, step: u32) -> Self {
        Self { seed, step }
    }

    /// The fit's seed, which filters are drawn from.
    pub fn seed(self) -> u64 {
        self.seed
    }

    /// Steps before.
    pub fn step(self) -> u32 {
        self.step
    }

    /// Seed of the network's inputs, whose first frame is frame 0.
    pub fn input_seed(self) -> u32 {
        Sequence::new(self.seed ^ INPUT_SEED, u64::from(self.step)).next() as u32
    }

    /// Which bank of filters is new in the step: each in its turn.
    pub fn renewed_bank(self) -> usize {
        self.step as usize % BANKS
    }

    /// Whether the critic learns in the step; else it is only heard, and need not see the capture.
    pub fn critic_learns(self) -> bool {
        self.step.is_multiple_of(LEARNS_EVERY)
    }

    /// Where the critic finds the `place`th stretch of the capture.
    pub fn critic_place(self, place: usize) -> Sequence {
        Sequence::new(self.seed ^ PLACES_SEED, self.critic_number(place))
    }

    /// Number of the noise that blurs what the critic sees of the `place`th stretch of a side.
    pub fn critic_noise(self, side: Side, place: usize) -> u64 {
        2 * self.critic_number(place) + u64::from(side == Side::Synthesized)
    }

    fn critic_number(self, place: usize) -> u64 {
        u64::from(self.step) << 8 | place as u64
    }
}
