//! The critic on a device: its verdicts on many stretches at once, the way back, and how it learns.

mod fast;

use candle_core::{DType, Result, Tensor};
use weft_core::texture::loss::{Convolution, Critic, CriticNetwork, Layout};

use super::layers::rectifier_backward;
use super::machine::Machine;
use super::planes::{PatchTables, Planes};

pub use fast::{FastCritic, Stretch};

/// A critic that learns beside a network.
#[derive(Debug)]
pub struct TensorCritic {
    /// Of every layer, then of both heads.
    layouts: Vec<Layout>,
    sight: Sight,
    tables: PatchTables,
    /// `layers × most patch + 1 × most outputs`: weights before they are brought to their gain, the bias as the last row.
    parameters: Tensor,
    /// Right singular vectors, `layers × most outputs × 1`, and what weights are multiplied by.
    directions: Tensor,
    factors: Tensor,
    /// First and second moments.
    moments: [Tensor; 2],
    rate: f32,
    most_gap: f32,
    /// Steps that it has learned in, and by how much the verdicts have lately differed: numbers on the device.
    steps: Tensor,
    gap: Option<Tensor>,
}

/// How features come before it.
#[derive(Debug)]
struct Sight {
    channels: usize,
    bands: usize,
    mean: Tensor,
    scale: Tensor,
    noise: f32,
    /// `bands × channels` that tell of the place.
    places: Tensor,
}

/// What it thought of some stretches.
#[derive(Debug)]
pub struct Verdicts {
    /// What every layer saw.
    planes: Vec<Planes>,
    /// Verdicts of both heads, `verdicts × 1`.
    heads: [Tensor; 2],
    /// How many stretches.
    stretches: usize,
}

impl Verdicts {
    /// The mean of both heads' verdicts.
    pub fn mean(&self) -> Result<Tensor> {
        let [first, second] = &self.heads;
        first.mean_all()? + second.mean_all()?
    }
}

impl TensorCritic {
    /// A critic as it is now, before its first step.
    pub fn new(critic: &Critic, machine: &Machine) -> Result<Self> {
        let device = &machine.device;
        let network = critic.network();
        let all: Vec<&Convolution> = network.layers().iter().chain(network.heads()).collect();
        let rows = all.iter().map(|c| c.layout().patch()).max().unwrap_or(0) + 1;
        let outputs = all.iter().map(|c| c.layout().outputs).max().unwrap_or(0);
        let mut parameters = vec![0.0; all.len() * rows * outputs];
        let mut directions = vec![0.0; all.len() * outputs];
        for (i, convolution) in all.iter().enumerate() {
            let wide = convolution.layout().outputs;
            let block = &mut parameters[i * rows * outputs..][..rows * outputs];
            let lines = convolution.weights().chunks_exact(wide);
            for (to, from) in block.chunks_exact_mut(outputs).zip(lines) {
                to[..wide].copy_from_slice(from);
            }
            block[(rows - 1) * outputs..][..wide].copy_from_slice(convolution.bias());
            directions[i * outputs..][..wide].copy_from_slice(convolution.direction());
        }
        let factors: Vec<f32> = all.iter().map(|c| c.factor()).collect();
        let sight = network.sight();
        let places = network.places();
        let place_channels = places.first().map_or(0, |place| place.len());
        let places: Vec<f32> = places.into_iter().flatten().collect();
        let shape = (all.len(), rows, outputs);
        let zeros = || Tensor::zeros(shape, DType::F32, device);
        Ok(Self {
            sight: Sight {
                channels: sight.shape.channels,
                bands: sight.shape.bands,
                mean: Tensor::new(sight.mean.as_slice(), device)?,
                scale: Tensor::new(sight.scale.as_slice(), device)?,
                noise: sight.noise,
                places: Tensor::from_vec(
                    places,
                    (1, 1, sight.shape.bands, place_channels),
                    device,
                )?,
            },
            layouts: all.iter().map(|c| c.layout()).collect(),
            tables: PatchTables::new(machine),
            parameters: Tensor::from_vec(parameters, shape, device)?,
            directions: Tensor::from_vec(directions, (all.len(), outputs, 1), device)?,
            factors: Tensor::from_vec(factors, (all.len(), 1, 1), device)?,
            moments: [zeros()?, zeros()?],
            rate: critic.settings().rate,
            most_gap: critic.settings().most_gap,
            steps: Tensor::zeros(1, DType::F32, device)?,
            gap: None,
        })
    }

    /// By how much its verdicts have lately differed, if it has learned.
    pub fn gap(&self) -> Option<&Tensor> {
        self.gap.as_ref()
    }

    /// The weights of a layer at their gain, and its bias.
    fn layer(&self, i: usize) -> Result<(Tensor, Tensor)> {
        let layout = self.layouts[i];
        let all = self.parameters.get(i)?.narrow(1, 0, layout.outputs)?;
        let weights = all.narrow(0, 0, layout.patch())?;
        let weights = weights.broadcast_mul(&self.factors.get(i)?)?;
        Ok((weights, all.narrow(0, self.parameters.dim(1)? - 1, 1)?))
    }

    fn convolve(&mut self, i: usize, planes: &Planes) -> Result<Tensor> {
        let rows = self.tables.lay_out(self.layouts[i], planes)?;
        let (weights, bias) = self.layer(i)?;
        rows.matmul(&weights.contiguous()?)?.broadcast_add(&bias)
    }

    /// Judges stretches (`stretches × frames × features`) that are blurred by `blur`, numbers of unit deviation for
    /// each channel of each band of each frame.
    pub fn judge(&mut self, stretches: &Tensor, blur: &Tensor) -> Result<Verdicts> {
        let (count, times, _) = stretches.dims3()?;
        let Sight {
            channels, bands, ..
        } = self.sight;
        let seen = stretches.broadcast_sub(&self.sight.mean)?;
        let seen = seen.broadcast_mul(&self.sight.scale)?;
        let seen = seen
            .reshape((count, times, channels, bands))?
            .transpose(2, 3)?;
        let blur = blur.reshape((count, times, bands, channels))?;
        let seen = (seen + blur.affine(self.sight.noise.into(), 0.0)?)?;
        let place_channels = self.sight.places.dim(3)?;
        let places = &self.sight.places;
        let places = places.broadcast_as((count, times, bands, place_channels))?;
        let values = Tensor::cat(&[seen, places.contiguous()?], 3)?;
        let mut planes = vec![Planes {
            times,
            bands,
            values: values.reshape((count, times * bands, channels + place_channels))?,
        }];
        let layers = self.layouts.len() - 2;
        for i in 0..layers {
            let layout = self.layouts[i];
            let before = &planes[i];
            let (times, bands) = layout.result(before.times, before.bands);
            let z = self.convolve(i, before)?;
            let y = z.maximum(&z.affine(CriticNetwork::LEAK.into(), 0.0)?)?;
            planes.push(Planes {
                times,
                bands,
                values: y.reshape((count, times * bands, layout.outputs))?,
            });
        }
        let heads = [
            self.convolve(layers, &planes[layers])?,
            self.convolve(layers + 1, &planes[layers])?,
        ];
        Ok(Verdicts {
            planes,
            heads,
            stretches: count,
        })
    }

    /// Gradient of `−mean verdict` of each stretch by its features: which way they look less real.
    pub fn by_features(&mut self, verdicts: &Verdicts) -> Result<Tensor> {
        let by_heads = verdicts.heads.each_ref().map(|head| {
            let share = verdicts.stretches as f64 / head.dim(0)? as f64;
            head.zeros_like()?.affine(0.0, -share)
        });
        let [first, second] = by_heads;
        let (plane, _) = self.backward(verdicts, &[first?, second?], false)?;
        let Some(plane) = plane else {
            candle_core::bail!("a gradient that was asked for");
        };
        let seen = &verdicts.planes[0];
        let Sight {
            channels, bands, ..
        } = self.sight;
        let wide = seen.values.dim(2)?;
        let plane = plane.reshape((verdicts.stretches, seen.times, bands, wide))?;
        let plane = plane
            .narrow(3, 0, channels)?
            .transpose(2, 3)?
            .contiguous()?;
        let features = plane.reshape((verdicts.stretches, seen.times, channels * bands))?;
        features.broadcast_mul(&self.sight.scale)
    }

    /// Gradient by the parameters of its hinge loss on these stretches, summed over them.
    pub fn by_parameters(&mut self, verdicts: &Verdicts, is_real: bool) -> Result<Tensor> {
        let sign = if is_real { 1.0 } else { -1.0 };
        let by_heads = verdicts.heads.each_ref().map(|head| {
            let share = verdicts.stretches as f64 / head.dim(0)? as f64;
            let counts = head.affine(sign, 0.0)?.lt(1f32)?.to_dtype(DType::F32)?;
            counts.affine(-sign * share, 0.0)
        });
        let [first, second] = by_heads;
        let (_, gradient) = self.backward(verdicts, &[first?, second?], true)?;
        gradient.ok_or_else(|| candle_core::Error::Msg("a gradient that was asked for".into()))
    }

    /// From the gradient by the verdicts to that by the parameters, where that is wanted, or else to that by what the
    /// critic saw.
    fn backward(
        &mut self,
        verdicts: &Verdicts,
        by_heads: &[Tensor; 2],
        wants_parameters: bool,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let layers = self.layouts.len() - 2;
        let mut gradients = Vec::new();
        let last = &verdicts.planes[layers];
        let mut by_plane: Option<Tensor> = None;
        for (head, dy) in by_heads.iter().enumerate().rev() {
            let i = layers + head;
            if wants_parameters {
                gradients.push(self.layer_gradient(i, last, dy)?);
            }
            let part = self.plane_gradient(i, last, dy)?;
            by_plane = Some(match by_plane {
                Some(sum) => (sum + part)?,
                None => part,
            });
        }
        for i in (0..layers).rev() {
            let Some(by_result) = by_plane.take() else {
                break;
            };
            let result = &verdicts.planes[i + 1];
            let dy = rectifier_backward(&result.values, &by_result, CriticNetwork::LEAK)?;
            let dy = dy.flatten(0, 1)?;
            let plane = &verdicts.planes[i];
            if wants_parameters {
                gradients.push(self.layer_gradient(i, plane, &dy)?);
            }
            if i > 0 || !wants_parameters {
                by_plane = Some(self.plane_gradient(i, plane, &dy)?);
            }
        }
        gradients.reverse();
        let gradients = wants_parameters.then(|| Tensor::stack(&gradients, 0));
        Ok((by_plane, gradients.transpose()?))
    }

    /// Gradient by a layer's parameters, in the size of all layers'.
    fn layer_gradient(&mut self, i: usize, plane: &Planes, dy: &Tensor) -> Result<Tensor> {
        let rows = self.tables.lay_out(self.layouts[i], plane)?;
        let by_weights = rows.t()?.matmul(dy)?.broadcast_mul(&self.factors.get(i)?)?;
        let (_, all_rows, all_outputs) = self.parameters.dims3()?;
        let missing = all_rows - 1 - by_weights.dim(0)?;
        let by_weights = by_weights.pad_with_zeros(0, 0, missing)?;
        let both = Tensor::cat(&[by_weights, dy.sum_keepdim(0)?], 0)?;
        both.pad_with_zeros(1, 0, all_outputs - dy.dim(1)?)
    }

    /// Gradient by what a layer saw.
    fn plane_gradient(&mut self, i: usize, plane: &Planes, dy: &Tensor) -> Result<Tensor> {
        let (weights, _) = self.layer(i)?;
        let by_rows = dy.matmul(&weights.t()?)?;
        self.tables.gather(self.layouts[i], plane, &by_rows)
    }

    /// Takes a step along `gradient`, by stretches of the capture and of the synthesis whose mean verdicts were `real`
    /// and `synthesized`; or waits, where it tells them apart too well. Which of both is known on the device alone.
    pub fn learn(&mut self, real: &Tensor, synthesized: &Tensor, gradient: &Tensor) -> Result<()> {
        let (beta_1, beta_2, epsilon) = Critic::ADAM;
        let gap = (real - synthesized)?;
        let gap = match &self.gap {
            None => gap,
            Some(last) => {
                let by = (gap - last)?.affine(Critic::GAP_SMOOTHING.into(), 0.0)?;
                (last + by)?
            }
        };
        let goes = gap.le(self.most_gap)?.to_dtype(DType::F32)?.reshape(1)?;
        self.gap = Some(gap);
        self.steps = (&self.steps + &goes)?;
        let steps = self.steps.maximum(1f32)?;
        // One over 1 − beta to the number of steps.
        let scale = |beta: f32| {
            let power = steps.affine(f64::from(beta).ln(), 0.0)?.exp()?;
            power.affine(-1.0, 1.0)?.recip()?.reshape((1, 1, 1))
        };
        let goes = goes.reshape((1, 1, 1))?;
        let decayed = |old: &Tensor, new: &Tensor, beta: f32| {
            let share = goes.affine((1.0 - beta).into(), 0.0)?;
            old.broadcast_mul(&share.affine(-1.0, 1.0)?)? + new.broadcast_mul(&share)?
        };
        let [first, second] = &self.moments;
        let first = decayed(first, gradient, beta_1)?;
        let second = decayed(second, &gradient.sqr()?, beta_2)?;
        let deviation = second.broadcast_mul(&scale(beta_2)?)?.sqrt()?;
        let move_by = (&first / deviation.affine(1.0, epsilon.into())?)?;
        let rate = (scale(beta_1)? * &goes)?.affine(self.rate.into(), 0.0)?;
        self.parameters = (&self.parameters - move_by.broadcast_mul(&rate)?)?;
        self.moments = [first, second];
        self.normalize(&goes)
    }

    /// Makes a round of power iteration, and sets the weights' gain by its estimate of their largest singular value,
    /// where `goes` is one.
    fn normalize(&mut self, goes: &Tensor) -> Result<()> {
        let weights = self.parameters.narrow(1, 0, self.parameters.dim(1)? - 1)?;
        let weights = weights.contiguous()?;
        let norm = |x: &Tensor| {
            let norm = x.sqr()?.sum_keepdim(1)?.sqrt()?;
            norm.affine(1.0, f32::MIN_POSITIVE.into())
        };
        let left = weights.matmul(&self.directions)?;
        let left = left.broadcast_div(&norm(&left)?)?;
        let directions = weights.transpose(1, 2)?.matmul(&left)?;
        let largest = norm(&directions)?;
        let directions = directions.broadcast_div(&largest)?;
        let factors = largest.recip()?.affine(CriticNetwork::GAIN.into(), 0.0)?;
        let stays = goes.affine(-1.0, 1.0)?;
        let chosen =
            |new: Tensor, old: &Tensor| new.broadcast_mul(goes)? + old.broadcast_mul(&stays)?;
        self.directions = chosen(directions, &self.directions)?;
        self.factors = chosen(factors, &self.factors)?;
        Ok(())
    }

    /// The parts of a gradient by the parameters, in the order of the processor's.
    pub fn in_order(&self, gradient: &Tensor) -> Result<Vec<f32>> {
        let mut out = Vec::new();
        for (i, layout) in self.layouts.iter().enumerate() {
            let all = gradient.get(i)?.narrow(1, 0, layout.outputs)?;
            let weights = all.narrow(0, 0, layout.patch())?;
            let bias = all.narrow(0, gradient.dim(1)? - 1, 1)?;
            for part in [weights, bias] {
                out.extend(part.flatten_all()?.to_vec1::<f32>()?);
            }
        }
        Ok(out)
    }
}
