//! Compiles the kernels when a device is first used, and starts them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use candle_core::cuda_backend::cudarc::cublas::CudaBlas;
use candle_core::cuda_backend::cudarc::cublas::result::sgemm_strided_batched;
use candle_core::cuda_backend::cudarc::cublas::sys::cublasOperation_t;
use candle_core::cuda_backend::cudarc::driver::result::{device, mem_pool};
use candle_core::cuda_backend::cudarc::driver::sys::{
    CUdevice_attribute, CUfunction_attribute_enum, CUmemPool_attribute,
};
use candle_core::cuda_backend::cudarc::driver::{
    CudaFunction, CudaStream, DevicePtr, LaunchConfig, PushKernelArg,
};
use candle_core::cuda_backend::cudarc::nvrtc::compile_ptx;
use candle_core::{CudaStorage, DType, Device, Error, Result, Storage};

use super::{Argument, Grid, Matrix, Product, most_sorted};

/// One program of all kernels: the later files use what `common.cu` defines.
const SOURCE: &str = concat!(
    include_str!("common.cu"),
    include_str!("sets.cu"),
    include_str!("noise.cu"),
    include_str!("network.cu"),
    include_str!("moves.cu"),
    include_str!("contexts.cu"),
    include_str!("critic.cu")
);
/// Those that sort need more shared memory than a kernel has by itself.
const SORTING: [&str; 3] = ["order", "answer", "compare"];
const OTHERS: [&str; 37] = [
    "gather",
    "compare_backward",
    "noise",
    "period",
    "join_windows",
    "rectify_windows",
    "rectify",
    "residual",
    "limits",
    "rectifier_backward",
    "first_backward",
    "join_backward",
    "adam",
    "momentum",
    "energy",
    "even_out",
    "move_matrices",
    "look",
    "convolve",
    "verdicts",
    "by_verdicts",
    "by_planes",
    "by_parameters",
    "by_seen",
    "critic_scale",
    "add_critic",
    "critic_state",
    "critic_adam",
    "normalize",
    "context_windows",
    "context_fold",
    "add_row",
    "column_sums",
    "context_moments",
    "context_constant",
    "set_sums",
    "put_bank",
];

/// The kernels, loaded on one device.
pub struct Kernels {
    stream: Arc<CudaStream>,
    blas: Arc<CudaBlas>,
    /// Most values that a block of this device can sort.
    most_sorted: usize,
    functions: HashMap<&'static str, CudaFunction>,
}

impl fmt::Debug for Kernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernels").finish_non_exhaustive()
    }
}

/// Has the device keep what a step frees for the next one: to give it back and ask for it again takes longer than a
/// kernel.
fn keep_memory(stream: &CudaStream) -> Result<()> {
    let mut all = u64::MAX;
    let attribute = CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
    // SAFETY: the device is the stream's own, the pool that device's, and the attribute a number of 64 bits.
    unsafe {
        let pool = device::get_default_mem_pool(stream.context().cu_device());
        let pool = pool.map_err(Error::wrap)?;
        mem_pool::set_attribute(pool, attribute, (&raw mut all).cast()).map_err(Error::wrap)
    }
}

/// A kernel's argument as its bits lie in memory.
enum Bits {
    Address(u64),
    Int(i32),
    Word(u32),
    Float(f32),
}

impl Kernels {
    /// Those for a device; none for one that is not CUDA's.
    pub fn of(device: &Device) -> Result<Option<Arc<Self>>> {
        let Device::Cuda(device) = device else {
            return Ok(None);
        };
        let ptx = compile_ptx(SOURCE).map_err(Error::wrap)?;
        let stream = device.cuda_stream();
        // SAFETY: all that is computed on this device is started on its one stream, in order: no event need say when.
        unsafe { device.disable_event_tracking() };
        keep_memory(&stream)?;
        let module = stream.context().load_module(ptx).map_err(Error::wrap)?;
        let mut functions = HashMap::new();
        let shared = CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN;
        let shared = stream.context().attribute(shared).map_err(Error::wrap)?;
        let most_sorted = most_sorted(shared as usize);
        for name in SORTING.into_iter().chain(OTHERS) {
            let function = module.load_function(name).map_err(Error::wrap)?;
            if SORTING.contains(&name) {
                let attribute =
                    CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
                let bytes = (most_sorted * size_of::<u32>()) as i32;
                function
                    .set_attribute(attribute, bytes)
                    .map_err(Error::wrap)?;
            }
            functions.insert(name, function);
        }
        Ok(Some(Arc::new(Self {
            stream,
            blas: device.cublas_handle(),
            most_sorted,
            functions,
        })))
    }

    /// Most values that a block can sort.
    pub fn most_sorted(&self) -> usize {
        self.most_sorted
    }

    /// Starts products of matrices.
    pub fn multiply(&self, product: &Product<'_>) -> Result<()> {
        let int = |number: usize| i32::try_from(number).map_err(Error::wrap);
        let begin = |matrix: &Matrix<'_>| -> Result<u64> {
            Ok(self.address(matrix.values)? + (matrix.start * size_of::<f32>()) as u64)
        };
        let operation = |matrix: &Matrix<'_>| {
            if matrix.is_transposed {
                cublasOperation_t::CUBLAS_OP_T
            } else {
                cublasOperation_t::CUBLAS_OP_N
            }
        };
        let Product {
            left, right, out, ..
        } = product;
        // The library takes rows for columns: it is given the product of both swapped, right before left.
        // SAFETY: every caller gives tensors as long as the product reads and writes, on this device; alpha and beta
        // are read before the call returns.
        unsafe {
            sgemm_strided_batched(
                *self.blas.handle(),
                operation(right),
                operation(left),
                int(product.columns)?,
                int(product.rows)?,
                int(product.inner)?,
                &1.0,
                begin(right)? as *const f32,
                int(right.row)?,
                right.step as i64,
                begin(left)? as *const f32,
                int(left.row)?,
                left.step as i64,
                &0.0,
                begin(out)? as *mut f32,
                int(out.row)?,
                out.step as i64,
                int(product.batch)?,
            )
        }
        .map_err(Error::wrap)
    }

    /// Starts a kernel. It runs after everything that was started before.
    pub fn launch(&self, name: &str, grid: Grid, arguments: &[Argument<'_>]) -> Result<()> {
        let Some(function) = self.functions.get(name) else {
            candle_core::bail!("there is no kernel '{name}'");
        };
        if grid.blocks.0 == 0 || grid.blocks.1 == 0 {
            return Ok(());
        }
        let bits = arguments.iter().map(|argument| match *argument {
            Argument::Tensor(tensor) => self.address(tensor).map(Bits::Address),
            Argument::Int(number) => Ok(Bits::Int(i32::try_from(number).map_err(Error::wrap)?)),
            Argument::Bits(bits) => Ok(Bits::Word(bits)),
            Argument::Float(number) => Ok(Bits::Float(number)),
        });
        let bits: Vec<Bits> = bits.collect::<Result<_>>()?;
        let mut builder = self.stream.launch_builder(function);
        for bits in &bits {
            match bits {
                Bits::Address(address) => builder.arg(address),
                Bits::Int(number) => builder.arg(number),
                Bits::Word(bits) => builder.arg(bits),
                Bits::Float(number) => builder.arg(number),
            };
        }
        let config = LaunchConfig {
            grid_dim: (grid.blocks.0 as u32, grid.blocks.1 as u32, 1),
            block_dim: (grid.threads, 1, 1),
            shared_mem_bytes: grid.shared_bytes as u32,
        };
        // SAFETY: the arguments are those of the kernel of this name, in its order; every caller gives tensors as long
        // as the kernel reads and writes, on this device. The stream frees their memory after what was started before.
        unsafe { builder.launch(config) }.map_err(Error::wrap)?;
        Ok(())
    }

    /// Where a tensor's values begin.
    fn address(&self, tensor: &candle_core::Tensor) -> Result<u64> {
        if !tensor.is_contiguous() {
            candle_core::bail!("a kernel needs values without gaps");
        }
        let (storage, layout) = tensor.storage_and_layout();
        let Storage::Cuda(storage) = &*storage else {
            candle_core::bail!("a kernel needs values on its own device");
        };
        let begin = match tensor.dtype() {
            DType::F32 => self.begin::<f32>(storage)?,
            DType::F64 => self.begin::<f64>(storage)?,
            DType::U32 => self.begin::<u32>(storage)?,
            other => candle_core::bail!("no kernel takes {other:?}"),
        };
        Ok(begin + (layout.start_offset() * tensor.dtype().size_in_bytes()) as u64)
    }

    fn begin<T: candle_core::cuda_backend::CudaDType>(&self, storage: &CudaStorage) -> Result<u64> {
        let slice = storage.as_cuda_slice::<T>()?;
        Ok(slice.device_ptr(&self.stream).0)
    }
}
