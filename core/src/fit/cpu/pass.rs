//! One forward and one backward pass through the generator, with everything in between kept.

use crate::network::inputs::{ScaleInputs, join_backward};
use crate::network::{Activations, Generator, HIDDEN, SCALES, ScaleWeights, Weights, layers};
use crate::numeric::linalg::add;

/// Activations and gradients of a step, kept from step to step.
#[derive(Debug)]
pub(in crate::fit) struct Pass {
    scales: [Activations; SCALES],
    /// The result: `frames × feature width`.
    pub features: Vec<f32>,
    /// Of the soft limits where the features lie.
    slopes: Vec<f32>,
    gradients: Weights,
    /// By the hidden channels and by what a scale takes in.
    hidden_gradient: Vec<f32>,
    joined_gradient: Vec<f32>,
    first_gradient: Vec<f32>,
    second_gradient: Vec<f32>,
    part: Vec<f32>,
    table_part: Vec<f32>,
}

impl Pass {
    /// For networks of the shape of `weights`.
    pub fn new(weights: &Weights) -> Self {
        Self {
            scales: Default::default(),
            features: Vec::new(),
            slopes: Vec::new(),
            gradients: weights.zeros_like(),
            hidden_gradient: Vec::new(),
            joined_gradient: Vec::new(),
            first_gradient: Vec::new(),
            second_gradient: Vec::new(),
            part: Vec::new(),
            table_part: Vec::new(),
        }
    }

    /// Computes [`features`](Self::features): `frames` frames from `inputs` that were filled for them.
    pub fn forward(
        &mut self,
        generator: &Generator,
        inputs: &[ScaleInputs; SCALES],
        frames: usize,
    ) {
        let size = frames * generator.feature_width();
        self.features.resize(size, 0.0);
        self.slopes.resize(size, 0.0);
        let (features, slopes) = (&mut self.features, &mut self.slopes);
        generator.forward_with_slopes(inputs, &mut self.scales, features, slopes);
    }

    /// The gradients by the weights that [`backward`](Self::backward) computed.
    pub fn gradients(&self) -> &Weights {
        &self.gradients
    }

    /// Computes [`gradients`](Self::gradients) from the gradient by the features of the last
    /// [`forward`](Self::forward), which had the same arguments. It takes up what that left: once each.
    pub fn backward(
        &mut self,
        generator: &Generator,
        inputs: &[ScaleInputs; SCALES],
        by_features: &[f32],
    ) {
        let weights = generator.weights();
        if let Some(table) = &mut self.gradients.table {
            table.data_mut().fill(0.0);
        }
        let hidden = &self.scales[SCALES - 1].hidden;
        self.hidden_gradient.resize(hidden.len(), 0.0);
        let by_head = &mut self.gradients.head;
        layers::head_backward(
            hidden,
            HIDDEN,
            weights.head.weight.data(),
            by_features,
            &mut self.slopes,
            layers::Gradients {
                dx: Some(&mut self.hidden_gradient),
                dw: by_head.weight.data_mut(),
                db: by_head.bias.data_mut(),
            },
        );
        for s in (0..SCALES).rev() {
            self.scale_backward(s, &weights.scales[s]);
            if s > 0 {
                self.join_backward(s, &inputs[s]);
            }
        }
    }

    /// Through the two convolutions of scale `s`: from the gradient by what it hands on to that by its joined
    /// input.
    fn scale_backward(&mut self, s: usize, weights: &ScaleWeights) {
        let Activations {
            joined,
            first,
            second,
            ..
        } = &self.scales[s];
        let gradients = &mut self.gradients.scales[s];
        self.first_gradient.resize(first.len(), 0.0);
        self.second_gradient.resize(second.len(), 0.0);
        layers::residual_backward(
            &self.hidden_gradient,
            HIDDEN,
            &mut self.first_gradient,
            &mut self.second_gradient,
        );
        self.part.resize(first.len(), 0.0);
        layers::convolve_backward(
            first,
            HIDDEN,
            weights.second.weight.data(),
            second,
            &self.second_gradient,
            layers::Gradients {
                dx: Some(&mut self.part),
                dw: gradients.second.weight.data_mut(),
                db: gradients.second.bias.data_mut(),
            },
        );
        add(&mut self.first_gradient, &self.part);
        self.joined_gradient.resize(joined.len(), 0.0);
        layers::convolve_backward(
            joined,
            weights.first.weight.shape()[1],
            weights.first.weight.data(),
            first,
            &self.first_gradient,
            layers::Gradients {
                // The coarsest scale takes in nothing that depends on weights.
                dx: (s > 0).then_some(&mut self.joined_gradient[..]),
                dw: gradients.first.weight.data_mut(),
                db: gradients.first.bias.data_mut(),
            },
        );
    }

    /// From the gradient by the joined input of scale `s` to that by what the coarser scale handed on, and
    /// the scale's share of that by the table.
    fn join_backward(&mut self, s: usize, inputs: &ScaleInputs) {
        let coarser = self.scales[s - 1].hidden.len();
        self.hidden_gradient.resize(coarser, 0.0);
        let table = self.gradients.table.as_mut();
        let table = table.map_or(&mut [][..], |t| t.data_mut());
        self.table_part.clear();
        self.table_part.resize(table.len(), 0.0);
        join_backward(
            inputs,
            HIDDEN,
            &self.joined_gradient,
            &mut self.hidden_gradient,
            &mut self.table_part,
        );
        add(table, &self.table_part);
    }
}
