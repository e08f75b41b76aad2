//! Following the host's song: where it is, whether the texture is locked to it, and when a bar begins.

use super::song::Song;
use crate::instrument::controls::Transport;
use crate::instrument::stream::SongLine;

/// Follows the host's song, and holds on to it where the texture is locked.
pub(super) struct SongFollower {
    /// Sample rate of the host in Hz.
    sample_rate: f64,
    song: Option<Song>,
    is_locked: bool,
    /// Number of the bar that was sung at the last look, while locked.
    bar: i64,
}

impl SongFollower {
    pub fn new() -> Self {
        Self {
            sample_rate: 0.0,
            song: None,
            is_locked: false,
            bar: 0,
        }
    }

    /// Takes the host's sample rate in Hz.
    pub fn prepare(&mut self, sample_rate: f64) {
        self.sample_rate = sample_rate;
    }

    /// Forgets the song.
    pub fn reset(&mut self) {
        self.song = None;
        self.is_locked = false;
    }

    /// Whether the song runs.
    pub fn is_running(&self) -> bool {
        self.song.is_some()
    }

    /// Goes on with what the host says of its song at `clock`, which is `None` while the song stands still.
    pub fn follow(&mut self, transport: Option<&Transport>, clock: u64) {
        match (&mut self.song, transport) {
            (song, None) => *song = None,
            (song @ None, Some(transport)) => *song = Some(Song::new(transport, clock)),
            (Some(song), Some(transport)) => {
                if song.follow(transport, clock, self.sample_rate) {
                    // The song jumped: found again with the next sample, as if it had just started.
                    self.is_locked = false;
                }
            }
        }
    }

    /// Whether the texture was locked to the song at the last call of [`lock`](Self::lock), and the song has
    /// not jumped since.
    pub fn is_locked(&self) -> bool {
        self.is_locked
    }

    /// Locks to the song where that is wanted and it runs, or else lets go. Returns whether the song was
    /// found with that: then streams have to start at its place.
    pub fn lock(&mut self, is_wanted: bool, clock: u64) -> bool {
        let was_locked = self.is_locked;
        self.is_locked = is_wanted && self.song.is_some();
        let is_found = self.is_locked && !was_locked;
        if is_found && let Some(song) = &self.song {
            self.bar = song.bar_number(clock, self.sample_rate);
        }
        is_found
    }

    /// The song at `clock`, where the texture is locked to it. `lock_tempo` as in the controls.
    pub fn locked(&self, clock: u64, lock_tempo: f32) -> Option<LockedSong> {
        let song = self.song.filter(|_| self.is_locked)?;
        Some(LockedSong {
            song,
            clock,
            sample_rate: self.sample_rate,
            lock_tempo,
        })
    }

    /// Whether a locked song sings another bar at `clock` than at the last call.
    pub fn takes_new_bar(&mut self, clock: u64) -> bool {
        let Some(song) = self.song.filter(|_| self.is_locked) else {
            return false;
        };
        let bar = song.bar_number(clock, self.sample_rate);
        let is_new = bar != self.bar;
        self.bar = bar;
        is_new
    }

    /// Samples from `clock` to the first one of the song's next bar; 0 on the first one of a bar.
    pub fn samples_to_bar(&self, clock: u64) -> Option<usize> {
        Some(self.song?.samples_to_bar(clock, self.sample_rate))
    }
}

/// A song to which the texture is locked, at one sample.
#[derive(Clone, Copy)]
pub(super) struct LockedSong {
    song: Song,
    clock: u64,
    sample_rate: f64,
    lock_tempo: f32,
}

impl LockedSong {
    /// The host's count of the song's samples.
    pub fn sample(&self) -> i64 {
        self.song.samples_at(self.clock)
    }

    /// The song's line through the texture, with time counted from `anchor_s` (see [`SongLine`]).
    pub fn line(&self, anchor_s: (f64, f64)) -> SongLine {
        let (line, _) = self
            .song
            .line(self.clock, self.sample_rate, self.lock_tempo, anchor_s);
        line
    }

    /// The line of a stream that starts here and goes by at `time`: with another time than its own, a locked
    /// texture starts every bar anew.
    pub fn starting_line(&self, time: f64) -> SongLine {
        let anchor_s = (0.0, 0.0);
        let (mut line, bar_s) =
            self.song
                .line(self.clock, self.sample_rate, self.lock_tempo, anchor_s);
        if time != 1.0 {
            line.anchor_s = (bar_s, bar_s);
        }
        line
    }
}

/// A place in the song and the place in the texture that it has, from where a voice's time counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct SongAnchor {
    /// Both places in seconds, see [`SongLine`].
    places_s: (f64, f64),
    /// How fast the texture goes by from there.
    time: f64,
}

impl Default for SongAnchor {
    fn default() -> Self {
        Self::new((0.0, 0.0), 1.0)
    }
}

impl SongAnchor {
    pub fn new(places_s: (f64, f64), time: f64) -> Self {
        Self { places_s, time }
    }

    /// Both places in seconds, see [`SongLine`].
    pub fn places_s(&self) -> (f64, f64) {
        self.places_s
    }

    /// Moves to where the song is, if `time` is another one from here on: the texture goes on at its place.
    pub fn follow_time(&mut self, song: &LockedSong, time: f64) {
        if self.time != time {
            let line = song.line(self.places_s);
            self.places_s = (line.now_s, line.position_s(0.0, self.time));
            self.time = time;
        }
    }

    /// Whether another part of the texture plays than belongs to the song's place.
    pub fn is_off_the_song(&self) -> bool {
        self.time != 1.0 || self.places_s.0 != self.places_s.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: f64 = 48_000.0;
    /// Samples of a bar at 120 beats a minute.
    const BAR: u64 = 96_000;

    fn transport(samples: u64) -> Transport {
        Transport {
            samples: samples as i64,
            beats: Some(samples as f64 / RATE * 2.0),
            bar_start_beats: None,
            beats_per_bar: Some(4.0),
            tempo: Some(120.0),
        }
    }

    fn following() -> SongFollower {
        let mut follower = SongFollower::new();
        follower.prepare(RATE);
        follower.follow(Some(&transport(0)), 0);
        follower
    }

    #[test]
    fn a_song_is_found_when_it_is_locked_and_again_after_a_jump() {
        let mut follower = following();
        assert!(!follower.lock(false, 0) && follower.locked(0, 0.0).is_none());
        assert!(follower.lock(true, 0) && follower.is_locked());
        follower.follow(Some(&transport(512)), 512);
        assert!(!follower.lock(true, 512));
        assert_eq!(follower.locked(600, 0.0).unwrap().sample(), 600);
        follower.follow(Some(&transport(7 * BAR)), 1024);
        assert!(!follower.is_locked() && follower.lock(true, 1024));
        follower.follow(None, 2048);
        assert!(!follower.lock(true, 2048) && !follower.is_running());
    }

    #[test]
    fn every_bar_of_a_locked_song_is_new_once() {
        let mut follower = following();
        assert!(!follower.takes_new_bar(BAR));
        follower.lock(true, 0);
        assert!(!follower.takes_new_bar(BAR - 1));
        assert!(follower.takes_new_bar(BAR) && !follower.takes_new_bar(BAR + 1));
        assert_eq!(follower.samples_to_bar(2 * BAR - 16), Some(16));
    }

    #[test]
    fn a_texture_goes_on_at_its_place_when_its_time_changes() {
        let mut follower = following();
        follower.lock(true, 0);
        let mut anchor = SongAnchor::default();
        assert!(!anchor.is_off_the_song());
        let position_s = |anchor: &SongAnchor, clock: u64, time: f64| {
            let line = follower.locked(clock, 0.0).unwrap().line(anchor.places_s());
            line.position_s(0.0, time)
        };
        let before = position_s(&anchor, 24_000, 1.0);
        anchor.follow_time(&follower.locked(24_000, 0.0).unwrap(), 0.5);
        assert!(anchor.is_off_the_song());
        assert_eq!(position_s(&anchor, 24_000, 0.5), before);
        assert_eq!(position_s(&anchor, 48_000, 0.5), before + 0.25);
    }
}
