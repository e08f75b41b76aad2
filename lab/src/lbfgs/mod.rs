//! Minimisation without second derivatives: L-BFGS (Nocedal & Wright 2006, algorithms 7.4 and 7.5) with a line search
//! for the strong Wolfe conditions, and bounds that are kept by projection.
//!
//! The papers have L-BFGS-B or L-BFGS. What the kept libraries for it work on is not a tensor on a device but a vector,
//! as here, and they bring none with bounds; this needs nothing but slices.

mod line_search;
mod minimizer;
mod pairs;

pub use minimizer::{Bounds, LbfgsSettings, Minimizer, StepOutcome};
