//! The convolution by tensor operations alone: for every device, and to check our own operation with.

use candle_core::{Result, Tensor};

use crate::tensors::times_frozen;

/// Rectified activations of `image` (rows × channels): all windows of `width` rows side by side, times `weights`
/// (`width · channels` × count).
pub(super) fn convolved_by_unfolding(
    image: &Tensor,
    width: usize,
    weights: &Tensor,
) -> Result<Tensor> {
    let places = image.dim(0)? + 1 - width;
    let shifted: Vec<Tensor> = (0..width)
        .map(|tap| image.narrow(0, tap, places))
        .collect::<Result<_>>()?;
    times_frozen(&Tensor::cat(&shifted, 1)?, weights)?.relu()
}
