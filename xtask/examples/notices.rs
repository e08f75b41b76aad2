//! Writes `THIRD_PARTY_NOTICES.md`: every crate that is compiled into what Weft ships, its licence,
//! and the licence texts.
//!
//! `cargo run -p xtask --example notices` writes the file, `... -- --check` fails where it is out
//! of date. The crates' sources must have been fetched (`cargo fetch`).

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The packages that are given to users.
const SHIPPED: [&str; 2] = ["weft", "weft-cli"];

/// The systems that they are built for.
const TARGETS: [&str; 3] = [
    "x86_64-unknown-linux-gnu",
    "x86_64-pc-windows-msvc",
    "aarch64-apple-darwin",
];

/// Beginnings of the names of files that hold licences and notices.
const LICENCE_FILES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT"];

const INTRODUCTION: &str = "\
# Third-party notices

Weft's plugin and command line tool contain the crates below, under the licences named. Where a
licence offers a choice, Weft takes the MIT licence if it is among them. The licence texts follow
the table; the numbers refer to them.

The crates under the Mozilla Public License 2.0 (MPL-2.0) are used unmodified. Their source code is
available, in the version given, at the address given.
";

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Crate {
    name: String,
    version: String,
    licence: String,
    repository: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../THIRD_PARTY_NOTICES.md");
    let notices = notices(&shipped_crates()?)?;
    if env::args().any(|argument| argument == "--check") {
        if fs::read_to_string(&path)? != notices {
            return Err("THIRD_PARTY_NOTICES.md is out of date: run \
                        `cargo run -p xtask --example notices`"
                .into());
        }
    } else {
        fs::write(&path, notices)?;
    }
    Ok(())
}

/// The crates compiled into what is shipped, from `cargo tree`: no build tools, no macros, no tests.
fn shipped_crates() -> Result<BTreeSet<Crate>, Box<dyn Error>> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["tree", "--locked", "--edges", "normal,no-proc-macro"]);
    command.args(["--prefix", "none", "--format", "{p}|{l}|{r}"]);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    for package in SHIPPED {
        command.args(["--package", package]);
    }
    for target in TARGETS {
        command.args(["--target", target]);
    }
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let mut crates = BTreeSet::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        // "name v1.2.3|licence|repository"; our own packages have a path behind the version, and
        // repeated ones a mark behind the repository.
        let mut fields = line.trim_end_matches("(*)").trim().split('|');
        let (Some(package), Some(licence), Some(repository)) =
            (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let mut words = package.split_whitespace();
        if let (Some(name), Some(version), None) = (words.next(), words.next(), words.next()) {
            crates.insert(Crate {
                name: name.into(),
                version: version.trim_start_matches('v').into(),
                licence: licence.replace('/', " OR ").replace("  ", " "),
                repository: repository.trim().into(),
            });
        }
    }
    Ok(crates)
}

fn notices(crates: &BTreeSet<Crate>) -> Result<String, Box<dyn Error>> {
    // Each different text once, numbered in the order of the crates.
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut texts: Vec<String> = Vec::new();
    let mut rows = String::new();
    for package in crates {
        let mut references = Vec::new();
        for text in licence_texts(package)? {
            let key = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let number = *numbers.entry(key).or_insert_with(|| {
                texts.push(text);
                texts.len()
            });
            references.push(number.to_string());
        }
        // A crate without a text is under its licence's standard text, printed for the others.
        let references = match references.is_empty() {
            true => "none in the crate".into(),
            false => references.join(", "),
        };
        rows += &format!(
            "| {} | {} | {} | {} | {references} |\n",
            package.name, package.version, package.licence, package.repository
        );
    }
    let mut notices = format!(
        "{INTRODUCTION}\n| crate | version | licence | source | text |\n|---|---|---|---|---|\n{rows}"
    );
    for (index, text) in texts.iter().enumerate() {
        notices += &format!("\n## Text {}\n\n```text\n{text}\n```\n", index + 1);
    }
    Ok(notices)
}

/// The texts in a crate that its licence asks to pass on: of a choice that has MIT in it the MIT text
/// alone, otherwise all.
fn licence_texts(package: &Crate) -> Result<Vec<String>, Box<dyn Error>> {
    let folder = source_folder(package)?;
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        if entry.file_type()?.is_file() && LICENCE_FILES.iter().any(|start| name.starts_with(start))
        {
            files.push(entry.path());
        }
    }
    files.sort();
    let is_mit = |path: &PathBuf| {
        path.file_stem()
            .is_some_and(|stem| stem.to_string_lossy().to_uppercase().ends_with("MIT"))
    };
    let offers_mit = package.licence.split(" OR ").any(|choice| choice == "MIT");
    if offers_mit && files.iter().any(is_mit) {
        files.retain(is_mit);
    }
    let mut texts = Vec::new();
    for file in files {
        let text = fs::read(&file)?;
        let text = String::from_utf8_lossy(&text).replace("\r\n", "\n");
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        texts.push(lines.join("\n").trim_matches('\n').to_string());
    }
    Ok(texts)
}

/// Where cargo keeps a crate's source.
fn source_folder(package: &Crate) -> Result<PathBuf, Box<dyn Error>> {
    let cargo_home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(env::home_dir()?.join(".cargo")))
        .ok_or("there is no home directory: set CARGO_HOME")?;
    let folder = format!("{}-{}", package.name, package.version);
    for registry in fs::read_dir(cargo_home.join("registry/src"))? {
        let path = registry?.path().join(&folder);
        if path.is_dir() {
            return Ok(path);
        }
    }
    Err(format!("the source of {folder} is not there: run `cargo fetch`").into())
}
