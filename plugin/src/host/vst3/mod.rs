//! VST3: the entry points, and the adapter around nice-plug's VST3 component.

#![allow(non_snake_case, reason = "VST3's own names")]

mod adapter;
mod changes;
mod component;
mod controller;
mod edits;
mod entry;
mod events;
mod expressions;
mod factory;
mod inputs;
mod mapped;
mod processor;
mod stream;
#[cfg(test)]
mod tests;
mod view;
