//! A host in miniature: makes an instrument, and drives its player block by block.

use std::ops::{Deref, DerefMut};

use weft_core::clip::Clip;
use weft_core::instrument::{Controls, Instrument, Player, Slot};
use weft_core::network::Model;

use super::allocator::allocations;
use super::clips::RATE;

/// Samples in a block of the tests that need no other length.
pub const BLOCK_SIZE: usize = 128;

/// The texture plays without notes, with short envelopes and no limiter.
pub const HOLD: Controls = Controls {
    attack_s: 0.005,
    release_s: 0.05,
    hold: true,
    seed: 3,
    limiter: false,
    ..Controls::DEFAULT
};

/// The same with notes only.
pub const GATE: Controls = Controls {
    hold: false,
    ..HOLD
};

/// [`HOLD`] with the texture of `slot`.
pub fn in_slot(slot: Slot) -> Controls {
    Controls { slot, ..HOLD }
}

/// Steps of the fits that [`bouncing`] instruments make: tests ask what is heard when, not how near it comes.
pub const FEW_STEPS: u32 = 12;

/// An instrument at [`RATE`] in real time, and its host. Fits take `fit_steps` steps.
pub fn in_real_time(fit_steps: u32) -> (Instrument, Host) {
    started(f64::from(RATE), fit_steps)
}

/// An instrument at [`RATE`] in a bounce, and its host. Fits take [`FEW_STEPS`].
pub fn bouncing() -> (Instrument, Host) {
    bouncing_at(f64::from(RATE))
}

/// The same at `sample_rate` Hz.
pub fn bouncing_at(sample_rate: f64) -> (Instrument, Host) {
    let (instrument, mut host) = started(sample_rate, FEW_STEPS);
    host.set_offline(true);
    (instrument, host)
}

/// The same with `model` in the first slot.
pub fn bouncing_with(model: &Model, sample_rate: f64) -> (Instrument, Host) {
    let (instrument, host) = bouncing_at(sample_rate);
    instrument.play(Slot::A, model.clone());
    (instrument, host)
}

/// An instrument and its host at `sample_rate` Hz in real time.
pub fn started(sample_rate: f64, fit_steps: u32) -> (Instrument, Host) {
    let (instrument, player) = Instrument::new().unwrap();
    instrument.set_fit_steps(fit_steps);
    let mut host = Host {
        player,
        block_size: BLOCK_SIZE,
    };
    host.prepare(sample_rate);
    (instrument, host)
}

/// The audio thread's side of a host. Every call of the player is watched: none may allocate or free memory.
pub struct Host {
    player: Player,
    /// Samples in a block, unless a call says otherwise.
    pub block_size: usize,
}

impl Host {
    /// A host of this player at [`RATE`], in real time.
    pub fn of(player: Player) -> Self {
        let block_size = BLOCK_SIZE;
        let mut host = Self { player, block_size };
        host.prepare(f64::from(RATE));
        host
    }

    /// Plays `samples` samples; nothing is heard at the input.
    pub fn play(&mut self, samples: usize, controls: &Controls) -> [Vec<f32>; 2] {
        let block_size = self.block_size;
        self.drive(None, samples, || block_size, |_, _| *controls)
    }

    /// The left channel of [`play`](Self::play).
    pub fn play_left(&mut self, samples: usize, controls: &Controls) -> Vec<f32> {
        let [left, _] = self.play(samples, controls);
        left
    }

    /// Plays `samples` samples while the first ones of `input` are heard.
    pub fn feed(&mut self, input: &Clip, samples: usize, controls: &Controls) -> [Vec<f32>; 2] {
        let block_size = self.block_size;
        self.drive(Some(input), samples, || block_size, |_, _| *controls)
    }

    /// Plays `samples` samples in blocks of the lengths that `block` gives, while `input` is heard, or nothing.
    /// `before` is called before each block with the samples done.
    pub fn drive(
        &mut self,
        input: Option<&Clip>,
        samples: usize,
        mut block: impl FnMut() -> usize,
        mut before: impl FnMut(&mut Player, usize) -> Controls,
    ) -> [Vec<f32>; 2] {
        let silence = vec![0.0; samples];
        let channel = |c: usize| match input {
            Some(clip) => &clip.channels()[c.min(clip.channel_count() - 1)],
            None => &silence,
        };
        let (left_in, right_in) = (channel(0), channel(1));
        let mut out = [vec![0.0; samples], vec![0.0; samples]];
        let [left, right] = &mut out;
        let mut done = 0;
        while done < samples {
            let part = done..(done + block().max(1)).min(samples);
            done = part.end;
            let input = [&left_in[part.clone()], &right_in[part.clone()]];
            let output = [&mut left[part.clone()], &mut right[part.clone()]];
            let counted = allocations(|| {
                let controls = before(&mut self.player, part.start);
                self.player.process(input, output, &controls);
            });
            assert_eq!(counted, 0, "processing allocated or freed memory");
        }
        out
    }
}

impl Deref for Host {
    type Target = Player;

    fn deref(&self) -> &Player {
        &self.player
    }
}

impl DerefMut for Host {
    fn deref_mut(&mut self) -> &mut Player {
        &mut self.player
    }
}
