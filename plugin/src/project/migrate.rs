//! States of older versions, and values in a state that no version would have written.

use nice_plug::plugin::ParamValue;
use nice_plug::prelude::PluginState;

use super::version::{BEND_IS_SET, StateVersion};

/// Field of the state in which the bank is kept, and the one in which projects had a single texture
/// before there were slots.
const BANK_FIELD: &str = "slots";
const TEXTURE_FIELD: &str = "texture";
/// The steps of the fits, before every slot had its own, and those of the first slot.
const FIT_STEPS: &str = "fit_steps";
const FIRST_FIT_STEPS: &str = "fit_steps_1";
/// The pitch bend.
const BEND: &str = "bend";

/// Brings a state of an older version up to date: its texture becomes slot A, parameters that it does not tell of
/// are at their `defaults`, and its pitch bend, which was the wheel's place, at rest. `choices` are the ids of the
/// parameters that choose one of several: they are kept by the choice's name.
///
/// Values that no version wrote are taken out, and their parameters stay what they are: numbers that are none would
/// be saved as something that no JSON reader takes for a number, and the next project would be lost; a choice by a
/// number that it does not have would end the host when it saves.
pub fn migrate(
    state: &mut PluginState,
    choices: &[&str],
    defaults: impl IntoIterator<Item = (String, ParamValue)>,
) {
    if let Some(steps) = state.params.remove(FIT_STEPS) {
        state
            .params
            .entry(FIRST_FIT_STEPS.to_owned())
            .or_insert(steps);
    }
    if let Some(texture) = state.fields.remove(TEXTURE_FIELD) {
        // A bank reads single textures too.
        state.fields.entry(BANK_FIELD.to_owned()).or_insert(texture);
    }
    for (id, default) in defaults {
        state.params.entry(id).or_insert(default);
    }
    if StateVersion::of(state) < BEND_IS_SET {
        state.params.insert(BEND.to_owned(), ParamValue::F32(0.0));
    }
    state.params.retain(|id, value| match value {
        ParamValue::F32(number) => number.is_finite(),
        ParamValue::I32(_) => !choices.contains(&id.as_str()),
        _ => true,
    });
}

#[cfg(test)]
mod tests {
    use super::super::version::VERSION_FIELD;
    use super::*;

    fn state(params: &[(&str, ParamValue)]) -> PluginState {
        let params = params.iter().map(|(id, v)| ((*id).to_owned(), v.clone()));
        PluginState {
            version: String::new(),
            params: params.collect(),
            fields: Default::default(),
        }
    }

    fn bend(state: &PluginState) -> f32 {
        match state.params[BEND] {
            ParamValue::F32(bend) => bend,
            ref other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_that_no_version_wrote_are_taken_out() {
        let mut state = state(&[
            ("gain", ParamValue::F32(f32::NAN)),
            ("time", ParamValue::F32(0.5)),
            ("slot", ParamValue::I32(99)),
            ("seed", ParamValue::I32(99)),
            ("quality", ParamValue::String("high".to_owned())),
        ]);
        // They are not what is missing, either.
        let defaults = [("gain".to_owned(), ParamValue::F32(1.0))];
        migrate(&mut state, &["quality", "slot"], defaults);
        let kept: Vec<_> = state.params.keys().map(String::as_str).collect();
        assert_eq!(kept, ["bend", "quality", "seed", "time"]);
    }

    #[test]
    fn the_bend_of_older_states_was_the_wheels_and_that_of_newer_ones_is_a_setting() {
        for (version, expected) in [
            (None, 0.0),
            (Some("1"), 0.0),
            (Some("none"), 0.0),
            (Some("2"), 0.75),
            (Some("3"), 0.75),
        ] {
            let mut state = state(&[(BEND, ParamValue::F32(0.75))]);
            let version = version.map(|v| (VERSION_FIELD.to_owned(), v.to_owned()));
            state.fields.extend(version.clone());
            migrate(&mut state, &[], []);
            assert_eq!(bend(&state), expected, "{version:?}");
        }
    }

    #[test]
    fn what_a_state_does_not_tell_of_is_at_its_default_and_the_rest_is_as_it_says() {
        let mut state = state(&[("wheel_amount", ParamValue::F32(-1.0))]);
        let default = |id: &str| (id.to_owned(), ParamValue::F32(0.5));
        let defaults = ["wheel_amount", "slide_amount"].map(default);
        migrate(&mut state, &[], defaults);
        let at = |id: &str| format!("{:?}", state.params[id]);
        assert_eq!(at("wheel_amount"), "F32(-1.0)");
        assert_eq!(at("slide_amount"), "F32(0.5)");
    }
}
