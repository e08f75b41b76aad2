//! Scores of a texture against the recording that it was made from: how near it comes, how much it copies,
//! how much it repeats and drifts.
//!
//! A [`Recording`] is a sound made ready, [`score`] compares two. What nature itself would score is the
//! second [half](Recording::halves) of the recording against the first.
//!
//! The filters behind [`Scores::gram`] and the places behind [`Scores::copying_100_ms`] and
//! [`Scores::repetition_250_ms`] are random: they are the same for the same seed, and other programs agree
//! within the spread over seeds. Everything else is exact.

mod autocorrelation;
mod copying;
mod discriminate;
mod diversity;
mod drift;
mod frechet;
mod gram;
mod recording;
mod resample;
mod spectrogram;
mod statistics;

pub use discriminate::{Discrimination, discriminate};
pub use recording::Recording;
pub use statistics::StatisticsSnr;

use serde::Serialize;
use thiserror::Error;

use crate::clip::{ClipError, SILENCE_DBFS};
use crate::numeric::random::Sequence;
use crate::numeric::threads::Threads;

/// Shortest sound that is scored, in seconds: the longest lag that is looked at, and the period of the
/// slowest modulation.
pub const MIN_SCORED_S: f64 = 2.0;

/// Sample rate at which all figures are taken, in Hz.
const SAMPLE_RATE: u32 = 16_000;
/// Of a synthesis, the Gram matrices see as many times the reference's length.
const GRAM_LENGTHS: usize = 4;
/// Length of the snippets that are looked for in the reference, in seconds.
const COPYING_S: f64 = 0.1;
/// Length of the snippets that are looked for in the other half of the synthesis, in seconds.
const REPETITION_S: f64 = 0.25;
/// Random numbers for snippets; the networks count from zero.
const COPYING_STREAM: u64 = 100;
const REPETITION_STREAM: u64 = 101;

/// How scores are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScoreSettings {
    /// Seed of the random filters and places.
    pub seed: u64,
    /// Threads to work with; 0 for one per core. The scores are the same with any number.
    pub threads: usize,
}

/// Why a sound can't be scored.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScoreError {
    /// The sound is unusable.
    #[error(transparent)]
    Clip(#[from] ClipError),
    /// Too little sound to compare.
    #[error(
        "the audio is {duration_s:.3} s long, and {least_s} s are needed for a score: \
         use a longer stretch"
    )]
    TooShort {
        /// Its length in seconds.
        duration_s: f64,
        /// The length needed, in seconds.
        least_s: f64,
    },
    /// A sound that cancels in the mono mix, or lies above what is scored.
    #[error(
        "mixed to mono and below 8 kHz the audio is silent (peak {peak_dbfs:.1} dBFS, below \
         {SILENCE_DBFS} dBFS): check the polarity of its channels, or score one of them"
    )]
    Silent {
        /// Level of the loudest sample in dBFS, negative infinity for digital silence.
        peak_dbfs: f64,
    },
    /// A recording of which one half is silent.
    #[error(
        "the {half} half of the audio is silent ({level_db:.1} dB against the whole): \
         cut the silence off"
    )]
    SilentHalf {
        /// Which half: "first" or "second".
        half: &'static str,
        /// Its RMS level against the whole recording's, in dB.
        level_db: f64,
    },
    /// A reference that is silent or constant for most of its length.
    #[error(
        "{figure} has no value ({value}): the reference is silent or never changes for most of its \
         length; use a stretch that sounds throughout"
    )]
    Undefined {
        /// Name of the figure.
        figure: &'static str,
        /// What came out.
        value: f64,
    },
}

/// How near a synthesis comes to a reference. Serialised, the fields have the names of
/// [`figures`](Self::figures).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// Distance of the Gram matrices of six random convolutional networks over log spectrograms, as a part
    /// of the reference's energy; from 0, lower is better (Antognini, Hoffman & Weiss 2019, eq. 4).
    pub gram: f64,
    /// Distance of the spectrograms' autocorrelations at lags of 0.2 to 2 s, as a part of the reference's
    /// energy: rhythm; from 0, lower is better (Antognini, Hoffman & Weiss 2019, eq. 6 and Table I). Of the
    /// synthesis, as much as the reference is long counts.
    #[serde(rename = "autoc")]
    pub autocorrelation: f64,
    /// Mean of [`statistics`](Self::statistics) in dB; higher is better.
    #[serde(rename = "stat_snr")]
    pub statistics_snr_db: f64,
    /// Fréchet distance between 80 ms stretches of log mel spectrograms, per dimension, in squared nepers of
    /// power; from 0, lower is better (after Kilgour et al. 2019).
    #[serde(rename = "fmel")]
    pub frechet_mel: f64,
    /// Mean best correlation of 100 ms snippets with the reference, 0 to 1; lower is better, and a copy
    /// reaches 1. What is no copy yet depends on the sound: the second half of a recording of rain scores
    /// 0.1, that of a helicopter 0.8.
    #[serde(rename = "copy100")]
    pub copying_100_ms: f64,
    /// Mean best correlation of 250 ms snippets of the second half of the synthesis with the first, 0 to 1;
    /// lower is better: a loop reaches 1.
    #[serde(rename = "self250")]
    pub repetition_250_ms: f64,
    /// Largest change of a mel band's level between the first and the last third of the synthesis, in dB;
    /// lower is better.
    #[serde(rename = "drift")]
    pub drift_db: f64,
    /// Texture statistics after McDermott & Simoncelli (2011), of as much of the synthesis as the reference
    /// is long.
    #[serde(rename = "statistics_db")]
    pub statistics: StatisticsSnr,
}

/// How near `synthesis` comes to a copy of `reference`: the energy of the reference's log spectrogram over its
/// squared distance from the synthesis's, at the shift in time at which they are nearest (Antognini, Hoffman & Weiss
/// 2019, eq. 8, as in Table I). Unrelated sound of the same distribution scores its log magnitudes' mean square over
/// twice their variance; a copy has more. As much of each counts as both are long.
pub fn diversity(reference: &Recording, synthesis: &Recording) -> f64 {
    diversity::diversity(reference.samples(), synthesis.samples())
}

/// Which way a figure is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
}

/// A figure of [`Scores`] as it is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// Short name.
    pub name: &'static str,
    /// Value in `unit`.
    pub value: f64,
    /// Unit; "ratio" and "correlation" are plain numbers.
    pub unit: &'static str,
    /// Which way it is better.
    pub better: Better,
}

impl Scores {
    /// All figures but the parts of the statistics, in the order of the fields.
    pub fn figures(&self) -> [Figure; 7] {
        let figure = |name, value, unit, better| Figure {
            name,
            value,
            unit,
            better,
        };
        use Better::{Higher, Lower};
        [
            figure("gram", self.gram, "ratio", Lower),
            figure("autoc", self.autocorrelation, "ratio", Lower),
            figure("stat_snr", self.statistics_snr_db, "dB", Higher),
            figure("fmel", self.frechet_mel, "Np²", Lower),
            figure("copy100", self.copying_100_ms, "correlation", Lower),
            figure("self250", self.repetition_250_ms, "correlation", Lower),
            figure("drift", self.drift_db, "dB", Lower),
        ]
    }
}

/// Scores `synthesis` against `reference`. Takes a few seconds for 10 s of reference and a minute of
/// synthesis.
///
/// # Errors
///
/// If a figure is undefined, as the reference hardly sounds or never changes.
pub fn score(
    reference: &Recording,
    synthesis: &Recording,
    settings: &ScoreSettings,
) -> Result<Scores, ScoreError> {
    let threads = Threads::new(settings.threads);
    let (a, b) = (reference.samples(), synthesis.samples());
    let head = &b[..a.len().min(b.len())];
    let (first_half, second_half) = b.split_at(b.len() / 2);

    let log_a = spectrogram::log_magnitudes(a);
    let log_b = spectrogram::log_magnitudes(&b[..(GRAM_LENGTHS * a.len()).min(b.len())]);
    let part = |lengths: usize| &log_b[..(lengths * log_a.len()).min(log_b.len())];
    let (mel_a, mel_b) = (spectrogram::log_mel(a), spectrogram::log_mel(b));
    let statistics = statistics::compare(a, head, threads);
    let scores = Scores {
        gram: gram::distance(&log_a, part(GRAM_LENGTHS), settings.seed, settings.threads),
        autocorrelation: autocorrelation::distance(&log_a, part(1), settings.threads),
        statistics_snr_db: statistics.average(),
        frechet_mel: frechet::distance(&mel_a, &mel_b),
        copying_100_ms: copying::best_correlation(
            a,
            b,
            COPYING_S,
            &mut Sequence::new(settings.seed, COPYING_STREAM),
            threads,
        ),
        repetition_250_ms: copying::best_correlation(
            first_half,
            second_half,
            REPETITION_S,
            &mut Sequence::new(settings.seed, REPETITION_STREAM),
            threads,
        ),
        drift_db: drift::drift_db(&mel_b),
        statistics,
    };
    match scores.figures().iter().find(|f| !f.value.is_finite()) {
        Some(figure) => Err(ScoreError::Undefined {
            figure: figure.name,
            value: figure.value,
        }),
        None => Ok(scores),
    }
}
