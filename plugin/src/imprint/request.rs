//! What is asked for, and how the audio thread asks for it.

use weft_core::instrument::Slot;

use super::error::ImprintError;

/// An imprint: the gestures of one slot's capture in the matter of another's, as a capture of a third.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImprintRequest {
    /// Whose gestures are kept.
    pub content: Slot,
    /// Whose matter they get.
    pub style: Slot,
    /// Where the result goes.
    pub into: Slot,
}

/// Bits of a slot's number in an errand.
const SLOT_BITS: u32 = 2;
const SLOT_MASK: u32 = (1 << SLOT_BITS) - 1;
/// Bits of all three slots; above them, the loads are counted.
const REQUEST_BITS: u32 = 3 * SLOT_BITS;

const _: () = assert!(Slot::ALL.len() == 1 << SLOT_BITS, "every number is a slot");

impl ImprintRequest {
    /// Fails where it names a slot twice.
    pub fn check(self) -> Result<Self, ImprintError> {
        let Self {
            content,
            style,
            into,
        } = self;
        if content == style {
            Err(ImprintError::OneSource(content))
        } else if into == content || into == style {
            Err(ImprintError::IntoSource(into))
        } else {
            Ok(self)
        }
    }

    /// The number by which the audio thread asks for it when there have been so many `loads`. Real-time safe.
    pub fn to_errand(self, loads: u32) -> u32 {
        let slots = [self.content, self.style, self.into];
        let loads = loads << REQUEST_BITS;
        slots
            .into_iter()
            .fold(0, |bits, slot| (bits << SLOT_BITS) | slot.index() as u32)
            | loads
    }

    /// What such a number asks for, if there have still been so many `loads`: nobody wants what was asked for before
    /// another project came.
    pub fn from_errand(errand: u32, loads: u32) -> Option<Self> {
        if errand >> REQUEST_BITS != (loads << REQUEST_BITS) >> REQUEST_BITS {
            return None;
        }
        let slot = |place: u32| Slot::ALL[(errand >> (place * SLOT_BITS) & SLOT_MASK) as usize];
        Some(Self {
            content: slot(2),
            style: slot(1),
            into: slot(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errand_means_what_was_asked_for_until_the_next_load() {
        for content in Slot::ALL {
            for style in Slot::ALL {
                for into in Slot::ALL {
                    let request = ImprintRequest {
                        content,
                        style,
                        into,
                    };
                    for loads in [0, 1, 77, u32::MAX] {
                        let errand = request.to_errand(loads);
                        assert_eq!(ImprintRequest::from_errand(errand, loads), Some(request));
                        let later = loads.wrapping_add(1);
                        assert_eq!(ImprintRequest::from_errand(errand, later), None);
                    }
                }
            }
        }
    }

    #[test]
    fn three_slots_are_needed() {
        let check = |content, style, into| {
            ImprintRequest {
                content,
                style,
                into,
            }
            .check()
        };
        assert!(check(Slot::D, Slot::A, Slot::C).is_ok());
        assert!(matches!(
            check(Slot::A, Slot::A, Slot::C),
            Err(ImprintError::OneSource(Slot::A))
        ));
        for (content, style) in [(Slot::A, Slot::B), (Slot::B, Slot::A)] {
            let refused = check(content, style, Slot::B);
            assert!(matches!(refused, Err(ImprintError::IntoSource(Slot::B))));
        }
    }
}
