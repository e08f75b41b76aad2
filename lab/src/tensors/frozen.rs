//! Products with a matrix that never learns.

use candle_core::backend::BackendStorage;
use candle_core::{
    CpuStorage, CudaStorage, CustomOp1, Layout, MetalStorage, Result, Shape, Storage, Tensor,
};

/// `matrix · factor`, with a gradient by `matrix` alone: the library's own product makes the one by its other factor
/// too, a third of the work that nobody asks for.
///
/// # Errors
/// If the sizes don't fit or the two are on different devices.
pub fn times_frozen(matrix: &Tensor, factor: &Tensor) -> Result<Tensor> {
    let factor = factor.detach();
    matrix.contiguous()?.apply_op1(Frozen {
        factor,
        is_left: false,
    })
}

/// `factor · matrix`, with a gradient by `matrix` alone.
///
/// # Errors
/// As [`times_frozen`].
pub fn frozen_times(factor: &Tensor, matrix: &Tensor) -> Result<Tensor> {
    let factor = factor.detach();
    matrix.contiguous()?.apply_op1(Frozen {
        factor,
        is_left: true,
    })
}

struct Frozen {
    factor: Tensor,
    is_left: bool,
}

impl Frozen {
    /// The product on a device, whose storages are given.
    fn product<S: BackendStorage>(
        &self,
        matrix: (&S, &Layout),
        factor: (&S, &Layout),
    ) -> Result<(S, Shape)> {
        let (left, right) = match self.is_left {
            true => (factor, matrix),
            false => (matrix, factor),
        };
        let ((rows, inner), (same, columns)) = (left.1.shape().dims2()?, right.1.shape().dims2()?);
        if inner != same {
            candle_core::bail!("a product of {rows} × {inner} and {same} × {columns}");
        }
        let product = left
            .0
            .matmul(right.0, (1, rows, columns, inner), left.1, right.1)?;
        Ok((product, Shape::from((rows, columns))))
    }

    fn elsewhere<T>(&self) -> Result<T> {
        candle_core::bail!(
            "a product of a matrix with one on {:?}",
            self.factor.device().location()
        )
    }
}

impl CustomOp1 for Frozen {
    fn name(&self) -> &'static str {
        "product with a frozen matrix"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (factor, its) = self.factor.storage_and_layout();
        match &*factor {
            Storage::Cpu(factor) => self.product((storage, layout), (factor, its)),
            _ => self.elsewhere(),
        }
    }

    fn cuda_fwd(&self, storage: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let (factor, its) = self.factor.storage_and_layout();
        match &*factor {
            Storage::Cuda(factor) => self.product((storage, layout), (factor, its)),
            _ => self.elsewhere(),
        }
    }

    fn metal_fwd(&self, storage: &MetalStorage, layout: &Layout) -> Result<(MetalStorage, Shape)> {
        let (factor, its) = self.factor.storage_and_layout();
        match &*factor {
            Storage::Metal(factor) => self.product((storage, layout), (factor, its)),
            _ => self.elsewhere(),
        }
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (factor, gradient) = (self.factor.t()?, gradient.contiguous()?);
        match self.is_left {
            true => factor.matmul(&gradient).map(Some),
            false => gradient.matmul(&factor).map(Some),
        }
    }
}
