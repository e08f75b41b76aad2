//! The textures inside the host's project: read when the host saves, played when the host loads.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use nice_plug::params::persist::PersistentField;
use nice_plug::plugin::ParamValue;
use nice_plug::prelude::PluginState;

use crate::session::Session;

/// The persistent part of the parameters. It keeps nothing itself: a save asks the instrument for
/// the bank's bytes of that moment, a load hands them on at once, in any phase of a fit.
///
/// Stored as base64, since nice-plug keeps its state as JSON; empty where there is no texture.
pub struct BankField {
    session: Arc<Session>,
}

impl BankField {
    /// The field that saves and loads the textures of `session`.
    pub fn new(session: Arc<Session>) -> Self {
        Self { session }
    }
}

impl PersistentField<'_, String> for BankField {
    fn set(&self, encoded: String) {
        self.session.state_loaded();
        self.session.contain("loading textures", || {
            // A project saved before the first capture.
            if encoded.is_empty() {
                return self.session.load_empty();
            }
            match BASE64.decode(&encoded) {
                Ok(bytes) => {
                    if self.session.load_bank(bytes).is_err() {
                        self.session.keep_unreadable(encoded.clone());
                    }
                }
                Err(error) => {
                    self.session.report_error(format!(
                        "The project's textures are damaged ({error}). Capture again, or go back \
                         to an earlier version of the project."
                    ));
                    self.session.keep_unreadable(encoded.clone());
                }
            }
        });
    }

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&String) -> R,
    {
        let encoded = self
            .session
            .contain("saving the textures", || {
                self.session
                    .unreadable()
                    .or_else(|| self.session.save_bank().map(|bytes| BASE64.encode(bytes)))
            })
            .flatten()
            .unwrap_or_default();
        f(&encoded)
    }
}

/// Field of the state in which the bank is kept, and the one in which projects had a single texture
/// before there were slots.
const BANK_FIELD: &str = "slots";
const TEXTURE_FIELD: &str = "texture";
/// The steps of the fits, before every slot had its own, and those of the first slot.
const FIT_STEPS: &str = "fit_steps";
const FIRST_FIT_STEPS: &str = "fit_steps_1";

/// Parameters that choose one of several. They are kept by the choice's name.
pub const CHOICES: [&str; 3] = ["quality", "slot", "capture_start"];

/// Brings a state of an older version up to date: its texture becomes slot A. Values that can't be are
/// taken out, and their parameters stay what they are. Numbers that are none would be saved as something
/// that no JSON reader takes for a number, and the next project would be lost; a choice by a number that it
/// does not have would end the host when it saves.
pub fn migrate(state: &mut PluginState) {
    state.params.retain(|id, value| match value {
        ParamValue::F32(number) => number.is_finite(),
        ParamValue::I32(_) => !CHOICES.contains(&id.as_str()),
        _ => true,
    });
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
    use std::ops::ControlFlow;
    use std::time::Duration;

    use weft_core::fit::{FitSettings, fit};
    use weft_core::instrument::{Bank, Slot};
    use weft_core::network::Model;
    use weft_core::procedural::{Texture, synthesize};

    use super::*;

    fn field() -> (Arc<Session>, BankField) {
        let session = Arc::new(Session::new().0);
        (session.clone(), BankField::new(session))
    }

    #[test]
    fn without_a_texture_nothing_is_saved_and_loading_that_is_no_error() {
        let (session, field) = field();
        assert_eq!(field.map(String::clone), "");
        field.set(String::new());
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

        let (session, field) = field();
        field.set(encoded.clone());
        // At once, when the worker may not have it yet, and when it surely has.
        assert!(field.map(String::clone) == encoded);
        wait(&session);
        assert!(field.map(String::clone) == encoded);
        let again = session.instrument().texture(Slot::B).unwrap();
        assert!(again.capture() == model.capture());
        // Loading the same is nothing new, and what can't be read changes nothing.
        let revision = session.instrument().revision();
        field.set(encoded.clone());
        field.set("AAAA".to_owned());
        assert!(session.status().error.is_some());
        assert_eq!(session.instrument().revision(), revision);
        assert!(field.map(String::clone) == encoded);
        // A project without textures has none.
        field.set(String::new());
        wait(&session);
        assert_eq!(field.map(String::clone), "");
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
        migrate(&mut state);
        assert!(!state.params.contains_key("fit_steps"));
        assert!(matches!(state.params["fit_steps_1"], ParamValue::I32(500)));
        assert!(!state.fields.contains_key("texture"));
        assert_eq!(state.fields["slots"], texture);
        let (session, field) = field();
        field.set(texture);
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
        let (session, field) = field();
        field.set(newer.clone());
        assert!(session.status().error.unwrap().contains("newer"));
        assert!(field.map(String::clone) == newer);
        // Until there is something else to save.
        field.set(known.clone());
        wait(&session);
        assert!(field.map(String::clone) == known);
        // What plays is not given up for it.
        field.set(newer);
        assert!(field.map(String::clone) == known);
    }

    #[test]
    fn damaged_textures_are_refused_with_words() {
        for damaged in ["*not base64*", "AAAA", "eyJub3QiOiAiYSB0ZXh0dXJlIn0="] {
            let (session, field) = field();
            field.set(damaged.to_owned());
            let status = session.status();
            assert!(
                status.error.is_some_and(|error| error.contains("texture")),
                "{damaged}"
            );
            assert!(status.texture.is_none());
            // Somebody may be able to mend it.
            assert_eq!(field.map(String::clone), damaged);
            session.clear_error();
            assert_eq!(session.status().error, None);
        }
    }
}
