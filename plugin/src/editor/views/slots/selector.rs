//! The row of slots: a click plays one, a double click renames its texture.

use egui::{
    Align2, Color32, CursorIcon, FontId, Key, Pos2, Rect, Response, Sense, TextEdit, Ui, pos2,
};
use weft_core::instrument::{FitState, Slot, SlotStatus};

use super::ViewContext;
use crate::editor::layout::columns;
use crate::editor::wording::{channels, quality};
use crate::editor::{theme, widgets};

/// Height of the bar that shows a fit's progress, in points.
const FIT_BAR_HEIGHT: f32 = 4.0;
/// From the left of a slot's letter to the left of its name, in points.
const LETTER_WIDTH: f32 = 24.0;
/// From a button's edge to the middle of a line of text, in points, where there are two lines.
const LINE_INSET: f32 = 13.0;

/// The row of slots.
#[derive(Default)]
pub struct Selector {
    renaming: Option<Renaming>,
}

/// The name that is being typed.
struct Renaming {
    slot: Slot,
    text: String,
}

impl Selector {
    /// Draws the row into `row`.
    pub fn show(&mut self, ui: &mut Ui, row: Rect, context: &ViewContext<'_>) {
        for (slot, area) in Slot::ALL.into_iter().zip(columns(row, [1.0; 4])) {
            if let Some(renaming) = self.renaming.take_if(|r| r.slot == slot) {
                self.renaming = name_entry(ui, area, context, renaming);
                continue;
            }
            let shown = &context.status.slots[slot.index()];
            let response = slot_button(ui, area, slot, shown, slot == context.slot);
            if response.double_clicked() && !shown.name.is_empty() {
                let text = shown.name.clone();
                self.renaming = Some(Renaming { slot, text });
            } else if response.clicked() {
                let param = &context.params.play.slot;
                widgets::set_once(param, &context.setter, normalized(slot));
            }
        }
    }

    /// Drops a name that is not entered yet.
    pub fn close(&mut self) {
        self.renaming = None;
    }
}

/// The parameter's normalized value that chooses `slot`.
fn normalized(slot: Slot) -> f32 {
    let last = (Slot::ALL.len() - 1) as f32;
    slot.index() as f32 / last
}

/// A text field in place of a slot; what becomes of the renaming.
fn name_entry(
    ui: &mut Ui,
    area: Rect,
    context: &ViewContext<'_>,
    mut renaming: Renaming,
) -> Option<Renaming> {
    let response = ui.put(
        area,
        TextEdit::singleline(&mut renaming.text)
            .font(theme::body())
            .text_color(theme::TEXT)
            .desired_width(area.width()),
    );
    let is_cancelled = ui.input(|input| input.key_pressed(Key::Escape));
    if !response.lost_focus() && !is_cancelled {
        response.request_focus();
        return Some(renaming);
    }
    if !is_cancelled {
        context.instrument().rename(renaming.slot, &renaming.text);
    }
    None
}

/// A slot: its letter, its name, and how its texture stands.
fn slot_button(ui: &Ui, area: Rect, slot: Slot, shown: &SlotStatus, plays: bool) -> Response {
    let response = ui
        .interact(
            area,
            ui.scope_id().with(("slot", slot.index())),
            Sense::click(),
        )
        .on_hover_cursor(CursorIcon::PointingHand)
        .on_hover_text("Click to play this slot, double-click its name to change it.");
    let fill = if plays { theme::ACCENT } else { theme::TRACK };
    let painter = ui.painter().with_clip_rect(area);
    painter.rect_filled(area, theme::CORNER, fill);
    if let Some(FitState::Running { step, steps, .. }) = shown.fit {
        let done = step as f32 / steps.max(1) as f32;
        let bar = Rect::from_min_max(
            pos2(area.left(), area.bottom() - FIT_BAR_HEIGHT),
            pos2(area.left() + area.width() * done, area.bottom()),
        );
        painter.rect_filled(bar, 0.0, theme::WARNING);
    }
    if response.hovered() {
        widgets::outline(ui, area, theme::ACCENT_BRIGHT);
    }
    let line = |x: f32, y: f32, text: &str, font: FontId, colour: Color32| {
        painter.text(Pos2::new(x, y), Align2::LEFT_CENTER, text, font, colour);
    };
    let (x, middle) = (area.left() + theme::INSET, area.center().y);
    let letter = slot.letter().to_string();
    line(x, middle, &letter, theme::title(), theme::TEXT);
    let x = x + LETTER_WIDTH;
    let state = state_text(shown);
    let name_y = if state.is_empty() {
        middle
    } else {
        area.top() + LINE_INSET
    };
    line(x, name_y, name_text(shown), theme::body(), theme::TEXT);
    let colour = if plays { theme::TEXT } else { theme::TEXT_DIM };
    let state_y = area.bottom() - LINE_INSET;
    line(x, state_y, &state, theme::small(), colour);
    response
}

/// What a slot's texture is called.
fn name_text(shown: &SlotStatus) -> &str {
    match (shown.name.as_str(), &shown.texture) {
        ("", None) => "Empty",
        ("", Some(_)) => "Untitled",
        (name, _) => name,
    }
}

/// How a slot's texture stands, in a few words.
fn state_text(shown: &SlotStatus) -> String {
    match (&shown.fit, &shown.texture) {
        (Some(FitState::Queued { .. } | FitState::Waiting { .. }), _) => {
            "waits for its fit".to_owned()
        }
        (Some(FitState::Running { step, steps, loss }), _) => {
            let percent = 100 * step / steps.max(&1);
            format!("fitting, {percent} %{}", quality(", ", *loss))
        }
        (None, Some(texture)) => format!(
            "{:.1} s {}{}",
            texture.duration_s,
            channels(texture.stereo),
            quality(", ", texture.loss),
        ),
        (None, None) if shown.capture_s.is_some() => "not fitted: press More".to_owned(),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::test_window::{TestWindow, texture};

    fn filled(name: &str) -> SlotStatus {
        SlotStatus {
            name: name.to_owned(),
            texture: Some(texture()),
            ..SlotStatus::default()
        }
    }

    #[test]
    fn a_texture_without_a_name_is_untitled() {
        assert_eq!(name_text(&SlotStatus::default()), "Empty");
        assert_eq!(name_text(&filled("")), "Untitled");
        assert_eq!(name_text(&filled("Rain")), "Rain");
    }

    #[test]
    fn the_state_is_told_in_a_few_words() {
        let mut slot = SlotStatus::default();
        assert_eq!(state_text(&slot), "");
        slot.capture_s = Some((8.0, 0.0..8.0));
        assert_eq!(state_text(&slot), "not fitted: press More");
        slot.texture = Some(texture());
        assert!(state_text(&slot).starts_with("8.0 s stereo, "));
        slot.fit = Some(FitState::Queued { steps: 100 });
        assert_eq!(state_text(&slot), "waits for its fit");
        let running = |step, steps| FitState::Running {
            step,
            steps,
            loss: f32::NAN,
        };
        slot.fit = Some(running(30, 400));
        assert_eq!(state_text(&slot), "fitting, 7 %");
        slot.fit = Some(running(0, 0));
        assert_eq!(state_text(&slot), "fitting, 0 %");
    }

    #[test]
    fn a_click_chooses_a_slot() {
        let mut window = TestWindow::instrument();
        let mut selector = Selector::default();
        for (slot, letter) in Slot::ALL.into_iter().zip(["A", "B", "C", "D"]).rev() {
            window.click(letter, |ui, context| {
                selector.show(ui, ui.max_rect(), context);
            });
            assert_eq!(Slot::from(window.params.play.slot.value()), slot);
        }
    }

    #[test]
    fn a_name_is_typed_after_a_double_click_but_not_into_an_empty_slot() {
        let mut window = TestWindow::instrument();
        let mut selector = Selector::default();
        window.double_click("B", |ui, context| {
            selector.show(ui, ui.max_rect(), context);
        });
        assert!(selector.renaming.is_none());
        window.status.slots[1] = filled("Rain");
        window.pass_seconds(2.0);
        window.double_click("Rain", |ui, context| {
            selector.show(ui, ui.max_rect(), context);
        });
        let renaming = selector.renaming.as_ref().unwrap();
        assert_eq!((renaming.slot, renaming.text.as_str()), (Slot::B, "Rain"));
        selector.close();
        assert!(selector.renaming.is_none());
    }
}
