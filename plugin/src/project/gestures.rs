//! What is done with the hands while one plays is no setting: a state does not keep it.

use nice_plug::plugin::ParamValue;
use nice_plug::prelude::PluginState;

/// Ids of the parameters that follow a hand, and are at 0 while none moves them.
const GESTURES: [&str; 1] = ["bend"];

/// Lets every gesture of `state` be at rest, also those that it does not tell of.
pub fn rest_gestures(state: &mut PluginState) {
    for id in GESTURES {
        state.params.insert(id.to_owned(), ParamValue::F32(0.0));
    }
}

/// The bytes of a state, as nice-plug makes them, with every gesture at rest. What is no state stays what it
/// is.
pub fn without_gestures(state: Vec<u8>) -> Vec<u8> {
    let Ok(mut known) = serde_json::from_slice::<PluginState>(&state) else {
        return state;
    };
    rest_gestures(&mut known);
    serde_json::to_vec(&known).unwrap_or(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_the_same_but_for_its_gestures() {
        let state = |bend: &str| {
            format!(
                r#"{{"version":"1","params":{{"bend":{{"f32":{bend}}},"gain":{{"f32":-6.1}}}},"fields":{{"slots":"\"\""}}}}"#
            )
        };
        let saved = without_gestures(state("0.75").into_bytes());
        assert_eq!(String::from_utf8(saved).unwrap(), state("0.0"));
        assert_eq!(without_gestures(b"none".to_vec()), b"none");
    }
}
