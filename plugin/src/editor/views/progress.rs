//! The progress of a capture or fit, or one line that says what can be done next.

use std::time::{Duration, Instant};

use egui::{Align2, Ui};
use weft_core::instrument::{FitState, Phase, SlotStatus};

use super::ViewContext;
use crate::editor::wording::{clock_time, quality, sentence};
use crate::editor::{theme, widgets};
use crate::imprint::ImprintStatus;

/// After so long without a `process` call the host has stopped us; its longest blocks are shorter.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(1);

/// The line that says what is going on.
#[derive(Default)]
pub struct ProgressView {
    heartbeat: Heartbeat,
}

impl ProgressView {
    /// Draws the view into all of `ui`.
    pub fn show(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        let calls = context.session.process_calls();
        let situation = Situation {
            phase: context.status.phase,
            slot: context.slot_status(),
            imprint: context.imprint(),
            is_processing: self.heartbeat.is_beating(calls, context.now)
                || context.session.rest().is_resting(),
            is_effect: context.is_effect(),
            is_held: context.params.play.hold.value(),
            fit_device: context.status.fit_device.as_deref(),
        };
        let row = ui.max_rect();
        let line = |text: &str, colour| {
            widgets::text_at(ui, row.left_center(), Align2::LEFT_CENTER, text, colour);
        };
        match situation.line() {
            Line::Capture { done, text } => {
                widgets::progress_bar(ui, row, done, theme::RECORD, &text);
            }
            Line::Fit { done, text } => {
                widgets::progress_bar(ui, row, done, theme::ACCENT, &text);
            }
            Line::Remark(text) => line(&text, theme::WARNING),
            Line::Waiting(text) => line(&text, theme::TEXT_DIM),
            Line::Advice(text) => line(text, theme::TEXT_DIM),
        }
    }
}

/// What the line depends on.
struct Situation<'a> {
    phase: Phase,
    /// The chosen slot.
    slot: &'a SlotStatus,
    /// The imprint that is made for it.
    imprint: Option<ImprintStatus>,
    /// The host calls `process`, or would if there was anything to process.
    is_processing: bool,
    is_effect: bool,
    /// The texture plays without notes.
    is_held: bool,
    /// The helper's device that the newest fit is made on, or waits for.
    fit_device: Option<&'a str>,
}

/// What is shown.
#[derive(Debug, PartialEq)]
enum Line {
    /// A bar of a capture, `done` from 0 to 1.
    Capture { done: f32, text: String },
    /// A bar of a fit, `done` from 0 to 1.
    Fit { done: f32, text: String },
    /// What is to be said of the newest capture.
    Remark(String),
    /// Whom a fit waits for.
    Waiting(String),
    /// What is waited for, or can be done next.
    Advice(&'static str),
}

impl Situation<'_> {
    fn line(&self) -> Line {
        let is_capturing = matches!(self.phase, Phase::Waiting | Phase::Capturing { .. });
        if let Some(imprint) = &self.imprint
            && !is_capturing
        {
            return imprint_line(imprint);
        }
        let advice = match self.phase {
            Phase::Waiting => "Waits for the input to reach the threshold, or for the next bar.",
            Phase::Capturing { done } => {
                let text = format!("Capturing, {:.0} %", done * 100.0);
                return Line::Capture { done, text };
            }
            _ if matches!(self.slot.fit, Some(FitState::Queued { .. })) => {
                "Waits for the fit of another slot; what plays goes on meanwhile."
            }
            _ if let Some(FitState::Waiting { ahead, .. }) = self.slot.fit => {
                return Line::Waiting(queue_text(ahead, self.fit_device));
            }
            Phase::Fitting { step, steps, loss } => {
                let done = step as f32 / steps.max(1) as f32;
                let quality = quality(", quality ", loss);
                let text = format!("Fitting, step {step} of {steps}{quality}");
                return Line::Fit { done, text };
            }
            _ if !self.is_processing => {
                "The host is not running Weft: play the transport or enable the track."
            }
            Phase::Empty if self.is_effect => "No texture yet: play the track and press Capture.",
            Phase::Empty => {
                "No texture yet: route audio to Weft's capture input and press Capture."
            }
            _ if self.slot.remark.is_some() => {
                let remark = self.slot.remark.as_deref();
                return Line::Remark(sentence(remark.unwrap_or_default()));
            }
            _ if self.is_held => "Playing without notes.",
            _ => "Play a note, or switch Hold on.",
        };
        Line::Advice(advice)
    }
}

/// Who is before a fit that waits for a helper's device.
fn queue_text(ahead: u32, device: Option<&str>) -> String {
    let others = match ahead {
        1 => "another fit".to_owned(),
        ahead => format!("{ahead} other fits"),
    };
    let device = device.unwrap_or("the helper");
    format!("Waits for {others} on {device}; what plays goes on meanwhile.")
}

/// The bar of an imprint.
fn imprint_line(imprint: &ImprintStatus) -> Line {
    let ImprintStatus {
        request,
        done,
        seconds_left,
    } = *imprint;
    let left = match seconds_left {
        Some(seconds) if done < 1.0 => format!(", {} left", clock_time(seconds)),
        _ => String::new(),
    };
    let text = format!(
        "Imprinting {} in {}'s style, {:.0} %{left}",
        request.content.letter(),
        request.style.letter(),
        done * 100.0
    );
    Line::Fit { done, text }
}

/// Whether the host still calls `process`.
#[derive(Debug, Default)]
struct Heartbeat {
    /// The count of calls in the frame before.
    calls: u32,
    /// When the count was last found to have changed.
    changed: Option<Instant>,
}

impl Heartbeat {
    /// Whether there were calls lately, `calls` being their count at `now`.
    fn is_beating(&mut self, calls: u32, now: Instant) -> bool {
        if calls != self.calls {
            self.calls = calls;
            self.changed = Some(now);
        }
        self.changed
            .is_some_and(|changed| now.duration_since(changed) < PROCESS_TIMEOUT)
    }
}

#[cfg(test)]
mod tests {
    use weft_core::instrument::Slot;

    use super::*;
    use crate::editor::test_window::{TestWindow, texture};
    use crate::imprint::ImprintRequest;

    fn line(phase: Phase, slot: &SlotStatus, change: impl FnOnce(&mut Situation)) -> Line {
        let mut situation = Situation {
            phase,
            slot,
            imprint: None,
            is_processing: true,
            is_effect: false,
            is_held: false,
            fit_device: Some("a toaster"),
        };
        change(&mut situation);
        situation.line()
    }

    fn advice(
        phase: Phase,
        slot: &SlotStatus,
        change: impl FnOnce(&mut Situation),
    ) -> &'static str {
        match line(phase, slot, change) {
            Line::Advice(text) => text,
            other => panic!("{other:?} is no advice"),
        }
    }

    #[test]
    fn what_goes_on_is_shown_as_a_bar() {
        let slot = SlotStatus::default();
        let capture = line(Phase::Capturing { done: 0.375 }, &slot, |_| {});
        assert_eq!(
            capture,
            Line::Capture {
                done: 0.375,
                text: "Capturing, 38 %".to_owned()
            }
        );
        let fitting = |step, steps, loss| {
            let phase = Phase::Fitting { step, steps, loss };
            line(phase, &slot, |s| s.is_processing = false)
        };
        assert_eq!(
            fitting(0, 0, f32::NAN),
            Line::Fit {
                done: 0.0,
                text: "Fitting, step 0 of 0".to_owned()
            }
        );
        let Line::Fit { done, text } = fitting(375, 1500, 0.5) else {
            panic!("a fit has a bar");
        };
        assert_eq!(done, 0.25);
        assert!(
            text.starts_with("Fitting, step 375 of 1500, quality "),
            "{text}"
        );
    }

    #[test]
    fn an_imprint_has_a_bar_too_and_gives_way_to_a_capture() {
        let request = ImprintRequest {
            content: Slot::B,
            style: Slot::A,
            into: Slot::D,
        };
        let shown = |done, seconds_left, phase| {
            let imprint = ImprintStatus {
                request,
                done,
                seconds_left,
            };
            let slot = SlotStatus::default();
            match line(phase, &slot, |s| s.imprint = Some(imprint)) {
                Line::Fit { done, text } => (done, text),
                Line::Capture { done, text } => (done, text),
                other => panic!("{other:?} has no bar"),
            }
        };
        let (done, text) = shown(0.125, Some(95.0), Phase::Empty);
        assert_eq!(done, 0.125);
        assert_eq!(text, "Imprinting B in A's style, 12 %, 1 min 35 s left");
        let (_, text) = shown(0.0, None, Phase::Playing);
        assert_eq!(text, "Imprinting B in A's style, 0 %");
        let (_, text) = shown(1.0, Some(0.0), Phase::Playing);
        assert_eq!(text, "Imprinting B in A's style, 100 %");
        let (_, text) = shown(0.5, None, Phase::Capturing { done: 0.25 });
        assert_eq!(text, "Capturing, 25 %");
    }

    #[test]
    fn a_fit_that_waits_says_so() {
        let slot = SlotStatus {
            fit: Some(FitState::Queued { steps: 1500 }),
            ..SlotStatus::default()
        };
        let phase = Phase::Fitting {
            step: 0,
            steps: 1500,
            loss: f32::NAN,
        };
        assert!(advice(phase, &slot, |_| {}).contains("another slot"));
        // A capture goes first.
        let capture = line(Phase::Capturing { done: 0.0 }, &slot, |_| {});
        assert!(matches!(capture, Line::Capture { .. }));
    }

    #[test]
    fn the_place_in_a_helpers_queue_is_shown() {
        let waits = |ahead| {
            let slot = SlotStatus {
                fit: Some(FitState::Waiting { ahead, steps: 1500 }),
                ..SlotStatus::default()
            };
            let (step, steps, loss) = (0, 1500, f32::NAN);
            match line(Phase::Fitting { step, steps, loss }, &slot, |_| {}) {
                Line::Waiting(text) => text,
                other => panic!("{other:?} is no place"),
            }
        };
        assert!(waits(1).starts_with("Waits for another fit on a toaster;"));
        assert!(waits(3).starts_with("Waits for 3 other fits on a toaster;"));
    }

    #[test]
    fn advice_goes_from_what_is_missing_to_what_can_be_played() {
        let empty = SlotStatus::default();
        let filled = SlotStatus {
            texture: Some(texture()),
            ..SlotStatus::default()
        };
        let stopped = advice(Phase::Empty, &empty, |s| s.is_processing = false);
        assert!(stopped.contains("not running"));
        assert!(advice(Phase::Waiting, &empty, |_| {}).contains("threshold"));
        assert!(advice(Phase::Empty, &empty, |_| {}).contains("capture input"));
        assert!(advice(Phase::Empty, &empty, |s| s.is_effect = true).contains("the track"));
        assert!(advice(Phase::Playing, &filled, |_| {}).contains("Play a note"));
        assert!(advice(Phase::Playing, &filled, |s| s.is_held = true).contains("without notes"));
    }

    #[test]
    fn a_remark_on_the_capture_takes_the_place_of_advice() {
        let slot = SlotStatus {
            texture: Some(texture()),
            remark: Some("it is very short".to_owned()),
            ..SlotStatus::default()
        };
        let remark = line(Phase::Playing, &slot, |s| s.is_held = true);
        assert_eq!(remark, Line::Remark("It is very short.".to_owned()));
    }

    #[test]
    fn the_host_has_stopped_after_a_second_without_a_call() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::default();
        assert!(!heartbeat.is_beating(0, start));
        assert!(heartbeat.is_beating(1, start));
        assert!(heartbeat.is_beating(1, start + Duration::from_millis(999)));
        assert!(!heartbeat.is_beating(1, start + Duration::from_millis(1000)));
        assert!(heartbeat.is_beating(2, start + Duration::from_secs(5)));
    }

    #[test]
    fn the_view_notices_the_hosts_calls() {
        let mut window = TestWindow::instrument();
        let mut progress = ProgressView::default();
        let shown = window.frame(|ui, context| progress.show(ui, context));
        assert!(shown.texts()[0].contains("not running"));
        window.session.count_process_call();
        let shown = window.frame(|ui, context| progress.show(ui, context));
        assert!(shown.texts()[0].contains("No texture yet"));
    }
}
