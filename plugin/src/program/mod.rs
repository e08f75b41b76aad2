//! Other programs at work for an instance: they are found, started, read without being waited for, and ended with all
//! that they have started. What they are asked for and what they say is the business of other rooms.

mod pipe;
mod process;
mod sink;
#[cfg(all(test, unix))]
pub mod test_support;
mod tool;

pub use process::Process;
pub use sink::Sink;
pub use tool::{Surroundings, ToolError, note_library};

/// Characters of a program's words that are shown at most: the banner has a few lines.
const MOST_SHOWN: usize = 300;

/// The words of a program as they are shown: in one line, and not too long.
pub fn in_short(words: &str) -> String {
    let shown = words.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut shown = shown.take(MOST_SHOWN + 1);
    let mut short: String = shown.by_ref().take(MOST_SHOWN).collect();
    if shown.next().is_some() {
        short.push('…');
    }
    short.trim().to_owned()
}

/// The last line that a program has complained with.
pub fn last_complaint(errors: &[u8]) -> Option<String> {
    let complaint = String::from_utf8_lossy(errors);
    let last = complaint.lines().rfind(|line| !line.trim().is_empty());
    last.map(in_short)
}
