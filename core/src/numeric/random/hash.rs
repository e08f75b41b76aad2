//! Bijective mixing functions: every bit of the argument reaches every bit of the result.

/// 2^32 over the golden ratio, made odd: its multiples spread consecutive numbers over all bits.
pub(crate) const GOLDEN_32: u32 = 0x9E37_79B9;
/// 2^64 over the golden ratio, made odd: the step of [`SplitMix64`](super::SplitMix64)'s counter.
pub(crate) const GOLDEN_64: u64 = 0x9E37_79B9_7F4A_7C15;

/// Wellons' `lowbias32`, of 32 bits with low bias: what [`Noise`](super::Noise) is made of.
#[inline(always)]
pub(crate) const fn lowbias32(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7FEB_352D);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846C_A68B);
    x ^ (x >> 16)
}

/// The finaliser of MurmurHash3 (Appleby 2011), of 32 bits: what the inverter's random phases are made of.
#[inline(always)]
pub(crate) const fn murmur3(mut x: u32) -> u32 {
    x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
    x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
    x ^ (x >> 16)
}

/// The finaliser of SplitMix64 (Steele, Lea & Flood, "Fast splittable pseudorandom number generators", OOPSLA
/// 2014), of 64 bits.
#[inline(always)]
pub(crate) const fn split_mix_64(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_never_change() {
        // SplitMix64's first numbers from 0 are known from its publication.
        assert_eq!(split_mix_64(GOLDEN_64), 0xE220_A839_7B1D_CDAF);
        assert_eq!(
            split_mix_64(GOLDEN_64.wrapping_mul(2)),
            0x6E78_9E6A_A1B9_65F4
        );
        assert_eq!(murmur3(1), 0x514E_28B7);
        assert_eq!(lowbias32(1), 0x6889_90C0);
        assert_eq!([murmur3(0), lowbias32(0)], [0, 0]);
    }
}
