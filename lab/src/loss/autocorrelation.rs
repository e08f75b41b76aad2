//! Autocorrelations over time: rhythm (Antognini et al., eqs. 5 and 6).

use std::cell::RefCell;
use std::ops::Range;

use candle_core::{Device, Result, Tensor};

use super::correlate::Correlation;
use super::gram::sum;
use crate::network::FeatureMap;
use crate::tensors::{energy, frozen_times, squared_distance};

/// `A[τ, μ] = Σ F[t, μ] · F[t + τ, μ] / T` over `T` places, for some lags `τ` in places: lags × filters.
///
/// The paper's inverse transform of a power spectrum (eq. 5) with zeros behind the end, so that it is not correlated
/// with the beginning; and divided by `T`, so that maps of other lengths compare.
///
/// # Errors
/// If `map` is no matrix of more than `lags.end` places, or memory lacks.
pub fn autocorrelation(map: &Tensor, lags: Range<usize>) -> Result<Tensor> {
    let places = map.dim(0)?;
    if lags.is_empty() || lags.end > places {
        candle_core::bail!("lags of {lags:?} places in a map of {places}");
    }
    if map.device().is_cpu() {
        return map.apply_op1(Correlation { lags });
    }
    autocorrelation_by_products(map, lags)
}

/// The same by tensor operations alone, as on a graphics processor: transforms as products with sines and cosines.
///
/// # Errors
/// As [`autocorrelation`].
pub fn autocorrelation_by_products(map: &Tensor, lags: Range<usize>) -> Result<Tensor> {
    Transforms::new(map.dim(0)?, lags, map.device())?.autocorrelation(map)
}

/// The sines and cosines of a transform over so many places, and of the way back to some lags.
#[derive(Clone, Debug)]
struct Transforms {
    places: usize,
    lags: Range<usize>,
    /// Bins × places.
    real: Tensor,
    imaginary: Tensor,
    /// Lags × bins, divided by the number of places.
    back: Tensor,
}

impl Transforms {
    fn new(places: usize, lags: Range<usize>, device: &Device) -> Result<Self> {
        // From the longest lag on it would go round.
        let size = places + lags.end;
        let bins = size / 2 + 1;
        let angle = |bin: usize, time: usize| {
            std::f64::consts::TAU * ((bin * time) % size) as f64 / size as f64
        };
        let of_places = |part: fn(f64) -> f64| {
            let values =
                (0..bins).flat_map(|bin| (0..places).map(move |t| part(angle(bin, t)) as f32));
            Tensor::from_iter(values, device)?.reshape((bins, places))
        };
        let back = lags.clone().flat_map(|lag| {
            (0..bins).map(move |bin| {
                // All bins but the first and the middle one stand for their mirror images too.
                let both = if bin == 0 || 2 * bin == size {
                    1.0
                } else {
                    2.0
                };
                (both * angle(bin, lag).cos() / (size * places) as f64) as f32
            })
        });
        Ok(Self {
            places,
            real: of_places(f64::cos)?,
            imaginary: of_places(f64::sin)?,
            back: Tensor::from_iter(back, device)?.reshape((lags.len(), bins))?,
            lags,
        })
    }

    fn autocorrelation(&self, map: &Tensor) -> Result<Tensor> {
        let real = frozen_times(&self.real, map)?;
        let imaginary = frozen_times(&self.imaginary, map)?;
        frozen_times(&self.back, &(real.sqr()? + imaginary.sqr()?)?)
    }
}

/// The autocorrelations of a target, for all networks.
#[derive(Clone, Debug)]
pub struct AutocorrelationTarget {
    /// Lags that count, in rows of the image.
    lags: Range<usize>,
    /// For every network, lags × filters.
    maps: Vec<Tensor>,
    /// Sines and cosines that were made on a graphics processor.
    transforms: RefCell<Vec<Transforms>>,
}

impl AutocorrelationTarget {
    /// Of what the networks make of the target, at these lags in rows of the image.
    ///
    /// # Errors
    /// If memory lacks.
    pub fn new(features: &[FeatureMap], lags: Range<usize>) -> Result<Self> {
        let mut target = Self {
            lags,
            maps: Vec::with_capacity(features.len()),
            transforms: RefCell::default(),
        };
        for feature in features {
            let lags = target.lags_in(feature)?;
            // A map that is too short for any lag counts as none.
            let map = match lags.is_empty() {
                true => Tensor::zeros(
                    (0, feature.map.dim(1)?),
                    feature.map.dtype(),
                    feature.map.device(),
                )?,
                false => target.autocorrelation(&feature.map, lags)?,
            };
            target.maps.push(map);
        }
        Ok(target)
    }

    /// [`autocorrelation`](autocorrelation()) of a map, with what was made for maps of its length before.
    fn autocorrelation(&self, map: &Tensor, lags: Range<usize>) -> Result<Tensor> {
        if map.device().is_cpu() {
            return autocorrelation(map, lags);
        }
        let places = map.dim(0)?;
        let mut known = self.transforms.borrow_mut();
        let is_same = |known: &&Transforms| known.places == places && known.lags == lags;
        if let Some(transforms) = known.iter().find(is_same) {
            return transforms.autocorrelation(map);
        }
        let transforms = Transforms::new(places, lags, map.device())?;
        let correlated = transforms.autocorrelation(map);
        known.push(transforms);
        correlated
    }

    /// The lags that a map holds, in its places.
    fn lags_in(&self, feature: &FeatureMap) -> Result<Range<usize>> {
        let end = self.lags.end.div_ceil(feature.hop).min(feature.map.dim(0)?);
        Ok(self.lags.start.div_ceil(feature.hop).min(end)..end)
    }

    /// `Σ (A − Ã)² / Σ Ã²`, both over all networks, filters and those lags that target and image hold (eq. 6).
    ///
    /// # Errors
    /// If the features come from other networks, hold no lag that the target holds, or memory lacks.
    pub fn loss(&self, features: &[FeatureMap]) -> Result<Tensor> {
        let mut errors = Vec::with_capacity(features.len());
        let mut reference = 0.0;
        for (feature, wanted) in features.iter().zip(&self.maps) {
            let mut lags = self.lags_in(feature)?;
            lags.end = lags.end.min(lags.start + wanted.dim(0)?);
            if lags.is_empty() {
                continue;
            }
            let wanted = wanted.narrow(0, 0, lags.len())?;
            reference += energy(&wanted)?;
            errors.push(squared_distance(
                &self.autocorrelation(&feature.map, lags)?,
                &wanted,
            ));
        }
        sum(errors.into_iter())? / reference
    }
}
