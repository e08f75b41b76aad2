//! One forward and one backward pass through the generator, with everything in between kept.

use crate::network::{
    Activations, Generator, HIDDEN, SCALES, ScaleInputs, TABLE_CHANNELS, array, layers, skip, spans,
};

/// Activations and gradients of a step, kept from step to step.
#[derive(Debug, Default)]
pub(in crate::fit) struct Pass {
    frames: usize,
    scales: [Activations; SCALES],
    /// The result: `frames × feature width`.
    pub features: Vec<f32>,
    /// The gradient by every array of weights, in their order.
    pub gradients: Vec<Vec<f32>>,
    /// By the hidden channels and by what a scale takes in.
    hidden_gradient: Vec<f32>,
    joined_gradient: Vec<f32>,
    first_gradient: Vec<f32>,
    second_gradient: Vec<f32>,
    part: Vec<f32>,
}

impl Pass {
    /// Computes [`features`](Self::features): `frames` frames from `inputs` that were filled for them.
    pub fn forward(
        &mut self,
        generator: &Generator,
        inputs: &[ScaleInputs; SCALES],
        frames: usize,
    ) {
        self.frames = frames;
        self.features
            .resize(frames * generator.feature_width(), 0.0);
        generator.forward(inputs, frames, &mut self.scales, &mut self.features);
    }

    /// Computes [`gradients`](Self::gradients) from the gradient by the features of the last
    /// [`forward`](Self::forward), which had the same arguments.
    pub fn backward(
        &mut self,
        generator: &Generator,
        inputs: &[ScaleInputs; SCALES],
        features_gradient: &[f32],
    ) {
        let spans = spans(self.frames);
        let weights = &generator.weights.arrays;
        self.gradients.resize_with(weights.len(), Vec::new);
        for (gradient, array) in self.gradients.iter_mut().zip(weights) {
            gradient.resize(array.data.len(), 0.0);
        }
        if let Some(table) = self.gradients.get_mut(array::TABLE) {
            table.fill(0.0);
        }
        let hidden = &self.scales[SCALES - 1].hidden;
        self.hidden_gradient.resize(hidden.len(), 0.0);
        let [dw, db] = &mut self.gradients[array::HEAD_WEIGHT..=array::HEAD_BIAS] else {
            unreachable!("the head has two arrays")
        };
        layers::head_backward(
            hidden,
            HIDDEN,
            &weights[array::HEAD_WEIGHT].data,
            &weights[array::HEAD_BIAS].data,
            &generator.range,
            features_gradient,
            layers::Gradients {
                dx: Some(&mut self.hidden_gradient),
                dw,
                db,
            },
        );
        for s in (0..SCALES).rev() {
            let Activations {
                joined,
                first,
                second,
                ..
            } = &self.scales[s];
            self.first_gradient.resize(first.len(), 0.0);
            self.second_gradient.resize(second.len(), 0.0);
            layers::residual_backward(
                &self.hidden_gradient,
                HIDDEN,
                &mut self.first_gradient,
                &mut self.second_gradient,
            );
            let [dw1, db1, dw2, db2] =
                &mut self.gradients[array::first_weight(s)..=array::second_bias(s)]
            else {
                unreachable!("a scale has four arrays")
            };
            self.part.resize(first.len(), 0.0);
            layers::convolve_backward(
                first,
                HIDDEN,
                &weights[array::second_weight(s)].data,
                second,
                &self.second_gradient,
                layers::Gradients {
                    dx: Some(&mut self.part),
                    dw: dw2,
                    db: db2,
                },
            );
            add(&mut self.first_gradient, &self.part);
            let width = joined.len() / inputs[s].columns;
            self.joined_gradient.resize(joined.len(), 0.0);
            layers::convolve_backward(
                joined,
                width,
                &weights[array::first_weight(s)].data,
                first,
                &self.first_gradient,
                layers::Gradients {
                    // The coarsest scale takes in nothing that depends on weights.
                    dx: (s > 0).then_some(&mut self.joined_gradient[..]),
                    dw: dw1,
                    db: db1,
                },
            );
            if s == 0 {
                break;
            }
            let parts = inputs[s].parts(skip(&spans, s));
            self.hidden_gradient
                .resize(self.scales[s - 1].hidden.len(), 0.0);
            self.part
                .resize(weights.get(array::TABLE).map_or(0, |t| t.data.len()), 0.0);
            layers::join_backward(
                &parts,
                HIDDEN,
                TABLE_CHANNELS,
                &self.joined_gradient,
                &mut self.hidden_gradient,
                &mut self.part,
            );
            if !parts.table_weights.is_empty() {
                add(&mut self.gradients[array::TABLE], &self.part);
            }
        }
    }
}

fn add(sum: &mut [f32], x: &[f32]) {
    for (s, x) in sum.iter_mut().zip(x) {
        *s += x;
    }
}
