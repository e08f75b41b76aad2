//! What is being played, and whether frames came late.

use egui::{Align2, Ui};
use weft_core::instrument::TextureInfo;

use super::ViewContext;
use crate::editor::wording::{channels, quality};
use crate::editor::{theme, widgets};

/// The last line of the window.
pub struct Footer;

impl Footer {
    /// Draws the view into all of `ui`.
    pub fn show(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        let area = ui.max_rect();
        let status = context.status;
        let texture = texture_text(status.texture.as_ref());
        let left = area.left_center();
        widgets::text_at(ui, left, Align2::LEFT_CENTER, &texture, theme::TEXT_DIM);
        let playing = playing_text(status.voices, status.underruns);
        let colour = match status.underruns {
            0 => theme::TEXT_DIM,
            _ => theme::WARNING,
        };
        let right = area.right_center();
        widgets::text_at(ui, right, Align2::RIGHT_CENTER, &playing, colour);
    }
}

/// What is known of the texture that plays.
fn texture_text(texture: Option<&TextureInfo>) -> String {
    let Some(texture) = texture else {
        return "No texture".to_owned();
    };
    format!(
        "{:.1} s {}, {:.1} kHz, {} steps{}",
        texture.duration_s,
        channels(texture.stereo),
        f64::from(texture.sample_rate) / 1000.0,
        texture.fit_steps,
        quality(", quality ", texture.loss),
    )
}

/// How many voices sound, and how many frames came late, if any did.
fn playing_text(voices: u32, late_frames: u64) -> String {
    let voices = match voices {
        1 => "1 voice".to_owned(),
        voices => format!("{voices} voices"),
    };
    match late_frames {
        0 => voices,
        1 => format!("{voices}, 1 late frame"),
        count => format!("{voices}, {count} late frames"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::test_window::{TestWindow, texture};

    #[test]
    fn a_texture_is_described() {
        assert_eq!(texture_text(None), "No texture");
        let mut info = texture();
        let text = texture_text(Some(&info));
        assert!(text.starts_with("8.0 s stereo, 44.1 kHz, 1500 steps, quality "));
        info.stereo = false;
        info.loss = f32::NAN;
        assert_eq!(
            texture_text(Some(&info)),
            "8.0 s mono, 44.1 kHz, 1500 steps"
        );
    }

    #[test]
    fn voices_and_late_frames_are_counted() {
        assert_eq!(playing_text(0, 0), "0 voices");
        assert_eq!(playing_text(1, 1), "1 voice, 1 late frame");
        assert_eq!(playing_text(3, 20), "3 voices, 20 late frames");
    }

    #[test]
    fn the_footer_shows_both() {
        let mut window = TestWindow::instrument();
        window.status.voices = 2;
        let shown = window.frame(|ui, context| Footer.show(ui, context));
        assert!(shown.has("No texture") && shown.has("2 voices"));
    }
}
