//! The parts of the window, from above: each a type with the state that is its own. A view draws into the
//! surface that it is given, sees the plugin through [`ViewContext`], and acts on it by calls of the
//! session and the parameters' setter. What is meant for another view, it returns.

mod banner;
mod browser;
mod capture;
mod controls;
mod footer;
mod header;
mod progress;
mod slots;

use std::time::Instant;

use egui::{Rect, Ui, UiBuilder};
use nice_plug::prelude::{Param, ParamSetter};
use weft_core::instrument::{Instrument, Slot, SlotStatus, Status};

use super::layout::WindowLayout;
use super::{theme, widgets};
use crate::imprint::ImprintStatus;
use crate::parameters::WeftParams;
use crate::session::Session;
use banner::ErrorBanner;
use browser::{Browser, FileRequest};
use capture::CaptureView;
use controls::ControlsView;
use footer::Footer;
use header::Header;
use progress::ProgressView;
use slots::SlotsView;

/// What every view may look at, and act on, while one frame is drawn.
pub struct ViewContext<'a> {
    /// The plugin's name.
    pub name: &'static str,
    /// The parameters, to be read.
    pub params: &'a WeftParams,
    /// Sets parameters, for the host to record.
    pub setter: ParamSetter<'a>,
    /// Takes what the user wants of the instrument.
    pub session: &'a Session,
    /// The slot that the parameter chooses, before anything is clicked in this frame.
    pub slot: Slot,
    /// How the instrument stands. To be asked for once a frame: the peaks restart with every look.
    pub status: &'a Status,
    /// When the frame is drawn.
    pub now: Instant,
}

impl ViewContext<'_> {
    /// The instrument, for what needs no more than that.
    fn instrument(&self) -> &Instrument {
        self.session.instrument()
    }

    /// How the chosen slot stands.
    fn slot_status(&self) -> &SlotStatus {
        &self.status.slots[self.slot.index()]
    }

    /// How the imprint for the chosen slot stands, if one is made.
    fn imprint(&self) -> Option<ImprintStatus> {
        let status = self.session.imprints().status();
        status.filter(|status| status.request.into == self.slot)
    }

    /// A bar for a parameter; text that was typed into it and can't be read is said in the window.
    fn bar<P: Param>(&self, ui: &mut Ui, area: Rect, param: &P) {
        let refusal = widgets::parameter_bar(ui, area, param, &self.setter);
        if let Some(refusal) = refusal {
            self.session.report_error(refusal);
        }
    }

    /// Whether this is the effect, which hears what its own track plays.
    fn is_effect(&self) -> bool {
        self.params.amp.through.0.is_some()
    }
}

/// Every view of the window.
pub struct Views {
    header: Header,
    slots: SlotsView,
    capture: CaptureView,
    progress: ProgressView,
    controls: ControlsView,
    footer: Footer,
    browser: Browser,
    banner: ErrorBanner,
}

impl Views {
    /// The views of a window that is not open yet.
    pub fn new(params: &WeftParams) -> Self {
        Self {
            header: Header::default(),
            slots: SlotsView::default(),
            capture: CaptureView::default(),
            progress: ProgressView::default(),
            controls: ControlsView::new(params),
            footer: Footer::default(),
            browser: Browser::default(),
            banner: ErrorBanner,
        }
    }

    /// Draws the window into all of `ui`; what is drawn later lies on top.
    pub fn show(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        let window = ui.max_rect();
        let layout = WindowLayout::of(window);
        ui.painter().rect_filled(window, 0.0, theme::BACKGROUND);

        let is_browsing = self.browser.is_open();
        self.header
            .show(&mut surface(ui, "header", layout.header), context);
        let request = self.slots.show(
            &mut surface(ui, "slots", layout.slots),
            context,
            is_browsing,
        );
        self.capture
            .show(&mut surface(ui, "capture", layout.capture), context);
        self.progress
            .show(&mut surface(ui, "progress", layout.progress), context);
        self.controls
            .show(&mut surface(ui, "controls", layout.controls), context);
        self.footer
            .show(&mut surface(ui, "footer", layout.footer), context);
        if let Some(request) = request {
            self.browser.open(request);
        }
        self.browser
            .show(&mut surface(ui, "browser", layout.browser), context);
        self.banner
            .show(&mut surface(ui, "banner", layout.banner), context);
    }

    /// Ends what can't go on while the window is closed.
    pub fn close(&mut self) {
        self.slots.close();
        self.browser.close();
        self.footer.close();
    }
}

/// A view's own part of the window: widgets of other views that have the same name are not confused
/// with its own.
fn surface(ui: &mut Ui, view: &'static str, area: Rect) -> Ui {
    ui.new_child(UiBuilder::new().id_salt(view).max_rect(area))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::test_window::TestWindow;

    #[test]
    fn the_window_opens_empty_and_draws_every_view() {
        for mut window in [TestWindow::instrument(), TestWindow::effect()] {
            let mut views = Views::new(&window.params.clone());
            let shown = window.frame(|ui, context| views.show(ui, context));
            for text in [
                "Weft",
                "Output",
                "Capture",
                "Synthesize",
                "Pitch",
                "No texture",
            ] {
                assert!(shown.has(text), "{text} of {:?}", shown.texts());
            }
        }
    }

    #[test]
    fn the_browser_covers_what_lies_below_it_and_is_closed_with_the_window() {
        let mut window = TestWindow::instrument();
        let mut views = Views::new(&window.params.clone());
        window.click("Load", |ui, context| views.show(ui, context));
        let shown = window.frame(|ui, context| views.show(ui, context));
        assert!(shown.has("Up"), "{:?}", shown.texts());
        // Under the browser.
        window.click("Capture", |ui, context| views.show(ui, context));
        assert!(!window.session.take_capture_request());
        views.close();
        let shown = window.frame(|ui, context| views.show(ui, context));
        assert!(!shown.has("Up"));
    }

    #[test]
    fn cancelling_the_browser_leaves_a_fit_alone() {
        let mut window = TestWindow::instrument();
        window.fits(Slot::A);
        let mut views = Views::new(&window.params.clone());
        window.click("Load", |ui, context| views.show(ui, context));
        let shown = window.frame(|ui, context| views.show(ui, context));
        let cancel = shown.last("Cancel");
        window.click_at(cancel, |ui, context| views.show(ui, context));
        assert!(!window.session.take_cancel_request());
        let shown = window.frame(|ui, context| views.show(ui, context));
        assert!(!shown.has("Up"));
        window.click("Cancel", |ui, context| views.show(ui, context));
        assert!(window.session.take_cancel_request());
    }
}
