//! Compiles the kernels when a device is first used, and starts them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use candle_core::cuda_backend::cudarc::driver::sys::CUfunction_attribute_enum;
use candle_core::cuda_backend::cudarc::driver::{
    CudaFunction, CudaStream, DevicePtr, LaunchConfig, PushKernelArg,
};
use candle_core::cuda_backend::cudarc::nvrtc::compile_ptx;
use candle_core::{CudaStorage, DType, Device, Error, Result, Storage};

use super::{Argument, Grid, MOST_SORTED};

const SOURCE: &str = include_str!("fit.cu");
/// Those that sort need more shared memory than a kernel has by itself.
const SORTING: [&str; 3] = ["order", "answer", "compare"];
const OTHERS: [&str; 18] = [
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
    "iteration_start",
    "polynomial",
    "move_matrices",
];

/// The kernels, loaded on one device.
pub struct Kernels {
    stream: Arc<CudaStream>,
    functions: HashMap<&'static str, CudaFunction>,
}

impl fmt::Debug for Kernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernels").finish_non_exhaustive()
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
        let module = stream.context().load_module(ptx).map_err(Error::wrap)?;
        let mut functions = HashMap::new();
        for name in SORTING.into_iter().chain(OTHERS) {
            let function = module.load_function(name).map_err(Error::wrap)?;
            if SORTING.contains(&name) {
                let attribute =
                    CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
                let bytes = (MOST_SORTED * size_of::<u32>()) as i32;
                function
                    .set_attribute(attribute, bytes)
                    .map_err(Error::wrap)?;
            }
            functions.insert(name, function);
        }
        Ok(Some(Arc::new(Self { stream, functions })))
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
