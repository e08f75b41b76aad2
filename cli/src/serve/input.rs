//! What comes in on the standard input, read by a thread of its own: a fit that runs can be cancelled, and ends with the
//! program that asked for it.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use weft_core::fit::FitRequest;
use weft_core::fit::protocol::{Decoder, ProtocolError, Request};

/// Bytes that are read at once.
const ROOM: usize = 64 * 1024;
/// Requests that may wait: they are large.
const WAITING: usize = 2;
/// Cancelled fits that are remembered: of those that wait.
const MOST_CANCELLED: usize = 64;
/// How long a device may take to end a step when nobody is there any more.
const END_PATIENCE: Duration = Duration::from_secs(2);

/// What is to be done next.
pub enum Order {
    Fit {
        fit: u32,
        request: Box<FitRequest>,
    },
    /// What came is no request.
    Foreign(ProtocolError),
    /// Nobody is there any more.
    End,
}

/// What the thread that reads shares with the one that works.
#[derive(Default)]
struct Desk {
    cancelled: Mutex<Vec<u32>>,
    is_over: AtomicBool,
}

/// The standard input.
pub struct Input {
    orders: Receiver<Order>,
    desk: Arc<Desk>,
}

impl Input {
    /// Begins to read.
    pub fn listen() -> io::Result<Self> {
        let (sender, orders) = sync_channel(WAITING);
        let desk = Arc::<Desk>::default();
        let shared = desk.clone();
        thread::Builder::new()
            .name("weft-input".into())
            .spawn(move || {
                let last = read(&sender, &shared);
                shared.is_over.store(true, Ordering::SeqCst);
                // Who works may be gone already, or in the midst of a step that does not end.
                let _ = sender.send(last);
                thread::sleep(END_PATIENCE);
                std::process::exit(1);
            })?;
        Ok(Self { orders, desk })
    }

    /// Waits for what is to be done next.
    pub fn next(&self) -> Order {
        self.orders.recv().unwrap_or(Order::End)
    }

    /// Whether somebody still wants the result of this fit.
    pub fn wants(&self, fit: u32) -> bool {
        let cancelled = self.desk.cancelled();
        !self.desk.is_over.load(Ordering::SeqCst) && !cancelled.contains(&fit)
    }
}

impl Desk {
    fn cancelled(&self) -> std::sync::MutexGuard<'_, Vec<u32>> {
        self.cancelled
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn cancel(&self, fit: u32) {
        let mut cancelled = self.cancelled();
        if cancelled.len() == MOST_CANCELLED {
            cancelled.remove(0);
        }
        cancelled.push(fit);
    }
}

/// Reads until the input ends, or is none of ours; that is the last that is to be done.
fn read(orders: &SyncSender<Order>, desk: &Desk) -> Order {
    let (mut decoder, mut room) = (Decoder::<Request>::default(), vec![0; ROOM]);
    let mut input = io::stdin().lock();
    loop {
        let count = match input.read(&mut room) {
            Ok(0) => return Order::End,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return Order::End,
        };
        let mut bytes = &room[..count];
        loop {
            match decoder.take(&mut bytes) {
                Ok(None) => break,
                Ok(Some(Request::Fit { fit, request })) => {
                    if orders.send(Order::Fit { fit, request }).is_err() {
                        return Order::End;
                    }
                }
                Ok(Some(Request::Cancel { fit })) => desk.cancel(fit),
                // There is no other yet.
                Ok(Some(_)) => {}
                Err(error) => return Order::Foreign(error),
            }
        }
    }
}
