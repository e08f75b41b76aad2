//! The plugin's name and state, and the levels that come in and go out.

use egui::{Align2, Color32, Ui, pos2};
use weft_core::instrument::Phase;

use super::ViewContext;
use crate::editor::layout::{METER_HEIGHT, Rows, TITLE_HEIGHT, columns};
use crate::editor::theme;
use crate::editor::widgets::{self, Needle};

/// Radius of the state's light in points.
const LIGHT_RADIUS: f32 = 4.0;
/// Between the light's centre and the state's name, in points.
const LIGHT_DISTANCE: f32 = 10.0;

/// The top of the window.
#[derive(Default)]
pub struct Header {
    input_needle: Needle,
    output_needle: Needle,
}

impl Header {
    /// Draws the view into all of `ui`.
    pub fn show(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        let mut rows = Rows::new(ui.max_rect());
        let title = rows.take(TITLE_HEIGHT);
        rows.space(theme::GAP);
        let meters = rows.take(METER_HEIGHT);

        ui.painter().text(
            title.left_center(),
            Align2::LEFT_CENTER,
            context.name,
            theme::title(),
            theme::TEXT,
        );
        let (state, colour) = state(context.status.phase);
        let right = title.right_center();
        let text = widgets::text_at(ui, right, Align2::RIGHT_CENTER, state, colour);
        let light = pos2(text.left() - LIGHT_DISTANCE, title.center().y);
        ui.painter().circle_filled(light, LIGHT_RADIUS, colour);

        let [input, output] = columns(meters, [1.0, 1.0]);
        let input_name = input_name(context.is_effect());
        let status = context.status;
        let level = self.input_needle.follow(status.input_peak, context.now);
        widgets::level_meter(ui, input, input_name, level);
        let level = self.output_needle.follow(status.output_peak, context.now);
        widgets::level_meter(ui, output, "Output", level);
    }
}

/// A phase in a word, and its colour.
fn state(phase: Phase) -> (&'static str, Color32) {
    match phase {
        Phase::Empty => ("Empty", theme::TEXT_DIM),
        Phase::Waiting => ("Waiting", theme::WARNING),
        Phase::Capturing { .. } => ("Capturing", theme::RECORD_BRIGHT),
        Phase::Fitting { .. } => ("Fitting", theme::WARNING),
        _ => ("Ready", theme::ACCENT_BRIGHT),
    }
}

/// What the input's meter is called.
fn input_name(is_effect: bool) -> &'static str {
    if is_effect { "Input" } else { "Capture input" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::test_window::{FRAME_S, TestWindow};

    #[test]
    fn every_phase_has_its_word() {
        let phases = [
            Phase::Empty,
            Phase::Waiting,
            Phase::Capturing { done: 0.5 },
            Phase::Fitting {
                step: 1,
                steps: 2,
                loss: 1.0,
            },
            Phase::Playing,
        ];
        assert_eq!(
            phases.map(|phase| state(phase).0),
            ["Empty", "Waiting", "Capturing", "Fitting", "Ready"]
        );
    }

    #[test]
    fn levels_are_shown_and_fall() {
        let mut window = TestWindow::instrument();
        let mut header = Header::default();
        window.status.input_peak = 0.5;
        let shown = window.frame(|ui, context| header.show(ui, context));
        assert!(shown.has("Weft") && shown.has("Capture input"));
        assert!(shown.has("-6.0 dB") && shown.has("silent"));
        window.status.input_peak = 0.0;
        // With the time from frame to frame, 1.5 s.
        window.pass_seconds(1.5 - FRAME_S);
        let shown = window.frame(|ui, context| header.show(ui, context));
        assert!(shown.has("-36.0 dB"), "{:?}", shown.texts());
    }

    #[test]
    fn the_effect_has_an_input() {
        let mut window = TestWindow::effect();
        let mut header = Header::default();
        let shown = window.frame(|ui, context| header.show(ui, context));
        assert!(shown.has("Input"));
    }
}
