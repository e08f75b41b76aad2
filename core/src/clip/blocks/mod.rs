//! Sound in blocks of a fixed size that the library which reads the other formats decodes wrongly or not at all.

mod dump;
mod g726;
mod gsm;
mod ima4;

use symphonia::core::audio::Channels;

use super::container::{Blocks, Coding};
use g726::G726;
use gsm::Gsm;
use ima4::Ima4;

/// One more than the largest sample of the decoders here, which have 16 bits.
const FULL_SCALE: f32 = 32_768.0;

/// Decodes one block after the other: what was decoded before decides what a block means.
pub(super) struct BlockDecoder {
    blocks: Blocks,
    decoder: Decoder,
}

enum Decoder {
    /// One for each channel.
    Ima4(Vec<Ima4>),
    Gsm(Box<Gsm>),
    /// Two frames in a block, as Microsoft packs them.
    GsmPairs(Box<Gsm>),
    /// Codes of so many bits, as the ITU has it or Sun.
    G726 {
        decoder: Box<G726>,
        bits: u8,
        is_itu: bool,
    },
    /// Words of so many bytes.
    Dump {
        word_bytes: u8,
    },
}

impl BlockDecoder {
    pub(super) fn new(blocks: Blocks) -> Self {
        let decoder = match blocks.coding {
            Coding::Ima4 => Decoder::Ima4(vec![Ima4::default(); blocks.channels.into()]),
            Coding::Gsm => Decoder::Gsm(Box::default()),
            Coding::GsmPairs => Decoder::GsmPairs(Box::default()),
            Coding::G726 { bits, is_itu } => Decoder::G726 {
                decoder: Box::new(G726::new(bits, is_itu)),
                bits,
                is_itu,
            },
            Coding::Dump { word_bytes } => Decoder::Dump { word_bytes },
        };
        Self { blocks, decoder }
    }

    /// Decodes a whole block into one plane for each channel; returns the sample rate in Hz and what the channels
    /// are, or what is wrong with the block.
    pub(super) fn decode(
        &mut self,
        block: &[u8],
        planes: &mut Vec<Vec<f32>>,
    ) -> Result<(u32, Channels), String> {
        planes.iter_mut().for_each(Vec::clear);
        match &mut self.decoder {
            Decoder::Ima4(channels) => {
                planes.resize(channels.len(), Vec::new());
                let packets = block.chunks_exact(ima4::PACKET_BYTES);
                for ((channel, packet), plane) in channels.iter_mut().zip(packets).zip(planes) {
                    let samples = channel.decode(packet);
                    plane.extend(samples.map(as_float));
                }
            }
            Decoder::Gsm(decoder) => {
                planes.resize(1, Vec::new());
                let frame = gsm::Frame::whole(block).ok_or("a frame of GSM is damaged")?;
                planes[0].extend(decoder.decode(&frame).map(as_float));
            }
            Decoder::G726 {
                decoder,
                bits,
                is_itu,
            } => {
                planes.resize(1, Vec::new());
                let codes = g726::codes(block, *bits, *is_itu);
                planes[0].extend(codes.map(|code| as_float(decoder.next(code))));
            }
            Decoder::Dump { word_bytes } => {
                planes.resize(1, Vec::new());
                let samples = dump::samples(block, *word_bytes);
                planes[0].extend(samples.ok_or("a packet of the dump is damaged")?);
            }
            Decoder::GsmPairs(decoder) => {
                planes.resize(1, Vec::new());
                for frame in gsm::Frame::pair(block) {
                    planes[0].extend(decoder.decode(&frame).map(as_float));
                }
            }
        }
        let channels = Channels::Discrete(self.blocks.channels);
        Ok((self.blocks.sample_rate, channels))
    }
}

fn as_float(sample: i16) -> f32 {
    f32::from(sample) / FULL_SCALE
}
