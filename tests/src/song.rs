//! A song as hosts count it: tempos over quarter notes, in bars of four.

/// Quarter notes in a bar.
pub const BEATS_PER_BAR: u16 = 4;

/// A song in bars of four quarter notes.
#[derive(Debug, Clone, PartialEq)]
pub struct Song {
    sample_rate: f64,
    /// From which quarter note on the song goes at how many of them a minute; the first is 0.
    tempos: Vec<(f64, f64)>,
}

/// Where a [`Song`] is at some frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SongPosition {
    /// Frames from the song's beginning.
    pub frame: i64,
    /// Seconds from the song's beginning.
    pub seconds: f64,
    /// Quarter notes from the song's beginning.
    pub beats: f64,
    /// Quarter notes at which the bar began.
    pub bar_start: f64,
    /// Number of the bar; the song begins with 0.
    pub bar_number: i32,
    /// Quarter notes a minute.
    pub tempo: f64,
}

impl Song {
    /// A song at `tempo` quarter notes a minute, for a host that runs at `sample_rate` Hz.
    pub fn new(sample_rate: f64, tempo: f64) -> Self {
        Self {
            sample_rate,
            tempos: vec![(0.0, tempo)],
        }
    }

    /// Goes at `tempo` from the quarter note `beats` on. Changes come in the order of the song.
    #[must_use]
    pub fn tempo_from(mut self, beats: f64, tempo: f64) -> Self {
        self.tempos.push((beats, tempo));
        self
    }

    /// Second at which each tempo begins, with what begins there.
    fn stretches(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let mut second = 0.0;
        let mut before = (0.0, 120.0);
        self.tempos.iter().map(move |&(beats, tempo)| {
            second += (beats - before.0) * 60.0 / before.1;
            before = (beats, tempo);
            (second, beats, tempo)
        })
    }

    /// The frame nearest to the beginning of a bar, counted as musicians do: the song begins with
    /// bar 1.
    pub fn bar(&self, number: u32) -> i64 {
        let beats = f64::from(BEATS_PER_BAR) * (f64::from(number) - 1.0);
        let (second, since, tempo) = self
            .stretches()
            .take_while(|(_, since, _)| *since <= beats)
            .last()
            .unwrap_or((0.0, 0.0, 120.0));
        let seconds = second + (beats - since) * 60.0 / tempo;
        (seconds * self.sample_rate).round() as i64
    }

    /// Where the song is at its frame `frame`.
    pub fn position(&self, frame: i64) -> SongPosition {
        let seconds = frame as f64 / self.sample_rate;
        let (second, since, tempo) = self
            .stretches()
            .take_while(|(second, ..)| *second <= seconds)
            .last()
            .unwrap_or((0.0, 0.0, 120.0));
        let beats = since + (seconds - second) * tempo / 60.0;
        // A frame that rounding puts just before a bar is its first one.
        let bar = (beats / f64::from(BEATS_PER_BAR) + 1e-9).floor();
        SongPosition {
            frame,
            seconds,
            beats,
            bar_start: bar * f64::from(BEATS_PER_BAR),
            bar_number: bar as i32,
            tempo,
        }
    }
}

/// Where the song is while a render is processed.
pub(crate) struct Playhead<'a>(Option<(&'a Song, i64)>);

impl<'a> Playhead<'a> {
    /// A song from one of its frames on, or none.
    pub(crate) fn new(song: Option<&'a (Song, i64)>) -> Self {
        Self(song.map(|(song, first)| (song, *first)))
    }

    /// Where the song is at the render's frame `frame`.
    pub(crate) fn at(&self, frame: usize) -> Option<SongPosition> {
        let (song, first) = self.0?;
        Some(song.position(first + frame as i64))
    }

    /// The song goes on from its frame `song_frame` at the render's frame `frame`.
    pub(crate) fn locate(&mut self, frame: usize, song_frame: i64) {
        if let Some((_, first)) = &mut self.0 {
            *first = song_frame - frame as i64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tempos_move_the_bars() {
        let steady = Song::new(48_000.0, 120.0);
        assert_eq!(steady.bar(1), 0);
        assert_eq!(steady.bar(3), 4 * 48_000);
        // The second bar takes four seconds instead of two.
        let song = steady.clone().tempo_from(4.0, 60.0).tempo_from(8.0, 120.0);
        assert_eq!(song.bar(2), steady.bar(2));
        assert_eq!(song.bar(3), 6 * 48_000);
        let position = song.position(4 * 48_000);
        assert_eq!((position.beats, position.tempo), (6.0, 60.0));
        assert_eq!((position.bar_start, position.bar_number), (4.0, 1));
        let position = song.position(song.bar(17));
        assert_eq!((position.beats, position.bar_start), (64.0, 64.0));
        assert_eq!(position.seconds, 34.0);
    }

    #[test]
    fn a_playhead_goes_where_it_is_sent() {
        let song = (Song::new(48_000.0, 120.0), 1_000);
        let mut playhead = Playhead::new(Some(&song));
        let frame = |playhead: &Playhead, at| playhead.at(at).map(|position| position.frame);
        assert_eq!(frame(&playhead, 24), Some(1_024));
        playhead.locate(100, 7);
        assert_eq!(frame(&playhead, 100), Some(7));
        assert_eq!(frame(&playhead, 101), Some(8));
        assert_eq!(frame(&Playhead::new(None), 5), None);
    }
}
