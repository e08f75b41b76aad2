//! Random projections of stretches of frames, as sums of runs of filters' outputs.

use candle_core::{Device, Result, Tensor};
use weft_core::texture::loss::{FAMILY, Projection, Set};

use super::pooled::Pooled;

/// Terms of a projection, at most; those of fewer are filled up with terms of no weight.
pub const TERMS: usize = 4;

/// The projections of some families, for all sets: where their terms lie in the families' runs.
#[derive(Debug)]
pub struct Terms {
    families: usize,
    /// `sets × families × TERMS`: the value that a term begins with, in the runs of a set's pooling.
    starts: Tensor,
    /// The same the other way round: of the gradient by projections, between margins of a set's reach.
    starts_back: Tensor,
    /// `sets × families × 1 × TERMS`.
    weights: Tensor,
    /// Which filter of its family a term's weight belongs to, `sets × families × FAMILY × TERMS`.
    weights_back: Tensor,
    /// 0, 1, 2, ...
    count: Tensor,
}

impl Terms {
    /// Of families, each with a projection for every set, on runs of `frames` frames.
    pub fn new(
        families: &[Vec<Projection>],
        sets: &[Set],
        frames: usize,
        device: &Device,
    ) -> Result<Self> {
        let (mut starts, mut starts_back) = (Vec::new(), Vec::new());
        let (mut weights, mut weights_back) = (Vec::new(), Vec::new());
        for (i, set) in sets.iter().enumerate() {
            let length = frames / set.pool;
            // A margin at either end of the gradient by projections: a run that starts in one ends in the other.
            let with_margins = length + set.reach;
            for (family, projections) in families.iter().enumerate() {
                let terms = &projections[i].terms;
                let mut by_filter = [[0.0f32; TERMS]; FAMILY];
                let none = std::iter::repeat_with(Default::default);
                let padded = terms.iter().copied().chain(none).take(TERMS);
                for (k, term) in padded.enumerate() {
                    starts.push(((family * FAMILY + term.filter) * length + term.frame) as u32);
                    starts_back.push((family * with_margins + set.reach - term.frame) as u32);
                    weights.push(term.weight);
                    by_filter[term.filter][k] = term.weight;
                }
                weights_back.extend(by_filter.into_iter().flatten());
            }
        }
        let (count, families) = (sets.len(), families.len());
        let shape = (count, families, 1, TERMS);
        Ok(Self {
            families,
            starts: Tensor::from_vec(starts, (count, families * TERMS, 1), device)?,
            starts_back: Tensor::from_vec(starts_back, (count, families * TERMS, 1), device)?,
            weights: Tensor::from_vec(weights, shape, device)?,
            weights_back: Tensor::from_vec(weights_back, (count, families, FAMILY, TERMS), device)?,
            count: Tensor::arange(0u32, frames.max(1) as u32, device)?,
        })
    }

    /// Runs of `length` values from the places `starts`: `families × TERMS × length`.
    fn runs(&self, values: &Tensor, starts: &Tensor, length: usize) -> Result<Tensor> {
        let count = self.count.narrow(0, 0, length)?.unsqueeze(0)?;
        let places = starts.broadcast_add(&count)?.flatten_all()?;
        let runs = values.flatten_all()?.index_select(&places, 0)?;
        runs.reshape((self.families, TERMS, length))
    }

    /// The projections of a set of all its stretches: `families × stretches`.
    pub fn project(&self, i: usize, set: &Set, pooled: &Pooled) -> Result<Tensor> {
        let runs = pooled.at(set);
        let count = runs.dim(1)? - set.reach;
        let runs = self.runs(runs, &self.starts.get(i)?, count)?;
        self.weights.get(i)?.matmul(&runs)?.squeeze(1)
    }

    /// The gradient by the runs that were projected, from that by the projections.
    pub fn backward(&self, i: usize, set: &Set, by_projections: &Tensor) -> Result<Tensor> {
        let length = by_projections.dim(1)? + set.reach;
        let with_margins = by_projections.pad_with_zeros(1, set.reach, set.reach)?;
        let runs = self.runs(&with_margins, &self.starts_back.get(i)?, length)?;
        let by_runs = self.weights_back.get(i)?.matmul(&runs)?;
        by_runs.reshape((self.families * FAMILY, length))
    }
}
