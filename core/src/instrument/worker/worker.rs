//! The worker: one thread that remembers the input, keeps the slots, has fits made, builds streams and keeps
//! their rings full.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, TryRecvError};
use ringbuf::traits::Consumer;
use ringbuf::{HeapCons, HeapProd};

use super::fitter::{Fitter, FitterEnds};
use super::memory::Memory;
use super::slots::Slots;
use super::streams::Streams;
use crate::clip::SoundFile;
use crate::fit::Helper;
use crate::instrument::shared::{
    Command, DeskReader, Errands, FitPaces, InputNews, MetersReader, Order, Pending, Sleeper,
    Source, StageWriter, StreamReply, StreamRequest, TexturesWriter, Waker,
};
use crate::instrument::stream::Engine;
use crate::procedural::{Texture, synthesize};

/// Length and sample rate of synthesized captures.
const SYNTHESIS_S: f64 = 8.0;
const SYNTHESIS_RATE_HZ: u32 = 48_000;
/// The longest sleep. Everything that there is to do rings; threads that have ended can wait.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// Ends of rings and boards that the split hands to the worker.
pub(in crate::instrument) struct WorkerEnds {
    pub meters: MetersReader,
    pub textures: TexturesWriter,
    pub paces: FitPaces,
    pub stage: StageWriter,
    pub desk: DeskReader,
    /// Everybody rings who has something for the worker.
    pub sleeper: Sleeper,
    /// Rings, for the threads that it starts.
    pub waker: Waker,
    pub orders: Receiver<Order>,
    pub news: HeapCons<InputNews>,
    pub requests: HeapCons<StreamRequest>,
    pub retired: HeapCons<Box<Engine>>,
    pub streams: HeapProd<StreamReply>,
    pub input: HeapCons<f32>,
    pub errands: Errands,
    /// Who may make the fits.
    pub helper: Option<Arc<dyn Helper>>,
}

/// Everything that the worker thread owns.
pub(in crate::instrument) struct Worker {
    desk: DeskReader,
    sleeper: Sleeper,
    orders: Receiver<Order>,
    news: HeapCons<InputNews>,
    memory: Memory,
    slots: Slots,
    streams: Streams,
    errands: Errands,
}

impl Worker {
    pub fn new(ends: WorkerEnds) -> Self {
        Self {
            streams: Streams::new(
                ends.meters.clone(),
                ends.textures,
                ends.stage.clone(),
                ends.streams,
                ends.requests,
                ends.retired,
            ),
            slots: Slots::new(
                ends.stage.clone(),
                ends.desk.clone(),
                Fitter::new(FitterEnds {
                    stage: ends.stage,
                    paces: ends.paces,
                    meters: ends.meters,
                    waker: ends.waker.clone(),
                    helper: ends.helper,
                }),
                ends.waker,
            ),
            memory: Memory::new(ends.input),
            desk: ends.desk,
            sleeper: ends.sleeper,
            news: ends.news,
            orders: ends.orders,
            errands: ends.errands,
        }
    }

    /// Works until told to shut down, or until nobody is left to tell.
    pub fn run(mut self) {
        loop {
            self.take_news();
            self.slots.take_prepared();
            self.slots.take_fit_news(&mut self.streams);
            let is_busy = self.streams.work();
            match self.orders.try_recv() {
                Ok(Order::ShutDown) | Err(TryRecvError::Disconnected) => break,
                Ok(Order::Do(command, pending)) => self.obey(command, pending),
                Err(TryRecvError::Empty) if is_busy => {}
                Err(TryRecvError::Empty) => {
                    self.sleeper.sleep(LONGEST_SLEEP);
                }
            }
        }
        self.slots.shut_down();
    }

    /// Takes what has come from the audio thread: input, recordings, and news of streams.
    fn take_news(&mut self) {
        self.memory.collect();
        while let Some(news) = self.news.try_pop() {
            match news {
                InputNews::Errand(errand) => (self.errands)(errand),
                InputNews::Gap { at, sample_rate } => self.memory.forget_before(at, sample_rate),
                InputNews::Recorded {
                    begin,
                    end,
                    slot,
                    loads,
                    paced,
                    pending,
                } => {
                    if loads != self.desk.loads() {
                        continue;
                    }
                    // They may have come since the last look.
                    self.memory.collect();
                    let clip = self.memory.clip(begin, end);
                    self.slots.ask_for_recording(slot, clip, paced, pending);
                }
            }
        }
        self.memory.forget_old();
        self.streams.take_news();
    }

    fn obey(&mut self, command: Command, pending: Pending) {
        let Self { slots, streams, .. } = self;
        match command {
            Command::Learn(slot, Source::Clip(clip, name)) => {
                slots.ask(slot, name, pending, || Ok(clip.into()));
            }
            Command::Learn(slot, Source::File(path)) => {
                slots.ask(slot, file_name(&path), pending, move || {
                    SoundFile::read(&path)
                });
            }
            Command::Learn(slot, Source::Synthesis(texture, seed)) => {
                slots.ask(slot, capitalised(texture), pending, move || {
                    Ok(synthesize(texture, seed, SYNTHESIS_RATE_HZ, SYNTHESIS_S).into())
                });
            }
            Command::Learn(slot, Source::Input(duration_s)) => {
                // What is remembered may be of another sample rate by now.
                self.take_news();
                let clip = self.memory.last(duration_s);
                self.slots.ask_for_recording(slot, clip, None, pending);
            }
            Command::Trim(slot, used_s) => slots.trim(slot, used_s, pending),
            Command::Refine(slot) => slots.refine(slot, pending),
            Command::CancelFit(slot) => slots.cancel(slot),
            Command::Play(slot, model) => slots.play(slot, model, streams),
            Command::Load(bank) => slots.load(*bank, &pending, streams),
            Command::Clear(slot) => slots.clear(slot, streams),
            Command::Copy { from, to } => slots.copy(from, to, streams),
            Command::Undo(slot) => slots.undo(slot, streams),
            Command::Rename(slot, name) => slots.rename(slot, &name),
        }
    }
}

/// A file's name as a texture's.
fn file_name(path: &Path) -> String {
    path.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn capitalised(texture: Texture) -> String {
    let mut name = texture.name().to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}
