//! What the commands do.

mod devices;
mod fit;
mod info;
mod optimize;
mod render;
mod score;
mod summary;
mod synthesize;
mod table;
mod transfer;

pub use devices::devices;
pub use fit::{fit, refine, texture};
pub use info::info;
pub use optimize::optimize;
pub use render::render;
pub use score::score;
pub use summary::summary;
pub use synthesize::synthesize;
pub use table::table;
pub use transfer::transfer;
