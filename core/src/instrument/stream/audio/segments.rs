//! The inverters of a stream. In a stream that is locked to the song, phases start anew in every segment of
//! hops, so that they don't depend on where the stream began: a second inverter settles on the last frames of
//! a segment and takes over with the first hop of the next.

use crate::inversion::{
    InversionError, InversionSettings, PRIMING_FRAMES, StreamingInverter, TargetFrame,
};
use crate::numeric::fade::SineFade;

/// Hops of a locked stream after which its phases start anew: 0.7 s at 48 kHz.
const SEGMENT_HOPS: i64 = 64;

/// The first frame that a locked stream has to invert for `hop` to be as in every other stream that is locked
/// to the song.
pub(in crate::instrument::stream) fn first_frame_of(hop: i64) -> i64 {
    // Samples of the hop before are read as well. The first hop of a segment is faded in over the end of the
    // segment before.
    let before = hop - 1;
    let segment = before.div_euclid(SEGMENT_HOPS) - i64::from(before.rem_euclid(SEGMENT_HOPS) == 0);
    segment * SEGMENT_HOPS - PRIMING_FRAMES
}

/// The inverter of a stream, and in a locked stream the one that will take over with the next segment.
pub(in crate::instrument::stream) struct Segments {
    current: StreamingInverter,
    next: Option<StreamingInverter>,
    next_is_running: bool,
    /// Mid and side of the hop that is complete, of the current inverter and of the next one.
    hop: [Vec<f32>; 2],
    next_hop: [Vec<f32>; 2],
}

impl Segments {
    /// Inverters with these `settings`: two if the stream is locked. Allocates.
    ///
    /// # Errors
    /// [`InversionError`] naming the setting that is out of range.
    pub fn new(settings: &InversionSettings, is_locked: bool) -> Result<Self, InversionError> {
        let make = || StreamingInverter::new(settings.clone());
        let hop = || std::array::from_fn(|_| vec![0.0; settings.hop_size]);
        Ok(Self {
            current: make()?,
            next: if is_locked { Some(make()?) } else { None },
            next_is_running: false,
            hop: hop(),
            next_hop: hop(),
        })
    }

    /// Steps of the frame that was begun last, of all inverters that run.
    pub fn steps_per_frame(&self) -> usize {
        let running = 1 + usize::from(self.next_is_running);
        running * self.current.steps_per_frame()
    }

    /// Begins a frame, and with it the next segment's inverter where its time has come.
    pub fn begin_frame(&mut self, target: TargetFrame<'_>) {
        self.current.begin_frame(target);
        if let Some(next) = &mut self.next {
            if target.index.rem_euclid(SEGMENT_HOPS) == SEGMENT_HOPS - PRIMING_FRAMES {
                next.reset();
                self.next_is_running = true;
            }
            if self.next_is_running {
                next.begin_frame(target);
            }
        }
    }

    /// Does the next step of the frame: the current inverter's, then the next one's.
    pub fn advance(&mut self) {
        if !self.current.advance()
            && let Some(next) = &mut self.next
        {
            next.advance();
        }
    }

    /// Ends the frame: mid and side of synthesis hop number `hop`, which is complete with it.
    pub fn finish_hop(&mut self, hop: i64) -> [&[f32]; 2] {
        let [mid, side] = &mut self.hop;
        self.current.finish_frame(mid, side);
        if let Some(next) = &mut self.next
            && self.next_is_running
        {
            let [next_mid, next_side] = &mut self.next_hop;
            next.finish_frame(next_mid, next_side);
            if hop.rem_euclid(SEGMENT_HOPS) == 0 {
                cross_fade(&mut self.hop, &self.next_hop);
                std::mem::swap(&mut self.current, next);
                self.next_is_running = false;
            }
        }
        self.hop.each_ref().map(Vec::as_slice)
    }
}

/// Fades `hop` over to `next`, mid and side each. Equal power: the phases of two segments have nothing to do
/// with each other.
fn cross_fade(hop: &mut [Vec<f32>; 2], next: &[Vec<f32>; 2]) {
    let [mid, side] = hop;
    let [next_mid, next_side] = next;
    let fade = SineFade::over(mid.len());
    let pairs = mid.iter_mut().zip(side.iter_mut());
    let others = next_mid.iter().zip(next_side);
    for (i, ((m, s), (n, t))) in pairs.zip(others).enumerate() {
        let (new, old) = fade.gains(i);
        *m = *m * old + n * new;
        *s = *s * old + t * new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FFT_SIZE: usize = 128;
    const HOP_SIZE: usize = 32;

    /// Hops up to number `to` of a locked stream that starts where `hop` needs it to.
    fn locked_hops(hop: i64, to: i64) -> Vec<(i64, Vec<f32>)> {
        let settings = InversionSettings::eco(FFT_SIZE, HOP_SIZE);
        let latency = settings.lookahead_frames as i64;
        let mut segments = Segments::new(&settings, true).unwrap();
        let mut hops = Vec::new();
        for index in first_frame_of(hop)..=to + latency {
            let mid: Vec<f32> = (0..=FFT_SIZE as i64 / 2)
                .map(|k| 1.0 + ((index * 7 + k * 3).rem_euclid(11)) as f32)
                .collect();
            segments.begin_frame(TargetFrame {
                index,
                mid: &mid,
                side_pan: None,
            });
            for _ in 0..segments.steps_per_frame() {
                segments.advance();
            }
            let [mid, _] = segments.finish_hop(index - latency);
            hops.push((index - latency, mid.to_vec()));
        }
        hops
    }

    #[test]
    fn hops_of_locked_streams_do_not_depend_on_where_the_streams_began() {
        let to = 3 * SEGMENT_HOPS;
        let from_afar = locked_hops(-SEGMENT_HOPS, to);
        for first in [1, 5, SEGMENT_HOPS - 1, SEGMENT_HOPS, SEGMENT_HOPS + 1] {
            let hops = locked_hops(first, to);
            // The hop before the first one is read as well.
            for hop in first - 1..=to {
                let find = |hops: &[(i64, Vec<f32>)]| {
                    hops.iter().find(|(at, _)| *at == hop).unwrap().1.clone()
                };
                assert!(find(&hops) == find(&from_afar), "hop {hop} from {first}");
            }
        }
    }
}
