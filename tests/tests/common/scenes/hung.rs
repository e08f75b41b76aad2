//! Notes that must not hang: random messages in random calls, after which hands let go of everything.

use std::time::{Duration, Instant};

use weft_hosts::{Buses, EventKind, Expression, Host, Interruption, Note, Render};

use super::super::sound::is_silent;
use super::{LONGEST_BLOCK, SECOND};

/// Rounds that are played where nobody asks for more.
const ROUNDS: u32 = 12;
/// Calls of a round in which anything happens.
const CALLS: u32 = 60;
/// Messages in one call, at most.
const MOST_MESSAGES: u32 = 12;
/// Keys of the random notes.
const KEYS: std::ops::Range<u8> = 60..68;
/// Managers of both zones of an MPE keyboard, and members of them.
const CHANNELS: [u8; 4] = [0, 1, 2, 15];
/// A key and a channel that no random message is for.
const APART: Note = Note {
    id: Some(1),
    channel: 7,
    key: 72,
};
/// Settings under which notes begin and end within 50 ms.
pub const SHORT_NOTES: [(&str, f64); 2] = [("Attack", 0.1), ("Release", 0.2)];
/// What is released is over by then.
const RELEASED: usize = SECOND / 4;

/// What one of the hosts under test can send for a note of this number, beyond what all can.
pub type Special<'a> = &'a dyn Fn(i32) -> Option<EventKind>;

/// What hands keep hold of at the end of a round, for whatever reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Nothing,
    Key,
    Pedal,
}

/// A key that is down.
#[derive(Debug, Clone, Copy)]
enum Held {
    /// By an event, which its release goes by.
    Event(Note),
    /// By MIDI.
    Midi { channel: u8, key: u8 },
}

impl Held {
    fn release(self) -> EventKind {
        match self {
            Self::Event(note) => EventKind::NoteOff { note },
            Self::Midi { channel, key } => midi(0x80, channel, [key, 0]),
        }
    }
}

/// What came of a round.
#[derive(Debug, Default)]
struct Outcome {
    messages: u64,
    /// Something was heard in it.
    sounded: bool,
    /// Something is heard after the last release.
    is_heard: bool,
    /// The plugin says that something sounds without an end, if it was asked.
    is_endless: Option<bool>,
}

impl Outcome {
    fn hangs(&self) -> bool {
        self.is_heard || self.is_endless == Some(true)
    }
}

fn midi(status: u8, channel: u8, [data1, data2]: [u8; 2]) -> EventKind {
    EventKind::Midi {
        message: [status | channel, data1, data2],
    }
}

/// Random hands, from a seed.
struct Hands<'a> {
    state: u32,
    held: Vec<Held>,
    /// Number of the last note that has one.
    last_id: i32,
    special: Special<'a>,
    /// The calls to come have all buses.
    has_all_buses: bool,
}

impl<'a> Hands<'a> {
    fn new(seed: u32, special: Special<'a>) -> Self {
        Self {
            state: seed,
            held: Vec::new(),
            last_id: 100,
            special,
            has_all_buses: false,
        }
    }

    /// A number below `count`.
    fn any(&mut self, count: u32) -> u32 {
        // Numerical Recipes' linear congruential generator, whose upper bits are the good ones.
        self.state = self
            .state
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        (self.state >> 8) % count
    }

    fn value(&mut self) -> u8 {
        self.any(128) as u8
    }

    fn channel(&mut self) -> u8 {
        CHANNELS[self.any(4) as usize]
    }

    /// One thing that hands do: mostly one message, or a few that belong together.
    fn act(&mut self, to: &mut Vec<EventKind>) {
        let (channel, value) = (self.channel(), self.value());
        let control = |controller| midi(0xb0, channel, [controller, value]);
        match self.any(24) {
            0..8 => to.push(self.press(channel)),
            8..12 => to.extend(self.let_go()),
            12 => to.push(control([64, 66][self.any(2) as usize])),
            13 => to.push(control(120 + self.any(8) as u8)),
            14 => to.push(control(self.any(128) as u8)),
            15 => to.push(control([1, 6, 33, 38, 74][self.any(5) as usize])),
            16 => to.push(EventKind::PitchBend {
                channel,
                position: u16::from(value) * 129,
            }),
            17 => to.push(midi(0xd0, channel, [value, 0])),
            18 => {
                let key = self.key();
                to.push(midi(0xa0, channel, [key, value]));
            }
            19 => to.extend(self.registered(channel, value)),
            20 => to.push(control(98 + self.any(4) as u8)),
            21 => to.extend((self.special)(self.last_id - self.any(4) as i32)),
            _ => to.push(self.expression(value)),
        }
    }

    fn key(&mut self) -> u8 {
        KEYS.start + self.any(KEYS.len() as u32) as u8
    }

    /// A key goes down: by an event with a number or without, or by MIDI, now and then without force.
    fn press(&mut self, channel: u8) -> EventKind {
        let (key, force) = (self.key(), self.value());
        let id = match self.any(3) {
            0 => {
                if force > 0 {
                    self.held.push(Held::Midi { channel, key });
                }
                return midi(0x90, channel, [key, force]);
            }
            1 => None,
            _ => {
                self.last_id += 1;
                Some(self.last_id)
            }
        };
        let note = Note { id, channel, key };
        if force > 0 {
            self.held.push(Held::Event(note));
        }
        EventKind::NoteOn {
            note,
            velocity: f32::from(force) / 127.0,
        }
    }

    /// A key that is down comes up.
    fn let_go(&mut self) -> Option<EventKind> {
        let count = u32::try_from(self.held.len()).ok().filter(|&n| n > 0)?;
        let at = self.any(count) as usize;
        Some(self.held.swap_remove(at).release())
    }

    /// Gives a registered parameter a value: bend range, the size of an MPE zone, or one that means nothing.
    fn registered(&mut self, channel: u8, value: u8) -> [EventKind; 3] {
        let number = [0, 6, 3][self.any(3) as usize];
        [(101, 0), (100, number), (6, value % 17)]
            .map(|(controller, value)| midi(0xb0, channel, [controller, value]))
    }

    /// A note expression, for a note that is down, or for one of which nobody knows.
    fn expression(&mut self, value: u8) -> EventKind {
        let numbered = self.held.iter().filter_map(|held| match held {
            Held::Event(note) if note.id.is_some() => Some(*note),
            _ => None,
        });
        let numbered: Vec<Note> = numbered.collect();
        let at = self.any(numbered.len() as u32 + 1) as usize;
        let stranger = Note::numbered(50, KEYS.start);
        let share = f64::from(value) / 127.0;
        let (expression, value) = match self.any(5) {
            0 => (Expression::Volume, 4.0 * share),
            1 => (Expression::Pan, share),
            2 => (Expression::Tuning, 24.0 * share - 12.0),
            3 => (Expression::Brightness, share),
            _ => (Expression::Pressure, share),
        };
        EventKind::Expression {
            note: numbered.get(at).copied().unwrap_or(stranger),
            expression,
            value,
        }
    }

    /// A call or a few, of no length or some, whose sound goes anywhere or nowhere.
    fn render(&mut self, events: Vec<EventKind>) -> Render {
        let most = LONGEST_BLOCK as u32;
        let frames = match self.any(4) {
            0 => 0,
            1 => self.any(64) as usize + 1,
            2 => self.any(3 * most / 2) as usize + 1,
            _ => self.any(most / 2) as usize + 1,
        };
        let buses = match self.any(10) {
            _ if self.has_all_buses => Buses::All,
            0 => Buses::EmptyOutput,
            1 => Buses::NoOutput,
            2 => Buses::NoInput,
            _ => Buses::All,
        };
        let block = self.any(most) as usize + 1;
        let mut render = Render::silent(frames).with_buses(buses).in_blocks(&[block]);
        let mut at: Vec<usize> = events
            .iter()
            .map(|_| self.any(frames.max(1) as u32) as usize)
            .collect();
        // Those of one call keep their order.
        at.sort_unstable();
        for (at, event) in at.into_iter().zip(events) {
            render = render.at(at, event);
        }
        render
    }

    fn interruption(&mut self) -> Interruption {
        [
            Interruption::Stop,
            Interruption::Reset,
            Interruption::Reactivate,
        ][self.any(3) as usize]
    }

    /// All that is let go of, in any order.
    fn leave(&mut self, kept: Kept) -> Vec<EventKind> {
        let mut left: Vec<EventKind> = self.held.drain(..).map(Held::release).collect();
        let up = |pedal| move |channel| midi(0xb0, channel, [pedal, 0]);
        left.extend((0..16).map(up(66)));
        if kept != Kept::Pedal {
            left.extend((0..16).map(up(64)));
        }
        for at in (1..left.len()).rev() {
            let other = self.any(at as u32 + 1) as usize;
            left.swap(at, other);
        }
        left
    }
}

/// Switches that are anywhere while hands play, and off in the end; of an instrument the first alone.
const SWITCHES: [&str; 2] = ["Hold", "Bypass"];

/// Plays a round: anything, then an end of it, in which hands let go of all but what is `kept`.
fn play_round(host: &mut dyn Host, seed: u32, special: Special, kept: Kept) -> Outcome {
    let mut hands = Hands::new(seed, special);
    let mut outcome = Outcome::default();
    let mut play = |host: &mut dyn Host, render: &Render| {
        outcome.messages += render.events.len() as u64;
        outcome.sounded |= !is_silent(&host.play(render).unwrap().channels);
    };
    for call in 0..CALLS {
        // Where other buses end all notes, they must not end what follows.
        hands.has_all_buses = call > CALLS / 2 && !host.goes_on_with_other_buses();
        if hands.any(12) == 0 {
            host.interrupt(hands.interruption()).unwrap();
        }
        let mut events = Vec::new();
        for _ in 0..hands.any(MOST_MESSAGES) {
            hands.act(&mut events);
        }
        let (switch, to) = (SWITCHES[hands.any(2) as usize], f64::from(hands.any(5) / 4));
        events.extend(host.move_to(switch, to).ok());
        play(host, &hands.render(events));
    }
    if kept != Kept::Nothing {
        // Where nobody else lets go of it, after whatever has ended all notes.
        let note = APART;
        let velocity = 0.8;
        let pedal = u8::from(kept == Kept::Pedal) * 127;
        let down = Render::silent(LONGEST_BLOCK)
            .at(0, midi(0xb0, note.channel, [64, pedal]))
            .at(1, EventKind::NoteOn { note, velocity });
        play(host, &down);
        if kept == Kept::Pedal {
            hands.held.push(Held::Event(note));
        }
    }
    let left = hands.leave(kept);
    for some in left.chunks(8) {
        play(host, &hands.render(some.to_vec()));
    }
    let off = SWITCHES
        .iter()
        .filter_map(|switch| host.move_to(switch, 0.0).ok())
        .fold(Render::silent(1), |render, off| render.at(0, off));
    play(host, &off);
    let rest = host.play(&Render::silent(2 * RELEASED)).unwrap();
    outcome.is_heard = !is_silent(&rest.frames(RELEASED..2 * RELEASED));
    outcome.is_endless = host.is_endless().unwrap();
    outcome
}

/// With a texture and [`SHORT_NOTES`]: after random messages in random calls, and after hands have let go
/// of everything, there is silence, in one host and round after the other: some, or for as many seconds as
/// `WEFT_HUNG_S` says.
///
/// `WEFT_HUNG_S=600 WEFT_BUNDLE_DIR=$PWD/target/bundled cargo test -p weft-hosts --features bundles,vst3 --test
/// clap_notes --test vst3 random_messages -- --nocapture` is ten minutes for each format.
pub fn assert_no_note_hangs(hosts: &mut [&mut dyn Host], special: Special) {
    let asked = std::env::var("WEFT_HUNG_S").ok();
    let seconds = asked.and_then(|s| s.parse().ok()).unwrap_or(0);
    let (began, asked) = (Instant::now(), Duration::from_secs(seconds));
    let (mut rounds, mut sounding, mut messages, mut hung) = (0, 0, 0, Vec::new());
    while rounds < ROUNDS || began.elapsed() < asked {
        let at = rounds as usize % hosts.len();
        let outcome = play_round(&mut *hosts[at], rounds, special, Kept::Nothing);
        if outcome.hangs() {
            println!("host {at}, seed {rounds}: {outcome:?}");
            hung.push(rounds);
            // What hangs must not be counted twice.
            hosts[at].interrupt(Interruption::Reset).unwrap();
        }
        rounds += 1;
        messages += outcome.messages;
        sounding += u32::from(outcome.sounded);
    }
    println!(
        "{rounds} rounds, {messages} messages, {} with hung notes",
        hung.len()
    );
    assert!(hung.is_empty(), "notes hang after the rounds {hung:?}");
    // Else this would be no test.
    assert!(
        2 * sounding > rounds,
        "{sounding} of {rounds} rounds sounded"
    );
}

/// The same messages in hosts that wait for every frame, and at the end a key or a pedal that nobody lets go of: both
/// are found. In real time, what begins while the machine is busy may be heard later than it is listened to.
pub fn assert_what_is_kept_is_found(hosts: &mut [&mut dyn Host], special: Special) {
    for host in hosts {
        for (seed, kept) in [(1, Kept::Key), (2, Kept::Pedal)] {
            let outcome = play_round(&mut **host, seed, special, kept);
            println!("{kept:?}: {outcome:?}");
            assert!(
                outcome.is_heard && outcome.is_endless != Some(false),
                "{kept:?}"
            );
            host.interrupt(Interruption::Reset).unwrap();
        }
    }
}
