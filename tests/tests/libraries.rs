//! What the built objects ask of the system that loads them: a workstation without a graphics processor must be able
//! to, and so must one whose graphics libraries are others than ours.

use std::fs;
use std::path::{Path, PathBuf};

use goblin::Object;
use weft_hosts::{CLAP_BUNDLE, VST3_BUNDLE, bundle};

/// All that the plugin links on Linux: C's own libraries and the unwinder. The window's are opened when it is.
const ON_LINUX: [&str; 7] = [
    "ld-linux",
    "libc.so",
    "libdl.so",
    "libgcc_s.so",
    "libm.so",
    "libpthread.so",
    "librt.so",
];

/// Files of a bundle, which is one itself or a folder.
fn files(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_path_buf()];
    }
    let entries = fs::read_dir(path).unwrap();
    entries
        .flat_map(|entry| files(&entry.unwrap().path()))
        .collect()
}

/// Names of the libraries that an object is linked to; nothing of what is no object.
fn libraries(bytes: &[u8]) -> Option<Vec<String>> {
    let names = match Object::parse(bytes).ok()? {
        Object::Elf(elf) => elf.libraries,
        Object::PE(pe) => pe.libraries,
        Object::Mach(goblin::mach::Mach::Binary(binary)) => binary.libs,
        Object::Mach(goblin::mach::Mach::Fat(fat)) => {
            let parts = fat.into_iter().flatten();
            let names = parts.filter_map(|part| match part {
                goblin::mach::SingleArch::MachO(binary) => Some(binary.libs),
                _ => None,
            });
            names.flatten().collect()
        }
        _ => return None,
    };
    Some(names.into_iter().map(str::to_owned).collect())
}

#[test]
fn the_plugins_name_no_library_of_a_graphics_processor() {
    let mut objects = 0;
    for name in [CLAP_BUNDLE, VST3_BUNDLE] {
        for file in files(&bundle(name).unwrap()) {
            let Some(libraries) = libraries(&fs::read(&file).unwrap()) else {
                continue;
            };
            objects += 1;
            println!("{}: {libraries:?}", file.display());
            assert!(!libraries.is_empty(), "{} names nothing", file.display());
            for library in libraries {
                let lower = library.to_lowercase();
                for other in [
                    "cuda",
                    "cublas",
                    "curand",
                    "nvrtc",
                    "nvidia",
                    "cudnn",
                    "metalperformance",
                    "mkl",
                ] {
                    assert!(!lower.contains(other), "{} needs {library}", file.display());
                }
                let is_known = ON_LINUX.iter().any(|known| library.starts_with(known));
                assert!(
                    is_known || !cfg!(target_os = "linux"),
                    "{} needs {library}",
                    file.display()
                );
            }
        }
    }
    assert_eq!(objects, 2, "each format has an object");
}
