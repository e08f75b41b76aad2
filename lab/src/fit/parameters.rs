//! The weights of a network as two tensors: all matrices padded to one size, and everything else in one row. So all of
//! them move at once.

use candle_core::{DType, Device, Result, Tensor};
use weft_core::network::{HIDDEN, SCALES, Tensor as Values, TensorName, Weights};

/// Weights, or gradients by them.
#[derive(Clone, Debug)]
pub struct Parameters {
    places: Places,
    /// `matrices × rows × HIDDEN`, rows that a matrix doesn't have being zero. Every matrix leads to or from the hidden
    /// channels; those that lead from them lie transposed.
    matrices: Tensor,
    /// Biases and the phase table.
    vectors: Tensor,
}

/// Where every tensor of the weights lies.
#[derive(Clone, Debug)]
pub struct Places {
    list: Vec<Place>,
    matrices: usize,
    rows: usize,
    vectors: usize,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Matrix {
        index: usize,
        rows: usize,
        is_transposed: bool,
    },
    Vector {
        start: usize,
        length: usize,
    },
}

/// Which tensor of the weights; its place in their order.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    First(usize),
    FirstBias(usize),
    Second(usize),
    SecondBias(usize),
    Head,
    HeadBias,
    Table,
}

impl Which {
    fn order(self) -> usize {
        match self {
            Self::First(s) => 4 * s,
            Self::FirstBias(s) => 4 * s + 1,
            Self::Second(s) => 4 * s + 2,
            Self::SecondBias(s) => 4 * s + 3,
            Self::Head => 4 * SCALES,
            Self::HeadBias => 4 * SCALES + 1,
            Self::Table => 4 * SCALES + 2,
        }
    }
}

impl Places {
    fn new(weights: &Weights) -> Self {
        let mut places = Self {
            list: Vec::new(),
            matrices: 0,
            rows: 0,
            vectors: 0,
        };
        for (name, tensor) in weights.names().zip(weights.tensors()) {
            let place = match *tensor.shape() {
                // The table is a list of learned vectors, not a map between spaces.
                [_, .., columns] if name != TensorName::Table => {
                    let is_transposed = columns != HIDDEN;
                    let rows = if is_transposed {
                        columns
                    } else {
                        tensor.data().len() / HIDDEN
                    };
                    places.rows = places.rows.max(rows);
                    places.matrices += 1;
                    Place::Matrix {
                        index: places.matrices - 1,
                        rows,
                        is_transposed,
                    }
                }
                _ => {
                    let (start, length) = (places.vectors, tensor.data().len());
                    places.vectors += length;
                    Place::Vector { start, length }
                }
            };
            places.list.push(place);
        }
        places
    }

    /// How many values every matrix has.
    pub fn counts(&self) -> Vec<f32> {
        let counts = self.list.iter().filter_map(|place| match place {
            Place::Matrix { rows, .. } => Some((rows * HIDDEN) as f32),
            Place::Vector { .. } => None,
        });
        counts.collect()
    }
}

impl Parameters {
    /// The weights on a device.
    pub fn new(weights: &Weights, device: &Device) -> Result<Self> {
        let places = Places::new(weights);
        let size = places.rows * HIDDEN;
        let mut matrices = vec![0.0; places.matrices * size];
        let mut vectors = vec![0.0; places.vectors];
        for (place, tensor) in places.list.iter().zip(weights.tensors()) {
            match *place {
                Place::Matrix {
                    index,
                    rows,
                    is_transposed,
                } => {
                    let to = &mut matrices[index * size..][..rows * HIDDEN];
                    if is_transposed {
                        transpose(tensor.data(), rows, to);
                    } else {
                        to.copy_from_slice(tensor.data());
                    }
                }
                Place::Vector { start, length } => {
                    vectors[start..start + length].copy_from_slice(tensor.data());
                }
            }
        }
        let shape = (places.matrices, places.rows, HIDDEN);
        Ok(Self {
            matrices: Tensor::from_vec(matrices, shape, device)?,
            vectors: Tensor::new(vectors, device)?,
            places,
        })
    }

    /// Zeros of the same sizes.
    pub fn zeros_like(&self) -> Result<Self> {
        Ok(Self {
            places: self.places.clone(),
            matrices: Tensor::zeros(self.matrices.dims(), DType::F32, self.matrices.device())?,
            vectors: Tensor::zeros(self.vectors.dims(), DType::F32, self.vectors.device())?,
        })
    }

    /// All matrices.
    pub fn matrices(&self) -> &Tensor {
        &self.matrices
    }

    /// All vectors.
    pub fn vectors(&self) -> &Tensor {
        &self.vectors
    }

    /// Where they lie.
    pub(super) fn places(&self) -> &Places {
        &self.places
    }

    /// Takes new values.
    pub fn renew(&mut self, matrices: Tensor, vectors: Tensor) {
        (self.matrices, self.vectors) = (matrices, vectors);
    }

    /// A tensor of the weights: a matrix as `rows × HIDDEN`, anything else as a row.
    pub fn get(&self, which: Which) -> Result<Tensor> {
        match self.places.list[which.order()] {
            Place::Matrix { index, rows, .. } => {
                self.matrices.get(index)?.narrow(0, 0, rows)?.contiguous()
            }
            Place::Vector { start, length } => self.vectors.narrow(0, start, length),
        }
    }

    /// Puts a matrix in its place, without a copy of the others. Nothing else may hold the matrices.
    pub fn set_matrix(&self, which: Which, values: &Tensor) -> Result<()> {
        let Place::Matrix { index, .. } = self.places.list[which.order()] else {
            candle_core::bail!("{which:?} is no matrix");
        };
        let rows = self.places.rows;
        let all = self
            .matrices
            .reshape((self.places.matrices * rows, HIDDEN))?;
        all.slice_set(&values.contiguous()?, 0, index * rows)
    }

    /// Where a tensor of the weights lies among all of its kind: a matrix as `rows × HIDDEN`, anything else as a row. A
    /// kernel may write there; nothing else may hold them.
    pub fn place(&self, which: Which) -> Result<Tensor> {
        match self.places.list[which.order()] {
            Place::Matrix { index, rows, .. } => self.matrices.get(index)?.narrow(0, 0, rows),
            Place::Vector { start, length } => self.vectors.narrow(0, start, length),
        }
    }

    /// Puts all vectors in their places, in the order of the weights.
    pub fn set_vectors(&mut self, vectors: &[Tensor]) -> Result<()> {
        self.vectors = Tensor::cat(vectors, 0)?;
        Ok(())
    }

    /// Brings them back as weights of the shapes of `like`.
    pub fn to_weights(&self, like: &Weights) -> Result<Weights> {
        let matrices: Vec<f32> = self.matrices.flatten_all()?.to_vec1()?;
        let vectors: Vec<f32> = self.vectors.to_vec1()?;
        let size = self.places.rows * HIDDEN;
        let mut weights = like.clone();
        for (place, tensor) in self.places.list.iter().zip(weights.tensors_mut()) {
            read(place, &matrices, &vectors, size, tensor);
        }
        Ok(weights)
    }
}

fn read(place: &Place, matrices: &[f32], vectors: &[f32], size: usize, tensor: &mut Values) {
    match *place {
        Place::Matrix {
            index,
            rows,
            is_transposed,
        } => {
            let from = &matrices[index * size..][..rows * HIDDEN];
            if is_transposed {
                transpose(from, HIDDEN, tensor.data_mut());
            } else {
                tensor.data_mut().copy_from_slice(from);
            }
        }
        Place::Vector { start, length } => {
            let from = &vectors[start..start + length];
            tensor.data_mut().copy_from_slice(from);
        }
    }
}

/// A matrix of `columns` columns with its rows and columns swapped.
fn transpose(from: &[f32], columns: usize, to: &mut [f32]) {
    let rows = from.len() / columns;
    for (row, values) in from.chunks_exact(columns).enumerate() {
        for (column, value) in values.iter().enumerate() {
            to[column * rows + row] = *value;
        }
    }
}
