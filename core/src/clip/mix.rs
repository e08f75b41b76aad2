//! Sound of many channels as one of two.

use symphonia::core::audio::{Channels, Position};

/// Gain of centre and surround channels in a stereo mix: -3 dB (ITU-R BS.775-3, annex 4).
const SIDE_CHANNEL_GAIN: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// How a file's channels become one or two.
pub(super) enum StereoMix {
    /// Mono or stereo, taken as they are.
    Direct { channels: usize },
    /// Gain of each input channel to left and right.
    Gains(Vec<[f32; 2]>),
}

impl StereoMix {
    pub(super) fn new(channels: &Channels) -> Self {
        let count = channels.count();
        if count <= 2 {
            return Self::Direct { channels: count };
        }
        let mut gains: Vec<[f32; 2]> = match channels {
            // Of fewer than six channels, a low-frequency one is a guess of a reader that found no
            // positions in the file: four channels are far more often a quadraphonic recording.
            Channels::Positioned(positions)
                if count >= 6 || !positions.contains(Position::LFE1) =>
            {
                // Positioned channels are stored in the order of their bits.
                positions.iter().map(position_gains).collect()
            }
            _ => (0..count)
                .map(|channel| [[1.0, 0.0], [0.0, 1.0]][channel % 2])
                .collect(),
        };
        let loudest = [0, 1]
            .map(|side| gains.iter().map(|gain| gain[side]).sum::<f32>())
            .into_iter()
            .fold(f32::MIN_POSITIVE, f32::max);
        for gain in gains.iter_mut().flatten() {
            *gain /= loudest;
        }
        Self::Gains(gains)
    }

    pub(super) fn input_channels(&self) -> usize {
        match self {
            Self::Direct { channels } => *channels,
            Self::Gains(gains) => gains.len(),
        }
    }

    pub(super) fn output_channels(&self) -> usize {
        self.input_channels().min(2)
    }

    /// Appends `planes` to `output`.
    pub(super) fn append(&self, planes: &[Vec<f32>], output: &mut [Vec<f32>]) {
        match self {
            Self::Direct { .. } => {
                for (output, plane) in output.iter_mut().zip(planes) {
                    output.extend_from_slice(plane);
                }
            }
            Self::Gains(gains) => {
                for (side, output) in output.iter_mut().enumerate() {
                    let start = output.len();
                    output.resize(start + planes.first().map_or(0, Vec::len), 0.0);
                    for (plane, gain) in planes.iter().zip(gains) {
                        // A gain of zero would still spread NaN and infinity.
                        if gain[side] != 0.0 {
                            for (mixed, sample) in output[start..].iter_mut().zip(plane) {
                                *mixed += gain[side] * sample;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Gains of a speaker position to left and right.
fn position_gains(position: Position) -> [f32; 2] {
    const FRONT_LEFT: Position = Position::FRONT_LEFT
        .union(Position::FRONT_LEFT_CENTER)
        .union(Position::FRONT_LEFT_WIDE);
    const FRONT_RIGHT: Position = Position::FRONT_RIGHT
        .union(Position::FRONT_RIGHT_CENTER)
        .union(Position::FRONT_RIGHT_WIDE);
    const OTHER_LEFT: Position = Position::REAR_LEFT
        .union(Position::SIDE_LEFT)
        .union(Position::TOP_FRONT_LEFT)
        .union(Position::TOP_REAR_LEFT)
        .union(Position::TOP_SIDE_LEFT)
        .union(Position::BOTTOM_FRONT_LEFT);
    const OTHER_RIGHT: Position = Position::REAR_RIGHT
        .union(Position::SIDE_RIGHT)
        .union(Position::TOP_FRONT_RIGHT)
        .union(Position::TOP_REAR_RIGHT)
        .union(Position::TOP_SIDE_RIGHT)
        .union(Position::BOTTOM_FRONT_RIGHT);
    const LOW_FREQUENCY: Position = Position::LFE1.union(Position::LFE2);

    if FRONT_LEFT.contains(position) {
        [1.0, 0.0]
    } else if FRONT_RIGHT.contains(position) {
        [0.0, 1.0]
    } else if OTHER_LEFT.contains(position) {
        [SIDE_CHANNEL_GAIN, 0.0]
    } else if OTHER_RIGHT.contains(position) {
        [0.0, SIDE_CHANNEL_GAIN]
    } else if LOW_FREQUENCY.contains(position) {
        [0.0, 0.0]
    } else {
        [SIDE_CHANNEL_GAIN; 2]
    }
}
