//! Why a clip can't be made, read, written or learned from.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::{MAX_DECODED_CHANNELS, MIN_CAPTURE_S, SAMPLE_RATES_HZ, SILENCE_DBFS};

/// Why a clip can't be made, read, written or learned from. Every message names the offending
/// value and says what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClipError {
    /// A sample rate that Weft does not work at.
    #[error(
        "a sample rate of {sample_rate} Hz is outside {} to {} Hz: \
         resample the audio to 48000 Hz first",
        SAMPLE_RATES_HZ.start(), SAMPLE_RATES_HZ.end()
    )]
    SampleRate {
        /// The sample rate in Hz.
        sample_rate: u32,
    },
    /// Audio without a channel.
    #[error("the audio has no channel: give it at least one")]
    NoChannels,
    /// Channels of different lengths.
    #[error(
        "channel {channel} is {frames} frames long, but channel 1 is {expected}: \
         give all channels the same length"
    )]
    UnequalChannels {
        /// Number of the first channel that differs, counted from 1.
        channel: usize,
        /// Its length in frames.
        frames: usize,
        /// The length of the first channel in frames.
        expected: usize,
    },
    /// The path leads to nothing.
    #[error("there is no file {path:?}: check the path")]
    NotFound {
        /// The path.
        path: PathBuf,
    },
    /// A directory where a sound file is expected.
    #[error("{path:?} is a directory: name a sound file in it")]
    Directory {
        /// The path.
        path: PathBuf,
    },
    /// A file that exists and can't be read.
    #[error("can't read {path:?} ({source}): check the file's permissions and its disk")]
    Open {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Not one byte of data.
    #[error("{name} is empty (0 bytes): record or copy it again")]
    Empty {
        /// The file's path, or what the data is called.
        name: String,
    },
    /// Data that no decoder knows.
    #[error(
        "{name} is not a sound file that Weft can read ({reason}): \
         convert it to WAV, AIFF, FLAC, OGG, MP3 or M4A"
    )]
    NotAudio {
        /// The file's path, or what the data is called.
        name: String,
        /// What the decoder said.
        reason: String,
    },
    /// More channels than are worth mixing down.
    #[error(
        "{name} has {channels} channels, more than {MAX_DECODED_CHANNELS}: \
         mix it down to stereo first"
    )]
    TooManyChannels {
        /// The file's path, or what the data is called.
        name: String,
        /// How many channels it has.
        channels: usize,
    },
    /// A sound file that breaks off or is corrupt, with too little left to use.
    #[error(
        "{name} is damaged or cut short ({reason}): only {duration_s:.2} s of it could be \
         decoded, and {MIN_CAPTURE_S} s are needed; export or download it again"
    )]
    Damaged {
        /// The file's path, or what the data is called.
        name: String,
        /// Length of the longest stretch that was decoded, in seconds.
        duration_s: f64,
        /// What the decoder said.
        reason: String,
    },
    /// A sound file with a header and no sound.
    #[error("{name} is a sound file with no samples in it: export or record it again")]
    NoSamples {
        /// The file's path, or what the data is called.
        name: String,
    },
    /// A capture too short to learn from.
    #[error(
        "the audio is {duration_s:.3} s long, shorter than {MIN_CAPTURE_S} s: \
         capture a longer stretch (4 to 10 s work best)"
    )]
    TooShort {
        /// Its length in seconds.
        duration_s: f64,
    },
    /// A sample that is no number.
    #[error(
        "the audio holds a sample that is not a finite number ({value} in channel {channel} at \
         {time_s:.4} s): export it again, or cut that place out"
    )]
    NotFinite {
        /// The sample: NaN or an infinity.
        value: f32,
        /// The channel it is in, counted from 1.
        channel: usize,
        /// Its time from the start, in seconds.
        time_s: f64,
    },
    /// A capture in which there is nothing to hear.
    #[error(
        "the audio is silent (peak {peak_dbfs:.1} dBFS, below {SILENCE_DBFS} dBFS): \
         check the input or its level, and capture again"
    )]
    Silent {
        /// Level of the loudest sample in dBFS, negative infinity for digital silence.
        peak_dbfs: f32,
    },
    /// An output path that can't be written.
    #[error(
        "can't write {path:?} ({source}): check that the folder exists, that you may write \
         there and that the disk has room"
    )]
    Write {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that was written and is not what it should be.
    #[error(
        "{path:?} was written and can't be read back ({reason}): it was removed; check the disk and \
         write it again"
    )]
    ReadBack {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// More sound than a WAV file can hold.
    #[error(
        "{frames} frames ({duration_s:.0} s) are more than a WAV file can hold \
         ({max_frames} frames in this format): render a shorter stretch, or write 24-bit or 16-bit samples"
    )]
    TooLongForWav {
        /// How many frames there would be.
        frames: u64,
        /// How long that is, in seconds.
        duration_s: f64,
        /// How many frames the file could hold.
        max_frames: u64,
    },
    /// A block whose channels do not fit the file being written.
    #[error(
        "a block of {channels} channels can't go into a file of {expected}, or its channels \
         differ in length: give one slice of equal length per channel"
    )]
    BlockShape {
        /// Channels in the block.
        channels: usize,
        /// Channels of the file.
        expected: usize,
    },
    /// A defect of ours met this sound.
    #[error(
        "the capture could not be prepared because of an internal error: try another part of it"
    )]
    Defect,
    /// The resampler refused.
    #[error("can't resample from {from} to {to} Hz ({reason}): choose a common sample rate")]
    Resample {
        /// Sample rate of the clip in Hz.
        from: u32,
        /// Sample rate asked for in Hz.
        to: u32,
        /// What the resampler said.
        reason: String,
    },
}
