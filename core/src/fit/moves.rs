//! How gradients move the weights, on every device: matrices by Muon, everything else by Adam.

/// Adam (Kingma & Ba 2015, algorithm 1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Decay of the first moments.
    pub beta_1: f32,
    /// Decay of the second moments.
    pub beta_2: f32,
    /// Keeps the quotient of the two finite.
    pub epsilon: f32,
}

/// Muon (Jordan et al. 2024): the momentum of a matrix with its singular values evened out, so that every direction of
/// it learns equally fast, however small its gradient is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Muon {
    /// Decay of the momentum, which is taken a step ahead (Nesterov).
    pub momentum: f32,
    /// Root mean square of a matrix's change at rate 1.
    pub change_rms: f32,
    /// Coefficients of the Newton-Schulz iteration, x ← ax + bx³ + cx⁵.
    pub quintic: [f32; 3],
    /// How often it is iterated.
    pub rounds: usize,
}

/// The fit's Adam, which moves biases and the phase table.
pub const ADAM: Adam = Adam {
    beta_1: 0.9,
    beta_2: 0.999,
    epsilon: 1e-8,
};

/// The fit's Muon, which moves every other tensor. Its momentum is less than the usual 0.95: fits are a few thousand
/// steps. Its change is comparable with Adam's (Liu et al. 2025, "Muon is scalable", section 2.2, has 0.2); twice that
/// converged fastest here. The iteration has a steep start (Jordan et al. 2024) that brings singular values to about
/// 0.7..1.2; three rounds reach those over some 3 % of the whole, and five, which are usual, fit no better here.
pub const MUON: Muon = Muon {
    momentum: 0.9,
    change_rms: 0.4,
    quintic: [3.4445, -4.7750, 2.0315],
    rounds: 3,
};
