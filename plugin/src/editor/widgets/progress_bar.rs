//! A bar that fills as something gets done.

use egui::{Align2, Color32, Rect, Ui, vec2};

use crate::editor::theme;

/// A progress bar, `done` from 0 to 1.
pub fn progress_bar(ui: &Ui, rect: Rect, done: f32, fill: Color32, text: &str) {
    let painter = ui.painter();
    painter.rect_filled(rect, theme::CORNER, theme::TRACK);
    let filled = Rect::from_min_size(
        rect.min,
        vec2(rect.width() * done.clamp(0.0, 1.0), rect.height()),
    );
    painter.rect_filled(filled, theme::CORNER, fill);
    painter.text(
        rect.center(),
        Align2::CENTER_CENTER,
        text,
        theme::small(),
        theme::TEXT,
    );
}
