//! The window.

use std::sync::Arc;

use egui::Ui;
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::LogicalSize;
use nice_plug_egui::{
    EguiEditor, EguiEditorState, EguiNiceSettings, Frame, NiceEguiApp, RepaintNotifier, baseview,
    create_egui_editor,
};

use crate::parameters::WeftParams;
use crate::session::Session;

const WIDTH: f32 = 520.0;
const HEIGHT: f32 = 360.0;

/// Makes the window of one instance; it opens when the host asks.
pub fn create(params: Arc<WeftParams>, session: Arc<Session>) -> Option<EguiEditor<EditorApp>> {
    create_egui_editor(
        EguiEditorState::from_size(LogicalSize::new(WIDTH, HEIGHT), 1.0),
        RepaintNotifier::new(),
        EguiNiceSettings::new().with_tile("Weft"),
        EditorApp {
            params,
            session,
            gui_context: None,
        },
    )
}

/// Draws the window.
pub struct EditorApp {
    params: Arc<WeftParams>,
    session: Arc<Session>,
    gui_context: Option<GuiContext>,
}

impl NiceEguiApp for EditorApp {
    fn build(
        &mut self,
        _context: egui::Context,
        gui_context: GuiContext,
        _frame: &mut Frame,
    ) -> Result<(), baseview::HandlerError> {
        self.gui_context = Some(gui_context);
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut Frame) {
        ui.label("Weft");
        let _ = (&self.params, &self.session);
    }

    fn editor_closed(&mut self) {
        self.gui_context = None;
    }
}
