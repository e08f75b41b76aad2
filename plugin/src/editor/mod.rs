//! The window: what Weft hears, what it is doing, and the controls to play it. Everything here runs on
//! the thread of the window; none of it on the audio thread.
//!
//! - `app`: the window's state, and what happens in a frame.
//! - `pace`: how often it is drawn.
//! - `layout`: where everything lies. `theme`: what colour and size it has.
//! - `views`: the parts of the window, each with the state that is its own. What a view draws in a frame
//!   depends on that, and on what `ViewContext` lends to all of them; no view knows another.
//! - `widgets`: the controls that views are made of.
//! - `waking`: what the window sets reaches a plugin that rests.
//! - `wording`: what more than one view says.

mod app;
mod layout;
mod pace;
#[cfg(test)]
mod test_window;
mod theme;
mod views;
mod waking;
mod widgets;
mod wording;

use std::sync::Arc;

use nice_plug::editor::dpi::LogicalSize;
use nice_plug_egui::{
    EguiEditor, EguiEditorState, EguiNiceSettings, RepaintNotifier, create_egui_editor,
};

use crate::parameters::WeftParams;
use crate::session::Session;
pub use app::EditorApp;
use layout::WINDOW_SIZE;

/// Makes the window of one instance; it opens when the host asks.
pub fn create(
    name: &'static str,
    params: Arc<WeftParams>,
    session: Arc<Session>,
) -> Option<EguiEditor<EditorApp>> {
    create_egui_editor(
        EguiEditorState::from_size(LogicalSize::new(WINDOW_SIZE.x, WINDOW_SIZE.y), 1.0),
        RepaintNotifier::new(),
        EguiNiceSettings::new().with_tile(name),
        EditorApp::new(name, params, session),
    )
}
