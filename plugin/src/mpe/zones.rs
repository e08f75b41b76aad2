//! Which channels belong together: the zones of MPE.
//!
//! A zone has a manager, channel 1 or 16, and the channels next to it as members, each of which plays one note at
//! a time; what is said to the manager is meant for all of them. (MIDI Polyphonic Expression, version 1.1, of the
//! MIDI Association.)

use std::ops::RangeInclusive;

use crate::channel_messages::CHANNELS;

/// The managers, counted from 0.
pub const LOWER: u8 = 0;
pub const UPPER: u8 = CHANNELS - 1;
/// Members that one zone can have, where there is no other.
const MOST_MEMBERS: u8 = CHANNELS - 1;
/// Members that two zones share: both managers take a channel.
const SHARED_MEMBERS: u8 = CHANNELS - 2;

/// What a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In no zone.
    Alone,
    /// The manager of a zone.
    Manager,
    /// A member of the zone with this manager.
    Member { manager: u8 },
}

/// The zones: how many members each has; without any, there is no zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zones {
    lower: u8,
    upper: u8,
}

impl Zones {
    /// Gives the zone of `manager` so many members, and takes those that are in the other zone away from it.
    /// `None`, and nothing, where there is no such manager or number.
    pub fn set(&mut self, manager: u8, members: u8) -> Option<()> {
        if members > MOST_MEMBERS {
            return None;
        }
        let (own, other) = match manager {
            LOWER => (&mut self.lower, &mut self.upper),
            UPPER => (&mut self.upper, &mut self.lower),
            _ => return None,
        };
        *own = members;
        if members > 0 {
            *other = (*other).min(SHARED_MEMBERS.saturating_sub(members));
        }
        Some(())
    }

    /// What a channel is.
    pub fn place(&self, channel: u8) -> Place {
        [LOWER, UPPER]
            .into_iter()
            .find_map(|manager| {
                if !self.zone(manager).contains(&channel) {
                    None
                } else if channel == manager {
                    Some(Place::Manager)
                } else {
                    Some(Place::Member { manager })
                }
            })
            .unwrap_or(Place::Alone)
    }

    /// The channels of the zone of `manager`, itself among them; of no zone, none.
    pub fn zone(&self, manager: u8) -> RangeInclusive<u8> {
        match manager {
            LOWER if self.lower > 0 => LOWER..=self.lower,
            UPPER if self.upper > 0 => UPPER - self.upper..=UPPER,
            #[allow(clippy::reversed_empty_ranges, reason = "none are meant")]
            _ => 1..=0,
        }
    }

    /// The channels that follow what is said to `channel`: of a manager all of its zone, else itself.
    pub fn followers(&self, channel: u8) -> RangeInclusive<u8> {
        match self.place(channel) {
            Place::Manager => self.zone(channel),
            _ => channel..=channel,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The channels as letters: managers `L` and `U`, their members `l` and `u`, and `.` in no zone.
    fn drawn(zones: Zones) -> String {
        let letter = |channel| match zones.place(channel) {
            Place::Alone => '.',
            Place::Manager if channel == LOWER => 'L',
            Place::Manager => 'U',
            Place::Member { manager: LOWER } => 'l',
            Place::Member { .. } => 'u',
        };
        (0..CHANNELS).map(letter).collect()
    }

    #[test]
    fn zones_are_what_the_last_messages_say() {
        let mut zones = Zones::default();
        for (manager, members, expected) in [
            (LOWER, 0, "................"),
            (LOWER, 3, "Llll............"),
            (UPPER, 4, "Llll.......uuuuU"),
            // Side by side.
            (LOWER, 10, "LlllllllllluuuuU"),
            // The last message has what it says, and the other zone what is left.
            (LOWER, 12, "LlllllllllllluuU"),
            (UPPER, 7, "LllllllluuuuuuuU"),
            (UPPER, 0, "Llllllll........"),
            (UPPER, 2, "Llllllll.....uuU"),
            // Without members, a manager is none.
            (LOWER, 14, "Lllllllllllllll."),
            (LOWER, 15, "Llllllllllllllll"),
            (UPPER, 15, "uuuuuuuuuuuuuuuU"),
            (LOWER, 1, "LluuuuuuuuuuuuuU"),
        ] {
            assert_eq!(zones.set(manager, members), Some(()));
            assert_eq!(drawn(zones), expected, "{manager} {members}");
        }
    }

    #[test]
    fn other_numbers_change_nothing() {
        let mut zones = Zones::default();
        zones.set(LOWER, 5);
        let before = zones;
        for (manager, members) in [(1, 5), (14, 5), (16, 5), (LOWER, 16), (UPPER, 127)] {
            assert_eq!(zones.set(manager, members), None);
            assert_eq!(zones, before);
        }
        assert_eq!(zones.place(16), Place::Alone);
    }

    #[test]
    fn a_zone_follows_its_manager_and_a_member_itself() {
        let mut zones = Zones::default();
        assert_eq!(zones.followers(LOWER), 0..=0);
        zones.set(LOWER, 3);
        zones.set(UPPER, 2);
        assert_eq!(zones.followers(LOWER), 0..=3);
        assert_eq!(zones.followers(UPPER), 13..=15);
        assert_eq!(zones.followers(2), 2..=2);
        assert_eq!(zones.followers(8), 8..=8);
    }
}
