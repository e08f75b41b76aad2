//! How near an image comes to a copy of its target (Antognini et al., eq. 8).

use std::collections::VecDeque;

use candle_core::{DType, Device, Result, Tensor};
use weft_core::numeric::threads::Threads;

use super::gram::sum;
use crate::network::FeatureMap;
use crate::tensors::{energy, scalar, squared_distance, with_values};

/// Rows between the shifts that one step looks at (Antognini et al., section III-C3).
pub const SHIFT_STEP: usize = 50;
/// Steps whose nearest shifts are looked at again (the same).
pub const REMEMBERED_STEPS: usize = 10;
/// Least squared distance, as a part of the target's energy: the loss of an exact copy is one over this, as in
/// [`DiversityLoss`](weft_core::texture::loss::DiversityLoss).
const LEAST_DISTANCE: f64 = 1e-9;

/// Which shifts an iteration looks at: every fiftieth, others in each iteration, and the nearest of the last ten.
#[derive(Clone, Debug, Default)]
pub struct ShiftSchedule {
    iteration: Option<u32>,
    /// The nearest shift of this iteration's last look.
    latest: Option<usize>,
    /// The nearest shifts of the iterations before.
    nearest: VecDeque<usize>,
}

impl ShiftSchedule {
    /// The shifts, in rows, for an image of `rows` rows in this iteration; no two of them alike.
    pub fn shifts(&mut self, iteration: u32, rows: usize) -> Vec<usize> {
        if self.iteration.is_some_and(|last| last != iteration)
            && let Some(latest) = self.latest.take()
        {
            self.nearest.push_back(latest);
            if self.nearest.len() > REMEMBERED_STEPS {
                self.nearest.pop_front();
            }
        }
        self.iteration = Some(iteration);
        let first = iteration as usize % SHIFT_STEP.min(rows.max(1));
        let mut shifts: Vec<usize> = (first..rows).step_by(SHIFT_STEP).collect();
        shifts.extend(self.nearest.iter().filter(|shift| **shift < rows));
        shifts.sort_unstable();
        shifts.dedup();
        shifts
    }

    /// Remembers which of the shifts was the nearest.
    pub fn remember(&mut self, nearest: usize) {
        self.latest = Some(nearest);
    }
}

/// What the networks made of the target.
#[derive(Clone, Debug)]
pub struct DiversityTarget {
    maps: Vec<FeatureMap>,
    /// `Σ F̃²` over all networks.
    energy: f64,
}

impl DiversityTarget {
    /// Of what the networks make of the target.
    ///
    /// # Errors
    /// If memory lacks.
    pub fn new(features: &[FeatureMap]) -> Result<Self> {
        let detach = |f: &FeatureMap| FeatureMap {
            map: f.map.detach(),
            hop: f.hop,
        };
        let energies: Vec<f64> = features
            .iter()
            .map(|f| energy(&f.map))
            .collect::<Result<_>>()?;
        Ok(Self {
            maps: features.iter().map(detach).collect(),
            energy: energies.iter().sum(),
        })
    }

    /// `Σ F̃² / Σ (F[t + s] − F̃[t])²` at the nearest of the `shifts` `s` (in rows of the image, below its number of
    /// rows, `rows`), and that shift.
    ///
    /// What lies beyond the end of an image goes round; shifts of more than half of it are taken as steps back, so
    /// that networks with fewer places are shifted alike. Of maps of different lengths, the longer one is shifted, and
    /// as much of the other counts as there is.
    ///
    /// # Errors
    /// If there are no shifts, the features come from other networks, or memory lacks.
    pub fn loss(
        &self,
        features: &[FeatureMap],
        shifts: &[usize],
        rows: usize,
    ) -> Result<(Tensor, usize)> {
        let distances = self.distances(features, shifts, rows)?;
        let nearest = distances
            .iter()
            .zip(shifts)
            .min_by(|a, b| a.0.total_cmp(b.0));
        let Some((_, &shift)) = nearest else {
            candle_core::bail!("a diversity of no shifts");
        };
        let pairs = features.iter().zip(&self.maps);
        let distance = sum(pairs.map(|(feature, target)| {
            let (moved, still) =
                aligned(&feature.map, &target.map, by_places(shift, rows, feature)?)?;
            squared_distance(&moved, &still)
        }))?;
        let least = LEAST_DISTANCE * self.energy;
        if scalar(&distance)? < least {
            // At its highest, the loss is flat.
            let flat = ((distance.detach() * 0.0)? + self.energy / least)?;
            return Ok((flat, shift));
        }
        Ok(((distance.recip()? * self.energy)?, shift))
    }

    /// The squared distance at each shift.
    fn distances(
        &self,
        features: &[FeatureMap],
        shifts: &[usize],
        rows: usize,
    ) -> Result<Vec<f64>> {
        if !features.iter().all(|f| f.map.device().is_cpu()) {
            return self.distances_by_tensors(features, shifts, rows);
        }
        let mut distances = vec![0.0; shifts.len()];
        for (feature, target) in features.iter().zip(&self.maps) {
            let steps = shifts.iter().map(|&shift| by_places(shift, rows, feature));
            let steps: Vec<i64> = steps.collect::<Result<_>>()?;
            let columns = feature.map.dim(1)?;
            let parts = with_values(&feature.map, |map| {
                with_values(&target.map, |target| {
                    let threads = Threads::new(0);
                    threads.map(steps.len(), |i| distance(map, target, columns, steps[i]))
                })
            })??;
            for (sum, part) in distances.iter_mut().zip(parts) {
                *sum += part;
            }
        }
        Ok(distances)
    }

    /// The same on a graphics processor, which is asked for all of them at once: each answer has it wait.
    fn distances_by_tensors(
        &self,
        features: &[FeatureMap],
        shifts: &[usize],
        rows: usize,
    ) -> Result<Vec<f64>> {
        let of_shift = |&shift: &usize| {
            let pairs = features.iter().zip(&self.maps);
            sum(pairs.map(|(feature, target)| {
                let step = by_places(shift, rows, feature)?;
                let (moved, still) = aligned(&feature.map.detach(), &target.map, step)?;
                squared_distance(&moved, &still)
            }))
        };
        let sums: Vec<Tensor> = shifts.iter().map(of_shift).collect::<Result<_>>()?;
        // Not every device has numbers in double precision; the processor does.
        let sums = Tensor::stack(&sums, 0)?.to_device(&Device::Cpu)?;
        sums.to_dtype(DType::F64)?.to_vec1()
    }
}

/// A shift in rows as one in places of a map, forwards or back.
fn by_places(shift: usize, rows: usize, feature: &FeatureMap) -> Result<i64> {
    let (shift, rows) = (shift as i64, rows as i64);
    let signed = if 2 * shift > rows {
        shift - rows
    } else {
        shift
    };
    Ok((signed as f64 / feature.hop as f64).round() as i64)
}

/// The two maps as far as they are compared: the longer one shifted (the first by `step` places forwards, or the
/// second as many back), and going round.
fn aligned(map: &Tensor, target: &Tensor, step: i64) -> Result<(Tensor, Tensor)> {
    let (places, targets) = (map.dim(0)?, target.dim(0)?);
    if places >= targets {
        Ok((rolled(map, step)?.narrow(0, 0, targets)?, target.clone()))
    } else {
        Ok((map.clone(), rolled(target, -step)?.narrow(0, 0, places)?))
    }
}

/// The rows from `step` on, going round.
fn rolled(map: &Tensor, step: i64) -> Result<Tensor> {
    let rows = map.dim(0)?;
    let at = step.rem_euclid(rows as i64) as usize;
    if at == 0 {
        return Ok(map.clone());
    }
    Tensor::cat(&[map.narrow(0, at, rows - at)?, map.narrow(0, 0, at)?], 0)
}

/// The squared distance of two maps, as [`aligned`] aligns them.
fn distance(map: &[f32], target: &[f32], columns: usize, step: i64) -> f64 {
    let (moved, still, step) = match map.len() >= target.len() {
        true => (map, target, step),
        false => (target, map, -step),
    };
    let at = step.rem_euclid((moved.len() / columns) as i64) as usize * columns;
    let (head, tail) = moved.split_at(at);
    let whole = still.len().min(tail.len());
    let mut sum = row_distances(&tail[..whole], &still[..whole], columns);
    sum += row_distances(&head[..still.len() - whole], &still[whole..], columns);
    sum
}

/// The squared distance of two stretches of rows, added up row by row in double precision.
fn row_distances(a: &[f32], b: &[f32], columns: usize) -> f64 {
    /// Sums that go on beside each other, so that they fit a vector register.
    const LANES: usize = 16;
    let rows = a.chunks_exact(columns).zip(b.chunks_exact(columns));
    rows.map(|(a, b)| {
        let (a_lanes, b_lanes) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
        let rest = a_lanes.remainder().iter().zip(b_lanes.remainder());
        let rest: f32 = rest.map(|(a, b)| (a - b) * (a - b)).sum();
        let mut sums = [0.0f32; LANES];
        for (a, b) in a_lanes.zip(b_lanes) {
            for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
                *sum += (a - b) * (a - b);
            }
        }
        f64::from(rest + sums.iter().sum::<f32>())
    })
    .sum()
}
