//! The controls that play the texture, a group a column, and what moves them while it is played.

use egui::{Align2, Rect, Ui, vec2};
use nice_plug::prelude::{FloatParam, Param};

use super::ViewContext;
use crate::editor::layout::{GROUP_TITLE_HEIGHT, GROUPS, Rows, columns, groups_and_sources};
use crate::editor::{theme, widgets};
use crate::parameters::{WeftParams, speed};

/// The groups of controls.
pub struct ControlsView {
    freeze: FreezeSwitch,
}

impl ControlsView {
    /// The controls of `params`.
    pub fn new(params: &WeftParams) -> Self {
        Self {
            freeze: FreezeSwitch::new(&params.sound.time),
        }
    }

    /// Draws the view into all of `ui`.
    pub fn show(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        let [groups, sources] = groups_and_sources(ui.max_rect());
        let [sound, spectrum, amp, play] = columns(groups, [1.0; GROUPS]);
        self.sound(Group::new(ui, sound, "Sound", context), context.params);
        Self::spectrum(
            Group::new(ui, spectrum, "Spectrum", context),
            context.params,
        );
        Self::amp(Group::new(ui, amp, "Amp", context), context.params);
        Self::play(Group::new(ui, play, "Play", context), context.params);
        Self::sources(
            Group::new(ui, sources, "Modulation", context),
            context.params,
        );
    }

    fn sound(&mut self, mut group: Group<'_>, params: &WeftParams) {
        let sound = &params.sound;
        group.bar(&sound.pitch);
        group.bar(&sound.time);
        self.freeze.show(&mut group, &sound.time);
        group.bar(&sound.bend);
        group.bar(&sound.bend_range);
        group.choice(&sound.quality);
    }

    fn spectrum(mut group: Group<'_>, params: &WeftParams) {
        let spectrum = &params.spectrum;
        group.bar(&spectrum.brightness);
        group.bar(&spectrum.smear);
        group.bar(&spectrum.contrast);
        group.bar(&spectrum.density);
        group.bar(&spectrum.width);
        group.bar(&spectrum.low_cut);
        group.bar(&spectrum.high_cut);
    }

    fn amp(mut group: Group<'_>, params: &WeftParams) {
        let amp = &params.amp;
        group.bar(&amp.attack);
        group.bar(&amp.decay);
        group.bar(&amp.sustain);
        group.bar(&amp.release);
        group.bar(&amp.gain);
        group.switch(&amp.limiter);
        if let Some(through) = &amp.through.0 {
            group.bar(&through.dry);
        }
    }

    fn play(mut group: Group<'_>, params: &WeftParams) {
        let play = &params.play;
        group.switch(&play.hold);
        group.switch(&play.key_follow);
        group.bar(&play.root_key);
        group.switch(&play.lock);
        group.bar(&play.lock_tempo);
        group.bar(&play.seed);
    }

    /// A source a column: what it moves, and how far.
    fn sources(mut group: Group<'_>, params: &WeftParams) {
        let routes = params.sources.routes();
        let places = columns(group.next_row(), routes.map(|_| 1.0));
        for (place, (to, _)) in places.into_iter().zip(routes) {
            widgets::parameter_choice(group.ui, place, to, &group.context.setter);
        }
        let places = columns(group.next_row(), routes.map(|_| 1.0));
        for (place, (_, amount)) in places.into_iter().zip(routes) {
            group.context.bar(group.ui, place, amount);
        }
    }
}

/// A group while it is drawn: its surface and name are, and its controls come one below the other.
struct Group<'a> {
    ui: &'a mut Ui,
    rows: Rows,
    context: &'a ViewContext<'a>,
}

impl<'a> Group<'a> {
    fn new(ui: &'a mut Ui, area: Rect, name: &str, context: &'a ViewContext<'a>) -> Self {
        widgets::panel(ui, area, theme::PANEL);
        let mut rows = Rows::new(area.shrink(theme::NARROW_GAP));
        let title = rows.take(GROUP_TITLE_HEIGHT);
        let left = title.left_center() + vec2(theme::INSET, 0.0);
        widgets::text_at(ui, left, Align2::LEFT_CENTER, name, theme::TEXT_DIM);
        Self { ui, rows, context }
    }

    fn next_row(&mut self) -> Rect {
        self.rows.space(theme::NARROW_GAP);
        self.rows.take(theme::ROW)
    }

    fn bar<P: Param>(&mut self, param: &P) {
        let row = self.next_row();
        self.context.bar(self.ui, row, param);
    }

    fn switch<P: Param<Plain = bool>>(&mut self, param: &P) {
        let row = self.next_row();
        widgets::parameter_switch(self.ui, row, param, &self.context.setter);
    }

    fn choice<P: Param>(&mut self, param: &P) {
        let row = self.next_row();
        widgets::parameter_choice(self.ui, row, param, &self.context.setter);
    }
}

/// Sets the time to nothing, and back.
struct FreezeSwitch {
    /// The normalized time to go back to when the texture is frozen.
    thawed: f32,
}

impl FreezeSwitch {
    fn new(time: &FloatParam) -> Self {
        Self {
            thawed: time.default_normalized_value(),
        }
    }

    fn show(&mut self, group: &mut Group<'_>, time: &FloatParam) {
        let row = group.next_row();
        // What the host modulates is shown, and what the user has set is changed.
        let is_lit = is_frozen(time.value());
        let shown = crate::text::on_off(is_lit);
        if widgets::switch(group.ui, row, "Freeze", shown, is_lit) {
            let set = time.unmodulated_normalized_value();
            let target = self.toggle(is_frozen(time.unmodulated_plain_value()), set);
            widgets::set_once(time, &group.context.setter, target);
        }
    }

    /// The normalized time after a click, `set` being the one before.
    fn toggle(&mut self, is_frozen: bool, set: f32) -> f32 {
        if is_frozen {
            self.thawed
        } else {
            self.thawed = set;
            0.0
        }
    }
}

/// Whether a value of the time parameter freezes the texture.
fn is_frozen(time: f32) -> bool {
    speed(time) == 0.0
}

#[cfg(test)]
mod tests {
    use nice_plug::prelude::{ParamPtr, Params};

    use super::*;
    use crate::editor::layout::{WINDOW_SIZE, WindowLayout};
    use crate::editor::test_window::TestWindow;

    /// Between a bar's name and its value, in points.
    const TEXT_GAP: f32 = 6.0;

    /// The widest that a parameter's name and value get, at all of its values.
    fn widest_text(ui: &Ui, param: ParamPtr) -> f32 {
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
        let mut window = TestWindow::instrument();
        let params = window.params.clone();
        let content = WINDOW_SIZE.x - 2.0 * theme::MARGIN;
        let column = (content - (GROUPS - 1) as f32 * theme::GAP) / GROUPS as f32;
        let bar = column - 2.0 * (theme::NARROW_GAP + theme::INSET);
        window.frame(|ui, _| {
            for (id, param, _) in params.param_map() {
                let text = widest_text(ui, param);
                assert!(text <= bar, "{id}: {text} of {bar} points");
            }
        });
    }

    #[test]
    fn freezing_is_undone_by_a_second_click() {
        let params = TestWindow::instrument().params;
        let mut freeze = FreezeSwitch::new(&params.sound.time);
        // A project that was saved frozen thaws to the captured speed.
        let captured_speed = params.sound.time.default_normalized_value();
        assert_eq!(freeze.toggle(true, 0.0), captured_speed);
        assert_eq!(freeze.toggle(false, 0.8), 0.0);
        assert_eq!(freeze.toggle(true, 0.0), 0.8);
        assert!(is_frozen(0.0) && !is_frozen(1.0));
    }

    #[test]
    fn the_switch_freezes_and_thaws_the_time() {
        let mut window = TestWindow::instrument();
        let params = window.params.clone();
        let mut controls = ControlsView::new(&params);
        window.click("Freeze", |ui, context| controls.show(ui, context));
        assert!(is_frozen(params.sound.time.value()));
        window.click("Freeze", |ui, context| controls.show(ui, context));
        assert!((params.sound.time.value() - 1.0).abs() < 1e-5);
    }

    #[test]
    fn a_value_is_typed_into_a_bar() {
        let mut window = TestWindow::instrument();
        let params = window.params.clone();
        let mut controls = ControlsView::new(&params);
        window.click("Pitch", |ui, context| controls.show(ui, context));
        window.type_and_enter("7", |ui, context| controls.show(ui, context));
        let pitch_st = params.sound.pitch.value();
        assert!((pitch_st - 7.0).abs() < 1e-4, "{pitch_st}");
    }

    #[test]
    fn a_number_without_a_unit_has_the_one_that_the_bar_shows() {
        let mut window = TestWindow::instrument();
        let params = window.params.clone();
        let mut controls = ControlsView::new(&params);
        for (typed, seconds) in [("20 ms", 0.02), ("150", 0.15), ("1,5 s", 1.5), ("2", 2.0)] {
            window.click("Attack", |ui, context| controls.show(ui, context));
            window.type_and_enter(typed, |ui, context| controls.show(ui, context));
            let attack_s = params.amp.attack.value();
            assert!((attack_s - seconds).abs() < 1e-4, "{typed}: {attack_s}");
        }
    }

    #[test]
    fn text_that_is_no_value_changes_nothing_and_the_window_says_so() {
        let mut window = TestWindow::instrument();
        let params = window.params.clone();
        let mut controls = ControlsView::new(&params);
        let before = params.sound.pitch.value();
        for (typed, is_said) in [("", false), ("high", true)] {
            window.click("Pitch", |ui, context| controls.show(ui, context));
            window.type_and_enter(typed, |ui, context| controls.show(ui, context));
            assert_eq!(params.sound.pitch.value(), before);
            let error = window.session.status().error;
            assert_eq!(error.is_some(), is_said, "{error:?}");
            assert!(error.is_none_or(|e| e.contains("high") && e.contains("Pitch")));
        }
    }

    #[test]
    fn a_source_is_sent_elsewhere_by_a_click_and_its_amount_is_typed() {
        let mut window = TestWindow::instrument();
        let params = window.params.clone();
        let mut controls = ControlsView::new(&params);
        let before = params.controls().routes;
        window.click("Wheel To", |ui, context| controls.show(ui, context));
        window.click("Slide Amount", |ui, context| controls.show(ui, context));
        window.type_and_enter("-30", |ui, context| controls.show(ui, context));
        let after = params.controls().routes;
        assert_eq!(params.sources.wheel_to.to_string(), "Contrast");
        assert!((params.sources.slide_amount.value() + 0.3).abs() < 1e-5);
        assert_eq!([before[1], before[3]], [after[1], after[3]]);
    }

    #[test]
    fn every_group_fits_into_the_view() {
        for mut window in [TestWindow::instrument(), TestWindow::effect()] {
            let mut controls = ControlsView::new(&window.params.clone());
            let area = WindowLayout::of(window.area()).controls;
            let shown = window.frame(|ui, context| {
                controls.show(&mut super::super::surface(ui, "controls", area), context);
            });
            for text in ["Sound", "Spectrum", "Amp", "Play", "Modulation"] {
                assert!(shown.has(text), "{text}");
            }
            assert!(area.contains_rect(shown.bounds()), "{}", shown.bounds());
        }
    }
}
