//! Operations of our own on CUDA, each in place of many of the tensor library's: to start one takes as long as to run
//! it. Every one of them has its plain form beside where it is used, which runs on all other devices.

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(not(feature = "cuda"))]
mod none;

use candle_core::{DType, Device, Result, Shape, Tensor};

#[cfg(feature = "cuda")]
pub use cuda::Kernels;
#[cfg(not(feature = "cuda"))]
pub use none::Kernels;

/// Threads of a block where each has an element of its own.
const BLOCK: u32 = 256;
/// Threads of a block that sorts.
const SORT_BLOCK: u32 = 512;
/// Most values that a block can sort: their keys lie in its shared memory.
pub const MOST_SORTED: usize = 32_768;

/// What a kernel is given.
#[derive(Clone, Copy)]
#[cfg_attr(
    not(feature = "cuda"),
    expect(dead_code, reason = "no kernel reads it")
)]
pub enum Argument<'a> {
    /// Where its values begin: a tensor without gaps.
    Tensor(&'a Tensor),
    Int(usize),
    /// A seed, or what else is but bits.
    Bits(u32),
    Float(f32),
}

/// How many threads a kernel runs on, and what they share.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(feature = "cuda"),
    expect(dead_code, reason = "no kernel runs on it")
)]
pub struct Grid {
    pub blocks: (usize, usize),
    pub threads: u32,
    pub shared_bytes: usize,
}

impl Grid {
    /// A thread for each of `count` elements.
    pub fn each(count: usize) -> Self {
        Self::rows(count, 1)
    }

    /// A thread for each of `count` elements of each of `rows` rows.
    pub fn rows(count: usize, rows: usize) -> Self {
        Self {
            blocks: (count.div_ceil(BLOCK as usize), rows),
            threads: BLOCK,
            shared_bytes: 0,
        }
    }

    /// A block for each of so many sums.
    pub fn blocks(count: usize) -> Self {
        Self {
            blocks: (count, 1),
            threads: SORT_BLOCK,
            shared_bytes: 0,
        }
    }

    /// A block for each of so many sorts of at most `count` values; and to how many they are filled up.
    pub fn sorts(blocks: (usize, usize), count: usize) -> (Self, usize) {
        let padded = count.next_power_of_two().max(2);
        let grid = Self {
            blocks,
            threads: SORT_BLOCK,
            shared_bytes: padded * size_of::<u32>(),
        };
        (grid, padded)
    }
}

/// A tensor whose values are not set yet: a kernel that writes all of them comes next.
pub fn unset(shape: impl Into<Shape>, dtype: DType, device: &Device) -> Result<Tensor> {
    // SAFETY: all bits are a number of these types, and what is allocated for them is at least as long.
    unsafe { Tensor::empty(shape, dtype, device) }
}
