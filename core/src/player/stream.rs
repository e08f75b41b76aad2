//! A texture as an endless stream of magnitude frames by absolute index.

use crate::network::{BLOCK_FRAMES, GeneratorScratch, Model};
use crate::spectrum::{ExpandScratch, FrameSpectrum};

/// Frames over which an improved network takes over from the last one.
const SNAPSHOT_FADE_FRAMES: i64 = 24;

/// Makes the frames of one texture, one after the other. Frame `t` of a seed is always the same.
pub(super) struct FrameStream {
    model: Model,
    seed: u32,
    next: i64,
    /// The block that `features` holds.
    block: Option<i64>,
    features: Vec<f32>,
    /// The network that is being faded out, its block, and the frame at which it is gone.
    previous: Option<(Model, Vec<f32>, i64)>,
    mixed: Vec<f32>,
    generator_scratch: GeneratorScratch,
    expand_scratch: ExpandScratch,
}

impl FrameStream {
    /// Frames of `model` from absolute frame `first` on.
    pub fn new(model: Model, seed: u32, first: i64) -> Self {
        let width = model.generator().feature_width();
        Self {
            seed,
            next: first,
            block: None,
            features: vec![0.0; BLOCK_FRAMES * width],
            previous: None,
            mixed: vec![0.0; width],
            generator_scratch: GeneratorScratch::default(),
            expand_scratch: model.front_end().make_expand_scratch(),
            model,
        }
    }

    /// Takes a better network for the same capture, by and by.
    pub fn improve(&mut self, model: Model) {
        debug_assert_eq!(model.generator().feature_width(), self.mixed.len());
        let last = std::mem::replace(&mut self.model, model);
        let features = vec![0.0; self.features.len()];
        self.previous = Some((last, features, self.next + SNAPSHOT_FADE_FRAMES));
        self.block = None;
    }

    /// Writes the next frame's magnitudes to `out` and returns its index.
    pub fn next_frame(&mut self, out: &mut FrameSpectrum) -> i64 {
        let index = self.next;
        let block = index.div_euclid(BLOCK_FRAMES as i64);
        self.previous.take_if(|p| index >= p.2);
        if self.block != Some(block) {
            let scratch = &mut self.generator_scratch;
            self.model
                .generator()
                .block_into(self.seed, block, scratch, &mut self.features);
            if let Some((model, features, _)) = &mut self.previous {
                model
                    .generator()
                    .block_into(self.seed, block, scratch, features);
            }
            self.block = Some(block);
        }
        let width = self.mixed.len();
        let at = index.rem_euclid(BLOCK_FRAMES as i64) as usize * width;
        self.mixed.copy_from_slice(&self.features[at..at + width]);
        if let Some((_, features, end)) = &self.previous {
            let old = (end - index) as f32 / SNAPSHOT_FADE_FRAMES as f32;
            for (new, last) in self.mixed.iter_mut().zip(&features[at..]) {
                *new += (last - *new) * old;
            }
        }
        let front_end = self.model.front_end();
        front_end.expand(&self.mixed, self.seed, index, &mut self.expand_scratch, out);
        self.next += 1;
        index
    }
}
