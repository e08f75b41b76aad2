//! What hands and messages say, against what MIDI says of them.

use weft_core::instrument::NoteControl;

use super::*;

/// Channels in the terms of the player: what their notes hear.
struct Heard {
    channels: Channels,
    controls: [[f32; CONTROLS.len()]; CHANNELS as usize],
    sustain: [bool; CHANNELS as usize],
    sostenuto: [bool; CHANNELS as usize],
    /// Channels whose keys went up, that were silenced, and whose keys are pressed no more, since the last look.
    lifted: Vec<u8>,
    silenced: Vec<u8>,
    rested: Vec<u8>,
    /// Of each control, where it was told last.
    recent: [f32; CONTROLS.len()],
}

impl Heard {
    fn new() -> Self {
        Self {
            channels: Channels::new(2.0),
            controls: Default::default(),
            sustain: Default::default(),
            sostenuto: Default::default(),
            lifted: Vec::new(),
            silenced: Vec::new(),
            rested: Vec::new(),
            recent: Default::default(),
        }
    }

    fn with(&mut self, work: impl FnOnce(&mut Channels, &mut dyn FnMut(Order))) {
        let mut channels = self.channels.clone();
        work(&mut channels, &mut |order| match order {
            Order::Control {
                channel,
                control,
                value,
            } => {
                assert!(value.is_finite());
                self.controls[usize::from(channel)][control as usize] = value;
                self.recent[control as usize] = value;
            }
            Order::Sustain { channel, is_down } => self.sustain[usize::from(channel)] = is_down,
            Order::Sostenuto { channel, is_down } => self.sostenuto[usize::from(channel)] = is_down,
            Order::LiftKeys { channel } => self.lifted.push(channel),
            Order::Silence { channel } => self.silenced.push(channel),
            Order::RestPressures { channel } => self.rested.push(channel),
        });
        self.channels = channels;
    }

    fn obey(&mut self, message: Option<ChannelMessage>) {
        let message = message.expect("a message");
        self.with(|channels, mut order| channels.obey(message, &mut order));
    }

    /// A controller, as MIDI sends it.
    fn cc(&mut self, channel: u8, controller: u8, value: u8) {
        self.obey(ChannelMessage::of_controller(channel, controller, value));
    }

    /// A registered parameter, and none chosen after it.
    fn parameter(&mut self, channel: u8, number: u8, value: u8) {
        for (controller, value) in [(101, 0), (100, number), (6, value), (101, 127), (100, 127)] {
            self.cc(channel, controller, value);
        }
    }

    fn zone(&mut self, manager: u8, members: u8) {
        self.parameter(manager, 6, members);
    }

    /// The wheel, as a share of its way.
    fn bend(&mut self, channel: u8, share: f32) {
        let position = (8192.0 + share * if share < 0.0 { 8192.0 } else { 8191.0 }) as u16;
        self.obey(ChannelMessage::of_wheel(channel, position));
    }

    fn press(&mut self, channel: u8, value: u8) {
        self.obey(ChannelMessage::of_pressure(channel, value));
    }

    fn range(&mut self, range_st: f32) {
        self.with(|channels, mut order| channels.set_range(range_st, &mut order));
    }

    fn heard(&self, control: ChannelControl) -> Vec<f32> {
        self.controls.iter().map(|c| c[control as usize]).collect()
    }

    fn bends(&self) -> Vec<f32> {
        self.heard(ChannelControl::BendSt)
    }

    fn lifted(&mut self) -> Vec<u8> {
        let mut lifted = std::mem::take(&mut self.lifted);
        lifted.sort_unstable();
        lifted
    }
}

/// Values by channel, 0 on those that are not named.
fn only(values: &[(u8, f32)]) -> Vec<f32> {
    let mut all = vec![0.0; usize::from(CHANNELS)];
    for &(channel, value) in values {
        all[usize::from(channel)] = value;
    }
    all
}

#[test]
fn without_zones_every_channel_has_its_own_hands() {
    let mut heard = Heard::new();
    heard.bend(3, 1.0);
    heard.bend(4, -0.5);
    heard.cc(5, 1, 127);
    heard.press(6, 127);
    heard.cc(7, 74, 0);
    heard.cc(15, 74, 127);
    assert_eq!(heard.bends(), only(&[(3, 2.0), (4, -1.0)]));
    assert_eq!(heard.heard(ChannelControl::Wheel), only(&[(5, 1.0)]));
    assert_eq!(heard.heard(ChannelControl::Pressure), only(&[(6, 1.0)]));
    let slides = only(&[(7, -1.0), (15, 1.0)]);
    assert_eq!(heard.heard(ChannelControl::Slide), slides);
}

#[test]
fn the_low_byte_of_the_modulation_wheel_is_a_part_of_its_step() {
    let mut heard = Heard::new();
    let wheel = |heard: &Heard| heard.heard(ChannelControl::Wheel)[2];
    let mut before = -1.0;
    for high in [0, 1, 64, 126] {
        for low in [0, 64, 127] {
            heard.cc(2, 1, high);
            assert_eq!(wheel(&heard), f32::from(high) / 127.0);
            heard.cc(2, 33, low);
            assert!(wheel(&heard) > before && wheel(&heard) <= 1.0);
            before = if low == 127 { -1.0 } else { wheel(&heard) };
        }
    }
    heard.cc(2, 1, 127);
    heard.cc(2, 33, 127);
    assert_eq!(wheel(&heard), 1.0);
    // A new high byte begins with none.
    heard.cc(2, 1, 64);
    assert_eq!(wheel(&heard), 64.0 / 127.0);
}

#[test]
fn a_held_wheel_follows_its_range() {
    let mut heard = Heard::new();
    heard.bend(0, 1.0);
    heard.bend(9, -1.0);
    heard.range(12.0);
    assert_eq!(heard.bends(), only(&[(0, 12.0), (9, -12.0)]));
    // What was said of a channel stays.
    heard.parameter(9, 0, 7);
    assert_eq!(heard.bends(), only(&[(0, 12.0), (9, -7.0)]));
    heard.range(3.0);
    assert_eq!(heard.bends(), only(&[(0, 3.0), (9, -7.0)]));
}

#[test]
fn a_range_is_semitones_and_cents_of_the_parameter_that_is_chosen() {
    let mut heard = Heard::new();
    heard.bend(5, 1.0);
    let bend = |heard: &Heard| heard.bends()[5];
    // Nothing is chosen yet.
    heard.cc(5, 6, 24);
    assert_eq!(bend(&heard), 2.0);
    heard.cc(5, 101, 0);
    heard.cc(5, 100, 0);
    heard.cc(5, 6, 24);
    assert_eq!(bend(&heard), 24.0);
    heard.cc(5, 38, 50);
    assert_eq!(bend(&heard), 24.5);
    heard.cc(5, 6, 7);
    assert_eq!(bend(&heard), 7.0);
    // Another parameter, an unregistered one, and none.
    let choices: [&[(u8, u8)]; 4] = [
        &[(100, 1)],
        &[(99, 0), (98, 0)],
        &[(98, 0)],
        &[(101, 127), (100, 127)],
    ];
    for choice in choices {
        for &(controller, value) in choice {
            heard.cc(5, controller, value);
        }
        heard.cc(5, 6, 1);
        heard.cc(5, 38, 1);
        assert_eq!(bend(&heard), 7.0, "{choice:?}");
        heard.parameter(5, 0, 7);
        heard.cc(5, 101, 0);
        heard.cc(5, 100, 0);
    }
    assert_eq!(heard.bends(), only(&[(5, 7.0)]));
}

#[test]
fn in_a_zone_manager_and_member_join() {
    let mut heard = Heard::new();
    heard.zone(0, 3);
    heard.bend(0, 1.0);
    heard.bend(1, 0.5);
    heard.bend(3, -1.0);
    heard.bend(4, 1.0);
    // Two semitones of the manager's, 48 of a member's; the fifth channel is in no zone.
    let bends = heard.bends();
    assert!((bends[1] - (2.0 + 24.0)).abs() < 0.01, "{bends:?}");
    let expected = only(&[(0, 2.0), (1, bends[1]), (2, 2.0), (3, -46.0), (4, 2.0)]);
    assert_eq!(bends, expected);
    heard.cc(0, 1, 127);
    heard.press(0, 64);
    heard.press(2, 127);
    heard.cc(0, 74, 96);
    heard.cc(1, 74, 127);
    heard.cc(3, 74, 0);
    assert_eq!(
        heard.heard(ChannelControl::Wheel),
        only(&[(0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0)])
    );
    let half = 64.0 / 127.0;
    assert_eq!(
        heard.heard(ChannelControl::Pressure),
        only(&[(0, half), (1, half), (2, 1.0), (3, half)])
    );
    let up = 32.0 / 63.0;
    assert_eq!(
        heard.heard(ChannelControl::Slide),
        only(&[(0, up), (1, 1.0), (2, up), (3, up - 1.0)])
    );
}

#[test]
fn the_upper_zone_counts_down_from_the_last_channel() {
    let mut heard = Heard::new();
    heard.zone(15, 2);
    heard.bend(15, -1.0);
    assert_eq!(heard.bends(), only(&[(13, -2.0), (14, -2.0), (15, -2.0)]));
}

#[test]
fn a_members_range_is_that_of_all_members_and_a_managers_its_own() {
    let mut heard = Heard::new();
    heard.zone(0, 2);
    heard.zone(15, 2);
    for channel in 0..CHANNELS {
        heard.bend(channel, 1.0);
    }
    heard.parameter(1, 0, 12);
    heard.parameter(15, 0, 5);
    heard.parameter(7, 0, 1);
    let mut expected = vec![2.0; 16];
    expected[7] = 1.0;
    expected[1..=2].fill(2.0 + 12.0);
    expected[13..=14].fill(5.0 + 48.0);
    expected[15] = 5.0;
    assert_eq!(heard.bends(), expected);
    // The parameter for wheels is not theirs.
    heard.range(9.0);
    expected[3..=6].fill(9.0);
    expected[8..=12].fill(9.0);
    assert_eq!(heard.bends(), expected);
    // The same zone again brings its ranges back, and ends nothing.
    heard.lifted();
    heard.zone(0, 2);
    expected[1..=2].fill(2.0 + 48.0);
    assert_eq!(heard.bends(), expected);
    assert_eq!(heard.lifted(), [0; 0]);
}

#[test]
fn a_zone_that_changes_ends_its_notes_and_lets_its_hands_go() {
    let mut heard = Heard::new();
    let everywhere = |heard: &mut Heard| {
        for channel in 0..CHANNELS {
            heard.bend(channel, 1.0);
            heard.press(channel, 127);
            heard.cc(channel, 1, 127);
            heard.cc(channel, 74, 127);
            heard.cc(channel, 64, 127);
            heard.cc(channel, 66, 127);
        }
        heard.lifted();
        heard.rested.clear();
    };
    everywhere(&mut heard);
    // The channels that come, those that go, those of a zone that is made smaller for another, and no others.
    for (manager, members, changed) in [
        (0, 4, vec![0, 1, 2, 3, 4]),
        (0, 2, vec![0, 1, 2, 3, 4]),
        (15, 10, vec![5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
        (0, 6, (0..=15).collect()),
        (0, 0, vec![0, 1, 2, 3, 4, 5, 6]),
        (0, 0, vec![]),
        (15, 0, vec![7, 8, 9, 10, 11, 12, 13, 14, 15]),
    ] {
        everywhere(&mut heard);
        heard.zone(manager, members);
        assert_eq!(heard.lifted(), changed, "{manager} {members}");
        heard.rested.sort_unstable();
        assert_eq!(heard.rested, changed);
        for channel in 0..CHANNELS {
            let at = usize::from(channel);
            let rests = heard.controls[at] == [0.0; CONTROLS.len()];
            let is_changed = changed.contains(&channel);
            assert_eq!(rests, is_changed, "{manager} {members}: {channel}");
            let pedals = [heard.sustain[at], heard.sostenuto[at]];
            assert_eq!(pedals, [!is_changed; 2], "{channel}");
        }
    }
    // Back to the range of the parameter.
    heard.bend(3, 1.0);
    assert_eq!(heard.bends()[3], 2.0);
}

#[test]
fn zones_of_other_channels_and_sizes_are_none() {
    let mut heard = Heard::new();
    for (channel, members) in [(1, 3), (7, 3), (14, 3), (0, 16), (15, 127)] {
        heard.zone(channel, members);
    }
    heard.bend(0, 1.0);
    heard.bend(15, 1.0);
    assert_eq!(heard.bends(), only(&[(0, 2.0), (15, 2.0)]));
    assert_eq!(heard.lifted(), [0; 0]);
}

#[test]
fn what_is_said_to_a_manager_is_meant_for_its_zone() {
    let mut heard = Heard::new();
    heard.zone(0, 2);
    heard.lifted();
    heard.cc(0, 64, 127);
    heard.cc(2, 66, 127);
    let pedal = |down: &[usize]| std::array::from_fn(|at| down.contains(&at));
    assert_eq!(heard.sustain, pedal(&[0, 1, 2]));
    assert_eq!(heard.sostenuto, pedal(&[2]));
    // A member's own pedal holds it when the manager's goes up.
    heard.cc(1, 64, 127);
    heard.cc(0, 64, 0);
    assert_eq!(heard.sustain, pedal(&[1]));
    heard.cc(0, 123, 0);
    heard.cc(2, 123, 0);
    heard.cc(9, 123, 0);
    assert_eq!(heard.lifted(), [0, 1, 2, 2, 9]);
    heard.cc(0, 120, 0);
    heard.cc(15, 120, 0);
    assert_eq!(heard.silenced, [0, 1, 2, 15]);
}

#[test]
fn reset_controllers_lets_go_of_all_but_the_slide_and_the_ranges() {
    let mut heard = Heard::new();
    heard.zone(0, 2);
    heard.rested.clear();
    for channel in 0..CHANNELS {
        heard.bend(channel, 1.0);
        heard.press(channel, 127);
        heard.cc(channel, 1, 127);
        heard.cc(channel, 74, 127);
        heard.cc(channel, 64, 127);
        heard.cc(channel, 66, 127);
        heard.cc(channel, 101, 0);
        heard.cc(channel, 100, 0);
        heard.cc(channel, 6, 7);
    }
    let everywhere = heard.controls;
    heard.cc(5, 121, 0);
    assert_eq!(heard.rested, [5]);
    // A member alone is let go of: its manager goes on, by 7 semitones, and holds it with its pedals.
    heard.cc(2, 121, 0);
    assert_eq!(heard.controls[2], [7.0, 1.0, 1.0, 1.0]);
    assert!(heard.sustain[2] && heard.sostenuto[2]);
    heard.rested.clear();
    heard.cc(0, 121, 0);
    assert_eq!(heard.rested, [0, 1, 2]);
    for (at, before) in everywhere.into_iter().enumerate() {
        let is_reset = [0, 1, 2, 5].contains(&at);
        let expected = if is_reset {
            [0.0, 0.0, 0.0, 1.0]
        } else {
            before
        };
        assert_eq!(heard.controls[at], expected, "{at}");
        assert_eq!([heard.sustain[at], heard.sostenuto[at]], [!is_reset; 2]);
    }
    // No parameter is chosen any more, and the range is what it was.
    heard.cc(5, 6, 1);
    heard.bend(5, 1.0);
    assert_eq!(heard.bends()[5], 7.0);
}

#[test]
fn at_rest_zones_and_ranges_stay() {
    let mut heard = Heard::new();
    heard.zone(0, 3);
    heard.parameter(9, 0, 4);
    heard.bend(0, 1.0);
    heard.bend(1, 1.0);
    heard.channels.rest();
    heard.bend(2, 1.0);
    heard.bend(9, 1.0);
    // Nothing is left of the manager's wheel.
    assert_eq!((heard.bends()[2], heard.bends()[9]), (48.0, 4.0));
}

#[test]
fn what_is_told_last_is_what_moved_last() {
    let mut heard = Heard::new();
    heard.bend(3, 1.0);
    heard.press(8, 127);
    // The range of all, and another zone, are no hand that moves.
    heard.range(5.0);
    heard.zone(15, 3);
    assert_eq!(heard.recent, [5.0, 0.0, 1.0, 0.0]);
    heard.bend(13, -1.0);
    assert_eq!(heard.recent[0], -48.0);
    heard.bend(15, 1.0);
    assert_eq!(heard.recent[0], 2.0);
}

#[test]
fn messages_of_no_channel_change_nothing() {
    let mut heard = Heard::new();
    for gesture in Gesture::ALL {
        heard.obey(Some(ChannelMessage::Moved {
            channel: 16,
            gesture,
            value: 1.0,
        }));
    }
    let (channel, is_down) = (16, true);
    heard.obey(Some(ChannelMessage::Sustain { channel, is_down }));
    heard.obey(Some(ChannelMessage::Sostenuto { channel, is_down }));
    heard.obey(Some(ChannelMessage::Parameter {
        channel,
        controller: 6,
        value: 3,
    }));
    heard.obey(ChannelMessage::of_expression(5, NoteControl::Pan, 1.0));
    assert_eq!(heard.controls, Heard::new().controls);
    assert_eq!(heard.sustain, [false; 16]);
}
