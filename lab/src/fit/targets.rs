//! Random filters and projections on a device, and what the capture answers to them.

use candle_core::{DType, Result, Tensor};
use weft_core::fit::StepDraws;
use weft_core::texture::loss::{
    BANK_FAMILIES, DrawnBank, FAMILY, Projection, SlicedWasserstein, VARIANCE_FLOOR,
};

use super::kernels::{Argument, Grid, Kernels, unset};
use super::machine::Machine;
use super::order::order;
use super::pooled::Pooled;
use super::set_table::{FAMILIES, SetTable};
use super::terms::{TERMS, Terms};

/// All filters and targets of a step.
#[derive(Debug)]
pub struct Targets {
    /// `filters × features`.
    pub filters: Tensor,
    /// Of every family, a projection for each set.
    pub projections: Vec<Vec<Projection>>,
    /// The same for kernels, `families × sets × TERMS`: a term's filter and frame in one number, and its weight.
    pub terms: Tensor,
    pub weights: Tensor,
    /// The capture's projections in ascending order: of every set `families × stretches`, one set behind the other.
    pub sorted: Tensor,
    /// One over their variance, `sets × families`.
    pub precision: Tensor,
    /// The capture's features, a row for each frame.
    reference: Tensor,
    /// The sets, as the capture's own frames lie in them.
    table: SetTable,
    machine: Machine,
}

impl Targets {
    /// Nothing is drawn yet: [`renew`](Self::renew) must draw every bank.
    pub fn new(loss: &SlicedWasserstein, machine: &Machine) -> Result<Self> {
        let device = &machine.device;
        let (width, frames) = (loss.shape().width(), loss.reference_frames());
        let sets = loss.sets().len();
        let table = SetTable::new(loss, frames, machine)?;
        let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, device);
        Ok(Self {
            filters: zeros(&[FAMILIES * FAMILY, width])?,
            projections: vec![Vec::new(); FAMILIES],
            terms: Tensor::zeros((FAMILIES, sets, TERMS), DType::U32, device)?,
            weights: zeros(&[FAMILIES, sets, TERMS])?,
            sorted: zeros(&[table.sorted_length()])?,
            precision: zeros(&[sets, FAMILIES])?,
            reference: Tensor::from_slice(loss.reference(), (frames, width), device)?,
            table,
            machine: machine.clone(),
        })
    }

    /// The capture's features, a row for each frame.
    pub fn reference(&self) -> &Tensor {
        &self.reference
    }

    /// What the capture answers to the projections of a set: in ascending order, `families × stretches`, and one over
    /// their variance, `families × 1`.
    pub fn answers(&self, set: usize) -> Result<(Tensor, Tensor)> {
        let (start, stretches) = self.table.sorted(set);
        let sorted = self.sorted.narrow(0, start, FAMILIES * stretches)?;
        let precision = self.precision.get(set)?;
        Ok((
            sorted.reshape((FAMILIES, stretches))?,
            precision.unsqueeze(1)?,
        ))
    }

    /// Puts bank `bank`, as it is new in a step, in the place of the one that was there.
    pub fn renew(&mut self, loss: &SlicedWasserstein, draws: StepDraws, bank: usize) -> Result<()> {
        let drawn = loss.draw_bank(draws.seed(), draws.step().into(), bank);
        let DrawnBank {
            filters,
            projections,
        } = drawn;
        let width = loss.shape().width();
        let count = BANK_FAMILIES * FAMILY;
        let first = bank * BANK_FAMILIES;
        let own = self.filters.narrow(0, bank * count, count)?;
        match self.machine.kernels.clone() {
            Some(kernels) if loss.reference_frames() <= kernels.most_sorted() => {
                self.put_with(&kernels, &filters, &projections, (&own, first))?;
                let outputs = own.matmul(&self.reference.t()?)?;
                self.answer_with(&kernels, &outputs, first)?;
            }
            _ => {
                let filters = Tensor::from_vec(filters, (count, width), &self.machine.device)?;
                self.filters.slice_set(&filters, 0, bank * count)?;
                let outputs = filters.matmul(&self.reference.t()?)?;
                self.answer(loss, &projections, outputs, first)?;
            }
        }
        self.projections[first..first + BANK_FAMILIES].clone_from_slice(&projections);
        Ok(())
    }

    /// Sorts the capture's projections of the families from `first` on.
    fn answer(
        &self,
        loss: &SlicedWasserstein,
        projections: &[Vec<Projection>],
        outputs: Tensor,
        first: usize,
    ) -> Result<()> {
        let pooled = Pooled::new(outputs)?;
        let frames = loss.reference_frames();
        let terms = Terms::new(projections, loss.sets(), frames, &self.machine.device)?;
        for (i, set) in loss.sets().iter().enumerate() {
            let projected = terms.project(i, set, &pooled)?;
            let sorted = projected.gather(&order(&projected, &self.machine)?, 1)?;
            let mean = projected.mean_keepdim(1)?;
            let variance = projected.broadcast_sub(&mean)?.sqr()?.mean_keepdim(1)?;
            let precision = variance.affine(1.0, VARIANCE_FLOOR.into())?.recip()?;
            let (start, stretches) = self.table.sorted(i);
            let sorted = sorted.flatten_all()?.contiguous()?;
            self.sorted
                .slice_set(&sorted, 0, start + first * stretches)?;
            let all = self.precision.flatten_all()?;
            all.slice_set(&precision.flatten_all()?, 0, i * FAMILIES + first)?;
        }
        Ok(())
    }

    /// Puts filters, and terms as kernels read them, in their places, in one journey to the device.
    fn put_with(
        &self,
        kernels: &Kernels,
        filters: &[f32],
        projections: &[Vec<Projection>],
        (own, first): (&Tensor, usize),
    ) -> Result<()> {
        let padded = projections.iter().flatten().flat_map(|projection| {
            let none = std::iter::repeat_with(Default::default);
            projection.terms.iter().copied().chain(none).take(TERMS)
        });
        // A term's place travels as the bits of a number.
        let (terms, weights): (Vec<f32>, Vec<f32>) = padded
            .map(|term| {
                let place = (term.filter | term.frame << 8) as u32;
                (f32::from_bits(place), term.weight)
            })
            .unzip();
        let sent = [filters, &terms, &weights].concat();
        let length = sent.len();
        let sent = Tensor::from_vec(sent, length, &self.machine.device)?;
        let arguments = [
            Argument::Tensor(&sent),
            Argument::Int(filters.len()),
            Argument::Int(terms.len()),
            Argument::Tensor(own),
            Argument::Tensor(&self.terms.narrow(0, first, BANK_FAMILIES)?),
            Argument::Tensor(&self.weights.narrow(0, first, BANK_FAMILIES)?),
        ];
        kernels.launch("put_bank", Grid::each(length), &arguments)
    }

    /// [`answer`](Self::answer) in one kernel.
    fn answer_with(&self, kernels: &Kernels, outputs: &Tensor, first: usize) -> Result<()> {
        let (sets, frames) = (self.precision.dim(0)?, self.reference.dim(0)?);
        let (grid, padded) = Grid::sorts((BANK_FAMILIES, sets), frames);
        let device = &self.machine.device;
        let projected = unset((sets, BANK_FAMILIES, frames), DType::F32, device)?;
        kernels.launch(
            "answer",
            grid,
            &[
                Argument::Tensor(outputs),
                Argument::Int(frames),
                Argument::Tensor(&self.terms),
                Argument::Tensor(&self.weights),
                Argument::Tensor(self.table.numbers()),
                Argument::Int(sets),
                Argument::Int(first),
                Argument::Int(FAMILIES),
                Argument::Int(padded),
                Argument::Float(VARIANCE_FLOOR),
                Argument::Tensor(&projected),
                Argument::Tensor(&self.sorted),
                Argument::Tensor(&self.precision),
            ],
        )
    }
}
