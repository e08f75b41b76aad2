//! The frames that a texture is made of, one after the other without end: the generator's features by
//! absolute frame index, at every node of a grid. Whoever feeds a stream runs it: the worker for the
//! instrument, the caller's thread for the offline renderer.

use super::{BLOCK_FRAMES, GeneratorScratch, Model, NodeGrid, Nodes};
use crate::numeric::fade;

/// Frames over which an improved network takes over from the last one.
const SNAPSHOT_FADE_FRAMES: i64 = 24;

/// Makes the feature frames of one texture, one after the other, each at every node of a grid. Frame `t` of a
/// seed is always the same.
pub(crate) struct FeatureStream {
    grid: NodeGrid,
    seed: u32,
    /// Index of the frame that is made next.
    next: i64,
    /// The block that is at hand.
    block: Option<i64>,
    current: Source,
    fading: Option<FadingSource>,
    scratch: GeneratorScratch,
}

/// A network, and the block of frames that it has made last.
struct Source {
    model: Model,
    /// `[nodes × BLOCK_FRAMES × features]`.
    features: Vec<f32>,
}

/// A network that another one takes over from.
struct FadingSource {
    source: Source,
    /// First frame without it.
    end: i64,
}

impl Source {
    fn new(model: Model, grid: &NodeGrid) -> Self {
        let width = model.generator().feature_width();
        Self {
            features: vec![0.0; grid.count() * BLOCK_FRAMES * width],
            model,
        }
    }

    fn make_block(
        &mut self,
        seed: u32,
        block: i64,
        grid: &NodeGrid,
        scratch: &mut GeneratorScratch,
    ) {
        self.model.generator().tempered_block_into(
            seed,
            block,
            grid.temperatures(),
            scratch,
            &mut self.features,
        );
    }

    /// Features at `node` of frame number `at` of the block.
    fn row(&self, node: usize, at: usize) -> &[f32] {
        let width = self.model.generator().feature_width();
        let row = (node * BLOCK_FRAMES + at) * width;
        &self.features[row..row + width]
    }
}

impl FeatureStream {
    /// Frames of `model` from absolute frame `first` on, at the nodes of `grid`. Allocates.
    pub fn new(model: Model, grid: NodeGrid, seed: u32, first: i64) -> Self {
        Self {
            grid,
            seed,
            next: first,
            block: None,
            current: Source::new(model, &grid),
            fading: None,
            scratch: GeneratorScratch::default(),
        }
    }

    /// The network that frames are made with now, and its front end.
    pub fn model(&self) -> &Model {
        &self.current.model
    }

    /// Room for one of its frames. Allocates.
    pub fn make_nodes(&self) -> Nodes {
        Nodes::new(&self.grid, self.model().generator().feature_width())
    }

    /// Takes a better network for the same capture, by and by: it takes over in the next frames. Allocates.
    pub fn improve(&mut self, model: Model) {
        debug_assert_eq!(
            model.generator().feature_width(),
            self.model().generator().feature_width()
        );
        let better = Source::new(model, &self.grid);
        self.fading = Some(FadingSource {
            source: std::mem::replace(&mut self.current, better),
            end: self.next + SNAPSHOT_FADE_FRAMES,
        });
        self.block = None;
    }

    /// Writes the next frame to `out` and returns its index.
    pub fn next_frame(&mut self, out: &mut Nodes) -> i64 {
        let index = self.next;
        self.fading.take_if(|fading| index >= fading.end);
        self.hold_block(index.div_euclid(BLOCK_FRAMES as i64));
        let at = index.rem_euclid(BLOCK_FRAMES as i64) as usize;
        for (node, out) in out.rows_mut().enumerate() {
            out.copy_from_slice(self.current.row(node, at));
            if let Some(FadingSource { source, end }) = &self.fading {
                let old = (end - index) as f32 / SNAPSHOT_FADE_FRAMES as f32;
                for (new, last) in out.iter_mut().zip(source.row(node, at)) {
                    *new = fade::linear(*new, *last, old);
                }
            }
        }
        self.next += 1;
        index
    }

    /// Makes `block`, unless it is at hand.
    fn hold_block(&mut self, block: i64) {
        if self.block == Some(block) {
            return;
        }
        let Self {
            grid,
            seed,
            current,
            fading,
            scratch,
            ..
        } = self;
        current.make_block(*seed, block, grid, scratch);
        if let Some(fading) = fading {
            fading.source.make_block(*seed, block, grid, scratch);
        }
        self.block = Some(block);
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::fit::{FitSettings, fit};
    use crate::procedural::{Texture, synthesize};

    fn model() -> Model {
        let clip = synthesize(Texture::Rain, 1, 16_000, 2.0);
        let settings = FitSettings {
            steps: 3,
            ..FitSettings::default()
        };
        fit(&clip, &settings, &mut |_| ControlFlow::Continue(())).unwrap()
    }

    #[test]
    fn every_node_has_the_frames_of_its_own_temperature() {
        let model = model();
        let grid = NodeGrid::of_temperatures(&[0.5, 1.0]);
        // From the middle of a block on, across the next one's beginning.
        let mut both = FeatureStream::new(model.clone(), grid, 7, -5);
        let mut captured = FeatureStream::new(model.clone(), NodeGrid::AS_CAPTURED, 7, -5);
        let (mut nodes, mut alone) = (both.make_nodes(), captured.make_nodes());
        for index in -5..40 {
            assert_eq!(both.next_frame(&mut nodes), index);
            assert_eq!(captured.next_frame(&mut alone), index);
            assert_eq!(nodes.row(1), alone.row(0));
            assert_ne!(nodes.row(0), nodes.row(1));
        }
    }

    #[test]
    fn a_better_network_takes_over_frame_by_frame() {
        let model = model();
        let better = model.refined(model.generator().stationary(), model.fit_record());
        let stream = |model: &Model| FeatureStream::new(model.clone(), NodeGrid::AS_CAPTURED, 7, 0);
        let (mut old, mut new, mut improving) = (stream(&model), stream(&better), stream(&model));
        let [mut a, mut b, mut c] = [(); 3].map(|()| old.make_nodes());
        for index in 0..100 {
            if index == 10 {
                improving.improve(better.clone());
            }
            old.next_frame(&mut a);
            new.next_frame(&mut b);
            improving.next_frame(&mut c);
            let left = (10 + SNAPSHOT_FADE_FRAMES - index).clamp(0, SNAPSHOT_FADE_FRAMES);
            let left = left as f32 / SNAPSHOT_FADE_FRAMES as f32;
            for ((old, new), mixed) in a.row(0).iter().zip(b.row(0)).zip(c.row(0)) {
                assert!((new + (old - new) * left - mixed).abs() < 1e-5);
            }
        }
        assert_eq!(b, c);
    }
}
