//! How the frames of a step are cut into stretches, which contexts and the critic look at each alone.

use candle_core::{DType, Result, Tensor};
use weft_core::fit::{STRETCHES_FOR_CRITIC, stretches};

use super::kernels::{Argument, Grid, Kernels, unset};
use super::machine::Machine;

/// Stretches of one length.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    pub count: usize,
    pub length: usize,
}

impl Cut {
    /// That of a step of about `frames` frames: as many as stretches of one length have.
    pub fn new(frames: usize) -> Self {
        let count = stretches(frames).len();
        Self {
            count,
            length: frames / count,
        }
    }

    /// Frames in all.
    pub fn frames(self) -> usize {
        self.count * self.length
    }

    /// The stretches of all frames.
    pub fn stretches(self, frames: &Tensor) -> Result<Tensor> {
        frames.reshape((self.count, self.length, frames.dim(1)?))
    }

    /// How many stretches the critic sees.
    pub fn seen(self) -> usize {
        self.count.div_ceil(STRETCHES_FOR_CRITIC)
    }

    /// The first `frames` frames of the `place`th stretch that the critic sees.
    pub fn seen_frames(self, features: &Tensor, place: usize, frames: usize) -> Result<Tensor> {
        let start = place * STRETCHES_FOR_CRITIC * self.length;
        features.narrow(0, start, frames.min(self.length))
    }

    /// A gradient with the critic's, which knows some stretches' first frames, added to it: in each of them as large a
    /// part of it as `weight` says. It sees some stretches for all of them.
    pub fn with_critic(
        self,
        gradient: &Tensor,
        by_critic: &Tensor,
        weight: f32,
        machine: &Machine,
    ) -> Result<Tensor> {
        let (seen, frames, _) = by_critic.dims3()?;
        let weight = weight * self.count as f32 / seen as f32;
        if let Some(kernels) = &machine.kernels {
            return self.with_kernels(kernels, gradient, by_critic, weight);
        }
        let all = self.stretches(gradient)?;
        let places: Vec<u32> = (0..seen)
            .map(|place| (place * STRETCHES_FOR_CRITIC) as u32)
            .collect();
        let places = Tensor::new(places, gradient.device())?;
        let norm = |x: &Tensor| x.sqr()?.sum_keepdim((1, 2))?.sqrt();
        let own = norm(&all.index_select(&places, 0)?)?;
        let its = norm(by_critic)?.affine(1.0, f32::MIN_POSITIVE.into())?;
        let scale = (own / its)?.affine(weight.into(), 0.0)?;
        let part = by_critic.broadcast_mul(&scale)?;
        let part = part.pad_with_zeros(1, 0, self.length - frames)?;
        let added = all.zeros_like()?.index_add(&places, &part, 0)?;
        gradient + added.flatten(0, 1)?
    }

    fn with_kernels(
        self,
        kernels: &Kernels,
        gradient: &Tensor,
        by_critic: &Tensor,
        weight: f32,
    ) -> Result<Tensor> {
        let (seen, frames, width) = by_critic.dims3()?;
        let scales = unset(seen, DType::F32, gradient.device())?;
        let sizes = [width, self.length, STRETCHES_FOR_CRITIC, frames].map(Argument::Int);
        let both = [Argument::Tensor(gradient), Argument::Tensor(by_critic)];
        let last = [Argument::Float(weight), Argument::Tensor(&scales)];
        let arguments = [&both[..], &sizes, &last].concat();
        kernels.launch("critic_scale", Grid::large_blocks(seen), &arguments)?;
        let out = unset(gradient.shape(), DType::F32, gradient.device())?;
        let count = out.elem_count();
        let last = [Argument::Int(count), Argument::Tensor(&out)];
        let arguments = [&both[..], &[Argument::Tensor(&scales)], &sizes, &last].concat();
        kernels.launch("add_critic", Grid::each(count), &arguments)?;
        Ok(out)
    }
}
