//! Signals that end the process leave no half file.

/// From here on, an interrupt, a hang-up and a request to end remove what is half written before the process ends
/// as the signal has it. A signal that was ignored when the process began (`nohup`) stays ignored.
#[cfg(unix)]
pub fn watch() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    let watched = [SIGINT, SIGTERM, SIGHUP].into_iter();
    let watched: Vec<i32> = watched.filter(|&signal| !is_ignored(signal)).collect();
    // Where the system refuses, signals do what they always did.
    let Ok(mut signals) = Signals::new(watched) else {
        return;
    };
    let wait = move || {
        for signal in signals.forever() {
            weft_core::clip::abandon_part_files();
            // Whoever started the process learns that it was the signal that ended it.
            let _ = emulate_default_handler(signal);
        }
    };
    let _ = std::thread::Builder::new()
        .name("weft-signals".into())
        .spawn(wait);
}

#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action, the call only fills in the old one, which is large enough and ours; where it
    // fails, what is read is the zeroes, which are a valid value.
    let handler = unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr());
        action.assume_init().sa_sigaction
    };
    handler == libc::SIG_IGN
}

/// Elsewhere the system ends the process; a hidden temporary file may be left.
#[cfg(not(unix))]
pub fn watch() {}
