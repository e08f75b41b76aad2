//! Inputs of the generator: a list of blocks, each with its own law, all addressed by absolute frame.
//!
//! The list is the layout of what a time scale's first convolution sees. Where another input is wanted, such
//! as the embedding of a texture, it becomes another `Block`: the weights' shapes, the noise that is drawn
//! and both passes follow from the list.

mod columns;
mod join;
mod noise;
mod period;

pub use columns::Columns;
pub(crate) use join::{join, join_backward};
pub use noise::NoiseLaw;
pub use period::PeriodLaw;

use super::{HIDDEN, SCALES};
use noise::{GaussianNoise, Spikes};
use period::PeriodPhase;

/// Learned channels of the phase table.
pub const TABLE_CHANNELS: usize = 16;

/// One kind of input.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Block {
    Gaussian,
    Spikes(Spikes),
    /// What the coarser scale made, each column twice.
    Coarser,
    Period(PeriodPhase),
}

/// How a block's values become channels of a scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    /// As they are: `columns × width`.
    Values {
        /// Channels.
        width: usize,
    },
    /// As they are, times the temperature: `columns × width`.
    Noise {
        /// Channels.
        width: usize,
    },
    /// By the coarser scale's columns; there are no values.
    Coarser,
    /// By the learned table: weights of its entries, `columns × entries`.
    TableWeights,
}

impl Block {
    /// What scale `s` gets of it, if anything.
    fn form(self, s: usize) -> Option<Form> {
        match self {
            Self::Gaussian => Some(Form::Noise {
                width: GaussianNoise::WIDTH,
            }),
            Self::Spikes(_) => Some(Form::Noise {
                width: Spikes::WIDTH,
            }),
            Self::Coarser => (s > 0).then_some(Form::Coarser),
            Self::Period(phase) => Some(phase.form(s)),
        }
    }

    /// Fills `values` for the columns of a scale.
    fn fill(self, seed: u32, columns: Columns, values: &mut Vec<f32>) {
        match self {
            Self::Gaussian => GaussianNoise::fill(seed, columns, values),
            Self::Spikes(spikes) => spikes.fill(seed, columns, values),
            Self::Coarser => values.clear(),
            Self::Period(phase) => phase.fill(seed, columns, values),
        }
    }
}

impl Form {
    /// Channels, where the coarser scale has `hidden`.
    pub fn width(self, hidden: usize) -> usize {
        match self {
            Self::Values { width } | Self::Noise { width } => width,
            Self::Coarser => hidden,
            Self::TableWeights => TABLE_CHANNELS,
        }
    }
}

/// The values of one block on one scale.
#[derive(Clone, Debug)]
pub struct BlockValues {
    /// How they become channels.
    pub form: Form,
    /// Row-major, a row for each column.
    pub values: Vec<f32>,
}

/// Inputs of one scale: the values of every block, in the order of the list.
#[derive(Clone, Debug, Default)]
pub struct ScaleInputs {
    /// Columns of this scale.
    pub columns: usize,
    /// Doubled columns of the coarser scale to leave out at the start.
    pub skip: usize,
    /// The values of every block.
    pub blocks: Vec<BlockValues>,
}

impl ScaleInputs {
    /// Channels of the joined input, with `hidden` channels from the coarser scale.
    pub fn width(&self, hidden: usize) -> usize {
        self.blocks.iter().map(|b| b.form.width(hidden)).sum()
    }

    /// Multiplies the noise by a temperature.
    pub(crate) fn temper(&mut self, temperature: f32) {
        let is_noise = |b: &&mut BlockValues| matches!(b.form, Form::Noise { .. });
        for block in self.blocks.iter_mut().filter(is_noise) {
            for x in &mut block.values {
                *x *= temperature;
            }
        }
    }
}

/// The inputs of one network.
#[derive(Clone, Debug, PartialEq)]
pub struct InputBlocks {
    blocks: Vec<Block>,
}

impl InputBlocks {
    /// For `frame_rate` frames a second; `period` (in frames) adds the phase of a period.
    pub(crate) fn new(frame_rate: f64, period: Option<f64>) -> Self {
        let mut blocks = vec![
            Block::Gaussian,
            Block::Spikes(Spikes { frame_rate }),
            Block::Coarser,
        ];
        blocks.extend(period.map(|frames| Block::Period(PeriodPhase { frames })));
        Self { blocks }
    }

    fn phase(&self) -> Option<PeriodPhase> {
        self.blocks.iter().find_map(|block| match block {
            Block::Period(phase) => Some(*phase),
            _ => None,
        })
    }

    /// Length of the period in frames, if the network has one.
    pub fn period(&self) -> Option<f64> {
        self.phase().map(|phase| phase.frames)
    }

    /// How the noise of these columns is made, for whoever makes it elsewhere.
    pub fn noise_law(&self, columns: Columns) -> NoiseLaw {
        let spikes = self.blocks.iter().find_map(|block| match block {
            Block::Spikes(spikes) => Some(*spikes),
            _ => None,
        });
        NoiseLaw::new(spikes, columns)
    }

    /// How the phase of the period is made, if the network has one, for whoever makes it elsewhere.
    pub fn period_law(&self) -> Option<PeriodLaw> {
        self.phase().map(PeriodPhase::law)
    }

    /// Entries of the phase table, if the network has one.
    pub fn table_entries(&self) -> Option<usize> {
        self.phase().map(PeriodPhase::table_entries)
    }

    /// Channels of what scale `s` sees.
    pub fn width(&self, s: usize) -> usize {
        let forms = self.blocks.iter().filter_map(|block| block.form(s));
        forms.map(|form| form.width(HIDDEN)).sum()
    }

    /// Inputs of all scales for `frames` frames from absolute frame `start`, a multiple of 32. Keeps the
    /// memory of `out`.
    pub fn fill(&self, seed: u32, start: i64, frames: usize, out: &mut [ScaleInputs; SCALES]) {
        for (inputs, columns) in out.iter_mut().zip(Columns::of_frames(start, frames)) {
            inputs.columns = columns.count;
            inputs.skip = columns.skip;
            let mut place = 0;
            for block in &self.blocks {
                let Some(form) = block.form(columns.scale) else {
                    continue;
                };
                if place == inputs.blocks.len() {
                    let values = Vec::new();
                    inputs.blocks.push(BlockValues { form, values });
                }
                let here = &mut inputs.blocks[place];
                here.form = form;
                block.fill(seed, columns, &mut here.values);
                place += 1;
            }
            inputs.blocks.truncate(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_says_what_is_filled_and_how_wide_it_is() {
        for period in [None, Some(12.3), Some(500.0)] {
            let list = InputBlocks::new(86.0, period);
            assert_eq!(list.period(), period);
            let mut inputs: [ScaleInputs; SCALES] = Default::default();
            // Filled for another network before: nothing of it is left.
            InputBlocks::new(86.0, Some(20.0)).fill(1, 0, 32, &mut inputs);
            list.fill(1, 64, 96, &mut inputs);
            for (s, input) in inputs.iter().enumerate() {
                assert_eq!(input.width(HIDDEN), list.width(s));
                for block in &input.blocks {
                    let row = match block.form {
                        Form::Values { width } | Form::Noise { width } => width,
                        Form::Coarser => 0,
                        Form::TableWeights => list.table_entries().expect("there is a period"),
                    };
                    assert_eq!(block.values.len(), input.columns * row, "{:?}", block.form);
                }
            }
            let coarser = inputs[0].blocks.iter().any(|b| b.form == Form::Coarser);
            assert!(!coarser, "nothing is coarser than the coarsest");
        }
    }

    #[test]
    fn frames_have_the_same_inputs_wherever_a_run_begins() {
        let list = InputBlocks::new(86.0, Some(30.0));
        let [mut long, mut late]: [[ScaleInputs; SCALES]; 2] = Default::default();
        list.fill(3, 0, 96, &mut long);
        list.fill(3, 64, 32, &mut late);
        for (s, (long, late)) in long.iter().zip(&late).enumerate() {
            let skipped = 64 >> (SCALES - 1 - s);
            for (long, late) in long.blocks.iter().zip(&late.blocks) {
                let row = late.values.len() / inputs_columns(s);
                assert!(long.values[skipped * row..].starts_with(&late.values));
            }
        }
    }

    fn inputs_columns(s: usize) -> usize {
        Columns::of_frames(64, 32)[s].count
    }

    #[test]
    fn temperature_scales_the_noise_alone() {
        let list = InputBlocks::new(86.0, Some(30.0));
        let mut inputs: [ScaleInputs; SCALES] = Default::default();
        list.fill(3, 0, 32, &mut inputs);
        let before = inputs.clone();
        for (s, (input, before)) in inputs.iter_mut().zip(&before).enumerate() {
            input.temper(0.5);
            for (now, before) in input.blocks.iter().zip(&before.blocks) {
                let factor = if matches!(now.form, Form::Noise { .. }) {
                    0.5
                } else {
                    1.0
                };
                let scaled = before.values.iter().map(|x| x * factor);
                assert!(now.values.iter().copied().eq(scaled), "scale {s}");
            }
        }
    }
}
