//! The window's own controls: parameter bars, switches, buttons, the level meter, progress.

use egui::{
    Align2, Color32, CornerRadius, CursorIcon, Id, Key, PointerButton, Pos2, Rect, Response, Sense,
    Stroke, StrokeKind, TextEdit, Ui, pos2, vec2,
};
use nice_plug::prelude::{Param, ParamSetter};

use super::theme;

/// With shift a drag moves the value this much slower.
const FINE_DRAG: f32 = 0.1;

/// Bottom of the level meter in dBFS.
const METER_FLOOR_DB: f32 = -60.0;
/// From here on the meter warns: less headroom than a resampler's overshoot needs.
const METER_HOT_DB: f32 = -1.0;

/// What the pointer or keyboard is doing to a parameter, kept between frames.
#[derive(Default)]
pub enum Gesture {
    #[default]
    None,
    /// Dragging the bar `id`; the unrounded normalized value, so that stepped parameters move too.
    Drag { id: Id, normalized: f32 },
    /// Typing a value into the bar `id`.
    Entry { id: Id, text: String },
}

/// A horizontal bar that shows and sets one parameter: drag to set (shift: fine), click to type,
/// right-click for the default.
pub fn parameter_bar<P: Param>(
    ui: &mut Ui,
    rect: Rect,
    param: &P,
    setter: &ParamSetter<'_>,
    gesture: &mut Gesture,
) {
    let id = ui.scope_id().with(param.name());
    if matches!(gesture, Gesture::Entry { id: entry, .. } if *entry == id) {
        value_entry(ui, rect, param, setter, gesture);
        return;
    }

    let response = ui
        .interact(rect, id, Sense::click_and_drag())
        .on_hover_cursor(CursorIcon::ResizeHorizontal)
        .on_hover_text(
            "Drag, with shift in fine steps. Click to type, right-click for the default.",
        );
    if response.drag_started_by(PointerButton::Primary) {
        setter.begin_set_parameter(param);
        *gesture = Gesture::Drag {
            id,
            normalized: param.unmodulated_normalized_value(),
        };
    }
    if let Gesture::Drag {
        id: dragged,
        normalized,
    } = gesture
        && *dragged == id
    {
        let fine = ui.input(|input| input.modifiers.shift);
        let speed = if fine { FINE_DRAG } else { 1.0 } / rect.width();
        *normalized = (*normalized + response.drag_delta().x * speed).clamp(0.0, 1.0);
        let value = param.preview_plain(*normalized);
        if value != param.unmodulated_plain_value() {
            setter.set_parameter(param, value);
        }
        if response.drag_stopped() || !response.dragged() {
            setter.end_set_parameter(param);
            *gesture = Gesture::None;
        }
    }
    if response.secondary_clicked() {
        set_once(param, setter, param.default_normalized_value());
    } else if response.clicked() {
        *gesture = Gesture::Entry {
            id,
            text: param.normalized_value_to_string(param.unmodulated_normalized_value(), true),
        };
    }

    let painter = ui.painter();
    painter.rect_filled(rect, theme::CORNER, theme::TRACK);
    let shown = match gesture {
        Gesture::Drag {
            id: dragged,
            normalized,
        } if *dragged == id => *normalized,
        _ => param.modulated_normalized_value(),
    };
    let filled = Rect::from_min_size(rect.min, vec2(rect.width() * shown, rect.height()));
    painter.rect_filled(filled, theme::CORNER, theme::ACCENT.gamma_multiply(0.55));
    if response.hovered() || response.dragged() {
        outline(ui, rect, theme::ACCENT_BRIGHT);
    }
    label_and_value(ui, rect, param.name(), &param.to_string());
}

fn value_entry<P: Param>(
    ui: &mut Ui,
    rect: Rect,
    param: &P,
    setter: &ParamSetter<'_>,
    gesture: &mut Gesture,
) {
    let Gesture::Entry { text, .. } = gesture else {
        return;
    };
    let response = ui.put(
        rect,
        TextEdit::singleline(text)
            .font(theme::body())
            .text_color(theme::TEXT)
            .align(Align2::LEFT_CENTER)
            .desired_width(rect.width()),
    );
    let cancelled = ui.input(|input| input.key_pressed(Key::Escape));
    if response.lost_focus() || cancelled {
        if !cancelled && let Some(normalized) = param.string_to_normalized_value(text) {
            set_once(param, setter, normalized);
        }
        *gesture = Gesture::None;
    } else {
        response.request_focus();
    }
}

/// Sets a parameter at one go, for the host to record.
pub fn set_once<P: Param>(param: &P, setter: &ParamSetter<'_>, normalized: f32) {
    setter.begin_set_parameter(param);
    setter.set_parameter(param, param.preview_plain(normalized));
    setter.end_set_parameter(param);
}

/// An on-off parameter as a bar that lights up.
pub fn parameter_switch<P: Param<Plain = bool>>(
    ui: &Ui,
    rect: Rect,
    param: &P,
    setter: &ParamSetter<'_>,
) {
    let lit = param.modulated_plain_value();
    if switch(ui, rect, param.name(), &param.to_string(), lit) {
        let on = param.unmodulated_plain_value();
        set_once(param, setter, if on { 0.0 } else { 1.0 });
    }
}

/// A parameter of a few choices as a bar; a click goes on to the next one. Lights up for all but the
/// first.
pub fn parameter_choice<P: Param>(ui: &Ui, rect: Rect, param: &P, setter: &ParamSetter<'_>) {
    let lit = param.modulated_normalized_value() > 0.0;
    if switch(ui, rect, param.name(), &param.to_string(), lit) {
        let chosen = param.unmodulated_normalized_value();
        let next = param.next_normalized_step(chosen, false);
        set_once(param, setter, if next > chosen { next } else { 0.0 });
    }
}

/// A bar that lights up; whether it was clicked.
pub fn switch(ui: &Ui, rect: Rect, label: &str, value: &str, lit: bool) -> bool {
    let response = ui
        .interact(rect, ui.scope_id().with(label), Sense::click())
        .on_hover_cursor(CursorIcon::PointingHand);
    let fill = if lit { theme::ACCENT } else { theme::TRACK };
    ui.painter().rect_filled(rect, theme::CORNER, fill);
    if response.hovered() {
        outline(ui, rect, theme::ACCENT_BRIGHT);
    }
    label_and_value(ui, rect, label, value);
    response.clicked()
}

/// A push button; `fill` says what it does.
pub fn button(ui: &Ui, rect: Rect, text: &str, fill: Color32) -> Response {
    let response = ui
        .interact(rect, ui.scope_id().with(("button", text)), Sense::click())
        .on_hover_cursor(CursorIcon::PointingHand);
    let fill = if response.is_pointer_button_down_on() {
        fill.gamma_multiply(0.7)
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

/// A peak meter over the range from -60 dBFS to 0 dBFS.
pub fn level_meter(ui: &Ui, rect: Rect, label: &str, peak: f32) {
    let painter = ui.painter();
    painter.rect_filled(rect, theme::CORNER, theme::TRACK);
    let level_db = 20.0 * peak.max(f32::MIN_POSITIVE).log10();
    let x_of = |db: f32| rect.left() + rect.width() * (1.0 - db / METER_FLOOR_DB).clamp(0.0, 1.0);
    let filled = Rect::from_min_max(rect.min, pos2(x_of(level_db), rect.bottom()));
    if filled.width() > 0.5 {
        let colour = if level_db > METER_HOT_DB {
            theme::RECORD
        } else {
            theme::ACCENT
        };
        painter.rect_filled(filled, theme::CORNER, colour);
    }
    for db in [-48.0, -36.0, -24.0, -12.0] {
        painter.vline(
            x_of(db),
            rect.bottom() - 5.0..=rect.bottom(),
            Stroke::new(1.0, theme::OUTLINE),
        );
    }
    let value = if level_db < METER_FLOOR_DB {
        "silent".to_owned()
    } else {
        format!("{level_db:.1} dB")
    };
    label_and_value(ui, rect, label, &value);
}

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

/// A rounded surface that groups controls.
pub fn panel(ui: &Ui, rect: Rect, fill: Color32) {
    ui.painter().rect_filled(rect, CornerRadius::same(6), fill);
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
        Stroke::new(1.0, colour.gamma_multiply(0.7)),
        StrokeKind::Inside,
    );
}

fn label_and_value(ui: &Ui, rect: Rect, label: &str, value: &str) {
    let inset = vec2(theme::INSET, 0.0);
    ui.painter().text(
        rect.left_center() + inset,
        Align2::LEFT_CENTER,
        label,
        theme::small(),
        theme::TEXT,
    );
    ui.painter().text(
        rect.right_center() - inset,
        Align2::RIGHT_CENTER,
        value,
        theme::small(),
        theme::TEXT,
    );
}
