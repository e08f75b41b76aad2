//! What holds for every parameter, whichever group it is in.

use nice_plug::params::internals::ParamPtr;

use super::*;
use crate::session::Session;

fn params() -> WeftParams {
    WeftParams::new(Arc::new(Session::new().0), false)
}

fn ids(params: &WeftParams) -> Vec<String> {
    params.param_map().into_iter().map(|(id, ..)| id).collect()
}

#[test]
fn choices_in_a_state_are_the_ones_that_it_checks() {
    let params = params();
    let is_choice = |ptr: &ParamPtr| matches!(ptr, ParamPtr::EnumParam(_));
    let map = params.param_map().into_iter();
    let choices: Vec<_> = map.filter(|p| is_choice(&p.1)).map(|p| p.0).collect();
    let mut checked = CHOICE_IDS.map(String::from);
    checked.sort_by_key(|id| choices.iter().position(|c| c == id));
    assert_eq!(choices, checked);
}

#[test]
fn ids_are_the_ones_that_projects_refer_to() {
    let groups: [&[&str]; 7] = [
        &sound::tests::IDS,
        &spectrum::tests::IDS,
        &amp::tests::IDS,
        &play::tests::IDS,
        &capture::tests::IDS,
        &sources::tests::IDS,
        &imprint::tests::IDS,
    ];
    assert_eq!(ids(&params()), groups.concat());
}

#[test]
fn the_effect_has_two_more() {
    let ids = |passes_input| ids(&WeftParams::new(Arc::new(Session::new().0), passes_input));
    let mut effect = ids(true);
    effect.retain(|id| id != "dry" && id != "bypass");
    assert_eq!((ids(true).len(), ids(false)), (effect.len() + 2, effect));
}

#[test]
fn what_is_shown_can_be_typed() {
    let params = WeftParams::new(Arc::new(Session::new().0), true);
    for (id, param, _) in params.param_map() {
        for position in 0..=250 {
            let normalized = position as f32 / 250.0;
            // SAFETY: the pointers live as long as `params`, which this loop borrows from.
            let (text, parsed, again) = unsafe {
                let text = param.normalized_value_to_string(normalized, true);
                let parsed = param.string_to_normalized_value(&text);
                let again = parsed.map(|p| param.normalized_value_to_string(p, true));
                (text, parsed, again)
            };
            assert_eq!(
                again.as_ref(),
                Some(&text),
                "{id} at {normalized}: {parsed:?}"
            );
        }
    }
}

#[test]
fn text_is_read_with_and_without_units() {
    let params = params();
    let plain = |param: &FloatParam, text: &str| {
        param
            .string_to_normalized_value(text)
            .map(|normalized| param.preview_plain(normalized))
    };
    let near = |value: Option<f32>, expected: f32| {
        value.is_some_and(|value| (value - expected).abs() < 1e-4 * expected.abs().max(1.0))
    };
    assert!(near(plain(&params.amp.attack, "20 ms"), 0.02));
    assert!(near(plain(&params.amp.attack, " 1.5S "), 1.5));
    assert!(near(plain(&params.amp.attack, "2"), 2.0));
    assert!(near(plain(&params.amp.gain, "-6 dB"), -6.0));
    assert!(near(plain(&params.capture.seconds, "12 seconds"), 12.0));
    for nonsense in ["", "loud", "NaN", "inf s", "1e99", "5 kg"] {
        assert_eq!(plain(&params.amp.attack, nonsense), None, "{nonsense:?}");
    }
    assert_eq!(
        params.play.hold.string_to_normalized_value("yes"),
        Some(1.0)
    );
    assert_eq!(params.play.hold.string_to_normalized_value("maybe"), None);
}

#[test]
fn the_defaults_are_the_players_own() {
    assert_eq!(params().controls(), Controls::default());
}

/// A group that forgets to write one of its controls leaves it at the default.
#[test]
fn every_control_is_written() {
    let params = params();
    let lines = |controls: Controls| {
        let text = format!("{controls:#?}");
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let before = lines(params.controls());
    for (_, param, _) in params.param_map() {
        // SAFETY: the pointers live as long as `params`.
        unsafe {
            let far = f32::from(param.default_normalized_value() < 0.5);
            param._internal_set_normalized_value(far);
        }
    }
    let after = lines(params.controls());
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        // The others have the names and braces of what the values are in.
        let has_value = before.contains(": ") && before.ends_with(',');
        assert!(before != after || !has_value, "{before}");
    }
}

#[test]
fn modulation_of_a_note_has_the_unit_of_its_control() {
    let params = params();
    let modulation = |control: NoteControl, offset| params.modulation(control as u32, offset);
    let is = |found: Option<(NoteControl, f32)>, control, expected: f32| {
        found.is_some_and(|(c, v)| c == control && (v - expected).abs() < 1e-4)
    };
    let modulated = (params.sound.modulated().into_iter())
        .chain(params.spectrum.modulated())
        .chain(params.amp.modulated())
        .map(|modulated| modulated.parts());
    for (control, _) in modulated {
        assert!(is(modulation(control, 0.0), control, 0.0), "{control:?}");
    }
    assert!(is(
        modulation(NoteControl::Pitch, 0.25),
        NoteControl::Pitch,
        12.0
    ));
    assert!(is(
        modulation(NoteControl::Gain, -1.0),
        NoteControl::Gain,
        -60.0
    ));
    assert!(is(
        modulation(NoteControl::Time, -0.5),
        NoteControl::Time,
        -1.0
    ));
    assert!(is(
        modulation(NoteControl::Contrast, 0.25),
        NoteControl::Contrast,
        0.5
    ));
    let octaves = 1000.0f32.log2();
    assert!(is(
        modulation(NoteControl::LowCut, 0.5),
        NoteControl::LowCut,
        octaves / 2.0
    ));
    assert!(is(
        modulation(NoteControl::HighCut, -0.5),
        NoteControl::HighCut,
        -octaves / 2.0
    ));
    assert_eq!(modulation(NoteControl::Volume, 0.5), None);
    assert_eq!(params.modulation(99, 0.5), None);
    assert_eq!(modulation(NoteControl::Pitch, f32::NAN), None);
}

#[test]
fn what_hosts_may_modulate_is_what_a_group_says() {
    let params = params();
    let said: Vec<_> = (params.sound.modulated().into_iter())
        .chain(params.spectrum.modulated())
        .chain(params.amp.modulated())
        .map(|modulated| modulated.parts())
        .map(|(control, param)| (Some(control as u32), param.name().to_owned()))
        .collect();
    let map = params.param_map().into_iter();
    // SAFETY: the pointers live as long as `params`.
    let known =
        map.map(|(_, param, _)| unsafe { (param.poly_modulation_id(), param.name().to_owned()) });
    let known: Vec<_> = known.filter(|(id, _)| id.is_some()).collect();
    assert_eq!(known, said);
}

/// Takes down the pages as a host would.
#[derive(Default)]
struct Pages(Vec<(String, Vec<String>)>);

impl RemoteControlsContext for Pages {
    type Section = Self;

    fn add_section(&mut self, name: impl Into<String>, describe: impl FnOnce(&mut Self)) {
        assert_eq!(name.into(), "Weft");
        describe(self);
    }
}

impl RemoteControlsSection for Pages {
    type Page = Self;

    fn add_page(&mut self, name: impl Into<String>, describe: impl FnOnce(&mut Self)) {
        self.0.push((name.into(), Vec::new()));
        describe(self);
    }
}

impl RemoteControlsPage for Pages {
    fn add_param(&mut self, param: &impl Param) {
        let page = self.0.last_mut().unwrap();
        page.1.push(param.name().to_owned());
    }

    fn add_spacer(&mut self) {
        unreachable!("no page has gaps");
    }
}

#[test]
fn remote_controls_stand_where_hands_have_learned_them() {
    let mut pages = Pages::default();
    params().describe_pages(&mut pages);
    let pages: Vec<_> = pages
        .0
        .iter()
        .map(|(name, controls)| format!("{name}: {}", controls.join(", ")))
        .collect();
    assert_eq!(
        pages,
        [
            "Play: Pitch, Time, Brightness, Smear, Contrast, Density, Width, Gain",
            "Sound: Pitch, Time, Low Cut, High Cut, Pitch Bend, Bend Range, Quality, Seed",
            "Amp: Attack, Decay, Sustain, Release, Gain, Limiter, Hold, Slot",
            "Notes and Song: Hold, Key Follow, Root Key, Bend Range, Lock to Timeline, \
             Lock Tempo, Seed, Slot",
            "Capture: Capture, Grab, Capture Length, Capture Start, Threshold, Slot",
            "Fit: Fit Steps A, Fit Steps B, Fit Steps C, Fit Steps D, Slot",
            "Modulation: Wheel To, Wheel Amount, Pressure To, Pressure Amount, Slide To, \
             Slide Amount, Velocity To, Velocity Amount",
            "Imprint: Imprint, Imprint Content, Imprint Style, Slot",
        ]
    );
}
