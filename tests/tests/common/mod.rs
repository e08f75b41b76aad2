//! What the tests of the built bundles share.

#![allow(
    dead_code,
    unused_imports,
    reason = "every test program takes a part of it"
)]

pub mod driving;
pub mod rain;
pub mod scenes;
pub mod sound;
pub mod two_slots;
