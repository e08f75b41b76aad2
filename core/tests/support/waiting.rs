//! Waiting for what other threads do. Nothing here says that it takes long or short: the only time is the one
//! after which a test has hung.

use std::time::{Duration, Instant};

use weft_core::instrument::Instrument;

/// Seconds that a machine which is busy with other things never takes; `WEFT_HUNG_S` sets another number, for
/// programs that are slow on purpose.
const HUNG_S: u64 = 120;
/// Between two looks.
const PERIOD: Duration = Duration::from_millis(1);

/// Waits until `reached`. `what` names it if it never comes.
#[track_caller]
pub fn wait_until(what: &str, mut reached: impl FnMut() -> bool) {
    let deadline = Deadline::of(what);
    while !reached() {
        deadline.check();
        std::thread::sleep(PERIOD);
    }
}

/// Waits until nothing is fitted, loaded or asked for any more.
#[track_caller]
pub fn wait_for_rest(instrument: &Instrument) {
    wait_until("rest", || !instrument.is_busy());
}

/// For loops that have something to do while they wait.
pub struct Deadline<'a> {
    what: &'a str,
    at: Instant,
}

impl<'a> Deadline<'a> {
    /// Begins now; `what` is waited for.
    pub fn of(what: &'a str) -> Self {
        let asked_for_s = std::env::var("WEFT_HUNG_S").ok();
        let hung_s = asked_for_s.and_then(|s| s.parse().ok()).unwrap_or(HUNG_S);
        let at = Instant::now() + Duration::from_secs(hung_s);
        Self { what, at }
    }

    /// Panics if it has passed.
    #[track_caller]
    pub fn check(&self) {
        assert!(Instant::now() < self.at, "it never comes to: {}", self.what);
    }
}
