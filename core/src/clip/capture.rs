//! A recording as it is kept: losslessly compressed, at no more bits than it needs.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use libflac_rs::{Encoder, EncoderConfig};

use super::{Clip, ClipError, MAX_READ_S, Remark, SoundFile};

/// How hard the encoder looks for a shorter stream, 0 to 8: what the flac tool does unless told otherwise.
const COMPRESSION_LEVEL: u32 = 5;
/// Loudest amplitude that the scale of a kept recording may be, far above any recording.
const LARGEST_SCALE: f32 = 1e6;

/// Bits of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Depth {
    /// For what comes from 16 bits: every sample is exact.
    Bits16,
    Bits24,
}

impl Depth {
    fn bits(self) -> u32 {
        match self {
            Self::Bits16 => 16,
            Self::Bits24 => 24,
        }
    }

    /// Full scale, negative: one step more than the largest sample.
    fn full_scale(self) -> f32 {
        (1u32 << (self.bits() - 1)) as f32
    }
}

/// The whole recording.
#[derive(Debug)]
struct Recording {
    clip: Clip,
    depth: Depth,
    scale: f32,
    /// What is to be said of the file that it was read from, while that is known.
    about_file: Vec<Remark>,
    /// Made when it is first asked for, which takes a while.
    flac: OnceLock<Vec<u8>>,
}

/// A recording as textures keep it: at most two channels, its samples rounded to what is kept of them, and
/// the part that a texture is learned from. Cheap to clone; never changes.
///
/// Recordings of 16 bits are kept exactly. Others are raised until they fill 24 bits; the gain is kept with
/// them, so they sound as they did.
#[derive(Clone, Debug)]
pub struct Capture {
    recording: Arc<Recording>,
    /// Frames that are used.
    used: Range<usize>,
}

/// A recording in bytes.
pub(crate) struct PackedCapture<'a> {
    /// A FLAC stream.
    pub flac: &'a [u8],
    /// Amplitude of the stream's full scale.
    pub scale: f32,
    /// Frames of it that are the recording.
    pub frames: usize,
    /// Frames that are used.
    pub used: Range<usize>,
}

impl Capture {
    /// Rounds `clip` to what is kept of it; of more than two channels, the first two are.
    ///
    /// # Errors
    /// If the clip is empty or holds samples that are no finite numbers.
    pub fn new(clip: &Clip) -> Result<Self, ClipError> {
        Self::rounded(clip, Vec::new())
    }

    /// The same for what was read from a file.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(crate) fn of_file(file: &SoundFile) -> Result<Self, ClipError> {
        Self::rounded(&file.clip, file.about_file().to_vec())
    }

    fn rounded(clip: &Clip, about_file: Vec<Remark>) -> Result<Self, ClipError> {
        clip.check_finite()?;
        if clip.is_empty() {
            return Err(ClipError::TooShort { duration_s: 0.0 });
        }
        let channels = &clip.channels()[..clip.channel_count().min(2)];
        let peak = channels
            .iter()
            .flatten()
            .fold(0.0f32, |p, x| p.max(x.abs()));
        let full = Depth::Bits16.full_scale();
        let fits = |x: &f32| (x * full).fract() == 0.0 && (-1.0..1.0).contains(x);
        let (depth, scale) = if channels.iter().flatten().all(fits) {
            (Depth::Bits16, 1.0)
        } else {
            let full = Depth::Bits24.full_scale();
            // The largest sample becomes the largest word.
            let scale = peak.max(f32::MIN_POSITIVE) * (full / (full - 1.0));
            (Depth::Bits24, scale)
        };
        let rounded = |x: &f32| word(*x, depth, scale) as f32 / depth.full_scale() * scale;
        let channels = channels.iter().map(|c| c.iter().map(rounded).collect());
        let clip = Clip::new(clip.sample_rate(), channels.collect())?;
        Ok(Self {
            used: 0..clip.len(),
            recording: Arc::new(Recording {
                clip,
                depth,
                scale,
                about_file,
                flac: OnceLock::new(),
            }),
        })
    }

    /// Reads what [`packed`](Self::packed) returned, which may have come from anywhere.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn unpack(packed: &PackedCapture<'_>, sample_rate: u32) -> Result<Self, String> {
        let &PackedCapture {
            flac,
            scale,
            frames,
            ..
        } = packed;
        if !(scale.is_normal() && scale > 0.0 && scale <= LARGEST_SCALE) {
            return Err(format!("the capture's scale is {scale}"));
        }
        let most = (MAX_READ_S * f64::from(sample_rate)).ceil() as usize;
        if frames > most {
            return Err(format!("the capture has {frames} frames, not {most}"));
        }
        let stream = Clip::read_flac(flac, frames).map_err(|e| e.to_string())?;
        if stream.len() != frames || frames == 0 || stream.channel_count() > 2 {
            let (found, channels) = (stream.len(), stream.channel_count());
            return Err(format!(
                "the capture has {found} frames of {channels} channels, not {frames}"
            ));
        }
        let depth = match stream.is_within_bits(Depth::Bits16) && scale == 1.0 {
            true => Depth::Bits16,
            false => Depth::Bits24,
        };
        let channels = stream.into_channels().into_iter().map(|mut channel| {
            channel.iter_mut().for_each(|x| *x *= scale);
            channel
        });
        let clip = Clip::new(sample_rate, channels.collect()).map_err(|e| e.to_string())?;
        let whole = Self {
            used: 0..frames,
            recording: Arc::new(Recording {
                clip,
                depth,
                scale,
                about_file: Vec::new(),
                flac: OnceLock::from(flac.to_vec()),
            }),
        };
        whole
            .with_used(packed.used.clone())
            .ok_or_else(|| format!("the capture's used part is {:?}", packed.used))
    }

    /// What is to be written. Compresses the recording if nobody has asked before: some tenths of a second.
    pub(crate) fn packed(&self) -> PackedCapture<'_> {
        let recording = &*self.recording;
        PackedCapture {
            flac: recording.flac.get_or_init(|| recording.compress()),
            scale: recording.scale,
            frames: recording.clip.len(),
            used: self.used.clone(),
        }
    }

    /// The whole recording.
    pub fn clip(&self) -> &Clip {
        &self.recording.clip
    }

    /// The part of it that a texture is learned from.
    pub fn used(&self) -> Clip {
        self.clip().frames(self.used.clone())
    }

    /// Where that part begins and ends, in seconds.
    pub fn used_s(&self) -> Range<f64> {
        let rate = f64::from(self.clip().sample_rate());
        self.used.start as f64 / rate..self.used.end as f64 / rate
    }

    /// What a user should know of the part that a texture is learned from; of the file that it comes from, while all
    /// of it is used.
    pub fn remarks(&self) -> Vec<Remark> {
        let mut remarks = self.used().remarks();
        if self.used == (0..self.clip().len()) {
            remarks.extend_from_slice(&self.recording.about_file);
        }
        remarks
    }

    /// The same recording with another part in use, in seconds, kept within it. `None` if nothing is left.
    #[must_use]
    pub fn trimmed(&self, used_s: Range<f64>) -> Option<Self> {
        let rate = f64::from(self.clip().sample_rate());
        // `as` saturates, and maps NaN to zero.
        let frame = |s: f64| ((s * rate).round() as usize).min(self.clip().len());
        self.with_used(frame(used_s.start)..frame(used_s.end))
    }

    /// Whether both are the same recording, in one piece of memory.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.recording, &other.recording)
    }

    fn with_used(&self, used: Range<usize>) -> Option<Self> {
        let fits = used.start < used.end && used.end <= self.clip().len();
        fits.then(|| Self {
            used,
            recording: self.recording.clone(),
        })
    }
}

impl PartialEq for Capture {
    fn eq(&self, other: &Self) -> bool {
        let same = Arc::ptr_eq(&self.recording, &other.recording);
        self.used == other.used && (same || self.clip() == other.clip())
    }
}

/// The whole number that stands for a sample; of a rounded sample, the same one again, for which the
/// precision of the samples would not do.
fn word(x: f32, depth: Depth, scale: f32) -> i32 {
    let full = f64::from(depth.full_scale());
    let word = (f64::from(x) / f64::from(scale) * full).round();
    word.clamp(-full, full - 1.0) as i32
}

impl Recording {
    fn compress(&self) -> Vec<u8> {
        let channels = self.clip.channels();
        let mut words = vec![0; self.clip.len() * channels.len()];
        for (c, channel) in channels.iter().enumerate() {
            let places = words[c..].iter_mut().step_by(channels.len());
            for (x, place) in channel.iter().zip(places) {
                *place = word(*x, self.depth, self.scale);
            }
        }
        let (count, rate) = (channels.len() as u32, self.clip.sample_rate());
        let config = EncoderConfig::new(count, self.depth.bits(), rate)
            .with_compression_level(COMPRESSION_LEVEL);
        Encoder::new(config).encode(&words)
    }
}

impl Clip {
    fn is_within_bits(&self, depth: Depth) -> bool {
        let full = depth.full_scale();
        self.channels()
            .iter()
            .flatten()
            .all(|x| (x * full).fract() == 0.0)
    }
}
