//! Left and right, where mid and side would not keep the level of each.

use super::Complex32;
use crate::clip::Image;

/// A side that is quieter than the other by this share of its power, 5 dB, may be learned beside it: what an
/// inversion errs in mid and side, some −25 dB of the louder side, would be heard in it.
const APART_BELOW: f64 = 0.316;
/// A side that is quieter by this share, 9 dB, always is.
const ALWAYS_APART_BELOW: f64 = 0.126;
/// Sides that differ by this share of their power, bin by bin, are panned hard. Two sounds of one spectrum, one on
/// either side, differ by a half.
const HARD_PANNED_ABOVE: f64 = 0.7;
/// A copy of the louder side that is less than this share of the quieter one's power is none: a correlation of 0.2.
const COPY_FROM: f64 = 0.04;
/// Largest part of the quieter side's power, over all bands, that may be misplaced where one copy of the louder one
/// stands for what they have in common: 0.2 dB.
const COPY_ERROR: f64 = 0.05;
/// Upper edge of a band over its lower one: a third of an octave.
const BAND: f64 = 1.26;

/// Powers of left and right, and of what they have in common.
#[derive(Clone, Copy, Debug, Default)]
struct Powers {
    left: f64,
    right: f64,
    /// Real part of the product of left and right.
    both: f64,
}

impl Powers {
    /// Those of the louder and the quieter side.
    fn by_level(&self, right_is_louder: bool) -> [f64; 2] {
        match right_is_louder {
            true => [self.right, self.left],
            false => [self.left, self.right],
        }
    }
}

/// What is measured of the sides of a capture, from the spectra of its mid and side.
pub(super) struct Sides {
    /// By thirds of an octave.
    bands: Vec<Powers>,
    total: Powers,
    /// Difference of left's and right's power, bin by bin.
    difference: f64,
}

impl Sides {
    /// Of frames of `bins` bins.
    pub fn of([mid, side]: [&[Complex32]; 2], bins: usize) -> Self {
        let mut powers = vec![Powers::default(); bins];
        let mut difference = 0.0;
        for (mid, side) in mid.chunks_exact(bins).zip(side.chunks_exact(bins)) {
            for (power, (mid, side)) in powers.iter_mut().zip(mid.iter().zip(side)) {
                let (left, right) = (mid + side, mid - side);
                let [l, r] = [left, right].map(|z| f64::from(z.norm_sqr()));
                power.left += l;
                power.right += r;
                power.both += f64::from((left * right.conj()).re);
                difference += (l - r).abs();
            }
        }
        let sum = |powers: &[Powers]| {
            powers.iter().fold(Powers::default(), |sum, p| Powers {
                left: sum.left + p.left,
                right: sum.right + p.right,
                both: sum.both + p.both,
            })
        };
        let mut bands = Vec::new();
        let mut from = 0;
        while from < bins {
            let to = ((from as f64 * BAND) as usize).max(from + 1).min(bins);
            bands.push(sum(&powers[from..to]));
            from = to;
        }
        Self {
            bands,
            total: sum(&powers),
            difference,
        }
    }

    /// The image of sides that are to be learned apart: the quieter one is far below the other, or both are hardly
    /// ever heard in the same bin at the same time.
    pub fn image(&self) -> Option<Image> {
        let right_is_louder = self.total.right > self.total.left;
        let [loud, quiet] = self.total.by_level(right_is_louder);
        if quiet <= 0.0 {
            return None;
        }
        let copy = self.total.both / loud;
        let is_copy = copy * copy * loud > COPY_FROM * quiet;
        let copy = if is_copy { copy } else { 0.0 };
        let is_everywhere = self.copy_error(copy, right_is_louder) <= COPY_ERROR * quiet;
        let is_hard_panned = self.difference > HARD_PANNED_ABOVE * (loud + quiet);
        let copy = match is_everywhere {
            true if quiet <= APART_BELOW * loud || is_hard_panned => copy,
            false if quiet <= ALWAYS_APART_BELOW * loud || is_hard_panned => 0.0,
            _ => return None,
        };
        let own = (quiet / loud + copy * (copy - 2.0 * self.total.both / loud))
            .max(0.0)
            .sqrt();
        let gains = match right_is_louder {
            true => [copy as f32, 1.0],
            false => [1.0, copy as f32],
        };
        Image::from_sides_apart(gains, own as f32)
    }

    /// How much power of the quieter side would come into other bands than its own, if what it has in common with the
    /// louder one were a `copy` of that in every band.
    fn copy_error(&self, copy: f64, right_is_louder: bool) -> f64 {
        let errors = self.bands.iter().map(|band| {
            let [loud, _] = band.by_level(right_is_louder);
            // Of the copy and what is beside it, which are made without each other.
            (2.0 * copy * (band.both - copy * loud)).abs()
        });
        errors.sum()
    }
}
