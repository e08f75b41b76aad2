//! The atomics of a model that explores every interleaving and every value that a load may see.

pub(in crate::instrument) use loom::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering,
};
pub(in crate::instrument) use loom::thread::{Thread, current};

/// Nothing is ever late in a model: what has to be woken is, or the model stands still and says so.
pub(in crate::instrument) fn park_timeout(_: std::time::Duration) {
    loom::thread::park();
}

/// As `atomic_float` has it: the bits in an integer.
#[derive(Debug, Default)]
pub(in crate::instrument) struct AtomicF32(AtomicU32);

impl AtomicF32 {
    pub fn new(value: f32) -> Self {
        Self(AtomicU32::new(value.to_bits()))
    }

    pub fn load(&self, order: Ordering) -> f32 {
        f32::from_bits(self.0.load(order))
    }

    pub fn store(&self, value: f32, order: Ordering) {
        self.0.store(value.to_bits(), order);
    }

    pub fn swap(&self, value: f32, order: Ordering) -> f32 {
        f32::from_bits(self.0.swap(value.to_bits(), order))
    }

    pub fn fetch_max(&self, value: f32, order: Ordering) -> f32 {
        let raised = |bits| Some(f32::from_bits(bits).max(value).to_bits());
        let before = self.0.fetch_update(order, Ordering::Relaxed, raised);
        f32::from_bits(before.unwrap_or_else(|bits| bits))
    }
}
