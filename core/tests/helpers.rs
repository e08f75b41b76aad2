//! Fits that somebody else makes: the same bits, what is told meanwhile, and what becomes of a fit whose helper is lost,
//! slow, busy or foreign. Helpers are made up here; what they say goes through the messages that a real one sends.

mod support;

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use weft_core::clip::{Capture, Clip};
use weft_core::fit::cpu::Cpu;
use weft_core::fit::protocol::{Decoder, Message, Reply, Request};
use weft_core::fit::{
    FitError, FitEvent, FitRequest, FitSettings, FitStart, Helper, HelperError, HelperEvent,
    LeavingHelper, RelayEvent, relay,
};
use weft_core::instrument::{FitState, Instrument, Outside, Slot};
use weft_core::network::Model;
use weft_core::procedural::{Texture, synthesize};

use support::host::{HOLD, Host};
use support::models::fitted;
use support::waiting::{wait_for_rest, wait_until};

const STEPS: u32 = 12;
/// Sample rate of the captures, in Hz.
const RATE: u32 = 8_000;
/// More than anybody waits for.
const MANY_STEPS: u32 = 100_000;

/// A helper in this process.
struct Local {
    /// What becomes of its first attempts.
    fates: Mutex<Vec<Fate>>,
    attempts: AtomicU32,
    trial: Duration,
}

/// What becomes of an attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// It comes to its end.
    Good,
    /// It is lost after so many snapshots; with none, before it has begun.
    LostAfter(u32),
    Refuses,
    Absent,
    /// It is queued for so many seconds, as it says, and says so until it is broken off.
    Queued(Option<f64>),
    /// It makes one step and no more.
    Stuck,
    /// It sends the network of another capture.
    Foreign,
}

impl Local {
    fn new(fates: &[Fate]) -> Self {
        Self {
            fates: Mutex::new(fates.iter().rev().copied().collect()),
            attempts: AtomicU32::new(0),
            trial: Duration::from_secs(3600),
        }
    }
}

type OnEvent<'a> = &'a mut dyn FnMut(HelperEvent) -> ControlFlow<()>;

fn tell(on_event: OnEvent<'_>, event: HelperEvent) -> Result<(), HelperError> {
    match on_event(event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(HelperError::Cancelled),
    }
}

/// What a message says, when it has come.
fn told(reply: Reply) -> HelperEvent {
    match reply {
        Reply::Progress {
            step, steps, loss, ..
        } => HelperEvent::Progress { step, steps, loss },
        Reply::Snapshot { step, texture, .. } => HelperEvent::Snapshot { step, texture },
        other => panic!("{other:?} is not said here"),
    }
}

/// What comes out of the messages at their other end.
fn sent<M: Message>(message: &M) -> M {
    let bytes = message.to_bytes();
    Decoder::default().take(&mut &bytes[..]).unwrap().unwrap()
}

/// Makes a fit as a helper does, from the message on. `lost_after` snapshots it is gone.
fn make(request: &FitRequest, lost_after: u32, on_event: OnEvent<'_>) -> Result<(), HelperError> {
    let request = Request::Fit {
        fit: 1,
        request: Box::new(request.clone()),
    };
    let Request::Fit { request, .. } = sent(&request) else {
        panic!("it is a fit");
    };
    let (mut snapshots, mut flow) = (0, Ok(()));
    let made = request.run(&Cpu::default(), &mut |event| {
        let reply = match event {
            FitEvent::Snapshot { step: 0, .. } => return ControlFlow::Continue(()),
            FitEvent::Snapshot { step, model } => {
                snapshots += 1;
                let texture = Box::new(model.clone());
                Reply::Snapshot {
                    fit: 1,
                    step,
                    texture,
                }
            }
            FitEvent::Progress { step, steps, loss } => Reply::Progress {
                fit: 1,
                step,
                steps,
                loss,
            },
            _ => return ControlFlow::Continue(()),
        };
        flow = tell(on_event, told(sent(&reply)));
        if snapshots >= lost_after {
            flow = Err(HelperError::Lost("it was lost".into()));
        }
        match flow {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    });
    flow?;
    made.map_err(|error| HelperError::Refused(error.to_string()))?;
    Ok(())
}

impl Helper for Local {
    fn fit(
        &self,
        request: &FitRequest,
        on_event: &mut dyn FnMut(HelperEvent) -> ControlFlow<()>,
    ) -> Result<(), HelperError> {
        self.attempts.fetch_add(1, Ordering::SeqCst);
        let fate = self.fates.lock().unwrap().pop().unwrap_or(Fate::Good);
        tell(on_event, HelperEvent::Device("a toaster".into()))?;
        match fate {
            Fate::Good => {
                tell(on_event, HelperEvent::Begun)?;
                make(request, u32::MAX, on_event)
            }
            Fate::LostAfter(0) => Err(HelperError::Lost("it was lost".into())),
            Fate::LostAfter(snapshots) => make(request, snapshots, on_event),
            Fate::Refuses => Err(HelperError::Refused("out of bread".into())),
            Fate::Absent => Err(HelperError::Absent),
            Fate::Queued(wait_s) => loop {
                tell(on_event, HelperEvent::Queued { ahead: 2, wait_s })?;
                std::thread::sleep(Duration::from_millis(1));
            },
            Fate::Stuck => {
                let progress = HelperEvent::Progress {
                    step: 1,
                    steps: STEPS,
                    loss: 1.0,
                };
                tell(on_event, progress)?;
                loop {
                    tell(on_event, HelperEvent::Waiting)?;
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            Fate::Foreign => {
                let stereo = rain();
                let mono = Clip::new(RATE, stereo.channels()[..1].to_vec()).unwrap();
                let texture = Box::new(fitted(&mono, 1));
                tell(on_event, HelperEvent::Snapshot { step: 1, texture })
            }
        }
    }

    fn trial(&self) -> Duration {
        self.trial
    }
}

/// Rain whose fits are quick.
fn rain() -> Clip {
    synthesize(Texture::Rain, 1, RATE, 1.5)
}

fn request(steps: u32) -> FitRequest {
    FitRequest {
        start: FitStart::Capture(Capture::new(&rain()).unwrap()),
        settings: FitSettings {
            steps,
            seed: 5,
            ..FitSettings::default()
        },
    }
}

/// What was told of a fit.
#[derive(Default)]
struct Told {
    /// Steps of its progress and of its snapshots.
    steps: Vec<u32>,
    snapshots: Vec<Model>,
    left: Vec<Option<LeavingHelper>>,
}

/// Has a fit made with a helper; its result is its last snapshot.
fn relayed(helper: &Local, request: &FitRequest) -> (Model, Told) {
    let mut told = Told::default();
    let model = relay(helper, &Cpu::default(), request, &mut |event| {
        match event {
            RelayEvent::Fit(FitEvent::Progress { step, steps, .. }) => {
                assert_eq!(steps, request.settings.steps);
                told.steps.push(step);
            }
            RelayEvent::Fit(FitEvent::Snapshot { model, .. }) => told.snapshots.push(model.clone()),
            RelayEvent::Left(why) => told.left.push(why.cloned()),
            _ => {}
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    assert!(
        told.snapshots
            .iter()
            .all(|snapshot| snapshot.id() == model.id())
    );
    assert!(model.capture().is_some());
    let last = told.snapshots.last().unwrap();
    assert_eq!(last.to_bytes(), model.to_bytes());
    (model, told)
}

fn here(request: &FitRequest) -> Model {
    let on_event = &mut |_: FitEvent<'_>| ControlFlow::Continue(());
    request.run(&Cpu::default(), on_event).unwrap()
}

/// What the processor makes of `request(STEPS)`.
fn fitted_here() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| here(&request(STEPS)).to_bytes())
}

#[test]
fn a_helpers_fit_is_the_same_bits_whether_it_begins_or_goes_on() {
    let begun = request(STEPS);
    let (model, told) = relayed(&Local::new(&[Fate::Good]), &begun);
    assert_eq!(model.to_bytes(), fitted_here());
    assert!(told.left.is_empty());
    assert_eq!(told.steps, (1..=STEPS).collect::<Vec<_>>());
    let more = FitRequest {
        start: FitStart::Texture(Box::new(model.clone())),
        ..request(10)
    };
    let (better, _) = relayed(&Local::new(&[Fate::Good]), &more);
    assert_eq!(better.to_bytes(), here(&more).to_bytes());
    assert_eq!(better.id(), model.id());
}

#[test]
fn a_lost_helper_is_asked_once_more_for_what_is_left() {
    let helper = Local::new(&[Fate::LostAfter(3), Fate::Good]);
    let (model, told) = relayed(&helper, &request(STEPS));
    assert_eq!(helper.attempts.load(Ordering::SeqCst), 2);
    assert!(told.left.is_empty() && told.steps.last() == Some(&STEPS));
    assert!(model.fit_record().steps > 0);
    // Before its first snapshot, nothing is lost: the same bits.
    let (model, _) = relayed(&Local::new(&[Fate::LostAfter(0)]), &request(STEPS));
    assert_eq!(model.to_bytes(), fitted_here());
}

#[test]
fn the_processor_goes_on_where_a_helper_was_lost_for_good() {
    for (fates, is_begun) in [
        ([Fate::LostAfter(0); 2], false),
        ([Fate::LostAfter(4), Fate::LostAfter(0)], true),
        ([Fate::LostAfter(1), Fate::LostAfter(0)], true),
    ] {
        let helper = Local::new(&fates);
        let (model, told) = relayed(&helper, &request(STEPS));
        assert_eq!(helper.attempts.load(Ordering::SeqCst), 2);
        let lost = HelperError::Lost("it was lost".into());
        assert_eq!(told.left, [Some(LeavingHelper::Failed(lost))]);
        assert_eq!(told.steps.last(), Some(&STEPS));
        let same = model.to_bytes() == fitted_here();
        assert_eq!(same, !is_begun, "{fates:?}");
        // Nothing is made twice that was heard.
        let heard: Vec<u32> = told
            .snapshots
            .iter()
            .map(|s| s.fit_record().steps)
            .collect();
        assert!(heard.is_sorted(), "{heard:?}");
    }
}

#[test]
fn a_helper_that_can_t_is_not_asked_again() {
    let refusal = HelperError::Refused("out of bread".into());
    for (fate, left) in [
        (Fate::Refuses, Some(LeavingHelper::Failed(refusal))),
        (Fate::Absent, None),
    ] {
        let helper = Local::new(&[fate]);
        let (model, told) = relayed(&helper, &request(STEPS));
        assert_eq!(helper.attempts.load(Ordering::SeqCst), 1);
        assert_eq!(told.left, [left]);
        assert_eq!(model.to_bytes(), fitted_here());
    }
    let (model, told) = relayed(&Local::new(&[Fate::Foreign]), &request(STEPS));
    let [Some(LeavingHelper::Failed(error))] = &told.left[..] else {
        panic!("{:?}", told.left);
    };
    assert!(error.to_string().contains("features"), "{error}");
    assert_eq!(model.to_bytes(), fitted_here());
}

#[test]
fn who_would_wait_longer_than_the_processor_takes_does_not() {
    let (_, told) = relayed(&Local::new(&[Fate::Queued(Some(1e6))]), &request(STEPS));
    assert!(matches!(told.left[..], [Some(LeavingHelper::Busy { .. })]));
    // Nor for one that is slower by far, once its trial is over.
    let helper = Local {
        trial: Duration::ZERO,
        ..Local::new(&[Fate::Stuck])
    };
    let (model, told) = relayed(&helper, &request(STEPS));
    assert!(matches!(told.left[..], [Some(LeavingHelper::Slow { .. })]));
    assert_eq!(model.to_bytes(), fitted_here());
}

#[test]
fn a_cancelled_fit_ends_whatever_its_helper_does() {
    for fate in [
        Fate::Good,
        Fate::Queued(None),
        Fate::Queued(Some(0.0)),
        Fate::Stuck,
    ] {
        let helper = Local::new(&[fate]);
        let mut events = 0;
        let result = relay(&helper, &Cpu::default(), &request(MANY_STEPS), &mut |_| {
            events += 1;
            match events {
                0..6 => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            }
        });
        assert!(matches!(result, Err(FitError::Cancelled)), "{fate:?}");
        assert_eq!(helper.attempts.load(Ordering::SeqCst), 1);
    }
}

fn instrument_with(helper: &Arc<Local>) -> (Instrument, Host) {
    let outside = Outside {
        helper: Some(helper.clone()),
        ..Outside::default()
    };
    let (instrument, player) = Instrument::with_outside(outside).unwrap();
    instrument.set_fit_steps(STEPS);
    (instrument, Host::of(player))
}

#[test]
fn an_instruments_fits_are_made_by_its_helper_but_not_those_of_a_bounce() {
    let helper = Arc::new(Local::new(&[]));
    let (instrument, mut host) = instrument_with(&helper);
    instrument.load_clip(Slot::A, rain(), "rain");
    wait_for_rest(&instrument);
    let status = instrument.status();
    assert_eq!(
        (status.fit_device.as_deref(), status.error),
        (Some("a toaster"), None)
    );
    assert_eq!(helper.attempts.load(Ordering::SeqCst), 1);
    let of_helper = instrument.texture(Slot::A).unwrap();

    host.set_offline(true);
    instrument.load_clip(Slot::B, rain(), "rain");
    host.play(1_000, &HOLD);
    wait_for_rest(&instrument);
    assert_eq!(helper.attempts.load(Ordering::SeqCst), 1);
    assert_eq!(instrument.status().fit_device, None);
    let of_processor = instrument.texture(Slot::B).unwrap();
    assert_eq!(of_helper.to_bytes(), of_processor.to_bytes());
}

#[test]
fn the_place_in_the_queue_is_shown_and_a_cancellation_ends_the_waiting() {
    let helper = Arc::new(Local::new(&[Fate::Queued(None), Fate::Queued(None)]));
    let (instrument, _host) = instrument_with(&helper);
    let waits = |instrument: &Instrument| {
        let fit = instrument.status().slots[0].fit;
        fit == Some(FitState::Waiting {
            ahead: 2,
            steps: MANY_STEPS,
        })
    };
    instrument.set_fit_steps(MANY_STEPS);
    instrument.load_clip(Slot::A, rain(), "rain");
    wait_until("the queue", || waits(&instrument));
    // It is heard meanwhile.
    assert!(instrument.texture(Slot::A).is_some());
    instrument.cancel_fit(Slot::A);
    wait_for_rest(&instrument);
    // As does the end of the instrument.
    instrument.refine(Slot::A);
    wait_until("the queue", || waits(&instrument));
    drop(instrument);
}

#[test]
fn a_lost_helper_is_told_of_in_a_word() {
    let helper = Arc::new(Local::new(&[Fate::LostAfter(2), Fate::LostAfter(1)]));
    let (instrument, _host) = instrument_with(&helper);
    instrument.load_clip(Slot::A, rain(), "rain");
    wait_for_rest(&instrument);
    let status = instrument.status();
    let error = status.error.unwrap();
    assert!(
        error.contains("the processor goes on") && error.contains("lost"),
        "{error}"
    );
    assert_eq!(status.fit_device, None);
    let texture = status.slots[0].texture.unwrap();
    assert!(texture.fit_steps > 0);
}
