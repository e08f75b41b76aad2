//! The part of the window with the four textures: which one plays, what it was learned from, and what can
//! be done with it.

mod actions;
mod outline;
mod selector;
mod trim;
mod waveform;

use egui::Ui;

use super::{FileRequest, ViewContext};
use crate::editor::layout::{Rows, SLOT_HEIGHT, WAVEFORM_HEIGHT, columns};
use crate::editor::theme;
use actions::Actions;
use selector::Selector;
use waveform::WaveformView;

/// Share of the row that the waveform takes.
const WAVEFORM_SHARE: f32 = 0.58;

/// The four slots, and the details of the one that plays.
#[derive(Default)]
pub struct SlotsView {
    selector: Selector,
    waveform: WaveformView,
    actions: Actions,
}

impl SlotsView {
    /// Draws the view into all of `ui`. Returns what the file browser is asked for; it is not asked
    /// again while it is open, which `is_browsing` says.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        context: &ViewContext<'_>,
        is_browsing: bool,
    ) -> Option<FileRequest> {
        let mut rows = Rows::new(ui.max_rect());
        let slots = rows.take(SLOT_HEIGHT);
        rows.space(theme::GAP);
        let details = rows.take(WAVEFORM_HEIGHT);
        let [waveform, actions] = columns(details, [WAVEFORM_SHARE, 1.0 - WAVEFORM_SHARE]);
        self.selector.show(ui, slots, context);
        self.waveform.show(ui, waveform, context);
        self.actions.show(ui, actions, context, is_browsing)
    }

    /// Ends what can't go on while the window is closed.
    pub fn close(&mut self) {
        self.selector.close();
        self.waveform.close();
        self.actions.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::test_window::TestWindow;

    #[test]
    fn the_view_shows_every_slot_and_what_can_be_done() {
        let mut window = TestWindow::instrument();
        let mut slots = SlotsView::default();
        let shown = window.frame(|ui, context| {
            assert!(slots.show(ui, context, false).is_none());
        });
        for text in ["A", "B", "C", "D", "Empty", "Undo", "Synthesize"] {
            assert!(shown.has(text), "{text} of {:?}", shown.texts());
        }
    }
}
