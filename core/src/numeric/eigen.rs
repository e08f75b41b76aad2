//! Eigenvalues and eigenvectors of covariances.

/// Sweeps over all pairs of rows; about ten are needed.
const MAX_SWEEPS: usize = 40;
/// Two rows count as orthogonal when the cosine between them is below this.
const LEAST_COSINE: f64 = 1e-11;
/// A row this much shorter than the longest is rounding, not an eigenvector.
const LEAST_LENGTH: f64 = 1e-13;

/// An eigenvalue and its eigenvector, of unit norm.
#[derive(Clone, Debug)]
pub struct Eigen {
    /// The eigenvalue.
    pub value: f64,
    /// The eigenvector, of unit norm.
    pub vector: Vec<f64>,
}

/// The eigenvalues above rounding of a symmetric matrix without negative ones (`size × size`), largest first,
/// and their vectors.
///
/// One-sided Jacobi rotations (Hestenes 1958) turn the rows until they are orthogonal. The lengths of the
/// rows are then the singular values, which in such a matrix are the eigenvalues, and their directions the
/// eigenvectors.
pub fn eigen(mut matrix: Vec<f64>, size: usize) -> Vec<Eigen> {
    let longest = matrix
        .chunks_exact(size)
        .map(|row| dot(row, row))
        .fold(0.0, f64::max);
    let floor = longest * LEAST_LENGTH * LEAST_LENGTH;
    for _ in 0..MAX_SWEEPS {
        let mut rotated = false;
        for p in 0..size {
            let (head, tail) = matrix.split_at_mut((p + 1) * size);
            let a = &mut head[p * size..];
            for b in tail.chunks_exact_mut(size) {
                let (aa, bb, ab) = (dot(a, a), dot(b, b), dot(a, b));
                if aa.min(bb) <= floor || ab.abs() <= LEAST_COSINE * (aa * bb).sqrt() {
                    continue;
                }
                rotated = true;
                // The smaller of the two angles that make the rows orthogonal.
                let cot = (bb - aa) / (2.0 * ab);
                let tan = cot.signum() / (cot.abs() + (1.0 + cot * cot).sqrt());
                let cos = 1.0 / (1.0 + tan * tan).sqrt();
                let sin = cos * tan;
                for (a, b) in a.iter_mut().zip(b) {
                    (*a, *b) = (cos * *a - sin * *b, sin * *a + cos * *b);
                }
            }
        }
        if !rotated {
            break;
        }
    }
    let mut found: Vec<Eigen> = matrix
        .chunks_exact(size)
        .map(|row| (dot(row, row), row))
        .filter(|&(square, _)| square > floor)
        .map(|(square, row)| Eigen {
            value: square.sqrt(),
            vector: row.iter().map(|x| x / square.sqrt()).collect(),
        })
        .collect();
    found.sort_by(|a, b| b.value.total_cmp(&a.value));
    found
}

/// Sum of products, in eight lanes: a sum in strict order would run at a quarter of the speed.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 8;
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = a.remainder().iter().zip(b.remainder());
    let mut sums = [0.0; LANES];
    for (a, b) in a.clone().zip(b.clone()) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + rest.map(|(a, b)| a * b).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::random::Sequence;

    #[test]
    fn eigenvectors_put_a_covariance_together_again() {
        let (size, rank) = (40, 25);
        let mut random = Sequence::new(1, 0);
        // Factors of very different sizes, as covariances have.
        let factors: Vec<Vec<f64>> = (0..rank)
            .map(|r| {
                let scale = 10f64.powf(-0.2 * f64::from(r));
                (0..size)
                    .map(|_| scale * f64::from(random.gaussian()))
                    .collect()
            })
            .collect();
        let element = |i: usize, j: usize| factors.iter().map(|f| f[i] * f[j]).sum();
        let matrix: Vec<f64> = (0..size * size)
            .map(|at| element(at / size, at % size))
            .collect();
        let found = eigen(matrix.clone(), size);
        assert!(found.is_sorted_by(|a, b| a.value >= b.value));
        for i in 0..size {
            for j in 0..size {
                let sum: f64 = found
                    .iter()
                    .map(|e| e.value * e.vector[i] * e.vector[j])
                    .sum();
                assert!((sum - matrix[i * size + j]).abs() < 1e-9, "{i}, {j}");
            }
        }
        for (i, a) in found[..rank as usize].iter().enumerate() {
            for (j, b) in found[..rank as usize].iter().enumerate() {
                let product: f64 = a.vector.iter().zip(&b.vector).map(|(a, b)| a * b).sum();
                let expected = if i == j { 1.0 } else { 0.0 };
                assert!((product - expected).abs() < 1e-6, "{i}, {j}: {product}");
            }
        }
        assert!(eigen(vec![0.0; 9], 3).is_empty());
    }
}
