//! Which room of the core may name which: arrows point down, and rooms of one floor don't know each other. What the
//! audio thread owns can't be named from the worker's rooms, and the other way round.

use std::fs;
use std::path::{Path, PathBuf};

/// The core's rooms, from below.
const CORE: &[&[&str]] = &[
    &["numeric"],
    &["clip"],
    &["spectrum"],
    &["network", "inversion"],
    &["texture"],
    &["fit", "procedural"],
    &["instrument", "render"],
];
/// The rooms of `instrument`, from below. Its `mod.rs` shows what is public, and may name all.
const INSTRUMENT: &[&[&str]] = &[
    &["controls"],
    &["bank"],
    &["stream"],
    &["shared"],
    &["status", "audio", "worker"],
    &["handle"],
];

#[test]
fn rooms_of_the_core_name_only_those_below() {
    assert_arrows_point_down(&[], CORE);
}

#[test]
fn rooms_of_the_instrument_name_only_those_below() {
    assert_arrows_point_down(&["instrument"], INSTRUMENT);
}

/// Asks it of the rooms within the module `parent`.
fn assert_arrows_point_down(parent: &[&str], floors: &[&[&str]]) {
    let floor_of = |room: &str| floors.iter().position(|floor| floor.contains(&room));
    let (mut wrong, mut arrows) = (Vec::new(), 0);
    for file in source_files() {
        let Some(from) = room_within(&file.module, parent) else {
            continue;
        };
        let floor = floor_of(from).unwrap_or_else(|| panic!("{from} has no floor: give it one"));
        for named in file.named_modules() {
            // What is no room is an item of the parent's.
            let Some(to) = room_within(&named, parent).filter(|to| floor_of(to).is_some()) else {
                continue;
            };
            arrows += 1;
            if to != from && floor_of(to) >= Some(floor) {
                wrong.push(format!("{} names {to}", file.path.display()));
            }
        }
    }
    assert!(arrows > 20, "{arrows} arrows: they are not found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The room of `module` in `parent`, if it lies in one.
fn room_within<'a>(module: &'a [String], parent: &[&str]) -> Option<&'a str> {
    let inside = module.len() > parent.len() && module.iter().zip(parent).all(|(a, b)| a == b);
    inside.then(|| module[parent.len()].as_str())
}

/// A source file and the module that it is.
struct SourceFile {
    path: PathBuf,
    module: Vec<String>,
    /// Without comments and tests.
    code: String,
}

fn source_files() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
                files.push(SourceFile::read(&root, path));
            }
        }
    }
    files
}

impl SourceFile {
    fn read(root: &Path, path: PathBuf) -> Self {
        let inner = path.strip_prefix(root).unwrap().with_extension("");
        let module = inner
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .filter(|part| part != "mod" && part != "lib")
            .collect();
        let text = fs::read_to_string(&path).unwrap();
        // Tests, which end a file, may set up what lies above.
        let end = text.find("\n#[cfg(test)]\nmod tests {");
        let code = text[..end.unwrap_or(text.len())].lines();
        let code: Vec<&str> = code.map(without_comment).collect();
        let code = code.join("\n");
        Self { path, module, code }
    }

    /// The modules and items that it names by a path from `crate` or from `super`.
    fn named_modules(&self) -> Vec<Vec<String>> {
        let mut named = Vec::new();
        for (at, _) in self.code.match_indices("crate::") {
            let begins = !self.code[..at].ends_with(is_identifier);
            if begins {
                add_paths(&self.code[at + "crate::".len()..], &[], &mut named);
            }
        }
        for (at, _) in self.code.match_indices("super::") {
            let before = &self.code[..at];
            if before.ends_with("super::") || before.ends_with(is_identifier) {
                continue;
            }
            let mut rest = &self.code[at..];
            let mut base = self.module.clone();
            while let Some(after) = rest.strip_prefix("super::") {
                base.pop();
                rest = after;
            }
            add_paths(rest, &base, &mut named);
        }
        named
    }
}

fn is_identifier(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn without_comment(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

/// Adds the paths that `text` begins with, each below `base`: one, or a group in braces.
fn add_paths(text: &str, base: &[String], named: &mut Vec<Vec<String>>) {
    let name: String = text.chars().take_while(|c| is_identifier(*c)).collect();
    let rest = &text[name.len()..];
    if !name.is_empty() {
        let path = [base, &[name]].concat();
        match rest.strip_prefix("::") {
            Some(rest) => add_paths(rest, &path, named),
            None => named.push(path),
        }
    } else if rest.starts_with('{') {
        for member in members(rest) {
            add_paths(member.trim_start(), base, named);
        }
    } else {
        named.push(base.to_vec());
    }
}

/// What stands between the commas of the group in braces that `text` begins with.
fn members(text: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut members) = (0, 1, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || depth == 1 && c == ',' {
            members.push(&text[begin..at]);
            begin = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    members
}

#[test]
fn paths_are_read_out_of_groups() {
    let mut named = Vec::new();
    let text = "a::{b, c::{D, e::F},\n    g}; other";
    add_paths(text, &["x".to_owned()], &mut named);
    let named: Vec<String> = named.iter().map(|path| path.join("::")).collect();
    assert_eq!(named, ["x::a::b", "x::a::c::D", "x::a::c::e::F", "x::a::g"]);
}
