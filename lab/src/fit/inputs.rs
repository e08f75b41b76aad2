//! The inputs of the network on a device, and how its time scales lie beside each other.

use candle_core::{Result, Tensor};
use weft_core::network::inputs::{Form, InputBlocks, ScaleInputs};
use weft_core::network::{SCALES, TAPS};

use super::indices::Gather;
use super::machine::Machine;
use super::noise::NoiseMaker;
use super::seen::{Inputs, Period, ScaleSeen};

/// How the columns of a scale lie, for steps of one length.
#[derive(Debug)]
pub struct ScaleLayout {
    /// How many of the coarser scale's doubled columns lie before the first one.
    pub skip: usize,
    /// The coarser scale's column that each column takes in; and which columns take in a coarser one.
    pub up: Option<(Tensor, Gather)>,
    /// Which taps of which windows of the first and of the second convolution see a row of what it convolves.
    pub folds: [Gather; 2],
}

/// How the scales lie, for steps of one length.
#[derive(Debug)]
pub struct Layouts {
    pub frames: usize,
    pub scales: Vec<ScaleLayout>,
}

/// Draws inputs: on the device where it has kernels, or else on the host.
#[derive(Debug)]
pub struct Drawer {
    blocks: InputBlocks,
    drawn: [ScaleInputs; SCALES],
    maker: Option<NoiseMaker>,
}

impl Drawer {
    pub fn new(blocks: InputBlocks) -> Self {
        Self {
            blocks,
            drawn: Default::default(),
            maker: None,
        }
    }

    /// The inputs of `frames` frames.
    pub fn draw(&mut self, seed: u32, frames: usize, machine: &Machine) -> Result<Inputs> {
        let Some(kernels) = &machine.kernels else {
            return self.draw_on_host(seed, frames, machine);
        };
        let maker = match self.maker.take() {
            Some(maker) if maker.frames() == frames => maker,
            _ => NoiseMaker::new(&self.blocks, frames, machine)?,
        };
        let inputs = maker.make(kernels, seed, machine)?;
        self.maker = Some(maker);
        Ok(inputs)
    }

    /// The inputs of `frames` frames, in one journey to the device.
    fn draw_on_host(&mut self, seed: u32, frames: usize, machine: &Machine) -> Result<Inputs> {
        self.blocks.fill(seed, 0, frames, &mut self.drawn);
        let mut all = Vec::new();
        for scale in &self.drawn {
            interleave(scale, &mut all);
            let period = scale.blocks.iter().filter(|block| !is_noise(block.form));
            all.extend(period.flat_map(|block| &block.values));
        }
        let all = Tensor::new(all, &machine.device)?;
        let mut place = 0;
        let mut take = |columns: usize, length: usize| {
            let values = all.narrow(0, place, length)?;
            place += length;
            values.reshape((columns, length / columns))
        };
        let scales = self.drawn.iter().map(|scale| {
            let noise = scale.blocks.iter().filter(|block| is_noise(block.form));
            let length = noise.map(|block| block.values.len()).sum();
            let values = take(scale.columns, length)?;
            let mut period = None;
            for block in &scale.blocks {
                let length = block.values.len();
                match block.form {
                    Form::TableWeights => {
                        period = Some(Period::TableWeights(take(scale.columns, length)?));
                    }
                    Form::Values { .. } => {
                        period = Some(Period::Values(take(scale.columns, length)?));
                    }
                    Form::Noise { .. } | Form::Coarser => {}
                }
            }
            Ok(ScaleSeen { values, period })
        });
        scales.collect()
    }

    /// How the scales lie in a step of `frames` frames.
    pub fn layouts(&mut self, frames: usize, machine: &Machine) -> Result<Layouts> {
        self.blocks.fill(0, 0, frames, &mut self.drawn);
        let mut coarser = 0;
        let mut scales = Vec::with_capacity(SCALES);
        for scale in &self.drawn {
            let columns = scale.columns;
            let up = (coarser > 0).then(|| {
                let from: Vec<u32> = (0..columns)
                    .map(|i| ((scale.skip + i) / 2) as u32)
                    .collect();
                let mut lists = vec![Vec::new(); coarser];
                for (column, &from) in from.iter().enumerate() {
                    lists[from as usize].push(column);
                }
                Ok::<_, candle_core::Error>((
                    Tensor::new(from, &machine.device)?,
                    Gather::new(&lists, columns, machine)?,
                ))
            });
            scales.push(ScaleLayout {
                skip: scale.skip,
                up: up.transpose()?,
                folds: [fold(columns, machine)?, fold(columns - 2, machine)?],
            });
            coarser = columns - 4;
        }
        Ok(Layouts { frames, scales })
    }
}

fn is_noise(form: Form) -> bool {
    matches!(form, Form::Noise { .. })
}

/// The noise of a scale, all its kinds side by side.
fn interleave(scale: &ScaleInputs, out: &mut Vec<f32>) {
    let noise: Vec<_> = scale.blocks.iter().filter(|b| is_noise(b.form)).collect();
    for column in 0..scale.columns {
        for block in &noise {
            let width = block.values.len() / scale.columns;
            out.extend_from_slice(&block.values[column * width..(column + 1) * width]);
        }
    }
}

/// Which taps of which windows see each of `rows` rows: places in `windows · taps`.
fn fold(rows: usize, machine: &Machine) -> Result<Gather> {
    let windows = rows + 1 - TAPS;
    let seen = |row: usize| -> Vec<usize> {
        let taps = (0..TAPS).filter(|tap| (*tap..windows + tap).contains(&row));
        taps.map(|tap| (row - tap) * TAPS + tap).collect()
    };
    let lists: Vec<_> = (0..rows).map(seen).collect();
    Gather::new(&lists, windows * TAPS, machine)
}
