//! What an optimisation brings down.

use candle_core::{Result, Tensor};

/// One summand of a loss.
#[derive(Clone, Debug)]
pub struct Term {
    /// Its name in curves and reports, as its paper has it.
    pub name: &'static str,
    /// What it is multiplied by in the sum.
    pub weight: f64,
    /// Its value before the weight: a scalar, with the graph that leads back to the image.
    pub value: Tensor,
}

/// A loss of an image (a spectrogram, envelopes or whatever a method optimises).
///
/// Gradients come from the tensor library's own graph, so an objective uses only operations whose gradients hold:
/// no convolution of the library's, but windows and products (`docs/methods.md` says why).
pub trait Objective {
    /// The summands for `image` at iteration `iteration` (from 0) of the optimisation.
    ///
    /// # Errors
    /// If the image has another shape than the method asks for, or a tensor can't be made on its device.
    fn terms(&mut self, image: &Tensor, iteration: u32) -> Result<Vec<Term>>;

    /// The first iteration from which on the terms don't depend on the iteration any more.
    fn settles_at(&self) -> u32 {
        0
    }
}
