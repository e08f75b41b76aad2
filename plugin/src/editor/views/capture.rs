//! The buttons that record, grab or cancel, and how long, when and how thoroughly.

use egui::{Rect, Ui};
use weft_core::instrument::{Phase, SlotStatus};

use super::ViewContext;
use crate::editor::layout::{Rows, columns};
use crate::editor::{theme, widgets};

/// The two rows of what captures.
#[derive(Default)]
pub struct CaptureView {
    /// The capture button is held, and the parameter with it.
    is_pressed: bool,
}

impl CaptureView {
    /// Draws the view into all of `ui`.
    pub fn show(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        let mut rows = Rows::new(ui.max_rect());
        let upper = rows.take(theme::ROW);
        rows.space(theme::NARROW_GAP);
        let lower = rows.take(theme::ROW);
        let [record, length, steps] = columns(upper, [1.0, 1.0, 1.0]);
        let [grab, start, threshold] = columns(lower, [1.0, 1.0, 1.0]);

        self.record_button(ui, record, context);
        let capture = &context.params.capture;
        let length_s = capture.seconds.value();
        if widgets::button(ui, grab, &grab_text(length_s), theme::OUTLINE).clicked() {
            context.instrument().grab(context.slot, length_s);
        }
        let fit = &capture.fits[context.slot.index()];
        context.bar(ui, length, &capture.seconds);
        context.bar(ui, steps, &fit.steps);
        widgets::parameter_choice(ui, start, &capture.start, &context.setter);
        context.bar(ui, threshold, &capture.threshold);
    }

    /// Records, or cancels what goes on.
    fn record_button(&mut self, ui: &Ui, area: Rect, context: &ViewContext<'_>) {
        let is_imprinted = context.imprint().is_some();
        if is_imprinted || is_cancellable(context.status.phase, context.slot_status()) {
            if widgets::button(ui, area, "Cancel", theme::OUTLINE).clicked() {
                context.session.cancel(context.slot);
            }
            self.release(context);
            return;
        }
        let response = widgets::button(ui, area, "Capture", theme::RECORD);
        // The parameter follows the button, so that the host can record the press as
        // automation. The session carries the press itself: a click may begin and end
        // between two blocks, and the parameter would never be seen on. It may even begin
        // and end between two frames.
        if response.is_pointer_button_down_on() || response.clicked() {
            self.press(context);
        } else {
            self.release(context);
        }
    }

    fn press(&mut self, context: &ViewContext<'_>) {
        if self.is_pressed {
            return;
        }
        self.is_pressed = true;
        context.session.request_capture();
        let trigger = &context.params.capture.trigger;
        context.setter.begin_set_parameter(trigger);
        context.setter.set_parameter(trigger, true);
    }

    fn release(&mut self, context: &ViewContext<'_>) {
        if !self.is_pressed {
            return;
        }
        self.is_pressed = false;
        let trigger = &context.params.capture.trigger;
        context.setter.set_parameter(trigger, false);
        context.setter.end_set_parameter(trigger);
    }
}

/// Whether something goes on that can be cancelled: a recording, or the fit of the chosen slot.
fn is_cancellable(phase: Phase, slot: &SlotStatus) -> bool {
    matches!(phase, Phase::Capturing { .. } | Phase::Waiting) || slot.fit.is_some()
}

/// What the button says that captures the last seconds.
fn grab_text(length_s: f32) -> String {
    format!("Grab the last {length_s:.1} s")
}

#[cfg(test)]
mod tests {
    use weft_core::instrument::{FitState, Slot};

    use super::*;
    use crate::editor::test_window::TestWindow;

    #[test]
    fn recordings_and_the_slots_own_fit_can_be_cancelled() {
        let idle = SlotStatus::default();
        let fitting = SlotStatus {
            fit: Some(FitState::Queued { steps: 100 }),
            ..SlotStatus::default()
        };
        assert!(!is_cancellable(Phase::Playing, &idle));
        assert!(is_cancellable(Phase::Waiting, &idle));
        assert!(is_cancellable(Phase::Capturing { done: 0.1 }, &idle));
        assert!(is_cancellable(Phase::Playing, &fitting));
    }

    #[test]
    fn the_grab_says_how_much() {
        assert_eq!(grab_text(8.0), "Grab the last 8.0 s");
    }

    #[test]
    fn a_press_is_a_gesture_of_the_host_and_a_request_to_the_session() {
        let mut window = TestWindow::instrument();
        let mut capture = CaptureView::default();
        let shown = window.frame(|ui, context| capture.show(ui, context));
        let button = shown.last("Capture");
        window.press_at(button, |ui, context| capture.show(ui, context));
        assert!(window.params.capture.trigger.value());
        assert!(window.session.take_capture_request());
        window.frame(|ui, context| capture.show(ui, context));
        assert!(!window.session.take_capture_request(), "once a press");
        window.release_at(button, |ui, context| capture.show(ui, context));
        window.frame(|ui, context| capture.show(ui, context));
        assert!(!window.params.capture.trigger.value());
        assert_eq!(
            window.host_calls(),
            ["begin Capture", "set Capture", "set Capture", "end Capture"]
        );
    }

    #[test]
    fn a_fit_is_cancelled_instead() {
        let mut window = TestWindow::instrument();
        window.fits(Slot::A);
        let mut capture = CaptureView::default();
        window.click("Cancel", |ui, context| capture.show(ui, context));
        assert!(window.session.take_cancel_request());
        assert!(!window.session.take_capture_request());
    }
}
