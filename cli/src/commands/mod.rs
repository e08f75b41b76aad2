//! What the commands do.

mod fit;
mod info;
mod render;
mod score;
mod synthesize;
mod table;

pub use fit::{fit, refine, texture};
pub use info::info;
pub use render::render;
pub use score::score;
pub use synthesize::synthesize;
pub use table::table;
