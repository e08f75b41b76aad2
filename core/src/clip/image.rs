//! Where a recording lies between left and right, where mid and side would not say it well: one sound that is
//! panned, as far as to one side alone, one whose sides are far apart in level, or one with a side inverted.

use crate::clip::Clip;
use crate::numeric::moments::mean;

/// Both sides are one sound where the quieter one, but for a copy of the louder one, is below this share of the
/// louder one's power: −60 dB.
const SAME_BELOW: f64 = 1e-6;
/// A side that holds no more than such a copy is silent: −20 dB.
const FAINT_COPY: f32 = 0.1;
/// Sides whose difference has no more than this share of mid's power, −40 dB, are equal.
const EQUAL_BELOW: f64 = 1e-4;
/// A side channel so many times as powerful as mid (10 dB) is taken for it: one side is inverted.
const INVERTED_ABOVE: f64 = 10.0;

/// How the sound that was analysed comes to where it was recorded.
///
/// Mid and side are analysed, and left and right have gains; or the sides are *apart*: in place of mid is the louder
/// side, which has the gain 1, and in place of side what the quieter one holds beside its gain's copy of the louder
/// one, amplified to the same level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Image {
    left: f32,
    right: f32,
    /// Of sides that are apart, the gain of what the quieter one holds of its own; else 0.
    own: f32,
}

impl Image {
    /// Of what is analysed as it is.
    pub const PLAIN: Self = Self {
        left: 1.0,
        right: 1.0,
        own: 0.0,
    };
    /// Of what is analysed with its right side inverted.
    pub const INVERTED: Self = Self {
        left: 1.0,
        right: -1.0,
        own: 0.0,
    };

    /// These gains, each from −1 to 1, and not both 0.
    pub fn from_gains([left, right]: [f32; 2]) -> Option<Self> {
        let are_gains = [left, right].iter().all(|g| (-1.0..=1.0).contains(g));
        let own = 0.0;
        (are_gains && [left, right] != [0.0; 2]).then_some(Self { left, right, own })
    }

    /// Sides that are apart: these gains, of which one is 1, and the gain of what the quieter side holds of its own,
    /// above 0 and up to 1.
    pub fn from_sides_apart(gains: [f32; 2], own: f32) -> Option<Self> {
        let image = Self::from_gains(gains)?;
        let is_apart = gains.contains(&1.0) && own > 0.0 && own <= 1.0;
        is_apart.then_some(Self { own, ..image })
    }

    /// The same image of sides apart, found after `outer` had been done to them.
    pub fn within(self, outer: Self) -> Self {
        if outer != Self::INVERTED {
            return self;
        }
        // One side's negative: the copy of the louder one is the other way round.
        let [left, right] = self
            .gains()
            .map(|gain| if gain == 1.0 { 1.0 } else { -gain });
        Self {
            left,
            right,
            ..self
        }
    }

    /// Gains of left and right.
    pub fn gains(&self) -> [f32; 2] {
        [self.left, self.right]
    }

    /// Gain of what the quieter of two sides that are apart holds of its own; none of others.
    pub fn own_gain(&self) -> Option<f32> {
        self.is_apart().then_some(self.own)
    }

    /// Whether what is analysed is the louder side, and what the quieter one holds of its own.
    pub fn is_apart(&self) -> bool {
        self.own > 0.0
    }

    /// The image of `channels` without offset: plain, unless there are two of them which are one sound, louder on
    /// one side, or of which one is all but the negative of the other. Sides that are apart are found by their spectra.
    pub fn of(channels: &[Vec<f32>]) -> Self {
        let [left, right] = channels else {
            return Self::PLAIN;
        };
        let product = |a: &[f32], b: &[f32]| -> f64 {
            let pairs = a.iter().zip(b);
            pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        let (l, r, both) = (
            product(left, left),
            product(right, right),
            product(left, right),
        );
        let (loud, quiet) = (l.max(r), l.min(r));
        if loud == 0.0 {
            return Self::PLAIN;
        }
        let (mid, side) = (l + r + 2.0 * both, l + r - 2.0 * both);
        if side <= EQUAL_BELOW * mid {
            return Self::PLAIN;
        }
        let copy = both / loud;
        let rest = quiet - copy * copy * loud;
        if rest <= loud * SAME_BELOW {
            let copy = (copy as f32).clamp(-1.0, 1.0);
            let (left, right) = if l == loud { (1.0, copy) } else { (copy, 1.0) };
            let own = 0.0;
            return Self { left, right, own };
        }
        if side > INVERTED_ABOVE * mid {
            return Self::INVERTED;
        }
        Self::PLAIN
    }

    /// Whether nearly nothing is heard of left or of right beside the other.
    pub fn silent_sides(&self) -> [bool; 2] {
        self.gains()
            .map(|gain| gain.abs() <= FAINT_COPY && !self.is_apart())
    }

    /// The two channels that are to be analysed of those that were recorded.
    pub fn sources(&self, mut channels: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
        if self.is_apart() {
            let right_is_louder = self.left != 1.0;
            let copy = if right_is_louder {
                self.left
            } else {
                self.right
            };
            let (left, right) = channels.split_at_mut(1);
            let pairs = left[0].iter_mut().zip(&mut right[0]);
            for (l, r) in pairs {
                let (loud, quiet) = if right_is_louder { (*r, *l) } else { (*l, *r) };
                // Whose mid is the louder side, and whose side is what the other holds of its own.
                let own = (quiet - copy * loud) / self.own;
                (*l, *r) = (loud + own, loud - own);
            }
        } else if *self == Self::INVERTED {
            channels[1].iter_mut().for_each(|x| *x = -*x);
        } else if *self != Self::PLAIN {
            let louder = usize::from(self.right.abs() > self.left.abs());
            let louder = channels.swap_remove(louder);
            channels = vec![louder.clone(), louder];
        }
        channels
    }

    /// Brings mid and side of what was analysed to those of what was recorded. Real-time safe.
    pub fn place(&self, mid: &mut [f32], side: &mut [f32]) {
        if *self == Self::PLAIN {
            return;
        }
        let [[m_of_m, m_of_s], [s_of_m, s_of_s]] = self.mixture();
        for (m, s) in mid.iter_mut().zip(side) {
            (*m, *s) = (m_of_m * *m + m_of_s * *s, s_of_m * *m + s_of_s * *s);
        }
    }

    /// Powers of mid and side of what was recorded, from those of what was analysed.
    pub fn place_powers(&self, [mid, side]: [f32; 2]) -> [f32; 2] {
        self.mixture()
            .map(|[of_mid, of_side]| of_mid * of_mid * mid + of_side * of_side * side)
    }

    /// What becomes of the power of mid and of side that were analysed, in mid and side together.
    pub fn power_gains(&self) -> [f32; 2] {
        [[1.0, 0.0], [0.0, 1.0]].map(|powers| self.place_powers(powers).iter().sum())
    }

    /// How much of mid and of side becomes mid; the same for side.
    fn mixture(&self) -> [[f32; 2]; 2] {
        let (sum, difference) = (
            0.5 * (self.left + self.right),
            0.5 * (self.left - self.right),
        );
        if self.is_apart() {
            let own = 0.5 * self.own;
            // The quieter side's part in side is negative where that is the right one.
            let own_in_side = if self.left == 1.0 { -own } else { own };
            return [[sum, own], [difference, own_in_side]];
        }
        [[sum, difference], [difference, sum]]
    }
}

impl Clip {
    /// The first two channels, without their offsets.
    pub(crate) fn centred_channels(&self) -> Vec<Vec<f32>> {
        let channels = self.channels().iter().take(2);
        let centred = channels.map(|x| {
            let mean = mean(x.iter().map(|&v| f64::from(v)));
            x.iter().map(|&v| (f64::from(v) - mean) as f32).collect()
        });
        centred.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: u32) -> Vec<f32> {
        let mut state = seed;
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state as f32 / u32::MAX as f32 - 0.5
        };
        (0..4_000).map(next).collect()
    }

    fn scaled(x: &[f32], gain: f32) -> Vec<f32> {
        x.iter().map(|x| x * gain).collect()
    }

    #[test]
    fn only_what_lies_at_one_side_or_is_inverted_is_not_plain() {
        let (a, b) = (noise(1), noise(2));
        let mixed = |gain: f32, other: f32| -> Vec<f32> {
            a.iter()
                .zip(&b)
                .map(|(a, b)| gain * a + other * b)
                .collect()
        };
        let image = |left: &[f32], right: Vec<f32>| Image::of(&[left.to_vec(), right]);
        for plain in [
            b.clone(),
            a.clone(),
            scaled(&a, 0.99),
            mixed(0.3, 0.01),
            mixed(-0.3, 0.01),
            mixed(0.0, 0.01),
        ] {
            assert_eq!(image(&a, plain), Image::PLAIN);
        }
        assert_eq!(Image::of(std::slice::from_ref(&a)), Image::PLAIN);
        assert_eq!(image(&[0.0; 9], vec![0.0; 9]), Image::PLAIN);
        assert_eq!(image(&[f32::NAN; 9], vec![0.0; 9]), Image::PLAIN);
        for inverted in [scaled(&a, -1.0), mixed(-1.0, 0.01), mixed(-0.9, 0.1)] {
            assert_eq!(image(&a, inverted), Image::INVERTED);
        }
        for (right, gain) in [
            (vec![0.0; a.len()], 0.0),
            (scaled(&a, -0.05), -0.05),
            (scaled(&a, 0.9), 0.9),
            (scaled(&a, -0.3), -0.3),
            (mixed(0.0, 5e-4), 0.0),
        ] {
            let [left, found] = image(&a, right.clone()).gains();
            assert!(
                left == 1.0 && (found - gain).abs() < 1e-4,
                "{found}, not {gain}"
            );
            let [found, right] = image(&right, a.clone()).gains();
            assert!(
                right == 1.0 && (found - gain).abs() < 1e-4,
                "{found}, not {gain}"
            );
        }
    }

    #[test]
    fn what_is_analysed_comes_back_to_where_it_was() {
        let (a, b) = (noise(1), noise(2));
        let inverted: Vec<f32> = a.iter().zip(&b).map(|(a, b)| 0.05 * b - a).collect();
        let one_sided = scaled(&a, 0.0625);
        for right in [inverted, vec![0.0; a.len()], one_sided, b] {
            let recorded = vec![a.clone(), right];
            let image = Image::of(&recorded);
            let sources = image.sources(recorded.clone());
            let pairs = || sources[0].iter().zip(&sources[1]);
            let mut mid: Vec<f32> = pairs().map(|(l, r)| 0.5 * (l + r)).collect();
            let mut side: Vec<f32> = pairs().map(|(l, r)| 0.5 * (l - r)).collect();
            image.place(&mut mid, &mut side);
            for ((m, s), (l, r)) in mid
                .iter()
                .zip(&side)
                .zip(recorded[0].iter().zip(&recorded[1]))
            {
                assert!((m + s - l).abs() < 1e-6 && (m - s - r).abs() < 1e-6);
            }
        }
    }
}
