//! What went wrong, over the lower part of the window.

use egui::{Rect, Sense, Ui, pos2, vec2};

use super::ViewContext;
use crate::editor::wording::sentence;
use crate::editor::{theme, widgets};

/// Around the message and its button, in points.
const PADDING: f32 = 12.0;
/// Width of the button in points.
const DISMISS_WIDTH: f32 = 84.0;

const AUDIO_FAULT: &str = "Weft met an internal error and went silent. Switch it off and on again \
    in the host to go on; the texture is kept.";

/// The error that the window shows, if there is one.
pub struct ErrorBanner;

/// An error, and whether it goes away when it is dismissed.
#[derive(Debug, PartialEq)]
struct Message {
    text: String,
    is_dismissable: bool,
}

impl Message {
    /// What there is to say. Of a fault of the audio thread first: it doesn't go away by itself.
    fn of(has_audio_fault: bool, error: Option<&str>) -> Option<Self> {
        if has_audio_fault {
            return Some(Self {
                text: AUDIO_FAULT.to_owned(),
                is_dismissable: false,
            });
        }
        error.map(|error| Self {
            text: sentence(error),
            is_dismissable: true,
        })
    }
}

impl ErrorBanner {
    /// Draws the view at the lower end of `ui`, as high as its message.
    pub fn show(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        let error = context.status.error.as_deref();
        let Some(message) = Message::of(context.session.has_audio_fault(), error) else {
            return;
        };
        let area = ui.max_rect();
        let text_width = area.width() - 3.0 * PADDING - DISMISS_WIDTH;
        let colour = theme::ERROR_TEXT;
        let text = ui
            .painter()
            .layout(message.text, theme::small(), colour, text_width);
        let height = (text.size().y + 2.0 * PADDING).max(theme::ROW + 2.0 * PADDING);
        let banner = area.with_min_y(area.bottom() - height);
        // Swallows clicks meant for what it covers.
        ui.interact(
            banner,
            ui.scope_id().with("surface"),
            Sense::click_and_drag(),
        );
        widgets::panel(ui, banner, theme::ERROR_FILL);
        let text_top = banner.center().y - text.size().y / 2.0;
        let text_at = pos2(banner.left() + PADDING, text_top);
        ui.painter().galley(text_at, text, colour);
        if message.is_dismissable {
            let centre = pos2(
                banner.right() - PADDING - DISMISS_WIDTH / 2.0,
                banner.center().y,
            );
            let button = Rect::from_center_size(centre, vec2(DISMISS_WIDTH, theme::ROW));
            if widgets::button(ui, button, "Dismiss", theme::RECORD).clicked() {
                context.session.clear_error();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::test_window::TestWindow;

    #[test]
    fn a_fault_of_the_audio_thread_goes_first_and_stays() {
        assert_eq!(Message::of(false, None), None);
        let error = Message::of(false, Some("it failed")).unwrap();
        assert_eq!(
            (error.text.as_str(), error.is_dismissable),
            ("It failed.", true)
        );
        let fault = Message::of(true, Some("it failed")).unwrap();
        assert_eq!(
            (fault.text.as_str(), fault.is_dismissable),
            (AUDIO_FAULT, false)
        );
    }

    #[test]
    fn an_error_is_shown_until_it_is_dismissed() {
        let mut window = TestWindow::instrument();
        let shown = window.frame(|ui, context| ErrorBanner.show(ui, context));
        assert!(shown.texts().is_empty());
        window.session.report_error("it failed".to_owned());
        window.status = window.session.status();
        let shown = window.frame(|ui, context| ErrorBanner.show(ui, context));
        assert!(shown.has("It failed."));
        window.click("Dismiss", |ui, context| ErrorBanner.show(ui, context));
        assert_eq!(window.session.status().error, None);
    }
}
