//! A level meter, and how its needle falls.

use std::time::Instant;

use egui::{Rect, Stroke, Ui, pos2};

use super::label_and_value;
use crate::editor::theme;

/// Bottom of the meter in dBFS.
const FLOOR_DB: f32 = -60.0;
/// From here on the meter warns: less headroom than a resampler's overshoot needs.
const HOT_DB: f32 = -1.0;
/// Marks of the scale in dBFS.
const MARKS_DB: [f32; 4] = [-48.0, -36.0, -24.0, -12.0];
/// Length of a mark in points.
const MARK_LENGTH: f32 = 5.0;
/// Narrower than this, in points, the filled part is not drawn.
const NARROWEST_FILL: f32 = 0.5;
/// A falling needle loses this much per second, about the return time of a peak programme meter.
const FALL_DB_PER_S: f32 = 20.0;

/// A peak meter over the range from -60 dBFS to 0 dBFS; `peak` is linear.
pub fn level_meter(ui: &Ui, rect: Rect, label: &str, peak: f32) {
    let painter = ui.painter();
    painter.rect_filled(rect, theme::CORNER, theme::TRACK);
    let level_db = decibels(peak);
    let x_of = |db: f32| rect.left() + rect.width() * scale(db);
    let filled = Rect::from_min_max(rect.min, pos2(x_of(level_db), rect.bottom()));
    if filled.width() > NARROWEST_FILL {
        let colour = if level_db > HOT_DB {
            theme::RECORD
        } else {
            theme::ACCENT
        };
        painter.rect_filled(filled, theme::CORNER, colour);
    }
    for db in MARKS_DB {
        painter.vline(
            x_of(db),
            rect.bottom() - MARK_LENGTH..=rect.bottom(),
            Stroke::new(1.0, theme::OUTLINE),
        );
    }
    label_and_value(ui, rect, label, &level_text(level_db));
}

/// A linear peak in dBFS.
fn decibels(peak: f32) -> f32 {
    20.0 * peak.max(f32::MIN_POSITIVE).log10()
}

/// Where a level in dBFS lies on the scale, 0 to 1.
fn scale(db: f32) -> f32 {
    (1.0 - db / FLOOR_DB).clamp(0.0, 1.0)
}

/// A level in dBFS as text.
fn level_text(level_db: f32) -> String {
    if level_db < FLOOR_DB {
        "silent".to_owned()
    } else {
        format!("{level_db:.1} dB")
    }
}

/// A peak meter's needle: up at once, down at a steady rate in dB.
#[derive(Debug, Default)]
pub struct Needle {
    level: f32,
    moved: Option<Instant>,
}

impl Needle {
    /// The linear level that is shown at `now`, `peak` being the largest sample since the last call.
    pub fn follow(&mut self, peak: f32, now: Instant) -> f32 {
        let moved = self.moved.replace(now).unwrap_or(now);
        let elapsed_s = now.duration_since(moved).as_secs_f32();
        let fall = 10f32.powf(-FALL_DB_PER_S * elapsed_s / 20.0);
        self.level = peak.max(self.level * fall);
        self.level
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_needle_rises_at_once_and_falls_by_20_db_in_a_second() {
        let start = Instant::now();
        let mut needle = Needle::default();
        assert_eq!(needle.follow(0.0, start), 0.0);
        assert_eq!(needle.follow(1.0, start), 1.0);
        let later = start + Duration::from_secs(1);
        assert!((needle.follow(0.0, later) - 0.1).abs() < 1e-6);
        assert_eq!(needle.follow(0.5, later), 0.5);
    }

    #[test]
    fn the_scale_goes_from_its_floor_to_full_scale() {
        assert_eq!(
            [-90.0, -60.0, -30.0, 0.0, 6.0].map(scale),
            [0.0, 0.0, 0.5, 1.0, 1.0]
        );
        assert_eq!(decibels(1.0), 0.0);
        assert!((decibels(0.5) + 6.02).abs() < 0.01);
        assert!(decibels(0.0) < FLOOR_DB);
    }

    #[test]
    fn what_is_below_the_scale_is_silent() {
        assert_eq!(level_text(-60.1), "silent");
        assert_eq!(level_text(-60.0), "-60.0 dB");
        assert_eq!(level_text(-6.02), "-6.0 dB");
    }
}
