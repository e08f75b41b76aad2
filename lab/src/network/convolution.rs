//! The convolution and its rectifier as one operation on the processor, which never copies a window.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::filters::Filters;
use crate::tensors::{stored, with_values};

/// [`Filters::activations`] of an image. The library's own product makes the gradient by the filters too, which
/// nobody asks for and which is as much work again.
pub(super) struct Convolution(pub Arc<Filters>);

impl CustomOp1 for Convolution {
    fn name(&self) -> &'static str {
        "random convolution"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let activations = self.0.forward(stored(storage, layout)?);
        let shape = Shape::from((activations.len() / self.0.count(), self.0.count()));
        Ok((CpuStorage::F32(activations), shape))
    }

    fn bwd(
        &self,
        image: &Tensor,
        activations: &Tensor,
        gradient: &Tensor,
    ) -> Result<Option<Tensor>> {
        let by_image = with_values(activations, |activations| {
            with_values(gradient, |gradient| self.0.backward(activations, gradient))
        })??;
        Tensor::from_vec(by_image, image.shape(), image.device()).map(Some)
    }
}
