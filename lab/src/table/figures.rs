//! The columns of a table.

use serde::{Deserialize, Serialize};
use weft_core::texture::score::{self, Better, Recording, ScoreError, ScoreSettings};

/// Figures of one sound against a recording. Serialised, the fields have the names of [`COLUMNS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Autocorrelation distance of log spectrograms at lags of 0.2 to 2 s, as a part of the recording's energy
    /// (Antognini, Hoffman & Weiss 2019, eq. 6 and Table I; there in thousandths).
    pub autocorrelation: f64,
    /// Diversity score: from about 1; much higher is a copy (eq. 8 and Table I).
    pub diversity: f64,
    /// Gram distance, as a part of the recording's energy (eq. 4).
    pub gram: f64,
    /// Texture statistics after McDermott & Simoncelli (2011), a signal-to-noise ratio in dB.
    pub statistics_db: f64,
    /// Fréchet distance of mel spectrograms (after Kilgour et al. 2019), in squared nepers.
    pub frechet_mel: f64,
    /// Mean best correlation of 100 ms snippets with the recording, 0 to 1.
    pub copying: f64,
    /// Distance of the mean embeddings of VGGish, 0 to 2, where its network was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vggish: Option<f64>,
    /// Seconds of work, of the first time that the sound was made.
    pub seconds: f64,
}

/// A figure as a column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name in files.
    pub name: &'static str,
    /// Its name above a column.
    pub title: &'static str,
    /// Which way it is better; of diversity, what a copy does not have.
    pub better: Better,
    /// The figure itself, where it was taken.
    pub of: fn(&Figures) -> Option<f64>,
}

/// The columns in their order.
pub const COLUMNS: [Column; 8] = [
    Column {
        name: "autocorrelation",
        title: "Autocorrelation",
        better: Better::Lower,
        of: |f| Some(f.autocorrelation),
    },
    Column {
        name: "diversity",
        title: "Diversity",
        better: Better::Lower,
        of: |f| Some(f.diversity),
    },
    Column {
        name: "gram",
        title: "Gram",
        better: Better::Lower,
        of: |f| Some(f.gram),
    },
    Column {
        name: "statistics_db",
        title: "Statistics/dB",
        better: Better::Higher,
        of: |f| Some(f.statistics_db),
    },
    Column {
        name: "frechet_mel",
        title: "Fréchet mel",
        better: Better::Lower,
        of: |f| Some(f.frechet_mel),
    },
    Column {
        name: "copying",
        title: "Copying",
        better: Better::Lower,
        of: |f| Some(f.copying),
    },
    Column {
        name: "vggish",
        title: "VGGish",
        better: Better::Lower,
        of: |f| f.vggish,
    },
    Column {
        name: "seconds",
        title: "Seconds",
        better: Better::Lower,
        of: |f| Some(f.seconds),
    },
];

impl Figures {
    /// Takes the figures of `synthesis`, which took `seconds` to make.
    ///
    /// # Errors
    /// If a figure is undefined: see [`score::score`].
    pub fn take(
        reference: &Recording,
        synthesis: &Recording,
        seconds: f64,
    ) -> Result<Self, ScoreError> {
        // Cells are worked on at the same time, each by one thread.
        let settings = ScoreSettings {
            threads: 1,
            ..ScoreSettings::default()
        };
        let scores = score::score(reference, synthesis, &settings)?;
        Ok(Self {
            autocorrelation: scores.autocorrelation,
            diversity: score::diversity(reference, synthesis),
            gram: scores.gram,
            statistics_db: scores.statistics_snr_db,
            frechet_mel: scores.frechet_mel,
            copying: scores.copying_100_ms,
            vggish: None,
            seconds,
        })
    }

    /// Means of all figures; nothing of no figures.
    pub fn mean<'a>(all: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let all: Vec<&Self> = all.into_iter().collect();
        let count = all.len() as f64;
        let mean = |of: fn(&Self) -> f64| all.iter().map(|f| of(f)).sum::<f64>() / count;
        (!all.is_empty()).then(|| Self {
            autocorrelation: mean(|f| f.autocorrelation),
            diversity: mean(|f| f.diversity),
            gram: mean(|f| f.gram),
            statistics_db: mean(|f| f.statistics_db),
            frechet_mel: mean(|f| f.frechet_mel),
            copying: mean(|f| f.copying),
            vggish: mean_of_those_taken(all.iter().filter_map(|f| f.vggish)),
            seconds: mean(|f| f.seconds),
        })
    }
}

/// The mean of figures that not every cell has.
fn mean_of_those_taken(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let figures: Vec<f64> = figures.collect();
    (!figures.is_empty()).then(|| figures.iter().sum::<f64>() / figures.len() as f64)
}
