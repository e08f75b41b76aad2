//! Decoding of sound files.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{
    MediaSource, MediaSourceStream, MediaSourceStreamOptions, ReadOnlySource,
};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::core::units::Timestamp;

use super::container::{Broken, Layout};
use super::mix::StereoMix;
use super::stretches::Stretches;
use super::{Clip, ClipError, MAX_DECODED_CHANNELS, MAX_READ_S, MIN_CAPTURE_S, check_sample_rate};

/// Packets that may fail to decode before a file is given up as damaged. Bounds the time spent on a
/// long file of garbage behind a good header.
const MAX_BAD_PACKETS: usize = 1_000;

/// Most that is taken from a pipe, in bytes: [`MAX_READ_S`] in stereo of 64 bits at the highest sample rate.
const MOST_PIPED_BYTES: u64 = 192 << 20;

impl Clip {
    /// Reads a sound file: WAV (with RF64, BW64, RIFX and W64), AIFF, CAF, FLAC, OGG Vorbis, MP3 or
    /// M4A (AAC, ALAC), known by its content.
    ///
    /// What a file's header says of its own length is believed as far as the sound that is there bears it
    /// out, and descriptions that Weft has no use for are passed over, damaged or not.
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

    /// Reads a sound file that is already in memory, as [`Clip::read`] does. `extension` is the
    /// file name's extension, a hint that may be wrong or missing.
    ///
    /// # Errors
    ///
    /// As [`Clip::read`], but for the opening.
    pub fn read_bytes(bytes: &[u8], extension: Option<&str>) -> Result<Self, ClipError> {
        let name = "the audio data";
        if bytes.is_empty() {
            return Err(ClipError::Empty { name: name.into() });
        }
        decode_guarded(&|| Ok(Box::new(Cursor::new(bytes))), extension, name, None)
    }

    /// The first `max_frames` frames of a file at most.
    pub(super) fn read_start(path: &Path, max_frames: usize) -> Result<Self, ClipError> {
        let open = || -> io::Result<Box<dyn MediaSource>> { Ok(Box::new(File::open(path)?)) };
        decode_guarded(&open, Some("wav"), &format!("{path:?}"), Some(max_frames))
    }

    /// Decodes a FLAC stream of at most `max_frames` frames, whatever sample rate it claims.
    pub(super) fn read_flac(bytes: &[u8], max_frames: usize) -> Result<Self, ClipError> {
        decode_guarded(
            &|| Ok(Box::new(Cursor::new(bytes))),
            Some("flac"),
            "the recording",
            Some(max_frames),
        )
    }
}

/// Opens the data anew, at its start.
type OpenSource<'a> = dyn Fn() -> io::Result<Box<dyn MediaSource + 'a>> + 'a;

/// [`decode`], with a panic in a decoder turned into an error: the data comes from anywhere, and a
/// plugin must not take its host down with it.
fn decode_guarded(
    open: &OpenSource<'_>,
    extension: Option<&str>,
    name: &str,
    max_frames: Option<usize>,
) -> Result<Clip, ClipError> {
    let decode = || decode(open, extension, name, max_frames);
    panic::catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        Err(ClipError::NotAudio {
            name: name.into(),
            reason: "its decoder failed on corrupt data".into(),
        })
    })
}

/// Decodes `max_frames` at most, or [`MAX_READ_S`].
fn decode(
    open: &OpenSource<'_>,
    extension: Option<&str>,
    name: &str,
    max_frames: Option<usize>,
) -> Result<Clip, ClipError> {
    let not_audio = |error: SymphoniaError| ClipError::NotAudio {
        name: name.into(),
        reason: reason(&error),
    };
    let layout = find_layout(open, name)?;
    let probed = match &layout {
        Some(layout) => {
            let open = || -> io::Result<Box<dyn MediaSource + '_>> {
                Ok(Box::new(layout.window(open()?)))
            };
            probe(&open, Some(layout.extension))
        }
        None => probe(open, extension),
    };
    let mut format = probed.map_err(not_audio)?;
    let (mut track_id, mut decoder) = start_track(format.as_ref(), name)?;

    let mut sound = DecodedSound::new(name, max_frames);
    while sound.wants_more() {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            // A chained stream begins anew, and goes on where the last one ended.
            Err(SymphoniaError::ResetRequired) => match start_track(format.as_ref(), name) {
                Ok(next) => {
                    (track_id, decoder) = next;
                    sound.next_timestamp = None;
                    continue;
                }
                // What was read before it stands.
                Err(_) => break,
            },
            Err(error) => {
                sound.damage = Some(reason(&error));
                break;
            }
        };
        if packet.track_id != track_id {
            continue;
        }
        sound.follow(&packet);
        match decoder.decode(&packet) {
            Ok(decoded) => sound.append(&decoded)?,
            Err(error) => sound.leave_gap(reason(&error)),
        }
    }
    sound.into_clip()
}

/// Where the sound lies, in a container that is read here before a decoder sees it. Headers are checked before
/// decoding where they tell, so that no decoder is run for nothing.
fn find_layout(open: &OpenSource<'_>, name: &str) -> Result<Option<Layout>, ClipError> {
    let not_audio = |reason: String| ClipError::NotAudio {
        name: name.into(),
        reason,
    };
    let mut source = open().map_err(|error| not_audio(error.to_string()))?;
    if !source.is_seekable() {
        return Ok(None);
    }
    let layout = Layout::find(source.as_mut()).map_err(|broken| match broken {
        Broken::NoSound { .. } => ClipError::NoSamples { name: name.into() },
        broken => not_audio(broken.to_string()),
    })?;
    if let Some(layout) = &layout {
        layout.sample_rate.map_or(Ok(()), check_sample_rate)?;
        let channels = layout.channels.map_or(0, usize::from);
        check_channel_count(channels, name)?;
    }
    Ok(layout)
}

/// The number of the track that is to be decoded, and a decoder for it.
fn start_track(
    format: &dyn FormatReader,
    name: &str,
) -> Result<(u32, Box<dyn AudioDecoder>), ClipError> {
    let not_audio = |reason: String| ClipError::NotAudio {
        name: name.into(),
        reason,
    };
    let track = format
        .default_track(TrackType::Audio)
        .ok_or_else(|| not_audio("it has no audio track".into()))?;
    let parameters = track.codec_params.as_ref();
    let parameters = parameters
        .and_then(|parameters| parameters.audio())
        .ok_or_else(|| not_audio("its audio track names no codec".into()))?;
    if let Some(sample_rate) = parameters.sample_rate {
        check_sample_rate(sample_rate)?;
    }
    if let Some(channels) = &parameters.channels {
        check_channel_count(channels.count(), name)?;
    }
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| not_audio(reason(&error)))?;
    Ok((track.id, decoder))
}

/// What was decoded of a file so far.
struct DecodedSound<'a> {
    /// The file's name, for errors.
    name: &'a str,
    max_frames: Option<usize>,
    stretches: Stretches,
    /// Sample rate in Hz and the way to stereo, once they are known.
    layout: Option<(u32, StereoMix)>,
    planes: Vec<Vec<f32>>,
    bad_packets: usize,
    /// What was wrong last.
    damage: Option<String>,
    /// Time stamp at which the next packet follows without a gap.
    next_timestamp: Option<Timestamp>,
    is_full: bool,
}

impl<'a> DecodedSound<'a> {
    fn new(name: &'a str, max_frames: Option<usize>) -> Self {
        Self {
            name,
            max_frames,
            stretches: Stretches::default(),
            layout: None,
            planes: Vec::new(),
            bad_packets: 0,
            damage: None,
            next_timestamp: None,
            is_full: false,
        }
    }

    /// Whether more of the file is to be decoded.
    fn wants_more(&self) -> bool {
        !self.is_full && self.bad_packets < MAX_BAD_PACKETS
    }

    /// Something is missing here.
    fn leave_gap(&mut self, reason: String) {
        self.bad_packets += 1;
        self.damage = Some(reason);
        self.stretches.end_stretch();
    }

    /// Looks whether a packet follows the last one. Readers skip what they don't recognise, and only the time
    /// stamps tell.
    fn follow(&mut self, packet: &Packet) {
        if self
            .next_timestamp
            .is_some_and(|expected| packet.pts > expected)
        {
            self.leave_gap("a part of it is missing".into());
        }
        self.next_timestamp = Some(packet.pts.saturating_add(packet.dur));
    }

    /// Takes what a packet held.
    fn append(&mut self, decoded: &GenericAudioBufferRef<'_>) -> Result<(), ClipError> {
        if decoded.frames() == 0 {
            return Ok(());
        }
        let spec = decoded.spec();
        let (sample_rate, mix) = match &self.layout {
            Some(layout) => layout,
            None => {
                check_sample_rate(spec.rate())?;
                check_channel_count(spec.channels().count(), self.name)?;
                self.layout
                    .insert((spec.rate(), StereoMix::new(spec.channels())))
            }
        };
        if spec.rate() != *sample_rate || spec.channels().count() != mix.input_channels() {
            self.leave_gap("its sample rate or number of channels changes midway".into());
            return Ok(());
        }
        decoded.copy_to_vecs_planar(&mut self.planes);
        self.stretches.append(mix, &self.planes);
        let limit = (MAX_READ_S * f64::from(*sample_rate)) as usize;
        let limit = self.max_frames.unwrap_or(limit);
        if self.stretches.frames_read() >= limit {
            self.stretches.truncate(limit);
            self.is_full = true;
        }
        Ok(())
    }

    /// The longest stretch without a gap.
    fn into_clip(self) -> Result<Clip, ClipError> {
        let name = self.name;
        let damaged = |duration_s, reason| ClipError::Damaged {
            name: name.into(),
            duration_s,
            reason,
        };
        let Some((sample_rate, _)) = self.layout else {
            return Err(match self.damage {
                Some(reason) => damaged(0.0, reason),
                None => ClipError::NoSamples { name: name.into() },
            });
        };
        let clip = Clip::new(sample_rate, self.stretches.into_longest())?;
        match self.damage {
            Some(reason) if clip.duration_s() < MIN_CAPTURE_S => {
                Err(damaged(clip.duration_s(), reason))
            }
            _ => Ok(clip),
        }
    }
}

/// Finds out what the data is, and reads its headers.
fn probe<'a>(
    open: &OpenSource<'a>,
    extension: Option<&str>,
) -> Result<Box<dyn FormatReader + 'a>, SymphoniaError> {
    let mut hint = Hint::new();
    if let Some(extension) = extension {
        hint.with_extension(extension);
    }
    let probe = |source| {
        symphonia::default::get_probe().probe(
            &hint,
            MediaSourceStream::new(source, MediaSourceStreamOptions::default()),
            FormatOptions::default(),
            MetadataOptions::default(),
        )
    };
    match probe(open()?) {
        // Some readers skip over the samples first, to look for chunks behind them, and fail where
        // the file is cut off within. From a source that can't seek they take the samples at once.
        Err(SymphoniaError::IoError(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
            probe(Box::new(ReadOnlySource::new(open()?)))
        }
        result => result,
    }
}

/// What a decoder's error means to someone who has only the file.
fn reason(error: &SymphoniaError) -> String {
    match error {
        SymphoniaError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the data ends too early".into()
        }
        SymphoniaError::IoError(error) => error.to_string(),
        SymphoniaError::Unsupported(_) => "no known sound format was found in it".into(),
        other => other.to_string(),
    }
}

fn check_channel_count(channels: usize, name: &str) -> Result<(), ClipError> {
    if channels > MAX_DECODED_CHANNELS {
        return Err(ClipError::TooManyChannels {
            name: name.into(),
            channels,
        });
    }
    Ok(())
}
