//! The arrows of docs/architecture.md, read from the code: which room of a crate may name which, and no circles
//! between files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// A module by its path from the crate's root, such as `["instrument", "audio", "player"]`.
type Module = Vec<String>;

/// What one crate's files take from each other.
struct Crate {
    modules: BTreeMap<Module, File>,
}

/// What a file says, as far as names of other files are concerned; tests are left out.
#[derive(Default)]
struct File {
    /// Paths that it uses, from the crate's root.
    paths: BTreeSet<Vec<String>>,
    /// Names that it hands on from other modules, and where those are.
    handed_on: BTreeMap<String, Vec<String>>,
    /// Its modules that hold only tests.
    tests: Vec<Module>,
}

impl Crate {
    fn read(folder: &Path) -> Self {
        let mut modules = BTreeMap::new();
        read_folder(folder, &mut Vec::new(), &mut modules);
        let tests: Vec<Module> = modules
            .values()
            .flat_map(|file: &File| file.tests.clone())
            .collect();
        modules.retain(|module, _| !tests.iter().any(|test| module.starts_with(test)));
        assert!(modules.len() > 3, "no code in {}", folder.display());
        Self { modules }
    }

    /// The module that a path leads to, through what modules hand on.
    fn resolve(&self, path: &[String]) -> Module {
        let mut path = path.to_vec();
        // A name may be handed on a few times.
        for _ in 0..8 {
            let at = self.known(&path);
            let handed_on = &self.modules.get(&path[..at]).map(|file| &file.handed_on);
            let next = handed_on.and_then(|names| names.get(path.get(at)?));
            let Some(next) = next.filter(|next| **next != path) else {
                break;
            };
            path = next.iter().chain(&path[at + 1..]).cloned().collect();
        }
        let at = self.known(&path);
        path.truncate(at);
        path
    }

    /// How many of the names of a path lead to a module.
    fn known(&self, path: &[String]) -> usize {
        let is_module = |n: &usize| self.modules.contains_key(&path[..*n]);
        (0..=path.len()).rev().find(is_module).unwrap_or(0)
    }

    /// From every module to those that it names.
    fn arrows(&self) -> BTreeMap<&Module, BTreeSet<Module>> {
        self.modules
            .iter()
            .map(|(module, file)| {
                let mut to: BTreeSet<_> =
                    file.paths.iter().map(|path| self.resolve(path)).collect();
                to.remove(module);
                // The root only lists the rooms.
                to.remove(&Module::new());
                (module, to)
            })
            .collect()
    }

    /// A circle of modules that name each other, if there is one.
    fn circle(&self) -> Option<Vec<Module>> {
        let mut arrows = self.arrows();
        // What nothing leads out of is in no circle; take it away until only circles are left.
        loop {
            let ends: BTreeSet<Module> = arrows
                .iter()
                .filter(|a| a.1.is_empty())
                .map(|a| a.0.to_vec())
                .collect();
            if ends.is_empty() {
                break;
            }
            arrows.retain(|module, _| !ends.contains(*module));
            for to in arrows.values_mut() {
                to.retain(|module| !ends.contains(module));
            }
        }
        let mut at = (*arrows.keys().next()?).clone();
        let mut way: Vec<Module> = Vec::new();
        while !way.contains(&at) {
            way.push(at.clone());
            at = arrows[&at].first()?.clone();
        }
        let begin = way.iter().position(|module| *module == at)?;
        Some(way.split_off(begin))
    }
}

fn read_folder(folder: &Path, at: &mut Module, modules: &mut BTreeMap<Module, File>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut entries: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            at.push(name);
            read_folder(&path, at, modules);
            at.pop();
            continue;
        }
        if path.extension().is_none_or(|e| e != "rs") {
            continue;
        }
        let is_own = !["mod", "lib", "main"].contains(&name.as_str());
        if is_own {
            at.push(name);
        }
        let code = std::fs::read_to_string(&path).unwrap();
        let syntax = syn::parse_file(&code).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut reader = Reader {
            module: at,
            file: File::default(),
        };
        reader.visit_file(&syntax);
        let file = reader.file;
        modules.insert(at.clone(), file);
        if is_own {
            at.pop();
        }
    }
}

struct Reader<'a> {
    module: &'a Module,
    file: File,
}

impl Reader<'_> {
    /// A path from the crate's root, if it is one of the crate's.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let mut base = self.module.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => (base, rest) = (Module::new(), &path[1..]),
            "self" => rest = &path[1..],
            "super" => {}
            _ => return None,
        }
        while let [first, more @ ..] = rest
            && first == "super"
        {
            base.pop();
            rest = more;
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// Every path that a `use` names, with the name that it gets.
    fn leaves(tree: &syn::UseTree, way: &mut Vec<String>, leaves: &mut Vec<(Vec<String>, String)>) {
        match tree {
            syn::UseTree::Path(path) => {
                way.push(path.ident.to_string());
                Self::leaves(&path.tree, way, leaves);
                way.pop();
            }
            syn::UseTree::Group(group) => {
                group
                    .items
                    .iter()
                    .for_each(|tree| Self::leaves(tree, way, leaves));
            }
            syn::UseTree::Name(name) => {
                let name = name.ident.to_string();
                let mut path = way.clone();
                if name != "self" {
                    path.push(name.clone());
                }
                leaves.push((path, name));
            }
            syn::UseTree::Rename(rename) => {
                let mut path = way.clone();
                path.push(rename.ident.to_string());
                leaves.push((path, rename.rename.to_string()));
            }
            syn::UseTree::Glob(_) => leaves.push((way.clone(), "*".to_owned())),
        }
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string().contains("test"))
    })
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if is_test(&item.attrs) {
            let mut module = self.module.clone();
            module.push(item.ident.to_string());
            self.file.tests.push(module);
        } else {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if !is_test(&item.attrs) {
            visit::visit_item_impl(self, item);
        }
    }

    /// Who may see an item is no arrow.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if is_test(&item.attrs) {
            return;
        }
        let hands_on = !matches!(item.vis, syn::Visibility::Inherited);
        let mut leaves = Vec::new();
        Self::leaves(&item.tree, &mut Vec::new(), &mut leaves);
        for (mut path, name) in leaves {
            if hands_on && !["crate", "self", "super"].contains(&path[0].as_str()) {
                // A module's own child.
                path.insert(0, "self".to_owned());
            }
            let Some(path) = self.absolute(&path) else {
                continue;
            };
            if hands_on {
                self.file.handed_on.insert(name, path);
            } else {
                self.file.paths.insert(path);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if let Some(path) = self.absolute(&names) {
            self.file.paths.insert(path);
        }
        visit::visit_path(self, path);
    }
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Asserts that rooms name only rooms of lower floors. `floors` lists them from below, those that must not name each
/// other on one floor; a room is given by its path, and what lies deeper belongs to it.
fn assert_floors(code: &Crate, floors: &[&[&str]]) {
    let rooms = floors.iter().enumerate();
    let rooms: Vec<(usize, Vec<&str>)> = rooms
        .flat_map(|(floor, rooms)| {
            rooms
                .iter()
                .map(move |room| (floor, room.split('/').collect()))
        })
        .collect();
    let room_of = |module: &Module| {
        let holds = |room: &&(usize, Vec<&str>)| {
            module.len() >= room.1.len() && room.1.iter().zip(module).all(|(a, b)| a == b)
        };
        rooms.iter().filter(holds).max_by_key(|room| room.1.len())
    };
    let mut wrong = Vec::new();
    for (from, tos) in code.arrows() {
        let Some((floor, room)) = room_of(from) else {
            assert!(
                from.len() < 2,
                "{} is in no room: give it a floor here and in docs/architecture.md",
                from.join("/")
            );
            continue;
        };
        for to in tos {
            if let Some((lower, other)) = room_of(&to)
                && other != room
                && lower >= floor
            {
                wrong.push(format!("{} -> {}", from.join("/"), to.join("/")));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "arrows that run back up:\n{}",
        wrong.join("\n")
    );
}

fn assert_no_circles(code: &Crate) {
    if let Some(circle) = code.circle() {
        let circle: Vec<_> = circle.iter().map(|module| module.join("/")).collect();
        panic!("a circle: {}", circle.join(" -> "));
    }
}

#[test]
fn rooms_of_core_name_lower_floors_only() {
    let core = Crate::read(&workspace().join("core/src"));
    assert_no_circles(&core);
    assert_floors(
        &core,
        &[
            &["numeric", "ring"],
            &["clip"],
            &["spectrum"],
            &["inversion", "network", "procedural"],
            &["texture"],
            &["fit"],
            &["render", "instrument/controls"],
            &["instrument/bank"],
            &["instrument/stream"],
            &["instrument/shared"],
            // Threads: neither can name what the other owns.
            &["instrument/audio", "instrument/worker", "instrument/status"],
            &["instrument/handle"],
            &["instrument"],
        ],
    );
}

#[test]
fn rooms_of_the_plugin_name_lower_floors_only() {
    let plugin = Crate::read(&workspace().join("plugin/src"));
    assert_no_circles(&plugin);
    assert_floors(
        &plugin,
        &[
            &[
                "text",
                "background",
                "denormals",
                "capture",
                "notes",
                "panics",
                "rest",
                "program",
            ],
            &["channel_messages"],
            &["mpe"],
            &["link", "imprint", "helper"],
            &["session"],
            &["project"],
            &["parameters"],
            &["instance"],
            &["editor"],
            &["roles"],
            &["plugin"],
            &["host"],
        ],
    );
}

#[test]
fn rooms_of_the_lab_name_lower_floors_only() {
    let lab = Crate::read(&workspace().join("lab/src"));
    assert_no_circles(&lab);
    assert_floors(
        &lab,
        &[
            &["device", "curve", "lbfgs", "objective", "tensors"],
            &["error"],
            &[
                "axes",
                "cochlea",
                "envelopes",
                "fit",
                "network",
                "spectrogram",
            ],
            &["loss"],
            &["optimize"],
            &["methods"],
            &["table"],
        ],
    );
}

#[test]
fn tools_have_no_circles() {
    for folder in ["cli/src", "xtask/src", "tests/src"] {
        assert_no_circles(&Crate::read(&workspace().join(folder)));
    }
}

/// Names of the packages that a package of the workspace asks for.
fn dependencies(package: &str) -> String {
    std::fs::read_to_string(workspace().join(package).join("Cargo.toml")).unwrap()
}

#[test]
fn core_knows_nothing_of_plugins_windows_hosts_or_tensors() {
    let core = dependencies("core");
    for foreign in ["nice-plug", "egui", "clap-sys", "vst3", "clack", "candle"] {
        assert!(!core.contains(foreign), "core asks for {foreign}");
    }
    for package in ["core", "plugin"] {
        for above in ["weft-cli", "weft-hosts", "weft-lab", "candle"] {
            assert!(
                !dependencies(package).contains(above),
                "{package} asks for {above}"
            );
        }
    }
}
