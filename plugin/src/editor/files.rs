//! Textures and recordings from and to files, by a browser inside the window: it works in every host, and
//! leaves no thread behind.

use std::path::{Path, PathBuf};

use egui::{Align2, Key, Rect, ScrollArea, Sense, TextEdit, Ui, pos2, vec2};
use weft_core::instrument::Slot;
use weft_core::network::Model;

use super::{columns, theme, widgets};
use crate::session::Session;

/// File name extension of textures.
const EXTENSION: &str = "weft";
/// Those of recordings.
const RECORDINGS: [&str; 8] = ["wav", "wave", "aif", "aiff", "flac", "ogg", "oga", "mp3"];
/// Height of a line in the list.
const LINE: f32 = 22.0;
/// More entries than that are not listed: nobody scrolls so far.
const MOST_ENTRIES: usize = 5_000;

/// The browser of one window.
#[derive(Default)]
pub struct FileBrowser {
    open: Option<Browsing>,
    /// Where it was last.
    folder: Option<PathBuf>,
}

struct Browsing {
    slot: Slot,
    saves: bool,
    folder: PathBuf,
    entries: Vec<Entry>,
    /// Why the folder can't be listed.
    error: Option<String>,
    /// The file's name: chosen, or typed.
    name: String,
}

struct Entry {
    name: String,
    is_folder: bool,
}

impl FileBrowser {
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub fn close(&mut self) {
        self.open = None;
    }

    /// Asks for a texture or a recording for `slot`.
    pub fn load(&mut self, slot: Slot) {
        self.browse(slot, false, String::new());
    }

    /// Asks where the texture of `slot`, called `name`, is to go.
    pub fn save(&mut self, slot: Slot, name: &str) {
        self.browse(slot, true, format!("{}.{EXTENSION}", file_name(name)));
    }

    fn browse(&mut self, slot: Slot, saves: bool, name: String) {
        let home = || std::env::home_dir().unwrap_or_else(|| PathBuf::from("/"));
        let folder = self.folder.clone().filter(|f| f.is_dir());
        let mut browsing = Browsing {
            slot,
            saves,
            folder: folder.unwrap_or_else(home),
            entries: Vec::new(),
            error: None,
            name,
        };
        browsing.list();
        self.open = Some(browsing);
    }

    /// Draws the browser over `area`, if it is open, and does what was chosen.
    pub fn show(&mut self, ui: &mut Ui, area: Rect, session: &Session) {
        let Some(browsing) = &mut self.open else {
            return;
        };
        match browsing.show(ui, area) {
            Choice::None => {}
            Choice::Cancel => self.open = None,
            Choice::File(path) => {
                let (slot, saves) = (browsing.slot, browsing.saves);
                self.folder = Some(browsing.folder.clone());
                self.open = None;
                if saves {
                    save(session, slot, path);
                } else {
                    load(session, slot, path);
                }
            }
        }
    }
}

enum Choice {
    None,
    Cancel,
    File(PathBuf),
}

impl Browsing {
    fn list(&mut self) {
        self.entries.clear();
        self.error = None;
        let listed = match std::fs::read_dir(&self.folder) {
            Ok(listed) => listed,
            Err(error) => {
                self.error = Some(format!("This folder can't be listed: {error}"));
                return;
            }
        };
        let saves = self.saves;
        let entries = listed.flatten().filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            // Follows links, as opening would.
            let is_folder = entry.path().is_dir();
            let wanted = is_folder || is_listed(Path::new(&name), saves);
            (wanted && !name.starts_with('.')).then_some(Entry { name, is_folder })
        });
        self.entries.extend(entries.take(MOST_ENTRIES));
        self.entries
            .sort_by_key(|e| (!e.is_folder, e.name.to_lowercase()));
    }

    fn enter(&mut self, folder: PathBuf) {
        self.folder = folder;
        self.list();
    }

    fn show(&mut self, ui: &mut Ui, area: Rect) -> Choice {
        // Swallows clicks meant for what it covers.
        ui.interact(area, ui.scope_id().with("files"), Sense::click_and_drag());
        widgets::panel(ui, area, theme::PANEL);
        let area = area.shrink(theme::GAP);
        let (top, rest) = area.split_top_bottom_at_y(area.top() + theme::ROW);
        let (list, bottom) = rest.split_top_bottom_at_y(rest.bottom() - theme::ROW);
        let [up, path] = columns(top, [0.12, 1.0]);
        if widgets::button(ui, up, "Up", theme::OUTLINE).clicked()
            && let Some(parent) = self.folder.parent()
        {
            self.enter(parent.to_owned());
        }
        let shown = self.folder.to_string_lossy();
        widgets::text_at(
            ui,
            path.left_center(),
            Align2::LEFT_CENTER,
            &shown,
            theme::TEXT,
        );

        let mut choice = self.show_list(ui, list.shrink2(vec2(0.0, theme::NARROW_GAP)));
        let [name, cancel, go] = columns(bottom, [1.0, 0.2, 0.2]);
        let response = ui.put(
            name,
            TextEdit::singleline(&mut self.name)
                .font(theme::body())
                .text_color(theme::TEXT)
                .hint_text("Name of the file")
                .desired_width(name.width()),
        );
        let entered = response.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
        let text = if self.saves { "Save" } else { "Load" };
        let pressed = widgets::button(ui, go, text, theme::ACCENT).clicked();
        if (entered || pressed) && !self.name.trim().is_empty() {
            // A whole path can be typed too.
            choice = Choice::File(self.folder.join(self.name.trim()));
        }
        let escaped = ui.input(|i| i.key_pressed(Key::Escape));
        if escaped || widgets::button(ui, cancel, "Cancel", theme::OUTLINE).clicked() {
            choice = Choice::Cancel;
        }
        choice
    }

    fn show_list(&mut self, ui: &mut Ui, area: Rect) -> Choice {
        widgets::panel(ui, area, theme::BACKGROUND);
        let empty = if self.entries.is_empty() {
            Some("There is nothing that Weft reads in this folder.")
        } else {
            None
        };
        if let Some(text) = self.error.as_deref().or(empty) {
            widgets::text_at(
                ui,
                area.center(),
                Align2::CENTER_CENTER,
                text,
                theme::TEXT_DIM,
            );
            return Choice::None;
        }
        let mut folder = None;
        let mut choice = Choice::None;
        let mut inside = ui.new_child(egui::UiBuilder::new().max_rect(area.shrink(4.0)));
        ScrollArea::vertical().auto_shrink(false).show_rows(
            &mut inside,
            LINE,
            self.entries.len(),
            |ui, rows| {
                for entry in &self.entries[rows] {
                    let size = vec2(ui.available_width(), LINE);
                    let (row, response) = ui.allocate_exact_size(size, Sense::click());
                    let is_chosen = entry.name == self.name;
                    if response.hovered() || is_chosen {
                        widgets::panel(ui, row, theme::TRACK);
                    }
                    let left = pos2(row.left() + theme::INSET, row.center().y);
                    let (text, colour) = if entry.is_folder {
                        (format!("{}/", entry.name), theme::ACCENT_BRIGHT)
                    } else {
                        (entry.name.clone(), theme::TEXT)
                    };
                    widgets::text_at(ui, left, Align2::LEFT_CENTER, &text, colour);
                    if response.double_clicked() && !entry.is_folder {
                        choice = Choice::File(self.folder.join(&entry.name));
                    } else if response.clicked() {
                        if entry.is_folder {
                            folder = Some(self.folder.join(&entry.name));
                        } else {
                            self.name.clone_from(&entry.name);
                        }
                    }
                }
            },
        );
        if let Some(folder) = folder {
            self.enter(folder);
        }
        choice
    }
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension()
        .is_some_and(|e| e.eq_ignore_ascii_case(extension))
}

/// Whether a file is offered.
fn is_listed(path: &Path, saves: bool) -> bool {
    let is_recording = RECORDINGS.iter().any(|e| has_extension(path, e));
    has_extension(path, EXTENSION) || (is_recording && !saves)
}

/// A name that every file system takes.
fn file_name(name: &str) -> String {
    let printed = name.chars().map(|c| match c {
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '-',
        c => c,
    });
    let name: String = printed.collect();
    let name = name.trim_matches(['.', ' ']);
    if name.is_empty() {
        "texture".to_owned()
    } else {
        name.to_owned()
    }
}

/// Puts a texture or a recording into a slot.
fn load(session: &Session, slot: Slot, path: PathBuf) {
    if !has_extension(&path, EXTENSION) {
        return session.instrument().load_file(slot, path);
    }
    match Model::read(&path) {
        Ok(model) if model.name().is_empty() => {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            session.instrument().play(slot, model.named(&name));
        }
        Ok(model) => session.instrument().play(slot, model),
        Err(error) => session.report_error(format!("{} can't be loaded: {error}", path.display())),
    }
}

/// Writes the texture of a slot.
fn save(session: &Session, slot: Slot, path: PathBuf) {
    let Some(model) = session.instrument().texture(slot) else {
        return session.report_error(format!("Slot {} is empty.", slot.letter()));
    };
    let path = with_extension(path);
    if let Err(error) = model.write(&path) {
        session.report_error(format!("{} can't be saved: {error}", path.display()));
    }
}

fn with_extension(path: PathBuf) -> PathBuf {
    if has_extension(&path, EXTENSION) {
        return path;
    }
    let mut name = path.into_os_string();
    name.push(".");
    name.push(EXTENSION);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_after_their_texture() {
        assert_eq!(file_name("Rain, heavy"), "Rain, heavy");
        assert_eq!(file_name("a/b:c?"), "a-b-c-");
        assert_eq!(file_name(" ... "), "texture");
        assert_eq!(with_extension("rain".into()), PathBuf::from("rain.weft"));
        assert_eq!(with_extension("r.v2".into()), PathBuf::from("r.v2.weft"));
        assert_eq!(with_extension("r.WEFT".into()), PathBuf::from("r.WEFT"));
    }

    #[test]
    fn a_folder_lists_what_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.weft", "a.WAV", "notes.txt", ".hidden.wav"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::create_dir(folder.path().join("Z")).unwrap();
        let listed = |saves| {
            let mut browser = FileBrowser {
                open: None,
                folder: Some(folder.path().to_owned()),
            };
            browser.browse(Slot::A, saves, String::new());
            let entries = browser.open.unwrap().entries;
            entries.into_iter().map(|e| e.name).collect::<Vec<_>>()
        };
        assert_eq!(listed(false), ["Z", "a.WAV", "b.weft"]);
        assert_eq!(listed(true), ["Z", "b.weft"]);
    }

    #[test]
    fn what_is_saved_can_be_loaded_and_what_cannot_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let session = Session::new().0;
        save(&session, Slot::A, folder.path().join("none"));
        assert!(session.status().error.unwrap().contains("Slot A is empty"));
        load(&session, Slot::A, folder.path().join("none.weft"));
        assert!(session.status().error.unwrap().contains("none.weft"));
    }
}
