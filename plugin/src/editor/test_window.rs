//! A window without a screen, for tests: it draws views frame by frame, plays the host and the user, and
//! tells what was shown.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use egui::epaint::ClippedShape;
use egui::{Event, Key, Modifiers, PointerButton, Pos2, RawInput, Rect, Shape, Ui};
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::{GuiContextInner, ParamPtr, PluginApi, PluginState};
use weft_core::instrument::{FitState, Phase, Slot, Status, TextureInfo};

use super::layout::WINDOW_SIZE;
use super::theme;
use super::views::ViewContext;
use crate::parameters::WeftParams;
use crate::session::Session;

/// Seconds from frame to frame.
pub const FRAME_S: f64 = 1.0 / 30.0;

/// A host that does what the window asks for, and writes it down.
#[derive(Default)]
struct Host {
    calls: Mutex<Vec<String>>,
}

impl Host {
    fn note(&self, call: &str, param: ParamPtr) {
        // SAFETY: a test keeps its parameters longer than its window.
        let name = unsafe { param.name() };
        self.calls.lock().unwrap().push(format!("{call} {name}"));
    }
}

impl GuiContextInner for Host {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Clap
    }

    unsafe fn raw_begin_set_parameter(&self, param: ParamPtr) {
        self.note("begin", param);
    }

    unsafe fn raw_set_parameter_normalized(&self, param: ParamPtr, normalized: f32) {
        self.note("set", param);
        // SAFETY: a test keeps its parameters longer than its window.
        unsafe { param._internal_set_normalized_value(normalized) };
    }

    unsafe fn raw_end_set_parameter(&self, param: ParamPtr) {
        self.note("end", param);
    }

    fn get_state(&self) -> PluginState {
        PluginState {
            version: String::new(),
            params: BTreeMap::new(),
            fields: BTreeMap::new(),
        }
    }

    fn set_state(&self, _state: PluginState) {}

    fn request_restart(&self) {}
}

/// The way to such a host.
pub fn host() -> GuiContext {
    GuiContext::new(Arc::new(Host::default()))
}

/// A window that is as large as the real one, and shows what a test draws into all of it.
pub struct TestWindow {
    pub params: Arc<WeftParams>,
    pub session: Arc<Session>,
    /// How the instrument seems to stand: to be changed by the test.
    pub status: Status,
    host: Arc<Host>,
    egui: egui::Context,
    start: Instant,
    seconds: f64,
}

impl TestWindow {
    /// A window of the instrument, with nothing in it.
    pub fn instrument() -> Self {
        Self::new(false)
    }

    /// A window of the effect, with nothing in it.
    pub fn effect() -> Self {
        Self::new(true)
    }

    fn new(passes_input: bool) -> Self {
        let session = Arc::new(Session::new().0);
        let egui = egui::Context::default();
        theme::apply(&egui);
        Self {
            params: Arc::new(WeftParams::new(session.clone(), passes_input)),
            status: session.status(),
            session,
            host: Arc::default(),
            egui,
            start: Instant::now(),
            seconds: 0.0,
        }
    }

    /// The window's area.
    pub fn area(&self) -> Rect {
        Rect::from_min_size(Pos2::ZERO, WINDOW_SIZE)
    }

    /// What the host was called for, in order: what, and the parameter's name.
    pub fn host_calls(&self) -> Vec<String> {
        self.host.calls.lock().unwrap().clone()
    }

    /// Lets a fit of `slot` seem to run.
    pub fn fits(&mut self, slot: Slot) {
        let (step, steps, loss) = (1, 10, 1.0);
        self.status.slots[slot.index()].fit = Some(FitState::Running { step, steps, loss });
        self.status.phase = Phase::Fitting { step, steps, loss };
    }

    /// Lets time go by without a frame.
    pub fn pass_seconds(&mut self, seconds: f64) {
        self.seconds += seconds;
    }

    /// Draws a frame in which the user does nothing.
    pub fn frame(&mut self, show: impl FnMut(&mut Ui, &ViewContext<'_>)) -> Shown {
        self.frame_with(Vec::new(), show)
    }

    fn frame_with(
        &mut self,
        events: Vec<Event>,
        mut show: impl FnMut(&mut Ui, &ViewContext<'_>),
    ) -> Shown {
        let gui_context = GuiContext::new(self.host.clone());
        let context = ViewContext {
            name: "Weft",
            params: &self.params,
            setter: gui_context.param_setter(),
            session: &self.session,
            slot: self.params.play.slot.value().into(),
            status: &self.status,
            now: self.start + Duration::from_secs_f64(self.seconds),
        };
        let input = RawInput {
            screen_rect: Some(self.area()),
            time: Some(self.seconds),
            events,
            ..RawInput::default()
        };
        let mut output = self.egui.run_ui(input, |ui| show(ui, &context));
        // There is no screen that textures would have to be shown on.
        output.textures_delta.clear();
        self.seconds += FRAME_S;
        Shown {
            shapes: output.shapes,
        }
    }

    fn button(
        &mut self,
        at: Pos2,
        pressed: bool,
        show: impl FnMut(&mut Ui, &ViewContext<'_>),
    ) -> Shown {
        let event = Event::PointerButton {
            pos: at,
            button: PointerButton::Primary,
            pressed,
            modifiers: Modifiers::default(),
        };
        self.frame_with(vec![event], show)
    }

    /// Moves the pointer to `at`.
    pub fn move_to(&mut self, at: Pos2, show: impl FnMut(&mut Ui, &ViewContext<'_>)) -> Shown {
        self.frame_with(vec![Event::PointerMoved(at)], show)
    }

    /// Moves the pointer to `at`, and presses its button.
    pub fn press_at(&mut self, at: Pos2, mut show: impl FnMut(&mut Ui, &ViewContext<'_>)) -> Shown {
        self.move_to(at, &mut show);
        self.button(at, true, show)
    }

    /// Lets the pointer's button go at `at`.
    pub fn release_at(&mut self, at: Pos2, show: impl FnMut(&mut Ui, &ViewContext<'_>)) -> Shown {
        self.button(at, false, show)
    }

    /// Clicks at `at`.
    pub fn click_at(&mut self, at: Pos2, mut show: impl FnMut(&mut Ui, &ViewContext<'_>)) {
        self.press_at(at, &mut show);
        self.release_at(at, show);
    }

    /// Clicks on the text that is exactly `text`.
    pub fn click(&mut self, text: &str, mut show: impl FnMut(&mut Ui, &ViewContext<'_>)) {
        let at = self.frame(&mut show).last(text);
        self.click_at(at, show);
    }

    /// Double-clicks on the text that is exactly `text`.
    pub fn double_click(&mut self, text: &str, mut show: impl FnMut(&mut Ui, &ViewContext<'_>)) {
        let at = self.frame(&mut show).last(text);
        self.click_at(at, &mut show);
        self.click_at(at, show);
    }

    /// Replaces what is in the text field that has the focus by `text`, and presses Enter.
    pub fn type_and_enter(&mut self, text: &str, mut show: impl FnMut(&mut Ui, &ViewContext<'_>)) {
        let key = |key, modifiers| Event::Key {
            key,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers,
        };
        // The field takes the focus in the frame after the click.
        self.frame(&mut show);
        self.frame(&mut show);
        let all = key(Key::A, Modifiers::COMMAND);
        self.frame_with(vec![all, Event::Text(text.to_owned())], &mut show);
        self.frame_with(vec![key(Key::Enter, Modifiers::NONE)], show);
    }
}

/// What a frame has shown.
pub struct Shown {
    shapes: Vec<ClippedShape>,
}

impl Shown {
    fn placed_texts(&self) -> Vec<(String, Pos2)> {
        let texts = self.shapes.iter().filter_map(|shape| match &shape.shape {
            Shape::Text(text) => {
                let centre = text.visual_bounding_rect().center();
                Some((text.galley.text().to_owned(), centre))
            }
            _ => None,
        });
        texts.collect()
    }

    /// Every text, in the order of drawing.
    pub fn texts(&self) -> Vec<String> {
        let placed = self.placed_texts().into_iter();
        placed.map(|(text, _)| text).collect()
    }

    /// Whether there is a text that is exactly `text`.
    pub fn has(&self, text: &str) -> bool {
        self.texts().iter().any(|shown| shown == text)
    }

    /// The middle of the text that is exactly `text`; of several, the one drawn last.
    pub fn last(&self, text: &str) -> Pos2 {
        let mut placed = self.placed_texts().into_iter().rev();
        let found = placed.find(|(shown, _)| shown == text);
        found
            .unwrap_or_else(|| panic!("no {text:?} in {:?}", self.texts()))
            .1
    }

    /// What all shapes together cover.
    pub fn bounds(&self) -> Rect {
        let shapes = self.shapes.iter().map(|s| s.shape.visual_bounding_rect());
        shapes.fold(Rect::NOTHING, |all, one| all.union(one))
    }
}

/// A texture of 8 s.
pub fn texture() -> TextureInfo {
    TextureInfo {
        duration_s: 8.0,
        sample_rate: 44_100,
        stereo: true,
        fit_steps: 1500,
        loss: 0.5,
    }
}
