//! IMA ADPCM as Apple packs it (QuickTime File Format, *IMA 4:1*): for each channel in turn, 64 samples in 34 bytes.
//!
//! The two bytes at a packet's beginning hold the last sample without its lower seven bits, and the step. A
//! decoder that takes the sample from there goes off by up to 127 of 32768 in each packet; so what was decoded is
//! kept where the packet says nothing else, as Apple's decoder does it.

/// Bytes of a packet of one channel.
pub(super) const PACKET_BYTES: usize = 34;
/// Samples in it, two in each byte behind its header.
const PACKET_SAMPLES: usize = 64;
const HEADER_BYTES: usize = 2;
/// The bits of the header with the step; above them are those of the sample.
const STEP_MASK: u16 = 0x7f;
/// Bit of a code with its sign.
const SIGN: u8 = 8;

/// Steps of the quantiser (IMA Digital Audio Focus and Technical Working Groups, *Recommended Practices for Enhancing
/// Digital Audio Compatibility in Multimedia Systems*, 1992).
const STEPS: [i32; 89] = [
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66,
    73, 80, 88, 97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449,
    494, 544, 598, 658, 724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272,
    2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493,
    10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
];
/// By how much a code without its sign moves the step.
const STEP_MOVES: [i32; 8] = [-1, -1, -1, -1, 2, 4, 6, 8];

/// Decodes the packets of one channel.
#[derive(Debug, Clone, Default)]
pub(super) struct Ima4 {
    /// The last sample.
    sample: i16,
    /// Number of the step in use.
    step: usize,
}

impl Ima4 {
    /// The samples of a packet, which has [`PACKET_BYTES`].
    pub(super) fn decode(&mut self, packet: &[u8]) -> impl Iterator<Item = i16> + use<> {
        let header = u16::from_be_bytes([packet[0], packet[1]]);
        let step = usize::from(header & STEP_MASK).min(STEPS.len() - 1);
        let sample = (header & !STEP_MASK) as i16;
        let is_same = step == self.step && sample.abs_diff(self.sample) <= STEP_MASK;
        if !is_same {
            (self.sample, self.step) = (sample, step);
        }
        let mut samples = [0; PACKET_SAMPLES];
        for (pair, byte) in samples.chunks_exact_mut(2).zip(&packet[HEADER_BYTES..]) {
            pair[0] = self.next(byte & 15);
            pair[1] = self.next(byte >> 4);
        }
        samples.into_iter()
    }

    /// The sample of a code of four bits.
    fn next(&mut self, code: u8) -> i16 {
        let step = STEPS[self.step];
        let parts = [(1, 2), (2, 1), (4, 0)];
        let parts = parts.map(|(bit, shift)| if code & bit != 0 { step >> shift } else { 0 });
        // Each part is rounded by itself.
        let change = (step >> 3) + parts.iter().sum::<i32>();
        let change = if code & SIGN != 0 { -change } else { change };
        let sample = i32::from(self.sample) + change;
        self.sample = sample.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        let moved = self.step as i32 + STEP_MOVES[usize::from(code & !SIGN)];
        self.step = moved.clamp(0, STEPS.len() as i32 - 1) as usize;
        self.sample
    }
}
