//! The parameters a host sees: stable ids, ranges, units and text in both directions; and what they
//! mean to the player.
//!
//! An id, once released, names the same control for ever: saved projects and automation lanes refer
//! to it. Ranges may grow, never shrink.

use std::sync::Arc;

use nice_plug::prelude::*;
use weft_core::instrument::{
    self, BRIGHTNESS_RANGE, CAPTURE_RANGE_S, CUT_RANGE_HZ, CaptureSettings, Controls, NoteControl,
    PITCH_RANGE_ST, SMEAR_MOST_S, TIME_RANGE,
};

use crate::session::Session;
use crate::state::BankField;
use crate::text;

/// Name of the pitch bend, by which the format adapters find the number that the formats give it.
pub const BEND_NAME: &str = "Pitch Bend";

/// Voices that hosts may modulate one by one.
pub const VOICES: u32 = 16;

const GAIN_MIN_DB: f32 = -60.0;
const GAIN_MAX_DB: f32 = 12.0;
/// Long enough that a jump of the dry level doesn't click.
const DRY_SMOOTHING_MS: f32 = 20.0;
const ATTACK_RANGE_S: (f32, f32) = (0.001, 10.0);
const DECAY_RANGE_S: (f32, f32) = (0.001, 20.0);
const RELEASE_RANGE_S: (f32, f32) = (0.001, 20.0);
const CAPTURE_DEFAULT_S: f32 = 8.0;
const THRESHOLD_LEAST_DBFS: f32 = -60.0;
const THRESHOLD_DEFAULT_DBFS: f32 = -40.0;
const SEED_MAX: i32 = 9999;
const FIT_STEPS_RANGE: (i32, i32) = (100, 10_000);
const FIT_STEPS_DEFAULT: i32 = weft_core::fit::DEFAULT_STEPS as i32;
const BEND_RANGE_DEFAULT_ST: i32 = 2;
const LOCK_TEMPO_RANGE: (f32, f32) = (20.0, 300.0);

/// Skew of the envelope times: with the exponent 2^-2 half of a slider's travel covers the first
/// sixteenth of the range, where envelopes are set by ear.
const ENVELOPE_SKEW: f32 = -2.0;
/// Skew of the smear: half of a slider's travel covers the first quarter.
const SMEAR_SKEW: f32 = -1.0;
/// Skew of the time about its middle, which is the captured speed: below 1, a slider moves slower
/// there than at its ends. Half speed is at a fifth of the travel, double speed at seven tenths.
const TIME_SKEW: f32 = -0.415;
/// Times below this freeze: the leftmost two hundredths of a slider. The others below
/// [`TIME_RANGE`] count as its lower end.
const FREEZE_BELOW: f32 = 0.05;
/// Bends smaller than one of a wheel's 8192 steps count as none: a wheel at rest is half a step off
/// the middle of the range that VST3 hosts map it to.
const WHEEL_STEP: f32 = 1.0 / 8192.0;
/// Tempos below this are off; the others below [`LOCK_TEMPO_RANGE`] count as its lower end.
const LOCK_TEMPO_OFF_BELOW: f32 = 10.0;
/// Low cuts below this, and high cuts from there on, are shown as off, and are. So close to the ends
/// of their range that the text has no other name for them.
const CUTS_OFF_HZ: (f32, f32) = (20.05, 19_995.0);

/// What a host may modulate for each note by itself.
const MODULATED: [NoteControl; 10] = [
    NoteControl::Gain,
    NoteControl::Pitch,
    NoteControl::Time,
    NoteControl::Brightness,
    NoteControl::Smear,
    NoteControl::Contrast,
    NoteControl::Density,
    NoteControl::Width,
    NoteControl::LowCut,
    NoteControl::HighCut,
];

/// Every parameter of the plugin, and the textures that travel in its state.
#[derive(Params)]
pub struct WeftParams {
    /// The captures and the fitted networks, as stored in the host's project.
    #[persist = "slots"]
    pub bank: BankField,

    /// Where in pitch and time the texture is played.
    #[nested(group = "Sound")]
    pub sound: SoundParams,

    /// What becomes of its spectrum.
    #[nested(group = "Spectrum")]
    pub spectrum: SpectrumParams,

    /// How loud it is when.
    #[nested(group = "Amp")]
    pub amp: AmpParams,

    /// How it follows notes and the host's song.
    #[nested(group = "Play")]
    pub play: PlayParams,

    /// How a texture comes in.
    #[nested(group = "Capture")]
    pub capture: CaptureParams,
}

/// Where in pitch and time the texture is played.
#[derive(Params)]
pub struct SoundParams {
    /// Transposition in semitones, -24 to 24, time unchanged.
    #[id = "pitch"]
    pub pitch: FloatParam,

    /// How fast the texture goes by, 0 to 4; [`speed`] says what that means.
    #[id = "time"]
    pub time: FloatParam,

    /// How much work goes into the phases.
    #[id = "quality"]
    pub quality: EnumParam<Quality>,

    /// Pitch bend, -1 to 1 of the bend range: where the formats' adapters send the pitch wheel.
    #[id = "bend"]
    pub bend: FloatParam,

    /// Semitones of a full bend, 0 to 24.
    #[id = "bend_range"]
    pub bend_range: IntParam,
}

/// What becomes of the texture's spectrum.
#[derive(Params)]
pub struct SpectrumParams {
    /// Tilt in dB an octave, -12 to 12.
    #[id = "brightness"]
    pub brightness: FloatParam,

    /// Seconds over which the spectrum is averaged, 0 to 1.
    #[id = "smear"]
    pub smear: FloatParam,

    /// Events against bed, 0 to 2; 1 is as captured.
    #[id = "contrast"]
    pub contrast: FloatParam,

    /// Temperature of the network's noise, 0 to 2; 1 is as captured.
    #[id = "density"]
    pub density: FloatParam,

    /// Width of the stereo image, 0 to 2; 1 is as captured.
    #[id = "width"]
    pub width: FloatParam,

    /// Edge of the high-pass in octaves above 20 Hz, to 20 kHz; off at the lower end.
    #[id = "low_cut"]
    pub low_cut: FloatParam,

    /// Edge of the low-pass in octaves above 20 Hz, to 20 kHz; off at the upper end.
    #[id = "high_cut"]
    pub high_cut: FloatParam,
}

/// How loud the texture is when.
#[derive(Params)]
pub struct AmpParams {
    /// Output gain in dB, -60 to +12.
    #[id = "gain"]
    pub gain: FloatParam,

    /// Seconds from note-on to full level, 0.001 to 10.
    #[id = "attack"]
    pub attack: FloatParam,

    /// Seconds in which a held note falls by 60 dB towards the sustain level, 0.001 to 20.
    #[id = "decay"]
    pub decay: FloatParam,

    /// Level of a held note, 0 to 1.
    #[id = "sustain"]
    pub sustain: FloatParam,

    /// Seconds from note-off to silence, 0.001 to 20.
    #[id = "release"]
    pub release: FloatParam,

    /// Holds loud passages below full scale.
    #[id = "limiter"]
    pub limiter: BoolParam,

    /// How the effect passes its input on.
    #[nested]
    pub through: ThroughParams,
}

/// How the input is passed on, if it is: by the effect.
pub struct ThroughParams(pub Option<Through>);

/// How the input is passed on.
pub struct Through {
    /// Level of the input in the output in dB, -60 (which is off) to +12.
    pub dry: FloatParam,

    /// Nothing but the input is heard.
    pub bypass: BoolParam,
}

// SAFETY: the pointers are to parameters of `self`, of which nice-plug says that it lives as long as
// what is made of it, in the shared `WeftParams`; it is not moved there.
unsafe impl Params for ThroughParams {
    fn param_map(&self) -> Vec<(String, ParamPtr, String)> {
        let Some(Through { dry, bypass }) = &self.0 else {
            return Vec::new();
        };
        let params = [("dry", dry.as_ptr()), ("bypass", bypass.as_ptr())];
        params
            .map(|(id, param)| (id.to_owned(), param, String::new()))
            .into()
    }
}

impl Through {
    fn new() -> Self {
        let shown = |db: f32| match dry_gain(db) {
            0.0 => "Off".to_owned(),
            _ => format!("{db:.1} dB"),
        };
        let parsed = |text: &str| {
            if text::is(text, "off") {
                return Some(GAIN_MIN_DB);
            }
            text::number_with_units(text, &[("db", 1.0)])
        };
        let range = FloatRange::Linear {
            min: GAIN_MIN_DB,
            max: GAIN_MAX_DB,
        };
        Self {
            dry: FloatParam::new("Dry", 0.0, range)
                .with_smoother(SmoothingStyle::Linear(DRY_SMOOTHING_MS))
                .with_value_to_string(Arc::new(shown))
                .with_string_to_value(Arc::new(parsed)),
            bypass: switch("Bypass", false).make_bypass(),
        }
    }
}

/// The factor that a dry level in dB means.
pub fn dry_gain(db: f32) -> f32 {
    if db <= GAIN_MIN_DB {
        0.0
    } else {
        util::db_to_gain(db)
    }
}

/// How the texture follows notes and the host's song.
#[derive(Params)]
pub struct PlayParams {
    /// Which texture plays, and where the next capture goes.
    #[id = "slot"]
    pub slot: EnumParam<Slot>,

    /// Play without notes.
    #[id = "hold"]
    pub hold: BoolParam,

    /// Whether notes transpose.
    #[id = "key_follow"]
    pub key_follow: BoolParam,

    /// Key that plays the texture at its own pitch, 0 to 127.
    #[id = "root_key"]
    pub root_key: IntParam,

    /// Seed of the endless stream, 0 to 9999: the same seed gives the same sound.
    #[id = "seed"]
    pub seed: IntParam,

    /// Whether the texture follows the host's song position.
    #[id = "lock"]
    pub lock: BoolParam,

    /// Tempo at which a locked texture has its own speed, 20 to 300 beats a minute; 0: at any.
    #[id = "lock_tempo"]
    pub lock_tempo: FloatParam,
}

/// How a texture comes in.
#[derive(Params)]
pub struct CaptureParams {
    /// Trigger: going from off to on records the capture input.
    #[id = "capture"]
    pub trigger: BoolParam,

    /// Trigger: going from off to on keeps what was heard last.
    #[id = "grab"]
    pub grab: BoolParam,

    /// When a recording begins that was triggered.
    #[id = "capture_start"]
    pub start: EnumParam<CaptureStart>,

    /// Level in dBFS at which a recording that waits for one begins, -60 to 0.
    #[id = "threshold"]
    pub threshold: FloatParam,

    /// Length of a capture in seconds, 1 to 30.
    #[id = "capture_seconds"]
    pub seconds: FloatParam,

    /// How the texture of each slot is learned.
    #[nested(array)]
    pub fits: [FitParams; instrument::Slot::ALL.len()],
}

/// How the texture of a slot is learned.
#[derive(Params)]
pub struct FitParams {
    /// Optimisation steps of a fit, 100 to 10 000. Read when a fit begins.
    #[id = "fit_steps"]
    pub steps: IntParam,
}

/// Which texture plays, as a choice for hosts.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum Slot {
    /// The first.
    #[id = "a"]
    #[name = "A"]
    A,
    /// The second.
    #[id = "b"]
    #[name = "B"]
    B,
    /// The third.
    #[id = "c"]
    #[name = "C"]
    C,
    /// The fourth.
    #[id = "d"]
    #[name = "D"]
    D,
}

impl From<Slot> for instrument::Slot {
    fn from(slot: Slot) -> Self {
        match slot {
            Slot::A => Self::A,
            Slot::B => Self::B,
            Slot::C => Self::C,
            Slot::D => Self::D,
        }
    }
}

/// When a recording begins that was triggered, as a choice for hosts.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum CaptureStart {
    /// At once.
    #[id = "now"]
    #[name = "Now"]
    Now,
    /// When the input reaches the threshold.
    #[id = "threshold"]
    #[name = "Threshold"]
    Threshold,
    /// With the song's next bar.
    #[id = "bar"]
    #[name = "Next Bar"]
    NextBar,
}

/// How much work goes into the phases, as a choice for hosts.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum Quality {
    /// For many voices.
    #[id = "eco"]
    #[name = "Eco"]
    Eco,
    /// For few.
    #[id = "high"]
    #[name = "High"]
    High,
}

impl From<Quality> for instrument::Quality {
    fn from(quality: Quality) -> Self {
        match quality {
            Quality::Eco => Self::Eco,
            Quality::High => Self::High,
        }
    }
}

impl WeftParams {
    /// Parameters at their defaults, with the textures of `session` as their persistent part;
    /// `passes_input`: those of the effect.
    pub fn new(session: Arc<Session>, passes_input: bool) -> Self {
        let defaults = Controls::default();
        Self {
            bank: BankField::new(session.clone()),
            sound: SoundParams::new(&defaults),
            spectrum: SpectrumParams::new(&defaults),
            amp: AmpParams::new(&defaults, passes_input),
            play: PlayParams::new(&defaults),
            capture: CaptureParams::new(session),
        }
    }

    /// What the player is to do, with what the host modulates for all notes. Real-time safe.
    pub fn controls(&self) -> Controls {
        let Self {
            sound,
            spectrum,
            amp,
            play,
            ..
        } = self;
        let wheel = match sound.bend.value() {
            rest if rest.abs() < WHEEL_STEP => 0.0,
            bent => bent,
        };
        Controls {
            gain_db: amp.gain.value(),
            limiter: amp.limiter.value(),
            attack_s: amp.attack.value(),
            decay_s: amp.decay.value(),
            sustain: amp.sustain.value(),
            release_s: amp.release.value(),
            hold: play.hold.value(),
            slot: play.slot.value().into(),
            seed: play.seed.value().unsigned_abs(),
            pitch_st: sound.pitch.value(),
            bend_st: wheel * sound.bend_range.value() as f32,
            time: speed(sound.time.value()),
            brightness_db_per_octave: spectrum.brightness.value(),
            smear_s: spectrum.smear.value(),
            contrast: spectrum.contrast.value(),
            density: spectrum.density.value(),
            width: spectrum.width.value(),
            low_cut_hz: low_cut_hz(spectrum.low_cut.value()).unwrap_or(CUT_RANGE_HZ.0),
            high_cut_hz: high_cut_hz(spectrum.high_cut.value()).unwrap_or(CUT_RANGE_HZ.1),
            key_follow: play.key_follow.value(),
            root_key: play.root_key.value().clamp(0, 127) as u8,
            quality: sound.quality.value().into(),
            lock: play.lock.value(),
            lock_tempo: lock_tempo(play.lock_tempo.value()),
        }
    }

    /// The capture that a trigger asks for. Real-time safe.
    pub fn capture_settings(&self) -> CaptureSettings {
        let capture = &self.capture;
        CaptureSettings {
            duration_s: capture.seconds.value(),
            slot: self.play.slot.value().into(),
            start: match capture.start.value() {
                CaptureStart::Now => instrument::CaptureStart::Now,
                CaptureStart::Threshold => {
                    instrument::CaptureStart::Threshold(capture.threshold.value())
                }
                CaptureStart::NextBar => instrument::CaptureStart::NextBar,
            },
        }
    }

    /// What a host's modulation of one note changes, and by how much: `id` is the parameter's
    /// polyphonic modulation id, `normalized_offset` the distance from its unmodulated value.
    /// Real-time safe.
    ///
    /// It takes the place of what the host modulates for all notes, and includes that. So the
    /// offset is from the modulated value, which is what [`WeftParams::controls`] gives all notes.
    pub fn modulation(&self, id: u32, normalized_offset: f32) -> Option<(NoteControl, f32)> {
        let control = MODULATED.into_iter().find(|c| *c as u32 == id)?;
        let same = |value| value;
        let (param, meaning): (_, fn(f32) -> f32) = match control {
            NoteControl::Gain => (&self.amp.gain, same),
            NoteControl::Pitch => (&self.sound.pitch, same),
            NoteControl::Time => (&self.sound.time, speed),
            NoteControl::Brightness => (&self.spectrum.brightness, same),
            NoteControl::Smear => (&self.spectrum.smear, same),
            NoteControl::Contrast => (&self.spectrum.contrast, same),
            NoteControl::Density => (&self.spectrum.density, same),
            NoteControl::Width => (&self.spectrum.width, same),
            NoteControl::LowCut => (&self.spectrum.low_cut, same),
            NoteControl::HighCut => (&self.spectrum.high_cut, same),
            _ => return None,
        };
        let offset = meaning(param.preview_modulated(normalized_offset)) - meaning(param.value());
        offset.is_finite().then_some((control, offset))
    }
}

impl SoundParams {
    fn new(defaults: &Controls) -> Self {
        Self {
            pitch: FloatParam::new(
                "Pitch",
                defaults.pitch_st,
                FloatRange::Linear {
                    min: -PITCH_RANGE_ST,
                    max: PITCH_RANGE_ST,
                },
            )
            .with_poly_modulation_id(NoteControl::Pitch as u32)
            .with_unit(" st")
            .with_value_to_string(Arc::new(|semitones| text::signed(semitones, 2)))
            .with_string_to_value(Arc::new(parse_semitones)),
            time: FloatParam::new(
                "Time",
                defaults.time,
                FloatRange::SymmetricalSkewed {
                    min: 0.0,
                    max: TIME_RANGE.1,
                    factor: FloatRange::skew_factor(TIME_SKEW),
                    center: 1.0,
                },
            )
            .with_poly_modulation_id(NoteControl::Time as u32)
            .with_value_to_string(Arc::new(|time| match speed(time) {
                0.0 => "Freeze".to_owned(),
                speed => format!("×{speed:.2}"),
            }))
            .with_string_to_value(Arc::new(parse_speed)),
            quality: EnumParam::new("Quality", Quality::Eco),
            bend: FloatParam::new(
                BEND_NAME,
                0.0,
                FloatRange::Linear {
                    min: -1.0,
                    max: 1.0,
                },
            )
            .with_value_to_string(Arc::new(|bend| {
                format!("{} %", text::signed(bend * 100.0, 0))
            }))
            .with_string_to_value(Arc::new(text::parse_percent)),
            bend_range: IntParam::new(
                "Bend Range",
                BEND_RANGE_DEFAULT_ST,
                IntRange::Linear {
                    min: 0,
                    max: PITCH_RANGE_ST as i32,
                },
            )
            .with_unit(" st")
            .with_string_to_value(Arc::new(|text| {
                parse_semitones(text).map(|semitones| semitones.round() as i32)
            })),
        }
    }
}

impl SpectrumParams {
    fn new(defaults: &Controls) -> Self {
        Self {
            brightness: FloatParam::new(
                "Brightness",
                defaults.brightness_db_per_octave,
                FloatRange::Linear {
                    min: -BRIGHTNESS_RANGE,
                    max: BRIGHTNESS_RANGE,
                },
            )
            .with_poly_modulation_id(NoteControl::Brightness as u32)
            .with_unit(" dB/oct")
            .with_value_to_string(Arc::new(|tilt| text::signed(tilt, 1)))
            .with_string_to_value(Arc::new(|text| {
                text::number_with_units(text, &[("db/oct", 1.0), ("db", 1.0)])
            })),
            smear: seconds(
                "Smear",
                defaults.smear_s,
                FloatRange::Skewed {
                    min: 0.0,
                    max: SMEAR_MOST_S,
                    factor: FloatRange::skew_factor(SMEAR_SKEW),
                },
            )
            .with_poly_modulation_id(NoteControl::Smear as u32),
            contrast: share("Contrast", defaults.contrast, 2.0)
                .with_poly_modulation_id(NoteControl::Contrast as u32),
            density: share("Density", defaults.density, 2.0)
                .with_poly_modulation_id(NoteControl::Density as u32),
            width: share("Width", defaults.width, 2.0)
                .with_poly_modulation_id(NoteControl::Width as u32),
            low_cut: cut("Low Cut", defaults.low_cut_hz, low_cut_hz, CUT_RANGE_HZ.0)
                .with_poly_modulation_id(NoteControl::LowCut as u32),
            high_cut: cut(
                "High Cut",
                defaults.high_cut_hz,
                high_cut_hz,
                CUT_RANGE_HZ.1,
            )
            .with_poly_modulation_id(NoteControl::HighCut as u32),
        }
    }
}

impl AmpParams {
    fn new(defaults: &Controls, passes_input: bool) -> Self {
        Self {
            gain: FloatParam::new(
                "Gain",
                defaults.gain_db,
                FloatRange::Linear {
                    min: GAIN_MIN_DB,
                    max: GAIN_MAX_DB,
                },
            )
            .with_poly_modulation_id(NoteControl::Gain as u32)
            .with_unit(" dB")
            .with_value_to_string(formatters::v2s_f32_rounded(1))
            .with_string_to_value(Arc::new(|text| {
                text::number_with_units(text, &[("db", 1.0)])
            })),
            attack: envelope_time("Attack", defaults.attack_s, ATTACK_RANGE_S),
            decay: envelope_time("Decay", defaults.decay_s, DECAY_RANGE_S),
            sustain: share("Sustain", defaults.sustain, 1.0),
            release: envelope_time("Release", defaults.release_s, RELEASE_RANGE_S),
            limiter: switch("Limiter", defaults.limiter),
            through: ThroughParams(passes_input.then(Through::new)),
        }
    }
}

impl PlayParams {
    fn new(defaults: &Controls) -> Self {
        Self {
            slot: EnumParam::new("Slot", Slot::A),
            hold: switch("Hold", defaults.hold),
            key_follow: switch("Key Follow", defaults.key_follow),
            root_key: IntParam::new(
                "Root Key",
                i32::from(defaults.root_key),
                IntRange::Linear { min: 0, max: 127 },
            )
            .with_value_to_string(Arc::new(text::key_name))
            .with_string_to_value(Arc::new(text::parse_key)),
            seed: IntParam::new(
                "Seed",
                0,
                IntRange::Linear {
                    min: 0,
                    max: SEED_MAX,
                },
            ),
            lock: switch("Lock to Timeline", defaults.lock),
            lock_tempo: FloatParam::new(
                "Lock Tempo",
                defaults.lock_tempo,
                FloatRange::Linear {
                    min: 0.0,
                    max: LOCK_TEMPO_RANGE.1,
                },
            )
            .with_value_to_string(Arc::new(|tempo| match lock_tempo(tempo) {
                0.0 => "Off".to_owned(),
                tempo => format!("{tempo:.1} BPM"),
            }))
            .with_string_to_value(Arc::new(|text| {
                if text::is(text, "off") {
                    return Some(0.0);
                }
                text::number_with_units(text, &[("bpm", 1.0)])
            })),
        }
    }
}

impl CaptureParams {
    fn new(session: Arc<Session>) -> Self {
        Self {
            trigger: switch("Capture", false),
            grab: switch("Grab", false),
            start: EnumParam::new("Capture Start", CaptureStart::Now),
            threshold: FloatParam::new(
                "Threshold",
                THRESHOLD_DEFAULT_DBFS,
                FloatRange::Linear {
                    min: THRESHOLD_LEAST_DBFS,
                    max: 0.0,
                },
            )
            .with_unit(" dBFS")
            .with_value_to_string(formatters::v2s_f32_rounded(1))
            .with_string_to_value(Arc::new(|text| {
                text::number_with_units(text, &[("dbfs", 1.0), ("db", 1.0)])
            })),
            seconds: FloatParam::new(
                "Capture Length",
                CAPTURE_DEFAULT_S,
                FloatRange::Linear {
                    min: CAPTURE_RANGE_S.0,
                    max: CAPTURE_RANGE_S.1,
                },
            )
            .with_unit(" s")
            .with_value_to_string(formatters::v2s_f32_rounded(2))
            .with_string_to_value(Arc::new(text::parse_seconds)),
            fits: instrument::Slot::ALL.map(|slot| FitParams::new(slot, session.clone())),
        }
    }
}

impl FitParams {
    fn new(slot: instrument::Slot, session: Arc<Session>) -> Self {
        let range = IntRange::Linear {
            min: FIT_STEPS_RANGE.0,
            max: FIT_STEPS_RANGE.1,
        };
        let name = format!("Fit Steps {}", slot.letter());
        let steps = IntParam::new(name, FIT_STEPS_DEFAULT, range)
            .with_string_to_value(Arc::new(|text| {
                text::number_with_units(text, &[("steps", 1.0)]).map(|steps| steps.round() as i32)
            }))
            .with_callback(Arc::new(move |steps| {
                session.set_fit_steps(slot, steps.unsigned_abs());
            }));
        Self { steps }
    }
}

/// What the time parameter means: 0 is frozen, else the speed, 0.1 to 4 times that of the capture.
pub fn speed(time: f32) -> f32 {
    if time < FREEZE_BELOW {
        0.0
    } else {
        time.max(TIME_RANGE.0)
    }
}

/// What the lock tempo means: 0 is off, else beats a minute, 20 to 300.
fn lock_tempo(tempo: f32) -> f32 {
    if tempo < LOCK_TEMPO_OFF_BELOW {
        0.0
    } else {
        tempo.max(LOCK_TEMPO_RANGE.0)
    }
}

/// The low cut in Hz, unless it is off, of octaves above the lowest.
fn low_cut_hz(octaves: f32) -> Option<f32> {
    let hz = CUT_RANGE_HZ.0 * octaves.exp2();
    (hz >= CUTS_OFF_HZ.0).then_some(hz)
}

/// The high cut in Hz, unless it is off, of octaves above the lowest.
fn high_cut_hz(octaves: f32) -> Option<f32> {
    let hz = CUT_RANGE_HZ.0 * octaves.exp2();
    (hz < CUTS_OFF_HZ.1).then_some(hz)
}

/// An envelope time: shown in ms below one second, else in s; text without a unit means seconds.
fn envelope_time(name: &str, default_s: f32, (min, max): (f32, f32)) -> FloatParam {
    let factor = FloatRange::skew_factor(ENVELOPE_SKEW);
    seconds(name, default_s, FloatRange::Skewed { min, max, factor })
}

fn seconds(name: &str, default_s: f32, range: FloatRange) -> FloatParam {
    FloatParam::new(name, default_s, range)
        .with_value_to_string(Arc::new(text::seconds))
        .with_string_to_value(Arc::new(text::parse_seconds))
}

/// A part of one, or of what was captured, in percent.
fn share(name: &str, default: f32, max: f32) -> FloatParam {
    FloatParam::new(name, default, FloatRange::Linear { min: 0.0, max })
        .with_value_to_string(Arc::new(text::percent))
        .with_string_to_value(Arc::new(text::parse_percent))
}

/// The edge of a cut. It counts octaves, so that sliders and modulation move evenly in pitch;
/// `meaning` gives the frequency, or nothing where the cut is off, which is at `off_hz`.
fn cut(name: &str, default_hz: f32, meaning: fn(f32) -> Option<f32>, off_hz: f32) -> FloatParam {
    let octaves = |hz: f32| (hz.max(CUT_RANGE_HZ.0) / CUT_RANGE_HZ.0).log2();
    FloatParam::new(
        name,
        octaves(default_hz),
        FloatRange::Linear {
            min: 0.0,
            max: octaves(CUT_RANGE_HZ.1),
        },
    )
    .with_value_to_string(Arc::new(move |octaves| {
        meaning(octaves).map_or_else(|| "Off".to_owned(), text::frequency)
    }))
    .with_string_to_value(Arc::new(move |text| {
        if text::is(text, "off") {
            return Some(octaves(off_hz));
        }
        text::parse_frequency(text).map(octaves)
    }))
}

fn switch(name: &str, default: bool) -> BoolParam {
    BoolParam::new(name, default)
        .with_value_to_string(Arc::new(|on| text::on_off(on).to_owned()))
        .with_string_to_value(Arc::new(text::parse_switch))
}

fn parse_semitones(text: &str) -> Option<f32> {
    text::number_with_units(text, &[("semitones", 1.0), ("st", 1.0)])
}

fn parse_speed(text: &str) -> Option<f32> {
    if text::is(text, "freeze") {
        return Some(0.0);
    }
    let text = text.trim();
    let number = text.strip_prefix(['×', 'x', 'X']).unwrap_or(text);
    text::number_with_units(number, &[("%", 0.01), ("×", 1.0), ("x", 1.0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> WeftParams {
        WeftParams::new(Arc::new(Session::new().0), false)
    }

    #[test]
    fn choices_in_a_state_are_the_ones_that_it_checks() {
        let params = params();
        let is_choice = |ptr: &ParamPtr| matches!(ptr, ParamPtr::EnumParam(_));
        let map = params.param_map().into_iter();
        let choices: Vec<_> = map.filter(|p| is_choice(&p.1)).map(|p| p.0).collect();
        let mut checked = crate::state::CHOICES.map(String::from);
        checked.sort_by_key(|id| choices.iter().position(|c| c == id));
        assert_eq!(choices, checked);
    }

    #[test]
    fn ids_are_the_ones_that_projects_refer_to() {
        let params = params();
        let ids: Vec<_> = params.param_map().into_iter().map(|(id, ..)| id).collect();
        assert_eq!(
            ids,
            [
                "pitch",
                "time",
                "quality",
                "bend",
                "bend_range",
                "brightness",
                "smear",
                "contrast",
                "density",
                "width",
                "low_cut",
                "high_cut",
                "gain",
                "attack",
                "decay",
                "sustain",
                "release",
                "limiter",
                "slot",
                "hold",
                "key_follow",
                "root_key",
                "seed",
                "lock",
                "lock_tempo",
                "capture",
                "grab",
                "capture_start",
                "threshold",
                "capture_seconds",
                "fit_steps_1",
                "fit_steps_2",
                "fit_steps_3",
                "fit_steps_4",
            ]
        );
    }

    #[test]
    fn the_effect_has_two_more() {
        let ids = |passes_input| {
            let params = WeftParams::new(Arc::new(Session::new().0), passes_input);
            let ids = params.param_map().into_iter().map(|(id, ..)| id);
            ids.collect::<Vec<_>>()
        };
        let mut effect = ids(true);
        effect.retain(|id| id != "dry" && id != "bypass");
        assert_eq!((ids(true).len(), ids(false)), (effect.len() + 2, effect));
        assert_eq!([-60.0, 0.0].map(dry_gain), [0.0, 1.0]);
    }

    #[test]
    fn what_is_shown_can_be_typed() {
        let params = WeftParams::new(Arc::new(Session::new().0), true);
        for (id, param, _) in params.param_map() {
            for position in 0..=250 {
                let normalized = position as f32 / 250.0;
                // SAFETY: the pointers live as long as `params`, which this loop borrows from.
                let (text, parsed, again) = unsafe {
                    let text = param.normalized_value_to_string(normalized, true);
                    let parsed = param.string_to_normalized_value(&text);
                    let again = parsed.map(|p| param.normalized_value_to_string(p, true));
                    (text, parsed, again)
                };
                assert_eq!(
                    again.as_ref(),
                    Some(&text),
                    "{id} at {normalized}: {parsed:?}"
                );
            }
        }
    }

    #[test]
    fn text_is_read_with_and_without_units() {
        let params = params();
        let plain = |param: &FloatParam, text: &str| {
            param
                .string_to_normalized_value(text)
                .map(|normalized| param.preview_plain(normalized))
        };
        let near = |value: Option<f32>, expected: f32| {
            value.is_some_and(|value| (value - expected).abs() < 1e-4 * expected.abs().max(1.0))
        };
        assert!(near(plain(&params.amp.attack, "20 ms"), 0.02));
        assert!(near(plain(&params.amp.attack, " 1.5S "), 1.5));
        assert!(near(plain(&params.amp.attack, "2"), 2.0));
        assert!(near(plain(&params.amp.gain, "-6 dB"), -6.0));
        assert!(near(plain(&params.capture.seconds, "12 seconds"), 12.0));
        for nonsense in ["", "loud", "NaN", "inf s", "1e99", "5 kg"] {
            assert_eq!(plain(&params.amp.attack, nonsense), None, "{nonsense:?}");
        }
        assert_eq!(
            params.play.hold.string_to_normalized_value("yes"),
            Some(1.0)
        );
        assert_eq!(params.play.hold.string_to_normalized_value("maybe"), None);
    }

    #[test]
    fn the_defaults_are_the_players_own() {
        assert_eq!(params().controls(), Controls::default());
    }

    #[test]
    fn the_time_has_the_captured_speed_in_its_middle_and_freezes_on_its_left() {
        let params = params();
        let time = &params.sound.time;
        let at = |normalized: f32| speed(time.preview_plain(normalized));
        assert_eq!((at(0.0), at(0.5), at(1.0)), (0.0, 1.0, 4.0));
        assert_eq!([0.0, 0.049].map(speed), [0.0; 2]);
        assert_eq!([0.05, 0.09, 0.1].map(speed), [0.1; 3]);
        let text =
            |plain: f32| time.normalized_value_to_string(time.preview_normalized(plain), true);
        assert_eq!(
            [0.0, 0.07, 1.0, 2.5].map(text),
            ["Freeze", "×0.10", "×1.00", "×2.50"]
        );
        for typed in ["0.5", "x0.5", "×0.5", "0.5x", "50 %"] {
            let normalized = time.string_to_normalized_value(typed).unwrap();
            assert!((at(normalized) - 0.5).abs() < 1e-5, "{typed}");
        }
        assert_eq!(time.string_to_normalized_value("FREEZE"), Some(0.0));
    }

    #[test]
    fn cuts_are_off_at_their_ends_and_move_evenly_in_pitch() {
        let params = params();
        let SpectrumParams {
            low_cut, high_cut, ..
        } = &params.spectrum;
        assert_eq!(low_cut.normalized_value_to_string(0.0, true), "Off");
        assert_eq!(high_cut.normalized_value_to_string(1.0, true), "Off");
        assert_eq!(low_cut.string_to_normalized_value("off"), Some(0.0));
        assert_eq!(high_cut.string_to_normalized_value("Off"), Some(1.0));
        for cut in [low_cut, high_cut] {
            assert_eq!(cut.normalized_value_to_string(1.0 / 3.0, true), "200 Hz");
            assert_eq!(cut.normalized_value_to_string(2.0 / 3.0, true), "2.00 kHz");
        }
        assert_eq!(low_cut_hz(0.0), None);
        assert_eq!(high_cut_hz(20.0), None);
        assert!(low_cut_hz(20.0).is_some() && high_cut_hz(0.0).is_some());
    }

    #[test]
    fn a_lock_tempo_is_off_or_one_that_songs_have() {
        assert_eq!(
            [0.0, 9.9, 10.0, 20.0, 300.0].map(lock_tempo),
            [0.0, 0.0, 20.0, 20.0, 300.0]
        );
        let params = params();
        let tempo = &params.play.lock_tempo;
        assert_eq!(tempo.normalized_value_to_string(0.0, true), "Off");
        assert_eq!(tempo.normalized_value_to_string(0.4, true), "120.0 BPM");
        assert_eq!(tempo.string_to_normalized_value("off"), Some(0.0));
    }

    #[test]
    fn modulation_of_a_note_is_told_in_the_units_of_its_control() {
        let params = params();
        let modulation = |control: NoteControl, offset| params.modulation(control as u32, offset);
        let is = |found: Option<(NoteControl, f32)>, control, expected: f32| {
            found.is_some_and(|(c, v)| c == control && (v - expected).abs() < 1e-4)
        };
        for control in MODULATED {
            assert!(is(modulation(control, 0.0), control, 0.0), "{control:?}");
        }
        assert!(is(
            modulation(NoteControl::Pitch, 0.25),
            NoteControl::Pitch,
            12.0
        ));
        assert!(is(
            modulation(NoteControl::Gain, -1.0),
            NoteControl::Gain,
            -60.0
        ));
        assert!(is(
            modulation(NoteControl::Time, -0.5),
            NoteControl::Time,
            -1.0
        ));
        assert!(is(
            modulation(NoteControl::Contrast, 0.25),
            NoteControl::Contrast,
            0.5
        ));
        let octaves = 1000.0f32.log2();
        assert!(is(
            modulation(NoteControl::LowCut, 0.5),
            NoteControl::LowCut,
            octaves / 2.0
        ));
        assert!(is(
            modulation(NoteControl::HighCut, -0.5),
            NoteControl::HighCut,
            -octaves / 2.0
        ));
        assert_eq!(modulation(NoteControl::Volume, 0.5), None);
        assert_eq!(params.modulation(99, 0.5), None);
        assert_eq!(modulation(NoteControl::Pitch, f32::NAN), None);
    }
}
