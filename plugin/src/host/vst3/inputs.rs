//! Inputs that lie where an output does.
//!
//! A VST3 host may hand over the same memory for an input and an output, Ardour even for a sidechain and
//! the main output. nice-plug copies the main input to the main output before it looks at the other
//! inputs, which are lost then; so inputs that are in its way are copied first. And a host may say that a
//! channel is silent, and leave in it whatever was there: its copy is silent. Audio thread, but for
//! [`InputCopies::prepare`].

use std::ptr;
use std::sync::Mutex;

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::AudioBusBuffers;

use crate::host::buses::MOST_INPUT_BUSES;

/// Channels of a bus, at most.
const MOST_CHANNELS: usize = 2;
/// The marks of silence of as many channels.
const MARKS: u64 = (1 << MOST_CHANNELS) - 1;

/// Pointers to the channels of a block's input buses.
pub type ChannelPointers = [[*mut f32; MOST_CHANNELS]; MOST_INPUT_BUSES];

/// No channels.
pub const NO_CHANNELS: ChannelPointers = [[ptr::null_mut(); MOST_CHANNELS]; MOST_INPUT_BUSES];

/// Memory for copies of a block's inputs. Only the audio thread locks it while blocks are processed.
#[derive(Default)]
pub struct InputCopies {
    channels: Mutex<[[Vec<f32>; MOST_CHANNELS]; MOST_INPUT_BUSES]>,
}

impl InputCopies {
    /// Makes room for blocks of `frames` frames. Allocates; not while blocks are processed.
    pub fn prepare(&self, frames: usize) {
        if let Ok(mut channels) = self.channels.lock() {
            for channel in channels.iter_mut().flatten() {
                channel.clear();
                channel.resize(frames, 0.0);
            }
        }
    }

    /// Lets `inputs` point to copies, by way of `pointers`, if one of their channels lies where an output
    /// does that is not its counterpart, or is silent by the host's word. Real-time safe.
    ///
    /// # Safety
    /// The buses' pointers are null or lead to as many channels as they have, of `frames` frames each.
    /// [`prepare`](Self::prepare) is not called before the copies have been used.
    pub unsafe fn separate(
        &self,
        inputs: &mut [AudioBusBuffers; MOST_INPUT_BUSES],
        outputs: &[AudioBusBuffers],
        frames: usize,
        pointers: &mut ChannelPointers,
    ) {
        // SAFETY: by the contract above.
        let is_tangled = unsafe {
            channels(inputs).any(|(bus, index, input)| {
                channels(outputs).any(|(output_bus, output_index, output)| {
                    input == output && (bus, index) != (output_bus, output_index)
                })
            })
        };
        let is_marked = inputs.iter().any(|bus| bus.silenceFlags & MARKS != 0);
        if !(is_tangled || is_marked) {
            return;
        }
        let Ok(mut copies) = self.channels.try_lock() else {
            return;
        };
        for ((bus, copies), pointers) in inputs.iter_mut().zip(copies.iter_mut()).zip(pointers) {
            let count = bus.numChannels.max(0) as usize;
            // SAFETY: both arms of the union are pointers.
            let sources = unsafe { bus.__field0.channelBuffers32 };
            // A host that sends more than it said gets its inputs as they are.
            if sources.is_null() || count > MOST_CHANNELS || frames > copies[0].len() {
                continue;
            }
            for (index, (copy, pointer)) in copies.iter_mut().zip(&mut *pointers).enumerate() {
                if index >= count {
                    continue;
                }
                if bus.silenceFlags & (1 << index) != 0 {
                    copy[..frames].fill(0.0);
                } else {
                    // SAFETY: by the contract above; the copy is no memory of the host's.
                    unsafe {
                        ptr::copy_nonoverlapping(*sources.add(index), copy.as_mut_ptr(), frames)
                    };
                }
                *pointer = copy.as_mut_ptr();
            }
            bus.__field0.channelBuffers32 = pointers.as_mut_ptr();
        }
    }
}

/// Every channel of `buses`, with the numbers of its bus and of itself.
///
/// # Safety
/// As for [`InputCopies::separate`].
unsafe fn channels(buses: &[AudioBusBuffers]) -> impl Iterator<Item = (usize, usize, *mut f32)> {
    buses.iter().enumerate().flat_map(|(number, bus)| {
        // SAFETY: both arms of the union are pointers.
        let pointers = unsafe { bus.__field0.channelBuffers32 };
        let count = if pointers.is_null() {
            0
        } else {
            bus.numChannels.max(0) as usize
        };
        // SAFETY: by the contract above.
        (0..count).map(move |index| (number, index, unsafe { *pointers.add(index) }))
    })
}

#[cfg(test)]
mod tests {
    use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::AudioBusBuffers__type0;

    use super::*;

    fn bus(channels: &mut [*mut f32]) -> AudioBusBuffers {
        AudioBusBuffers {
            numChannels: channels.len() as i32,
            silenceFlags: 0,
            __field0: AudioBusBuffers__type0 {
                channelBuffers32: channels.as_mut_ptr(),
            },
        }
    }

    #[test]
    fn what_a_host_calls_silent_is_silent_whatever_lies_there() {
        let mut memory: [[f32; 4]; 4] = std::array::from_fn(|i| [1.0 + i as f32; 4]);
        let mut at = memory.each_mut().map(|channel| channel.as_mut_ptr());
        let copies = InputCopies::default();
        copies.prepare(4);
        let (main, aux) = at.split_at_mut(2);
        let mut inputs = [bus(main), bus(aux)];
        inputs[0].silenceFlags = 0b10;
        // Marks of channels that there are not mean nothing.
        inputs[1].silenceFlags = !0b11;
        let mut pointers = NO_CHANNELS;
        // SAFETY: all channels have four frames.
        unsafe {
            copies.separate(&mut inputs, &[], 4, &mut pointers);
            let heard: Vec<f32> = channels(&inputs).map(|(_, _, at)| *at).collect();
            assert_eq!(heard, [1.0, 0.0, 3.0, 4.0]);
        }
        assert_eq!(memory[1], [2.0; 4]);
    }

    #[test]
    fn only_inputs_in_the_way_of_an_output_are_copied() {
        let mut memory: [[f32; 4]; 4] = std::array::from_fn(|i| [i as f32; 4]);
        let at = memory.each_mut().map(|channel| channel.as_mut_ptr());
        let copies = InputCopies::default();
        copies.prepare(4);
        // Main input, capture input and output by their places in the memory, and whether they are copied.
        let cases = [
            ([0, 1], [2, 3], [0, 1], false),
            ([2, 3], [0, 1], [0, 1], true),
            ([1, 0], [2, 3], [0, 1], true),
            ([2, 2], [3, 3], [0, 1], false),
        ];
        for (main, aux, out, copied) in cases {
            let (mut main_at, mut aux_at, mut out_at) =
                (main.map(|i| at[i]), aux.map(|i| at[i]), out.map(|i| at[i]));
            let mut inputs = [bus(&mut main_at), bus(&mut aux_at)];
            let outputs = [bus(&mut out_at)];
            let mut pointers = NO_CHANNELS;
            // SAFETY: all channels have four frames.
            unsafe {
                copies.separate(&mut inputs, &outputs, 4, &mut pointers);
                let now: Vec<_> = channels(&inputs).collect();
                for (bus, index, channel) in now {
                    let place = [main, aux][bus][index];
                    assert_eq!(channel != at[place], copied, "{main:?} {aux:?} {out:?}");
                    let samples = std::slice::from_raw_parts(channel, 4);
                    assert_eq!(samples, [place as f32; 4]);
                }
            }
        }
    }
}
