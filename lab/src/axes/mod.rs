//! Which way a network looks at a spectrogram: what its filters slide along, and on what scale the frequencies lie
//! (Huzaifah & Wyse; Wyse 2017).
//!
//! A filter is told apart from a picture's by what it may move along. Sound does not look the same when it is
//! moved up, so the bins may be channels, and filters then slide along time alone; or the frames may be; or
//! neither, as in pictures.

mod scale;

use candle_core::{Result, Tensor, bail};

pub use scale::{FrequencyScale, Scale};

/// What filters slide along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Axis {
    /// Bins are channels, filters slide along time: what is found stays at its pitch.
    #[default]
    Frequency,
    /// Frames are channels, filters slide along frequency: what is found stays at its time.
    Time,
    /// There is one channel, and square filters slide along both: what is found may be at any pitch and time.
    Plane,
}

/// What a layer sees: `places × channels`, the places in one row or in a rectangle.
#[derive(Clone, Debug)]
pub struct Field {
    axis: Axis,
    values: Tensor,
    /// Places along time and frequency, of which one counts but in the plane.
    extent: (usize, usize),
}

impl Field {
    /// An image, `frames × bins`, as the first layer sees it.
    ///
    /// # Errors
    /// If it has another rank.
    pub fn of_image(axis: Axis, image: &Tensor) -> Result<Self> {
        let (frames, bins) = image.dims2()?;
        let (values, extent) = match axis {
            Axis::Frequency => (image.clone(), (frames, 1)),
            Axis::Time => (image.t()?.contiguous()?, (1, bins)),
            Axis::Plane => (image.reshape((frames * bins, 1))?, (frames, bins)),
        };
        Ok(Self {
            axis,
            values,
            extent,
        })
    }

    /// `places × channels`.
    pub fn values(&self) -> &Tensor {
        &self.values
    }

    /// Places along time and along frequency.
    pub fn extent(&self) -> (usize, usize) {
        self.extent
    }

    /// Channels that a layer's filters see at a place of an image of `bins` bins and `frames` frames, at the
    /// first layer.
    pub fn channels_of(axis: Axis, (frames, bins): (usize, usize)) -> usize {
        match axis {
            Axis::Frequency => bins,
            Axis::Time => frames,
            Axis::Plane => 1,
        }
    }

    /// Values that a filter of `kernel` places (in the plane, of `kernel × kernel`) has for each of a layer's
    /// channels.
    pub fn taps(axis: Axis, kernel: usize) -> usize {
        match axis {
            Axis::Frequency | Axis::Time => kernel,
            Axis::Plane => kernel * kernel,
        }
    }

    /// Every window of `kernel` places (in the plane, of `kernel × kernel`): `places × taps · channels`, the taps
    /// in turn with all channels of each, in the plane frame after frame.
    ///
    /// # Errors
    /// If there are fewer places, or memory lacks.
    pub fn windows(&self, kernel: usize) -> Result<Tensor> {
        let ((frames, bins), channels) = (self.extent, self.values.dim(1)?);
        let (along_time, along_frequency) = self.kernel_extent(kernel);
        if kernel == 0 || frames < along_time || bins < along_frequency {
            bail!("filters of {along_time} × {along_frequency} places can't see {frames} × {bins}");
        }
        let (rows, columns) = (frames + 1 - along_time, bins + 1 - along_frequency);
        let plane = self.values.reshape((frames, bins, channels))?;
        let mut shifted = Vec::with_capacity(along_time * along_frequency);
        for frame in 0..along_time {
            for bin in 0..along_frequency {
                let part = plane.narrow(0, frame, rows)?.narrow(1, bin, columns)?;
                shifted.push(part.reshape((rows * columns, channels))?);
            }
        }
        Tensor::cat(&shifted, 1)
    }

    /// The field that a layer's activations (`places × filters`, from [`windows`](Self::windows) of this one)
    /// make up.
    ///
    /// # Errors
    /// If they have other places.
    pub fn next(&self, kernel: usize, activations: Tensor) -> Result<Self> {
        let (along_time, along_frequency) = self.kernel_extent(kernel);
        let extent = (
            (self.extent.0 + 1).saturating_sub(along_time),
            (self.extent.1 + 1).saturating_sub(along_frequency),
        );
        let places = activations.dim(0)?;
        if places != extent.0 * extent.1 {
            bail!("{places} places are not {} × {}", extent.0, extent.1);
        }
        Ok(Self {
            axis: self.axis,
            values: activations,
            extent,
        })
    }

    /// The largest of every two places (in the plane, of 2 × 2); what is left over at the end does not count.
    ///
    /// # Errors
    /// If memory lacks.
    pub fn max_pooled(&self) -> Result<Self> {
        let (mut extent, channels) = (self.extent, self.values.dim(1)?);
        let mut plane = self.values.reshape((extent.0, extent.1, channels))?;
        if matches!(self.axis, Axis::Frequency | Axis::Plane) {
            extent.0 /= 2;
            let pairs = plane.narrow(0, 0, 2 * extent.0)?;
            let pairs = pairs.reshape((extent.0, 2, extent.1 * channels))?;
            let larger = pairs.narrow(1, 0, 1)?.maximum(&pairs.narrow(1, 1, 1)?)?;
            plane = larger.reshape((extent.0, extent.1, channels))?;
        }
        if matches!(self.axis, Axis::Time | Axis::Plane) {
            extent.1 /= 2;
            let pairs = plane.narrow(1, 0, 2 * extent.1)?;
            let pairs = pairs.reshape((extent.0, extent.1, 2, channels))?;
            let larger = pairs.narrow(2, 0, 1)?.maximum(&pairs.narrow(2, 1, 1)?)?;
            plane = larger.reshape((extent.0, extent.1, channels))?;
        }
        Ok(Self {
            axis: self.axis,
            values: plane.reshape((extent.0 * extent.1, channels))?,
            extent,
        })
    }

    fn kernel_extent(&self, kernel: usize) -> (usize, usize) {
        match self.axis {
            Axis::Frequency => (kernel, 1),
            Axis::Time => (1, kernel),
            Axis::Plane => (kernel, kernel),
        }
    }
}
