//! What the slots hold, and how that is kept in a project.

use std::collections::{BTreeMap, HashMap};

use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};

use super::controls::Slot;
use crate::clip::{Capture, PackedCapture, SAMPLE_RATES_HZ};
use crate::fit::STEPS_RANGE;
use crate::network::{Model, ModelError, damaged, open_tensors, read_header, tidy_name};

/// The one key of a bank's metadata; its value is the [`Header`] as JSON.
const METADATA_KEY: &str = "weft-bank";
/// Version of the bank that this code writes, and the newest that it reads. Before there were banks, a
/// project held one `.weft` file, which is still read.
const VERSION: u32 = 1;
/// No bank is larger: four of the largest textures.
const LARGEST_BYTES: u64 = 256 << 20;

/// What a fit that was asked for is to do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FitPlan {
    /// Steps to be made.
    pub steps: u32,
    pub seed: u64,
    /// Go on from the network that is there.
    pub refines: bool,
}

/// What a slot holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    pub name: String,
    /// The texture that plays, with the capture it was fitted to.
    pub model: Option<Model>,
    /// A newer capture, whose fit has not come to a texture yet.
    pub capture: Option<Capture>,
    /// The fit that runs or waits.
    pub plan: Option<FitPlan>,
    /// What was said of the capture.
    pub remark: Option<String>,
    /// What was there before.
    pub before: Option<Box<Contents>>,
}

impl Contents {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.model.is_none() && self.capture.is_none()
    }

    /// The capture that a fit would use.
    pub fn newest_capture(&self) -> Option<&Capture> {
        let fitted = self.model.as_ref().and_then(Model::capture);
        self.capture.as_ref().or(fitted)
    }
}

/// Everything that an instrument keeps in a project: what its slots hold, and the fits that are not done.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use weft_core::fit::{FitSettings, fit};
/// use weft_core::instrument::{Bank, Slot};
/// use weft_core::procedural::{Texture, synthesize};
///
/// let recording = synthesize(Texture::Fire, 1, 8_000, 1.5);
/// let settings = FitSettings { steps: 20, ..FitSettings::default() };
/// let model = fit(&recording, &settings, &mut |_| ControlFlow::Continue(()))?.named("Hearth");
///
/// let bytes = Bank::with_texture(Slot::C, model).to_bytes();
/// let bank = Bank::from_bytes(&bytes)?;
/// assert_eq!(bank.texture(Slot::C).map(|texture| texture.name()), Some("Hearth"));
/// assert!(bank.texture(Slot::A).is_none() && !bank.has_unfinished_fits());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Bank {
    pub(super) slots: [Contents; Slot::COUNT],
}

#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    /// By the slots' letters.
    slots: BTreeMap<char, SlotHeader>,
}

#[derive(Serialize, Deserialize)]
struct SlotHeader {
    name: String,
    plan: Option<FitPlan>,
    recording: Option<RecordingHeader>,
}

#[derive(Serialize, Deserialize)]
struct RecordingHeader {
    sample_rate_hz: u32,
    scale: f64,
    frames: usize,
    used: (usize, usize),
}

fn texture_key(slot: Slot) -> String {
    format!("{}.texture", slot.letter())
}

fn recording_key(slot: Slot) -> String {
    format!("{}.recording", slot.letter())
}

impl Bank {
    /// A bank with one texture.
    pub fn with_texture(slot: Slot, model: Model) -> Self {
        let mut bank = Self::default();
        bank.slots[slot.index()] = Contents {
            name: model.name().to_owned(),
            model: Some(model),
            ..Contents::default()
        };
        bank
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.slots.iter().all(Contents::is_empty)
    }

    /// Whether it holds fits that go on when it is loaded.
    pub fn has_unfinished_fits(&self) -> bool {
        self.slots.iter().any(|s| s.plan.is_some())
    }

    /// The texture of a slot.
    pub fn texture(&self, slot: Slot) -> Option<&Model> {
        self.slots[slot.index()].model.as_ref()
    }

    /// The bank's bytes. Captures that were not compressed yet are, which takes tenths of a second.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut tensors = Vec::new();
        let mut slots = BTreeMap::new();
        for (slot, contents) in Slot::ALL.into_iter().zip(&self.slots) {
            if contents.is_empty() {
                continue;
            }
            if let Some(model) = &contents.model {
                let bytes = model.named(&contents.name).to_bytes();
                tensors.push((texture_key(slot), bytes));
            }
            let recording = match &contents.capture {
                Some(capture) => {
                    let packed = capture.packed();
                    tensors.push((recording_key(slot), packed.flac.to_vec()));
                    Some(RecordingHeader {
                        sample_rate_hz: capture.clip().sample_rate(),
                        scale: packed.scale.into(),
                        frames: packed.frames,
                        used: (packed.used.start, packed.used.end),
                    })
                }
                None => None,
            };
            let header = SlotHeader {
                name: contents.name.clone(),
                plan: contents.plan,
                recording,
            };
            slots.insert(slot.letter(), header);
        }
        let header = Header {
            version: VERSION,
            slots,
        };
        let header = serde_json::to_string(&header).expect("numbers and text are JSON");
        let metadata = HashMap::from([(METADATA_KEY.to_owned(), header)]);
        let views = tensors.iter().map(|(name, data)| {
            let view = TensorView::new(Dtype::U8, vec![data.len()], data);
            (name, view.expect("bytes are bytes"))
        });
        safetensors::serialize(views, Some(metadata)).expect("shapes and lengths agree")
    }

    /// Reads the bytes of a bank, or of a single `.weft` file, which becomes slot A. Every length and every
    /// number is checked: whatever comes back can be played.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let (tensors, header) = open_tensors(bytes, METADATA_KEY, LARGEST_BYTES)?;
        let Some(header) = header else {
            return Ok(Self::with_texture(Slot::A, Model::from_bytes(bytes)?));
        };
        let header: Header = read_header(&header, VERSION)?;
        let mut bank = Self::default();
        for (slot, contents) in Slot::ALL.into_iter().zip(&mut bank.slots) {
            let Some(kept) = header.slots.get(&slot.letter()) else {
                continue;
            };
            if let Ok(texture) = tensors.tensor(&texture_key(slot)) {
                contents.model = Some(Model::from_bytes(texture.data())?);
            }
            if let Some(recording) = &kept.recording {
                let flac = tensors.tensor(&recording_key(slot));
                let flac = flac.map_err(|_| damaged("a recording is missing"))?;
                contents.capture = Some(recording.unpack(flac.data())?);
            }
            contents.name = tidy_name(&kept.name);
            // Without anything to learn from, there is nothing to go on with.
            let can_go_on = contents.newest_capture().is_some();
            contents.plan = kept.plan.filter(|_| can_go_on);
            if let Some(FitPlan { steps, .. }) = contents.plan
                && !STEPS_RANGE.contains(&steps)
            {
                return Err(damaged(format!("a fit of {steps} steps is planned")));
            }
        }
        Ok(bank)
    }
}

impl RecordingHeader {
    fn unpack(&self, flac: &[u8]) -> Result<Capture, ModelError> {
        if !SAMPLE_RATES_HZ.contains(&self.sample_rate_hz) {
            let rate = self.sample_rate_hz;
            return Err(damaged(format!("a recording's sample rate is {rate} Hz")));
        }
        let packed = PackedCapture {
            flac,
            scale: self.scale as f32,
            frames: self.frames,
            used: self.used.0..self.used.1,
        };
        Capture::unpack(&packed, self.sample_rate_hz).map_err(damaged)
    }
}
