//! The ground floor: random numbers, matrices, fast functions and threads. Whatever changes a value here
//! changes what is heard.

pub(crate) mod fast_math;
pub(crate) mod linalg;
pub mod random;
pub(crate) mod simd;
pub(crate) mod threads;
