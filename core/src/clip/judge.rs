//! What is to be said of a capture before a texture is learned from it.

use std::fmt;

use super::{Clip, Image, MAX_READ_S};

/// So many equal samples in a row, at the recording's very top, are a clipped peak.
const CLIPPED_RUN: usize = 3;
/// Clipped peaks below this level come from somewhere else than full scale, and are no accident to tell of.
const CLIPPING_FROM: f32 = 0.25;
/// One clipped peak may be chance.
const CLIPPED_PEAKS: usize = 2;
/// Peak level in dBFS below which the noise of converters counts.
const QUIET_DBFS: f32 = -40.0;
/// Length in seconds below which a capture is short: fits of 1 and 1.5 s of a rain come 3 and 2 dB less near (in the
/// statistics of 40 s of it) than one of 3 s, which comes as near as one of 8 s; from 2 s on it is 1.5 dB.
const SHORT_S: f64 = 2.0;
/// Stretches that are looked at for silence, in seconds.
const STRETCH_S: f64 = 0.05;
/// Stretches so many dB below the loudest are silent.
const SILENT_BELOW_DB: f32 = 70.0;
/// Share of silence that is worth a word.
const SILENT_SHARE: f32 = 0.5;

/// Something that is not right with a capture, though a texture can be learned from it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Remark {
    /// Peaks are cut off.
    Clipped {
        /// How many of them.
        peaks: usize,
    },
    /// It is short: what happens seldom is hardly in it.
    Short {
        /// Its length in seconds.
        duration_s: f64,
    },
    /// The level is low.
    Quiet {
        /// Level of the loudest sample in dBFS.
        peak_dbfs: f32,
    },
    /// There is more silence than sound.
    MostlySilent {
        /// Its share, 0 to 1.
        share: f32,
    },
    /// One of its two sides is silent.
    OneSided {
        /// Whether it is the right one.
        right_is_silent: bool,
    },
    /// Its right side is all but the left one's negative.
    Inverted,
    /// The file has several parts that differ in shape, which were made one.
    Joined {
        /// Sample rate in Hz of the first part, and so of all.
        sample_rate_hz: u32,
        /// Whether they differ in that.
        rates_differ: bool,
        /// Whether they differ in their number of channels.
        channels_differ: bool,
    },
    /// The file goes on beyond [`MAX_READ_S`], and nothing of that is read.
    Cut,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clipped { peaks } => write!(
                f,
                "the capture is clipped in {peaks} places, which becomes part of the texture: lower its level \
                 and capture again"
            ),
            Self::Short { duration_s } => write!(
                f,
                "the capture is only {duration_s:.1} s long, and the texture knows no more: 4 to 10 s work best"
            ),
            Self::Quiet { peak_dbfs } => write!(
                f,
                "the capture is quiet ({peak_dbfs:.0} dBFS at most): its noise floor may be heard"
            ),
            Self::MostlySilent { share } => write!(
                f,
                "{:.0} % of the capture are silent: trim it if the texture has no such pauses",
                100.0 * share
            ),
            Self::OneSided { right_is_silent } => {
                let (silent, other) = match right_is_silent {
                    true => ("right", "left"),
                    false => ("left", "right"),
                };
                write!(
                    f,
                    "the {silent} side is silent: the texture is learned in mono and plays on the {other}"
                )
            }
            Self::Inverted => write!(
                f,
                "the right side is the left one inverted, and the texture's will be: in mono it can't be heard"
            ),
            Self::Joined {
                sample_rate_hz,
                rates_differ,
                channels_differ,
            } => {
                let rate = format!("{sample_rate_hz} Hz");
                let (what, how) = match (rates_differ, channels_differ) {
                    (true, true) => ("sample rates and channels", format!("{rate} and in stereo")),
                    (true, false) => ("sample rates", rate),
                    (false, _) => ("numbers of channels", format!("{rate} in stereo")),
                };
                write!(
                    f,
                    "the file is a chain of recordings with different {what}: all of it is taken at {how}"
                )
            }
            Self::Cut => write!(
                f,
                "the file goes on, but only its first {MAX_READ_S} s are read: cut another part out of it if you \
                 want that"
            ),
        }
    }
}

impl Clip {
    /// What a user should know of this clip before a texture is learned from it.
    pub fn remarks(&self) -> Vec<Remark> {
        let mut remarks = Vec::new();
        let peak = self.peak();
        let peaks: usize = self.channels().iter().map(|c| clipped_peaks(c, peak)).sum();
        if peak >= CLIPPING_FROM && peaks >= CLIPPED_PEAKS {
            remarks.push(Remark::Clipped { peaks });
        }
        let duration_s = self.duration_s();
        if duration_s < SHORT_S {
            remarks.push(Remark::Short { duration_s });
        }
        let peak_dbfs = 20.0 * peak.log10();
        if peak_dbfs < QUIET_DBFS {
            remarks.push(Remark::Quiet { peak_dbfs });
        }
        let share = self.silent_share();
        if share > SILENT_SHARE {
            remarks.push(Remark::MostlySilent { share });
        }
        let image = Image::of(&self.centred_channels());
        match image.silent_sides() {
            [false, false] if image == Image::INVERTED => remarks.push(Remark::Inverted),
            [false, false] => {}
            [_, right_is_silent] => remarks.push(Remark::OneSided { right_is_silent }),
        }
        remarks
    }

    /// Share of the stretches that are silent beside the loudest.
    fn silent_share(&self) -> f32 {
        let length = (STRETCH_S * f64::from(self.sample_rate())).round().max(1.0) as usize;
        let powers: Vec<f32> = (0..self.len() / length)
            .map(|i| {
                let part = i * length..(i + 1) * length;
                let channels = self.channels().iter();
                channels
                    .flat_map(|c| &c[part.clone()])
                    .map(|x| x * x)
                    .sum::<f32>()
            })
            .collect();
        let loudest = powers.iter().fold(0.0f32, |a, &b| a.max(b));
        let least = loudest * 10.0f32.powf(-SILENT_BELOW_DB / 10.0);
        let silent = powers.iter().filter(|p| **p <= least).count();
        silent as f32 / powers.len().max(1) as f32
    }
}

fn clipped_peaks(channel: &[f32], peak: f32) -> usize {
    let mut peaks = 0;
    let mut run = 0;
    let mut last = 0.0;
    for &x in channel {
        let goes_on = x == last && x.abs() >= 0.999 * peak;
        run = if goes_on { run + 1 } else { 1 };
        // Counted once, when it is long enough.
        peaks += usize::from(run == CLIPPED_RUN);
        last = x;
    }
    peaks
}
