//! A push button.

use egui::{Align2, Color32, CursorIcon, Rect, Response, Sense, Ui};

use super::outline;
use crate::editor::theme;

/// Opacity of a button that is held down.
const PRESSED_OPACITY: f32 = 0.7;

/// A push button; `fill` says what it does.
pub fn button(ui: &Ui, rect: Rect, text: &str, fill: Color32) -> Response {
    let response = ui
        .interact(rect, ui.scope_id().with(("button", text)), Sense::click())
        .on_hover_cursor(CursorIcon::PointingHand);
    let fill = if response.is_pointer_button_down_on() {
        fill.gamma_multiply(PRESSED_OPACITY)
    } else {
        fill
    };
    ui.painter().rect_filled(rect, theme::CORNER, fill);
    if response.hovered() {
        outline(ui, rect, theme::TEXT);
    }
    ui.painter().text(
        rect.center(),
        Align2::CENTER_CENTER,
        text,
        theme::body(),
        theme::TEXT,
    );
    response
}

/// A push button that may have nothing to do, which its colour says; whether it was clicked and has.
pub fn guarded_button(ui: &Ui, rect: Rect, text: &str, is_enabled: bool) -> bool {
    let fill = if is_enabled {
        theme::OUTLINE
    } else {
        theme::TRACK
    };
    button(ui, rect, text, fill).clicked() && is_enabled
}
