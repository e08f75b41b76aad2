//! Decoding of sound files.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use symphonia::core::io::MediaSource;

use super::container::{Broken, Layout};
use super::decode::{OpenSource, check_channel_count, decode_part};
use super::stretches::Chain;
use super::{Clip, ClipError, MAX_READ_S, MIN_CAPTURE_S, Remark, check_sample_rate};

/// Most that is taken from a pipe, in bytes: [`MAX_READ_S`] in stereo of 64 bits at the highest sample rate.
const MOST_PIPED_BYTES: u64 = 192 << 20;

/// File name extensions of the sound files that are read, in lower case.
pub const SOUND_EXTENSIONS: [&str; 34] = [
    "wav", "wave", "bwf", "rf64", "w64", "aif", "aiff", "aifc", "caf", "flac", "ogg", "oga",
    "opus", "mp3", "mp2", "m4a", "m4b", "mp4", "mov", "aac", "au", "snd", "webm", "mka", "voc",
    "sph", "nist", "sf", "avr", "paf", "8svx", "svx", "pvf", "sds",
];

/// What was read from a sound file.
#[derive(Clone, Debug, PartialEq)]
pub struct SoundFile {
    /// The sound.
    pub clip: Clip,
    /// What is to be said of the file, rather than of its sound.
    about_file: Vec<Remark>,
}

impl SoundFile {
    /// Reads a sound file: WAV (with RF64, BW64, RIFX and W64), AIFF, CAF, AU, FLAC, OGG (Vorbis, FLAC, Opus),
    /// MP3 and MP2, M4A and other MP4 and MOV (AAC, ALAC, plain samples), WebM, or an old one (VOC, SPHERE, IRCAM,
    /// AVR, PAF, PVF, 8SVX, MIDI sample dumps), known by its content.
    ///
    /// What a file's header says of its own length is believed as far as the sound that is there bears it
    /// out, and descriptions that Weft has no use for are passed over, damaged or not.
    ///
    /// A chain of OGG streams is one recording, at the sample rate of its first part and in stereo if any part
    /// is. Frames that an encoder has put before or behind the sound are left out, as far as the file tells.
    ///
    /// At most [`MAX_READ_S`] from its start are decoded. Mono and stereo are kept as they are; more
    /// channels are mixed to stereo by their speaker positions: left and right ones at full level to
    /// their side if in front, -3 dB if not, centre ones -3 dB to both sides, low-frequency effects
    /// left out, and all scaled so that full-scale input can't clip. Channels without positions go to
    /// left and right in turn.
    ///
    /// Of a damaged or cut-off file the longest stretch without a gap is kept, if it is at least
    /// [`MIN_CAPTURE_S`] long.
    ///
    /// # Errors
    ///
    /// If the file can't be opened, is not such a sound file, holds no or too little intact sound,
    /// or has a sample rate outside [`SAMPLE_RATES_HZ`](super::SAMPLE_RATES_HZ). Corrupt data never
    /// panics.
    pub fn read(path: &Path) -> Result<Self, ClipError> {
        let open_error = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => ClipError::NotFound {
                path: path.to_path_buf(),
            },
            _ => ClipError::Open {
                path: path.to_path_buf(),
                source,
            },
        };
        let name = format!("{path:?}");
        let file = File::open(path).map_err(open_error)?;
        let metadata = file.metadata().map_err(open_error)?;
        if metadata.is_dir() {
            return Err(ClipError::Directory {
                path: path.to_path_buf(),
            });
        }
        if metadata.is_file() && metadata.len() == 0 {
            return Err(ClipError::Empty { name });
        }
        let extension = path.extension().and_then(|extension| extension.to_str());
        if !metadata.is_file() {
            // A pipe gives its data once, and can't be opened anew.
            let mut bytes = Vec::new();
            file.take(MOST_PIPED_BYTES)
                .read_to_end(&mut bytes)
                .map_err(open_error)?;
            if bytes.is_empty() {
                return Err(ClipError::Empty { name });
            }
            let open =
                || -> io::Result<Box<dyn MediaSource + '_>> { Ok(Box::new(Cursor::new(&bytes))) };
            return decode_guarded(&open, extension, &name, None);
        }
        drop(file);
        let open = || -> io::Result<Box<dyn MediaSource>> { Ok(Box::new(File::open(path)?)) };
        decode_guarded(&open, extension, &name, None)
    }

    /// Reads a sound file that is already in memory, as [`read`](Self::read) does. `extension` is the
    /// file name's extension, a hint that may be wrong or missing.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), but for the opening.
    pub fn read_bytes(bytes: &[u8], extension: Option<&str>) -> Result<Self, ClipError> {
        let name = "the audio data";
        if bytes.is_empty() {
            return Err(ClipError::Empty { name: name.into() });
        }
        decode_guarded(&|| Ok(Box::new(Cursor::new(bytes))), extension, name, None)
    }

    /// What a user should know before a texture is learned from it: of the sound, and then of the file.
    pub fn remarks(&self) -> Vec<Remark> {
        [self.clip.remarks(), self.about_file.clone()].concat()
    }

    /// What is to be said of the file, rather than of its sound: that there is more of it, or what it was made of.
    pub fn about_file(&self) -> &[Remark] {
        &self.about_file
    }
}

impl From<Clip> for SoundFile {
    /// A clip that comes from no file.
    fn from(clip: Clip) -> Self {
        Self {
            clip,
            about_file: Vec::new(),
        }
    }
}

impl Clip {
    /// Reads the sound of a file, as [`SoundFile::read`] does.
    ///
    /// # Errors
    ///
    /// As [`SoundFile::read`].
    pub fn read(path: &Path) -> Result<Self, ClipError> {
        SoundFile::read(path).map(|file| file.clip)
    }

    /// Reads the sound of a file that is already in memory, as [`SoundFile::read_bytes`] does.
    ///
    /// # Errors
    ///
    /// As [`SoundFile::read_bytes`].
    pub fn read_bytes(bytes: &[u8], extension: Option<&str>) -> Result<Self, ClipError> {
        SoundFile::read_bytes(bytes, extension).map(|file| file.clip)
    }

    /// The first `max_frames` frames of a file at most.
    pub(super) fn read_start(path: &Path, max_frames: usize) -> Result<Self, ClipError> {
        let open = || -> io::Result<Box<dyn MediaSource>> { Ok(Box::new(File::open(path)?)) };
        let name = format!("{path:?}");
        decode_guarded(&open, Some("wav"), &name, Some(max_frames)).map(|file| file.clip)
    }

    /// Decodes a FLAC stream of at most `max_frames` frames, whatever sample rate it claims.
    pub(super) fn read_flac(bytes: &[u8], max_frames: usize) -> Result<Self, ClipError> {
        decode_guarded(
            &|| Ok(Box::new(Cursor::new(bytes))),
            Some("flac"),
            "the recording",
            Some(max_frames),
        )
        .map(|file| file.clip)
    }
}

/// [`decode`], with a panic in a decoder turned into an error: the data comes from anywhere, and a
/// plugin must not take its host down with it.
fn decode_guarded(
    open: &OpenSource<'_>,
    extension: Option<&str>,
    name: &str,
    max_frames: Option<usize>,
) -> Result<SoundFile, ClipError> {
    let decode = || decode(open, extension, name, max_frames);
    panic::catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        Err(ClipError::NotAudio {
            name: name.into(),
            reason: "its decoder failed on corrupt data".into(),
        })
    })
}

/// Decodes the parts of a file, `max_frames` at most in all or [`MAX_READ_S`], and joins them.
fn decode(
    open: &OpenSource<'_>,
    extension: Option<&str>,
    name: &str,
    max_frames: Option<usize>,
) -> Result<SoundFile, ClipError> {
    let layouts = find_layouts(open, name)?;
    let mut chain = Chain::default();
    // Why a part could not be read; the first such reason is the one that is told.
    let (mut failed, mut damage) = (None, None);
    let mut is_cut = false;
    let parts = match layouts.is_empty() {
        true => vec![None],
        false => layouts.iter().map(Some).collect(),
    };
    for layout in parts {
        let left_s = MAX_READ_S - chain.duration_s();
        if left_s <= 0.0 {
            is_cut = true;
            break;
        }
        let sound = match decode_part(open, layout, extension, name, (left_s, max_frames)) {
            Ok(sound) => sound,
            Err(error) => {
                chain.leave_gap();
                failed.get_or_insert(error);
                continue;
            }
        };
        is_cut |= sound.is_cut == Some(true);
        if let (Some(sample_rate), Some(channels)) = (sound.sample_rate, sound.channels()) {
            let shape = (sample_rate, channels);
            chain.append(shape, sound.stretches, sound.begins_whole)?;
        }
        damage = damage.or(sound.damage);
    }
    let damaged = |duration_s, reason| ClipError::Damaged {
        name: name.into(),
        duration_s,
        reason,
    };
    match (chain.into_longest()?, damage, failed) {
        (None, None, Some(error)) => Err(error),
        (None, None, None) => Err(ClipError::NoSamples { name: name.into() }),
        (None, Some(reason), _) => Err(damaged(0.0, reason)),
        (Some((clip, _)), Some(reason), _) if clip.duration_s() < MIN_CAPTURE_S => {
            Err(damaged(clip.duration_s(), reason))
        }
        (Some((clip, joined)), ..) => Ok(SoundFile {
            clip,
            about_file: joined
                .into_iter()
                .chain(is_cut.then_some(Remark::Cut))
                .collect(),
        }),
    }
}

/// Where the sound lies, in a container that is read here before a decoder sees it: the parts that follow each
/// other. Headers are checked before decoding where they tell, so that no decoder is run for nothing.
fn find_layouts(open: &OpenSource<'_>, name: &str) -> Result<Vec<Layout>, ClipError> {
    let not_audio = |reason: String| ClipError::NotAudio {
        name: name.into(),
        reason,
    };
    let mut source = open().map_err(|error| not_audio(error.to_string()))?;
    if !source.is_seekable() {
        return Ok(Vec::new());
    }
    let layouts = Layout::find(source.as_mut()).map_err(|broken| match broken {
        Broken::NoSound { .. } => ClipError::NoSamples { name: name.into() },
        broken => not_audio(broken.to_string()),
    })?;
    for layout in &layouts {
        layout.sample_rate.map_or(Ok(()), check_sample_rate)?;
        let channels = layout.channels.map_or(0, usize::from);
        check_channel_count(channels, name)?;
    }
    Ok(layouts)
}
