//! Several random networks that look at one image.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::filters::Filters;

/// Rows that an average pooling takes together, and moves on by (Antognini et al., section IV-C).
const POOL: usize = 2;

/// How the networks stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// Each sees the image.
    Parallel,
    /// Each sees the averages of two rows and two rows of the activations before.
    Stacked,
}

/// What one network makes of an image.
#[derive(Clone, Debug)]
pub struct FeatureMap {
    /// Activations, places × filters.
    pub map: Tensor,
    /// Rows of the image from one place to the next.
    pub hop: usize,
}

/// Random networks of one layer each.
#[derive(Clone, Debug)]
pub struct Ensemble {
    layers: Vec<Arc<Filters>>,
    architecture: Architecture,
}

impl Ensemble {
    /// Networks beside each other, each of these filters.
    pub fn parallel(layers: Vec<Filters>) -> Self {
        Self::new(layers, Architecture::Parallel)
    }

    /// Networks on top of each other: each layer's channels are the filters of the one before.
    pub fn stacked(layers: Vec<Filters>) -> Self {
        Self::new(layers, Architecture::Stacked)
    }

    fn new(layers: Vec<Filters>, architecture: Architecture) -> Self {
        Self {
            layers: layers.into_iter().map(Arc::new).collect(),
            architecture,
        }
    }

    /// The filters of each network.
    pub fn layers(&self) -> &[Arc<Filters>] {
        &self.layers
    }

    /// Fewest rows of an image that every network sees something of.
    pub fn least_rows(&self) -> usize {
        let widths = self.layers.iter().map(|layer| layer.width());
        match self.architecture {
            Architecture::Parallel => widths.max().unwrap_or(0),
            Architecture::Stacked => widths
                .rev()
                .fold(None, |above, width| {
                    Some(above.map_or(width, |rows| POOL * rows + width - 1))
                })
                .unwrap_or(0),
        }
    }

    /// What every network makes of an `image`, rows × channels.
    ///
    /// # Errors
    /// If the image has other columns or fewer rows than the networks see, or memory lacks.
    pub fn features(&self, image: &Tensor) -> Result<Vec<FeatureMap>> {
        let mut maps: Vec<FeatureMap> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let (input, hop) = match (self.architecture, maps.last()) {
                (Architecture::Stacked, Some(below)) => (pooled(&below.map)?, below.hop * POOL),
                _ => (image.clone(), 1),
            };
            let map = layer.activations(&input)?;
            maps.push(FeatureMap { map, hop });
        }
        Ok(maps)
    }
}

/// Means of every two rows; a last one without a partner is left out.
fn pooled(map: &Tensor) -> Result<Tensor> {
    let (rows, columns) = map.dims2()?;
    let pairs = map.narrow(0, 0, rows / POOL * POOL)?;
    pairs.reshape((rows / POOL, POOL, columns))?.mean(1)
}
