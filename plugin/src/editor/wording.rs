//! What more than one view says, and in which words.

use weft_core::network::quality_db;

/// `text` with a capital and a full stop.
pub fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    let stop = if text.ends_with('.') { "" } else { "." };
    format!("{}{}{stop}", first.unwrap_or_default(), chars.as_str())
}

/// What a loss means in dB, with `before` in front; nothing before the first step of a fit.
pub fn quality(before: &str, loss: f32) -> String {
    if loss.is_finite() {
        format!("{before}{:.1} dB", quality_db(loss))
    } else {
        String::new()
    }
}

/// Seconds as minutes and seconds.
pub fn clock_time(seconds: f32) -> String {
    // More than a number has room for is more than anybody waits for.
    let seconds = seconds.round() as u32;
    match seconds / 60 {
        0 => format!("{seconds} s"),
        minutes => format!("{minutes} min {} s", seconds % 60),
    }
}

/// The name of a capture's channels.
pub fn channels(stereo: bool) -> &'static str {
    if stereo { "stereo" } else { "mono" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_becomes_a_sentence() {
        assert_eq!(sentence("try again"), "Try again.");
        assert_eq!(sentence("Try again."), "Try again.");
        assert_eq!(sentence("über alles"), "Über alles.");
        assert_eq!(sentence(""), ".");
    }

    #[test]
    fn a_time_is_told_in_minutes_where_it_is_long() {
        let told = [0.4, 59.4, 59.6, 3_725.0].map(clock_time);
        assert_eq!(told, ["0 s", "59 s", "1 min 0 s", "62 min 5 s"]);
    }

    #[test]
    fn a_quality_is_told_from_the_first_step_on() {
        assert_eq!(quality(", quality ", f32::NAN), "");
        let told = quality(", ", 0.5);
        assert!(told.starts_with(", ") && told.ends_with(" dB"), "{told}");
    }
}
