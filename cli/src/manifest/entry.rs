//! What is written of one texture.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};
use weft_core::network::Model;

use crate::error::CliError;
use crate::files::shown;
use crate::report::{Record, in_words};

/// Bytes that are read at once for a checksum.
const BLOCK_BYTES: usize = 1 << 16;

/// What is written of one texture. What was not known when it was written is null.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// What it was made of.
    pub input: Option<FileMark>,
    /// The texture, by its name in the folder.
    pub output: FileMark,
    /// What it was fitted on.
    pub device: Option<String>,
    pub steps: u32,
    pub seed: u64,
    /// What was asked for.
    pub settings: Option<Record>,
    /// What the fit took.
    pub seconds: Option<f64>,
    pub quality_db: Option<f32>,
    /// What is to be said of the recording.
    pub remarks: Vec<String>,
    /// Version of Weft that wrote this.
    pub weft: String,
}

/// What tells a file from another one, and a whole one from a damaged one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMark {
    pub file: String,
    pub bytes: u64,
    /// CRC-32 in hexadecimal, as `crc32` and archives show it.
    pub crc32: String,
}

impl FileMark {
    /// That of the file at `path`; the standard input has none.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn of(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut block = vec![0; BLOCK_BYTES];
        let (mut checksum, mut bytes) = (crc32fast::Hasher::new(), 0);
        loop {
            let read = match file.read(&mut block) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            checksum.update(&block[..read]);
            bytes += read as u64;
        }
        Ok(Self {
            file: shown(path),
            bytes,
            crc32: format!("{:08x}", checksum.finalize()),
        })
    }

    /// Whether the bytes are the same, wherever the files are and whatever they are called.
    pub fn is_same_as(&self, other: &Self) -> bool {
        (self.bytes, &self.crc32) == (other.bytes, &other.crc32)
    }
}

impl Entry {
    /// What the texture that was read from `path` says by itself.
    pub fn of(path: &Path, model: &Model) -> Result<Self, CliError> {
        let mark = FileMark::of(path).map_err(|source| CliError::Read {
            path: path.to_path_buf(),
            source,
        })?;
        let name = path.file_name().unwrap_or_default();
        let fit = model.fit_record();
        let remarks = model.capture().map(|capture| in_words(&capture.remarks()));
        Ok(Self {
            input: None,
            output: FileMark {
                file: shown(Path::new(name)),
                ..mark
            },
            device: None,
            steps: fit.steps,
            seed: fit.seed,
            settings: None,
            seconds: None,
            quality_db: Some(fit.quality_db()).filter(|db| db.is_finite()),
            remarks: remarks.unwrap_or_default(),
            weft: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }

    /// Adds what was told of the fit, and what was asked of it.
    pub fn add(&mut self, told: &Record, settings: &Record) {
        let device = told.get("device").and_then(|device| device.as_str());
        self.device = device.map(str::to_owned);
        self.seconds = told.get("fit_seconds").and_then(|seconds| seconds.as_f64());
        self.settings = Some(settings.clone());
        // Of the file too, of which the texture does not know.
        if let Some(remarks) = told.get("remarks").and_then(|remarks| remarks.as_array()) {
            let remarks = remarks.iter().filter_map(|remark| remark.as_str());
            self.remarks = remarks.map(str::to_owned).collect();
        }
    }
}
