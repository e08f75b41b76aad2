//! Minimisation without second derivatives: L-BFGS (Nocedal & Wright 2006, algorithms 7.4 and 7.5) with a line search
//! for the strong Wolfe conditions, and bounds that are kept by projection.
//!
//! The papers have L-BFGS and L-BFGS-B. argmin, the library that is kept, has L-BFGS without bounds, and its types
//! would have to be taught tensors; this needs nothing but slices.

mod line_search;
mod minimizer;
mod pairs;

pub use minimizer::{Bounds, LbfgsSettings, Minimizer, StepOutcome};
