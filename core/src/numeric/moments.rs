//! Means and deviations, accumulated in double precision and in order, so that a figure is the same wherever
//! it is taken.

/// Mean of values; not a number without any.
pub(crate) fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

/// Mean of the squares of values; not a number without any.
pub(crate) fn mean_square(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    mean(values.map(|x| x * x))
}

/// Mean and standard deviation of every column of rows that come one by one.
pub(crate) struct ColumnMoments {
    sum: Vec<f64>,
    square: Vec<f64>,
    count: usize,
}

impl ColumnMoments {
    /// For rows of `width` values.
    pub fn new(width: usize) -> Self {
        Self {
            sum: vec![0.0; width],
            square: vec![0.0; width],
            count: 0,
        }
    }

    /// Takes the next row.
    pub fn add<T: Into<f64>>(&mut self, row: impl Iterator<Item = T>) {
        for ((sum, square), x) in self.sum.iter_mut().zip(&mut self.square).zip(row) {
            let x = x.into();
            *sum += x;
            *square += x * x;
        }
        self.count += 1;
    }

    /// Rows so far.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Mean of every column.
    pub fn means(&self) -> Vec<f64> {
        let count = self.count as f64;
        self.sum.iter().map(|sum| sum / count).collect()
    }

    /// Standard deviation of every column, of the rows themselves (divided by their number).
    pub fn deviations(&self) -> Vec<f64> {
        let count = self.count as f64;
        self.sum
            .iter()
            .zip(&self.square)
            .map(|(sum, square)| {
                let mean = sum / count;
                // Rounding must not make the variance of a constant negative.
                (square / count - mean * mean).max(0.0).sqrt()
            })
            .collect()
    }
}

/// Rounds values to single precision.
pub(crate) fn to_single(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&x| x as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_deviations_are_those_of_the_columns() {
        let rows: [[f32; 3]; 4] = [
            [1.0, 5.0, -1.0],
            [2.0, 5.0, 1.0],
            [3.0, 5.0, -1.0],
            [6.0, 5.0, 1.0],
        ];
        let mut moments = ColumnMoments::new(3);
        for row in rows {
            moments.add(row.into_iter());
        }
        assert_eq!(moments.count(), 4);
        assert_eq!(moments.means(), [3.0, 5.0, 0.0]);
        let deviations = moments.deviations();
        assert!((deviations[0] - 3.5f64.sqrt()).abs() < 1e-15);
        assert_eq!(deviations[1..], [0.0, 1.0]);
        assert_eq!(to_single(&deviations)[2], 1.0f32);
    }

    #[test]
    fn mean_and_mean_square_are_sums_over_counts() {
        let x = [3.0, -1.0, 4.0, 2.0];
        assert_eq!(mean(x.into_iter()), 2.0);
        assert_eq!(mean_square(x.into_iter()), 7.5);
        assert!(mean([].into_iter()).is_nan());
    }
}
