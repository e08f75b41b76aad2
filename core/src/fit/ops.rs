//! The operations of the fit as candle operations with our own gradients, and the training graph made
//! of them. What they compute is in `network::layers` and `texture`; here is only the bookkeeping.

use std::ops::Deref;
use std::sync::{Arc, Mutex};

use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, CustomOp3, Device, Layout, Result, Shape, Storage,
    StorageRef, Tensor, Var, bail,
};

use crate::network::{
    FeatureRange, Generator, SCALES, ScaleInputs, TABLE_CHANNELS, array, layers, skip, spans,
};
use crate::texture::{StepTargets, TextureLoss};

/// The values of a contiguous tensor on the CPU, borrowed.
struct Values<'a> {
    storage: StorageRef<'a>,
    start: usize,
    end: usize,
}

fn values(tensor: &Tensor) -> Result<Values<'_>> {
    let (storage, layout) = tensor.storage_and_layout();
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("the fit's tensors are contiguous, this one is {layout:?}");
    };
    match &*storage {
        Storage::Cpu(CpuStorage::F32(_)) => Ok(Values {
            storage,
            start,
            end,
        }),
        _ => bail!("the fit's operations work on f32 tensors of the CPU"),
    }
}

impl Deref for Values<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &*self.storage {
            Storage::Cpu(CpuStorage::F32(data)) => &data[self.start..self.end],
            _ => unreachable!("checked when it was borrowed"),
        }
    }
}

fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("the fit's tensors are contiguous, this one is {layout:?}");
    };
    Ok(&storage.as_slice::<f32>()?[start..end])
}

fn tensor(data: Vec<f32>, like: &Tensor) -> Result<Tensor> {
    Tensor::from_vec(data, like.shape(), &Device::Cpu)
}

fn rows_of(data: Vec<f32>, width: usize) -> (CpuStorage, Shape) {
    let rows = data.len() / width;
    (CpuStorage::F32(data), Shape::from((rows, width)))
}

/// `leaky_relu(x ∗ w + b)`: `[n, inputs]`, `[3, inputs, outputs]`, `[outputs]` to `[n − 2, outputs]`.
struct Convolve {
    /// Whether `x` depends on any weight.
    wants_dx: bool,
}

impl CustomOp3 for Convolve {
    fn name(&self) -> &'static str {
        "convolve"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, inputs) = x_layout.shape().dims2()?;
        let b = slice(b, b_layout)?;
        let mut out = vec![0.0; (rows + 1 - layers::TAPS) * b.len()];
        layers::convolve(
            slice(x, x_layout)?,
            inputs,
            slice(w, w_layout)?,
            b,
            &mut out,
        );
        Ok(rows_of(out, b.len()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let mut dw = vec![0.0; w.elem_count()];
        let mut db = vec![0.0; b.elem_count()];
        let mut dx = self.wants_dx.then(|| vec![0.0; x.elem_count()]);
        layers::convolve_backward(
            &values(x)?,
            x.dim(1)?,
            &values(w)?,
            &values(y)?,
            &values(dy)?,
            &mut dw,
            &mut db,
            dx.as_deref_mut(),
        );
        let dx = dx.map(|dx| tensor(dx, x)).transpose()?;
        Ok((dx, Some(tensor(dw, w)?), Some(tensor(db, b)?)))
    }
}

/// `0.7 · (a without its first and last row + b)`.
struct Residual;

impl CustomOp2 for Residual {
    fn name(&self) -> &'static str {
        "residual"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let width = a_layout.shape().dims2()?.1;
        let b = slice(b, b_layout)?;
        let mut out = vec![0.0; b.len()];
        layers::residual(slice(a, a_layout)?, b, width, &mut out);
        Ok(rows_of(out, width))
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut da = vec![0.0; a.elem_count()];
        let mut db = vec![0.0; b.elem_count()];
        layers::residual_backward(&values(dy)?, a.dim(1)?, &mut da, &mut db);
        Ok((Some(tensor(da, a)?), Some(tensor(db, b)?)))
    }
}

/// Inputs of one scale joined with the coarser scale's columns and the phase table.
struct Join {
    inputs: Arc<[ScaleInputs; SCALES]>,
    scale: usize,
    skip: usize,
}

impl Join {
    fn join(&self, h: &[f32], hidden: usize, table: &[f32]) -> (CpuStorage, Shape) {
        let parts = self.inputs[self.scale].parts(self.skip);
        let width = parts.width(hidden, TABLE_CHANNELS);
        let mut out = vec![0.0; parts.columns * width];
        layers::join(&parts, h, hidden, table, TABLE_CHANNELS, &mut out);
        rows_of(out, width)
    }

    fn join_backward(&self, h: &Tensor, dy: &Tensor, dtable: &mut [f32]) -> Result<Tensor> {
        let parts = self.inputs[self.scale].parts(self.skip);
        let mut dh = vec![0.0; h.elem_count()];
        layers::join_backward(
            &parts,
            h.dim(1)?,
            TABLE_CHANNELS,
            &values(dy)?,
            &mut dh,
            dtable,
        );
        tensor(dh, h)
    }
}

impl CustomOp1 for Join {
    fn name(&self) -> &'static str {
        "join"
    }

    fn cpu_fwd(&self, h: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok(self.join(slice(h, layout)?, layout.shape().dims2()?.1, &[]))
    }

    fn bwd(&self, h: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        self.join_backward(h, dy, &mut []).map(Some)
    }
}

impl CustomOp2 for Join {
    fn name(&self) -> &'static str {
        "join_with_table"
    }

    fn cpu_fwd(
        &self,
        h: &CpuStorage,
        h_layout: &Layout,
        table: &CpuStorage,
        table_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let hidden = h_layout.shape().dims2()?.1;
        Ok(self.join(slice(h, h_layout)?, hidden, slice(table, table_layout)?))
    }

    fn bwd(
        &self,
        h: &Tensor,
        table: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut dtable = vec![0.0; table.elem_count()];
        let dh = self.join_backward(h, dy, &mut dtable)?;
        Ok((Some(dh), Some(tensor(dtable, table)?)))
    }
}

/// `h · w + b`, softly kept inside the capture's range.
struct Head {
    range: Arc<FeatureRange>,
}

impl CustomOp3 for Head {
    fn name(&self) -> &'static str {
        "head"
    }

    fn cpu_fwd(
        &self,
        h: &CpuStorage,
        h_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, hidden) = h_layout.shape().dims2()?;
        let b = slice(b, b_layout)?;
        let mut out = vec![0.0; rows * b.len()];
        layers::head(
            slice(h, h_layout)?,
            hidden,
            slice(w, w_layout)?,
            b,
            &self.range,
            &mut out,
        );
        Ok(rows_of(out, b.len()))
    }

    fn bwd(
        &self,
        h: &Tensor,
        w: &Tensor,
        b: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let mut dh = vec![0.0; h.elem_count()];
        let mut dw = vec![0.0; w.elem_count()];
        let mut db = vec![0.0; b.elem_count()];
        layers::head_backward(
            &values(h)?,
            h.dim(1)?,
            &values(w)?,
            &values(b)?,
            &self.range,
            &values(dy)?,
            &mut dh,
            &mut dw,
            &mut db,
        );
        Ok((
            Some(tensor(dh, h)?),
            Some(tensor(dw, w)?),
            Some(tensor(db, b)?),
        ))
    }
}

/// The texture loss of features `[frames, width]`, a scalar. The forward pass finds the gradient as well
/// and keeps it for the backward pass.
struct Loss {
    loss: Arc<TextureLoss>,
    targets: Arc<StepTargets>,
    gradient: Mutex<Vec<f32>>,
}

impl CustomOp1 for Loss {
    fn name(&self) -> &'static str {
        "texture_loss"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let result = self.loss.evaluate(slice(x, layout)?, &self.targets);
        *self.gradient.lock().unwrap_or_else(|e| e.into_inner()) = result.gradient;
        Ok((CpuStorage::F32(vec![result.value]), Shape::from(())))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let factor = dy.to_scalar::<f32>()?;
        let mut gradient = self
            .gradient
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .clone();
        if factor != 1.0 {
            gradient.iter_mut().for_each(|g| *g *= factor);
        }
        tensor(gradient, x).map(Some)
    }
}

/// The texture loss of `features` as a scalar tensor.
pub(super) fn texture_loss(
    features: &Tensor,
    loss: &Arc<TextureLoss>,
    targets: &Arc<StepTargets>,
) -> Result<Tensor> {
    features.apply_op1(Loss {
        loss: loss.clone(),
        targets: targets.clone(),
        gradient: Mutex::default(),
    })
}

/// A generator whose weights are candle variables.
pub(super) struct TrainingNetwork {
    /// In the order of [`array`].
    pub weights: Vec<Var>,
    range: Arc<FeatureRange>,
}

impl TrainingNetwork {
    pub fn new(generator: &Generator) -> Result<Self> {
        let var = |a: &crate::network::Array| {
            Var::from_tensor(&Tensor::from_slice(
                &a.data,
                a.shape.as_slice(),
                &Device::Cpu,
            )?)
        };
        Ok(Self {
            weights: generator
                .weights
                .arrays
                .iter()
                .map(var)
                .collect::<Result<_>>()?,
            range: Arc::new(generator.range.clone()),
        })
    }

    /// Copies the weights into `generator`, which has the same shapes.
    pub fn store(&self, generator: &mut Generator) -> Result<()> {
        for (array, var) in generator.weights.arrays.iter_mut().zip(&self.weights) {
            array.data.copy_from_slice(&values(var)?);
        }
        Ok(())
    }

    /// Features `[frames, width]` of `frames` frames from `inputs` filled for as many.
    pub fn forward(&self, inputs: &Arc<[ScaleInputs; SCALES]>, frames: usize) -> Result<Tensor> {
        let spans = spans(frames);
        let weight = |i: usize| self.weights[i].as_tensor();
        let mut h: Option<Tensor> = None;
        for scale in 0..SCALES {
            let skip = if scale == 0 { 0 } else { skip(&spans, scale) };
            let join = Join {
                inputs: inputs.clone(),
                scale,
                skip,
            };
            let x = match &h {
                None => {
                    let (storage, shape) = join.join(&[], 0, &[]);
                    Tensor::from_slice(storage.as_slice::<f32>()?, shape, &Device::Cpu)?
                }
                Some(h) if inputs[scale].table_weights.is_empty() => h.apply_op1(join)?,
                Some(h) => h.apply_op2(weight(array::TABLE), join)?,
            };
            let first = x.apply_op3(
                weight(array::first_weight(scale)),
                weight(array::first_bias(scale)),
                Convolve {
                    wants_dx: h.is_some(),
                },
            )?;
            let second = first.apply_op3(
                weight(array::second_weight(scale)),
                weight(array::second_bias(scale)),
                Convolve { wants_dx: true },
            )?;
            h = Some(first.apply_op2(&second, Residual)?);
        }
        let Some(h) = h else {
            bail!("the generator has no scales")
        };
        h.apply_op3(
            weight(array::HEAD_WEIGHT),
            weight(array::HEAD_BIAS),
            Head {
                range: self.range.clone(),
            },
        )
    }
}
