//! Tables of methods over recordings, through the crate's own doors.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use weft_core::clip::{Clip, ClipError, SampleFormat};
use weft_core::procedural::{Texture, synthesize};
use weft_lab::table::{
    Entry, GriffinLim, Halves, Made, Maker, MakerError, MatchedNoise, Results, Summary, TableError,
    TableEvent, TableSettings, Weft, fill, find_recordings, to_csv, to_latex, to_markdown, to_svg,
};

/// Writes a recording of a texture of `seconds`.
fn record(path: &Path, texture: Texture, seconds: f64) {
    let clip = synthesize(texture, 1, 16_000, seconds).to_mono();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    clip.write_wav(path, SampleFormat::Float32).unwrap();
}

/// A method that hands out the recording itself, and fails on demand.
struct Copying<'a> {
    calls: &'a AtomicUsize,
    fails_at: Option<usize>,
}

impl Maker for Copying<'_> {
    fn name(&self) -> String {
        "copy_of_it".into()
    }

    fn make(&self, recording: &Clip, _seed: u32) -> Result<Made, MakerError> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        if self.fails_at == Some(call) {
            return Err(ClipError::Silent { peak_dbfs: -99.0 }.into());
        }
        Ok(Made {
            reference: recording.clone(),
            sound: recording.clone(),
        })
    }
}

fn settings(folder: &Path) -> TableSettings {
    TableSettings {
        folder: folder.into(),
        seed: 1,
        most_seconds: 2.5,
        jobs: 2,
        vggish: None,
    }
}

/// Fills a table; the messages of what failed.
fn filled(
    entries: &[Entry],
    makers: &[&dyn Maker],
    settings: &TableSettings,
    results: &Results,
) -> Vec<String> {
    let errors = Mutex::new(Vec::new());
    let on_event = |event: TableEvent<'_>| {
        if let TableEvent::Failed { error } = event {
            errors.lock().unwrap().push(error.to_string());
        }
    };
    let cancel = AtomicBool::new(false);
    let failed = fill(entries, makers, settings, results, &cancel, &on_event).unwrap();
    let errors = errors.into_inner().unwrap();
    assert_eq!(failed, errors.len());
    errors
}

#[test]
fn folders_and_lists_are_classes() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    record(&at("rhythmic/clock.wav"), Texture::Clock, 0.1);
    record(&at("wind.wav"), Texture::Wind, 0.1);
    record(&at("chimes.wav"), Texture::Chimes, 0.1);
    fs::write(at("notes.txt"), "no sound").unwrap();
    let list = |text: &str| fs::write(at("classes.csv"), text).unwrap();
    let found = || find_recordings(folder.path());
    let classes = |entries: Vec<Entry>| -> Vec<[String; 2]> {
        entries.into_iter().map(|e| [e.class, e.name]).collect()
    };
    let without = [
        ["all", "chimes"],
        ["all", "wind"],
        ["rhythmic", "rhythmic/clock"],
    ];
    assert_eq!(classes(found().unwrap()), without);
    list("file,class\nchimes.wav, pitched\n");
    let with = [
        ["all", "wind"],
        ["pitched", "chimes"],
        ["rhythmic", "rhythmic/clock"],
    ];
    assert_eq!(classes(found().unwrap()), with);
    for (text, part) in [
        ("chime.wav,pitched\n", "chime.wav"),
        ("chimes.wav\n", "is no such line"),
        ("chimes.wav,\n", "is no such line"),
    ] {
        list(text);
        let error = found().unwrap_err();
        assert!(matches!(&error, TableError::Classes { .. }), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    let empty = tempfile::tempdir().unwrap();
    let error = find_recordings(empty.path()).unwrap_err();
    assert!(matches!(error, TableError::Empty { .. }));
}

#[test]
fn a_table_goes_on_where_it_was_and_leaves_what_fails_empty() {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for name in ["a.wav", "b.wav", "c.wav"] {
        record(&folder.path().join(name), Texture::Rain, 2.5);
    }
    let entries = find_recordings(folder.path()).unwrap();
    let calls = AtomicUsize::new(0);
    let failing = Copying {
        calls: &calls,
        fails_at: Some(1),
    };
    let sound = Copying {
        calls: &calls,
        fails_at: None,
    };
    let path = out.path().join("results.jsonl");
    let settings = settings(out.path());
    let results = Results::open(&path).unwrap();
    let errors = filled(&entries, &[&failing], &settings, &results);
    assert_eq!(errors.len(), 1);
    assert!(errors[0].contains("-99") && errors[0].contains(".wav"));
    // As a process that was ended leaves it.
    let mut text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 2);
    text.push_str("{\"row\":\"copy_of");
    fs::write(&path, &text).unwrap();

    let results = Results::open(&path).unwrap();
    assert!(filled(&entries, &[&sound], &settings, &results).is_empty());
    assert_eq!(
        calls.load(Ordering::Relaxed),
        4,
        "only what failed is made again"
    );
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3);
    let kept = out.path().join("sounds/copy_of_it");
    assert_eq!(fs::read_dir(kept).unwrap().count(), 3);
    for entry in &entries {
        let figures = results.find("copy_of_it", &entry.name, 1).unwrap().figures;
        // What a copy is found out by.
        assert!(figures.gram < 1e-9 && figures.autocorrelation < 1e-9);
        assert!(figures.diversity > 1e6 && figures.copying > 0.99);
    }
}

#[test]
fn a_cancelled_table_begins_no_other_cell() {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    record(&folder.path().join("a.wav"), Texture::Rain, 2.5);
    let entries = find_recordings(folder.path()).unwrap();
    let calls = AtomicUsize::new(0);
    let maker = Copying {
        calls: &calls,
        fails_at: None,
    };
    let results = Results::open(&out.path().join("results.jsonl")).unwrap();
    let (settings, cancel) = (settings(out.path()), AtomicBool::new(true));
    let failed = fill(&entries, &[&maker], &settings, &results, &cancel, &|_| {});
    assert_eq!((failed.unwrap(), calls.into_inner()), (0, 0));
}

#[test]
fn rows_of_a_clock_are_told_apart_by_their_figures() {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    record(&folder.path().join("clock.wav"), Texture::Clock, 5.0);
    let entries = find_recordings(folder.path()).unwrap();
    let results = Results::open(&out.path().join("results.jsonl")).unwrap();
    let weft = Weft { steps: 4 };
    let makers: [&dyn Maker; 4] = [&GriffinLim, &Halves, &MatchedNoise, &weft];
    let settings = TableSettings {
        most_seconds: 5.0,
        ..settings(out.path())
    };
    let errors = filled(&entries, &makers, &settings, &results);
    assert!(errors.is_empty(), "{errors:?}");
    let of = |name: &str| results.find(name, "clock", 1).unwrap().figures;
    let (inverted, halves, noise) = (of("griffin-lim"), of("halves"), of("noise"));
    // Inversion copies; noise has neither the rhythm nor the statistics, and other clock has both.
    let told = format!("{inverted:?}\n{halves:?}\n{noise:?}");
    assert!(inverted.copying > noise.copying + 0.2, "{told}");
    assert!(inverted.diversity > 2.0 * noise.diversity, "{told}");
    assert!(noise.autocorrelation > 3.0 * halves.autocorrelation);
    assert!(noise.statistics_db < halves.statistics_db - 3.0);
    assert!(of("weft-4").seconds > 0.0);
}

#[test]
fn every_document_has_every_row_and_column() {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let at = |name: &str| folder.path().join(name);
    record(&at("wet/rain.wav"), Texture::Rain, 2.5);
    record(&at("dry_&_hot/fire.wav"), Texture::Fire, 2.5);
    let entries = find_recordings(folder.path()).unwrap();
    let calls = AtomicUsize::new(0);
    // One of the two classes has no value.
    let maker = Copying {
        calls: &calls,
        fails_at: Some(0),
    };
    let results = Results::open(&out.path().join("results.jsonl")).unwrap();
    let settings = TableSettings {
        jobs: 1,
        ..settings(out.path())
    };
    filled(&entries, &[&maker, &MatchedNoise], &settings, &results);
    let names = [maker.name(), MatchedNoise.name()];
    let summary = Summary::new(&names, &entries, 1, &results);
    assert_eq!(summary.classes, ["dry_&_hot", "wet"]);
    assert_eq!(summary.rows[0].count, 1);
    assert_eq!(summary.rows[0].mean, summary.rows[0].classes[1]);

    let csv = to_csv(&names, &entries, 1, &results);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(reader.headers().unwrap().len(), 3 + summary.columns().len());
    let lines: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    // Recordings, classes that have a value, and means.
    assert_eq!(lines.len(), 3 + 3 + 2);
    for line in &lines {
        let mut values = line.iter().skip(3);
        assert!(values.all(|value| value.parse::<f64>().is_ok()));
    }
    let markdown = to_markdown(&summary);
    let first = markdown.lines().nth(2).unwrap();
    assert!(first.starts_with("| copy_of_it | –, "), "{first}");
    for line in markdown.lines() {
        assert_eq!(
            line.matches(" |").count(),
            summary.columns().len() + 1,
            "{line}"
        );
    }
    let latex = to_latex(&summary);
    assert!(latex.contains("copy\\_of\\_it & -- $\\mid$ "));
    // But for its first line, a comment.
    let bare = |line: &str| line.replace("\\_", "").contains('_');
    assert!(!latex.lines().skip(1).any(bare));
    let svg = to_svg(&summary);
    for column in summary.columns() {
        assert!(svg.contains(column.title) && markdown.contains(column.title));
    }
    assert_eq!(svg.matches(">noise<").count(), summary.columns().len());
}
