//! What a helper says.

use super::bytes::{Fields, shortened};
use super::frame::framed;
use super::{Message, ProtocolError};
use crate::network::Model;

const HELLO: u16 = 0x201;
const QUEUED: u16 = 0x202;
const BEGUN: u16 = 0x203;
const PROGRESS: u16 = 0x204;
const SNAPSHOT: u16 = 0x205;
const DONE: u16 = 0x206;
const FAILED: u16 = 0x207;

/// Bytes of the longest snapshot: a network and its front end at 192 kHz have 3 MB.
const MOST_SNAPSHOT_BYTES: u32 = 16 << 20;
/// Bytes of the longest text.
const MOST_TEXT_BYTES: usize = 1024;
const NUMBER_BYTES: u32 = 4;

const PROCESSOR: u8 = 0;
const GRAPHICS: u8 = 1;

/// What kind of device a helper makes its fits on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// A processor, as whoever asks has one too.
    Processor,
    /// Something that is faster.
    Graphics,
}

/// From a helper. The `fit` is the number that the request has given.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Reply {
    /// The first that it says: what it fits on, and what that calls itself.
    Hello {
        /// What kind of device.
        kind: DeviceKind,
        /// Its name.
        device: String,
    },
    /// The fit waits for others. Said again every second.
    Queued {
        /// Which fit.
        fit: u32,
        /// Fits that come before.
        ahead: u32,
        /// Seconds until these are done, if that is known.
        wait_s: Option<f64>,
    },
    /// It is the fit's turn.
    Begun {
        /// Which fit.
        fit: u32,
    },
    /// A step is done.
    Progress {
        /// Which fit.
        fit: u32,
        /// Steps done.
        step: u32,
        /// Steps in all.
        steps: u32,
        /// Smoothed loss.
        loss: f32,
    },
    /// The network so far.
    Snapshot {
        /// Which fit.
        fit: u32,
        /// Steps done.
        step: u32,
        /// A texture with that network; its capture is not sent back.
        texture: Box<Model>,
    },
    /// The fit is done: its result is the last snapshot.
    Done {
        /// Which fit.
        fit: u32,
    },
    /// The fit, or what was to be a request, has come to nothing.
    Failed {
        /// Which fit; 0 where no request could be read.
        fit: u32,
        /// Why.
        reason: String,
    },
}

impl Reply {
    /// Which fit it is about; 0 for none.
    pub fn fit(&self) -> u32 {
        match self {
            Self::Hello { .. } => 0,
            Self::Queued { fit, .. }
            | Self::Begun { fit }
            | Self::Progress { fit, .. }
            | Self::Snapshot { fit, .. }
            | Self::Done { fit }
            | Self::Failed { fit, .. } => *fit,
        }
    }
}

impl Message for Reply {
    fn most_bytes(kind: u16) -> Option<u32> {
        let text = MOST_TEXT_BYTES as u32;
        match kind {
            HELLO => Some(1 + text),
            QUEUED | PROGRESS => Some(4 * NUMBER_BYTES),
            BEGUN | DONE => Some(NUMBER_BYTES),
            SNAPSHOT => Some(2 * NUMBER_BYTES + MOST_SNAPSHOT_BYTES),
            FAILED => Some(NUMBER_BYTES + text),
            _ => None,
        }
    }

    fn decode(kind: u16, payload: &[u8]) -> Result<Self, ProtocolError> {
        let mut fields = Fields::new(payload);
        if kind == HELLO {
            return Ok(Self::Hello {
                kind: match fields.u8()? {
                    PROCESSOR => DeviceKind::Processor,
                    GRAPHICS => DeviceKind::Graphics,
                    other => {
                        let what = format!("there is no kind {other} of devices");
                        return Err(ProtocolError::Contents(what));
                    }
                },
                device: fields.rest_as_text()?,
            });
        }
        let fit = fields.u32()?;
        let reply = match kind {
            QUEUED => {
                let (ahead, wait_s) = (fields.u32()?, fields.f64()?);
                Self::Queued {
                    fit,
                    ahead,
                    wait_s: Some(wait_s).filter(|wait| wait.is_finite() && *wait >= 0.0),
                }
            }
            BEGUN => Self::Begun { fit },
            PROGRESS => {
                let (step, steps, loss) = (fields.u32()?, fields.u32()?, fields.f32()?);
                if step > steps {
                    let what = format!("step {step} of {steps} is done");
                    return Err(ProtocolError::Contents(what));
                }
                Self::Progress {
                    fit,
                    step,
                    steps,
                    loss,
                }
            }
            SNAPSHOT => {
                let step = fields.u32()?;
                let texture = Model::from_bytes(fields.rest());
                let texture = texture.map_err(|e| ProtocolError::Contents(e.to_string()))?;
                let texture = Box::new(texture.without_capture());
                return Ok(Self::Snapshot { fit, step, texture });
            }
            DONE => Self::Done { fit },
            FAILED => {
                let reason = fields.rest_as_text()?;
                return Ok(Self::Failed { fit, reason });
            }
            kind => return Err(ProtocolError::Kind(kind)),
        };
        fields.end()?;
        Ok(reply)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let text = |text: &str| shortened(text, MOST_TEXT_BYTES).as_bytes().to_vec();
        match self {
            Self::Hello { kind, device } => {
                let kind = match kind {
                    DeviceKind::Processor => PROCESSOR,
                    DeviceKind::Graphics => GRAPHICS,
                };
                framed(HELLO, &[&[kind], &text(device)])
            }
            Self::Queued { fit, ahead, wait_s } => {
                let wait = wait_s.unwrap_or(f64::NAN).to_le_bytes();
                framed(QUEUED, &[&fit.to_le_bytes(), &ahead.to_le_bytes(), &wait])
            }
            Self::Begun { fit } => framed(BEGUN, &[&fit.to_le_bytes()]),
            Self::Progress {
                fit,
                step,
                steps,
                loss,
            } => {
                let [fit, step, steps] = [fit, step, steps].map(|number| number.to_le_bytes());
                framed(PROGRESS, &[&fit, &step, &steps, &loss.to_le_bytes()])
            }
            Self::Snapshot { fit, step, texture } => {
                let [fit, step] = [fit, step].map(|number| number.to_le_bytes());
                let texture = texture.without_capture().to_bytes();
                framed(SNAPSHOT, &[&fit, &step, &texture])
            }
            Self::Done { fit } => framed(DONE, &[&fit.to_le_bytes()]),
            Self::Failed { fit, reason } => framed(FAILED, &[&fit.to_le_bytes(), &text(reason)]),
        }
    }
}
