//! Colours and measures of the window.

use egui::{Color32, FontId};

pub const BACKGROUND: Color32 = Color32::from_rgb(0x15, 0x17, 0x1b);
pub const PANEL: Color32 = Color32::from_rgb(0x1c, 0x1f, 0x24);
pub const TRACK: Color32 = Color32::from_rgb(0x2a, 0x2e, 0x36);
pub const OUTLINE: Color32 = Color32::from_rgb(0x3a, 0x40, 0x4a);
pub const TEXT: Color32 = Color32::from_rgb(0xe8, 0xea, 0xed);
pub const TEXT_DIM: Color32 = Color32::from_rgb(0xa2, 0xa9, 0xb4);
pub const ACCENT: Color32 = Color32::from_rgb(0x31, 0x85, 0x7a);
pub const ACCENT_BRIGHT: Color32 = Color32::from_rgb(0x6c, 0xd6, 0xc4);
pub const RECORD: Color32 = Color32::from_rgb(0xc0, 0x3c, 0x34);
pub const RECORD_BRIGHT: Color32 = Color32::from_rgb(0xff, 0x7a, 0x70);
pub const WARNING: Color32 = Color32::from_rgb(0xf0, 0xb8, 0x4a);
pub const ERROR_FILL: Color32 = Color32::from_rgb(0x54, 0x20, 0x22);
pub const ERROR_TEXT: Color32 = Color32::from_rgb(0xff, 0xd0, 0xcb);

pub const CORNER: f32 = 4.0;
pub const MARGIN: f32 = 16.0;
pub const GAP: f32 = 8.0;
pub const ROW: f32 = 28.0;
/// Between the controls of a group, and around them.
pub const NARROW_GAP: f32 = 6.0;
/// Between the end of a bar and its text.
pub const INSET: f32 = 10.0;

pub fn title() -> FontId {
    FontId::proportional(20.0)
}

pub fn body() -> FontId {
    FontId::proportional(14.0)
}

pub fn small() -> FontId {
    FontId::proportional(12.5)
}
