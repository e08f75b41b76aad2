//! ITU-T G.726 ADPCM, which has taken in G.721 and G.723: samples of telephones in two to five bits each.
//!
//! The recommendation prescribes each operation on whole numbers, so that all decoders give the same samples. Its
//! names for what is calculated stand in brackets. Sun's programs, from which AU has it, do not round the products of
//! the predictor, and put the lower bits of a byte first; so do those that read and write such files since.

/// Most of the quantiser's scale (YU), and least.
const SCALE: std::ops::RangeInclusive<i32> = 544..=5_120;
/// What the fast and the slow scale begin at.
const FIRST_SCALE: i32 = 544;
const FIRST_SLOW_SCALE: i32 = FIRST_SCALE << 6;
/// Of a number as the predictor keeps it: the sign, and one that is zero.
const NEGATIVE: i32 = 1 << 10;
const ZERO: i32 = 1 << 5;
/// Taps of the predictor's second part.
const ZEROS: usize = 6;
/// Largest second coefficient of its first part, and what the first may be at most together with it.
const MOST_SECOND: i32 = 12_288;
const MOST_SUM: i32 = 15_360;
/// Second coefficient below which the sound is a tone in a narrow band.
const TONE: i32 = -11_776;
/// Scale below which the line is quiet.
const QUIET: i32 = 1_536;

/// What the recommendation rounds a product by.
const ROUNDING: i32 = 48;

/// What a code means, without its sign: the logarithm of a difference, how it moves the scale (W) and how fast the
/// scale is to move (F).
type Code = (i32, i32, i32);

/// Tables 7 to 14 of the recommendation, for each number of bits.
const TWO_BITS: [Code; 2] = [(116, -22, 0), (365, 439, 7)];
const THREE_BITS: [Code; 4] = [(-2_048, -4, 0), (135, 30, 1), (273, 137, 2), (373, 582, 7)];
const FOUR_BITS: [Code; 8] = [
    (-2_048, -12, 0),
    (4, 18, 0),
    (135, 41, 0),
    (213, 64, 1),
    (273, 112, 1),
    (323, 198, 1),
    (373, 355, 3),
    (425, 1_122, 7),
];
const FIVE_BITS: [Code; 16] = [
    (-2_048, 14, 0),
    (-66, 14, 0),
    (28, 24, 0),
    (104, 39, 0),
    (169, 40, 0),
    (224, 41, 1),
    (274, 58, 1),
    (318, 100, 1),
    (358, 141, 1),
    (395, 179, 1),
    (429, 219, 2),
    (459, 280, 3),
    (488, 358, 4),
    (514, 440, 5),
    (539, 529, 6),
    (566, 696, 6),
];

/// Decodes the codes of one stream.
#[derive(Debug, Clone)]
pub(super) struct G726 {
    codes: &'static [Code],
    /// Bits of a code.
    bits: u8,
    /// What the products of the predictor are rounded by.
    rounding: i32,
    /// The fast and the slow scale (YU, YL).
    scale: i32,
    slow_scale: i32,
    /// Means of how fast the scale is to move, over a short and a long time, and the speed that follows (DMS, DML, AP).
    short_mean: i32,
    long_mean: i32,
    speed: i32,
    /// Coefficients of the predictor (A1, A2; B1 to B6).
    poles: [i32; 2],
    zeros: [i32; ZEROS],
    /// The last two samples and the last six differences, in floats of eleven bits (SR, DQ).
    samples: [i32; 2],
    differences: [i32; ZEROS],
    /// Whether the last two differences without the poles' part were negative (PK).
    signs: [bool; 2],
    /// Whether there is a tone (TD).
    is_tone: bool,
}

impl G726 {
    /// A decoder of codes of 2 to 5 bits, as the ITU has it or Sun.
    pub(super) fn new(bits: u8, is_itu: bool) -> Self {
        let codes: &[Code] = match bits {
            2 => &TWO_BITS,
            3 => &THREE_BITS,
            4 => &FOUR_BITS,
            _ => &FIVE_BITS,
        };
        Self {
            codes,
            bits,
            rounding: if is_itu { ROUNDING } else { 0 },
            scale: FIRST_SCALE,
            slow_scale: FIRST_SLOW_SCALE,
            short_mean: 0,
            long_mean: 0,
            speed: 0,
            poles: [0; 2],
            zeros: [0; ZEROS],
            samples: [ZERO; 2],
            differences: [ZERO; ZEROS],
            signs: [false; 2],
            is_tone: false,
        }
    }

    /// The sample of a code, in 16 bits of which the lower two are nothing.
    pub(super) fn next(&mut self, code: u8) -> i16 {
        let half = self.codes.len();
        let is_negative = usize::from(code) >= half;
        // Negative codes count down.
        let size = match is_negative {
            true => 2 * half - 1 - usize::from(code),
            false => code.into(),
        };
        let (logarithm, move_by, speed) = self.codes[size.min(half - 1)];
        let by_zeros: i32 = std::iter::zip(self.zeros, self.differences)
            .map(|(coefficient, number)| self.product(coefficient, number))
            .sum();
        let by_poles: i32 = std::iter::zip(self.poles, self.samples)
            .map(|(coefficient, number)| self.product(coefficient, number))
            .sum();
        let predicted = (by_zeros + by_poles) >> 1;
        let scale = self.mixed_scale();
        let size = difference(logarithm + (scale >> 2));
        let signed = if is_negative { -size } else { size };
        let sample = predicted + signed;
        let without_poles = signed + (by_zeros >> 1);

        let is_break = self.is_break(size);
        self.move_scale(scale, move_by);
        self.adapt(is_negative, size, without_poles, is_break);
        self.differences.rotate_right(1);
        self.differences[0] = packed(size, is_negative);
        self.samples = [packed(sample.abs(), sample < 0), self.samples[0]];
        self.signs = [without_poles < 0, self.signs[0]];
        self.is_tone = !is_break && self.poles[1] < TONE;
        self.move_speed(scale, speed, is_break);
        (sample << 2).clamp(i16::MIN.into(), i16::MAX.into()) as i16
    }

    /// A coefficient times a number in a float (FMULT).
    fn product(&self, coefficient: i32, number: i32) -> i32 {
        let size = (coefficient >> 2).abs().min(8_191);
        // The coefficient, which has 13 bits, as such a number.
        let own = packed(size, false);
        let exponent = (own >> 6) + (number >> 6 & 15) - 19;
        let mantissa = ((own & 63) * (number & 63) + self.rounding) >> 4;
        let value = match exponent {
            0.. => (mantissa << exponent) & 0x7fff,
            _ => mantissa >> -exponent,
        };
        let is_negative = (coefficient < 0) != (number & NEGATIVE != 0);
        if is_negative { -value } else { value }
    }

    /// The scale between the fast and the slow one (MIX).
    fn mixed_scale(&self) -> i32 {
        let slow = self.slow_scale >> 6;
        let weight = (self.speed >> 2).min(64);
        let part = (self.scale - slow) * weight;
        // Towards zero.
        slow + part / 64
    }

    /// Whether a tone breaks off here (TRANS).
    fn is_break(&self, size: i32) -> bool {
        let (whole, fraction) = (self.slow_scale >> 15, self.slow_scale >> 10 & 31);
        let least = if whole > 9 {
            31 << 10
        } else {
            (32 + fraction) << whole
        };
        self.is_tone && size > (least + (least >> 1)) >> 1
    }

    /// FILTD, LIMB and FILTE.
    fn move_scale(&mut self, scale: i32, move_by: i32) {
        let moved = scale + (((move_by << 5) - scale) >> 5);
        self.scale = moved.clamp(*SCALE.start(), *SCALE.end());
        self.slow_scale += self.scale + (-self.slow_scale >> 6);
    }

    /// The predictor's coefficients (UPA1, UPA2, UPB).
    fn adapt(&mut self, is_negative: bool, size: i32, without_poles: i32, is_break: bool) {
        if is_break {
            (self.poles, self.zeros) = ([0; 2], [0; ZEROS]);
            return;
        }
        let [first, second] = self.poles;
        let is_turned = self.signs.map(|sign| sign != (without_poles < 0));
        let mut new_second = second - (second >> 7);
        let mut new_first = first - (first >> 8);
        if without_poles != 0 {
            let pull = if is_turned[0] { first } else { -first };
            new_second += match pull {
                ..-8_191 => -256,
                8_192.. => 255,
                pull => pull >> 5,
            };
            new_second += if is_turned[1] { -128 } else { 128 };
            new_first += if is_turned[0] { -192 } else { 192 };
        }
        new_second = new_second.clamp(-MOST_SECOND, MOST_SECOND);
        let most_first = MOST_SUM - new_second;
        self.poles = [new_first.clamp(-most_first, most_first), new_second];
        let leak = if self.bits == 5 { 9 } else { 8 };
        for (coefficient, number) in self.zeros.iter_mut().zip(self.differences) {
            *coefficient -= *coefficient >> leak;
            if size != 0 {
                let is_turned = is_negative != (number & NEGATIVE != 0);
                *coefficient += if is_turned { -128 } else { 128 };
            }
        }
    }

    /// FILTA, FILTB, SUBTC and FILTC.
    fn move_speed(&mut self, scale: i32, speed: i32, is_break: bool) {
        let speed = speed << 9;
        self.short_mean += (speed - self.short_mean) >> 5;
        self.long_mean += ((speed << 2) - self.long_mean) >> 7;
        let change = ((self.short_mean << 2) - self.long_mean).abs();
        let is_fast = scale < QUIET || self.is_tone || change >= self.long_mean >> 3;
        self.speed = match (is_break, is_fast) {
            (true, _) => 256,
            (_, true) => self.speed + ((512 - self.speed) >> 4),
            (_, false) => self.speed + (-self.speed >> 4),
        };
    }
}

/// The codes of `bits` bits in bytes, as the ITU has it (upper bits first) or Sun (lower ones).
pub(super) fn codes(bytes: &[u8], bits: u8, is_itu: bool) -> impl Iterator<Item = u8> {
    let bit = move |at: usize| {
        let place = if is_itu { 7 - at % 8 } else { at % 8 };
        bytes[at / 8] >> place & 1
    };
    let bits = usize::from(bits);
    (0..8 * bytes.len() / bits).map(move |number| {
        (0..bits).fold(0, |code, n| {
            let n = if is_itu { n } else { bits - 1 - n };
            code << 1 | bit(number * bits + n)
        })
    })
}

/// A difference from its logarithm (ANTILOG).
fn difference(logarithm: i32) -> i32 {
    if logarithm < 0 {
        return 0;
    }
    let (exponent, mantissa) = (logarithm >> 7 & 15, 128 + (logarithm & 127));
    (mantissa << 7) >> (14 - exponent)
}

/// A number of 15 bits and a sign as a float with four bits of exponent and six of mantissa (FLOATA, FLOATB).
fn packed(size: i32, is_negative: bool) -> i32 {
    let size = size.min(i16::MAX.into());
    let exponent = (i32::BITS - size.leading_zeros()) as i32;
    let mantissa = if size == 0 {
        ZERO
    } else {
        (size << 6) >> exponent
    };
    exponent << 6 | mantissa | if is_negative { NEGATIVE } else { 0 }
}
