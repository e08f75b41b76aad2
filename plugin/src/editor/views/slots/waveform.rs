//! The capture's outline, with the part that is used; its ends can be dragged.

use std::ops::Range;

use egui::{Align2, CursorIcon, Pos2, Rect, Response, Sense, Stroke, Ui, vec2};
use weft_core::instrument::{Slot, SlotStatus};

use super::ViewContext;
use super::outline::Outline;
use super::trim::{TimeAxis, TrimEnd, length_text};
use crate::editor::{theme, widgets};

/// The height of the loudest sample, as a share of the view's: nearly to its edges.
const PEAK_HEIGHT: f32 = 0.46;
/// Opacity of what is behind the length's text.
const LABEL_OPACITY: f32 = 0.7;

/// What the texture of the chosen slot was learned from.
#[derive(Default)]
pub struct WaveformView {
    outline: Option<Outline>,
    drag: Option<Drag>,
}

/// A drag at an end of the used part, until it is let go.
struct Drag {
    slot: Slot,
    /// The part as it would be used, in seconds.
    used_s: Range<f64>,
    end: TrimEnd,
}

impl WaveformView {
    /// Draws the view into `area`.
    pub fn show(&mut self, ui: &Ui, area: Rect, context: &ViewContext<'_>) {
        widgets::panel(ui, area, theme::TRACK);
        let slot_status = context.slot_status();
        let Some((duration_s, used_s)) = slot_status.capture_s.clone() else {
            let (text, colour) = (missing_text(slot_status), theme::TEXT_DIM);
            widgets::text_at(ui, area.center(), Align2::CENTER_CENTER, text, colour);
            self.drag = None;
            return;
        };
        self.update_outline(area.width() as usize, context);
        // A host may choose another slot in the middle of a drag.
        self.drag.take_if(|drag| drag.slot != context.slot);
        let used_s = match &self.drag {
            Some(drag) => drag.used_s.clone(),
            None => used_s,
        };
        let axis = TimeAxis {
            x: area.x_range(),
            duration_s,
        };
        if let Some(outline) = &self.outline {
            draw_outline(ui, area, outline, axis, &used_s);
        }
        for s in [used_s.start, used_s.end] {
            let stroke = Stroke::new(2.0, theme::TEXT);
            ui.painter().vline(axis.x_of(s), area.y_range(), stroke);
        }
        draw_length(ui, area, &length_text(&used_s, duration_s));
        let response = ui
            .interact(
                area,
                ui.scope_id().with("waveform"),
                Sense::click_and_drag(),
            )
            .on_hover_cursor(CursorIcon::ResizeHorizontal)
            .on_hover_text(
                "Drag an end of the bright part to choose what the texture is learned from; \
                 double-click to use the whole capture.",
            );
        self.respond(ui, &response, axis, used_s, context);
    }

    /// Drops a drag that is not let go yet.
    pub fn close(&mut self) {
        self.drag = None;
    }

    fn update_outline(&mut self, width: usize, context: &ViewContext<'_>) {
        let Some(capture) = context.instrument().capture(context.slot) else {
            self.outline = None;
            return;
        };
        let is_drawn = |outline: &Outline| outline.is_of(&capture, width);
        if !self.outline.as_ref().is_some_and(is_drawn) {
            self.outline = Some(Outline::new(capture, width));
        }
    }

    /// Begins, continues or ends a drag; a double click uses the whole capture.
    fn respond(
        &mut self,
        ui: &Ui,
        response: &Response,
        axis: TimeAxis,
        used_s: Range<f64>,
        context: &ViewContext<'_>,
    ) {
        let slot = context.slot;
        let at = response.interact_pointer_pos();
        if let (true, Some(Pos2 { x, .. })) = (response.drag_started(), at) {
            let pressed = ui.input(|i| i.pointer.press_origin()).map_or(x, |p| p.x);
            let (start, end) = (axis.x_of(used_s.start), axis.x_of(used_s.end));
            if let Some(end) = TrimEnd::near(pressed, start, end) {
                self.drag = Some(Drag { slot, used_s, end });
            }
        } else if response.double_clicked() {
            context.instrument().trim(slot, 0.0..axis.duration_s);
            return;
        }
        if let (Some(drag), Some(Pos2 { x, .. })) = (&mut self.drag, at) {
            let s = axis.s_of(x);
            drag.end.move_to(&mut drag.used_s, s, axis.duration_s);
        }
        if response.drag_stopped()
            && let Some(drag) = self.drag.take()
        {
            context.instrument().trim(slot, drag.used_s);
        }
    }
}

/// What stands in place of a capture that is not there.
fn missing_text(slot: &SlotStatus) -> &'static str {
    match slot.texture {
        Some(_) => "This texture was kept without its capture.",
        None => "An empty slot: capture, grab, load or synthesize.",
    }
}

/// Draws the columns of `outline`, those of the used part in a brighter colour.
fn draw_outline(ui: &Ui, area: Rect, outline: &Outline, axis: TimeAxis, used_s: &Range<f64>) {
    let used = axis.x_of(used_s.start)..=axis.x_of(used_s.end);
    let scale = PEAK_HEIGHT * area.height() / outline.peak();
    let y = |sample: f32| area.center().y - sample * scale;
    for (i, (low, high)) in outline.columns().iter().enumerate() {
        let x = area.left() + i as f32 + 0.5;
        let colour = if used.contains(&x) {
            theme::ACCENT_BRIGHT
        } else {
            theme::OUTLINE
        };
        let stroke = Stroke::new(1.0, colour);
        ui.painter().vline(x, y(*high)..=y(*low) + 1.0, stroke);
    }
}

/// Draws how much is used into the view's upper right corner.
fn draw_length(ui: &Ui, area: Rect, length: &str) {
    let corner = area.right_top() + vec2(-theme::INSET, 4.0);
    let painter = ui.painter();
    let galley = painter.layout_no_wrap(length.to_owned(), theme::small(), theme::TEXT);
    let label = Align2::RIGHT_TOP.anchor_size(corner, galley.size());
    let ground = theme::BACKGROUND.gamma_multiply(LABEL_OPACITY);
    widgets::panel(ui, label.expand(3.0), ground);
    painter.galley(label.min, galley, theme::TEXT);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::test_window::{TestWindow, texture};

    #[test]
    fn what_is_missing_is_said() {
        let mut window = TestWindow::instrument();
        let mut waveform = WaveformView::default();
        let shown = window.frame(|ui, context| waveform.show(ui, ui.max_rect(), context));
        assert!(shown.texts()[0].starts_with("An empty slot"));
        window.status.slots[0].texture = Some(texture());
        let shown = window.frame(|ui, context| waveform.show(ui, ui.max_rect(), context));
        assert!(shown.texts()[0].contains("without its capture"));
    }

    #[test]
    fn an_end_is_dragged() {
        let mut window = TestWindow::instrument();
        window.status.slots[0].capture_s = Some((8.0, 0.0..8.0));
        let mut waveform = WaveformView::default();
        let area = window.area();
        let shown = window.frame(|ui, context| waveform.show(ui, area, context));
        assert!(shown.has("8.00 of 8.00 s"), "{:?}", shown.texts());
        let (left, middle) = (area.left_center() + vec2(2.0, 0.0), area.center());
        window.press_at(left, |ui, context| waveform.show(ui, area, context));
        window.move_to(middle, |ui, context| waveform.show(ui, area, context));
        let shown = window.frame(|ui, context| waveform.show(ui, area, context));
        assert!(shown.has("4.00 of 8.00 s"), "{:?}", shown.texts());
        window.release_at(middle, |ui, context| waveform.show(ui, area, context));
        assert!(waveform.drag.is_none());
    }

    #[test]
    fn a_drag_ends_when_another_slot_is_chosen() {
        let mut window = TestWindow::instrument();
        for slot in &mut window.status.slots {
            slot.capture_s = Some((8.0, 0.0..8.0));
        }
        let mut waveform = WaveformView {
            drag: Some(Drag {
                slot: Slot::B,
                used_s: 1.0..3.0,
                end: TrimEnd::End,
            }),
            ..WaveformView::default()
        };
        let shown = window.frame(|ui, context| waveform.show(ui, ui.max_rect(), context));
        assert!(shown.has("8.00 of 8.00 s") && waveform.drag.is_none());
    }
}
