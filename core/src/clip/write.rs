//! WAV files, whole or streamed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::part_file::PartFile;
use super::wav_format::WavFormat;
use super::{Clip, ClipError, SampleFormat};
use crate::numeric::random::Sequence;

/// Seed of the dither: the same sound gives the same file.
const DITHER_SEED: u64 = 0x5745_4654;

/// How much of a finished file is read back, in seconds.
const READ_BACK_S: u32 = 1;

impl Clip {
    /// Writes the clip as a WAV file; an older file of that name is replaced in one step.
    ///
    /// # Errors
    ///
    /// If the file can't be written, or the clip does not fit into a WAV file.
    pub fn write_wav(&self, path: &Path, format: SampleFormat) -> Result<(), ClipError> {
        let mut writer = WavWriter::create(path, self.sample_rate(), self.channel_count(), format)?;
        let channels: Vec<&[f32]> = self.channels().iter().map(Vec::as_slice).collect();
        writer.write(&channels)?;
        writer.finish()
    }
}

/// A WAV file written block by block, in constant memory.
///
/// Samples go to a hidden temporary file beside the target, which [`finish`](Self::finish) puts in its
/// place: a broken-off render neither harms an older file nor leaves half a new one. Dropping the
/// writer without `finish` removes the temporary file.
pub struct WavWriter {
    // Closed before its place is given up. `None` only in `finish`.
    samples: Option<WavStream<BufWriter<File>>>,
    place: PartFile,
}

impl WavWriter {
    /// Opens a temporary file beside `path`, so that a path that can't be written is known at once.
    /// `sample_rate` in Hz.
    ///
    /// # Errors
    ///
    /// If `path` is not a regular file that may be written, its folder can't be written, or the
    /// sample rate or number of channels is out of range.
    pub fn create(
        path: &Path,
        sample_rate: u32,
        channels: usize,
        format: SampleFormat,
    ) -> Result<Self, ClipError> {
        let format = WavFormat::new(sample_rate, channels, format, path)?;
        let (file, place) =
            PartFile::beside(path).map_err(|source| write_error(path.to_path_buf(), source))?;
        let target = place.target().to_path_buf();
        // The sizes are filled in when they are known.
        let samples = WavStream::begin(BufWriter::new(file), format, 0, target)?;
        Ok(Self {
            samples: Some(samples),
            place,
        })
    }

    /// Number of channels of the file.
    pub fn channels(&self) -> usize {
        self.samples.as_ref().map_or(0, WavStream::channels)
    }

    /// Frames written so far.
    pub fn frames(&self) -> u64 {
        self.samples.as_ref().map_or(0, WavStream::frames)
    }

    /// Appends a block: one slice per channel, all of the same length.
    ///
    /// # Errors
    ///
    /// If the block's shape is wrong, the disk refuses, or the file would exceed the 4 GiB of a
    /// WAV file.
    pub fn write(&mut self, block: &[&[f32]]) -> Result<(), ClipError> {
        self.samples
            .as_mut()
            .map_or(Ok(()), |samples| samples.write(block))
    }

    /// Completes the file, reads its beginning back, and puts it in its place.
    ///
    /// # Errors
    ///
    /// If the disk refuses, or what it holds is not what was written; what was at the path before is
    /// then still there.
    pub fn finish(mut self) -> Result<(), ClipError> {
        let failed = |source| write_error(self.place.target().to_path_buf(), source);
        if let Some(samples) = self.samples.take() {
            let (format, frames) = (samples.format, samples.frames);
            let complete = |samples: WavStream<BufWriter<File>>| -> io::Result<()> {
                let mut output = samples.into_padded()?;
                output.seek(SeekFrom::Start(0))?;
                output.write_all(&format.header(frames))?;
                output.into_inner()?;
                Ok(())
            };
            complete(samples).map_err(failed)?;
            read_back(&self.place, format, frames)?;
        }
        let target = self.place.target().to_path_buf();
        self.place
            .finish()
            .map_err(|source| write_error(target, source))
    }
}

/// Fails unless a finished file has its length and is sound to [`Clip::read`]: the same rate and channels, and
/// all of its beginning.
fn read_back(place: &PartFile, format: WavFormat, frames: u64) -> Result<(), ClipError> {
    let refused = |reason: String| ClipError::ReadBack {
        path: place.target().to_path_buf(),
        reason,
    };
    let bytes = fs::metadata(place.temporary())
        .map_err(|error| refused(error.to_string()))?
        .len();
    let expected = format.file_bytes(frames);
    if bytes != expected {
        return Err(refused(format!(
            "it has {bytes} bytes instead of {expected}"
        )));
    }
    // A header without sound is refused by every reader, and is what was asked for.
    if frames == 0 {
        return Ok(());
    }
    let head = frames.min(u64::from(READ_BACK_S * format.sample_rate)) as usize;
    let clip =
        Clip::read_start(place.temporary(), head).map_err(|error| refused(error.to_string()))?;
    let found = (clip.sample_rate(), clip.channel_count(), clip.len());
    let written = (format.sample_rate, format.channels.min(2), head);
    if found != written {
        return Err(refused(format!(
            "rate, channels and frames come back as {found:?} instead of {written:?}"
        )));
    }
    Ok(())
}

/// The bytes of a WAV file, written to anything that takes bytes: a file, or a pipe that can't go back.
pub struct WavStream<W: Write> {
    output: W,
    /// What the output is called in errors.
    name: PathBuf,
    format: WavFormat,
    frames: u64,
    /// Dither of each channel.
    dither: Vec<Sequence>,
    bytes: Vec<u8>,
}

impl<W: Write> WavStream<W> {
    /// Writes the header of a file of `frames` frames. `sample_rate` in Hz; errors call the output `name`.
    ///
    /// # Errors
    ///
    /// If the output refuses, the frames are more than a WAV file can hold, or the sample rate or number of
    /// channels is out of range.
    pub fn new(
        output: W,
        name: &Path,
        sample_rate: u32,
        channels: usize,
        format: SampleFormat,
        frames: u64,
    ) -> Result<Self, ClipError> {
        let format = WavFormat::new(sample_rate, channels, format, name)?;
        format.check_frames(frames)?;
        Self::begin(output, format, frames, name.to_path_buf())
    }

    fn begin(
        mut output: W,
        format: WavFormat,
        frames: u64,
        name: PathBuf,
    ) -> Result<Self, ClipError> {
        if let Err(source) = output.write_all(&format.header(frames)) {
            return Err(write_error(name, source));
        }
        let dither = (0..format.channels as u64).map(|c| Sequence::new(DITHER_SEED, c));
        Ok(Self {
            output,
            name,
            format,
            frames: 0,
            dither: dither.collect(),
            bytes: Vec::new(),
        })
    }

    /// Number of channels.
    pub fn channels(&self) -> usize {
        self.format.channels
    }

    /// Frames written so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Appends a block: one slice per channel, all of the same length.
    ///
    /// # Errors
    ///
    /// If the block's shape is wrong, the output refuses, or there would be more than the 4 GiB of a WAV file.
    pub fn write(&mut self, block: &[&[f32]]) -> Result<(), ClipError> {
        let frames = block.first().map_or(0, |samples| samples.len());
        let expected = self.format.channels;
        if block.len() != expected || block.iter().any(|samples| samples.len() != frames) {
            return Err(ClipError::BlockShape {
                channels: block.len(),
                expected,
            });
        }
        let total = self.frames + frames as u64;
        self.format.check_frames(total)?;
        self.bytes.clear();
        for frame in 0..frames {
            for (samples, dither) in block.iter().zip(&mut self.dither) {
                let sample = samples[frame];
                self.format.samples.store(sample, dither, &mut self.bytes);
            }
        }
        self.output
            .write_all(&self.bytes)
            .map_err(|source| write_error(self.name.clone(), source))?;
        self.frames = total;
        Ok(())
    }

    /// Completes the file.
    ///
    /// # Errors
    ///
    /// If the output refuses.
    pub fn finish(self) -> Result<(), ClipError> {
        let name = self.name.clone();
        self.into_padded()
            .map(drop)
            .map_err(|source| write_error(name, source))
    }

    /// The output behind the last byte: chunks have an even number of them.
    fn into_padded(mut self) -> io::Result<W> {
        if !self.format.data_bytes(self.frames).is_multiple_of(2) {
            self.output.write_all(&[0])?;
        }
        self.output.flush()?;
        Ok(self.output)
    }
}

fn write_error(path: PathBuf, source: io::Error) -> ClipError {
    ClipError::Write { path, source }
}
