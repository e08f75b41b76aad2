//! The critic by kernels of our own: a convolution, its way back and its learning are one start each.

use std::collections::HashMap;
use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor};
use weft_core::texture::loss::{Critic, CriticNetwork, Layout};

use super::{Sight, TensorCritic};
use crate::fit::kernels::{Argument, Grid, Kernels, unset};
use crate::fit::machine::Machine;
use crate::fit::planes::Planes;

/// Most outputs of a layer: a thread keeps a sum for each.
const MOST_OUTPUTS: usize = 24;
/// Numbers that the critic keeps on the device; the first is its gap.
const STATE: usize = 6;

/// A critic that learns beside a network, by kernels.
#[derive(Debug)]
pub struct FastCritic {
    kernels: Arc<Kernels>,
    device: Device,
    /// What it is; its own steps are not taken.
    critic: TensorCritic,
    state: Tensor,
    has_learned: bool,
    /// Room for the power iteration.
    left: Tensor,
    gradient: Tensor,
    /// How convolutions go over planes, as kernels read it, by layer and size.
    ways: HashMap<(usize, [usize; 3]), Tensor>,
}

/// Frames that are looked at, a row each, and where the sequence begins that blurs them.
#[derive(Clone, Copy, Debug)]
pub struct Stretch<'a> {
    pub frames: &'a Tensor,
    pub blur: u64,
}

/// What it thought of some stretches of one length.
#[derive(Debug)]
pub struct Seen {
    /// What every layer saw.
    planes: Vec<Planes>,
    /// Verdicts of the first head on all stretches, then those of the second.
    verdicts: Tensor,
    /// Verdicts of each head on a stretch.
    counts: [usize; 2],
    stretches: usize,
}

impl Seen {
    /// Both heads' verdicts on `count` stretches from `first` on.
    fn verdicts(&self, first: usize, count: usize) -> Result<[Tensor; 2]> {
        let [a, b] = self.counts;
        let second = self.stretches * a;
        Ok([
            self.verdicts.narrow(0, first * a, count * a)?,
            self.verdicts.narrow(0, second + first * b, count * b)?,
        ])
    }
}

/// Which way back is taken from verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Back {
    /// To the features.
    ToFeatures,
    /// To the parameters, with stretches of the capture from this one on; added to what is there, or in its place.
    ToParameters { real: usize, adds: bool },
}

impl FastCritic {
    /// A critic as it is now, before its first step; none where there are no kernels for it.
    pub fn new(critic: &Critic, machine: &Machine) -> Result<Option<Self>> {
        let Some(kernels) = machine.kernels.clone() else {
            return Ok(None);
        };
        let critic = TensorCritic::new(critic, machine)?;
        let (layers, rows, widest) = critic.parameters.dims3()?;
        if widest > MOST_OUTPUTS {
            return Ok(None);
        }
        let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &machine.device);
        Ok(Some(Self {
            kernels,
            device: machine.device.clone(),
            state: zeros(&[STATE])?,
            has_learned: false,
            left: zeros(&[layers, rows])?,
            gradient: zeros(&[layers, rows, widest])?,
            ways: HashMap::new(),
            critic,
        }))
    }

    /// By how much its verdicts have lately differed, if it has learned.
    pub fn gap(&self) -> Result<Option<f32>> {
        if !self.has_learned {
            return Ok(None);
        }
        self.state.get(0)?.to_scalar::<f32>().map(Some)
    }

    /// The parts of a gradient by the parameters, in the order of the processor's.
    pub fn in_order(&self, gradient: &Tensor) -> Result<Vec<f32>> {
        self.critic.in_order(gradient)
    }

    /// Judges stretches of one length.
    pub fn judge(&mut self, stretches: &[Stretch<'_>]) -> Result<Seen> {
        let mut planes = vec![self.look(stretches)?];
        let layers = self.critic.layouts.len() - 2;
        for layer in 0..layers {
            let result = self.convolve(layer, &planes[layer])?;
            planes.push(result);
        }
        let last = &planes[layers];
        let counts = [0, 1].map(|head| {
            let (times, bands) = self.critic.layouts[layers + head].result(last.times, last.bands);
            times * bands
        });
        let stretches = stretches.len();
        let all = unset(
            stretches * (counts[0] + counts[1]),
            DType::F32,
            &self.device,
        )?;
        for head in 0..2 {
            let count = stretches * counts[head];
            let out = all.narrow(0, head * stretches * counts[0], count)?;
            let way = self.way(layers + head, last)?;
            let arguments = [
                &[Argument::Tensor(&last.values), Argument::Tensor(&way)],
                &self.weights(layers + head)[..],
                &[Argument::Tensor(&out)],
            ];
            let grid = Grid::small_blocks(count);
            self.kernels.launch("verdicts", grid, &arguments.concat())?;
        }
        Ok(Seen {
            planes,
            verdicts: all,
            counts,
            stretches,
        })
    }

    /// Gradient of `−mean verdict` of each of the first `count` stretches by its features: which way they look less
    /// real.
    pub fn by_features(&mut self, seen: &Seen, count: usize) -> Result<Tensor> {
        let Some(by_plane) = self.backward(seen, count, Back::ToFeatures)? else {
            candle_core::bail!("a gradient that was asked for");
        };
        let Sight {
            channels, bands, ..
        } = self.critic.sight;
        let plane = &seen.planes[0];
        let shape = (count, plane.times, channels * bands);
        let out = unset(shape, DType::F32, &self.device)?;
        let arguments = [
            Argument::Tensor(&by_plane),
            Argument::Tensor(&self.critic.sight.scale),
            Argument::Int(count * plane.times),
            Argument::Int(bands),
            Argument::Int(channels),
            Argument::Int(plane.values.dim(2)?),
            Argument::Tensor(&out),
        ];
        let grid = Grid::each(out.elem_count());
        self.kernels.launch("by_seen", grid, &arguments)?;
        Ok(out)
    }

    /// Gradient by the parameters of its hinge loss on stretches of which those from `real` on are the capture's,
    /// summed over them; `adds` says to what was there before.
    pub fn by_parameters(&mut self, seen: &Seen, real: usize, adds: bool) -> Result<()> {
        self.backward(seen, seen.stretches, Back::ToParameters { real, adds })?;
        Ok(())
    }

    /// Takes a step along the gradient by the parameters; or waits, where it tells them apart too well. `real` and
    /// `own` are stretches of the capture and of the synthesis: where they begin, and how many there are.
    pub fn learn(&mut self, real: (&Seen, usize), own: &Seen, count: usize) -> Result<Tensor> {
        let (beta_1, beta_2, epsilon) = Critic::ADAM;
        let verdicts = [real.0.verdicts(real.1, count)?, own.verdicts(0, count)?];
        let mut arguments = Vec::new();
        for part in verdicts.as_flattened() {
            arguments.extend([Argument::Tensor(part), Argument::Int(part.elem_count())]);
        }
        arguments.extend([
            Argument::Float(Critic::GAP_SMOOTHING),
            Argument::Float(self.critic.most_gap),
            Argument::Float(beta_1),
            Argument::Float(beta_2),
            Argument::Tensor(&self.state),
        ]);
        let grid = Grid::blocks(1);
        self.kernels.launch("critic_state", grid, &arguments)?;
        self.has_learned = true;
        let [first, second] = &self.critic.moments;
        let length = self.gradient.elem_count();
        let arguments = [
            Argument::Tensor(&self.gradient),
            Argument::Tensor(&self.state),
            Argument::Tensor(&self.critic.parameters),
            Argument::Tensor(first),
            Argument::Tensor(second),
            Argument::Float(beta_1),
            Argument::Float(beta_2),
            Argument::Float(epsilon),
            Argument::Float(self.critic.rate),
            Argument::Int(length),
        ];
        let grid = Grid::each(length);
        self.kernels.launch("critic_adam", grid, &arguments)?;
        let (layers, rows, widest) = self.gradient.dims3()?;
        let arguments = [
            Argument::Tensor(&self.critic.parameters),
            Argument::Tensor(&self.state),
            Argument::Int(rows),
            Argument::Int(widest),
            Argument::Float(CriticNetwork::GAIN),
            Argument::Tensor(&self.left),
            Argument::Tensor(&self.critic.directions),
            Argument::Tensor(&self.critic.factors),
        ];
        let grid = Grid::blocks(layers);
        self.kernels.launch("normalize", grid, &arguments)?;
        Ok(self.gradient.clone())
    }

    /// What it sees of stretches.
    fn look(&self, stretches: &[Stretch<'_>]) -> Result<Planes> {
        let Sight {
            channels,
            bands,
            mean,
            scale,
            noise,
            places,
        } = &self.critic.sight;
        let times = stretches.first().map_or(Ok(0), |s| s.frames.dim(0))?;
        let place_channels = places.dim(3)?;
        let wide = channels + place_channels;
        let shape = (stretches.len(), times * bands, wide);
        let values = unset(shape, DType::F32, &self.device)?;
        for (i, stretch) in stretches.iter().enumerate() {
            let out = values.get(i)?;
            let arguments = [
                Argument::Tensor(stretch.frames),
                Argument::Tensor(mean),
                Argument::Tensor(scale),
                Argument::Tensor(places),
                Argument::Bits(stretch.blur as u32),
                Argument::Bits((stretch.blur >> 32) as u32),
                Argument::Float(*noise),
                Argument::Int(times),
                Argument::Int(*bands),
                Argument::Int(*channels),
                Argument::Int(place_channels),
                Argument::Tensor(&out),
            ];
            let grid = Grid::each(times * bands * wide);
            self.kernels.launch("look", grid, &arguments)?;
        }
        Ok(Planes {
            times,
            bands: *bands,
            values,
        })
    }

    /// A layer's weights, as kernels take them.
    fn weights(&self, layer: usize) -> [Argument<'_>; 5] {
        let shape = self.gradient.dims();
        [
            Argument::Tensor(&self.critic.parameters),
            Argument::Tensor(&self.critic.factors),
            Argument::Int(layer),
            Argument::Int(shape[1]),
            Argument::Int(shape[2]),
        ]
    }

    /// How a layer goes over planes, as kernels read it.
    fn way(&mut self, layer: usize, planes: &Planes) -> Result<Tensor> {
        let size = [planes.values.dim(0)?, planes.times, planes.bands];
        if let Some(way) = self.ways.get(&(layer, size)) {
            return Ok(way.clone());
        }
        let layout = self.critic.layouts[layer];
        let (times, bands) = layout.result(planes.times, planes.bands);
        let Layout {
            kernel,
            stride,
            margin,
            inputs,
            outputs,
        } = layout;
        let layout = [kernel.0, kernel.1, stride, margin, inputs, outputs];
        let all = layout.into_iter().chain(size).chain([times, bands]);
        let numbers: Vec<u32> = all.map(|number| number as u32).collect();
        let way = Tensor::new(numbers, &self.device)?;
        self.ways.insert((layer, size), way.clone());
        Ok(way)
    }

    fn convolve(&mut self, layer: usize, planes: &Planes) -> Result<Planes> {
        let layout = self.critic.layouts[layer];
        let (times, bands) = layout.result(planes.times, planes.bands);
        let shape = (planes.values.dim(0)?, times * bands, layout.outputs);
        let values = unset(shape, DType::F32, &self.device)?;
        let way = self.way(layer, planes)?;
        let arguments = [
            &[Argument::Tensor(&planes.values), Argument::Tensor(&way)],
            &self.weights(layer)[..],
            &[
                Argument::Float(CriticNetwork::LEAK),
                Argument::Tensor(&values),
            ],
        ];
        let grid = Grid::each(values.elem_count());
        self.kernels.launch("convolve", grid, &arguments.concat())?;
        Ok(Planes {
            times,
            bands,
            values,
        })
    }

    /// From the verdicts on the first `count` stretches to the parameters, or to the gradient by what was seen.
    fn backward(&mut self, seen: &Seen, count: usize, back: Back) -> Result<Option<Tensor>> {
        let layers = self.critic.layouts.len() - 2;
        let [a, b] = seen.counts;
        let by_verdicts = unset(count * (a + b), DType::F32, &self.device)?;
        let real = match back {
            Back::ToFeatures => 0,
            Back::ToParameters { real, .. } => real,
        };
        let arguments = [
            Argument::Tensor(&seen.verdicts),
            Argument::Int(count),
            Argument::Int(a),
            Argument::Int(b),
            Argument::Int(real),
            Argument::Int((back != Back::ToFeatures).into()),
            Argument::Tensor(&by_verdicts),
        ];
        let grid = Grid::each(count * (a + b));
        self.kernels.launch("by_verdicts", grid, &arguments)?;
        let planes: Vec<Planes> = seen
            .planes
            .iter()
            .map(|planes| {
                Ok(Planes {
                    values: planes.values.narrow(0, 0, count)?,
                    ..planes.clone()
                })
            })
            .collect::<Result<_>>()?;
        let last = &planes[layers];
        let mut by_plane = unset(last.values.shape(), DType::F32, &self.device)?;
        for head in 0..2 {
            let dy = by_verdicts.narrow(0, head * count * a, count * seen.counts[head])?;
            self.parameters_from(layers + head, last, &dy, back)?;
            // Through the rectifier goes the sum of both.
            let leak = if head == 1 { CriticNetwork::LEAK } else { 1.0 };
            self.planes_from(layers + head, last, &dy, (leak, head == 1), &by_plane)?;
        }
        for layer in (0..layers).rev() {
            let plane = &planes[layer];
            self.parameters_from(layer, plane, &by_plane, back)?;
            if layer == 0 && back != Back::ToFeatures {
                return Ok(None);
            }
            let out = unset(plane.values.shape(), DType::F32, &self.device)?;
            let leak = if layer > 0 { CriticNetwork::LEAK } else { 1.0 };
            self.planes_from(layer, plane, &by_plane, (leak, false), &out)?;
            by_plane = out;
        }
        Ok(Some(by_plane))
    }

    /// The gradient by the parameters of a layer, where that is the way.
    fn parameters_from(
        &mut self,
        layer: usize,
        plane: &Planes,
        dy: &Tensor,
        back: Back,
    ) -> Result<()> {
        let Back::ToParameters { adds, .. } = back else {
            return Ok(());
        };
        let way = self.way(layer, plane)?;
        let [_, weights @ ..] = self.weights(layer);
        let arguments = [
            &[
                Argument::Tensor(dy),
                Argument::Tensor(&plane.values),
                Argument::Tensor(&way),
            ],
            &weights[..],
            &[Argument::Int(adds.into()), Argument::Tensor(&self.gradient)],
        ];
        let grid = Grid::blocks(self.critic.layouts[layer].patch() + 1);
        self.kernels
            .launch("by_parameters", grid, &arguments.concat())
    }

    /// The gradient by what a layer saw, through the rectifier that it came from; or added to what is there.
    fn planes_from(
        &mut self,
        layer: usize,
        plane: &Planes,
        dy: &Tensor,
        (leak, adds): (f32, bool),
        out: &Tensor,
    ) -> Result<()> {
        let way = self.way(layer, plane)?;
        let arguments = [
            &[
                Argument::Tensor(dy),
                Argument::Tensor(&plane.values),
                Argument::Tensor(&way),
            ],
            &self.weights(layer)[..],
            &[
                Argument::Float(leak),
                Argument::Int(adds.into()),
                Argument::Tensor(out),
            ],
        ];
        let grid = Grid::each(out.elem_count());
        self.kernels.launch("by_planes", grid, &arguments.concat())
    }
}
