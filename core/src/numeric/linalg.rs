//! Matrix products on slices: a safe face for `gemm`.

/// A matrix inside a slice: element `(i, j)` is `data[i * row_stride + j * column_stride]`.
///
/// Rows may overlap (`row_stride < columns`), which makes every window of consecutive rows of a
/// matrix a row itself: a convolution along time needs no copy.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> View<'a> {
    /// `rows × columns`, row after row without gaps.
    ///
    /// # Panics
    /// If `data` is shorter than that.
    pub fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        Self::strided(data, rows, columns, columns, 1)
    }

    /// `rows × columns` with any strides.
    ///
    /// # Panics
    /// If an element lies outside `data`.
    pub fn strided(
        data: &'a [f32],
        rows: usize,
        columns: usize,
        row_stride: usize,
        column_stride: usize,
    ) -> Self {
        assert!(fits(data.len(), rows, columns, row_stride, column_stride));
        Self {
            data,
            rows,
            columns,
            row_stride,
            column_stride,
        }
    }

    /// All windows of `taps` consecutive rows of a matrix with `width` columns, each as one row of
    /// `taps · width` columns.
    pub fn windows(data: &'a [f32], width: usize, taps: usize) -> Self {
        let rows = (data.len() / width + 1).saturating_sub(taps);
        Self::strided(data, rows, taps * width, width, 1)
    }

    /// Rows and columns swapped.
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

fn fits(
    length: usize,
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
) -> bool {
    rows == 0 || columns == 0 || (rows - 1) * row_stride + (columns - 1) * column_stride < length
}

/// `out = a · b`, or `out += a · b`. `out` has `a.rows × b.columns` elements with the given strides,
/// no two of which may be the same place.
///
/// # Panics
/// If the inner dimensions differ, or an element of the result lies outside `out` or on another.
pub fn multiply_strided(
    out: &mut [f32],
    (row_stride, column_stride): (usize, usize),
    a: View<'_>,
    b: View<'_>,
    accumulate: bool,
) {
    let (rows, inner, columns) = (a.rows, a.columns, b.columns);
    assert_eq!(inner, b.rows, "inner dimensions differ");
    assert!(fits(out.len(), rows, columns, row_stride, column_stride));
    let apart = column_stride >= 1 && row_stride >= columns * column_stride
        || row_stride >= 1 && column_stride >= rows * row_stride;
    assert!(apart, "the elements of the result overlap");
    // SAFETY: the three assertions above and those in `View::strided` keep every element that gemm
    // touches inside its slice; `out` is borrowed mutably, so it is none of the inputs, and its
    // elements are distinct places.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            out.as_mut_ptr(),
            column_stride as isize,
            row_stride as isize,
            accumulate,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// `out = a · b`, or `out += a · b`, with `out` row after row without gaps.
///
/// # Panics
/// If the inner dimensions differ, or `out` is shorter than the result.
pub fn multiply(out: &mut [f32], a: View<'_>, b: View<'_>, accumulate: bool) {
    let columns = b.columns;
    multiply_strided(out, (columns.max(1), 1), a, b, accumulate);
}

/// Adds `x` to `sum`, number by number.
pub(crate) fn add(sum: &mut [f32], x: &[f32]) {
    for (s, x) in sum.iter_mut().zip(x) {
        *s += x;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_transposes_and_accumulation_agree_with_sums() {
        let x: Vec<f32> = (0..15).map(|i| (i as f32 * 0.7).sin()).collect(); // 5 × 3
        let w: Vec<f32> = (0..12).map(|i| (i as f32 * 1.3).cos()).collect(); // (2 · 3) × 2
        let windows = View::windows(&x, 3, 2);
        assert_eq!(windows.rows, 4);
        let mut out = vec![1.0; 8];
        multiply(&mut out, windows, View::new(&w, 6, 2), true);
        for t in 0..4 {
            for o in 0..2 {
                let sum: f32 = (0..6).map(|i| x[t * 3 + i] * w[i * 2 + o]).sum();
                assert!((out[t * 2 + o] - 1.0 - sum).abs() < 1e-5);
            }
        }
        let mut gram = vec![9.0; 4];
        let w_view = View::new(&w, 6, 2);
        multiply(&mut gram, w_view.transposed(), w_view, false);
        let sum: f32 = (0..6).map(|i| w[i * 2] * w[i * 2 + 1]).sum();
        assert!((gram[1] - sum).abs() < 1e-5 && (gram[2] - sum).abs() < 1e-5);
    }
}
