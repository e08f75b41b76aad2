//! A parameter as a bar that is dragged or typed into.

use egui::{Align2, CursorIcon, Id, Key, PointerButton, Rect, Response, Sense, TextEdit, Ui, vec2};
use nice_plug::prelude::{Param, ParamSetter};

use super::{label_and_value, outline, set_once};
use crate::editor::theme;
use crate::parameters::typed;

/// With shift a drag moves the value this much slower.
const FINE_DRAG: f32 = 0.1;
/// Opacity of the filled part, on which text has to be read.
const FILL_OPACITY: f32 = 0.55;

/// What the pointer or the keyboard does to one of the window's bars. There is one pointer and one
/// keyboard, and so one gesture at a time: a new one ends what there was.
#[derive(Clone, Debug, Default)]
enum Gesture {
    #[default]
    None,
    /// Dragging the bar `id`; the unrounded normalized value, so that stepped parameters move too.
    Drag { id: Id, normalized: f32 },
    /// Typing a value into the bar `id`.
    Entry { id: Id, text: String },
}

impl Gesture {
    /// The key of the gesture in egui's memory.
    fn key() -> Id {
        Id::unique("parameter bar's gesture")
    }

    /// Takes the gesture out of egui's memory.
    fn take(ui: &Ui) -> Self {
        ui.data_mut(|data| std::mem::take(data.get_temp_mut_or_default(Self::key())))
    }

    /// Puts the gesture back for the next bar.
    fn keep(self, ui: &Ui) {
        ui.data_mut(|data| data.insert_temp(Self::key(), self));
    }

    /// The normalized value that the bar `id` is dragged to, if it is dragged.
    fn dragged(&self, bar: Id) -> Option<f32> {
        match self {
            Self::Drag { id, normalized } if *id == bar => Some(*normalized),
            _ => None,
        }
    }
}

/// A horizontal bar that shows and sets one parameter: drag to set (shift: fine), click to type,
/// right-click for the default. Returns what there is to say of text that can't be read.
#[must_use]
pub fn parameter_bar<P: Param>(
    ui: &mut Ui,
    rect: Rect,
    param: &P,
    setter: &ParamSetter<'_>,
) -> Option<String> {
    let id = ui.scope_id().with(param.name());
    let mut refusal = None;
    let gesture = match Gesture::take(ui) {
        Gesture::Entry { id: entry, text } if entry == id => {
            let entered = value_entry(ui, rect, text);
            if let Entered::Done(text) = &entered {
                refusal = set_typed(param, setter, text);
            }
            entered.gesture(id)
        }
        gesture => value_bar(ui, rect, param, setter, id, gesture),
    };
    gesture.keep(ui);
    refusal
}

/// The bar as it is but for typing; what becomes of the gesture.
fn value_bar<P: Param>(
    ui: &Ui,
    rect: Rect,
    param: &P,
    setter: &ParamSetter<'_>,
    id: Id,
    gesture: Gesture,
) -> Gesture {
    let response = ui
        .interact(rect, id, Sense::click_and_drag())
        .on_hover_cursor(CursorIcon::ResizeHorizontal)
        .on_hover_text(
            "Drag, with shift in fine steps. Click to type, right-click for the default.",
        );
    let mut gesture = drag(ui, &response, param, setter, gesture);
    if response.secondary_clicked() {
        set_once(param, setter, param.default_normalized_value());
    } else if response.clicked() {
        gesture = Gesture::Entry {
            id,
            text: param.normalized_value_to_string(param.unmodulated_normalized_value(), true),
        };
    }

    let painter = ui.painter();
    painter.rect_filled(rect, theme::CORNER, theme::TRACK);
    let shown = gesture
        .dragged(id)
        .unwrap_or_else(|| param.modulated_normalized_value());
    let filled = Rect::from_min_size(rect.min, vec2(rect.width() * shown, rect.height()));
    let fill = theme::ACCENT.gamma_multiply(FILL_OPACITY);
    painter.rect_filled(filled, theme::CORNER, fill);
    if response.hovered() || response.dragged() {
        outline(ui, rect, theme::ACCENT_BRIGHT);
    }
    label_and_value(ui, rect, param.name(), &param.to_string());
    gesture
}

/// Moves the parameter as far as the bar is dragged; what becomes of the gesture.
fn drag<P: Param>(
    ui: &Ui,
    response: &Response,
    param: &P,
    setter: &ParamSetter<'_>,
    mut gesture: Gesture,
) -> Gesture {
    let id = response.id;
    if response.drag_started_by(PointerButton::Primary) {
        setter.begin_set_parameter(param);
        gesture = Gesture::Drag {
            id,
            normalized: param.unmodulated_normalized_value(),
        };
    }
    let Some(before) = gesture.dragged(id) else {
        return gesture;
    };
    let is_fine = ui.input(|input| input.modifiers.shift);
    let moved = response.drag_delta().x;
    let normalized = dragged_value(before, moved, response.rect.width(), is_fine);
    let value = param.preview_plain(normalized);
    if value != param.unmodulated_plain_value() {
        setter.set_parameter(param, value);
    }
    if response.drag_stopped() || !response.dragged() {
        setter.end_set_parameter(param);
        Gesture::None
    } else {
        Gesture::Drag { id, normalized }
    }
}

/// The normalized value after the pointer has moved by `moved` points on a bar of `width` points.
fn dragged_value(normalized: f32, moved: f32, width: f32, is_fine: bool) -> f32 {
    let speed = if is_fine { FINE_DRAG } else { 1.0 } / width;
    (normalized + moved * speed).clamp(0.0, 1.0)
}

/// Where a text field stands.
enum Entered {
    /// So much is typed so far.
    Typing(String),
    /// This was typed.
    Done(String),
    /// Nothing is to be set.
    Cancelled,
}

impl Entered {
    /// What becomes of the gesture of the bar `id`.
    fn gesture(self, id: Id) -> Gesture {
        match self {
            Self::Typing(text) => Gesture::Entry { id, text },
            Self::Done(_) | Self::Cancelled => Gesture::None,
        }
    }
}

/// A text field in place of a bar, with `text` in it.
fn value_entry(ui: &mut Ui, rect: Rect, mut text: String) -> Entered {
    let response = ui.put(
        rect,
        TextEdit::singleline(&mut text)
            .font(theme::body())
            .text_color(theme::TEXT)
            .align(Align2::LEFT_CENTER)
            .desired_width(rect.width()),
    );
    if ui.input(|input| input.key_pressed(Key::Escape)) {
        Entered::Cancelled
    } else if response.lost_focus() {
        Entered::Done(text)
    } else {
        response.request_focus();
        Entered::Typing(text)
    }
}

/// Sets the parameter to what `text` means; if it can't be read, nothing is set, and what there is to say of
/// that is returned. No text is no mistake.
fn set_typed<P: Param>(param: &P, setter: &ParamSetter<'_>, text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return None;
    }
    match typed::read(param, text, param.unmodulated_normalized_value()) {
        Some(normalized) => {
            set_once(param, setter, normalized);
            None
        }
        None => Some(typed::refusal(param, text)),
    }
}
