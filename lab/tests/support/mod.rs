//! What several tests of this crate set up.

// Every test file takes what it needs.
#![allow(dead_code)]

use candle_core::{Device, Result, Tensor, Var};
use weft_core::numeric::random::Sequence;

/// Numbers of zero mean and this deviation.
pub fn random(seed: u64, length: usize, deviation: f32) -> Vec<f32> {
    let mut source = Sequence::new(seed, 0);
    (0..length).map(|_| source.gaussian() * deviation).collect()
}

/// A matrix of these values on the processor.
pub fn matrix(values: &[f32], columns: usize) -> Tensor {
    Tensor::from_slice(values, (values.len() / columns, columns), &Device::Cpu).unwrap()
}

/// The number that a scalar is.
pub fn number(tensor: &Tensor) -> f64 {
    tensor
        .to_dtype(candle_core::DType::F64)
        .unwrap()
        .to_scalar()
        .unwrap()
}

/// All values of a tensor.
pub fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Value and gradient of a loss of a matrix.
pub fn value_and_gradient(
    values: &[f32],
    columns: usize,
    loss: &dyn Fn(&Tensor) -> Result<Tensor>,
) -> (f64, Vec<f32>) {
    let image = Var::from_tensor(&matrix(values, columns)).unwrap();
    let loss = loss(image.as_tensor()).unwrap();
    let gradients = loss.backward().unwrap();
    // What does not depend on the image has no gradient by it.
    let flat = || vec![0.0; values.len()];
    let gradient = gradients.get(&image).map_or_else(flat, self::values);
    (number(&loss), gradient)
}

/// Largest error of the gradient along a few random directions against central differences, as a part of the slope
/// there and of the gradient's mean size.
pub fn gradient_error(
    values: &[f32],
    columns: usize,
    step: f64,
    loss: &dyn Fn(&Tensor) -> Result<Tensor>,
) -> f64 {
    let (_, gradient) = value_and_gradient(values, columns, loss);
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
        products.sum()
    };
    let mean_size = (dot(&gradient, &gradient) / gradient.len() as f64).sqrt();
    let errors = (0..4).map(|seed| {
        let direction = random(100 + seed, values.len(), 1.0);
        let norm = dot(&direction, &direction).sqrt();
        let moved = |by: f64| -> Vec<f32> {
            let moves = values.iter().zip(&direction);
            moves
                .map(|(x, d)| x + (f64::from(*d) / norm * by) as f32)
                .collect()
        };
        let (forwards, back) = (moved(step), moved(-step));
        let value = |moved: &[f32]| number(&loss(&matrix(moved, columns)).unwrap());
        let difference = (value(&forwards) - value(&back)) / (2.0 * step);
        // Along what the move became in single precision.
        let way: Vec<f32> = forwards.iter().zip(&back).map(|(a, b)| a - b).collect();
        let slope = dot(&gradient, &way) / (2.0 * step);
        (slope - difference).abs() / (slope.abs() + mean_size)
    });
    errors.fold(0.0, f64::max)
}

/// The root of the mean squared difference, as a part of that of `b`.
pub fn relative_difference(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let pairs = a.iter().zip(b);
    let error: f64 = pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum();
    let size: f64 = b.iter().map(|b| f64::from(*b).powi(2)).sum();
    (error / size).sqrt()
}
