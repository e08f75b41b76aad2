//! Values of parameters as text, and back: everything that is shown can be typed. Main thread: it allocates.

/// Names of the twelve keys of an octave, from C.
const KEY_NAMES: [&str; 12] = [
    "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B",
];

/// A number with its sign, but for zero, which has none.
pub fn signed(value: f32, decimals: usize) -> String {
    let text = format!("{value:+.decimals$}");
    if text.chars().skip(1).all(|c| matches!(c, '0' | '.')) {
        text.chars().skip(1).collect()
    } else {
        text
    }
}

/// Seconds: in ms below one second.
pub fn seconds(seconds: f32) -> String {
    if seconds < 0.9995 {
        format!("{:.0} ms", seconds * 1000.0)
    } else {
        format!("{seconds:.2} s")
    }
}

/// Reads seconds; a number without a unit means seconds.
pub fn parse_seconds(text: &str) -> Option<f32> {
    number_with_units(
        text,
        &[("ms", 1e-3), ("seconds", 1.0), ("sec", 1.0), ("s", 1.0)],
    )
}

/// A frequency in Hz, in kHz from 1 kHz on.
pub fn frequency(hz: f32) -> String {
    if hz < 99.95 {
        format!("{hz:.1} Hz")
    } else if hz < 999.5 {
        format!("{hz:.0} Hz")
    } else {
        format!("{:.2} kHz", hz / 1000.0)
    }
}

/// Reads a frequency; a number without a unit means Hz.
pub fn parse_frequency(text: &str) -> Option<f32> {
    number_with_units(text, &[("khz", 1000.0), ("hz", 1.0), ("k", 1000.0)])
}

/// A share of one in percent.
pub fn percent(share: f32) -> String {
    format!("{:.0} %", share * 100.0)
}

/// Reads percent; the sign may be left out.
pub fn parse_percent(text: &str) -> Option<f32> {
    number_with_units(text, &[("%", 1.0)]).map(|percent| percent / 100.0)
}

/// The name of a key, 0 to 127; 60 is C4.
pub fn key_name(key: i32) -> String {
    let name = KEY_NAMES[key.rem_euclid(12) as usize];
    format!("{name}{}", key.div_euclid(12) - 1)
}

/// Reads the name of a key ("C4", "eb3", "F#-1"), or its number.
pub fn parse_key(text: &str) -> Option<i32> {
    let text = text.trim().to_lowercase();
    let key = match text.parse() {
        Ok(number) => number,
        Err(_) => {
            let mut rest = text.chars();
            let semitone = match rest.next()? {
                'c' => 0,
                'd' => 2,
                'e' => 4,
                'f' => 5,
                'g' => 7,
                'a' => 9,
                'b' => 11,
                _ => return None,
            };
            let rest = rest.as_str();
            let (accidental, octave) = if let Some(octave) = rest.strip_prefix(['#', '♯']) {
                (1, octave)
            } else if let Some(octave) = rest.strip_prefix(['b', '♭']) {
                (-1, octave)
            } else {
                (0, rest)
            };
            let octave: i32 = octave.trim().parse().ok()?;
            octave
                .checked_add(1)?
                .checked_mul(12)?
                .checked_add(semitone + accidental)?
        }
    };
    (0..=127).contains(&key).then_some(key)
}

/// On or off.
pub fn on_off(on: bool) -> &'static str {
    if on { "On" } else { "Off" }
}

/// Reads on or off.
pub fn parse_switch(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Some(true),
        "off" | "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// Whether `text` is `word`, in letters of either case.
pub fn is(text: &str, word: &str) -> bool {
    text.trim().eq_ignore_ascii_case(word)
}

/// Parses a finite number with one of `units` (lower case, longest first where one ends another)
/// or none, and scales it by the unit's factor.
pub fn number_with_units(text: &str, units: &[(&str, f32)]) -> Option<f32> {
    let text = text.trim().to_lowercase().replace('−', "-");
    let (number, factor) = units
        .iter()
        .find_map(|&(unit, factor)| Some((text.strip_suffix(unit)?, factor)))
        .unwrap_or((&text, 1.0));
    let value: f32 = number.trim().parse().ok()?;
    value.is_finite().then_some(value * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_names_and_numbers() {
        assert_eq!(key_name(60), "C4");
        assert_eq!(key_name(0), "C-1");
        assert_eq!(key_name(127), "G9");
        for key in 0..128 {
            assert_eq!(parse_key(&key_name(key)), Some(key));
            assert_eq!(parse_key(&key.to_string()), Some(key));
        }
        assert_eq!(parse_key(" eb3 "), Some(51));
        assert_eq!(parse_key("bb3"), Some(58));
        assert_eq!(parse_key("b3"), Some(59));
        for nonsense in [
            "",
            "h4",
            "c",
            "c#",
            "g#9",
            "cb-1",
            "128",
            "-1",
            "c999999999",
            "4c",
        ] {
            assert_eq!(parse_key(nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn zero_has_no_sign() {
        assert_eq!(signed(3.0, 2), "+3.00");
        assert_eq!(signed(-0.25, 1), "-0.2");
        assert_eq!(signed(-0.001, 2), "0.00");
        assert_eq!(signed(0.0, 0), "0");
    }

    #[test]
    fn frequencies_are_read_as_they_are_shown() {
        for hz in [20.5, 99.96, 440.0, 999.6, 1_000.0, 12_345.0] {
            let shown = frequency(hz);
            assert_eq!(parse_frequency(&shown).map(frequency), Some(shown));
        }
        assert_eq!(parse_frequency("1.5k"), Some(1_500.0));
        assert_eq!(parse_frequency("300"), Some(300.0));
    }
}
