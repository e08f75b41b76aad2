//! What of which slots becomes a new texture.

use nice_plug::prelude::*;
use weft_core::instrument;

use super::choices::Slot;
use super::controls::switch;
use super::pages::{OnPages, Page, Place};
use crate::imprint::ImprintRequest;

/// What of which slots becomes a new texture, in the slot that is chosen.
#[derive(Params)]
pub struct ImprintParams {
    /// Trigger: going from off to on begins an imprint.
    #[id = "imprint"]
    pub trigger: BoolParam,

    /// Whose gestures it has.
    #[id = "imprint_content"]
    pub content: EnumParam<Slot>,

    /// In whose matter.
    #[id = "imprint_style"]
    pub style: EnumParam<Slot>,
}

impl ImprintParams {
    /// The group at its defaults.
    pub fn new() -> Self {
        Self {
            trigger: switch("Imprint", false),
            content: EnumParam::new("Imprint Content", Slot::A),
            style: EnumParam::new("Imprint Style", Slot::B),
        }
    }

    /// The imprint into a slot that the trigger asks for. Real-time safe.
    pub fn request(&self, into: instrument::Slot) -> ImprintRequest {
        ImprintRequest {
            content: self.content.value().into(),
            style: self.style.value().into(),
            into,
        }
    }
}

impl OnPages for ImprintParams {
    fn offer_to<P: RemoteControlsPage>(&self, place: &mut Place<'_, P>) {
        place.offer(&self.trigger, &[(Page::Imprint, 0)]);
        place.offer(&self.content, &[(Page::Imprint, 1)]);
        place.offer(&self.style, &[(Page::Imprint, 2)]);
    }
}

#[cfg(test)]
pub mod tests {
    /// The ids that projects refer to, in order.
    pub const IDS: [&str; 3] = ["imprint", "imprint_content", "imprint_style"];
}
