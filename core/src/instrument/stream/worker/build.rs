//! Building a stream: a plan, an allocation and a priming.

use std::sync::Arc;

use super::feed::{EngineFeed, FineStructureMaker};
use super::plan::StreamPlan;
use crate::instrument::controls::Quality;
use crate::instrument::stream::audio::{
    Engine, EngineParts, FineStructure, Passage, Segments, Shaping, SynthesisFrame, Tape,
};
use crate::instrument::stream::grids::NODES;
use crate::instrument::stream::start::StreamStart;
use crate::instrument::stream::supply::Supply;
use crate::inversion::{InversionError, InversionSettings};
use crate::network::{FeatureStream, Model};
use crate::ring::frame_ring;
use crate::spectrum::{FrameSpectrum, FrontEnd};

/// Frames of fine structure that wait: half a second at 48 kHz, an eighth of one two octaves up.
const FINE_FRAMES: usize = 48;
/// Feature frames that wait; at four times the speed they are used up four times as fast.
const FEATURE_FRAMES: usize = 64;

/// Builds both halves of a stream of `model`, ready to be heard. This takes up to some hundredths of a second, in
/// which it calls `between` again and again.
///
/// # Errors
/// [`InversionError`] if the model's frames can't be inverted.
pub(in crate::instrument) fn build(
    id: u32,
    model: &Model,
    shaping: &Arc<Shaping>,
    start: &StreamStart,
    between: &mut dyn FnMut(),
) -> Result<(Engine, EngineFeed), InversionError> {
    let plan = StreamPlan::new(start, shaping.front_end());
    let (mut engine, mut feed) = allocate(id, model, shaping, &plan)?;
    prime(&mut engine, &mut feed, &plan, between);
    for _ in 0..FINE_FRAMES / 2 {
        feed.send_frame();
    }
    Ok((engine, feed))
}

/// Both halves, before the first frame.
fn allocate(
    id: u32,
    model: &Model,
    shaping: &Arc<Shaping>,
    plan: &StreamPlan,
) -> Result<(Engine, EngineFeed), InversionError> {
    let front_end = shaping.front_end();
    let (width, bins) = (front_end.feature_width(), front_end.stft().bins());
    let seed = plan.start.seed;
    let settings = inversion_settings(front_end, plan.start.quality);
    let segments = Segments::new(&settings, plan.is_locked)?;
    let feature_stream = FeatureStream::new(model.clone(), NODES, seed, plan.first_feature);
    let (features, features_out) = frame_ring(FEATURE_FRAMES, || feature_stream.make_nodes());
    let (fine, fine_out) = frame_ring(FINE_FRAMES, || FrameSpectrum::silent(bins));
    // The hop that is complete before any frame was inverted.
    let hop = plan.first_frame - settings.lookahead_frames as i64 - 1;
    let engine = Engine::new(EngineParts {
        id,
        seed,
        host_rate: plan.start.host_rate,
        shaping: shaping.clone(),
        passage: Passage::new(features_out, width, plan.smear_frames, plan.first_feature),
        fine: FineStructure::new(fine_out, bins),
        segments,
        tape: Tape::new(settings.hop_size, hop),
        frame: SynthesisFrame {
            index: plan.first_frame,
            position: plan.position_of(plan.first_frame),
            controls: plan.start.controls,
        },
    });
    let fine = FineStructureMaker::new(fine, model, seed, plan.first_frame);
    let feed = EngineFeed::new(features, feature_stream, fine);
    Ok((engine, feed))
}

fn inversion_settings(front_end: &FrontEnd, quality: Quality) -> InversionSettings {
    let (fft_size, hop_size) = (front_end.stft().fft_size(), front_end.stft().hop_size());
    InversionSettings {
        stereo: front_end.is_stereo(),
        apart: front_end.image().is_apart(),
        ..match quality {
            Quality::Eco => InversionSettings::eco(fft_size, hop_size),
            Quality::High => InversionSettings::high(fft_size, hop_size),
        }
    }
}

/// Has everything inverted that comes before the first sample.
fn prime(engine: &mut Engine, feed: &mut EngineFeed, plan: &StreamPlan, between: &mut dyn FnMut()) {
    let mut supply = OnTheSpot(feed);
    while engine.hop() < plan.first_hop {
        between();
        engine.prime(
            |frame| plan.position_after(frame.position, frame.index),
            &mut supply,
        );
    }
    engine.begin_at(plan.offset);
}

/// Missing frames are made where they are missing.
struct OnTheSpot<'a>(&'a mut EngineFeed);

impl Supply for OnTheSpot<'_> {
    fn wait(&mut self) -> bool {
        self.0.send_frame()
    }
}
