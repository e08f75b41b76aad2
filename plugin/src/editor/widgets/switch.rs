//! A bar that lights up, and an on-off parameter as one.

use egui::{CursorIcon, Rect, Sense, Ui};
use nice_plug::prelude::{Param, ParamSetter};

use super::{label_and_value, outline, set_once};
use crate::editor::theme;

/// A bar that lights up; whether it was clicked.
pub fn switch(ui: &Ui, rect: Rect, label: &str, value: &str, is_lit: bool) -> bool {
    let response = ui
        .interact(rect, ui.scope_id().with(label), Sense::click())
        .on_hover_cursor(CursorIcon::PointingHand);
    let fill = if is_lit { theme::ACCENT } else { theme::TRACK };
    ui.painter().rect_filled(rect, theme::CORNER, fill);
    if response.hovered() {
        outline(ui, rect, theme::ACCENT_BRIGHT);
    }
    label_and_value(ui, rect, label, value);
    response.clicked()
}

/// An on-off parameter as a bar that lights up.
pub fn parameter_switch<P: Param<Plain = bool>>(
    ui: &Ui,
    rect: Rect,
    param: &P,
    setter: &ParamSetter<'_>,
) {
    let is_lit = param.modulated_plain_value();
    if switch(ui, rect, param.name(), &param.to_string(), is_lit) {
        let is_on = param.unmodulated_plain_value();
        set_once(param, setter, if is_on { 0.0 } else { 1.0 });
    }
}
