//! The network's frames that the texture position has passed: density, contrast and smear act here.

use super::ring::{Frame, FrameReceiver, Supply};
use super::shaping::{Shaping, TEMPERATURES};
use crate::numeric::random::Noise;

/// Stream of the random places that are looked at while frames are missing.
const MAKESHIFT_STREAM: u32 = 85;

/// What the network knows of one frame, `[TEMPERATURES × features]`.
pub(super) type Nodes = Vec<f32>;

/// Bands of the frames that the position has passed and is about to pass.
pub(super) struct Passage {
    receiver: FrameReceiver<Nodes>,
    /// The newest frames as they came, by index modulo their number.
    nodes: [Nodes; 4],
    /// Shaped frames (powers and pan) as far back as smear reaches, by index modulo their number.
    shaped: Vec<Vec<f32>>,
    /// Index of the newest frame that is there.
    newest: i64,
    /// Index of the first frame that ever came.
    first: i64,
    /// Density and contrast with which each frame in `nodes` was shaped last.
    shaped_with: [(f32, f32); 4],
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
            nodes: std::array::from_fn(|_| vec![0.0; TEMPERATURES.len() * width]),
            shaped: vec![vec![0.0; width]; smear_frames + 4],
            newest: first - 1,
            first,
            shaped_with: [(f32::NAN, f32::NAN); 4],
        }
    }

    /// Index of the newest frame that is there.
    pub fn newest(&self) -> i64 {
        self.newest
    }

    /// Takes frames up to `wanted`, shaped with density and contrast. Returns whether they were there.
    pub fn advance(
        &mut self,
        wanted: i64,
        shaping: &Shaping,
        (density, contrast): (f32, f32),
        supply: &mut impl Supply,
    ) -> bool {
        while self.newest < wanted {
            match self.receiver.receive() {
                Some(frame) => self.take(frame, shaping, density, contrast),
                None if supply.wait() => {}
                None => break,
            }
        }
        self.reshape(shaping, density, contrast);
        self.newest >= wanted
    }

    /// Takes over a frame from the ring.
    fn take(
        &mut self,
        mut frame: Box<Frame<Nodes>>,
        shaping: &Shaping,
        density: f32,
        contrast: f32,
    ) {
        self.newest = frame.index;
        let at = self.newest.rem_euclid(self.nodes.len() as i64) as usize;
        std::mem::swap(&mut self.nodes[at], &mut frame.data);
        self.receiver.recycle(frame);
        self.shape(at, self.newest, shaping, density, contrast);
    }

    fn shape(&mut self, at: usize, index: i64, shaping: &Shaping, density: f32, contrast: f32) {
        let slot = index.rem_euclid(self.shaped.len() as i64) as usize;
        shaping.shape(&self.nodes[at], density, contrast, &mut self.shaped[slot]);
        self.shaped_with[at] = (density, contrast);
    }

    /// Shapes the newest frames again where density or contrast has moved: a position that stands still
    /// follows them too. Older frames, which only smear looks at, stay as they were.
    fn reshape(&mut self, shaping: &Shaping, density: f32, contrast: f32) {
        for index in (self.newest - 1).max(self.first)..=self.newest {
            let at = index.rem_euclid(self.nodes.len() as i64) as usize;
            if self.shaped_with[at] != (density, contrast) {
                self.shape(at, index, shaping, density, contrast);
            }
        }
    }

    /// Where to look while the next frame is missing: at any that has passed, another one for each synthesis
    /// `frame`. One frame held would ring in the bands that have no grain.
    pub fn makeshift_position(&self, frame: i64, seed: u32) -> Option<f64> {
        let reach = (self.newest - self.first).min(self.shaped.len() as i64 - 4);
        let random = Noise::new(seed, MAKESHIFT_STREAM).frame(frame).bits(0);
        (reach > 0).then(|| (self.newest - 1 - i64::from(random) % reach) as f64)
    }

    /// Mean over the frame that `position` lies in and the `smear` frames before it, which count less and
    /// less: events keep their onset and die away. Each frame counts from its index to the next one's.
    /// Without smear, this is the line between two frames.
    pub fn average(&self, position: f64, smear: f64, out: &mut [f32]) {
        let reach = (self.shaped.len() - 3) as f64;
        let smear = smear.clamp(0.0, reach);
        let (from, to) = (position - smear, position + 1.0);
        let whole = tail_integral(1.0 + smear, smear);
        out.fill(0.0);
        let oldest = self.first.max(self.newest + 1 - self.shaped.len() as i64);
        let mut index = from.floor() as i64;
        let mut older = whole;
        while (index as f64) < to {
            let newer = tail_integral((to - (index + 1) as f64).max(0.0), smear);
            let weight = ((older - newer) / whole) as f32;
            let slot = index.clamp(oldest, self.newest.max(oldest));
            let frame = &self.shaped[slot.rem_euclid(self.shaped.len() as i64) as usize];
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
