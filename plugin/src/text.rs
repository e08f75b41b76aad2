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
        &[
            ("s", 1.0),
            ("sec", 1.0),
            ("secs", 1.0),
            ("second", 1.0),
            ("seconds", 1.0),
            ("ms", 1e-3),
            ("msec", 1e-3),
            ("millisecond", 1e-3),
            ("milliseconds", 1e-3),
        ],
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
    number_with_units(
        text,
        &[
            ("hz", 1.0),
            ("hertz", 1.0),
            ("k", 1000.0),
            ("khz", 1000.0),
            ("kilohertz", 1000.0),
        ],
    )
}

/// A share of one in percent.
pub fn percent(share: f32) -> String {
    format!("{:.0} %", share * 100.0)
}

/// Reads percent; the sign may be left out.
pub fn parse_percent(text: &str) -> Option<f32> {
    number_with_units(text, &[("%", 1.0), ("percent", 1.0)]).map(|percent| percent / 100.0)
}

/// Reads a level in dB, of full scale or of the level that there is; the unit may be left out.
pub fn parse_decibels(text: &str) -> Option<f32> {
    let units = [
        ("db", 1.0),
        ("dbfs", 1.0),
        ("decibel", 1.0),
        ("decibels", 1.0),
    ];
    number_with_units(text, &units)
}

/// Reads semitones, and what is counted in them; a number without a unit means semitones.
pub fn parse_semitones(text: &str) -> Option<f32> {
    number_with_units(
        text,
        &[
            ("st", 1.0),
            ("semi", 1.0),
            ("semis", 1.0),
            ("semitone", 1.0),
            ("semitones", 1.0),
            ("ct", 0.01),
            ("cent", 0.01),
            ("cents", 0.01),
            ("oct", 12.0),
            ("octave", 12.0),
            ("octaves", 12.0),
        ],
    )
}

/// The name of a key, 0 to 127; 60 is C4.
pub fn key_name(key: i32) -> String {
    let name = KEY_NAMES[key.rem_euclid(12) as usize];
    format!("{name}{}", key.div_euclid(12) - 1)
}

/// Reads the name of a key ("C4", "eb3", "F#-1"), or its number.
pub fn parse_key(text: &str) -> Option<i32> {
    let text = plain(text);
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
    const ON: [&str; 5] = ["on", "true", "yes", "enabled", "1"];
    const OFF: [&str; 5] = ["off", "false", "no", "disabled", "0"];
    choice(text, ON.into_iter().chain(OFF)).map(|index| index < ON.len())
}

/// Whether `text` is `word` or its beginning, in letters of either case.
pub fn is(text: &str, word: &str) -> bool {
    choice(text, [word]).is_some()
}

/// Which of `names` is `text`, or is the only one to begin with it. Case, spaces and hyphens don't matter.
pub fn choice<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Option<usize> {
    let letters = |text: &str| {
        let mut letters = plain(text);
        letters.retain(|c| !c.is_whitespace() && !matches!(c, '-' | '_'));
        letters
    };
    let text = letters(text);
    if text.is_empty() {
        return None;
    }
    let mut beginning = None;
    let mut beginnings = 0;
    for (index, name) in names.into_iter().enumerate() {
        let name = letters(name);
        if name == text {
            return Some(index);
        }
        if name.starts_with(&text) {
            beginning = Some(index);
            beginnings += 1;
        }
    }
    beginning.filter(|_| beginnings == 1)
}

/// Parses a finite number with one of `units` (lower case, without spaces) or none, and scales it by the
/// unit's factor. The number has a decimal point or comma, and no marks between thousands: nobody can tell
/// those from decimal ones.
pub fn number_with_units(text: &str, units: &[(&str, f32)]) -> Option<f32> {
    let text = plain(text);
    let (number, unit) = split_number(&text)?;
    let unit: String = unit.split_whitespace().collect();
    let unit = unit.trim_end_matches('.');
    let factor = match unit {
        "" => 1.0,
        _ => units.iter().find(|(name, _)| *name == unit)?.1,
    };
    Some(number * factor).filter(|value| value.is_finite())
}

/// The unit of a number with something behind it, as it stands there; `None` if `text` is no such thing.
pub fn unit_of(text: &str) -> Option<String> {
    let text = plain(text);
    let (_, unit) = split_number(&text)?;
    (!unit.is_empty()).then(|| unit.to_owned())
}

/// Whether `text` is a number and nothing else.
pub fn is_bare_number(text: &str) -> bool {
    split_number(&plain(text)).is_some_and(|(_, unit)| unit.is_empty())
}

/// `text` in the characters that are compared here: lower case, one kind each of minus, space, digit and
/// multiplication sign, and nothing around it.
pub fn plain(text: &str) -> String {
    let lower = text.chars().flat_map(char::to_lowercase);
    let plain: String = lower
        .map(|c| match c {
            // Hyphens and dashes, the minus sign, and the ones of Asian keyboards.
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}' => '-',
            '\u{ff0b}' => '+',
            '\u{ff0c}' | '\u{66b}' => ',',
            '\u{ff0e}' => '.',
            '\u{ff05}' => '%',
            '\u{2715}' | '\u{2716}' | '\u{2a09}' => '×',
            '\u{ff10}'..='\u{ff19}' => char::from(b'0' + (c as u32 - 0xff10) as u8),
            c if c.is_whitespace() => ' ',
            c => c,
        })
        // Marks without width, which come with copied text.
        .filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'))
        .collect();
    plain.trim().to_owned()
}

/// The number that plain text begins with, and what comes after it. `None` also where what comes after it
/// seems to belong to the number.
fn split_number(text: &str) -> Option<(f32, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text).trim_start();
    let whole = digits(unsigned);
    let mut length = whole;
    if unsigned[length..].starts_with(['.', ',']) {
        let decimals = digits(&unsigned[length + 1..]);
        if whole + decimals == 0 {
            return None;
        }
        length += 1 + decimals;
    } else if whole == 0 {
        return None;
    }
    if let Some(exponent) = unsigned[length..].strip_prefix('e') {
        let sign = usize::from(exponent.starts_with(['+', '-']));
        match digits(&exponent[sign..]) {
            0 => {}
            count => length += 1 + sign + count,
        }
    }
    let (number, rest) = unsigned.split_at(length);
    let rest = rest.trim_start();
    if rest.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | ',')) {
        return None;
    }
    let number: f32 = number.replace(',', ".").parse().ok()?;
    let signed = if text.starts_with('-') {
        -number
    } else {
        number
    };
    number.is_finite().then_some((signed, rest))
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

    #[test]
    fn numbers_are_read_as_people_type_them() {
        let units = [("db", 1.0), ("k", 1000.0), ("dbfs", 1.0)];
        for (typed, meant) in [
            ("-6,5 dB", -6.5),
            ("-6.5dB", -6.5),
            ("\u{2212}6,5\u{a0}DB", -6.5),
            ("– 6.5 Db", -6.5),
            ("+3", 3.0),
            (",5", 0.5),
            (".5", 0.5),
            ("5.", 5.0),
            ("1,000", 1.0),
            ("1e1", 10.0),
            ("1,5K", 1500.0),
            ("-6 dB FS", -6.0),
            ("6 db.", 6.0),
            ("\u{202f}12\u{2009}dB\u{200b}", 12.0),
            ("\u{ff0d}\u{ff16}", -6.0),
        ] {
            assert_eq!(number_with_units(typed, &units), Some(meant), "{typed:?}");
        }
        for nonsense in [
            "",
            " ",
            "-",
            ".",
            ",",
            "dB",
            "1.234,5",
            "1,234,567",
            "1 000",
            "1'000",
            "1..5",
            "--1",
            "5 kg",
            "nan",
            "inf",
            "-inf dB",
            "1e99",
            "0x10",
            "1/2",
            "5 dB 3",
            "5 % dB",
        ] {
            assert_eq!(number_with_units(nonsense, &units), None, "{nonsense:?}");
        }
    }

    #[test]
    fn units_have_their_sizes() {
        assert_eq!(parse_seconds("150 MS"), Some(0.15));
        assert_eq!(parse_seconds("1,5 seconds"), Some(1.5));
        assert_eq!(parse_frequency("1,5 kHz"), Some(1_500.0));
        assert_eq!(parse_percent("12,5"), Some(0.125));
        assert_eq!(parse_semitones("-50 cents"), Some(-0.5));
        assert_eq!(parse_semitones("1 Octave"), Some(12.0));
        assert_eq!(parse_decibels("-6 DBFS"), Some(-6.0));
        assert_eq!(unit_of("1.50 kHz").as_deref(), Some("khz"));
        assert_eq!(unit_of("Off"), None);
        assert!(is_bare_number(" -1,5 ") && !is_bare_number("1 s") && !is_bare_number("s"));
    }

    #[test]
    fn a_name_is_known_by_its_beginning_if_no_other_begins_so() {
        let names = ["Now", "Threshold", "Next Bar", "No"];
        let chosen = |text| choice(text, names);
        assert_eq!(chosen("next bar"), Some(2));
        assert_eq!(chosen("NEXT-BAR"), Some(2));
        assert_eq!(chosen("nextbar"), Some(2));
        assert_eq!(chosen(" t"), Some(1));
        assert_eq!(chosen("no"), Some(3));
        for unknown in ["", "n", "nowhere", "bar", "-"] {
            assert_eq!(chosen(unknown), None, "{unknown:?}");
        }
        assert_eq!(
            ["y", "OF", "n", "1"].map(parse_switch),
            [Some(true), Some(false), Some(false), Some(true)]
        );
        assert_eq!(["o", "maybe", ""].map(parse_switch), [None; 3]);
    }
}
