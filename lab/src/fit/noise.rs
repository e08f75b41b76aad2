//! The inputs of the network, made on the device: nothing of them travels.

use candle_core::{DType, Result, Tensor};
use weft_core::network::SCALES;
use weft_core::network::inputs::{Columns, InputBlocks, NoiseLaw, PeriodLaw};

use super::kernels::{Argument, Grid, Kernels, unset};
use super::machine::Machine;
use super::seen::{Inputs, Period, ScaleSeen};

/// What the inputs of steps of one length are made by.
#[derive(Debug)]
pub struct NoiseMaker {
    frames: usize,
    columns: [Columns; SCALES],
    noise: NoiseLaw,
    /// Of every scale, as kernels read it: its first column, how many, frames of a column.
    scales: Tensor,
    /// Events a column, `scales × sparse channels`.
    rates: Tensor,
    period: Option<PeriodMaker>,
}

#[derive(Debug)]
struct PeriodMaker {
    law: PeriodLaw,
    /// Its length and its jitter.
    numbers: Tensor,
}

impl NoiseMaker {
    /// For steps of `frames` frames.
    pub fn new(blocks: &InputBlocks, frames: usize, machine: &Machine) -> Result<Self> {
        let columns = Columns::of_frames(0, frames);
        // Columns before the first frame have numbers below zero, in as many bits.
        let scales = columns.iter().flat_map(|c| {
            [
                c.first as i32 as u32,
                c.count as u32,
                c.column_frames() as u32,
            ]
        });
        let rates = columns.iter().map(|c| blocks.noise_law(*c).spike_rates);
        let rates: Vec<f64> = rates.flatten().collect();
        let device = &machine.device;
        let period = blocks.period_law().map(|law| {
            let numbers = Tensor::new(&[law.frames, law.jitter], device)?;
            Ok::<_, candle_core::Error>(PeriodMaker { law, numbers })
        });
        Ok(Self {
            frames,
            noise: blocks.noise_law(columns[0]),
            scales: Tensor::new(scales.collect::<Vec<u32>>(), device)?,
            rates: Tensor::new(rates, device)?,
            period: period.transpose()?,
            columns,
        })
    }

    /// How many frames its steps have.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// The inputs of a step.
    pub fn make(&self, kernels: &Kernels, seed: u32, machine: &Machine) -> Result<Inputs> {
        let counts = self.columns.map(|columns| columns.count);
        let columns: usize = counts.iter().sum();
        let spikes = self.noise.spike_rates.len();
        let width = self.noise.gaussians + spikes;
        let all = unset((columns, width), DType::F32, &machine.device)?;
        let arguments = [
            Argument::Tensor(&self.scales),
            Argument::Tensor(&self.rates),
            Argument::Bits(seed),
            Argument::Bits(self.noise.gaussian_stream),
            Argument::Bits(self.noise.spike_stream),
            Argument::Bits(self.noise.size_stream),
            Argument::Int(self.noise.gaussians),
            Argument::Int(spikes),
            Argument::Int(columns),
            Argument::Tensor(&all),
        ];
        kernels.launch("noise", Grid::each(columns * width), &arguments)?;
        let mut periods = self.periods(kernels, seed, machine)?.into_iter();
        let mut first = 0;
        let seen = counts.map(|count| {
            let values = all.narrow(0, first, count)?;
            first += count;
            let period = periods.next().flatten();
            Ok(ScaleSeen { values, period })
        });
        seen.into_iter().collect()
    }

    /// What every scale sees of the period.
    fn periods(
        &self,
        kernels: &Kernels,
        seed: u32,
        machine: &Machine,
    ) -> Result<Vec<Option<Period>>> {
        let Some(PeriodMaker { law, numbers }) = &self.period else {
            return Ok(Vec::new());
        };
        let counts = self.columns.map(|columns| columns.count);
        let coarse = SCALES - law.table_scales;
        let split: usize = counts[..coarse].iter().sum();
        let run = |first: usize, columns: usize, width: usize, entries: usize| {
            let all = unset((columns, width), DType::F32, &machine.device)?;
            let arguments = [
                Argument::Tensor(&self.scales),
                Argument::Tensor(numbers),
                Argument::Bits(seed),
                Argument::Bits(law.phase_stream),
                Argument::Bits(law.jitter_stream),
                Argument::Int(first),
                Argument::Int(columns),
                Argument::Int(width),
                Argument::Int(entries),
                Argument::Tensor(&all),
            ];
            kernels.launch("period", Grid::each(columns * width), &arguments)?;
            Ok::<_, candle_core::Error>(all)
        };
        let harmonics = run(0, split, 2 * law.harmonics, 0)?;
        let fine: usize = counts[coarse..].iter().sum();
        let entries = run(split, fine, law.table_entries, law.table_entries)?;
        let mut first = 0;
        let periods = counts.iter().enumerate().map(|(scale, &count)| {
            if scale == coarse {
                first = 0;
            }
            let all = if scale < coarse { &harmonics } else { &entries };
            let values = all.narrow(0, first, count)?;
            first += count;
            Ok(Some(if scale < coarse {
                Period::Values(values)
            } else {
                Period::TableWeights(values)
            }))
        });
        periods.collect()
    }
}
