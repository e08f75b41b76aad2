//! `weft info`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use weft_core::clip::{Clip, Remark, SoundFile};
use weft_core::network::Model;

use crate::arguments::InfoArguments;
use crate::batch::{Kind, expand};
use crate::error::CliError;
use crate::files::{Content, read_any, shown};
use crate::report::{Record, Report, in_words, one_line};

/// `weft info`: what files hold.
pub fn info(arguments: &InfoArguments, report: &Report) -> Result<(), CliError> {
    let files = expand(&arguments.inputs, Kind::Any)?;
    if let [file] = files.as_slice() {
        let record = describe(file)?;
        report.result(&table(&record), &record);
        return Ok(());
    }
    let (mut told, mut failed) = (0, 0);
    for file in &files {
        match describe(file) {
            Ok(record) => {
                // A blank line between them.
                let gap = if told > 0 { "\n" } else { "" };
                told += 1;
                report.result(&format!("{gap}{}", table(&record)), &record);
            }
            Err(error) => {
                failed += 1;
                report.error(&error, Some(&shown(file)));
            }
        }
    }
    match failed {
        0 => Ok(()),
        failed => Err(CliError::SomeFailed {
            failed,
            of: files.len(),
        }),
    }
}

fn describe(path: &PathBuf) -> Result<Record, CliError> {
    let mut record = Record::from_iter([("file".to_owned(), shown(path).into())]);
    // The standard input has no length of its own.
    if let Ok(metadata) = fs::metadata(path) {
        record.insert("bytes".into(), metadata.len().into());
    }
    match read_any(path)? {
        Content::Sound(file) => describe_sound(path, &file, &mut record),
        Content::Texture(model) => describe_texture(&model, &mut record),
    }
    Ok(record)
}

fn describe_sound(path: &Path, file: &SoundFile, record: &mut Record) {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    record.insert("kind".into(), "sound".into());
    record.insert("name".into(), name.into());
    describe_clip(&file.clip, &file.remarks(), record);
    if let Err(error) = file.clip.check_texture() {
        record.insert("unusable".into(), error.to_string().into());
    }
    if file.about_file().contains(&Remark::Cut) {
        record.insert("is_first_part".into(), true.into());
    }
}

/// What a sound and a texture's recording have in common, and what is to be said of either.
fn describe_clip(clip: &Clip, remarks: &[Remark], record: &mut Record) {
    record.insert("seconds".into(), clip.duration_s().into());
    record.insert("sample_rate_hz".into(), clip.sample_rate().into());
    record.insert("channels".into(), clip.channel_count().into());
    record.insert("peak_dbfs".into(), decibels(clip.peak()));
    record.insert("rms_dbfs".into(), decibels(clip.rms()));
    record.insert("remarks".into(), in_words(remarks).into());
}

/// A level in dBFS; null for silence.
fn decibels(level: f32) -> Value {
    Some(20.0 * level.log10())
        .filter(|db| db.is_finite())
        .into()
}

fn describe_texture(model: &Model, record: &mut Record) {
    record.insert("kind".into(), "texture".into());
    record.insert("name".into(), model.name().into());
    match model.capture() {
        Some(capture) => {
            // Of what it was learned from.
            describe_clip(capture.clip(), &capture.remarks(), record);
            let used = capture.used_s();
            record.insert("used_from_s".into(), used.start.into());
            record.insert("used_to_s".into(), used.end.into());
        }
        None => {
            record.insert("sample_rate_hz".into(), model.sample_rate().into());
            record.insert("channels".into(), model.output_channels().into());
        }
    }
    let fit = model.fit_record();
    record.insert("fit_steps".into(), fit.steps.into());
    record.insert("fit_seed".into(), fit.seed.into());
    let quality = Some(fit.quality_db()).filter(|db| db.is_finite());
    record.insert("quality_db".into(), quality.into());
    record.insert("critic_gap".into(), fit.critic_gap.into());
    record.insert("period_s".into(), model.period_s().into());
}

/// What is told of a file, in this order: its name in a record, how it is called, and its unit.
const FIGURES: &[(&str, &str, &str)] = &[
    ("file", "file", ""),
    ("kind", "kind", ""),
    ("name", "name", ""),
    ("bytes", "size", " bytes"),
    ("seconds", "length", " s"),
    ("is_first_part", "this is", ""),
    ("used_from_s", "used from", " s"),
    ("used_to_s", "used to", " s"),
    ("sample_rate_hz", "sample rate", " Hz"),
    ("channels", "channels", ""),
    ("peak_dbfs", "peak", " dBFS"),
    ("rms_dbfs", "level", " dBFS"),
    ("fit_steps", "fit steps", ""),
    ("fit_seed", "fit seed", ""),
    ("quality_db", "quality", " dB"),
    ("period_s", "period", " s"),
    ("remarks", "remark", ""),
    ("unusable", "unusable", ""),
];

/// One line for every figure.
fn table(record: &Record) -> String {
    let mut table = String::new();
    for &(name, label, unit) in FIGURES {
        let mut line = |value: &str| table += &format!("{label:12} {value}\n");
        match record.get(name) {
            None => {}
            Some(Value::Null) => line("-"),
            Some(Value::String(text)) if text.is_empty() => line("-"),
            Some(Value::String(text)) => line(&one_line(text)),
            Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).for_each(line),
            Some(Value::Number(number)) if number.is_f64() => {
                let number = number.as_f64().unwrap_or_default();
                line(&format!("{number:.3}{unit}"));
            }
            Some(Value::Bool(_)) => line("the start of a longer file"),
            Some(other) => line(&format!("{other}{unit}")),
        }
    }
    table
}
