//! The last moves and what they did to the gradient: what is known of the curvature.

use std::collections::VecDeque;

/// Least curvature along a move, as a part of the product of the norms: below it rounding decides.
const LEAST_CURVATURE: f64 = 1e-10;
/// Sums that go on beside each other, so that they fit a vector register: a spectrogram has some hundred thousand
/// variables, and each step goes through all remembered moves several times.
const LANES: usize = 8;

/// A move, and the change of the gradient over it.
struct Pair {
    moved: Vec<f64>,
    changed: Vec<f64>,
}

/// The pairs of the last moves, the oldest first.
#[derive(Default)]
pub struct Pairs {
    pairs: VecDeque<Pair>,
}

impl Pairs {
    /// Remembers a move, and forgets the oldest where there would be more than `most`. One along which the gradient
    /// did not rise tells nothing.
    pub fn remember(&mut self, moved: Vec<f64>, changed: Vec<f64>, most: usize) {
        let curvature = dot(&moved, &changed);
        let scale = (dot(&moved, &moved) * dot(&changed, &changed)).sqrt();
        if curvature <= LEAST_CURVATURE * scale {
            return;
        }
        self.pairs.push_back(Pair { moved, changed });
        if self.pairs.len() > most {
            self.pairs.pop_front();
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.pairs.clear();
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The direction of descent from a `gradient`: minus the inverse of the curvature's estimate times it (algorithm
    /// 7.4), in the variables that are `free` alone.
    pub fn direction(&self, gradient: &[f64], free: &[bool]) -> Vec<f64> {
        let free: Vec<f64> = free.iter().map(|free| f64::from(*free)).collect();
        let free = &free[..];
        let masked = |a: &[f64], b: &[f64]| product_of_three(a, b, free);
        let mut direction: Vec<f64> = gradient
            .iter()
            .zip(free)
            .map(|(g, free)| -g * free)
            .collect();
        let mut shares = Vec::with_capacity(self.pairs.len());
        let mut scale = 1.0;
        for pair in self.pairs.iter().rev() {
            let curvature = masked(&pair.moved, &pair.changed);
            // What is left of a pair in the free variables may tell nothing, or the wrong.
            let norms = masked(&pair.moved, &pair.moved) * masked(&pair.changed, &pair.changed);
            if curvature <= LEAST_CURVATURE * norms.sqrt() || curvature == 0.0 {
                continue;
            }
            if shares.is_empty() {
                scale = curvature / masked(&pair.changed, &pair.changed);
            }
            let share = masked(&pair.moved, &direction) / curvature;
            add(&mut direction, -share, &pair.changed, free);
            shares.push((pair, share, curvature));
        }
        direction.iter_mut().for_each(|d| *d *= scale);
        for (pair, share, curvature) in shares.into_iter().rev() {
            let other = masked(&pair.changed, &direction) / curvature;
            add(&mut direction, share - other, &pair.moved, free);
        }
        direction
    }
}

/// Adds `factor · other` to what is `free` (1, or else 0) of a vector.
fn add(vector: &mut [f64], factor: f64, other: &[f64], free: &[f64]) {
    for ((x, other), free) in vector.iter_mut().zip(other).zip(free) {
        *x += factor * other * free;
    }
}

/// The scalar product.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a_lanes, b_lanes) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = a_lanes.remainder().iter().zip(b_lanes.remainder());
    let rest: f64 = rest.map(|(a, b)| a * b).sum();
    let mut sums = [0.0; LANES];
    for (a, b) in a_lanes.zip(b_lanes) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    rest + sums.iter().sum::<f64>()
}

/// The sum of the products of three vectors' members.
fn product_of_three(a: &[f64], b: &[f64], c: &[f64]) -> f64 {
    let lanes = a
        .chunks_exact(LANES)
        .zip(b.chunks_exact(LANES))
        .zip(c.chunks_exact(LANES));
    let whole = a.len() / LANES * LANES;
    let rest = a[whole..].iter().zip(&b[whole..]).zip(&c[whole..]);
    let rest: f64 = rest.map(|((a, b), c)| a * b * c).sum();
    let mut sums = [0.0; LANES];
    for ((a, b), c) in lanes {
        for (sum, ((a, b), c)) in sums.iter_mut().zip(a.iter().zip(b).zip(c)) {
            *sum += a * b * c;
        }
    }
    rest + sums.iter().sum::<f64>()
}
