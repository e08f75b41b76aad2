//! What the player is going to do if nothing comes: by this, a host knows whether it may rest it.

/// What the player does from here on if its input stays silent and nothing is asked of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outlook {
    /// It stays silent, and what it remembers of its input is silence too: it need not be processed.
    #[default]
    Silent,
    /// What sounds fades, and then it stays silent.
    Fading,
    /// As one of those, but every block counts: in a bounce, which must not depend on whether the host rests
    /// it, and as long as there is sound in what it remembers, whose seconds are to be those of the song.
    Listening,
    /// It sounds, records or waits to record without an end.
    Endless,
}
