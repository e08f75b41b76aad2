//! What a person types for a parameter, in the window or in a host. Main thread.

use nice_plug::prelude::*;

use crate::text;

/// The normalized value that `text` means for `param`, 0 to 1; `None` if it can't be read.
///
/// A number without a unit has the unit in which the normalized value `shown` is shown: where that is
/// "20 ms", "150" is 150 ms, and where it is "2.00 s", 150 s. Where what is shown has none ("Off"), it has
/// the parameter's own: s, Hz, dB, %. What is beyond the range is its end. Choices and switches are known
/// by the beginning of their names, and the parameter's own name may come first.
pub fn read<P: Param>(param: &P, text: &str, shown: f32) -> Option<f32> {
    let text = text::plain(text);
    let text = without_name(&text, param.name());
    let is_choice = matches!(
        param.as_ptr(),
        ParamPtr::EnumParam(_) | ParamPtr::BoolParam(_)
    );
    let normalized = if is_choice {
        read_choice(param, text)
    } else {
        read_number(param, text, shown)
    };
    let normalized = normalized.or_else(|| param.string_to_normalized_value(text));
    normalized.map(|normalized| normalized.clamp(0.0, 1.0))
}

/// Does the same for a parameter that is known by its pointer.
///
/// # Safety
/// The parameter is alive.
pub unsafe fn read_at(param: ParamPtr, text: &str, shown: f32) -> Option<f32> {
    // SAFETY: by the contract above.
    unsafe {
        match param {
            ParamPtr::FloatParam(param) => read(&*param, text, shown),
            ParamPtr::IntParam(param) => read(&*param, text, shown),
            ParamPtr::BoolParam(param) => read(&*param, text, shown),
            ParamPtr::EnumParam(param) => read(&*param, text, shown),
        }
    }
}

/// What the window says of text that can't be read, while `param` stays what it is.
pub fn refusal<P: Param>(param: &P, text: &str) -> String {
    let shown = |normalized| param.normalized_value_to_string(normalized, true);
    format!(
        "\"{}\" is no value for {}, which stays at {}; type one such as {}",
        text.trim(),
        param.name(),
        shown(param.unmodulated_normalized_value()),
        shown(param.default_normalized_value()),
    )
}

/// What comes after the parameter's `name` in plain `text`, if it comes first and by itself.
fn without_name<'a>(text: &'a str, name: &str) -> &'a str {
    let rest = text.strip_prefix(&text::plain(name));
    let rest = rest.filter(|rest| rest.starts_with([' ', ':', '=']));
    rest.map_or(text, |rest| rest.trim_start_matches([' ', ':', '=']))
}

fn read_choice<P: Param>(param: &P, text: &str) -> Option<f32> {
    let last = param.step_count()?.max(1);
    let normalized = |index: usize| index as f32 / last as f32;
    let names: Vec<_> = (0..=last)
        .map(|index| param.normalized_value_to_string(normalized(index), true))
        .collect();
    text::choice(text, names.iter().map(String::as_str)).map(normalized)
}

fn read_number<P: Param>(param: &P, text: &str, shown: f32) -> Option<f32> {
    if !text::is_bare_number(text) {
        return None;
    }
    let unit = text::unit_of(&param.normalized_value_to_string(shown, true))?;
    param.string_to_normalized_value(&format!("{text} {unit}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::parameters::WeftParams;
    use crate::session::Session;

    /// What `text` is shown as, once it is typed for `param`, which shows its default.
    fn typed<P: Param>(param: &P, text: &str) -> Option<String> {
        let normalized = read(param, text, param.default_normalized_value())?;
        Some(param.normalized_value_to_string(normalized, true))
    }

    fn params() -> WeftParams {
        WeftParams::new(Arc::new(Session::new().0), true)
    }

    #[test]
    fn every_kind_of_value_is_read_as_it_was_meant() {
        let params = params();
        let (sound, spectrum, amp) = (&params.sound, &params.spectrum, &params.amp);
        let (play, capture, sources) = (&params.play, &params.capture, &params.sources);
        let dry = &params.through().unwrap().dry;
        for (shown, meant) in [
            (typed(&sound.pitch, "-1,5 st"), "-1.50 st"),
            (typed(&sound.pitch, "\u{2212}150\u{a0}Cents"), "-1.50 st"),
            (typed(&sound.pitch, "pitch: 3"), "+3.00 st"),
            (typed(&sound.pitch, "90"), "+24.00 st"),
            (typed(&sound.time, "0,5 X"), "×0.50"),
            (typed(&sound.time, "X0.5"), "×0.50"),
            (typed(&sound.time, "\u{2715} 2"), "×2.00"),
            (typed(&sound.time, "frz"), "none"),
            (typed(&sound.time, "FREEZE"), "Freeze"),
            (typed(&sound.bend_range, "7 Semitones"), "7 st"),
            (typed(&spectrum.contrast, "12,5 %"), "12 %"),
            (typed(&spectrum.contrast, "150"), "150 %"),
            (typed(&spectrum.brightness, "-3,5 dB / oct"), "-3.5 dB/oct"),
            (typed(&spectrum.low_cut, "1,5 kHz"), "1.50 kHz"),
            (typed(&spectrum.low_cut, "1,5K"), "1.50 kHz"),
            (typed(&spectrum.low_cut, "OFF"), "Off"),
            (typed(&spectrum.high_cut, "800"), "800 Hz"),
            (typed(&amp.gain, "-6,5 dBFS"), "-6.5 dB"),
            (typed(dry, "-inf dB"), "Off"),
            (typed(&capture.threshold, "-12,5 db"), "-12.5 dBFS"),
            (typed(&capture.seconds, "2,5"), "2.50 s"),
            (typed(&capture.fits[0].steps, "300 Steps"), "300"),
            (typed(&capture.fits[0].steps, "Thorough"), "4500 (thorough)"),
            (typed(&capture.fits[0].steps, "900 (quick)"), "900 (quick)"),
            (typed(&capture.fits[0].steps, "slow"), "none"),
            (typed(&play.lock_tempo, "120,5 bpm"), "120.5 BPM"),
            (typed(&play.root_key, "EB3"), "D#3"),
            (typed(&play.seed, "12"), "12"),
            (typed(&play.seed, "12,5"), "none"),
            (typed(&play.hold, "ON"), "On"),
            (typed(&play.hold, "0"), "Off"),
            (typed(&sound.quality, "high"), "High"),
            (typed(&sound.quality, "Quality: HI"), "High"),
            (typed(&sound.quality, "2"), "none"),
            (typed(&play.slot, "slot b"), "B"),
            (typed(&play.slot, "e"), "none"),
            (typed(&capture.start, "next bar"), "Next Bar"),
            (typed(&capture.start, "n"), "none"),
            (typed(&capture.start, "thr"), "Threshold"),
            (typed(&sources.wheel_to, "bright"), "Brightness"),
            (typed(&sources.slide_to, "Slide To: GAIN"), "Gain"),
            (typed(&sources.velocity_to, "loud"), "none"),
            (typed(&sources.pressure_amount, "-37,5"), "-38 %"),
            (typed(&sources.wheel_amount, "150 percent"), "+100 %"),
        ] {
            assert_eq!(shown.as_deref().unwrap_or("none"), meant);
        }
    }

    #[test]
    fn a_number_without_a_unit_has_the_one_that_is_shown() {
        let params = params();
        let read = |shown: f32, text: &str| {
            let attack = &params.amp.attack;
            let normalized = read(attack, text, attack.preview_normalized(shown));
            normalized.map(|normalized| attack.normalized_value_to_string(normalized, true))
        };
        assert_eq!(read(0.02, "150").as_deref(), Some("150 ms"));
        assert_eq!(read(0.02, "1,5 s").as_deref(), Some("1.50 s"));
        assert_eq!(read(2.0, "1,5").as_deref(), Some("1.50 s"));
        assert_eq!(read(2.0, "150 ms").as_deref(), Some("150 ms"));
        for nonsense in ["", "loud", "NaN", "1.234,5", "5 kg", "attack"] {
            assert_eq!(read(0.02, nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn a_refusal_says_what_was_typed_what_stays_and_what_would_do() {
        let refusal = refusal(&params().amp.gain, " loud ");
        assert_eq!(
            refusal,
            "\"loud\" is no value for Gain, which stays at 0.0 dB; type one such as 0.0 dB"
        );
    }
}
