//! What the tests of gradients have in common.

use candle_core::{Device, Tensor, Var};
use weft_lab::Objective;

/// Pseudo-random numbers between -1 and 1.
pub fn noise(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        })
        .collect()
}

/// Asserts for every summand of `objective` that its gradient by `image` (64 bits) is that of finite differences:
/// along directions of random numbers, to one part in `1 / tolerance`.
pub fn assert_gradients(objective: &mut dyn Objective, image: &Tensor, step: f64, tolerance: f64) {
    let names: Vec<&str> = terms(objective, image).iter().map(|t| t.0).collect();
    for (index, name) in names.iter().enumerate() {
        let variable = Var::from_tensor(image).unwrap();
        let term = objective.terms(&variable, 0).unwrap().swap_remove(index);
        let grads = term.value.backward().unwrap();
        let grad = grads.get(&variable).unwrap();
        for seed in 1..4 {
            let count = image.elem_count();
            let direction = Tensor::new(noise(count, seed), &Device::Cpu).unwrap();
            let direction = direction.reshape(image.shape()).unwrap();
            let slope = scalar(&(grad * &direction).unwrap().sum_all().unwrap());
            let mut at = |t: f64| {
                let moved = (image + (&direction * t).unwrap()).unwrap();
                terms(objective, &moved)[index].1
            };
            // The five-point formula: its error falls with the fourth power of the step.
            let near = at(step) - at(-step);
            let far = at(2.0 * step) - at(-2.0 * step);
            let expected = (8.0 * near - far) / (12.0 * step);
            let error = (slope - expected).abs() / expected.abs().max(1e-12);
            println!(
                "{name}: slope {slope:.9}, differences {expected:.9}, relative error {error:.1e}"
            );
            assert!(error < tolerance, "{name}: {slope} for {expected}");
        }
    }
}

/// Names and values of all summands.
pub fn terms(objective: &mut dyn Objective, image: &Tensor) -> Vec<(&'static str, f64)> {
    let terms = objective.terms(image, 0).unwrap();
    terms.iter().map(|t| (t.name, scalar(&t.value))).collect()
}

fn scalar(tensor: &Tensor) -> f64 {
    let double = tensor.to_dtype(candle_core::DType::F64).unwrap();
    double.to_scalar().unwrap()
}
