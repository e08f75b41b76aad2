//! Colours, measures in points, and fonts of the window.

use egui::{Color32, FontId};

/// Behind everything.
pub const BACKGROUND: Color32 = Color32::from_rgb(0x15, 0x17, 0x1b);
/// A surface that groups controls.
pub const PANEL: Color32 = Color32::from_rgb(0x1c, 0x1f, 0x24);
/// A control at rest, or the empty part of a bar.
pub const TRACK: Color32 = Color32::from_rgb(0x2a, 0x2e, 0x36);
/// Buttons, scale marks, and the unused part of a waveform.
pub const OUTLINE: Color32 = Color32::from_rgb(0x3a, 0x40, 0x4a);
/// Text that is read first.
pub const TEXT: Color32 = Color32::from_rgb(0xe8, 0xea, 0xed);
/// Text that is read when there is time.
pub const TEXT_DIM: Color32 = Color32::from_rgb(0xa2, 0xa9, 0xb4);
/// What is on, chosen or filled.
pub const ACCENT: Color32 = Color32::from_rgb(0x31, 0x85, 0x7a);
/// The accent on dark ground, and around what the pointer is on.
pub const ACCENT_BRIGHT: Color32 = Color32::from_rgb(0x6c, 0xd6, 0xc4);
/// Recording, and levels that are too high.
pub const RECORD: Color32 = Color32::from_rgb(0xc0, 0x3c, 0x34);
/// The colour of recording, as text.
pub const RECORD_BRIGHT: Color32 = Color32::from_rgb(0xff, 0x7a, 0x70);
/// What is not done yet, or not as it should be.
pub const WARNING: Color32 = Color32::from_rgb(0xf0, 0xb8, 0x4a);
/// Ground of the error banner.
pub const ERROR_FILL: Color32 = Color32::from_rgb(0x54, 0x20, 0x22);
/// Text of the error banner.
pub const ERROR_TEXT: Color32 = Color32::from_rgb(0xff, 0xd0, 0xcb);

/// Radius of a control's corners.
pub const CORNER: f32 = 4.0;
/// Around all that the window shows.
pub const MARGIN: f32 = 16.0;
/// Between views, and between columns.
pub const GAP: f32 = 8.0;
/// Height of a control.
pub const ROW: f32 = 28.0;
/// Between the controls of a group, and around them.
pub const NARROW_GAP: f32 = 6.0;
/// Between the end of a bar and its text.
pub const INSET: f32 = 10.0;

/// Font of the plugin's name and the slots' letters.
pub fn title() -> FontId {
    FontId::proportional(20.0)
}

/// Font of buttons, names and what is typed.
pub fn body() -> FontId {
    FontId::proportional(14.0)
}

/// Font of everything else.
pub fn small() -> FontId {
    FontId::proportional(12.5)
}

/// Gives egui's own widgets (text fields, scroll bars, hints) the window's colours.
pub fn apply(context: &egui::Context) {
    context.set_theme(egui::Theme::Dark);
    context.all_styles_mut(|style| {
        style.visuals.override_text_color = Some(TEXT);
        style.visuals.extreme_bg_color = BACKGROUND;
        style.visuals.selection.bg_fill = ACCENT;
    });
}
