//! The rig of the core's tests: what they set up, drive, wait for and measure with.

#![allow(dead_code, reason = "every test program takes a part of it")]

pub mod allocator;
pub mod blocks;
pub mod capturing;
pub mod clips;
pub mod containers;
pub mod host;
pub mod inversion;
pub mod measures;
pub mod models;
pub mod modulation;
pub mod movies;
pub mod mutations;
pub mod plain;
pub mod random;
pub mod samples;
pub mod sound_files;
pub mod streams;
#[cfg_attr(
    not(all(target_os = "linux", target_arch = "x86_64")),
    path = "no_system_calls.rs"
)]
pub mod system_calls;
pub mod vorbis;
pub mod waiting;
