//! Tensors on the processor as what they are, slices; sums, and products with what never learns.

mod frozen;

pub use frozen::{frozen_times, times_frozen};

use candle_core::{
    CpuStorage, CustomOp1, D, DType, Device, Layout, Result, Shape, Storage, Tensor,
};

/// The values of a storage that our own operations work on.
pub fn stored<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => candle_core::bail!("an operation of weft's own needs values without gaps"),
    }
}

/// What `read` makes of the values of a tensor on the processor, row after row.
pub fn with_values<T>(tensor: &Tensor, read: impl FnOnce(&[f32]) -> T) -> Result<T> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(read(stored(storage, layout)?)),
        _ => candle_core::bail!("an operation of weft's own runs on the processor alone"),
    }
}

/// The type that sums are made in: double, so that the last digits of a loss are not rounding, but for devices that
/// have none.
pub fn sum_type(device: &Device) -> DType {
    if device.is_metal() {
        DType::F32
    } else {
        DType::F64
    }
}

/// `Σ (a − b)²` as a scalar of [`sum_type`]; only `a` has a gradient.
pub fn squared_distance(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if a.device().is_cpu() {
        let target = b.detach();
        return a.contiguous()?.apply_op1(SquaredDistance { target });
    }
    sum_of_squares(&(a - &b.detach())?)
}

/// `Σ a²`.
pub fn energy(a: &Tensor) -> Result<f64> {
    scalar(&sum_of_squares(a)?)
}

/// `Σ a²` as a scalar of [`sum_type`]: first each row, which a graphics processor gives a block of its own, as the
/// library has one block add up what is summed in one go; then the rows' sums.
fn sum_of_squares(a: &Tensor) -> Result<Tensor> {
    let squares = if a.device().is_cpu() {
        a.to_dtype(sum_type(a.device()))?.sqr()?
    } else {
        a.sqr()?
    };
    squares
        .sum(D::Minus1)?
        .to_dtype(sum_type(a.device()))?
        .sum_all()
}

/// The number that a scalar tensor is.
pub fn scalar(tensor: &Tensor) -> Result<f64> {
    match tensor.dtype() {
        DType::F64 => tensor.to_scalar::<f64>(),
        _ => Ok(f64::from(tensor.to_dtype(DType::F32)?.to_scalar::<f32>()?)),
    }
}

/// [`squared_distance`] in one operation on the processor: the library's own would be five, each of which waits for
/// all threads.
struct SquaredDistance {
    target: Tensor,
}

impl CustomOp1 for SquaredDistance {
    fn name(&self) -> &'static str {
        "squared distance"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        if layout.shape() != self.target.shape() {
            candle_core::bail!(
                "a distance of {:?} from {:?}",
                layout.shape(),
                self.target.shape()
            );
        }
        let values = stored(storage, layout)?;
        let sum = with_values(&self.target, |target| {
            let pairs = values.iter().zip(target);
            pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
        })?;
        Ok((CpuStorage::F64(vec![sum]), Shape::from(())))
    }

    fn bwd(&self, values: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let scale = (2.0 * gradient.to_scalar::<f64>()?) as f32;
        let by_values: Vec<f32> = with_values(values, |values| {
            with_values(&self.target, |target| {
                let pairs = values.iter().zip(target);
                pairs.map(|(a, b)| scale * (a - b)).collect()
            })
        })??;
        Tensor::from_vec(by_values, values.shape(), values.device()).map(Some)
    }
}
