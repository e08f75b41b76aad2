//! What hosts say and ask for in the plugin formats that nice-plug does not pass on.
//!
//! Its wrappers keep to themselves when a bounce begins, whether the main input is there at all, and
//! have no way to say that the project has changed; they read input buses that a host did not pass,
//! give the pitch wheel away unless a plugin takes two thousand parameters with it, drop values that a
//! VST3 host sets while blocks are processed, lose count of the song where they cut a block, and know
//! choices only in the case that they are written in. So each format's entry point puts a thin adapter
//! around nice-plug's object, which hands every call on and sees to those. Every call of a host goes
//! through [`gate`].

mod backlog;
mod buses;
mod clap;
mod gate;
#[cfg(test)]
mod performance;
mod typing;
mod vst3;
