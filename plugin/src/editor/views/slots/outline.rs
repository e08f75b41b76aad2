//! A capture's outline: what a waveform shows of it, a column a point.

use weft_core::clip::Capture;

/// A capture's outline, and what it was drawn of.
pub struct Outline {
    capture: Capture,
    /// Lowest and highest sample of each column, of all channels together; silence is between them.
    columns: Vec<(f32, f32)>,
}

impl Outline {
    /// The outline of `capture` in `width` columns.
    pub fn new(capture: Capture, width: usize) -> Self {
        let clip = capture.clip();
        let columns = (0..width).map(|i| {
            let part = i * clip.len() / width..((i + 1) * clip.len() / width).max(1);
            let samples = clip.channels().iter().flat_map(|c| &c[part.clone()]);
            samples.fold((0.0f32, 0.0f32), |(low, high), &x| {
                (low.min(x), high.max(x))
            })
        });
        Self {
            columns: columns.collect(),
            capture,
        }
    }

    /// Whether this is what [`Outline::new`] would make again.
    pub fn is_of(&self, capture: &Capture, width: usize) -> bool {
        self.columns.len() == width && self.capture.is_same(capture)
    }

    /// Lowest and highest sample of each column.
    pub fn columns(&self) -> &[(f32, f32)] {
        &self.columns
    }

    /// The sample that is furthest from zero; positive, for silence too.
    pub fn peak(&self) -> f32 {
        let columns = self.columns.iter();
        columns.fold(f32::MIN_POSITIVE, |p, (low, high)| p.max(-low).max(*high))
    }
}
