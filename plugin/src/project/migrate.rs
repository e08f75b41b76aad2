//! States of older versions, and values in a state that no version would have written.

use nice_plug::plugin::ParamValue;
use nice_plug::prelude::PluginState;

use super::gestures::rest_gestures;

/// Field of the state in which the bank is kept, and the one in which projects had a single texture
/// before there were slots.
const BANK_FIELD: &str = "slots";
const TEXTURE_FIELD: &str = "texture";
/// The steps of the fits, before every slot had its own, and those of the first slot.
const FIT_STEPS: &str = "fit_steps";
const FIRST_FIT_STEPS: &str = "fit_steps_1";

/// Brings a state of an older version up to date: its texture becomes slot A. Values that can't be are
/// taken out, and their parameters stay what they are; gestures, which older versions kept, come to rest. Numbers that are none would be saved as something
/// that no JSON reader takes for a number, and the next project would be lost; a choice by a number that it
/// does not have would end the host when it saves. `choices` are the ids of the parameters that choose one
/// of several: they are kept by the choice's name.
pub fn migrate(state: &mut PluginState, choices: &[&str]) {
    state.params.retain(|id, value| match value {
        ParamValue::F32(number) => number.is_finite(),
        ParamValue::I32(_) => !choices.contains(&id.as_str()),
        _ => true,
    });
    rest_gestures(state);
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_no_version_wrote_are_taken_out() {
        let mut state = PluginState {
            version: String::new(),
            params: Default::default(),
            fields: Default::default(),
        };
        for (id, value) in [
            ("gain", ParamValue::F32(f32::NAN)),
            ("bend", ParamValue::F32(0.5)),
            ("time", ParamValue::F32(0.5)),
            ("slot", ParamValue::I32(99)),
            ("seed", ParamValue::I32(99)),
            ("quality", ParamValue::String("high".to_owned())),
        ] {
            state.params.insert(id.to_owned(), value);
        }
        migrate(&mut state, &["quality", "slot"]);
        let mut kept: Vec<_> = state.params.keys().map(String::as_str).collect();
        kept.sort_unstable();
        assert_eq!(kept, ["bend", "quality", "seed", "time"]);
        // The wheel is not held any more.
        assert!(matches!(state.params["bend"], ParamValue::F32(0.0)));
    }
}
