//! States as a host keeps them: of this version, and of older ones.

use nice_plug::plugin::ParamValue;
use nice_plug::prelude::{Params, PluginState};
use weft_core::instrument::Controls;

use super::*;
use crate::parameters::WeftParams;

/// Does something with an instance: its parameters, and its state.
fn with_instance(play: impl FnOnce(&WeftParams, &dyn Fn() -> PluginState, &dyn Fn(&PluginState))) {
    let host = host();
    // SAFETY: the calls follow CLAP's order, with pointers that live.
    unsafe {
        let plugin = create_plugin(ptr::null(), &host, descriptors()[0].clap_id().as_ptr());
        assert!(((*plugin).init.unwrap())(plugin));
        let adapter = &*plugin.cast::<Adapter>();
        let extension = get_extension(plugin, CLAP_EXT_STATE.as_ptr());
        let extension = &*extension.cast::<clap_plugin_state>();
        let save = || {
            let mut state = bytes(Vec::new());
            let stream = clap_ostream {
                ctx: (&raw mut state).cast(),
                write: Some(take),
            };
            assert!((extension.save.unwrap())(plugin, &stream));
            serde_json::from_slice(&state.bytes[8..]).unwrap()
        };
        let load = |state: &PluginState| {
            let json = serde_json::to_vec(state).unwrap();
            let length = (json.len() as u64).to_le_bytes();
            let mut state = bytes([&length, &json[..]].concat());
            let stream = clap_istream {
                ctx: (&raw mut state).cast(),
                read: Some(give),
            };
            assert!((extension.load.unwrap())(plugin, &stream));
        };
        play(&adapter.instance.params, &save, &load);
        ((*plugin).destroy.unwrap())(plugin);
    }
}

fn bytes(bytes: Vec<u8>) -> State {
    State {
        bytes,
        given: 0,
        rescans: 0,
    }
}

/// Moves every parameter to the end that is farther from where it is at first, but for those that capture and imprint.
fn turn_away(params: &WeftParams) {
    let triggers = ["capture", "grab", "imprint"];
    for (id, param, _) in params.param_map() {
        // SAFETY: the pointers live as long as `params`.
        unsafe {
            let far = f32::from(param.default_normalized_value() < 0.5);
            if !triggers.contains(&id.as_str()) {
                param._internal_set_normalized_value(far);
            }
        }
    }
}

#[test]
fn a_state_keeps_what_sources_move_and_the_bend() {
    with_instance(|params, save, load| {
        let at_first = save();
        turn_away(params);
        let (turned, kept) = (params.controls(), save());
        assert!(turned.bend_st != 0.0 && turned.routes != Controls::DEFAULT.routes);
        load(&at_first);
        assert_eq!(params.controls(), Controls::DEFAULT);
        load(&kept);
        assert_eq!(params.controls(), turned);
    });
}

#[test]
fn a_state_of_an_older_version_sounds_as_it_did_whatever_was_set_before() {
    with_instance(|params, save, load| {
        let mut older = save();
        let newer = ["wheel_", "pressure_", "slide_", "velocity_"];
        let count = older.params.len();
        older
            .params
            .retain(|id, _| !newer.iter().any(|source| id.starts_with(source)));
        assert_eq!(older.params.len(), count - 8);
        older.fields.remove("state_version");
        // Where the wheel was.
        older.params.insert("bend".to_owned(), ParamValue::F32(0.5));
        older
            .params
            .insert("pitch".to_owned(), ParamValue::F32(7.0));
        turn_away(params);
        load(&older);
        let expected = Controls {
            pitch_st: 7.0,
            ..Controls::DEFAULT
        };
        assert_eq!(params.controls(), expected);
        // From here on, it is this version's.
        turn_away(params);
        let turned = params.controls();
        load(&save());
        assert_eq!(params.controls(), turned);
    });
}

#[test]
fn an_older_version_finds_all_that_it_knows() {
    with_instance(|_, save, _| {
        let state = save();
        // What it reads, with a value of its own type for each; a field more is passed over.
        assert!(matches!(state.params["bend"], ParamValue::F32(0.0)));
        assert_eq!(state.fields["slots"], "\"\"");
        let fields: Vec<_> = state.fields.keys().map(String::as_str).collect();
        assert_eq!(fields, ["slots", "state_version"]);
    });
}
