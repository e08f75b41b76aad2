//! Where tensors live.

use candle_core::Device;
use thiserror::Error;

/// Which device an optimisation runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// A graphics processor, if this build can use one and one answers; else the processor.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// NVIDIA's first graphics processor.
    Cuda,
    /// Apple's graphics processor.
    Metal,
}

/// Why there is no such device.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// This build lacks the code for it.
    #[error(
        "this build of weft can't use {device}: build it with `--features {feature}`, or choose `cpu` or `auto`"
    )]
    NotBuilt {
        /// The device asked for.
        device: &'static str,
        /// The feature of the crate that has it.
        feature: &'static str,
    },
    /// The system gives none.
    #[error("no {device} device answers ({reason}): check its driver, or choose `cpu` or `auto`")]
    Unavailable {
        /// The device asked for.
        device: &'static str,
        /// What the driver said.
        reason: String,
    },
}

impl DeviceChoice {
    /// The device itself.
    ///
    /// # Errors
    /// If the build lacks what was asked for, or no such device answers. `Auto` and `Cpu` never fail.
    ///
    /// # Examples
    /// ```
    /// use weft_lab::DeviceChoice;
    ///
    /// assert!(DeviceChoice::Cpu.open()?.is_cpu());
    /// # Ok::<(), weft_lab::DeviceError>(())
    /// ```
    pub fn open(self) -> Result<Device, DeviceError> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda => cuda(),
            Self::Metal => metal(),
            Self::Auto => Ok(cuda().or_else(|_| metal()).unwrap_or(Device::Cpu)),
        }
    }
}

/// What a device is called in what is said.
pub fn device_name(device: &Device) -> &'static str {
    match device {
        Device::Cpu => "cpu",
        Device::Cuda(_) => "cuda",
        Device::Metal(_) => "metal",
    }
}

#[cfg(feature = "cuda")]
fn cuda() -> Result<Device, DeviceError> {
    // A stream of its own lets what several threads compute at the same time overlap.
    Device::new_cuda_with_stream(0).map_err(|error| DeviceError::Unavailable {
        device: "CUDA",
        reason: in_one_line(&error),
    })
}

#[cfg(not(feature = "cuda"))]
fn cuda() -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuilt {
        device: "CUDA",
        feature: "cuda",
    })
}

#[cfg(feature = "metal")]
fn metal() -> Result<Device, DeviceError> {
    // The library panics where a Mac has no such device.
    let opened = std::panic::catch_unwind(|| Device::new_metal(0));
    let failed = |reason| DeviceError::Unavailable {
        device: "Metal",
        reason,
    };
    match opened {
        Ok(Ok(device)) => Ok(device),
        Ok(Err(error)) => Err(failed(in_one_line(&error))),
        Err(_) => Err(failed("its driver gave up".into())),
    }
}

#[cfg(not(feature = "metal"))]
fn metal() -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuilt {
        device: "Metal",
        feature: "metal",
    })
}

/// What went wrong, without the way there, which the library adds where backtraces are on.
#[cfg(any(feature = "cuda", feature = "metal"))]
fn in_one_line(error: &candle_core::Error) -> String {
    match error {
        candle_core::Error::WithBacktrace { inner, .. } => in_one_line(inner),
        error => error.to_string().lines().next().unwrap_or_default().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_built_is_refused_with_what_to_do() {
        assert!(DeviceChoice::Auto.open().is_ok());
        if cfg!(not(feature = "cuda")) {
            let error = DeviceChoice::Cuda.open().unwrap_err().to_string();
            assert!(error.contains("--features cuda"), "{error}");
        }
        if cfg!(not(feature = "metal")) {
            let error = DeviceChoice::Metal.open().unwrap_err().to_string();
            assert!(error.contains("--features metal"), "{error}");
        }
    }
}
