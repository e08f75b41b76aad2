//! The part of the window with the four textures: which one plays, what it was learned from, and what can
//! be done with it.

use egui::{
    Align2, Color32, CursorIcon, Id, Key, Pos2, Rect, Sense, Stroke, TextEdit, Ui, pos2, vec2,
};
use nice_plug::prelude::ParamSetter;
use weft_core::clip::Capture;
use weft_core::instrument::{FitState, Instrument, Slot, SlotStatus, Status};
use weft_core::network::quality_db;
use weft_core::procedural::Texture;

use super::files::FileBrowser;
use super::{columns, theme, widgets};
use crate::parameters::WeftParams;
use crate::session::Session;

/// Height of a slot's button.
pub const SLOT_HEIGHT: f32 = 42.0;
/// Height of the waveform, and of the buttons beside it.
pub const WAVEFORM_HEIGHT: f32 = 64.0;
/// Share of the row that the waveform takes.
const WAVEFORM_SHARE: f32 = 0.58;
/// Within so many points of an end of the used part, a drag moves that end.
const HANDLE_REACH: f32 = 8.0;
/// The shortest part that can be used, in seconds.
const SHORTEST_S: f64 = weft_core::clip::MIN_CAPTURE_S;
/// Seed of the textures that are synthesized from the menu.
const FACTORY_SEED: u64 = 1;

/// What the window remembers of the slots from frame to frame.
#[derive(Default)]
pub struct SlotsView {
    waveform: Option<Waveform>,
    /// The part that is being dragged out, in seconds.
    trim: Option<Trim>,
    /// The name that is being typed.
    name: Option<(Slot, String)>,
    menu: Menu,
    files: FileBrowser,
}

/// A list that hangs open under the row of buttons.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Menu {
    #[default]
    Closed,
    /// Textures to synthesize.
    Factory,
    /// Slots to copy to.
    Copy,
}

/// The capture's outline, and what it was drawn of.
struct Waveform {
    capture: Capture,
    /// Lowest and highest sample of each column.
    columns: Vec<(f32, f32)>,
}

struct Trim {
    slot: Slot,
    used_s: std::ops::Range<f64>,
    end: TrimEnd,
}

#[derive(Clone, Copy, PartialEq)]
enum TrimEnd {
    Start,
    End,
}

impl SlotsView {
    /// Ends what can't go on while the window is closed.
    pub fn close(&mut self) {
        self.trim = None;
        self.name = None;
        self.menu = Menu::Closed;
        self.files.close();
    }

    /// Draws the file browser over `area`, if it is open.
    pub fn browser(&mut self, ui: &mut Ui, area: Rect, session: &Session) {
        self.files.show(ui, area, session);
    }

    /// The row of slots; a click plays one.
    pub fn slot_row(
        &mut self,
        ui: &mut Ui,
        row: Rect,
        status: &Status,
        instrument: &Instrument,
        params: &WeftParams,
        setter: Option<&ParamSetter<'_>>,
    ) -> Slot {
        let playing: Slot = params.play.slot.value().into();
        for (slot, area) in Slot::ALL.into_iter().zip(columns(row, [1.0; 4])) {
            let shown = &status.slots[slot.index()];
            if matches!(&self.name, Some((named, _)) if *named == slot) {
                self.name_entry(ui, area, instrument);
                continue;
            }
            let response = slot_button(ui, area, slot, shown, slot == playing);
            if response.double_clicked() && !shown.name.is_empty() {
                self.name = Some((slot, shown.name.clone()));
            } else if response.clicked()
                && let Some(setter) = setter
            {
                let last = (Slot::ALL.len() - 1) as f32;
                widgets::set_once(&params.play.slot, setter, slot.index() as f32 / last);
            }
        }
        playing
    }

    fn name_entry(&mut self, ui: &mut Ui, area: Rect, instrument: &Instrument) {
        let Some((slot, text)) = &mut self.name else {
            return;
        };
        let response = ui.put(
            area,
            TextEdit::singleline(text)
                .font(theme::body())
                .text_color(theme::TEXT)
                .desired_width(area.width()),
        );
        let cancelled = ui.input(|input| input.key_pressed(Key::Escape));
        if response.lost_focus() || cancelled {
            if !cancelled {
                instrument.rename(*slot, text);
            }
            self.name = None;
        } else {
            response.request_focus();
        }
    }

    /// The capture of `slot`, and what can be done with its texture.
    pub fn slot_details(
        &mut self,
        ui: &mut Ui,
        row: Rect,
        slot: Slot,
        status: &Status,
        instrument: &Instrument,
    ) {
        let shown = &status.slots[slot.index()];
        let [wave, buttons] = columns(row, [WAVEFORM_SHARE, 1.0 - WAVEFORM_SHARE]);
        self.waveform(ui, wave, slot, shown, instrument);

        let height = (buttons.height() - theme::NARROW_GAP) / 2.0;
        let (upper, rest) = buttons.split_top_bottom_at_y(buttons.top() + height);
        let lower = rest.with_min_y(rest.top() + theme::NARROW_GAP);
        let [more, undo, copy, clear] = columns(upper, [1.0; 4]);
        let [load, save, factory] = columns(lower, [1.0, 1.0, 1.36]);
        let has_texture = shown.texture.is_some() || shown.capture_s.is_some();
        let push = |ui: &Ui, area, text, works| {
            let fill = if works { theme::OUTLINE } else { theme::TRACK };
            widgets::button(ui, area, text, fill).clicked() && works
        };
        if push(
            ui,
            more,
            "More",
            shown.capture_s.is_some() && shown.fit.is_none(),
        ) {
            instrument.refine(slot);
        }
        if push(ui, undo, "Undo", shown.can_undo) {
            instrument.undo(slot);
        }
        if push(ui, copy, "Copy", has_texture) {
            self.menu = self.menu.toggled(Menu::Copy);
        }
        if push(ui, clear, "Clear", has_texture) {
            instrument.clear(slot);
        }
        if push(ui, load, "Load", !self.files.is_open()) {
            self.files.load(slot);
        }
        if push(
            ui,
            save,
            "Save",
            shown.texture.is_some() && !self.files.is_open(),
        ) {
            self.files.save(slot, &shown.name);
        }
        if push(ui, factory, "Synthesize", true) {
            self.menu = self.menu.toggled(Menu::Factory);
        }
        let below = match self.menu {
            Menu::Closed => return,
            Menu::Copy => copy,
            Menu::Factory => factory,
        };
        self.open_menu(ui, below, slot, instrument);
    }

    fn open_menu(&mut self, ui: &mut Ui, below: Rect, slot: Slot, instrument: &Instrument) {
        let entries: Vec<(String, MenuEntry)> = match self.menu {
            Menu::Closed => return,
            Menu::Copy => {
                let others = Slot::ALL.into_iter().filter(|s| *s != slot);
                let entry = |to: Slot| (format!("to {}", to.letter()), MenuEntry::CopyTo(to));
                others.map(entry).collect()
            }
            Menu::Factory => {
                let entry = |t: Texture| (t.name().to_owned(), MenuEntry::Synthesize(t));
                Texture::ALL.into_iter().map(entry).collect()
            }
        };
        let area = egui::Area::new(Id::unique("slot menu"))
            .order(egui::Order::Foreground)
            .fixed_pos(below.left_bottom() + vec2(0.0, 2.0));
        let mut chosen = None;
        let shown = area.show(ui.ctx(), |ui| {
            let size = vec2(below.width(), theme::ROW * entries.len() as f32);
            let (surface, _) = ui.allocate_exact_size(size, Sense::hover());
            widgets::panel(ui, surface, theme::TRACK);
            for (i, (text, entry)) in entries.iter().enumerate() {
                let top = surface.top() + theme::ROW * i as f32;
                let row = Rect::from_min_size(
                    pos2(surface.left(), top),
                    vec2(surface.width(), theme::ROW),
                );
                if widgets::button(ui, row.shrink(1.0), text, theme::OUTLINE).clicked() {
                    chosen = Some(*entry);
                }
            }
        });
        match chosen {
            Some(MenuEntry::CopyTo(to)) => instrument.copy(slot, to),
            Some(MenuEntry::Synthesize(texture)) => {
                instrument.synthesize(slot, texture, FACTORY_SEED);
            }
            None => {}
        }
        let elsewhere = ui.input(|input| input.pointer.any_pressed())
            && !shown.response.contains_pointer()
            && !ui.rect_contains_pointer(below);
        if chosen.is_some() || elsewhere {
            self.menu = Menu::Closed;
        }
    }

    /// The capture's outline, with the part that is used; its ends can be dragged.
    fn waveform(
        &mut self,
        ui: &mut Ui,
        area: Rect,
        slot: Slot,
        shown: &SlotStatus,
        instrument: &Instrument,
    ) {
        widgets::panel(ui, area, theme::TRACK);
        let Some((duration_s, used_s)) = shown.capture_s.clone() else {
            let text = match shown.texture {
                Some(_) => "This texture was kept without its capture.",
                None => "An empty slot: capture, grab, load or synthesize.",
            };
            widgets::text_at(
                ui,
                area.center(),
                Align2::CENTER_CENTER,
                text,
                theme::TEXT_DIM,
            );
            self.trim = None;
            return;
        };
        self.update_waveform(area.width() as usize, slot, instrument);
        let used_s = match &self.trim {
            Some(trim) if trim.slot == slot => trim.used_s.clone(),
            _ => used_s,
        };
        let x_of = |s: f64| area.left() + area.width() * (s / duration_s) as f32;
        let (start, end) = (x_of(used_s.start), x_of(used_s.end));
        if let Some(waveform) = &self.waveform {
            let scale = 0.46 * area.height() / waveform.peak();
            for (i, (low, high)) in waveform.columns.iter().enumerate() {
                let x = area.left() + i as f32 + 0.5;
                let used = (start..=end).contains(&x);
                let colour = if used {
                    theme::ACCENT_BRIGHT
                } else {
                    theme::OUTLINE
                };
                let y = |v: f32| area.center().y - v * scale;
                let stroke = Stroke::new(1.0, colour);
                ui.painter().vline(x, y(*high)..=y(*low) + 1.0, stroke);
            }
        }
        for x in [start, end] {
            ui.painter()
                .vline(x, area.y_range(), Stroke::new(2.0, theme::TEXT));
        }
        let length = format!("{:.2} of {duration_s:.2} s", used_s.end - used_s.start);
        let corner = area.right_top() + vec2(-theme::INSET, 4.0);
        let galley = ui
            .painter()
            .layout_no_wrap(length, theme::small(), theme::TEXT);
        let label = Align2::RIGHT_TOP.anchor_size(corner, galley.size());
        widgets::panel(ui, label.expand(3.0), theme::BACKGROUND.gamma_multiply(0.7));
        ui.painter().galley(label.min, galley, theme::TEXT);

        let response = ui
            .interact(
                area,
                ui.scope_id().with("waveform"),
                Sense::click_and_drag(),
            )
            .on_hover_cursor(CursorIcon::ResizeHorizontal)
            .on_hover_text(
                "Drag an end of the bright part to choose what the texture is learned from; \
                 double-click to use the whole capture.",
            );
        let at = response.interact_pointer_pos();
        if let (true, Some(Pos2 { x, .. })) = (response.drag_started(), at) {
            let pressed = ui.input(|i| i.pointer.press_origin()).map_or(x, |p| p.x);
            let (to_start, to_end) = ((pressed - start).abs(), (pressed - end).abs());
            if to_start.min(to_end) <= HANDLE_REACH {
                let end = if to_start < to_end {
                    TrimEnd::Start
                } else {
                    TrimEnd::End
                };
                self.trim = Some(Trim { slot, used_s, end });
            }
        } else if response.double_clicked() {
            instrument.trim(slot, 0.0..duration_s);
            return;
        }
        if let (Some(trim), Some(Pos2 { x, .. })) = (&mut self.trim, at) {
            let s = f64::from((x - area.left()) / area.width()).clamp(0.0, 1.0) * duration_s;
            match trim.end {
                TrimEnd::Start => {
                    trim.used_s.start = s.min((trim.used_s.end - SHORTEST_S).max(0.0));
                }
                TrimEnd::End => {
                    trim.used_s.end = s.max((trim.used_s.start + SHORTEST_S).min(duration_s));
                }
            }
        }
        if response.drag_stopped()
            && let Some(trim) = self.trim.take()
        {
            instrument.trim(slot, trim.used_s);
        }
    }

    fn update_waveform(&mut self, width: usize, slot: Slot, instrument: &Instrument) {
        let Some(capture) = instrument.capture(slot) else {
            self.waveform = None;
            return;
        };
        let is_drawn = |w: &Waveform| w.columns.len() == width && w.capture.is_same(&capture);
        if !self.waveform.as_ref().is_some_and(is_drawn) {
            self.waveform = Some(Waveform::new(capture, width));
        }
    }
}

#[derive(Clone, Copy)]
enum MenuEntry {
    CopyTo(Slot),
    Synthesize(Texture),
}

impl Menu {
    fn toggled(self, menu: Self) -> Self {
        if self == menu { Self::Closed } else { menu }
    }
}

impl Waveform {
    fn new(capture: Capture, width: usize) -> Self {
        let clip = capture.clip();
        let columns = (0..width).map(|i| {
            let part = i * clip.len() / width..((i + 1) * clip.len() / width).max(1);
            let samples = clip.channels().iter().flat_map(|c| &c[part.clone()]);
            samples.fold((0.0f32, 0.0f32), |(low, high), &x| {
                (low.min(x), high.max(x))
            })
        });
        Self {
            columns: columns.collect(),
            capture,
        }
    }

    fn peak(&self) -> f32 {
        let columns = self.columns.iter();
        columns.fold(f32::MIN_POSITIVE, |p, (low, high)| p.max(-low).max(*high))
    }
}

/// A slot: its letter, its name, and how its texture stands.
fn slot_button(ui: &Ui, area: Rect, slot: Slot, shown: &SlotStatus, plays: bool) -> egui::Response {
    let response = ui
        .interact(
            area,
            ui.scope_id().with(("slot", slot.index())),
            Sense::click(),
        )
        .on_hover_cursor(CursorIcon::PointingHand)
        .on_hover_text("Click to play this slot, double-click its name to change it.");
    let fill = if plays { theme::ACCENT } else { theme::TRACK };
    let painter = ui.painter().with_clip_rect(area);
    painter.rect_filled(area, theme::CORNER, fill);
    if let Some(FitState::Running { step, steps, .. }) = shown.fit {
        let done = step as f32 / steps.max(1) as f32;
        let bar = Rect::from_min_max(
            pos2(area.left(), area.bottom() - 4.0),
            pos2(area.left() + area.width() * done, area.bottom()),
        );
        painter.rect_filled(bar, 0.0, theme::WARNING);
    }
    if response.hovered() {
        widgets::outline(ui, area, theme::ACCENT_BRIGHT);
    }
    let text = |at: Pos2, anchor, text: &str, font, colour: Color32| {
        painter.text(at, anchor, text, font, colour);
    };
    let left = area.left() + theme::INSET;
    let letter = slot.letter().to_string();
    let bright = theme::TEXT;
    text(
        pos2(left, area.center().y),
        Align2::LEFT_CENTER,
        &letter,
        theme::title(),
        bright,
    );
    let left = left + 24.0;
    let name = match (shown.name.as_str(), &shown.texture) {
        ("", None) => "Empty",
        ("", Some(_)) => "Untitled",
        (name, _) => name,
    };
    let state = state_of(shown);
    let upper = match state.is_empty() {
        true => pos2(left, area.center().y),
        false => pos2(left, area.top() + 13.0),
    };
    text(upper, Align2::LEFT_CENTER, name, theme::body(), bright);
    let lower = pos2(left, area.bottom() - 13.0);
    let colour = if plays { theme::TEXT } else { theme::TEXT_DIM };
    text(lower, Align2::LEFT_CENTER, &state, theme::small(), colour);
    response
}

/// How a slot's texture stands, in a few words.
fn state_of(shown: &SlotStatus) -> String {
    let quality = |loss: f32| match loss.is_finite() {
        true => format!(", {:.1} dB", quality_db(loss)),
        false => String::new(),
    };
    match (&shown.fit, &shown.texture) {
        (Some(FitState::Queued { .. }), _) => "waits for its fit".to_owned(),
        (Some(FitState::Running { step, steps, loss }), _) => {
            let percent = 100 * step / steps.max(&1);
            format!("fitting, {percent} %{}", quality(*loss))
        }
        (None, Some(texture)) => format!(
            "{:.1} s {}{}",
            texture.duration_s,
            if texture.stereo { "stereo" } else { "mono" },
            quality(texture.loss),
        ),
        (None, None) if shown.capture_s.is_some() => "not fitted: press More".to_owned(),
        (None, None) => String::new(),
    }
}
