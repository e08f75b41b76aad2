//! How much is put into a fit.

/// Fewest frames of a step: some 4 s at 44.1 kHz, in which every set of the loss has room.
pub const LEAST_FRAMES: usize = 384;

/// How much is put into a fit, as its user thinks of it. Times are those of eight seconds of stereo on two
/// cores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Effort {
    /// To try a capture: about 5 s.
    Quick,
    /// About 15 s.
    #[default]
    Normal,
    /// For a texture that stays: about a minute.
    Thorough,
}

impl Effort {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Quick, Self::Normal, Self::Thorough];

    /// Its name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Normal => "normal",
            Self::Thorough => "thorough",
        }
    }

    /// Its training steps.
    pub const fn steps(self) -> u32 {
        match self {
            Self::Quick => 900,
            Self::Normal => 2_000,
            Self::Thorough => 4_500,
        }
    }

    /// The effort of a fit of so many steps, if it is one of these.
    pub fn of_steps(steps: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|effort| effort.steps() == steps)
    }
}

/// Frames of the last steps of a fit of so many steps, where nothing else is said: a longer fit comes to where
/// only more frames bring it nearer. `docs/tried.md` has what was measured.
pub(super) fn suitable_frames(steps: u32) -> usize {
    match steps {
        0..500 => LEAST_FRAMES,
        500..1_500 => 2 * LEAST_FRAMES,
        1_500..3_000 => 4 * LEAST_FRAMES,
        _ => 8 * LEAST_FRAMES,
    }
}
