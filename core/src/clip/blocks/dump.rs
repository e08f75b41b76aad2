//! Samples of a MIDI sample dump: seven bits in each byte, the upper ones first and to the left, and zero for the
//! lowest that there is.

use crate::clip::container::dump;

/// One more than the largest sample in 32 bits.
const FULL_SCALE: f32 = 2_147_483_648.0;

/// The samples of a packet in words of so many bytes, or nothing if it is none.
pub(super) fn samples(packet: &[u8], word_bytes: u8) -> Option<impl Iterator<Item = f32>> {
    let is_packet = dump::is_packet(packet) && packet.len() == dump::PACKET_BYTES;
    let sound = packet.get(dump::SOUND_AT..dump::SOUND_AT + dump::SOUND_BYTES);
    let words = sound.filter(|_| is_packet)?.chunks_exact(word_bytes.into());
    Some(words.map(|word| {
        let bytes = word.iter().zip([25, 18, 11, 4]);
        let number = bytes.fold(0, |number, (byte, shift)| {
            number | u32::from(byte & 0x7f) << shift
        });
        (number ^ 1 << 31) as i32 as f32 / FULL_SCALE
    }))
}
