//! The texture inside the host's project: read when the host saves, played when the host loads.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use nice_plug::params::persist::PersistentField;

use crate::session::Session;

/// The persistent part of the parameters. It keeps nothing itself: a save asks the instrument for
/// the `.weft` bytes of that moment, a load hands them on at once, in any phase of a fit.
///
/// Stored as base64, since nice-plug keeps its state as JSON; empty where there is no texture.
pub struct TextureField {
    session: Arc<Session>,
}

impl TextureField {
    /// The field that saves and loads the texture of `session`.
    pub fn new(session: Arc<Session>) -> Self {
        Self { session }
    }
}

impl PersistentField<'_, String> for TextureField {
    fn set(&self, encoded: String) {
        // A project saved before the first capture: there is nothing to bring back.
        if encoded.is_empty() {
            return;
        }
        self.session
            .contain("loading a texture", || match BASE64.decode(&encoded) {
                Ok(bytes) => self.session.load_texture(&bytes),
                Err(error) => self.session.report_error(format!(
                    "The project's texture is damaged ({error}). Capture it again, or go back to \
                     an earlier version of the project."
                )),
            });
    }

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&String) -> R,
    {
        let encoded = self
            .session
            .contain("saving the texture", || self.session.save_texture())
            .flatten()
            .map(|bytes| BASE64.encode(bytes))
            .unwrap_or_default();
        f(&encoded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field() -> (Arc<Session>, TextureField) {
        let session = Arc::new(Session::new().0);
        (session.clone(), TextureField::new(session))
    }

    #[test]
    fn without_a_texture_nothing_is_saved_and_loading_that_is_no_error() {
        let (session, field) = field();
        assert_eq!(field.map(String::clone), "");
        field.set(String::new());
        assert_eq!(session.status().error, None);
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
            session.clear_error();
            assert_eq!(session.status().error, None);
        }
    }
}
