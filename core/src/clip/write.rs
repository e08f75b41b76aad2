//! WAV files, whole or streamed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::process;

use super::{Clip, ClipError, check_sample_rate};

/// How samples are stored in a WAV file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SampleFormat {
    /// 32-bit IEEE float: exact, and keeps what is above full scale.
    #[default]
    Float32,
    /// 24-bit integer: clipped at full scale. Rounded without dither, because its rounding noise
    /// (-146 dBFS) lies below that of any converter.
    Int24,
}

impl SampleFormat {
    /// Bits of one stored sample.
    pub fn bits(self) -> u16 {
        match self {
            Self::Float32 => 32,
            Self::Int24 => 24,
        }
    }

    /// Frames of `channels` channels that fit into one WAV file, whose sizes are 32-bit byte counts.
    pub fn max_wav_frames(self, channels: usize) -> u64 {
        /// More than all the chunks before the samples take.
        const HEADER_BYTES: u64 = 128;
        let frame_bytes = u64::from(self.bits() / 8) * channels.max(1) as u64;
        (u64::from(u32::MAX) - HEADER_BYTES) / frame_bytes
    }
}

/// Full scale of a 24-bit integer sample.
const INT24_FULL_SCALE: f32 = (1 << 23) as f32;

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
/// Samples go to a temporary file beside the target, which [`finish`](Self::finish) puts in its
/// place: a broken-off render neither harms an older file nor leaves half a new one. Dropping the
/// writer without `finish` removes the temporary file.
pub struct WavWriter {
    // `None` only after `finish`.
    wav: Option<hound::WavWriter<BufWriter<File>>>,
    path: PathBuf,
    temporary: PathBuf,
    sample_rate: u32,
    channels: usize,
    format: SampleFormat,
    frames: u64,
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
        check_sample_rate(sample_rate)?;
        if channels == 0 {
            return Err(ClipError::NoChannels);
        }
        let too_many = |_| ClipError::TooManyChannels {
            name: format!("{path:?}"),
            channels,
        };
        let spec = hound::WavSpec {
            channels: u16::try_from(channels).map_err(too_many)?,
            sample_rate,
            bits_per_sample: format.bits(),
            sample_format: match format {
                SampleFormat::Float32 => hound::SampleFormat::Float,
                SampleFormat::Int24 => hound::SampleFormat::Int,
            },
        };
        let failed = |source| ClipError::Write {
            path: path.to_path_buf(),
            source,
        };
        let target = replaceable_target(path).map_err(failed)?;
        let (file, temporary) = create_beside(&target).map_err(failed)?;
        let mut writer = Self {
            wav: None,
            path: target,
            temporary,
            sample_rate,
            channels,
            format,
            frames: 0,
        };
        let wav = hound::WavWriter::new(BufWriter::new(file), spec)
            .map_err(|error| writer.failed(error))?;
        writer.wav = Some(wav);
        Ok(writer)
    }

    /// Number of channels of the file.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Frames written so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Appends a block: one slice per channel, all of the same length.
    ///
    /// # Errors
    ///
    /// If the block's shape is wrong, the disk refuses, or the file would exceed the 4 GiB of a
    /// WAV file.
    pub fn write(&mut self, block: &[&[f32]]) -> Result<(), ClipError> {
        let frames = block.first().map_or(0, |samples| samples.len());
        if block.len() != self.channels || block.iter().any(|samples| samples.len() != frames) {
            return Err(ClipError::BlockShape {
                channels: block.len(),
                expected: self.channels,
            });
        }
        let total = self.frames + frames as u64;
        let max_frames = self.format.max_wav_frames(self.channels);
        if total > max_frames {
            return Err(ClipError::TooLongForWav {
                frames: total,
                duration_s: total as f64 / f64::from(self.sample_rate),
                max_frames,
            });
        }
        let format = self.format;
        if let Some(wav) = &mut self.wav {
            let mut write_all = || {
                for frame in 0..frames {
                    for samples in block {
                        match format {
                            SampleFormat::Float32 => wav.write_sample(samples[frame])?,
                            SampleFormat::Int24 => wav.write_sample(int24(samples[frame]))?,
                        }
                    }
                }
                Ok(())
            };
            write_all().map_err(|error| self.failed(error))?;
        }
        self.frames = total;
        Ok(())
    }

    /// Completes the file and puts it in its place.
    ///
    /// # Errors
    ///
    /// If the disk refuses; what was at the path before is then still there.
    pub fn finish(mut self) -> Result<(), ClipError> {
        if let Some(wav) = self.wav.take() {
            wav.finalize().map_err(|error| self.failed(error))?;
        }
        fs::rename(&self.temporary, &self.path).map_err(|source| ClipError::Write {
            path: self.path.clone(),
            source,
        })
    }

    fn failed(&self, error: hound::Error) -> ClipError {
        ClipError::Write {
            path: self.path.clone(),
            source: match error {
                hound::Error::IoError(source) => source,
                other => io::Error::other(other),
            },
        }
    }
}

impl Drop for WavWriter {
    fn drop(&mut self) {
        // Closed first: Windows does not remove open files. After `finish` nothing is left to
        // remove, and a failure to remove harms nobody.
        self.wav = None;
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Nearest 24-bit integer, clipped at full scale; NaN becomes zero.
fn int24(sample: f32) -> i32 {
    (sample * INT24_FULL_SCALE)
        .round()
        .clamp(-INT24_FULL_SCALE, INT24_FULL_SCALE - 1.0) as i32
}

/// Where a file for `path` has to go: `path` itself, or what it links to. Fails where renaming
/// over it would replace something that is no regular file (a device, a directory), or a file that
/// may not be written.
fn replaceable_target(path: &Path) -> io::Result<PathBuf> {
    let target = match fs::canonicalize(path) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path.to_path_buf()),
        Err(error) => return Err(error),
    };
    if !fs::metadata(&target)?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it exists and is not a regular file",
        ));
    }
    OpenOptions::new().append(true).open(&target)?;
    Ok(target)
}

/// A new file in the folder of `target`, with a name that was not in use.
fn create_beside(target: &Path) -> io::Result<(File, PathBuf)> {
    let name = target
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it does not name a file"))?;
    let mut attempt = 0_u32;
    loop {
        let mut temporary_name = name.to_os_string();
        temporary_name.push(format!(".{}-{attempt}.part", process::id()));
        let temporary = target.with_file_name(temporary_name);
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)
        {
            Ok(file) => return Ok((file, temporary)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 1_000 => {
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}
