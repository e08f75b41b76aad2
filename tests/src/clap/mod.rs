//! A CLAP host: loads a `.clap` in this process and drives its plugin.
//!
//! The [`ClapPlugin`] is the host's main thread; while it is active, a second thread owns the
//! audio processor. During a render the main thread serves the plugin's callback requests, as a
//! host's event loop does.

mod audio_thread;
mod events;
mod handlers;
mod plugin;
mod ports;
mod processing;

pub use clack_extensions::render::RenderMode;
pub use plugin::ClapPlugin;
pub use ports::{Parameter, Port};
