//! What the MIDI channels do to their notes.

use super::pedals::CHANNELS;
use crate::instrument::controls::ChannelControl;

/// What one channel does to its notes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ChannelValues([f32; ChannelControl::COUNT]);

impl ChannelValues {
    /// Nothing.
    pub const AT_REST: Self = Self([0.0; ChannelControl::COUNT]);

    pub fn get(&self, control: ChannelControl) -> f32 {
        self.0[control as usize]
    }

    fn set(&mut self, control: ChannelControl, value: f32) {
        self.0[control as usize] = value;
    }
}

/// What every channel does to its notes, and what was done last by any.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Channels {
    values: [ChannelValues; CHANNELS as usize],
    recent: ChannelValues,
}

impl Channels {
    /// No channel does anything.
    pub const AT_REST: Self = Self {
        values: [ChannelValues::AT_REST; CHANNELS as usize],
        recent: ChannelValues::AT_REST,
    };

    /// What `channel` does to its notes: nothing where that is no channel. Notes without one follow what was
    /// done last.
    pub fn of(&self, channel: Option<u8>) -> &ChannelValues {
        match channel {
            Some(channel) => self
                .values
                .get(usize::from(channel))
                .unwrap_or(&ChannelValues::AT_REST),
            None => &self.recent,
        }
    }

    /// What was done last by any channel.
    pub fn recent(&self) -> &ChannelValues {
        &self.recent
    }

    /// Changes what `channel` does, or all of them, within the range of `control`. What is not a number, or no
    /// channel, changes nothing.
    pub fn set(&mut self, channel: Option<u8>, control: ChannelControl, value: f32) {
        if !value.is_finite() {
            return;
        }
        let value = match control {
            // Kept within together with all else that transposes.
            ChannelControl::BendSt => value,
            ChannelControl::Wheel | ChannelControl::Pressure => value.clamp(0.0, 1.0),
            ChannelControl::Slide => value.clamp(-1.0, 1.0),
        };
        let changed = match channel {
            Some(channel) => {
                let at = usize::from(channel);
                self.values.get_mut(at..=at).unwrap_or_default()
            }
            None => &mut self.values,
        };
        if !changed.is_empty() {
            self.recent.set(control, value);
        }
        changed
            .iter_mut()
            .for_each(|values| values.set(control, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_keeps_what_it_does_and_notes_without_one_follow_the_last() {
        let mut channels = Channels::AT_REST;
        channels.set(Some(2), ChannelControl::Wheel, 7.0);
        channels.set(Some(15), ChannelControl::Slide, -3.0);
        channels.set(Some(15), ChannelControl::Pressure, f32::NAN);
        let wheel = |channel| channels.of(channel).get(ChannelControl::Wheel);
        assert_eq!([Some(2), None, Some(15)].map(wheel), [1.0, 1.0, 0.0]);
        let slide = |channel| channels.of(channel).get(ChannelControl::Slide);
        assert_eq!([Some(15), None, Some(2)].map(slide), [-1.0, -1.0, 0.0]);
        channels.set(Some(2), ChannelControl::Wheel, 0.0);
        channels.set(Some(15), ChannelControl::Slide, 0.0);
        assert_eq!(channels, Channels::AT_REST);
    }

    #[test]
    fn all_channels_are_changed_together_and_no_channel_changes_nothing() {
        let mut channels = Channels::AT_REST;
        channels.set(Some(16), ChannelControl::BendSt, 2.0);
        channels.set(Some(255), ChannelControl::BendSt, 2.0);
        assert_eq!(channels, Channels::AT_REST);
        assert_eq!(channels.of(Some(16)), &ChannelValues::AT_REST);
        channels.set(None, ChannelControl::BendSt, 2.0);
        let bend_st = |channel| channels.of(channel).get(ChannelControl::BendSt);
        assert!((0..16).all(|channel| bend_st(Some(channel)) == 2.0) && bend_st(None) == 2.0);
        channels.set(None, ChannelControl::BendSt, 0.0);
        assert_eq!(channels, Channels::AT_REST);
    }
}
