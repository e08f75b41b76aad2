//! Everything of Weft that can be heard, without plugin, window or host.
//!
//! A [`clip::Clip`] becomes banded log magnitudes ([`spectrum`]), a small feed-forward network
//! ([`network`]) is fitted to their statistics ([`fit`], [`texture`]), and its frames stream to the
//! audio thread ([`instrument`]), where [`inversion`] turns them into sound. [`render`] does the same
//! outside real time.
//!
//! A recording's texture, fitted and rendered (many more steps come much closer):
//!
//! ```
//! use std::ops::ControlFlow;
//!
//! use weft_core::fit::{FitSettings, fit};
//! use weft_core::procedural::{Texture, synthesize};
//! use weft_core::render::Renderer;
//!
//! let recording = synthesize(Texture::Rain, 1, 8_000, 1.5);
//! let settings = FitSettings { steps: 20, ..FitSettings::default() };
//! let model = fit(&recording, &settings, &mut |_| ControlFlow::Continue(()))?;
//!
//! let mut renderer = Renderer::new(&model, 7)?;
//! let (mut left, mut right) = (vec![0.0; 8_000], vec![0.0; 8_000]);
//! renderer.render_into(&mut [&mut left, &mut right]);
//! assert!(left.iter().any(|sample| *sample != 0.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod clip;
pub mod fit;
pub mod instrument;
pub mod inversion;
pub mod network;
pub mod numeric;
pub mod procedural;
pub mod render;
pub mod ring;
pub mod spectrum;
pub mod texture;
