//! What a helper is asked for.

use super::bytes::Fields;
use super::frame::framed;
use super::{Message, ProtocolError};
use crate::clip::{Capture, PackedCapture, SAMPLE_RATES_HZ};
use crate::fit::{FitRequest, FitSettings, FitStart};
use crate::network::Model;

const FIT: u16 = 0x101;
const CANCEL: u16 = 0x102;

/// Bytes of the longest request for a fit: as for textures' files, which no capture comes near.
const MOST_FIT_BYTES: u32 = (64 << 20) + 1024;
const CANCEL_BYTES: u32 = 4;

/// Marks of what a fit starts from.
const FROM_CAPTURE: u8 = 0;
const FROM_TEXTURE: u8 = 1;

/// To a helper. The `fit` is a number by which its answers are known.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Request {
    /// Make this fit.
    Fit {
        /// Its number.
        fit: u32,
        /// What it is.
        request: Box<FitRequest>,
    },
    /// Nobody wants this fit any more.
    Cancel {
        /// Its number.
        fit: u32,
    },
}

impl Message for Request {
    fn most_bytes(kind: u16) -> Option<u32> {
        match kind {
            FIT => Some(MOST_FIT_BYTES),
            CANCEL => Some(CANCEL_BYTES),
            _ => None,
        }
    }

    fn decode(kind: u16, payload: &[u8]) -> Result<Self, ProtocolError> {
        let mut fields = Fields::new(payload);
        let fit = fields.u32()?;
        match kind {
            FIT => {
                let request = Box::new(decode_fit(fields)?);
                Ok(Self::Fit { fit, request })
            }
            CANCEL => {
                fields.end()?;
                Ok(Self::Cancel { fit })
            }
            kind => Err(ProtocolError::Kind(kind)),
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Fit { fit, request } => fit_bytes(*fit, request),
            Self::Cancel { fit } => framed(CANCEL, &[&fit.to_le_bytes()]),
        }
    }
}

fn fit_bytes(fit: u32, request: &FitRequest) -> Vec<u8> {
    let FitSettings {
        steps,
        step_frames,
        max_duration_s,
        seed,
    } = request.settings;
    let mut fields = Vec::new();
    fields.extend(fit.to_le_bytes());
    fields.extend(steps.to_le_bytes());
    // Neither can be zero where it is given.
    fields.extend((step_frames.unwrap_or(0) as u64).to_le_bytes());
    fields.extend(max_duration_s.unwrap_or(0.0).to_le_bytes());
    fields.extend(seed.to_le_bytes());
    match &request.start {
        FitStart::Capture(capture) => {
            let packed = capture.packed();
            fields.push(FROM_CAPTURE);
            fields.extend(capture.clip().sample_rate().to_le_bytes());
            fields.extend(packed.scale.to_le_bytes());
            for size in [packed.frames, packed.used.start, packed.used.end] {
                fields.extend((size as u64).to_le_bytes());
            }
            framed(FIT, &[&fields, packed.flac])
        }
        FitStart::Texture(model) => {
            fields.push(FROM_TEXTURE);
            framed(FIT, &[&fields, &model.to_bytes()])
        }
    }
}

fn decode_fit(mut fields: Fields<'_>) -> Result<FitRequest, ProtocolError> {
    let steps = fields.u32()?;
    let step_frames = Some(fields.size()?).filter(|frames| *frames != 0);
    let max_duration_s = Some(fields.f64()?).filter(|seconds| *seconds != 0.0);
    let settings = FitSettings {
        steps,
        step_frames,
        max_duration_s,
        seed: fields.u64()?,
    };
    settings
        .check()
        .map_err(|error| ProtocolError::Contents(error.to_string()))?;
    let start = match fields.u8()? {
        FROM_CAPTURE => FitStart::Capture(decode_capture(fields)?),
        FROM_TEXTURE => {
            let model = Model::from_bytes(fields.rest());
            let model = model.map_err(|error| ProtocolError::Contents(error.to_string()))?;
            FitStart::Texture(Box::new(model))
        }
        other => {
            let what = format!("nothing can be fitted from a start of kind {other}");
            return Err(ProtocolError::Contents(what));
        }
    };
    Ok(FitRequest { start, settings })
}

fn decode_capture(mut fields: Fields<'_>) -> Result<Capture, ProtocolError> {
    let sample_rate = fields.u32()?;
    if !SAMPLE_RATES_HZ.contains(&sample_rate) {
        let what = format!("a capture's sample rate is {sample_rate} Hz");
        return Err(ProtocolError::Contents(what));
    }
    let scale = fields.f32()?;
    let frames = fields.size()?;
    let used = fields.size()?..fields.size()?;
    let packed = PackedCapture {
        flac: fields.rest(),
        scale,
        frames,
        used,
    };
    Capture::unpack(&packed, sample_rate).map_err(ProtocolError::Contents)
}
