//! Where a stream that is built begins: plain arithmetic on what was asked for.

use crate::instrument::controls::SMEAR_MOST_S;
use crate::instrument::stream::audio::{ONE, first_frame_of, reading_step};
use crate::instrument::stream::song_line::on_grid;
use crate::instrument::stream::start::{Place, StreamStart};
use crate::inversion::PRIMING_FRAMES;
use crate::spectrum::FrontEnd;

/// The beginning of a stream.
#[derive(Clone, Debug)]
pub(super) struct StreamPlan {
    /// What was asked for.
    pub start: StreamStart,
    /// Synthesis hop that is heard first.
    pub first_hop: i64,
    /// Where in that hop the stream begins, in fixed point.
    pub offset: u64,
    /// The first frame that is inverted: the phases have settled when a hop is heard.
    pub first_frame: i64,
    /// Index of the first frame of the network that is needed.
    pub first_feature: i64,
    /// Frames of the network that the longest smear looks back on.
    pub smear_frames: usize,
    /// Whether the stream is locked to the song.
    pub is_locked: bool,
    /// Frames of the network in a second of the texture.
    frame_rate: f64,
    /// Samples of the host in a hop.
    hop_samples: f64,
    /// Samples of the host from the stream's beginning to that of its first hop: 0 or less.
    hop_begins_at: f64,
}

impl StreamPlan {
    /// The beginning of a stream of frames of `front_end`.
    pub fn new(start: &StreamStart, front_end: &FrontEnd) -> Self {
        let hop_size = front_end.stft().hop_size();
        let step = reading_step(
            front_end.sample_rate(),
            start.host_rate,
            start.controls.transposition,
        );
        let (first_hop, offset, first_frame) = beginning(&start.place, hop_size, step);
        let frame_rate = front_end.frame_rate();
        let smear_frames = (f64::from(SMEAR_MOST_S) * frame_rate).ceil() as i64;
        let looks_back = if start.controls.smear_s > 0.0 {
            smear_frames
        } else {
            0
        };
        let mut plan = Self {
            start: *start,
            first_hop,
            offset,
            first_frame,
            first_feature: 0,
            smear_frames: smear_frames as usize,
            is_locked: matches!(start.place, Place::Song { .. }),
            frame_rate,
            hop_samples: hop_size as f64 * ONE as f64 / step as f64,
            hop_begins_at: -(offset as f64) / step as f64,
        };
        plan.first_feature = plan.position_of(first_frame).floor() as i64 - looks_back;
        plan
    }

    /// Place in the texture of synthesis frame `frame`, in frames of the network.
    pub fn position_of(&self, frame: i64) -> f64 {
        let controls = &self.start.controls;
        match self.start.place {
            Place::Free {
                frame: from,
                position,
                ..
            } => position + (frame - from) as f64 * controls.time / controls.transposition,
            Place::Song { line, .. } => {
                let hops = (frame - self.first_hop) as f64;
                let samples = self.hop_begins_at + hops * self.hop_samples;
                on_grid(line.position_s(samples, controls.time) * self.frame_rate)
            }
        }
    }

    /// The same of `frame` where the frame before it was at `before`: a free stream counts on, as it does when
    /// it plays.
    pub fn position_after(&self, before: f64, frame: i64) -> f64 {
        if self.is_locked {
            self.position_of(frame)
        } else {
            before + self.start.controls.frames_per_hop()
        }
    }
}

/// The hop to be heard first, the place in it in fixed point, and the first frame that is inverted for it.
fn beginning(place: &Place, hop_size: usize, step: u64) -> (i64, u64, i64) {
    match *place {
        Place::Free { frame, stagger, .. } => {
            let offset = (stagger * hop_size as f64) as u64 * ONE;
            (frame, offset, frame - PRIMING_FRAMES)
        }
        Place::Song { sample, .. } => {
            let hop = (hop_size as u64 * ONE) as i128;
            let at = i128::from(sample) * i128::from(step);
            let first_hop = at.div_euclid(hop) as i64;
            let offset = at.rem_euclid(hop) as u64;
            (first_hop, offset, first_frame_of(first_hop))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::controls::Quality;
    use crate::instrument::stream::SongLine;
    use crate::instrument::stream::start::FrameControls;
    use crate::procedural::{Texture, synthesize};

    const RATE: u32 = 16_000;

    fn front_end() -> FrontEnd {
        let clip = synthesize(Texture::Rain, 1, RATE, 2.0);
        FrontEnd::analyse(&clip).unwrap().0
    }

    fn start(place: Place, controls: FrameControls) -> StreamStart {
        StreamStart {
            seed: 1,
            quality: Quality::Eco,
            host_rate: f64::from(RATE),
            controls,
            place,
        }
    }

    #[test]
    fn a_free_stream_begins_in_its_hop_after_the_phases_have_settled() {
        let front_end = front_end();
        let place = Place::Free {
            frame: 100,
            position: 40.0,
            stagger: 0.5,
        };
        let controls = FrameControls {
            time: 2.0,
            ..FrameControls::default()
        };
        let plan = StreamPlan::new(&start(place, controls), &front_end);
        let hop_size = front_end.stft().hop_size() as u64;
        assert_eq!((plan.first_hop, plan.offset), (100, hop_size / 2 * ONE));
        assert_eq!(plan.first_frame, 100 - PRIMING_FRAMES);
        assert_eq!(plan.position_of(100), 40.0);
        assert_eq!(plan.first_feature, 40 - 2 * PRIMING_FRAMES);
        assert_eq!(plan.position_after(7.0, 3), 9.0);
        let smeared = FrameControls {
            smear_s: 0.1,
            ..controls
        };
        let smeared = StreamPlan::new(&start(place, smeared), &front_end);
        let back = plan.first_feature - smeared.first_feature;
        assert_eq!(back, front_end.frame_rate().ceil() as i64);
    }

    #[test]
    fn a_locked_stream_begins_at_the_songs_sample_and_place() {
        let front_end = front_end();
        let hop_size = front_end.stft().hop_size() as i64;
        for sample in [0, 1, 123_456, -70_000] {
            let line = SongLine {
                now_s: sample as f64 / f64::from(RATE),
                rate_s: 1.0 / f64::from(RATE),
                anchor_s: (0.0, 0.0),
            };
            let place = Place::Song { sample, line };
            let plan = StreamPlan::new(&start(place, FrameControls::default()), &front_end);
            assert!(plan.is_locked);
            let begin = plan.first_hop * hop_size + (plan.offset / ONE) as i64;
            assert_eq!(begin, sample);
            // At its own pitch and time, a hop of the song is a frame of the texture.
            let position = plan.position_of(plan.first_hop);
            assert!(
                (position - plan.first_hop as f64).abs() < 0.01,
                "{position}"
            );
            assert!(plan.first_hop - plan.first_frame > PRIMING_FRAMES);
        }
    }
}
