//! The fine structure that banding drops, frame by frame.

use super::expansion::Plane;
use crate::instrument::stream::supply::Supply;
use crate::numeric::random::{Noise, stream};
use crate::ring::FrameReceiver;
use crate::spectrum::FrameSpectrum;

/// The fine structure of the frame at hand.
pub(in crate::instrument::stream) struct FineStructure {
    receiver: FrameReceiver<FrameSpectrum>,
    /// The newest one that came.
    last: FrameSpectrum,
    /// What stands in for a frame that is missing.
    makeshift: FrameSpectrum,
    /// Whether the frame at hand is missing.
    is_missing: bool,
}

impl FineStructure {
    /// Frames of `bins` bins come through `receiver`. Allocates.
    pub fn new(receiver: FrameReceiver<FrameSpectrum>, bins: usize) -> Self {
        Self {
            receiver,
            last: FrameSpectrum::silent(bins),
            makeshift: FrameSpectrum::silent(bins),
            is_missing: false,
        }
    }

    /// Goes on to synthesis frame `frame`; what is older is dropped on sight. Returns whether the frame was there.
    pub fn advance(&mut self, frame: i64, supply: &mut impl Supply) -> bool {
        loop {
            match self.receiver.receive() {
                Some(mut received) => {
                    let right = received.index >= frame;
                    if right {
                        std::mem::swap(&mut self.last, &mut received.data);
                    }
                    self.receiver.recycle(received);
                    if right {
                        self.is_missing = false;
                        return true;
                    }
                }
                None if supply.wait() => {}
                None => return false,
            }
        }
    }

    /// Makes up fine structure for a frame that is missing: that of the last one, turned by a random
    /// number of bins above the first `direct`, which is as random and not the same.
    pub fn make_up(&mut self, frame: i64, seed: u32, direct: usize) {
        self.is_missing = true;
        let bins = self.last.mid.len();
        let direct = direct.min(bins - 1);
        let random = Noise::new(seed, stream::MAKESHIFT).frame(frame).bits(0) as usize;
        let planes = [
            (&self.last.mid, &mut self.makeshift.mid),
            (&self.last.side, &mut self.makeshift.side),
            (&self.last.pan, &mut self.makeshift.pan),
        ];
        for (last, out) in planes {
            out.copy_from_slice(last);
            out[direct..].rotate_left(random % (bins - direct));
        }
    }

    /// One plane of it, `[bins]`.
    pub(super) fn plane(&self, plane: Plane) -> &[f32] {
        plane.of(if self.is_missing {
            &self.makeshift
        } else {
            &self.last
        })
    }
}
