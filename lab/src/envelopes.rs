//! Verma & Smith's energy envelopes (2018, "Neural style transfer for audio spectograms"): how the energy of a
//! spectrogram goes along time, and how it lies over frequency.
//!
//! The paper does not write the terms down. Here they compare the roots of the energies: by the energies themselves,
//! a few loud frames would be all that counts, and from a quiet start nothing would lead to them.

use candle_core::{DType, Result, Tensor};

use crate::objective::{Objective, Term};

/// Added to an energy before its root is taken, whose slope is infinite at 0.
const LEAST_ENERGY: f64 = 1e-12;

/// The energy envelopes of an image of log magnitudes `ln(1 + |X|)`, `frames × bins`, over time and over frequency:
/// the root of the sum of the magnitudes' squares in every frame, and in every bin, `([frames], [bins])`.
///
/// # Errors
/// If the image has another rank.
pub fn energy_envelopes(image: &Tensor) -> Result<(Tensor, Tensor)> {
    // Doubles, as loud bins are the exponentials of what is optimised.
    let energy = (image.to_dtype(DType::F64)?.exp()? - 1.0)?.sqr()?;
    let root = |dimension: usize| (energy.sum(dimension)? + LEAST_ENERGY)?.sqrt();
    Ok((root(1)?, root(0)?))
}

/// How far the energy envelopes of an image are from those of another: squared differences, over the squares of
/// the other's envelope.
#[derive(Clone, Debug)]
pub struct EnvelopeLoss {
    over_time: Target,
    over_frequency: Target,
    time_weight: f64,
    frequency_weight: f64,
}

#[derive(Clone, Debug)]
struct Target {
    envelope: Tensor,
    /// One over the sum of its squares.
    scale: f64,
}

impl Target {
    fn new(envelope: Tensor) -> Result<Self> {
        let squares = envelope.sqr()?.sum_all()?.to_scalar::<f64>()?;
        // Silence has the floor alone.
        if squares.is_nan() || squares <= 2.0 * LEAST_ENERGY * envelope.elem_count() as f64 {
            candle_core::bail!("silence has no envelope: choose content that sounds");
        }
        Ok(Self {
            envelope,
            scale: 1.0 / squares,
        })
    }

    fn distance(&self, envelope: &Tensor) -> Result<Tensor> {
        (envelope - &self.envelope)?.sqr()?.sum_all()? * self.scale
    }
}

impl EnvelopeLoss {
    /// The envelopes of `content`, `frames × bins`, with the paper's weights γ (of the envelope over frequency) and
    /// δ (over time).
    ///
    /// # Errors
    /// If the content has another rank, or is silent.
    pub fn new(content: &Tensor, frequency_weight: f64, time_weight: f64) -> Result<Self> {
        let (over_time, over_frequency) = energy_envelopes(content)?;
        Ok(Self {
            over_time: Target::new(over_time)?,
            over_frequency: Target::new(over_frequency)?,
            time_weight,
            frequency_weight,
        })
    }
}

impl Objective for EnvelopeLoss {
    /// Two summands; the image is as large as the content.
    fn terms(&mut self, image: &Tensor, _iteration: u32) -> Result<Vec<Term>> {
        let (over_time, over_frequency) = energy_envelopes(image)?;
        Ok(vec![
            Term {
                name: "envelope over frequency",
                weight: self.frequency_weight,
                value: self.over_frequency.distance(&over_frequency)?,
            },
            Term {
                name: "envelope over time",
                weight: self.time_weight,
                value: self.over_time.distance(&over_time)?,
            },
        ])
    }
}
