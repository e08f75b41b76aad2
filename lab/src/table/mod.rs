//! Tables of methods over recordings: every method a row, every figure a column, per class and in the mean
//! (Antognini, Hoffman & Weiss 2019, Table I).

mod document;
mod error;
mod figures;
#[cfg(feature = "onnx")]
mod log_mel;
mod makers;
mod picture;
mod recordings;
mod results;
mod run;
mod vggish;

pub use document::{Summary, SummaryRow, to_csv, to_latex, to_markdown};
pub use error::TableError;
pub use figures::{COLUMNS, Column, Figures};
pub use makers::{GriffinLim, Halves, Made, Maker, MakerError, MatchedNoise, Optimized, Weft};
pub use picture::to_svg;
pub use recordings::{Entry, find_recordings};
pub use results::{Outcome, Results};
pub use run::{TableEvent, TableSettings, fill};
pub use vggish::{Vggish, VggishError};
