//! The atomics of everything that goes between threads, and sleep. Each file beside this one names them by this
//! module alone: the model checks compile it once more, on atomics of their own.

pub(in crate::instrument) use std::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering,
};
pub(in crate::instrument) use std::thread::{Thread, current, park_timeout};

pub(in crate::instrument) use atomic_float::AtomicF32;
