//! The inputs of the network on a device, and how its time scales lie beside each other.

use candle_core::{Result, Tensor};
use weft_core::network::inputs::{Form, InputBlocks, ScaleInputs};
use weft_core::network::{HIDDEN, SCALES, TAPS};

use super::indices::Gather;
use super::machine::Machine;

/// One block of what a scale's first convolution sees.
#[derive(Clone, Debug)]
pub enum Seen {
    /// As it is, `columns × width`.
    Values(Tensor),
    /// The coarser scale's columns.
    Coarser,
    /// The weights of the table's entries, `columns × entries`.
    TableWeights(Tensor),
}

/// The blocks of every scale.
pub type Inputs = Vec<Vec<Seen>>;

/// How the columns of a scale lie, for steps of one length.
#[derive(Debug)]
pub struct ScaleLayout {
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

/// Draws inputs on the host.
#[derive(Debug)]
pub struct Drawer {
    blocks: InputBlocks,
    drawn: [ScaleInputs; SCALES],
}

impl Drawer {
    pub fn new(blocks: InputBlocks) -> Self {
        Self {
            blocks,
            drawn: Default::default(),
        }
    }

    /// The inputs of `frames` frames, in one journey to the device.
    pub fn draw(&mut self, seed: u32, frames: usize, machine: &Machine) -> Result<Inputs> {
        self.blocks.fill(seed, 0, frames, &mut self.drawn);
        let blocks = self.drawn.iter().flat_map(|scale| &scale.blocks);
        let all: Vec<f32> = blocks.flat_map(|b| &b.values).copied().collect();
        let all = Tensor::new(all, &machine.device)?;
        let mut place = 0;
        let mut take = |columns: usize, length: usize| {
            let values = all.narrow(0, place, length)?;
            place += length;
            values.reshape((columns, length / columns))
        };
        let scales = self.drawn.iter().map(|scale| {
            let blocks = scale.blocks.iter().map(|block| {
                let length = block.values.len();
                Ok(match block.form {
                    Form::Coarser => Seen::Coarser,
                    Form::TableWeights => Seen::TableWeights(take(scale.columns, length)?),
                    Form::Values { .. } | Form::Noise { .. } => {
                        Seen::Values(take(scale.columns, length)?)
                    }
                })
            });
            blocks.collect()
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
                up: up.transpose()?,
                folds: [fold(columns, machine)?, fold(columns - 2, machine)?],
            });
            coarser = columns - 4;
        }
        Ok(Layouts { frames, scales })
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

/// Channels of a block, where a table has `table` channels.
pub fn width(seen: &Seen, table: usize) -> Result<usize> {
    Ok(match seen {
        Seen::Values(values) => values.dim(1)?,
        Seen::Coarser => HIDDEN,
        Seen::TableWeights(_) => table,
    })
}
