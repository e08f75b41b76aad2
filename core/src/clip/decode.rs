//! Decoding of one part of a sound file: from its packets to runs of samples.

use std::io::{self, BufReader, Read};

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_OPUS, CODEC_ID_VORBIS};
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

use super::blocks::BlockDecoder;
use super::container::{Blocks, Layout, Trim};
use super::mix::StereoMix;
use super::opus::{self, OpusStream};
use super::stretches::Stretches;
use super::vorbis;
use super::{ClipError, MAX_DECODED_CHANNELS, check_sample_rate};

/// Packets that may fail to decode before a file is given up as damaged. Bounds the time spent on a
/// long file of garbage behind a good header.
const MAX_BAD_PACKETS: usize = 1_000;

/// Opens the data anew, at its start.
pub(super) type OpenSource<'a> = dyn Fn() -> io::Result<Box<dyn MediaSource + 'a>> + 'a;

/// Decodes one part of a file, as `layout` describes it, or all of the data. `most` is the longest that is
/// wanted of it, in seconds, and in frames if that is to be another length.
pub(super) fn decode_part<'a>(
    open: &OpenSource<'_>,
    layout: Option<&Layout>,
    extension: Option<&str>,
    name: &'a str,
    most: (f64, Option<usize>),
) -> Result<DecodedSound<'a>, ClipError> {
    if let Some((layout, blocks)) = layout.and_then(|layout| Some((layout, layout.blocks?))) {
        return decode_blocks(open, layout, blocks, name, most);
    }
    let not_audio = |error: SymphoniaError| ClipError::NotAudio {
        name: name.into(),
        reason: reason(&error),
    };
    let probed = match layout {
        Some(layout) => {
            let open = || -> io::Result<Box<dyn MediaSource + '_>> {
                Ok(Box::new(layout.window(open()?)))
            };
            probe(&open, Some(layout.extension))
        }
        None => probe(open, extension),
    };
    let mut format = probed.map_err(not_audio)?;
    let (track_id, mut decoder) = start_track(format.as_ref(), name)?;
    let counts_frames = counts_frames(format.as_ref());
    let trim = layout.map_or(Trim::default(), |layout| layout.trim);
    let mut sound = DecodedSound::new(name, most, trim);
    sound.skip_frames = decoder.skip_frames(format.as_ref(), &trim);
    let mut next_packet = || next_packet(format.as_mut(), track_id, &trim);
    while sound.wants_more() {
        let packet = match next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            Err(error) => {
                sound.damage = Some(reason(&error));
                break;
            }
        };
        if counts_frames {
            sound.follow(&packet);
        }
        let decoded = decoder.decode(&packet, &mut sound.planes);
        sound.take(decoded)?;
    }
    if sound.is_cut.is_none() {
        sound.is_cut = Some(matches!(next_packet(), Ok(Some(_))));
    }
    Ok(sound)
}

/// The same for a part that we decode ourselves, which knows its sample rate and channels.
fn decode_blocks<'a>(
    open: &OpenSource<'_>,
    layout: &Layout,
    blocks: Blocks,
    name: &'a str,
    most: (f64, Option<usize>),
) -> Result<DecodedSound<'a>, ClipError> {
    let mut sound = DecodedSound::new(name, most, layout.trim);
    let mut decoder = BlockDecoder::new(blocks);
    let mut block = vec![0; blocks.bytes() as usize];
    let source = open().map(|source| BufReader::new(layout.window(source)));
    let mut source = source.map_err(|error| ClipError::NotAudio {
        name: name.into(),
        reason: error.to_string(),
    })?;
    while sound.wants_more() {
        match source.read_exact(&mut block) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => {
                sound.damage = Some(error.to_string());
                break;
            }
        }
        let decoded = decoder.decode(&block, &mut sound.planes);
        sound.take(decoded)?;
    }
    if sound.is_cut.is_none() {
        sound.is_cut = Some(source.read_exact(&mut block).is_ok());
    }
    Ok(sound)
}

/// The next packet of a track, or `None` behind the last one that is its sound.
fn next_packet(
    format: &mut dyn FormatReader,
    track_id: u32,
    trim: &Trim,
) -> Result<Option<Packet>, SymphoniaError> {
    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            // What a chain holds further on is a part of its own.
            Ok(None) | Err(SymphoniaError::ResetRequired) => return Ok(None),
            Err(error) => return Err(error),
        };
        if packet.track_id != track_id {
            continue;
        }
        let is_behind = trim
            .end_timestamp
            .is_some_and(|end| packet.pts.get() >= end);
        return Ok((!is_behind).then_some(packet));
    }
}

/// Whether time stamps count frames. Where they count coarser units, such as milliseconds, they tell of no gap.
fn counts_frames(format: &dyn FormatReader) -> bool {
    let track = format.default_track(TrackType::Audio);
    track.is_none_or(|track| {
        let parameters = track.codec_params.as_ref().and_then(|all| all.audio());
        let rate = parameters.and_then(|parameters| parameters.sample_rate);
        match (track.time_base, rate) {
            (Some(base), Some(rate)) => {
                u64::from(base.denom.get()) >= u64::from(base.numer.get()) * u64::from(rate)
            }
            _ => true,
        }
    })
}

/// The number of the track that is to be decoded, and a decoder for it.
fn start_track(format: &dyn FormatReader, name: &str) -> Result<(u32, TrackDecoder), ClipError> {
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
    if parameters.codec == CODEC_ID_OPUS {
        let header = parameters.extra_data.as_deref().unwrap_or_default();
        let channels = parameters.channels.as_ref().map_or(1, Channels::count);
        let stream = OpusStream::new(header, channels).map_err(not_audio)?;
        return Ok((track.id, TrackDecoder::Opus(Box::new(stream))));
    }
    let mut parameters = parameters.clone();
    if parameters.codec == CODEC_ID_VORBIS {
        let headers = parameters.extra_data.take();
        let turned = vorbis::with_steps_turned_round(headers.as_deref().unwrap_or_default());
        let turned = turned.map_err(|reason| not_audio(reason.into()))?;
        parameters.extra_data = turned.or(headers);
    }
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(&parameters, &AudioDecoderOptions::default())
        .map_err(|error| {
            not_audio(match error {
                SymphoniaError::Unsupported(_) => {
                    "its sound is stored in a way that Weft can't decode".into()
                }
                error => reason(&error),
            })
        })?;
    Ok((track.id, TrackDecoder::Library(decoder)))
}

/// What decodes a track.
enum TrackDecoder {
    Library(Box<dyn AudioDecoder>),
    Opus(Box<OpusStream>),
}

impl TrackDecoder {
    /// Frames before the sound, where no decoder leaves them out and no edit of the container counts them.
    fn skip_frames(&self, format: &dyn FormatReader, trim: &Trim) -> Option<u64> {
        let track = format.default_track(TrackType::Audio);
        match self {
            Self::Opus(stream) if trim.skip == 0 => {
                let delay = track.and_then(|track| track.delay).map(u64::from);
                delay.or(stream.pre_skip)
            }
            _ => None,
        }
    }

    /// Decodes a packet into `planes`; returns the sample rate in Hz and what the channels are.
    fn decode(
        &mut self,
        packet: &Packet,
        planes: &mut Vec<Vec<f32>>,
    ) -> Result<(u32, Channels), String> {
        match self {
            Self::Library(decoder) => {
                let decoded = decoder.decode(packet).map_err(|error| reason(&error))?;
                if decoded.frames() == 0 {
                    planes.clear();
                } else {
                    decoded.copy_to_vecs_planar(planes);
                }
                let spec = decoded.spec();
                Ok((spec.rate(), spec.channels().clone()))
            }
            Self::Opus(stream) => {
                stream.decode(&packet.data, planes)?;
                let trims = [packet.trim_start.get(), packet.trim_end.get()];
                for plane in planes.iter_mut() {
                    let [start, end] = trims.map(|trim| plane.len().min(trim as usize));
                    plane.truncate(plane.len() - end);
                    plane.drain(..start.min(plane.len()));
                }
                Ok((opus::RATE_HZ, stream.positions()))
            }
        }
    }
}

/// What was decoded of a part so far.
pub(super) struct DecodedSound<'a> {
    /// The file's name, for errors.
    name: &'a str,
    /// Most seconds that are wanted, and most frames if they are another number.
    most: (f64, Option<usize>),
    trim: Trim,
    /// Frames that are yet to be left out, once they are known.
    skip_frames: Option<u64>,
    pub(super) stretches: Stretches,
    /// Sample rate in Hz, once it is known.
    pub(super) sample_rate: Option<u32>,
    /// Whether nothing was missing before the first sample.
    pub(super) begins_whole: bool,
    mix: Option<StereoMix>,
    planes: Vec<Vec<f32>>,
    bad_packets: usize,
    /// What was wrong last.
    pub(super) damage: Option<String>,
    /// Time stamp at which the next packet follows without a gap.
    next_timestamp: Option<Timestamp>,
    is_full: bool,
    /// Whether there is more sound than was wanted, once that is known.
    pub(super) is_cut: Option<bool>,
}

impl<'a> DecodedSound<'a> {
    fn new(name: &'a str, most: (f64, Option<usize>), trim: Trim) -> Self {
        Self {
            name,
            most,
            trim,
            skip_frames: None,
            stretches: Stretches::default(),
            sample_rate: None,
            begins_whole: true,
            mix: None,
            planes: Vec::new(),
            bad_packets: 0,
            damage: None,
            next_timestamp: None,
            is_full: false,
            is_cut: Some(false),
        }
    }

    /// Channels before they are mixed to two, once they are known.
    pub(super) fn channels(&self) -> Option<usize> {
        self.mix.as_ref().map(StereoMix::input_channels)
    }

    /// Whether more of the file is to be decoded.
    fn wants_more(&self) -> bool {
        !self.is_full && self.bad_packets < MAX_BAD_PACKETS
    }

    /// Something is missing here.
    fn leave_gap(&mut self, reason: String) {
        self.bad_packets += 1;
        self.damage = Some(reason);
        self.begins_whole &= self.stretches.frames_read() > 0;
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
        let end = packet.pts.saturating_add(packet.trim_start);
        self.next_timestamp = Some(end.saturating_add(packet.dur));
    }

    /// Takes what a packet held and is now in `planes`: sample rate in Hz and what the channels are, or what is
    /// wrong with it.
    fn take(&mut self, decoded: Result<(u32, Channels), String>) -> Result<(), ClipError> {
        let (sample_rate, channels) = match decoded {
            Ok(spec) => spec,
            Err(reason) => {
                self.leave_gap(reason);
                return Ok(());
            }
        };
        if self.planes.first().is_none_or(Vec::is_empty) {
            return Ok(());
        }
        let known_rate = *self.sample_rate.get_or_insert(sample_rate);
        let mix = match &self.mix {
            Some(mix) => mix,
            None => {
                check_sample_rate(sample_rate)?;
                check_channel_count(channels.count(), self.name)?;
                self.mix.insert(StereoMix::new(&channels))
            }
        };
        if sample_rate != known_rate || channels.count() != mix.input_channels() {
            self.leave_gap("its sample rate or number of channels changes midway".into());
            return Ok(());
        }
        let trim = &self.trim;
        let skip = self
            .skip_frames
            .get_or_insert_with(|| trim.frames(trim.skip, sample_rate));
        let skipped = (*skip).min(self.planes[0].len() as u64);
        *skip -= skipped;
        for plane in &mut self.planes {
            plane.drain(..skipped as usize);
        }
        self.stretches.append(mix, &self.planes);
        self.limit(sample_rate);
        Ok(())
    }

    /// Cuts off what is beyond the sound, or more than is wanted.
    fn limit(&mut self, sample_rate: u32) {
        let (seconds, frames) = self.most;
        let wanted = frames.unwrap_or((seconds * f64::from(sample_rate)) as usize);
        let length = self.trim.length;
        let length = length.map_or(u64::MAX, |length| self.trim.frames(length, sample_rate));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let limit = wanted.min(length);
        let read = self.stretches.frames_read();
        if read >= limit {
            self.stretches.truncate(limit);
            self.is_full = true;
            // Where it ends with a packet, the next one tells.
            self.is_cut = match wanted < length {
                true => (read > limit).then_some(true),
                false => Some(false),
            };
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

/// Fails for more channels than are worth mixing down.
pub(super) fn check_channel_count(channels: usize, name: &str) -> Result<(), ClipError> {
    if channels > MAX_DECODED_CHANNELS {
        return Err(ClipError::TooManyChannels {
            name: name.into(),
            channels,
        });
    }
    Ok(())
}
