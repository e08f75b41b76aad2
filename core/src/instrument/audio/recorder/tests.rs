//! Which stretches of the input are recordings.

use ringbuf::traits::{Consumer, Split};
use ringbuf::{HeapCons, HeapRb};

use super::*;
use crate::instrument::audio::pacer::Pacer;
use crate::instrument::shared::{DeskWriter, MetersReader, bell, desk, meters, paces};

const RATE: usize = 48_000;
/// Samples of the input's ring, of both channels.
const RING: usize = 1 << 18;

struct Rig {
    recorder: Recorder,
    bounce: Bounce,
    news: HeapCons<InputNews>,
    ring: HeapCons<f32>,
    meters: MetersReader,
    desk: DeskWriter,
}

fn rig() -> Rig {
    let work = Arc::new(Work::default());
    let (news_in, news) = HeapRb::new(16).split();
    let (ring_in, ring) = HeapRb::new(RING).split();
    let (_, meter, meters) = meters();
    let (song, _) = paces();
    let (desk, desk_out) = desk(100);
    let mut recorder = Recorder::new(work.clone(), desk_out, meter, news_in, ring_in, bell().0);
    recorder.prepare(RATE as f64);
    Rig {
        recorder,
        bounce: Bounce::new(work, bell().0, Pacer::new(song)),
        news,
        ring,
        meters,
        desk,
    }
}

impl Rig {
    fn record(&mut self, input: &[f32], to_bar: Option<usize>) {
        let Self {
            recorder, bounce, ..
        } = self;
        recorder.record([input, input], to_bar, bounce);
    }

    /// Begin and end of the recording that was handed over.
    fn recorded(&mut self) -> Option<(u64, u64)> {
        self.news.pop_iter().find_map(|news| match news {
            InputNews::Recorded { begin, end, .. } => Some((begin, end)),
            InputNews::Gap { .. } | InputNews::Errand(_) => None,
        })
    }
}

#[test]
fn a_recording_begins_before_the_level_is_reached_and_is_as_long_as_was_asked_for() {
    let mut rig = rig();
    rig.recorder.start(CaptureSettings {
        start: CaptureStart::Threshold(-20.0),
        ..CaptureSettings::now(Slot::A, 1.0)
    });
    rig.record(&[0.01; 9_000], None);
    assert!(rig.meters.is_capture_waiting() && rig.recorder.samples_left().is_none());
    let mut onset = [0.01; 1_000];
    onset[600] = -0.2;
    rig.record(&onset, None);
    let begin = 9_600 - (CAPTURE_PREROLL_S * RATE as f64) as u64;
    let left = rig.recorder.samples_left().unwrap();
    assert_eq!(left as u64, begin + RATE as u64 - 10_000);
    rig.record(&vec![0.01; left], None);
    assert_eq!(rig.recorded(), Some((begin, begin + RATE as u64)));
    assert!(!rig.recorder.is_recording() && rig.meters.capture_done().is_none());
}

#[test]
fn a_recording_waits_for_the_bar() {
    let mut rig = rig();
    rig.recorder.start(CaptureSettings {
        start: CaptureStart::NextBar,
        ..CaptureSettings::now(Slot::A, 1.0)
    });
    rig.record(&[0.1; 500], Some(700));
    assert!(rig.recorder.waits_for_bar());
    rig.record(&[0.1; 500], Some(200));
    assert_eq!(rig.recorder.samples_left(), Some(RATE - 300));
}

#[test]
fn a_recording_that_waits_follows_its_settings() {
    let mut rig = rig();
    let at = |dbfs| CaptureSettings {
        start: CaptureStart::Threshold(dbfs),
        ..CaptureSettings::now(Slot::A, 1.0)
    };
    // There is none that could follow.
    rig.recorder.follow(at(-20.0));
    assert!(!rig.recorder.is_recording());
    rig.recorder.start(at(0.0));
    rig.record(&[0.1; 500], None);
    assert!(rig.recorder.is_waiting());
    // Less loud, longer and elsewhere.
    rig.recorder.follow(CaptureSettings {
        duration_s: 2.0,
        slot: Slot::C,
        ..at(-30.0)
    });
    assert!(rig.recorder.is_waiting());
    rig.record(&[0.1; 500], None);
    assert_eq!(rig.recorder.samples_left(), Some(2 * RATE - 980));
    // Once it has begun, it goes on as it is.
    rig.recorder.follow(CaptureSettings::now(Slot::B, 1.0));
    assert_eq!(rig.recorder.samples_left(), Some(2 * RATE - 980));
    rig.record(&vec![0.0; 2 * RATE - 980], None);
    assert_eq!(rig.recorded(), Some((20, 20 + 2 * RATE as u64)));
    // What does not wait any longer begins at once.
    rig.recorder.start(at(0.0));
    rig.recorder.follow(CaptureSettings::now(Slot::A, 1.0));
    assert_eq!(rig.recorder.samples_left(), Some(RATE));
}

#[test]
fn a_load_ends_a_recording_and_a_wait_for_one() {
    let threshold = CaptureSettings {
        start: CaptureStart::Threshold(0.0),
        ..CaptureSettings::now(Slot::A, 1.0)
    };
    for settings in [threshold, CaptureSettings::now(Slot::A, 1.0)] {
        let mut rig = rig();
        rig.recorder.start(settings);
        rig.record(&[0.1; 500], None);
        rig.recorder.heed_loads();
        assert!(rig.recorder.is_recording());
        rig.desk.count_load();
        rig.recorder.heed_loads();
        assert!(!rig.recorder.is_recording() && !rig.meters.is_capture_waiting());
        // One that begins after it is its own.
        rig.desk.count_load();
        rig.recorder.start(settings);
        rig.recorder.heed_loads();
        assert!(rig.recorder.is_recording());
    }
}

#[test]
fn where_the_worker_does_not_keep_up_the_recording_is_dropped_and_the_gap_reported() {
    let mut rig = rig();
    rig.recorder.start(CaptureSettings::now(Slot::A, 30.0));
    let block = vec![0.1; RING / 4];
    for _ in 0..2 {
        rig.record(&block, None);
    }
    assert!(rig.recorder.is_recording());
    rig.record(&block[..16], None);
    assert!(!rig.recorder.is_recording() && rig.meters.take_capture_overrun());
    rig.news.pop_iter().for_each(drop);
    rig.ring.clear();
    rig.record(&block[..16], None);
    let gap = rig.news.try_pop();
    let at = 2 * block.len() as u64;
    assert!(matches!(gap, Some(InputNews::Gap { at: a, sample_rate: 48_000 }) if a == at));
}
