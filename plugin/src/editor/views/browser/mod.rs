//! Textures and recordings from and to files, by a browser inside the window: it works in every host, and
//! leaves no thread behind.

mod dialog;
mod files;
mod listing;

use std::path::PathBuf;

use egui::Ui;
use weft_core::instrument::Slot;

use super::ViewContext;
use dialog::{Choice, Dialog};
use files::{load, named_file, save};
use listing::Purpose;

/// What the browser is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum FileRequest {
    /// A texture or a recording for a slot.
    Load(Slot),
    /// Where the texture of a slot is to go, and what the texture is called.
    Save(Slot, String),
}

/// The browser of one window.
#[derive(Default)]
pub struct Browser {
    open: Option<Dialog>,
    /// Where the last file was chosen.
    last_folder: Option<PathBuf>,
}

impl Browser {
    /// Whether the browser is shown.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Shows the browser, where it was last or else in the user's home.
    pub fn open(&mut self, request: FileRequest) {
        let (purpose, slot, name) = match request {
            FileRequest::Load(slot) => (Purpose::Load, slot, String::new()),
            FileRequest::Save(slot, name) => (Purpose::Save, slot, named_file(&name)),
        };
        let home = || std::env::home_dir().unwrap_or_else(|| PathBuf::from("/"));
        let folder = self.last_folder.clone().filter(|folder| folder.is_dir());
        let folder = folder.unwrap_or_else(home);
        self.open = Some(Dialog::new(purpose, slot, folder, name));
    }

    /// Forgets what was going to be chosen.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// Draws the browser over all of `ui`, if it is open, and does what was chosen.
    pub fn show(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        let Some(dialog) = &mut self.open else {
            return;
        };
        match dialog.show(ui) {
            Choice::None => {}
            Choice::Cancel => self.close(),
            Choice::File(path) => {
                let (purpose, slot) = (dialog.purpose(), dialog.slot());
                self.last_folder = Some(dialog.folder().to_owned());
                self.close();
                match purpose {
                    Purpose::Load => load(context.session, slot, path),
                    Purpose::Save => save(context.session, slot, path),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::test_window::TestWindow;

    fn browser(folder: &std::path::Path) -> Browser {
        Browser {
            open: None,
            last_folder: Some(folder.to_owned()),
        }
    }

    #[test]
    fn a_closed_browser_shows_nothing() {
        let mut window = TestWindow::instrument();
        let mut browser = Browser::default();
        let shown = window.frame(|ui, context| browser.show(ui, context));
        assert!(shown.texts().is_empty());
    }

    #[test]
    fn a_file_is_chosen_and_loaded() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("broken.weft"), "").unwrap();
        let mut window = TestWindow::instrument();
        let mut browser = browser(folder.path());
        browser.open(FileRequest::Load(Slot::A));
        window.click("broken.weft", |ui, context| browser.show(ui, context));
        window.click("Load", |ui, context| browser.show(ui, context));
        assert!(!browser.is_open());
        let error = window.session.status().error.unwrap();
        assert!(error.contains("broken.weft"), "{error}");
    }

    #[test]
    fn a_texture_is_saved_under_its_name_and_cancel_closes() {
        let folder = tempfile::tempdir().unwrap();
        let mut window = TestWindow::instrument();
        let mut browser = browser(folder.path());
        browser.open(FileRequest::Save(Slot::B, "Rain".to_owned()));
        let shown = window.frame(|ui, context| browser.show(ui, context));
        assert!(shown.has("Rain.weft"), "{:?}", shown.texts());
        window.click("Save", |ui, context| browser.show(ui, context));
        let error = window.session.status().error.unwrap();
        assert!(error.contains("Slot B is empty"), "{error}");
        browser.open(FileRequest::Load(Slot::A));
        window.click("Cancel", |ui, context| browser.show(ui, context));
        assert!(!browser.is_open());
    }

    #[test]
    fn folders_are_entered_and_left() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("Inside")).unwrap();
        std::fs::write(folder.path().join("Inside").join("a.wav"), "").unwrap();
        let mut window = TestWindow::instrument();
        let mut browser = browser(folder.path());
        browser.open(FileRequest::Load(Slot::A));
        window.click("Inside/", |ui, context| browser.show(ui, context));
        let shown = window.frame(|ui, context| browser.show(ui, context));
        assert!(shown.has("a.wav"), "{:?}", shown.texts());
        window.click("Up", |ui, context| browser.show(ui, context));
        let shown = window.frame(|ui, context| browser.show(ui, context));
        assert!(shown.has("Inside/"), "{:?}", shown.texts());
    }
}
