//! What the packages that we ship are built of.

use std::env;
use std::path::Path;
use std::process::Command;

/// Names of all crates that are compiled into a package, build scripts and macros included.
fn crates_of(package: &str) -> Vec<String> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args([
        "tree",
        "--locked",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
    ]);
    command.args(["--format", "{p}", "--package", package]);
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap());
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    let names = String::from_utf8(output.stdout).unwrap();
    let first = |line: &str| line.split_whitespace().next().map(str::to_owned);
    names.lines().filter_map(first).collect()
}

#[test]
fn the_plugin_is_built_without_tensors_and_thread_pools() {
    let plugin = crates_of("weft");
    assert!(plugin.iter().any(|name| name == "weft-core"), "{plugin:?}");
    // A thread pool would outlive the plugin in its host; tensors bring one, and drivers of graphics processors.
    for foreign in ["weft-lab", "candle", "cudarc", "rayon", "tokio"] {
        let found: Vec<_> = plugin
            .iter()
            .filter(|name| name.starts_with(foreign))
            .collect();
        assert!(found.is_empty(), "the plugin is built with {found:?}");
    }
    // They are looked for by the names that they have.
    let tool = crates_of("weft-cli");
    for there in ["weft-lab", "candle-core", "rayon"] {
        assert!(
            tool.iter().any(|name| name == there),
            "{there} has another name now"
        );
    }
}
