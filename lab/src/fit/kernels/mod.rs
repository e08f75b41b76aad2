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
/// Threads of a block whose sum is short.
const SMALL_BLOCK: u32 = 64;
/// Rows and columns of a matrix that one thread has.
const TILE: usize = 4;
/// Columns that a block sums.
const WARP: usize = 32;
/// Most values that a block sorts: their keys lie in its shared memory, where that is large enough.
const MOST_SORTED: usize = 32_768;
/// Shared memory of a sort besides.
const SORT_ROOM: usize = 12 * 1_024;

/// Most values that a block with so many bytes of shared memory can sort: a power of two.
#[cfg_attr(
    not(feature = "cuda"),
    expect(dead_code, reason = "no kernel runs on it")
)]
fn most_sorted(shared_bytes: usize) -> usize {
    let keys = shared_bytes.saturating_sub(SORT_ROOM) / size_of::<u32>();
    keys.checked_ilog2()
        .map_or(0, |log| (1 << log).min(MOST_SORTED))
}

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

/// A matrix in the values of a tensor without gaps.
#[derive(Clone, Copy)]
#[cfg_attr(
    not(feature = "cuda"),
    expect(dead_code, reason = "no kernel reads it")
)]
pub struct Matrix<'a> {
    pub values: &'a Tensor,
    /// Which value is the first one.
    pub start: usize,
    /// Values from one row, as it lies, to the next.
    pub row: usize,
    /// Values from one matrix of a batch to the next.
    pub step: usize,
    /// Whether it lies with its rows and columns swapped.
    pub is_transposed: bool,
}

impl<'a> Matrix<'a> {
    /// A tensor of two dimensions, as it is.
    pub fn of(values: &'a Tensor) -> Result<Self> {
        Ok(Self {
            values,
            start: 0,
            row: values.dim(1)?,
            step: 0,
            is_transposed: false,
        })
    }

    /// With its rows and columns swapped.
    pub fn transposed(self) -> Self {
        Self {
            is_transposed: !self.is_transposed,
            ..self
        }
    }
}

/// Products of matrices, written where they belong: `rows × inner` by `inner × columns`.
#[derive(Clone, Copy)]
#[cfg_attr(
    not(feature = "cuda"),
    expect(dead_code, reason = "no kernel computes it")
)]
pub struct Product<'a> {
    pub left: Matrix<'a>,
    pub right: Matrix<'a>,
    pub out: Matrix<'a>,
    pub rows: usize,
    pub inner: usize,
    pub columns: usize,
    pub batch: usize,
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

    /// A block for each of so many sums, of many threads.
    pub fn large_blocks(count: usize) -> Self {
        Self {
            threads: 1_024,
            ..Self::blocks(count)
        }
    }

    /// A block for each of so many sums, of few threads.
    pub fn small_blocks(count: usize) -> Self {
        Self {
            blocks: (count, 1),
            threads: SMALL_BLOCK,
            shared_bytes: 0,
        }
    }

    /// A block for each of so many matrices of `side` rows and columns, of which a thread has a tile.
    pub fn of_sides(count: usize, side: usize) -> Self {
        let across = side / TILE;
        Self {
            threads: (across * across) as u32,
            ..Self::blocks(count)
        }
    }

    /// Blocks for sums of so many columns.
    pub fn columns(count: usize) -> Self {
        Self {
            blocks: (count.div_ceil(WARP), 1),
            threads: 1_024,
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

/// `x` transposed by `y`, written to `out`.
pub fn products_of_columns(kernels: &Kernels, x: &Tensor, y: &Tensor, out: &Tensor) -> Result<()> {
    kernels.multiply(&Product {
        left: Matrix::of(x)?.transposed(),
        right: Matrix::of(y)?,
        out: Matrix::of(out)?,
        rows: x.dim(1)?,
        inner: x.dim(0)?,
        columns: y.dim(1)?,
        batch: 1,
    })
}

/// Sums of the columns of `x` (`rows × width`), times `scale`; `share` of it is taken to what `out` has.
pub fn column_sums(
    kernels: &Kernels,
    x: &Tensor,
    (scale, share): (f32, f32),
    out: &Tensor,
) -> Result<()> {
    let (rows, width) = x.dims2()?;
    let arguments = [
        Argument::Tensor(x),
        Argument::Int(rows),
        Argument::Int(width),
        Argument::Float(scale),
        Argument::Float(share),
        Argument::Tensor(out),
    ];
    kernels.launch("column_sums", Grid::columns(width), &arguments)
}
