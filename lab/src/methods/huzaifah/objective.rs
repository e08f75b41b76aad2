//! The style, the content and what keeps an image in its range, as terms.

use candle_core::{DType, Device, Result, Tensor};

use super::network::Network;
use super::{Constants, FILTERS, Generation, Huzaifah};
use crate::axes::FrequencyScale;
use crate::envelopes::EnvelopeLoss;
use crate::loss::gram;
use crate::objective::{Objective, Term};
use crate::spectrogram::Image;
use crate::tensors::{squared_distance, sum_type};

/// The loss of an image on the method's scale, logarithms divided by the range.
pub(super) struct Loss {
    network: Network,
    generation: Generation,
    layers: Vec<usize>,
    /// Weighted means of the styles' Gram matrices, one for each of `layers`.
    grams: Vec<Tensor>,
    style_weight: f64,
    penalty: f64,
    /// Layer, activations and weight.
    content: Option<(usize, Tensor, f64)>,
    envelopes: Option<Envelopes>,
}

/// Verma & Smith's terms, which hear an image's bins.
struct Envelopes {
    loss: EnvelopeLoss,
    scale: FrequencyScale,
    range: f64,
}

impl Loss {
    /// The style of `styles` (`frames × rows`, each with its share of the Gram matrices; shares add up to 1).
    /// The network has `depth` layers.
    pub(super) fn new(
        method: &Huzaifah,
        constants: &Constants,
        depth: usize,
        styles: &[(Tensor, f64)],
        style_weight: f64,
        seed: u64,
    ) -> Result<Self> {
        let network = Network::new(method, constants, depth, styles, seed)?;
        let mut means: Option<Vec<Tensor>> = None;
        for (image, share) in styles {
            let fields = network.fields(image)?;
            let of_style = method.layers.iter().map(|layer| {
                let scaled = gram(fields[layer - 1].values())? * *share;
                Ok(scaled?.detach())
            });
            let of_style: Vec<Tensor> = of_style.collect::<Result<_>>()?;
            means = Some(match means {
                Some(means) => {
                    let sums = means.iter().zip(&of_style).map(|(a, b)| a + b);
                    sums.collect::<Result<_>>()?
                }
                None => of_style,
            });
        }
        Ok(Self {
            network,
            generation: method.generation,
            layers: method.layers.clone(),
            grams: means.unwrap_or_default(),
            style_weight,
            penalty: constants.penalty,
            content: None,
            envelopes: None,
        })
    }

    /// Adds the content of an image: its activations at a layer.
    pub(super) fn with_content(
        mut self,
        image: &Tensor,
        layer: usize,
        weight: f64,
    ) -> Result<Self> {
        let fields = self.network.fields(image)?;
        self.content = Some((layer, fields[layer - 1].values().detach(), weight));
        Ok(self)
    }

    /// Adds the energy envelopes of another image's bins.
    pub(super) fn with_envelopes(
        mut self,
        loss: EnvelopeLoss,
        scale: FrequencyScale,
        range: f32,
    ) -> Self {
        self.envelopes = Some(Envelopes {
            loss,
            scale,
            range: range.into(),
        });
        self
    }

    /// Of the Gram matrices over the places: in the first program, squared errors summed; in the second, both divided
    /// by the channels, and the squares' mean. Its weights are for 4096 filters. Fewer give larger elements, by
    /// their number, so it counts here as if they were 4096.
    fn style(&self, activations: &Tensor, target: &Tensor) -> Result<Tensor> {
        let error = squared_distance(&gram(activations)?, target)?;
        match self.generation {
            Generation::First => Ok(error),
            Generation::Second => error / ((activations.dim(1)? * FILTERS) as f64).powi(2),
        }
    }
}

impl Objective for Loss {
    fn terms(&mut self, image: &Tensor, iteration: u32) -> Result<Vec<Term>> {
        let fields = self.network.fields(image)?;
        let mut styles = self.layers.iter().zip(&self.grams);
        let style = styles.try_fold(None, |sum: Option<Tensor>, (layer, target)| {
            let term = self.style(fields[layer - 1].values(), target)?;
            Result::Ok(Some(match sum {
                Some(sum) => (sum + term)?,
                None => term,
            }))
        })?;
        let mut terms = Vec::new();
        terms.extend(style.map(|value| Term {
            name: "style",
            weight: self.style_weight,
            value,
        }));
        if let Some((layer, target, weight)) = &self.content {
            let activations = fields[layer - 1].values();
            let count = activations.elem_count() as f64;
            terms.push(Term {
                name: "content",
                weight: *weight,
                value: (squared_distance(activations, target)? / count)?,
            });
        }
        if self.penalty > 0.0 {
            // Squares of what is below 0 or above 1, summed: [?] of the program is how.
            let outside = (image.neg()?.relu()? + (image - 1.0)?.relu()?)?;
            terms.push(Term {
                name: "range",
                weight: self.penalty,
                value: outside
                    .to_dtype(sum_type(image.device()))?
                    .sqr()?
                    .sum_all()?,
            });
        }
        if let Some(envelopes) = &mut self.envelopes {
            let bins = envelopes.scale.invert(&(image * envelopes.range)?)?;
            terms.extend(envelopes.loss.terms(&bins.relu()?, iteration)?);
        }
        let like = sum_type(image.device());
        for term in &mut terms {
            term.value = term.value.to_dtype(like)?;
        }
        Ok(terms)
    }
}

/// Places that an image needs along an axis for the deepest of `depth` layers to see something.
pub(super) fn least_places(constants: &Constants, kernel: usize, depth: usize) -> usize {
    let pooled = if constants.is_normalized { 2 } else { 1 };
    (1..depth).fold(kernel, |above, _| pooled * above + kernel - 1)
}

/// An image of logarithms as a tensor on the scale, divided by the range.
pub(super) fn on_scale(
    image: &Image,
    scale: &FrequencyScale,
    range: f32,
    device: &Device,
) -> Result<Tensor> {
    let shape = (image.rows(), image.columns);
    let bins = Tensor::from_slice(&image.values, shape, device)?.to_dtype(DType::F32)?;
    scale.apply(&bins)? / f64::from(range)
}
