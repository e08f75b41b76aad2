//! The window's own controls. Each is a function that draws it in a place and says or does what the user
//! asks of it; what has to be remembered from frame to frame is in egui's memory, which dies with the
//! window.

mod bar;
mod button;
mod choice;
mod meter;
mod progress_bar;
mod switch;

pub use bar::parameter_bar;
pub use button::{button, guarded_button};
pub use choice::parameter_choice;
pub use meter::{Needle, level_meter};
pub use progress_bar::progress_bar;
pub use switch::{parameter_switch, switch};

use egui::{Align2, Color32, CornerRadius, Pos2, Rect, Stroke, StrokeKind, Ui, vec2};
use nice_plug::prelude::{Param, ParamSetter};

use super::theme;

/// Radius of a panel's corners in points.
const PANEL_CORNER: u8 = 6;
/// The outline's opacity.
const OUTLINE_OPACITY: f32 = 0.7;

/// Sets a parameter at one go, for the host to record.
pub fn set_once<P: Param>(param: &P, setter: &ParamSetter<'_>, normalized: f32) {
    setter.begin_set_parameter(param);
    setter.set_parameter(param, param.preview_plain(normalized));
    setter.end_set_parameter(param);
}

/// A rounded surface that groups controls.
pub fn panel(ui: &Ui, rect: Rect, fill: Color32) {
    ui.painter()
        .rect_filled(rect, CornerRadius::same(PANEL_CORNER), fill);
}

/// One line of text.
pub fn text_at(ui: &Ui, at: Pos2, anchor: Align2, text: &str, colour: Color32) -> Rect {
    ui.painter().text(at, anchor, text, theme::small(), colour)
}

/// A frame around what the pointer is on.
pub fn outline(ui: &Ui, rect: Rect, colour: Color32) {
    ui.painter().rect_stroke(
        rect,
        theme::CORNER,
        Stroke::new(1.0, colour.gamma_multiply(OUTLINE_OPACITY)),
        StrokeKind::Inside,
    );
}

/// A control's name at its left end, and its value at its right one.
fn label_and_value(ui: &Ui, rect: Rect, label: &str, value: &str) {
    let inset = vec2(theme::INSET, 0.0);
    let (left, right) = (rect.left_center() + inset, rect.right_center() - inset);
    text_at(ui, left, Align2::LEFT_CENTER, label, theme::TEXT);
    text_at(ui, right, Align2::RIGHT_CENTER, value, theme::TEXT);
}
