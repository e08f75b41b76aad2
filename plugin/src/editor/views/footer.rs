//! What is being played, what fits are made on, and whether frames came late.

use egui::{Align2, CursorIcon, Key, Rect, Sense, TextEdit, Ui};
use weft_core::instrument::TextureInfo;

use super::ViewContext;
use crate::editor::wording::{channels, quality};
use crate::editor::{theme, widgets};

/// Where the device begins and ends, in parts of the line.
const DEVICE: (f32, f32) = (0.5, 0.8);
/// The longest name of a device that is shown, in characters.
const LONGEST_DEVICE: usize = 30;

/// The last line of the window.
#[derive(Default)]
pub struct Footer {
    /// The command line of a helper, while it is typed.
    typing: Option<String>,
}

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
        let (begin, end) = DEVICE;
        let place = area
            .with_min_x(area.left() + begin * area.width())
            .with_max_x(area.left() + end * area.width());
        self.typing = match self.typing.take() {
            Some(line) => type_line(ui, place, context, line),
            None => show_device(ui, place, context),
        };
    }

    /// Drops a command line that is not entered yet.
    pub fn close(&mut self) {
        self.typing = None;
    }
}

/// Says what fits are made on; a click begins to type another helper's command line, which is returned.
fn show_device(ui: &Ui, place: Rect, context: &ViewContext<'_>) -> Option<String> {
    let text = device_text(context.status.fit_device.as_deref());
    widgets::text_at(
        ui,
        place.left_center(),
        Align2::LEFT_CENTER,
        &text,
        theme::TEXT_DIM,
    );
    let helper = context.session.helper();
    let response = ui.interact(place, ui.scope_id().with("device"), Sense::click());
    if helper.is_named() {
        response.on_hover_text("Fits are made as WEFT_WORKER has it.");
        return None;
    }
    let response = response
        .on_hover_cursor(CursorIcon::PointingHand)
        .on_hover_text(
            "Click to have fits made by another program: 'ssh gpubox weft serve' for one, 'off' for none, or \
             nothing for what lies beside the plugin.",
        );
    response.clicked().then(|| helper.typed())
}

/// A text field in place of the device; what becomes of it.
fn type_line(
    ui: &mut Ui,
    place: Rect,
    context: &ViewContext<'_>,
    mut line: String,
) -> Option<String> {
    let field = TextEdit::singleline(&mut line)
        .font(theme::small())
        .text_color(theme::TEXT)
        .desired_width(place.width());
    let response = ui.put(place, field);
    let is_cancelled = ui.input(|input| input.key_pressed(Key::Escape));
    if !response.lost_focus() && !is_cancelled {
        response.request_focus();
        return Some(line);
    }
    if !is_cancelled && let Err(error) = context.session.helper().keep_typed(&line) {
        let error = format!("the helper's command line can't be kept ({error}): set WEFT_WORKER");
        context.session.report_error(error);
    }
    None
}

/// What fits are made on.
fn device_text(device: Option<&str>) -> String {
    let Some(device) = device else {
        return "Fits on the processor".to_owned();
    };
    let mut shown: String = device.chars().take(LONGEST_DEVICE).collect();
    if shown.len() < device.len() {
        shown.push('…');
    }
    format!("Fits on {shown}")
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
        let mut footer = Footer::default();
        let shown = window.frame(|ui, context| footer.show(ui, context));
        assert!(shown.has("No texture") && shown.has("2 voices"));
        assert!(shown.has("Fits on the processor"));
        window.status.fit_device = Some("a toaster whose name never comes to an end".to_owned());
        let shown = window.frame(|ui, context| footer.show(ui, context));
        assert!(
            shown.has("Fits on a toaster whose name never com…"),
            "{:?}",
            shown.texts()
        );
    }

    #[test]
    fn a_helpers_command_line_is_typed_and_kept() {
        let mut window = TestWindow::instrument();
        let mut footer = Footer::default();
        window.click("Fits on the processor", |ui, context| {
            footer.show(ui, context)
        });
        // Here is no place for settings.
        window.type_and_enter("ssh gpubox weft serve", |ui, context| {
            footer.show(ui, context)
        });
        let error = window.session.status().error.unwrap();
        assert!(error.contains("can't be kept"), "{error}");
        let shown = window.frame(|ui, context| footer.show(ui, context));
        assert!(shown.has("Fits on the processor"));
    }
}
