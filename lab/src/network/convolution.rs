//! Filters on an image: on the processor as one operation with its rectifier, which never copies a window; elsewhere
//! by unfolding.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::filters::Filters;
use super::unfold::convolved_by_unfolding;
use crate::tensors::{stored, with_values};

impl Filters {
    /// Rectified activations of an `image` (rows × channels) at every place that the filters fit in: `rows −
    /// width + 1` × `count`.
    ///
    /// # Errors
    /// If the image has other columns or fewer rows than a filter sees, or memory lacks.
    pub fn activations(self: &Arc<Self>, image: &Tensor) -> Result<Tensor> {
        let (rows, channels) = image.dims2()?;
        if channels != self.channels() || rows < self.width() {
            candle_core::bail!(
                "filters of {} rows × {} columns can't see an image of {rows} × {channels}",
                self.width(),
                self.channels()
            );
        }
        if image.device().is_cpu() {
            return image.apply_op1(Convolution(self.clone()));
        }
        convolved_by_unfolding(image, self.width(), &self.weights_on(image)?)
    }

    /// The same by tensor operations alone, as on a graphics processor: windows side by side, and a product.
    ///
    /// # Errors
    /// As [`activations`](Self::activations).
    pub fn activations_by_unfolding(&self, image: &Tensor) -> Result<Tensor> {
        convolved_by_unfolding(image, self.width(), &self.weights_on(image)?)
    }

    fn weights_on(&self, image: &Tensor) -> Result<Tensor> {
        if let Some(weights) = self.on_device.get()
            && weights.device().same_device(image.device())
        {
            return Ok(weights.clone());
        }
        let shape = (self.width() * self.channels(), self.count());
        let weights = Tensor::from_slice(self.weights(), shape, image.device())?;
        Ok(self.on_device.get_or_init(|| weights.clone()).clone())
    }
}

/// [`Filters::activations`] of an image. The library's own product makes the gradient by the filters too, which
/// nobody asks for and which is as much work again.
struct Convolution(Arc<Filters>);

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
