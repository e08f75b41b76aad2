//! The ground floor: random numbers, matrices, eigenvalues, fast functions, windows, fades, moments and threads. It
//! knows nothing of sound, and imports nothing from the rooms above. Whatever changes a value here changes what is
//! heard.

pub(crate) mod eigen;
pub(crate) mod fade;
pub(crate) mod fast_math;
pub(crate) mod kaiser;
pub mod linalg;
pub(crate) mod moments;
pub mod random;
pub(crate) mod simd;
pub mod threads;
