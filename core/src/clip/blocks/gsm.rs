//! GSM 06.10 full rate (ETSI EN 300 961), in which old telephones and Windows recorded speech: 160 samples in 260 bits.
//!
//! The standard prescribes each operation in 16 bits, so that all decoders give the same samples. Its names for
//! what is calculated stand in brackets, and numbers of sections are its.

/// Samples in a frame, in one of its four parts, and pulses in such a part.
const FRAME_SAMPLES: usize = 160;
const PARTS: usize = 4;
const PART_SAMPLES: usize = FRAME_SAMPLES / PARTS;
const PULSES: usize = 13;
/// Coefficients of the filter, and their bits in a frame.
const ORDER: usize = 8;
const COEFFICIENT_BITS: [u32; ORDER] = [6, 6, 5, 5, 4, 4, 3, 3];
/// Bytes of a frame, and the four bits that it begins with.
const FRAME_BYTES: usize = 33;
const SIGNATURE: i16 = 13;
/// Samples back from which one is predicted.
const LAGS: std::ops::RangeInclusive<i16> = 40..=120;
const PAST: usize = 120;

/// Offset, middle and inverse slope of the coefficients' quantisers (table 5.1: B, MIC, INVA).
const COEFFICIENTS: [(i16, i16, i16); ORDER] = [
    (0, -32, 13_107),
    (0, -32, 13_107),
    (2_048, -16, 13_107),
    (-2_560, -16, 13_107),
    (94, -8, 19_223),
    (-1_792, -8, 17_476),
    (-341, -4, 31_454),
    (-1_144, -4, 29_708),
];
/// Gains of the prediction (table 5.3b: QLB).
const GAINS: [i16; 4] = [3_277, 11_469, 21_299, 32_767];
/// Mantissas of the pulses' scale (table 5.6: FAC).
const MANTISSAS: [i16; 8] = [
    18_431, 20_479, 22_527, 24_575, 26_623, 28_671, 30_719, 32_767,
];
/// How much of the last sample stays in the next one (5.3.5).
const DE_EMPHASIS: i16 = 28_180;
/// The three lowest bits of a sample, which hold nothing (5.3.7).
const EMPTY_BITS: i16 = 7;

/// The numbers of a frame.
#[derive(Debug, Default, Clone)]
pub(super) struct Frame {
    coefficients: [i16; ORDER],
    parts: [Part; PARTS],
}

#[derive(Debug, Default, Clone)]
struct Part {
    lag: i16,
    gain: i16,
    /// Where in each three samples the pulses stand.
    grid: i16,
    scale: i16,
    pulses: [i16; PULSES],
}

impl Frame {
    /// A frame of 33 bytes, which begins with a signature, the upper bits first; `None` without that.
    pub(super) fn whole(bytes: &[u8]) -> Option<Self> {
        let mut at = 0;
        let mut next = |count: u32| {
            let bits = at..at + count as usize;
            at = bits.end;
            bits.fold(0, |number, bit| {
                number << 1 | i16::from(bytes[bit / 8] >> (7 - bit % 8) & 1)
            })
        };
        let is_frame = bytes.len() >= FRAME_BYTES && next(4) == SIGNATURE;
        is_frame.then(|| Self::read(next))
    }

    /// Two frames in 65 bytes without signatures, the lower bits first.
    pub(super) fn pair(bytes: &[u8]) -> [Self; 2] {
        let mut at = 0;
        let mut next = |count: u32| {
            let bits = at..at + count as usize;
            at = bits.end;
            bits.rev().fold(0, |number, bit| {
                number << 1 | i16::from(bytes[bit / 8] >> (bit % 8) & 1)
            })
        };
        [Self::read(&mut next), Self::read(&mut next)]
    }

    /// The numbers in their order (table 1.1), each of so many bits.
    fn read(mut next: impl FnMut(u32) -> i16) -> Self {
        let mut frame = Self::default();
        for (coefficient, bits) in frame.coefficients.iter_mut().zip(COEFFICIENT_BITS) {
            *coefficient = next(bits);
        }
        for part in &mut frame.parts {
            part.lag = next(7);
            part.gain = next(2);
            part.grid = next(2);
            part.scale = next(6);
            part.pulses.fill_with(|| next(3));
        }
        frame
    }
}

/// Decodes the frames of one stream.
#[derive(Debug)]
pub(super) struct Gsm {
    /// Excitation of the last samples and of those of a part (drp).
    excitation: [i16; PAST + PART_SAMPLES],
    /// The last lag that there can be (nrp).
    lag: usize,
    /// Coefficients of the last frame (LARpp).
    coefficients: [i16; ORDER],
    /// State of the filter (v).
    filter: [i16; ORDER + 1],
    /// The last sample (msr).
    last: i16,
}

impl Default for Gsm {
    fn default() -> Self {
        Self {
            excitation: [0; PAST + PART_SAMPLES],
            lag: PART_SAMPLES,
            coefficients: [0; ORDER],
            filter: [0; ORDER + 1],
            last: 0,
        }
    }
}

impl Gsm {
    /// The samples of a frame.
    pub(super) fn decode(&mut self, frame: &Frame) -> impl Iterator<Item = i16> + use<> {
        let mut samples = [0; FRAME_SAMPLES];
        for (part, samples) in frame
            .parts
            .iter()
            .zip(samples.chunks_exact_mut(PART_SAMPLES))
        {
            self.excite(part, samples);
        }
        self.filter(&decoded_coefficients(&frame.coefficients), &mut samples);
        for sample in &mut samples {
            self.last = mult_r(self.last, DE_EMPHASIS).saturating_add(*sample);
            *sample = self.last.saturating_add(self.last) & !EMPTY_BITS;
        }
        samples.into_iter()
    }

    /// The excitation of a part: pulses, and what is predicted from before (5.3.1, 5.3.2).
    fn excite(&mut self, part: &Part, samples: &mut [i16]) {
        samples.fill(0);
        let places = samples[part.grid as usize..].iter_mut().step_by(3);
        for (place, pulse) in places.zip(decoded_pulses(part)) {
            *place = pulse;
        }
        if LAGS.contains(&part.lag) {
            self.lag = part.lag as usize;
        }
        let gain = GAINS[part.gain as usize];
        for (k, sample) in samples.iter_mut().enumerate() {
            let predicted = mult_r(gain, self.excitation[PAST + k - self.lag]);
            *sample = sample.saturating_add(predicted);
            self.excitation[PAST + k] = *sample;
        }
        self.excitation.copy_within(PART_SAMPLES.., 0);
    }

    /// The filter of the mouth (5.3.3), whose coefficients go over from those of the last frame (5.2.9).
    fn filter(&mut self, coefficients: &[i16; ORDER], samples: &mut [i16; FRAME_SAMPLES]) {
        let last = std::mem::replace(&mut self.coefficients, *coefficients);
        let between = |mix: fn(i16, i16) -> i16| -> [i16; ORDER] {
            std::array::from_fn(|i| reflection(mix(last[i], coefficients[i])))
        };
        let stretches = [
            (
                0..13,
                between(|last, new| {
                    (last >> 2)
                        .saturating_add(new >> 2)
                        .saturating_add(last >> 1)
                }),
            ),
            (
                13..27,
                between(|last, new| (last >> 1).saturating_add(new >> 1)),
            ),
            (
                27..40,
                between(|last, new| {
                    (last >> 2)
                        .saturating_add(new >> 2)
                        .saturating_add(new >> 1)
                }),
            ),
            (40..FRAME_SAMPLES, between(|_, new| new)),
        ];
        for (stretch, reflections) in stretches {
            for sample in &mut samples[stretch] {
                for i in (0..ORDER).rev() {
                    let state = self.filter[i];
                    *sample = sample.saturating_sub(mult_r(reflections[i], state));
                    self.filter[i + 1] = state.saturating_add(mult_r(reflections[i], *sample));
                }
                self.filter[0] = *sample;
            }
        }
    }
}

/// Logarithmic area ratios from their codes (5.2.8).
fn decoded_coefficients(codes: &[i16; ORDER]) -> [i16; ORDER] {
    std::array::from_fn(|i| {
        let (offset, middle, slope) = COEFFICIENTS[i];
        let ratio = (codes[i] + middle) << 10;
        let ratio = mult_r(slope, ratio.saturating_sub(offset << 1));
        ratio.saturating_add(ratio)
    })
}

/// The reflection coefficient of a logarithmic area ratio (5.2.9.2).
fn reflection(ratio: i16) -> i16 {
    let size = ratio.saturating_abs();
    let size = match size {
        0..11_059 => size << 1,
        11_059..20_070 => size + 11_059,
        _ => (size >> 2).saturating_add(26_112),
    };
    if ratio < 0 { -size } else { size }
}

/// The pulses of a part from their codes (5.2.15, 5.2.16).
fn decoded_pulses(part: &Part) -> [i16; PULSES] {
    let mut exponent = if part.scale > 15 {
        (part.scale >> 3) - 1
    } else {
        0
    };
    let mut mantissa = part.scale - (exponent << 3);
    if mantissa == 0 {
        (exponent, mantissa) = (-4, 7);
    } else {
        while mantissa <= 7 {
            mantissa = mantissa << 1 | 1;
            exponent -= 1;
        }
        mantissa -= 8;
    }
    let (mantissa, shift) = (MANTISSAS[mantissa as usize], 6 - exponent);
    let half = if shift > 0 { 1 << (shift - 1) } else { 0 };
    part.pulses.map(|code| {
        let pulse = mult_r(mantissa, (2 * code - 7) << 12);
        pulse.saturating_add(half) >> shift
    })
}

/// A product of fractions, rounded (5.1, mult_r).
fn mult_r(a: i16, b: i16) -> i16 {
    let product = (i32::from(a) * i32::from(b) + (1 << 14)) >> 15;
    product.min(i16::MAX.into()) as i16
}
