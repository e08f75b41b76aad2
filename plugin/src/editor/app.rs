//! The window's state, from its opening to its closing, and what happens in a frame.

use std::sync::Arc;
use std::time::Instant;

use egui::{Align2, Ui};
use nice_plug::context::gui::GuiContext;
use nice_plug_egui::{Frame, NiceEguiApp, baseview};
use weft_core::instrument::Controls;

use super::pace::Pace;
use super::views::{ViewContext, Views};
use super::waking::Waking;
use super::{theme, widgets};
use crate::parameters::WeftParams;
use crate::session::Session;

/// The window of one instance. It lives as long as the instance does; the host opens and closes it.
pub struct EditorApp {
    name: &'static str,
    params: Arc<WeftParams>,
    session: Arc<Session>,
    /// The way to the host while the window is open.
    gui_context: Option<GuiContext>,
    views: Views,
    /// Revision of the instrument in the frame before.
    revision: u64,
    /// The settings in the frame before.
    controls: Controls,
    pace: Pace,
    /// Drawing has panicked: the window stays empty rather than panic thirty times a second.
    is_broken: bool,
}

impl EditorApp {
    /// A closed window of the plugin `name`.
    pub fn new(name: &'static str, params: Arc<WeftParams>, session: Arc<Session>) -> Self {
        Self {
            views: Views::new(&params),
            name,
            params,
            session,
            gui_context: None,
            revision: 0,
            controls: Controls::DEFAULT,
            pace: Pace::default(),
            is_broken: false,
        }
    }

    fn draw(&mut self, ui: &mut Ui, gui_context: &GuiContext) {
        self.params.project.poll();
        let status = self.session.status();
        let context = ViewContext {
            name: self.name,
            params: &self.params,
            setter: gui_context.param_setter(),
            session: &self.session,
            slot: self.params.play.slot.value().into(),
            status: &status,
            now: Instant::now(),
        };
        self.views.show(ui, &context);
        let now = context.now;
        let is_new = std::mem::replace(&mut self.revision, status.revision) != status.revision;
        let is_imprinting = self.session.imprints().status().is_some();
        let is_busy = self.session.instrument().is_busy();
        self.wake(is_new || is_busy);
        let controls = self.params.controls();
        let is_moved = std::mem::replace(&mut self.controls, controls) != controls;
        let is_changing = is_busy || is_imprinting || is_moved;
        self.pace.see(&status, is_new || is_changing, now);
    }

    /// Has the host process a plugin that rests, where something is new or in the making: the streams of the
    /// notes to come are made of it. Asks again where that was not heard.
    fn wake(&self, has_news: bool) {
        if has_news {
            self.session.rest().end();
        } else {
            self.session.rest().remind();
        }
    }
}

impl NiceEguiApp for EditorApp {
    fn build(
        &mut self,
        context: egui::Context,
        gui_context: GuiContext,
        frame: &mut Frame,
    ) -> Result<(), baseview::HandlerError> {
        theme::apply(&context);
        frame.set_clear_color(theme::BACKGROUND.into());
        self.gui_context = Some(Waking::around(gui_context, self.session.clone()));
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut Frame) {
        ui.ctx().request_repaint_after(self.pace.interval());
        if self.is_broken {
            widgets::text_at(
                ui,
                ui.max_rect().center(),
                Align2::CENTER_CENTER,
                "The window met an internal error. The sound goes on; reopen the window.",
                theme::WARNING,
            );
            return;
        }
        let Some(gui_context) = self.gui_context.clone() else {
            return;
        };
        let session = self.session.clone();
        self.is_broken = session
            .contain("drawing the window", || self.draw(ui, &gui_context))
            .is_none();
    }

    fn editor_closed(&mut self) {
        self.gui_context = None;
        self.views.close();
        self.pace = Pace::default();
        self.is_broken = false;
    }
}
