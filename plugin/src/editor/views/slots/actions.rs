//! The buttons beside the waveform: what can be done with the texture of the chosen slot.

use egui::{Id, Rect, Sense, Ui, pos2, vec2};
use weft_core::instrument::{Slot, SlotStatus};
use weft_core::procedural::Texture;

use super::{FileRequest, ViewContext};
use crate::editor::layout::columns;
use crate::editor::{theme, widgets};
use crate::imprint::ImprintRequest;

/// Seed of the textures that are synthesized from the menu.
const FACTORY_SEED: u64 = 1;
/// Weights of the buttons with longer names, in a row where the others have 1.
const IMPRINT_WEIGHT: f32 = 1.3;
const SYNTHESIZE_WEIGHT: f32 = 1.6;
/// The narrowest menu of imprints, in points.
const IMPRINT_MENU_WIDTH: f32 = 118.0;
/// Between a button and the menu that hangs from it, in points.
const MENU_GAP: f32 = 2.0;

/// The two rows of buttons, and the menu that hangs from one of them.
#[derive(Default)]
pub struct Actions {
    menu: Menu,
}

/// The list that hangs open under the row of buttons.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Menu {
    #[default]
    Closed,
    /// Textures to synthesize.
    Synthesize,
    /// Slots to copy to.
    Copy,
    /// Whose gestures to have in whose matter.
    Imprint,
}

/// What is chosen from a menu.
#[derive(Clone, Copy, Debug, PartialEq)]
enum MenuEntry {
    CopyTo(Slot),
    Synthesize(Texture),
    Imprint(ImprintRequest),
}

/// Which buttons have something to do.
#[derive(Debug, PartialEq)]
struct Enabled {
    more: bool,
    undo: bool,
    copy: bool,
    clear: bool,
    load: bool,
    save: bool,
    imprint: bool,
}

impl Enabled {
    /// For a `slot` into which `imprints` can be made.
    fn of(slot: &SlotStatus, imprints: usize, is_browsing: bool) -> Self {
        let has_texture = slot.texture.is_some() || slot.capture_s.is_some();
        Self {
            more: slot.capture_s.is_some() && slot.fit.is_none(),
            undo: slot.can_undo,
            copy: has_texture,
            clear: has_texture,
            load: !is_browsing,
            save: slot.texture.is_some() && !is_browsing,
            imprint: imprints > 0,
        }
    }
}

impl Actions {
    /// Draws the buttons into `area`. Returns what the file browser is asked for, which it is not while it
    /// is open already.
    pub fn show(
        &mut self,
        ui: &Ui,
        area: Rect,
        context: &ViewContext<'_>,
        is_browsing: bool,
    ) -> Option<FileRequest> {
        let slot = context.slot;
        let slot_status = context.slot_status();
        let instrument = context.instrument();
        let imprints = imprints(slot, &context.status.slots);
        let enabled = Enabled::of(slot_status, imprints.len(), is_browsing);

        let height = (area.height() - theme::NARROW_GAP) / 2.0;
        let (upper, rest) = area.split_top_bottom_at_y(area.top() + height);
        let lower = rest.with_min_y(rest.top() + theme::NARROW_GAP);
        let [more, undo, copy, clear] = columns(upper, [1.0; 4]);
        let weights = [1.0, 1.0, IMPRINT_WEIGHT, SYNTHESIZE_WEIGHT];
        let [load, save, imprint, synthesize] = columns(lower, weights);
        if widgets::guarded_button(ui, more, "More", enabled.more) {
            instrument.refine(slot);
        }
        if widgets::guarded_button(ui, undo, "Undo", enabled.undo) {
            instrument.undo(slot);
        }
        if widgets::guarded_button(ui, copy, "Copy", enabled.copy) {
            self.menu = self.menu.toggled(Menu::Copy);
        }
        if widgets::guarded_button(ui, clear, "Clear", enabled.clear) {
            instrument.clear(slot);
        }
        let mut request = None;
        if widgets::guarded_button(ui, load, "Load", enabled.load) {
            request = Some(FileRequest::Load(slot));
        }
        if widgets::guarded_button(ui, save, "Save", enabled.save) {
            let name = slot_status.name.clone();
            request = Some(FileRequest::Save(slot, name));
        }
        if widgets::guarded_button(ui, imprint, "Imprint", enabled.imprint) {
            self.menu = self.menu.toggled(Menu::Imprint);
        }
        if widgets::guarded_button(ui, synthesize, "Synthesize", true) {
            self.menu = self.menu.toggled(Menu::Synthesize);
        }
        match self.menu {
            Menu::Closed => {}
            Menu::Copy => self.show_menu(ui, copy, context),
            Menu::Synthesize => self.show_menu(ui, synthesize, context),
            Menu::Imprint => {
                let width = imprint.width().max(IMPRINT_MENU_WIDTH);
                let imprint = Rect::from_min_size(imprint.min, vec2(width, imprint.height()));
                self.show_menu(ui, imprint, context);
            }
        }
        request
    }

    /// Closes the menu.
    pub fn close(&mut self) {
        self.menu = Menu::Closed;
    }

    /// Draws the open menu under `button`, and does what is chosen from it.
    fn show_menu(&mut self, ui: &Ui, button: Rect, context: &ViewContext<'_>) {
        let slot = context.slot;
        let entries = self.menu.entries(slot, &context.status.slots);
        let area = egui::Area::new(Id::unique("slot menu"))
            .order(egui::Order::Foreground)
            .fixed_pos(button.left_bottom() + vec2(0.0, MENU_GAP));
        let mut chosen = None;
        let shown = area.show(ui.ctx(), |ui| {
            let size = vec2(button.width(), theme::ROW * entries.len() as f32);
            let (surface, _) = ui.allocate_exact_size(size, Sense::hover());
            widgets::panel(ui, surface, theme::TRACK);
            for (i, (text, entry)) in entries.iter().enumerate() {
                let top = surface.top() + theme::ROW * i as f32;
                let size = vec2(surface.width(), theme::ROW);
                let row = Rect::from_min_size(pos2(surface.left(), top), size);
                if widgets::button(ui, row.shrink(1.0), text, theme::OUTLINE).clicked() {
                    chosen = Some(*entry);
                }
            }
        });
        match chosen {
            Some(MenuEntry::CopyTo(to)) => context.instrument().copy(slot, to),
            Some(MenuEntry::Synthesize(texture)) => {
                context.instrument().synthesize(slot, texture, FACTORY_SEED);
            }
            Some(MenuEntry::Imprint(request)) => context.session.imprints().begin(request),
            None => {}
        }
        let is_pressed_elsewhere = ui.input(|input| input.pointer.any_pressed())
            && !shown.response.contains_pointer()
            && !ui.rect_contains_pointer(button);
        if chosen.is_some() || is_pressed_elsewhere {
            self.menu = Menu::Closed;
        }
    }
}

impl Menu {
    /// What is open after the button of `menu` was clicked.
    fn toggled(self, menu: Self) -> Self {
        if self == menu { Self::Closed } else { menu }
    }

    /// What the menu of `slot` lists where the `slots` stand like this: text, and what it does.
    fn entries(self, slot: Slot, slots: &[SlotStatus]) -> Vec<(String, MenuEntry)> {
        match self {
            Self::Closed => Vec::new(),
            Self::Copy => {
                let others = Slot::ALL.into_iter().filter(|other| *other != slot);
                let entry = |to: Slot| (format!("to {}", to.letter()), MenuEntry::CopyTo(to));
                others.map(entry).collect()
            }
            Self::Synthesize => {
                let entry = |t: Texture| (t.name().to_owned(), MenuEntry::Synthesize(t));
                Texture::ALL.into_iter().map(entry).collect()
            }
            Self::Imprint => {
                let entry = |request: ImprintRequest| {
                    let (content, style) = (request.content.letter(), request.style.letter());
                    let text = format!("{content} in {style}'s style");
                    (text, MenuEntry::Imprint(request))
                };
                imprints(slot, slots).into_iter().map(entry).collect()
            }
        }
    }
}

/// The imprints that can be made for `slot`: of every other slot that has a capture, in the style of every third.
fn imprints(slot: Slot, slots: &[SlotStatus]) -> Vec<ImprintRequest> {
    let has_capture = |other: &Slot| {
        let status = slots.get(other.index());
        *other != slot && status.is_some_and(|status| status.capture_s.is_some())
    };
    let sources: Vec<Slot> = Slot::ALL.into_iter().filter(has_capture).collect();
    let requests = sources.iter().flat_map(|&content| {
        let styles = sources.iter().filter(move |&&style| style != content);
        styles.map(move |&style| ImprintRequest {
            content,
            style,
            into: slot,
        })
    });
    requests.collect()
}

#[cfg(test)]
mod tests {
    use weft_core::instrument::FitState;

    use super::*;
    use crate::editor::test_window::{TestWindow, texture};

    fn enabled(change: impl FnOnce(&mut SlotStatus)) -> Enabled {
        let mut slot = SlotStatus::default();
        change(&mut slot);
        Enabled::of(&slot, 0, false)
    }

    #[test]
    fn an_empty_slot_can_only_be_loaded() {
        assert_eq!(
            enabled(|_| {}),
            Enabled {
                more: false,
                undo: false,
                copy: false,
                clear: false,
                load: true,
                save: false,
                imprint: false,
            }
        );
    }

    #[test]
    fn more_needs_a_capture_that_is_not_being_fitted() {
        assert!(enabled(|s| s.capture_s = Some((8.0, 0.0..8.0))).more);
        assert!(!enabled(|s| s.texture = Some(texture())).more);
        let fitting = enabled(|s| {
            s.capture_s = Some((8.0, 0.0..8.0));
            s.fit = Some(FitState::Queued { steps: 100 });
        });
        assert!(!fitting.more && fitting.copy && fitting.clear);
        assert!(!fitting.save, "there is no texture yet");
    }

    #[test]
    fn the_browser_is_not_asked_for_while_it_is_open() {
        let slot = SlotStatus {
            texture: Some(texture()),
            ..SlotStatus::default()
        };
        let open = Enabled::of(&slot, 0, true);
        assert!(!open.load && !open.save);
        assert!(Enabled::of(&slot, 0, false).save);
    }

    #[test]
    fn a_menu_lists_what_there_is_to_choose() {
        let texts = |menu: Menu| {
            let entries = menu.entries(Slot::B, &[]).into_iter();
            entries.map(|(text, _)| text).collect::<Vec<_>>()
        };
        assert_eq!(texts(Menu::Copy), ["to A", "to C", "to D"]);
        assert_eq!(texts(Menu::Synthesize).len(), Texture::ALL.len());
        assert!(texts(Menu::Closed).is_empty());
    }

    #[test]
    fn an_imprint_is_chosen_from_what_has_captures() {
        let mut window = TestWindow::instrument();
        for slot in [0, 1, 2] {
            window.status.slots[slot].capture_s = Some((4.0, 0.0..4.0));
        }
        let texts = |slot: Slot| {
            let entries = Menu::Imprint
                .entries(slot, &window.status.slots)
                .into_iter();
            entries.map(|(text, _)| text).collect::<Vec<_>>()
        };
        assert_eq!(texts(Slot::B), ["A in C's style", "C in A's style"]);
        assert_eq!(texts(Slot::D).len(), 6);
        let one = [SlotStatus::default(), window.status.slots[1].clone()];
        assert!(imprints(Slot::A, &one).is_empty());
        // The slots have none of it: the instrument says so, in the window.
        let mut actions = Actions::default();
        let area = Rect::from_min_size(pos2(10.0, 10.0), vec2(320.0, 64.0));
        let mut show = |ui: &mut Ui, context: &ViewContext<'_>| {
            actions.show(ui, area, context, false);
        };
        window.click("Imprint", &mut show);
        window.click("B in C's style", &mut show);
        let error = window.session.status().error.unwrap();
        assert!(error.contains("slot B has no capture"), "{error}");
        let shown = window.frame(&mut show);
        assert!(shown.has("Imprint") && !shown.has("B in C's style"));
    }

    #[test]
    fn a_menu_is_closed_by_its_own_button_and_gives_way_to_another() {
        assert_eq!(Menu::Closed.toggled(Menu::Copy), Menu::Copy);
        assert_eq!(Menu::Copy.toggled(Menu::Copy), Menu::Closed);
        assert_eq!(Menu::Copy.toggled(Menu::Synthesize), Menu::Synthesize);
    }

    #[test]
    fn buttons_ask_for_the_browser_and_open_menus() {
        let mut window = TestWindow::instrument();
        window.status.slots[0].name = "Rain".to_owned();
        window.status.slots[0].texture = Some(texture());
        let mut actions = Actions::default();
        let mut requests = Vec::new();
        for name in ["Load", "Save"] {
            window.click(name, |ui, context| {
                requests.extend(actions.show(ui, ui.max_rect(), context, false));
            });
        }
        assert_eq!(
            requests,
            [
                FileRequest::Load(Slot::A),
                FileRequest::Save(Slot::A, "Rain".to_owned())
            ]
        );
        window.click("Copy", |ui, context| {
            actions.show(ui, ui.max_rect(), context, false);
        });
        let shown = window.frame(|ui, context| {
            actions.show(ui, ui.max_rect(), context, false);
        });
        assert!(shown.has("to B") && !shown.has("to A"));
        actions.close();
        assert_eq!(actions.menu, Menu::Closed);
    }
}
