//! The open browser: a folder's list, and the name of the file that is chosen in it.

use std::path::{Path, PathBuf};

use egui::{Align2, Key, Rect, ScrollArea, Sense, TextEdit, Ui, UiBuilder, pos2, vec2};
use weft_core::instrument::Slot;

use super::listing::{Entry, Listing, Purpose};
use crate::editor::layout::columns;
use crate::editor::{theme, widgets};

/// Height of a line in the list, in points.
const LINE: f32 = 22.0;
/// Between the list's edge and its lines, in points.
const LIST_PADDING: f32 = 4.0;

/// A browser while it is open.
pub struct Dialog {
    purpose: Purpose,
    slot: Slot,
    listing: Listing,
    /// The file's name: chosen, or typed.
    name: String,
}

/// What was decided in a frame.
#[derive(Debug, PartialEq)]
pub enum Choice {
    /// Nothing yet.
    None,
    /// No file.
    Cancel,
    /// This file.
    File(PathBuf),
}

/// What was done to a line of the list.
enum Pick {
    /// The folder was entered.
    Folder(PathBuf),
    /// The file's name was clicked.
    Name(String),
    /// The file was double-clicked.
    File(PathBuf),
}

impl Dialog {
    /// A browser in `folder` that looks for a file for `slot`, called `name` to begin with.
    pub fn new(purpose: Purpose, slot: Slot, folder: PathBuf, name: String) -> Self {
        Self {
            purpose,
            slot,
            listing: Listing::read(folder, purpose),
            name,
        }
    }

    /// What a file is looked for.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The slot that is read into or written from.
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// The folder that is listed.
    pub fn folder(&self) -> &Path {
        &self.listing.folder
    }

    /// Draws the browser into all of `ui`.
    pub fn show(&mut self, ui: &mut Ui) -> Choice {
        let area = ui.max_rect();
        // Swallows clicks meant for what it covers.
        ui.interact(area, ui.scope_id().with("surface"), Sense::click_and_drag());
        widgets::panel(ui, area, theme::PANEL);
        let area = area.shrink(theme::GAP);
        let (top, rest) = area.split_top_bottom_at_y(area.top() + theme::ROW);
        let (list, bottom) = rest.split_top_bottom_at_y(rest.bottom() - theme::ROW);
        self.show_folder(ui, top);
        let picked = self.show_list(ui, list.shrink2(vec2(0.0, theme::NARROW_GAP)));
        let picked = self.follow(picked);
        self.show_buttons(ui, bottom, picked)
    }

    /// The folder's path, and the way to the one that it lies in.
    fn show_folder(&mut self, ui: &Ui, row: Rect) {
        let [up, path] = columns(row, [0.12, 1.0]);
        if widgets::button(ui, up, "Up", theme::OUTLINE).clicked()
            && let Some(parent) = self.folder().parent()
        {
            self.enter(parent.to_owned());
        }
        let shown = self.folder().to_string_lossy();
        let left = path.left_center();
        widgets::text_at(ui, left, Align2::LEFT_CENTER, &shown, theme::TEXT);
    }

    /// What the folder offers.
    fn show_list(&self, ui: &mut Ui, area: Rect) -> Option<Pick> {
        widgets::panel(ui, area, theme::BACKGROUND);
        if let Some(text) = self.listing.empty_text() {
            let (at, colour) = (area.center(), theme::TEXT_DIM);
            widgets::text_at(ui, at, Align2::CENTER_CENTER, text, colour);
            return None;
        }
        let mut picked = None;
        let entries = &self.listing.entries;
        let inside = UiBuilder::new().max_rect(area.shrink(LIST_PADDING));
        let mut inside = ui.new_child(inside);
        ScrollArea::vertical().auto_shrink(false).show_rows(
            &mut inside,
            LINE,
            entries.len(),
            |ui, rows| {
                for entry in &entries[rows] {
                    if let Some(pick) = self.show_entry(ui, entry) {
                        picked = Some(pick);
                    }
                }
            },
        );
        picked
    }

    /// A line of the list.
    fn show_entry(&self, ui: &mut Ui, entry: &Entry) -> Option<Pick> {
        let size = vec2(ui.available_width(), LINE);
        let (row, response) = ui.allocate_exact_size(size, Sense::click());
        if response.hovered() || entry.name == self.name {
            widgets::panel(ui, row, theme::TRACK);
        }
        let left = pos2(row.left() + theme::INSET, row.center().y);
        let (text, colour) = if entry.is_folder {
            (format!("{}/", entry.name), theme::ACCENT_BRIGHT)
        } else {
            (entry.name.clone(), theme::TEXT)
        };
        widgets::text_at(ui, left, Align2::LEFT_CENTER, &text, colour);
        let path = || self.folder().join(&entry.name);
        if response.double_clicked() && !entry.is_folder {
            Some(Pick::File(path()))
        } else if response.clicked() && entry.is_folder {
            Some(Pick::Folder(path()))
        } else if response.clicked() {
            Some(Pick::Name(entry.name.clone()))
        } else {
            None
        }
    }

    /// Goes where a click in the list leads.
    fn follow(&mut self, picked: Option<Pick>) -> Choice {
        match picked {
            Some(Pick::Folder(folder)) => self.enter(folder),
            Some(Pick::Name(name)) => self.name = name,
            Some(Pick::File(path)) => return Choice::File(path),
            None => {}
        }
        Choice::None
    }

    /// The file's name and the buttons that decide; `picked` stands if they are left alone.
    fn show_buttons(&mut self, ui: &mut Ui, row: Rect, picked: Choice) -> Choice {
        let [name, cancel, go] = columns(row, [1.0, 0.2, 0.2]);
        let response = ui.put(
            name,
            TextEdit::singleline(&mut self.name)
                .font(theme::body())
                .text_color(theme::TEXT)
                .hint_text("Name of the file")
                .desired_width(name.width()),
        );
        let is_entered = response.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
        let text = match self.purpose {
            Purpose::Load => "Load",
            Purpose::Save => "Save",
        };
        let is_pressed = widgets::button(ui, go, text, theme::ACCENT).clicked();
        let is_escaped = ui.input(|i| i.key_pressed(Key::Escape));
        let is_cancelled = widgets::button(ui, cancel, "Cancel", theme::OUTLINE).clicked();
        if is_escaped || is_cancelled {
            Choice::Cancel
        } else if is_entered || is_pressed {
            self.named().map_or(picked, Choice::File)
        } else {
            picked
        }
    }

    /// The file that is named, if one is: in this folder, or anywhere by its whole path.
    fn named(&self) -> Option<PathBuf> {
        let name = self.name.trim();
        (!name.is_empty()).then(|| self.folder().join(name))
    }

    fn enter(&mut self, folder: PathBuf) {
        self.listing = Listing::read(folder, self.purpose);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_in_the_folder_or_a_whole_path() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        let mut dialog = Dialog::new(Purpose::Load, Slot::A, root.clone(), String::new());
        assert_eq!(dialog.named(), None);
        dialog.name = " rain.weft ".to_owned();
        assert_eq!(dialog.named(), Some(root.join("rain.weft")));
        let elsewhere = std::env::temp_dir().join("elsewhere.weft");
        dialog.name = elsewhere.to_string_lossy().into_owned();
        assert_eq!(dialog.named(), Some(elsewhere));
    }

    #[test]
    fn a_click_on_a_name_fills_it_in_and_a_double_click_chooses() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        let mut dialog = Dialog::new(Purpose::Load, Slot::A, root.clone(), String::new());
        assert_eq!(
            dialog.follow(Some(Pick::Name("a.wav".to_owned()))),
            Choice::None
        );
        assert_eq!(dialog.named(), Some(root.join("a.wav")));
        let file = Some(Pick::File(root.join("b.wav")));
        assert_eq!(dialog.follow(file), Choice::File(root.join("b.wav")));
        assert_eq!(
            dialog.follow(Some(Pick::Folder(root.join("in")))),
            Choice::None
        );
        assert_eq!(dialog.folder(), root.join("in"));
    }
}
