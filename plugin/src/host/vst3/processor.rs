//! The processor: blocks of a VST3 host, as nice-plug can take them. `process` and `setProcessing` run on
//! the audio thread, the rest on the main thread.

use std::ptr;

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::ProcessContext_::StatesAndFlags_::kTimeSigValid;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::ProcessModes_::kOffline;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, BusDirection, IAudioProcessorTrait,
    IProcessContextRequirementsTrait, ProcessContext, ProcessData, ProcessSetup,
    SpeakerArrangement,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    TBool, int32, kInternalError, kInvalidArgument, tresult, uint32,
};

use super::adapter::{Adapter, forward};
use super::inputs::NO_CHANNELS;
use crate::host::buses::{MOST_INPUT_BUSES, is_connected, silent_channels};
use crate::host::gate::Call;
use crate::link::HostLink;
use crate::roles::Role;

/// A bus without channels.
const NO_BUS: AudioBusBuffers = AudioBusBuffers {
    numChannels: 0,
    silenceFlags: 0,
    __field0: AudioBusBuffers__type0 {
        channelBuffers32: ptr::null_mut(),
    },
};

forward! {
    IAudioProcessorTrait, Call::Main("preparing to play"),
    {
        fn setBusArrangements(inputs: *mut SpeakerArrangement, input_count: int32, outputs: *mut SpeakerArrangement, output_count: int32) -> tresult = kInternalError;
        fn getBusArrangement(direction: BusDirection, index: int32, arrangement: *mut SpeakerArrangement) -> tresult = kInternalError;
        fn canProcessSampleSize(sample_size: int32) -> tresult = kInternalError;
        fn getLatencySamples() -> uint32 = 0;
    } with {
        unsafe fn getTailSamples(&self) -> uint32 {
            self.call(Call::Audio, 0, || self.instance.tail_samples())
        }

        unsafe fn setupProcessing(&self, setup: *mut ProcessSetup) -> tresult {
            self.call(Call::Main("preparing to play"), kInternalError, || {
                // SAFETY: null, or valid for this call.
                if let Some(setup) = unsafe { setup.as_ref() } {
                    self.copies.prepare(setup.maxSamplesPerBlock.max(0) as usize);
                }
                // SAFETY: as called by the host.
                unsafe { self.wrapped.setupProcessing(setup) }
            })
        }

        unsafe fn setProcessing(&self, state: TBool) -> tresult {
            self.call(Call::Audio, kInternalError, || {
                self.unsent.set_processing(state != 0);
                self.events.clear();
                // SAFETY: as called by the host.
                unsafe { self.wrapped.setProcessing(state) }
            })
        }

        unsafe fn process(&self, data: *mut ProcessData) -> tresult {
            self.call(Call::Audio, kInternalError, || {
                // SAFETY: null, or valid for this call, of which it is a block.
                unsafe {
                    match data.as_ref() {
                        Some(data) => self.process_block(data),
                        None => kInvalidArgument,
                    }
                }
            })
        }
    }
}

forward! {
    IProcessContextRequirementsTrait, Call::Main("preparing to play"),
    {
        fn getProcessContextRequirements() -> uint32 = 0;
    }
}

impl<R: Role> Adapter<R> {
    /// Has nice-plug process a block, with inputs and a song position that it understands.
    ///
    /// # Safety
    /// `data` is a block of a VST3 host, valid for this call.
    unsafe fn process_block(&self, data: &ProcessData) -> tresult {
        self.unsent.begin_block();
        let link = &*self.instance.link;
        // Every block says it. nice-plug goes by `setupProcessing`, and there hands on the mode
        // of the call before.
        link.set_offline(data.processMode == kOffline as int32);
        // SAFETY: by the contract above.
        let mut inputs = unsafe { inputs::<R>(data) };
        let mut pointers = NO_CHANNELS;
        if !data.outputs.is_null() {
            let frames = data.numSamples.max(0) as usize;
            let count = data.numOutputs.max(0) as usize;
            // SAFETY: the host's arrays are as long as it says. `setupProcessing` does not come while
            // blocks are processed.
            unsafe {
                let outputs = std::slice::from_raw_parts(data.outputs, count);
                self.copies
                    .separate(&mut inputs, outputs, frames, &mut pointers);
            }
        }
        // SAFETY: both arms of the union are pointers.
        let main_input = unsafe { inputs[0].__field0.channelBuffers32 };
        link.set_main_input_connected(!main_input.is_null());
        // SAFETY: null, or valid for this call.
        let context = unsafe { data.processContext.as_ref() };
        let mut context = context.map(|context| without_time_signature(context, link));
        // SAFETY: by the contract above.
        let has_sound = unsafe { has_sound(data, link.output_channels()) };
        let (changes, events) = (data.inputParameterChanges, data.inputEvents);
        // SAFETY: by the contract above.
        let events = unsafe { self.events.begin(changes, events, has_sound, &self.mapped) };
        let (outputs, output_count) = if has_sound {
            (data.outputs, data.numOutputs)
        } else {
            (ptr::null_mut(), 0)
        };
        let mut sanitized = ProcessData {
            outputs,
            numOutputs: output_count,
            inputEvents: events,
            inputParameterChanges: self.changes.begin(changes),
            numInputs: R::INPUT_BUSES as int32,
            inputs: inputs.as_mut_ptr(),
            processContext: context.as_mut().map_or(ptr::null_mut(), ptr::from_mut),
            ..*data
        };
        // SAFETY: `sanitized` is as valid as `data` was; what else it leads to lives until the
        // end of this function.
        let result = unsafe { self.wrapped.process(&mut sanitized) };
        self.events.end(has_sound);
        self.changes.end();
        if has_sound {
            // SAFETY: by the contract above, and they have been written.
            unsafe { mark_silence(data) };
        }
        result
    }
}

/// Says of the channels of the outputs which of them are silent.
///
/// # Safety
/// `data` is a block of a VST3 host, whose outputs have been written.
unsafe fn mark_silence(data: &ProcessData) {
    let frames = data.numSamples.max(0) as usize;
    // SAFETY: the host's array has `numOutputs` elements; both arms of the union are pointers, and a bus has as
    // many of them as channels.
    unsafe {
        let outputs = std::slice::from_raw_parts_mut(data.outputs, data.numOutputs as usize);
        for bus in outputs {
            let channels = bus.__field0.channelBuffers32;
            let count = bus.numChannels.max(0) as usize;
            if is_connected(channels, count) {
                bus.silenceFlags = silent_channels(channels, count, frames);
            }
        }
    }
}

/// Whether all channels of a bus are silent, as the host says: it may have left anything in them.
fn is_silent(bus: &AudioBusBuffers) -> bool {
    let all = u64::MAX >> (u64::BITS - (bus.numChannels.clamp(1, 64) as u32));
    bus.silenceFlags & all == all
}

/// Whether a block has room for the sound of a plugin whose main output has so many `channels`. Where it has
/// not, nice-plug takes its parameters only. Live bypasses a device by taking the channels away.
///
/// # Safety
/// `data` is a block of a VST3 host.
unsafe fn has_sound(data: &ProcessData, channels: u32) -> bool {
    if data.numSamples <= 0 || data.numOutputs <= 0 || data.outputs.is_null() {
        return false;
    }
    // SAFETY: the host's array has `numOutputs` elements; both arms of the union are pointers, and a bus has as
    // many of them as channels.
    unsafe {
        let bus = &*data.outputs;
        let count = bus.numChannels.max(0) as usize;
        count >= channels as usize && is_connected(bus.__field0.channelBuffers32, count)
    }
}

/// The input buses of a block. nice-plug looks for the second one even where the host passes one only, and
/// past the end of its array; so it always gets both, those that are missing without channels.
///
/// # Safety
/// `data` is a block of a VST3 host.
unsafe fn inputs<R: Role>(data: &ProcessData) -> [AudioBusBuffers; MOST_INPUT_BUSES] {
    let mut inputs = [NO_BUS; MOST_INPUT_BUSES];
    if data.inputs.is_null() {
        return inputs;
    }
    let count = R::INPUT_BUSES.min(data.numInputs.max(0) as usize);
    for (index, bus) in inputs.iter_mut().enumerate().take(count) {
        // SAFETY: the host's array has `numInputs` elements; both arms of the union are
        // pointers, and a bus has as many of them as channels.
        unsafe {
            let passed = *data.inputs.add(index);
            let channels = passed.__field0.channelBuffers32;
            if is_connected(channels, passed.numChannels.max(0) as usize) && !is_silent(&passed) {
                *bus = passed;
            }
        }
    }
    inputs
}

/// The song's position without the time signature, which goes to `link`: where nice-plug cuts a block, it
/// works the bar out anew, as if the time signature had never changed, if it knows one.
fn without_time_signature(context: &ProcessContext, link: &HostLink) -> ProcessContext {
    #[allow(clippy::unnecessary_cast, reason = "signed on Windows")]
    let known = kTimeSigValid as u32;
    let signature = (
        f64::from(context.timeSigNumerator),
        f64::from(context.timeSigDenominator),
    );
    link.set_time_signature((context.state & known != 0).then_some(signature));
    let mut context = *context;
    context.state &= !known;
    context
}
