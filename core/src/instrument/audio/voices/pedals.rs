//! The pedals of every MIDI channel: which are down, and so which released keys go on sounding.

/// MIDI channels.
pub(super) const CHANNELS: u8 = 16;

/// Which pedals are down, one bit for each channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pedals {
    sustain: u16,
    sostenuto: u16,
}

impl Pedals {
    /// Presses or lifts the sustain pedal of `channel`; of none where that is no channel.
    pub fn set_sustain(&mut self, channel: u8, is_down: bool) {
        set(&mut self.sustain, channel, is_down);
    }

    /// Presses or lifts the sostenuto pedal of `channel`. Returns whether it has moved.
    pub fn set_sostenuto(&mut self, channel: u8, is_down: bool) -> bool {
        let before = self.sostenuto;
        set(&mut self.sostenuto, channel, is_down);
        self.sostenuto != before
    }

    /// Whether the sustain pedal holds the notes of `channel`. A note without a channel is held by any.
    pub fn sustains(&self, channel: Option<u8>) -> bool {
        self.sustain & channel.map_or(u16::MAX, bit) != 0
    }
}

/// The bit of `channel`; 0 where that is none.
fn bit(channel: u8) -> u16 {
    if channel < CHANNELS { 1 << channel } else { 0 }
}

fn set(pedals: &mut u16, channel: u8, is_down: bool) {
    if is_down {
        *pedals |= bit(channel);
    } else {
        *pedals &= !bit(channel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_has_pedals_of_its_own() {
        let mut pedals = Pedals::default();
        assert!(!pedals.sustains(None));
        pedals.set_sustain(2, true);
        pedals.set_sustain(16, true);
        assert!(pedals.sustains(Some(2)) && pedals.sustains(None));
        assert!(!pedals.sustains(Some(0)) && !pedals.sustains(Some(16)));
        assert!(pedals.set_sostenuto(15, true) && !pedals.set_sostenuto(15, true));
        assert!(!pedals.set_sostenuto(200, true));
        pedals.set_sustain(2, false);
        assert!(pedals.set_sostenuto(15, false));
        assert_eq!(pedals, Pedals::default());
    }
}
