//! Ranks of a few hundred numbers, thousands of times a second.

/// Bits that a radix pass looks at.
const DIGIT_BITS: u32 = 7;
const DIGITS: usize = 1 << DIGIT_BITS;
/// Keys are as fine as this part of the numbers' range. Closer ones count as equal, in their own order:
/// what they are swapped by is far below what a fit can tell.
const LEVELS: f32 = (DIGITS * DIGITS - 1) as f32;
/// Below this many numbers a comparison sort is faster.
const FEW: usize = 48;

/// Ranks numbers; keeps its memory.
#[derive(Debug, Default)]
pub struct Ranker {
    /// (key, index).
    sorted: Vec<(u16, u16)>,
    swapped: Vec<(u16, u16)>,
}

impl Ranker {
    /// Indices of `x` in ascending order of its values; at most 65,536 finite values.
    pub fn order<'a>(&'a mut self, x: &[f32]) -> impl ExactSizeIterator<Item = usize> + use<'a> {
        let (low, high) = x
            .iter()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| {
                (low.min(v), high.max(v))
            });
        let scale = if high > low {
            LEVELS / (high - low)
        } else {
            0.0
        };
        self.sorted.clear();
        let keys = x.iter().map(|&v| ((v - low) * scale) as u16);
        self.sorted.extend(keys.zip(0..=u16::MAX));
        if x.len() < FEW {
            self.sorted.sort_unstable();
        } else {
            self.swapped.resize(x.len(), (0, 0));
            let (mut low_digits, mut high_digits) = ([0u16; DIGITS], [0u16; DIGITS]);
            for &(key, _) in &self.sorted {
                low_digits[usize::from(key) % DIGITS] += 1;
                high_digits[usize::from(key) / DIGITS % DIGITS] += 1;
            }
            to_starts(&mut low_digits);
            to_starts(&mut high_digits);
            for &entry in &self.sorted {
                let place = &mut low_digits[usize::from(entry.0) % DIGITS];
                self.swapped[usize::from(*place)] = entry;
                *place += 1;
            }
            for &entry in &self.swapped {
                let place = &mut high_digits[usize::from(entry.0) / DIGITS % DIGITS];
                self.sorted[usize::from(*place)] = entry;
                *place += 1;
            }
        }
        self.sorted.iter().map(|&(_, index)| usize::from(index))
    }
}

/// Counts to the places where each digit starts.
fn to_starts(counts: &mut [u16; DIGITS]) {
    let mut start = 0;
    for count in counts {
        start += std::mem::replace(count, start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::random::Sequence;

    #[test]
    fn orders_like_a_comparison_sort_to_the_keys_resolution() {
        let mut random = Sequence::new(3, 0);
        let mut ranker = Ranker::default();
        for length in [0, 1, 2, 47, 48, 384, 5_000] {
            let x: Vec<f32> = (0..length).map(|_| random.gaussian()).collect();
            let order: Vec<usize> = ranker.order(&x).collect();
            let mut all = order.clone();
            all.sort_unstable();
            assert!(all.into_iter().eq(0..length), "every index once");
            let range = x.iter().copied().fold(f32::MIN, f32::max)
                - x.iter().copied().fold(f32::MAX, f32::min);
            for pair in order.windows(2) {
                assert!(x[pair[0]] <= x[pair[1]] + range / LEVELS * 1.01);
            }
        }
        assert!(
            ranker.order(&[2.0; 100]).eq(0..100),
            "equal numbers keep their order"
        );
    }
}
