//! All streams of random numbers of one seed, see [`Noise`](super::Noise). This list is the one place for
//! their numbers: two uses that collide would move together.

/// Gaussian inputs of the network; the time scale is added.
pub(crate) const NOISE: u32 = 0;
/// Whether an event falls into a column of the network's sparse inputs; the time scale is added.
pub(crate) const SPIKE: u32 = 16;
/// How large such an event is; the time scale is added.
pub(crate) const SPIKE_SIZE: u32 = 32;
/// Where in its period a texture starts.
pub(crate) const PHASE: u32 = 48;
/// The smooth jitter of the period.
pub(crate) const JITTER: u32 = 49;
/// White noise, by sample, that the fine structure is measured on; the channel (mid, side) is added.
pub(crate) const CARRIER: u32 = 64;
/// Seeds of an instrument's voices.
pub(crate) const VOICE_SEED: u32 = 81;
/// Turns of the fine structure that is made up for frames that are missing.
pub(crate) const MAKESHIFT: u32 = 84;
/// Places in the texture that are looked at while the network's frames are missing.
pub(crate) const MAKESHIFT_PLACE: u32 = 85;

/// Streams that each use may take, its first one included.
const ALL: [(u32, u32); 9] = [
    (NOISE, 16),
    (SPIKE, 16),
    (SPIKE_SIZE, 16),
    (PHASE, 1),
    (JITTER, 1),
    (CARRIER, 2),
    (VOICE_SEED, 1),
    (MAKESHIFT, 1),
    (MAKESHIFT_PLACE, 1),
];

const _: () = assert!(are_apart(&ALL), "two uses of random numbers overlap");

/// Whether of (first, count) in rising order each ends before the next begins.
const fn are_apart(uses: &[(u32, u32)]) -> bool {
    let mut i = 1;
    while i < uses.len() {
        let (before, count) = uses[i - 1];
        if before + count > uses[i].0 {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps_are_found() {
        assert!(are_apart(&ALL));
        assert!(are_apart(&[(0, 4), (4, 1)]));
        assert!(!are_apart(&[(0, 5), (4, 1)]));
        assert!(!are_apart(&[(7, 1), (7, 1)]));
    }
}
