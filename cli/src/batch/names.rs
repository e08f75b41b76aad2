//! Names of what is made of files.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::files;

/// Names of the outputs: those of the inputs with another ending, behind their own one where two would be the same.
/// They are the inputs' to the byte, also where they are no text.
pub fn output_names(inputs: &[PathBuf], extension: &str) -> Vec<OsString> {
    let stem = |input: &Path| {
        if files::is_standard(input) {
            return files::STANDARD_NAME.into();
        }
        input.file_stem().unwrap_or_default().to_os_string()
    };
    let mut uses: BTreeMap<OsString, usize> = BTreeMap::new();
    for input in inputs {
        *uses.entry(stem(input)).or_default() += 1;
    }
    let mut taken: BTreeMap<OsString, usize> = BTreeMap::new();
    let names = inputs.iter().map(|input| {
        let mut name = stem(input);
        if uses[&name] > 1
            && let Some(file_name) = input.file_name()
        {
            name = file_name.to_os_string();
        }
        // The same name in several folders.
        let count = taken.entry(name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            name.push(format!(" {count}"));
        }
        name.push(format!(".{extension}"));
        name
    });
    names.collect()
}
