//! Terms of losses: each compares what networks make of an image with what they made of a target.
//!
//! On the processor the large sums are our own operations, with their gradients; on other devices, the same is
//! written in tensor operations. `core::texture::loss` has plain forms of the same terms, which the tests compare.

mod autocorrelation;
mod correlate;
mod diversity;
mod gram;
mod gram_product;

pub use autocorrelation::{AutocorrelationTarget, autocorrelation, autocorrelation_by_products};
pub use diversity::{DiversityTarget, ShiftSchedule};
pub use gram::{GramTarget, gram, gram_by_products};
