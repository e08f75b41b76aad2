//! The window: what Weft hears, what it is doing, and the controls to play it.

mod files;
mod slots;
mod theme;
mod widgets;

use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::{Align2, Rect, Sense, Ui, pos2, vec2};
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::LogicalSize;
use nice_plug::prelude::Param;
use nice_plug_egui::{
    EguiEditor, EguiEditorState, EguiNiceSettings, Frame, NiceEguiApp, RepaintNotifier, baseview,
    create_egui_editor,
};
use weft_core::instrument::{FitState, Phase, Slot, Status};
use weft_core::network::quality_db;

use crate::parameters::{WeftParams, speed};
use crate::session::Session;
use slots::SlotsView;
use widgets::Gesture;

const WIDTH: f32 = 800.0;
const HEIGHT: f32 = 616.0;

/// Height of the two rows of what captures.
const CAPTURE_HEIGHT: f32 = 2.0 * theme::ROW + theme::NARROW_GAP;
/// Columns of controls, each a group.
const GROUPS: usize = 4;
/// Height of a group's name.
const GROUP_TITLE: f32 = 18.0;
/// Controls of the longest group.
const GROUP_ROWS: usize = 7;

/// Meters and progress move at this rate.
const FRAME_INTERVAL: Duration = Duration::from_millis(33);
/// A falling meter loses this much per second, about the return time of a peak programme meter.
const METER_FALL_DB_PER_S: f32 = 20.0;
/// After so long without a `process` call the host has stopped us; its longest blocks are shorter.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(1);

const AUDIO_FAULT: &str = "Weft met an internal error and went silent. Switch it off and on again \
    in the host to go on; the texture is kept.";

/// Makes the window of one instance; it opens when the host asks.
pub fn create(
    name: &'static str,
    params: Arc<WeftParams>,
    session: Arc<Session>,
) -> Option<EguiEditor<EditorApp>> {
    create_egui_editor(
        EguiEditorState::from_size(LogicalSize::new(WIDTH, HEIGHT), 1.0),
        RepaintNotifier::new(),
        EguiNiceSettings::new().with_tile(name),
        EditorApp {
            name,
            thawed: params.sound.time.default_normalized_value(),
            params,
            session,
            gui_context: None,
            gesture: Gesture::None,
            capture_pressed: false,
            slots: SlotsView::default(),
            input_meter: Meter::default(),
            output_meter: Meter::default(),
            heartbeat: Heartbeat::new(),
            broken: false,
        },
    )
}

/// Draws the window.
pub struct EditorApp {
    name: &'static str,
    params: Arc<WeftParams>,
    session: Arc<Session>,
    gui_context: Option<GuiContext>,
    gesture: Gesture,
    capture_pressed: bool,
    /// The normalized time to go back to when the texture is frozen.
    thawed: f32,
    slots: SlotsView,
    input_meter: Meter,
    output_meter: Meter,
    heartbeat: Heartbeat,
    /// Drawing has panicked: the window stays empty rather than panic thirty times a second.
    broken: bool,
}

impl NiceEguiApp for EditorApp {
    fn build(
        &mut self,
        context: egui::Context,
        gui_context: GuiContext,
        frame: &mut Frame,
    ) -> Result<(), baseview::HandlerError> {
        context.set_theme(egui::Theme::Dark);
        context.all_styles_mut(|style| {
            style.visuals.override_text_color = Some(theme::TEXT);
            style.visuals.extreme_bg_color = theme::BACKGROUND;
            style.visuals.selection.bg_fill = theme::ACCENT;
        });
        frame.set_clear_color(theme::BACKGROUND.into());
        self.gui_context = Some(gui_context);
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut Frame) {
        ui.ctx().request_repaint_after(FRAME_INTERVAL);
        if self.broken {
            widgets::text_at(
                ui,
                ui.max_rect().center(),
                Align2::CENTER_CENTER,
                "The window met an internal error. The sound goes on; reopen the window.",
                theme::WARNING,
            );
            return;
        }
        let session = self.session.clone();
        self.broken = session
            .contain("drawing the window", || self.draw(ui))
            .is_none();
    }

    fn editor_closed(&mut self) {
        self.gui_context = None;
        self.gesture = Gesture::None;
        self.slots.close();
        self.broken = false;
    }
}

impl EditorApp {
    fn draw(&mut self, ui: &mut Ui) {
        self.params.project.poll();
        let status = self.session.status();
        let input_level = self.input_meter.follow(status.input_peak);
        let output_level = self.output_meter.follow(status.output_peak);
        let processing = self.heartbeat.is_beating(self.session.process_calls());

        let window = ui.max_rect();
        ui.painter().rect_filled(window, 0.0, theme::BACKGROUND);
        let mut rows = Rows::new(window.shrink(theme::MARGIN));

        header(ui, rows.take(24.0), self.name, &status);
        rows.space(theme::GAP);
        let [input, output] = columns(rows.take(24.0), [1.0, 1.0]);
        let is_effect = self.params.amp.through.0.is_some();
        let input_name = if is_effect { "Input" } else { "Capture input" };
        widgets::level_meter(ui, input, input_name, input_level);
        widgets::level_meter(ui, output, "Output", output_level);
        rows.space(theme::GAP);
        let slots_row = rows.take(slots::SLOT_HEIGHT);
        rows.space(theme::GAP);
        let details_row = rows.take(slots::WAVEFORM_HEIGHT);
        rows.space(theme::GAP);
        let slot = self.slots(ui, slots_row, details_row, &status);
        self.capture_row(ui, rows.take(CAPTURE_HEIGHT), slot, &status);
        rows.space(theme::GAP);
        let progress_row = rows.take(22.0);
        progress(ui, progress_row, slot, &status, processing, &self.params);
        rows.space(theme::GAP);
        let controls_area = rows.take(group_height());
        self.controls(ui, controls_area);
        rows.space(theme::GAP);
        footer(ui, rows.rest(), &status);
        let session = self.session.clone();
        self.slots.browser(
            ui,
            controls_area.with_min_y(details_row.bottom() + theme::GAP),
            &session,
        );

        if self.session.has_audio_fault() {
            self.error_banner(ui, window, AUDIO_FAULT, false);
        } else if let Some(error) = &status.error {
            self.error_banner(ui, window, &sentence(error), true);
        }
    }

    /// The four slots, and what is in the one that plays.
    fn slots(&mut self, ui: &mut Ui, slots: Rect, details: Rect, status: &Status) -> Slot {
        let gui = self.gui_context.clone();
        let setter = gui.as_ref().map(GuiContext::param_setter);
        let session = self.session.clone();
        let instrument = session.instrument();
        let view = &mut self.slots;
        let slot = view.slot_row(ui, slots, status, instrument, &self.params, setter.as_ref());
        view.slot_details(ui, details, slot, status, instrument);
        slot
    }

    /// The buttons that record, grab or cancel, and how long, when and how thoroughly.
    fn capture_row(&mut self, ui: &mut Ui, rows: Rect, slot: Slot, status: &Status) {
        let (upper, rest) = rows.split_top_bottom_at_y(rows.top() + theme::ROW);
        let lower = rest.with_min_y(rest.top() + theme::NARROW_GAP);
        let [buttons, length, steps] = columns(upper, [1.0, 1.0, 1.0]);
        let [grab_area, start, threshold] = columns(lower, [1.0, 1.0, 1.0]);
        let is_capturing = matches!(status.phase, Phase::Capturing { .. } | Phase::Waiting);
        if is_capturing || status.slots[slot.index()].fit.is_some() {
            if widgets::button(ui, buttons, "Cancel", theme::OUTLINE).clicked() {
                self.session.cancel(slot);
            }
            self.release_capture();
        } else {
            let response = widgets::button(ui, buttons, "Capture", theme::RECORD);
            // The parameter follows the button, so that the host can record the press as
            // automation. The session carries the press itself: a click may begin and end
            // between two blocks, and the parameter would never be seen on. It may even begin
            // and end between two frames.
            if response.is_pointer_button_down_on() || response.clicked() {
                self.press_capture();
            } else {
                self.release_capture();
            }
        }
        let capture = &self.params.capture;
        let grab = format!("Grab the last {:.1} s", capture.seconds.value());
        if widgets::button(ui, grab_area, &grab, theme::OUTLINE).clicked() {
            self.session
                .instrument()
                .grab(slot, capture.seconds.value());
        }
        if let Some(gui) = self.gui_context.clone() {
            let setter = gui.param_setter();
            let gesture = &mut self.gesture;
            widgets::parameter_bar(ui, length, &capture.seconds, &setter, gesture);
            let fit = &capture.fits[slot.index()];
            widgets::parameter_bar(ui, steps, &fit.steps, &setter, gesture);
            widgets::parameter_choice(ui, start, &capture.start, &setter);
            widgets::parameter_bar(ui, threshold, &capture.threshold, &setter, gesture);
        }
    }

    fn press_capture(&mut self) {
        if self.capture_pressed {
            return;
        }
        self.capture_pressed = true;
        self.session.request_capture();
        if let Some(gui) = &self.gui_context {
            let setter = gui.param_setter();
            setter.begin_set_parameter(&self.params.capture.trigger);
            setter.set_parameter(&self.params.capture.trigger, true);
        }
    }

    fn release_capture(&mut self) {
        if !self.capture_pressed {
            return;
        }
        self.capture_pressed = false;
        if let Some(gui) = &self.gui_context {
            let setter = gui.param_setter();
            setter.set_parameter(&self.params.capture.trigger, false);
            setter.end_set_parameter(&self.params.capture.trigger);
        }
    }

    /// The controls that play the texture, a group a column.
    fn controls(&mut self, ui: &mut Ui, area: Rect) {
        let Some(gui) = self.gui_context.clone() else {
            return;
        };
        let setter = gui.param_setter();
        let params = self.params.clone();
        let WeftParams {
            sound,
            spectrum,
            amp,
            play,
            ..
        } = &*params;
        let [sound_area, spectrum_area, amp_area, play_area] = columns(area, [1.0; GROUPS]);

        let mut rows = group(ui, sound_area, "Sound");
        let gesture = &mut self.gesture;
        widgets::parameter_bar(ui, rows.next(), &sound.pitch, &setter, gesture);
        widgets::parameter_bar(ui, rows.next(), &sound.time, &setter, gesture);
        self.freeze_switch(ui, rows.next());
        let gesture = &mut self.gesture;
        widgets::parameter_bar(ui, rows.next(), &sound.bend, &setter, gesture);
        widgets::parameter_bar(ui, rows.next(), &sound.bend_range, &setter, gesture);
        widgets::parameter_choice(ui, rows.next(), &sound.quality, &setter);

        let mut rows = group(ui, spectrum_area, "Spectrum");
        widgets::parameter_bar(ui, rows.next(), &spectrum.brightness, &setter, gesture);
        widgets::parameter_bar(ui, rows.next(), &spectrum.smear, &setter, gesture);
        widgets::parameter_bar(ui, rows.next(), &spectrum.contrast, &setter, gesture);
        widgets::parameter_bar(ui, rows.next(), &spectrum.density, &setter, gesture);
        widgets::parameter_bar(ui, rows.next(), &spectrum.width, &setter, gesture);
        widgets::parameter_bar(ui, rows.next(), &spectrum.low_cut, &setter, gesture);
        widgets::parameter_bar(ui, rows.next(), &spectrum.high_cut, &setter, gesture);

        let mut rows = group(ui, amp_area, "Amp");
        widgets::parameter_bar(ui, rows.next(), &amp.attack, &setter, gesture);
        widgets::parameter_bar(ui, rows.next(), &amp.decay, &setter, gesture);
        widgets::parameter_bar(ui, rows.next(), &amp.sustain, &setter, gesture);
        widgets::parameter_bar(ui, rows.next(), &amp.release, &setter, gesture);
        widgets::parameter_bar(ui, rows.next(), &amp.gain, &setter, gesture);
        widgets::parameter_switch(ui, rows.next(), &amp.limiter, &setter);
        if let Some(through) = &amp.through.0 {
            widgets::parameter_bar(ui, rows.next(), &through.dry, &setter, gesture);
        }

        let mut rows = group(ui, play_area, "Play");
        widgets::parameter_switch(ui, rows.next(), &play.hold, &setter);
        widgets::parameter_switch(ui, rows.next(), &play.key_follow, &setter);
        widgets::parameter_bar(ui, rows.next(), &play.root_key, &setter, gesture);
        widgets::parameter_switch(ui, rows.next(), &play.lock, &setter);
        widgets::parameter_bar(ui, rows.next(), &play.lock_tempo, &setter, gesture);
        widgets::parameter_bar(ui, rows.next(), &play.seed, &setter, gesture);
    }

    /// Sets the time to nothing, and back.
    fn freeze_switch(&mut self, ui: &Ui, rect: Rect) {
        let time = &self.params.sound.time;
        let lit = speed(time.value()) == 0.0;
        let shown = crate::text::on_off(lit);
        if widgets::switch(ui, rect, "Freeze", shown, lit)
            && let Some(gui) = &self.gui_context
        {
            let frozen = speed(time.unmodulated_plain_value()) == 0.0;
            let target = if frozen {
                self.thawed
            } else {
                self.thawed = time.unmodulated_normalized_value();
                0.0
            };
            widgets::set_once(time, &gui.param_setter(), target);
        }
    }

    /// What went wrong, over the lower part of the window.
    fn error_banner(&self, ui: &Ui, window: Rect, message: &str, dismissable: bool) {
        const PADDING: f32 = 12.0;
        const DISMISS_WIDTH: f32 = 84.0;
        let width = window.width() - 2.0 * theme::MARGIN;
        let text_width = width - 3.0 * PADDING - DISMISS_WIDTH;
        let text = ui.painter().layout(
            message.to_owned(),
            theme::small(),
            theme::ERROR_TEXT,
            text_width,
        );
        let height = (text.size().y + 2.0 * PADDING).max(theme::ROW + 2.0 * PADDING);
        let banner = Rect::from_min_size(
            pos2(
                window.left() + theme::MARGIN,
                window.bottom() - theme::MARGIN - height,
            ),
            vec2(width, height),
        );
        // Swallows clicks meant for what it covers.
        ui.interact(
            banner,
            ui.scope_id().with("error banner"),
            Sense::click_and_drag(),
        );
        widgets::panel(ui, banner, theme::ERROR_FILL);
        let text_top = banner.center().y - text.size().y / 2.0;
        ui.painter().galley(
            pos2(banner.left() + PADDING, text_top),
            text,
            theme::ERROR_TEXT,
        );
        if dismissable {
            let button = Rect::from_center_size(
                pos2(
                    banner.right() - PADDING - DISMISS_WIDTH / 2.0,
                    banner.center().y,
                ),
                vec2(DISMISS_WIDTH, theme::ROW),
            );
            if widgets::button(ui, button, "Dismiss", theme::RECORD).clicked() {
                self.session.clear_error();
            }
        }
    }
}

/// The text with a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    let stop = if text.ends_with('.') { "" } else { "." };
    format!("{}{}{stop}", first.unwrap_or_default(), chars.as_str())
}

fn header(ui: &Ui, row: Rect, name: &str, status: &Status) {
    ui.painter().text(
        row.left_center(),
        Align2::LEFT_CENTER,
        name,
        theme::title(),
        theme::TEXT,
    );
    let (state, colour) = match status.phase {
        Phase::Empty => ("Empty", theme::TEXT_DIM),
        Phase::Waiting => ("Waiting", theme::WARNING),
        Phase::Capturing { .. } => ("Capturing", theme::RECORD_BRIGHT),
        Phase::Fitting { .. } => ("Fitting", theme::WARNING),
        _ => ("Ready", theme::ACCENT_BRIGHT),
    };
    let text = widgets::text_at(ui, row.right_center(), Align2::RIGHT_CENTER, state, colour);
    ui.painter()
        .circle_filled(pos2(text.left() - 10.0, row.center().y), 4.0, colour);
}

/// The progress of a capture or fit, or one line that says what can be done next.
fn progress(
    ui: &Ui,
    row: Rect,
    slot: Slot,
    status: &Status,
    processing: bool,
    params: &WeftParams,
) {
    let hold = params.play.hold.value();
    let is_effect = params.amp.through.0.is_some();
    let shown = &status.slots[slot.index()];
    let advice = match status.phase {
        Phase::Waiting => "Waits for the input to reach the threshold, or for the next bar.",
        Phase::Capturing { done } => {
            let text = format!("Capturing, {:.0} %", done * 100.0);
            widgets::progress_bar(ui, row, done, theme::RECORD, &text);
            return;
        }
        _ if matches!(shown.fit, Some(FitState::Queued { .. })) => {
            "Waits for the fit of another slot; what plays goes on meanwhile."
        }
        Phase::Fitting { step, steps, loss } => {
            let done = step as f32 / steps.max(1) as f32;
            let mut text = format!("Fitting, step {step} of {steps}");
            if loss.is_finite() {
                text += &format!(", quality {:.1} dB", quality_db(loss));
            }
            widgets::progress_bar(ui, row, done, theme::ACCENT, &text);
            return;
        }
        _ if !processing => "The host is not running Weft: play the transport or enable the track.",
        Phase::Empty if is_effect => "No texture yet: play the track and press Capture.",
        Phase::Empty => "No texture yet: route audio to Weft's capture input and press Capture.",
        _ if shown.remark.is_some() => {
            widgets::text_at(
                ui,
                row.left_center(),
                Align2::LEFT_CENTER,
                &sentence(shown.remark.as_deref().unwrap_or_default()),
                theme::WARNING,
            );
            return;
        }
        _ if hold => "Playing without notes.",
        _ => "Play a note, or switch Hold on.",
    };
    widgets::text_at(
        ui,
        row.left_center(),
        Align2::LEFT_CENTER,
        advice,
        theme::TEXT_DIM,
    );
}

/// What is being played, and whether frames came late.
fn footer(ui: &Ui, area: Rect, status: &Status) {
    let texture = match &status.texture {
        Some(texture) => format!(
            "{:.1} s {}, {:.1} kHz, {} steps{}",
            texture.duration_s,
            if texture.stereo { "stereo" } else { "mono" },
            f64::from(texture.sample_rate) / 1000.0,
            texture.fit_steps,
            match texture.loss {
                loss if loss.is_finite() => format!(", quality {:.1} dB", quality_db(loss)),
                _ => String::new(),
            },
        ),
        None => "No texture".to_owned(),
    };
    widgets::text_at(
        ui,
        area.left_center(),
        Align2::LEFT_CENTER,
        &texture,
        theme::TEXT_DIM,
    );
    let mut playing = match status.voices {
        1 => "1 voice".to_owned(),
        voices => format!("{voices} voices"),
    };
    let colour = match status.underruns {
        0 => theme::TEXT_DIM,
        _ => theme::WARNING,
    };
    match status.underruns {
        0 => {}
        1 => playing += ", 1 late frame",
        count => playing += &format!(", {count} late frames"),
    }
    widgets::text_at(
        ui,
        area.right_center(),
        Align2::RIGHT_CENTER,
        &playing,
        colour,
    );
}

/// Height of the longest group.
fn group_height() -> f32 {
    let rows = GROUP_ROWS as f32;
    2.0 * theme::NARROW_GAP + GROUP_TITLE + rows * (theme::ROW + theme::NARROW_GAP)
}

/// Draws the surface and the name of a group, and deals out the places of its controls.
fn group(ui: &Ui, area: Rect, name: &str) -> GroupRows {
    widgets::panel(ui, area, theme::PANEL);
    let mut rows = Rows::new(area.shrink(theme::NARROW_GAP));
    let title = rows.take(GROUP_TITLE);
    widgets::text_at(
        ui,
        title.left_center() + vec2(theme::INSET, 0.0),
        Align2::LEFT_CENTER,
        name,
        theme::TEXT_DIM,
    );
    GroupRows { rows }
}

/// The places of a group's controls, from the top.
struct GroupRows {
    rows: Rows,
}

impl GroupRows {
    fn next(&mut self) -> Rect {
        self.rows.space(theme::NARROW_GAP);
        self.rows.take(theme::ROW)
    }
}

/// Splits `row` by weight, with a gap between.
fn columns<const N: usize>(row: Rect, weights: [f32; N]) -> [Rect; N] {
    let total: f32 = weights.iter().sum();
    let usable = row.width() - theme::GAP * (N - 1) as f32;
    let mut left = row.left();
    weights.map(|weight| {
        let width = usable * weight / total;
        let column = Rect::from_min_size(pos2(left, row.top()), vec2(width, row.height()));
        left += width + theme::GAP;
        column
    })
}

/// Deals an area out from the top.
struct Rows {
    left: Rect,
}

impl Rows {
    fn new(area: Rect) -> Self {
        Self { left: area }
    }

    fn take(&mut self, height: f32) -> Rect {
        let (row, rest) = self.left.split_top_bottom_at_y(self.left.top() + height);
        self.left = rest;
        row
    }

    fn space(&mut self, height: f32) {
        self.take(height);
    }

    fn rest(self) -> Rect {
        self.left
    }
}

/// A peak meter's needle: up at once, down at a steady rate in dB.
struct Meter {
    level: f32,
    moved: Instant,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            level: 0.0,
            moved: Instant::now(),
        }
    }
}

impl Meter {
    fn follow(&mut self, peak: f32) -> f32 {
        let elapsed_s = self.moved.elapsed().as_secs_f32();
        self.moved = Instant::now();
        let fall = 10f32.powf(-METER_FALL_DB_PER_S * elapsed_s / 20.0);
        self.level = peak.max(self.level * fall);
        self.level
    }
}

/// Whether the host still calls `process`.
struct Heartbeat {
    calls: u32,
    heard: Option<Instant>,
}

impl Heartbeat {
    fn new() -> Self {
        Self {
            calls: 0,
            heard: None,
        }
    }

    fn is_beating(&mut self, calls: u32) -> bool {
        if calls != self.calls {
            self.calls = calls;
            self.heard = Some(Instant::now());
        }
        self.heard
            .is_some_and(|heard| heard.elapsed() < PROCESS_TIMEOUT)
    }
}

#[cfg(test)]
mod tests {
    use nice_plug::prelude::Params;

    use super::*;

    /// Between a bar's name and its value.
    const TEXT_GAP: f32 = 6.0;

    /// The widest that a parameter's name and value get, at all of its values.
    fn widest_text(ui: &Ui, param: nice_plug::params::internals::ParamPtr) -> f32 {
        let width = |text: String| {
            ui.painter()
                .layout_no_wrap(text, theme::small(), theme::TEXT)
                .size()
                .x
        };
        // SAFETY: the pointer is to a parameter that the caller holds.
        let (name, values) = unsafe {
            let values: Vec<_> = (0..=100)
                .map(|i| param.normalized_value_to_string(i as f32 / 100.0, true))
                .collect();
            (param.name().to_owned(), values)
        };
        let widest = values.into_iter().map(width).fold(0.0, f32::max);
        width(name) + TEXT_GAP + widest
    }

    #[test]
    fn names_and_values_fit_into_their_bars() {
        let params = WeftParams::new(Arc::new(Session::new().0), false);
        let content = WIDTH - 2.0 * theme::MARGIN;
        let column = (content - (GROUPS - 1) as f32 * theme::GAP) / GROUPS as f32;
        let bar = column - 2.0 * (theme::NARROW_GAP + theme::INSET);
        let context = egui::Context::default();
        let mut output = context.run_ui(egui::RawInput::default(), |ui| {
            for (id, param, _) in params.param_map() {
                let text = widest_text(ui, param);
                assert!(text <= bar, "{id}: {text} of {bar} points");
            }
        });
        // There is no screen that they would have to be shown on.
        output.textures_delta.clear();
    }

    #[test]
    fn the_window_is_as_high_as_what_it_shows() {
        let slots = slots::SLOT_HEIGHT + slots::WAVEFORM_HEIGHT;
        let rows = 24.0 + 24.0 + slots + CAPTURE_HEIGHT + 22.0 + group_height();
        let footer = HEIGHT - 2.0 * theme::MARGIN - rows - 7.0 * theme::GAP;
        assert!((16.0..=24.0).contains(&footer), "{footer} points are left");
    }
}
