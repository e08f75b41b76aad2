//! What is saved is what is played, whatever a project holds.

use std::ops::ControlFlow;
use std::time::Duration;

use nice_plug::plugin::ParamValue;
use nice_plug::prelude::PluginState;
use weft_core::fit::{FitSettings, fit};
use weft_core::instrument::{Bank, Slot};
use weft_core::network::Model;
use weft_core::procedural::{Texture, synthesize};

use super::*;

fn project() -> (Arc<Session>, Project) {
    let session = Arc::new(Session::new().0);
    (session.clone(), Project::new(session, Arc::default()))
}

#[test]
fn without_a_texture_nothing_is_saved_and_loading_that_is_no_error() {
    let (session, project) = project();
    assert_eq!(project.map(String::clone), "");
    project.set(String::new());
    assert_eq!(session.status().error, None);
}

fn fitted() -> Model {
    let clip = synthesize(Texture::Rain, 1, 8_000, 1.5);
    let settings = FitSettings {
        steps: 100,
        ..FitSettings::default()
    };
    fit(&clip, &settings, &mut |_| ControlFlow::Continue(())).unwrap()
}

fn wait(session: &Session) {
    while session.instrument().is_busy() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_texture_just_loaded_is_what_is_saved() {
    let model = fitted();
    let bank = Bank::with_texture(Slot::B, model.clone());
    let encoded = BASE64.encode(bank.to_bytes());

    let (session, project) = project();
    project.set(encoded.clone());
    // At once, when the worker may not have it yet, and when it surely has.
    assert!(project.map(String::clone) == encoded);
    wait(&session);
    assert!(project.map(String::clone) == encoded);
    let again = session.instrument().texture(Slot::B).unwrap();
    assert!(again.capture() == model.capture());
    // Loading the same is nothing new, and what can't be read changes nothing.
    session.request_capture();
    let revision = session.instrument().revision();
    project.set(encoded.clone());
    assert!(session.take_capture_request());
    project.set("AAAA".to_owned());
    assert!(session.status().error.is_some());
    assert_eq!(session.instrument().revision(), revision);
    assert!(project.map(String::clone) == encoded);
    // A project without textures has none, and nothing that was to be captured for the one before it.
    session.request_capture();
    project.set(String::new());
    assert!(!session.take_capture_request());
    wait(&session);
    assert_eq!(project.map(String::clone), "");
    assert!(session.status().slots[1].can_undo);
}

#[test]
fn the_texture_of_an_older_project_becomes_the_first_slot() {
    let mut state = PluginState {
        version: String::new(),
        params: Default::default(),
        fields: Default::default(),
    };
    let texture = BASE64.encode(fitted().to_bytes());
    state.fields.insert("texture".to_owned(), texture.clone());
    let steps = ParamValue::I32(500);
    state.params.insert("fit_steps".to_owned(), steps);
    migrate(&mut state, &[], []);
    assert!(!state.params.contains_key("fit_steps"));
    assert!(matches!(state.params["fit_steps_1"], ParamValue::I32(500)));
    assert!(!state.fields.contains_key("texture"));
    assert_eq!(state.fields["slots"], texture);
    let (session, project) = project();
    project.set(texture);
    wait(&session);
    assert!(session.instrument().texture(Slot::A).is_some());
}

#[test]
fn a_newer_project_is_refused_and_kept() {
    let bytes = Bank::with_texture(Slot::A, fitted()).to_bytes();
    let key = br#"\"version\":1"#;
    let mut newer = bytes.clone();
    let at = newer.windows(key.len()).position(|w| w == key).unwrap();
    newer[at + key.len() - 1] = b'9';
    let (newer, known) = (BASE64.encode(newer), BASE64.encode(bytes));
    let (session, project) = project();
    project.set(newer.clone());
    assert!(session.status().error.unwrap().contains("newer"));
    assert!(project.map(String::clone) == newer);
    // Until there is something else to save.
    project.set(known.clone());
    wait(&session);
    assert!(project.map(String::clone) == known);
    // What plays is not given up for it.
    project.set(newer);
    assert!(project.map(String::clone) == known);
}

#[test]
fn damaged_textures_are_refused_with_words() {
    for damaged in ["*not base64*", "AAAA", "eyJub3QiOiAiYSB0ZXh0dXJlIn0="] {
        let (session, project) = project();
        project.set(damaged.to_owned());
        let status = session.status();
        assert!(
            status.error.is_some_and(|error| error.contains("texture")),
            "{damaged}"
        );
        assert!(status.texture.is_none());
        // Somebody may be able to mend it.
        assert_eq!(project.map(String::clone), damaged);
        session.clear_error();
        assert_eq!(session.status().error, None);
    }
}
