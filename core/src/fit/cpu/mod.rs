//! The fit's steps on the processor.

mod optimizer;
pub(super) mod pass;
pub(super) mod trainer;
