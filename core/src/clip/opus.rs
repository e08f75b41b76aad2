//! Opus (RFC 6716), which the library that reads the other formats finds in files and does not decode.

use ropus::OpusMSDecoder;
use symphonia::core::audio::{Channels, Position};

/// Samples per second of every decoded stream, in Hz.
pub(super) const RATE_HZ: u32 = 48_000;
/// Frames of the longest packet: 120 ms.
const MOST_FRAMES: usize = 5_760;
/// Bytes of an identification header (RFC 7845, section 5.1) before its table of channels.
const HEADER_BYTES: usize = 19;
const HEADER_MAGIC: &[u8] = b"OpusHead";
/// In a table of channels, one without sound.
const SILENT: u8 = 255;
/// One more than the largest sample that the decoder gives.
const FULL_SCALE: f32 = 32_768.0;
/// Steps of the header's gain in a decibel.
const GAIN_STEPS: f32 = 256.0;

/// Decodes the packets of one stream.
pub(super) struct OpusStream {
    decoder: OpusMSDecoder,
    channels: usize,
    /// Frames at the beginning that are not part of the sound, as a whole header tells.
    pub(super) pre_skip: Option<u64>,
    /// Linear gain that the header asks for.
    gain: f32,
    /// Which plane each decoded channel belongs to.
    places: Vec<usize>,
    interleaved: Vec<i16>,
}

impl OpusStream {
    /// A decoder for the stream that the identification header describes, or what is wrong with that. Without a
    /// header it has `channels`, one or two.
    pub(super) fn new(header: &[u8], channels: usize) -> Result<Self, String> {
        let plain = [HEADER_MAGIC, &[1, channels as u8], &[0; 9]].concat();
        let header = if header.is_empty() { &plain } else { header };
        if header.len() < HEADER_BYTES || !header.starts_with(HEADER_MAGIC) {
            return Err("its Opus header is damaged".into());
        }
        let channels = usize::from(header[9]);
        // MP4 has version 0 and the other byte order.
        let gain = match header[8] {
            0 => i16::from_be_bytes([header[16], header[17]]),
            _ => i16::from_le_bytes([header[16], header[17]]),
        };
        let table = &header[HEADER_BYTES..];
        // The simplest family has one stream of one or two channels and no table.
        let (streams, coupled, mapping) = match (header[18], table) {
            (0, _) => (1, channels.saturating_sub(1), vec![0, 1]),
            (_, [streams, coupled, mapping @ ..]) => {
                (usize::from(*streams), usize::from(*coupled), mapping.into())
            }
            _ => return Err("its Opus header breaks off".into()),
        };
        let mapping = mapping
            .get(..channels)
            .filter(|mapping| !mapping.is_empty());
        let mapping = mapping.ok_or("its Opus header breaks off")?;
        let is_known = |slot: &&u8| **slot == SILENT || usize::from(**slot) < streams + coupled;
        if coupled > streams || mapping.iter().filter(is_known).count() < channels {
            return Err("its Opus header names channels that are not there".into());
        }
        let [rate, count, streams, coupled] =
            [RATE_HZ as usize, channels, streams, coupled].map(|number| number as i32);
        let decoder = OpusMSDecoder::new(rate, count, streams, coupled, mapping)
            .map_err(|_| "its Opus header describes no streams that there can be")?;
        Ok(Self {
            decoder,
            channels,
            // MP4 has it in its edit list too.
            pre_skip: (header[8] > 0).then(|| u16::from_le_bytes([header[10], header[11]]).into()),
            gain: 10.0_f32.powf(f32::from(gain) / GAIN_STEPS / 20.0),
            places: match header[18] {
                1 => places(channels),
                _ => (0..channels).collect(),
            },
            interleaved: vec![0; MOST_FRAMES * channels],
        })
    }

    /// What the channels are, in the order of the planes.
    pub(super) fn positions(&self) -> Channels {
        use Position as P;
        let front = P::FRONT_LEFT | P::FRONT_RIGHT;
        let rear = P::REAR_LEFT | P::REAR_RIGHT;
        let five = front | P::FRONT_CENTER | rear;
        let sides = P::SIDE_LEFT | P::SIDE_RIGHT;
        let positions = match self.channels {
            1 => P::FRONT_CENTER,
            2 => front,
            3 => front | P::FRONT_CENTER,
            4 => front | rear,
            5 => five,
            6 => five | P::LFE1,
            7 => front | P::FRONT_CENTER | P::LFE1 | P::REAR_CENTER | sides,
            8 => five | P::LFE1 | sides,
            count => return Channels::Discrete(count as u16),
        };
        Channels::Positioned(positions)
    }

    /// Decodes a packet into one plane for each channel.
    pub(super) fn decode(
        &mut self,
        packet: &[u8],
        planes: &mut Vec<Vec<f32>>,
    ) -> Result<(), String> {
        let frames = self
            .decoder
            .decode(
                Some(packet),
                packet.len() as i32,
                &mut self.interleaved,
                MOST_FRAMES as i32,
                false,
            )
            .map_err(|_| "a packet of Opus is damaged")?;
        let frames = usize::try_from(frames).unwrap_or(0);
        planes.resize(self.channels, Vec::new());
        for (channel, place) in self.places.iter().enumerate() {
            let samples = self.interleaved[channel..].iter().step_by(self.channels);
            let plane = &mut planes[*place];
            plane.clear();
            let scale = self.gain / FULL_SCALE;
            plane.extend(
                samples
                    .take(frames)
                    .map(|sample| scale * f32::from(*sample)),
            );
        }
        Ok(())
    }
}

/// Where the channels of a stream in the order of Vorbis (RFC 7845, section 5.1.1.2) lie in the order of speaker
/// positions.
fn places(channels: usize) -> Vec<usize> {
    match channels {
        3 => vec![0, 2, 1],
        5 => vec![0, 2, 1, 3, 4],
        6 => vec![0, 2, 1, 4, 5, 3],
        7 => vec![0, 2, 1, 5, 6, 4, 3],
        8 => vec![0, 2, 1, 6, 7, 4, 5, 3],
        count => (0..count).collect(),
    }
}
