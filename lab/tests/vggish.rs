//! The column of VGGish, by a network that hands its patches on as they are: `cargo test -p weft-lab --features onnx
//! --test vggish`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use weft_core::clip::{Clip, SampleFormat};
use weft_core::procedural::{Texture, synthesize};
use weft_lab::table::{
    GriffinLim, MatchedNoise, Results, Summary, TableSettings, Vggish, VggishError, fill,
    find_recordings, to_csv, to_markdown,
};

/// A field of a protocol buffer: a number, or bytes.
fn number(field: u8, value: u8) -> Vec<u8> {
    vec![field << 3, value]
}

fn bytes(field: u8, contents: &[u8]) -> Vec<u8> {
    let mut out = vec![field << 3 | 2];
    // Lengths of two bytes at most.
    match contents.len() {
        length @ 0..128 => out.push(length as u8),
        length => out.extend([(length & 127) as u8 | 128, (length >> 7) as u8]),
    }
    out.extend(contents);
    out
}

/// An input or output (`ValueInfoProto`) of floats with this shape; a dimension of 0 is open.
fn value(name: &str, shape: &[u8]) -> Vec<u8> {
    let dimensions = shape.iter().map(|&size| match size {
        0 => bytes(1, &bytes(2, b"n")),
        size => bytes(1, &number(1, size)),
    });
    let shape: Vec<u8> = dimensions.flatten().collect();
    let tensor = [number(1, 1), bytes(2, &shape)].concat();
    [bytes(1, name.as_bytes()), bytes(2, &bytes(1, &tensor))].concat()
}

/// A network of one *Flatten* that takes this shape.
fn flatten(shape: &[u8]) -> Vec<u8> {
    let node = [
        bytes(1, b"patch"),
        bytes(2, b"embedding"),
        bytes(4, b"Flatten"),
    ]
    .concat();
    let graph = [
        bytes(1, &node),
        bytes(2, b"flatten"),
        bytes(11, &value("patch", shape)),
        bytes(12, &value("embedding", &[0, 0])),
    ]
    .concat();
    let opset = [bytes(1, b""), number(2, 13)].concat();
    [number(1, 8), bytes(7, &graph), bytes(8, &opset)].concat()
}

fn file(folder: &Path, shape: &[u8]) -> PathBuf {
    let path = folder.join("network.onnx");
    fs::write(&path, flatten(shape)).unwrap();
    path
}

fn sound(texture: Texture, seed: u64) -> Clip {
    synthesize(texture, seed, 16_000, 2.0)
}

#[test]
fn what_sounds_alike_is_near_and_what_does_not_is_far() {
    let folder = tempfile::tempdir().unwrap();
    for shape in [&[0, 1, 96, 64][..], &[1, 96, 64], &[0, 96, 64, 1]] {
        let network = Vggish::open(&file(folder.path(), shape)).unwrap();
        let fire = sound(Texture::Fire, 1);
        let far = |other: &Clip| network.distance(&fire, other).unwrap();
        assert!(far(&fire).abs() < 1e-9);
        let (alike, other) = (
            far(&sound(Texture::Fire, 2)),
            far(&sound(Texture::Crickets, 1)),
        );
        println!("{shape:?}: other fire {alike:.4}, crickets {other:.4}");
        assert!(0.0 < alike && 2.0 * alike < other, "{alike} {other}");
    }
}

#[test]
fn what_is_no_vggish_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |path: &Path| Vggish::open(path).unwrap_err();
    let error = refused(&folder.path().join("nothing.onnx"));
    assert!(matches!(error, VggishError::Unusable { .. }), "{error}");
    let error = refused(&file(folder.path(), &[1, 3, 96, 64]));
    assert!(matches!(error, VggishError::Input { .. }), "{error}");
    assert!(error.to_string().contains("1 × 3 × 96 × 64"), "{error}");
    let path = file(folder.path(), &[1, 96, 64]);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(refused(&path), VggishError::Unusable { .. }));
    let network = Vggish::open(&file(folder.path(), &[1, 96, 64])).unwrap();
    let short = sound(Texture::Rain, 1).trimmed(0.0, 0.9);
    let error = network.distance(&short, &short).unwrap_err();
    assert!(matches!(error, VggishError::TooShort { .. }), "{error}");
}

#[test]
fn a_table_has_the_column_where_there_is_a_network() {
    let folder = tempfile::tempdir().unwrap();
    let recordings = folder.path().join("recordings");
    fs::create_dir(&recordings).unwrap();
    let clock = synthesize(Texture::Clock, 1, 16_000, 4.0);
    clock
        .write_wav(&recordings.join("clock.wav"), SampleFormat::Float32)
        .unwrap();
    let entries = find_recordings(&recordings).unwrap();
    let results = Results::open(&folder.path().join("results.jsonl")).unwrap();
    let mut settings = TableSettings {
        folder: folder.path().into(),
        seed: 0,
        most_seconds: 4.0,
        jobs: 1,
        vggish: None,
    };
    let names = ["noise".to_owned(), "griffin-lim".to_owned()];
    let never = AtomicBool::new(false);
    let table = |settings: &TableSettings| {
        let failed = fill(
            &entries,
            &[&MatchedNoise, &GriffinLim],
            settings,
            &results,
            &never,
            &|_| {},
        );
        assert_eq!(failed.unwrap(), 0);
        to_markdown(&Summary::new(&names, &entries, 0, &results))
    };
    assert!(!table(&settings).contains("VGGish"));
    let network = Vggish::open(&file(folder.path(), &[0, 1, 96, 64])).unwrap();
    settings.vggish = Some(Arc::new(network));
    assert!(table(&settings).contains("| VGGish ↓ |"));
    let of = |row: &str| {
        results
            .find(row, "clock", 0)
            .unwrap()
            .figures
            .vggish
            .unwrap()
    };
    assert!(
        of("griffin-lim") < of("noise"),
        "{} {}",
        of("griffin-lim"),
        of("noise")
    );
    assert!(to_csv(&names, &entries, 0, &results).contains(",copying,vggish,seconds"));
    // What is known of a network's file is still known without it.
    let again = Results::open(&folder.path().join("results.jsonl")).unwrap();
    assert_eq!(
        again.find("noise", "clock", 0).unwrap().figures.vggish,
        Some(of("noise"))
    );
}
