//! A network as an endless stream of feature frames, by absolute index.

use super::{BLOCK_FRAMES, GeneratorScratch, Model};

/// Frames over which an improved network takes over from the last one.
const SNAPSHOT_FADE_FRAMES: i64 = 24;

/// Makes the feature frames of one texture, one after the other, each at a few temperatures of the
/// network's noise. Frame `t` of a seed is always the same.
pub(crate) struct FeatureStream {
    model: Model,
    temperatures: &'static [f32],
    seed: u32,
    next: i64,
    /// The block that `features` holds, `[temperatures × frames × features]`.
    block: Option<i64>,
    features: Vec<f32>,
    /// The network that is being faded out, its block, and the frame at which it is gone.
    previous: Option<(Model, Vec<f32>, i64)>,
    scratch: GeneratorScratch,
}

impl FeatureStream {
    /// Frames of `model` from absolute frame `first` on.
    pub fn new(model: Model, temperatures: &'static [f32], seed: u32, first: i64) -> Self {
        let width = model.generator().feature_width();
        Self {
            temperatures,
            seed,
            next: first,
            block: None,
            features: vec![0.0; temperatures.len() * BLOCK_FRAMES * width],
            previous: None,
            scratch: GeneratorScratch::default(),
            model,
        }
    }

    /// What it makes frames of.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Values in a frame: features, for each temperature in turn.
    pub fn width(&self) -> usize {
        self.features.len() / BLOCK_FRAMES
    }

    /// Takes a better network for the same capture, by and by.
    pub fn improve(&mut self, model: Model) {
        debug_assert_eq!(
            model.generator().feature_width(),
            self.model.generator().feature_width()
        );
        let last = std::mem::replace(&mut self.model, model);
        let features = vec![0.0; self.features.len()];
        self.previous = Some((last, features, self.next + SNAPSHOT_FADE_FRAMES));
        self.block = None;
    }

    /// Writes the next frame to `out` ([`width`](Self::width) values) and returns its index.
    pub fn next_frame(&mut self, out: &mut [f32]) -> i64 {
        let index = self.next;
        let block = index.div_euclid(BLOCK_FRAMES as i64);
        self.previous.take_if(|p| index >= p.2);
        if self.block != Some(block) {
            let newest = (&self.model, &mut self.features);
            let previous = self.previous.as_mut().map(|(m, f, _)| (&*m, f));
            for (model, features) in [Some(newest), previous].into_iter().flatten() {
                model.generator().tempered_block_into(
                    self.seed,
                    block,
                    self.temperatures,
                    &mut self.scratch,
                    features,
                );
            }
            self.block = Some(block);
        }
        let width = self.model.generator().feature_width();
        let at = index.rem_euclid(BLOCK_FRAMES as i64) as usize;
        let rows = out.chunks_exact_mut(width).enumerate();
        for (t, out) in rows {
            let row = (t * BLOCK_FRAMES + at) * width;
            out.copy_from_slice(&self.features[row..row + width]);
            if let Some((_, features, end)) = &self.previous {
                let old = (end - index) as f32 / SNAPSHOT_FADE_FRAMES as f32;
                for (new, last) in out.iter_mut().zip(&features[row..]) {
                    *new += (last - *new) * old;
                }
            }
        }
        self.next += 1;
        index
    }
}
