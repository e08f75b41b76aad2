//! CLAP: the entry point, and the adapter around nice-plug's CLAP plugin.

mod adapter;
mod carried;
mod entry;
mod events;
mod extensions;
mod host;
mod main_thread;
mod midi;
mod plugin;
mod process;
mod rest;
mod song;
mod stream;
mod tail;
#[cfg(test)]
mod tests;
