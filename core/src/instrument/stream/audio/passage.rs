//! The network's frames that the texture position has passed: density, contrast and smear act here.

use super::shaping::{FrameShape, Shaping};
use crate::instrument::stream::grids::NODES;
use crate::instrument::stream::supply::Supply;
use crate::network::Nodes;
use crate::numeric::random::{Noise, stream};
use crate::ring::{Frame, FrameReceiver};

/// Frames that are kept as they came, to be shaped again: the two that the position lies between, and as many
/// again.
const RAW_FRAMES: usize = 4;
/// Shaped frames that are kept beside those that smear looks back on.
const MARGIN_FRAMES: usize = 4;

/// The newest of a row of things that are numbered without end.
struct Newest<T>(Vec<T>);

impl<T> Newest<T> {
    fn new(count: usize, make: impl FnMut() -> T) -> Self {
        Self(std::iter::repeat_with(make).take(count).collect())
    }

    fn count(&self) -> i64 {
        self.0.len() as i64
    }

    fn place(&self, index: i64) -> usize {
        index.rem_euclid(self.count()) as usize
    }

    fn get(&self, index: i64) -> &T {
        &self.0[self.place(index)]
    }

    fn get_mut(&mut self, index: i64) -> &mut T {
        let place = self.place(index);
        &mut self.0[place]
    }
}

/// A frame as it came.
struct RawFrame {
    nodes: Nodes,
    /// How it was shaped last.
    shaped_with: Option<FrameShape>,
}

/// Bands of the frames that the position has passed and is about to pass.
pub(in crate::instrument::stream) struct Passage {
    receiver: FrameReceiver<Nodes>,
    raw: Newest<RawFrame>,
    /// Shaped frames (powers and pan) as far back as smear reaches.
    shaped: Newest<Vec<f32>>,
    /// Index of the newest frame that is there.
    newest: i64,
    /// Index of the first frame that ever came.
    first: i64,
}

impl Passage {
    /// Frames from `first` on come through `receiver`, each of `width` features; smear will look back
    /// `smear_frames`. Allocates.
    pub fn new(
        receiver: FrameReceiver<Nodes>,
        width: usize,
        smear_frames: usize,
        first: i64,
    ) -> Self {
        Self {
            receiver,
            raw: Newest::new(RAW_FRAMES, || RawFrame {
                nodes: Nodes::new(&NODES, width),
                shaped_with: None,
            }),
            shaped: Newest::new(smear_frames + MARGIN_FRAMES, || vec![0.0; width]),
            newest: first - 1,
            first,
        }
    }

    /// Index of the newest frame that is there.
    pub fn newest(&self) -> i64 {
        self.newest
    }

    /// Takes frames up to `wanted` and gives them this `shape`. Returns whether they were there.
    pub(super) fn advance(
        &mut self,
        wanted: i64,
        shaping: &Shaping,
        shape: FrameShape,
        supply: &mut impl Supply,
    ) -> bool {
        while self.newest < wanted {
            match self.receiver.receive() {
                Some(frame) => self.take(frame, shaping, shape),
                None if supply.wait() => {}
                None => break,
            }
        }
        self.reshape(shaping, shape);
        self.newest >= wanted
    }

    /// Takes over a frame from the ring.
    fn take(&mut self, mut frame: Box<Frame<Nodes>>, shaping: &Shaping, shape: FrameShape) {
        self.newest = frame.index;
        let raw = self.raw.get_mut(frame.index);
        std::mem::swap(&mut raw.nodes, &mut frame.data);
        self.receiver.recycle(frame);
        self.shape(self.newest, shaping, shape);
    }

    fn shape(&mut self, index: i64, shaping: &Shaping, shape: FrameShape) {
        let raw = self.raw.get_mut(index);
        shaping.shape(&raw.nodes, shape, self.shaped.get_mut(index));
        raw.shaped_with = Some(shape);
    }

    /// Shapes the newest frames again where density or contrast has moved: a position that stands still
    /// follows them too. Older frames, which only smear looks at, stay as they were.
    fn reshape(&mut self, shaping: &Shaping, shape: FrameShape) {
        for index in (self.newest - 1).max(self.first)..=self.newest {
            if self.raw.get(index).shaped_with != Some(shape) {
                self.shape(index, shaping, shape);
            }
        }
    }

    /// Where to look while the next frame is missing: at any that has passed, another one for each synthesis
    /// `frame`. One frame held would ring in the bands that have no fine structure.
    pub fn makeshift_position(&self, frame: i64, seed: u32) -> Option<f64> {
        let kept = self.shaped.count() - MARGIN_FRAMES as i64;
        let reach = (self.newest - self.first).min(kept);
        let random = Noise::new(seed, stream::MAKESHIFT_PLACE)
            .frame(frame)
            .bits(0);
        (reach > 0).then(|| (self.newest - 1 - i64::from(random) % reach) as f64)
    }

    /// Mean over the frame that `position` lies in and the `smear` frames before it, which count less and
    /// less: events keep their onset and die away. Each frame counts from its index to the next one's.
    /// Without smear, this is the line between two frames.
    pub fn average(&self, position: f64, smear: f64, out: &mut [f32]) {
        // The frames on both sides of the position and the one that smear begins in are kept as well.
        let reach = (self.shaped.count() - 3) as f64;
        let smear = smear.clamp(0.0, reach);
        let (from, to) = (position - smear, position + 1.0);
        let whole = tail_integral(1.0 + smear, smear);
        out.fill(0.0);
        let oldest = self.first.max(self.newest + 1 - self.shaped.count());
        let mut index = from.floor() as i64;
        let mut older = whole;
        while (index as f64) < to {
            let newer = tail_integral((to - (index + 1) as f64).max(0.0), smear);
            let weight = ((older - newer) / whole) as f32;
            let frame = self
                .shaped
                .get(index.clamp(oldest, self.newest.max(oldest)));
            for (sum, x) in out.iter_mut().zip(frame) {
                *sum += x * weight;
            }
            older = newer;
            index += 1;
        }
    }
}

/// Integral from 0 to `age` of what weighs frames by their age: 1 in the first frame, then falling to
/// nothing as a squared cosine over `smear` frames.
fn tail_integral(age: f64, smear: f64) -> f64 {
    let past = age - 1.0;
    if past <= 0.0 || smear <= 0.0 {
        age.min(1.0)
    } else {
        let turn = std::f64::consts::PI / smear;
        1.0 + 0.5 * (past + (turn * past).sin() / turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_a_row_are_found_by_their_index() {
        let mut newest = Newest::new(3, || 0);
        for index in -4..3 {
            *newest.get_mut(index) = index;
        }
        assert_eq!([0, 1, 2].map(|i| *newest.get(i)), [0, 1, 2]);
        assert_eq!(newest.count(), 3);
    }

    #[test]
    fn a_frame_counts_from_its_onset_and_dies_away_with_smear() {
        for smear in [0.0, 3.0, 40.0] {
            let whole = tail_integral(1.0 + smear, smear);
            let weights: Vec<f64> = (0..=smear as i64)
                .map(|age| {
                    let integral = |age: f64| tail_integral(age, smear);
                    (integral(age as f64 + 1.0) - integral(age as f64)) / whole
                })
                .collect();
            let sum: f64 = weights.iter().sum();
            assert!((sum - 1.0).abs() < 1e-9, "{sum}");
            assert!(weights.windows(2).all(|w| w[1] <= w[0]) && *weights.last().unwrap() > 0.0);
        }
    }
}
