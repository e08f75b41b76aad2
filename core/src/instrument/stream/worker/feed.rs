//! Making a stream's frames, for as long as it is out.

use crate::network::{FeatureStream, Model, Nodes};
use crate::ring::FrameSender;
use crate::spectrum::{ExpandScratch, FrameSpectrum};

/// The worker's half of a stream: makes the frames that the [`Engine`](super::super::Engine) plays.
pub(in crate::instrument) struct EngineFeed {
    features: FrameSender<Nodes>,
    feature_stream: FeatureStream,
    fine: FineStructureMaker,
}

/// Makes fine structure, frame by frame.
pub(super) struct FineStructureMaker {
    sender: FrameSender<FrameSpectrum>,
    seed: u32,
    /// Synthesis frame that is made next.
    next: i64,
    scratch: ExpandScratch,
}

impl FineStructureMaker {
    /// For the frames of `model` from synthesis frame `first` on. Allocates.
    pub fn new(sender: FrameSender<FrameSpectrum>, model: &Model, seed: u32, first: i64) -> Self {
        Self {
            sender,
            seed,
            next: first,
            scratch: model.front_end().make_expand_scratch(),
        }
    }

    /// Makes and sends a frame for the texture of `model`, if there is room.
    fn send_frame(&mut self, model: &Model) -> bool {
        let Self {
            sender,
            seed,
            next,
            scratch,
        } = self;
        sender.send_with(|frame| {
            frame.index = *next;
            model
                .front_end()
                .fine_structure_into(*seed, *next, scratch, &mut frame.data);
            *next += 1;
        })
    }
}

impl EngineFeed {
    /// A feed that sends what `feature_stream` makes through `features`.
    pub(super) fn new(
        features: FrameSender<Nodes>,
        feature_stream: FeatureStream,
        fine: FineStructureMaker,
    ) -> Self {
        Self {
            features,
            feature_stream,
            fine,
        }
    }

    /// Makes and sends one frame of each kind, as far as the rings have room; false if neither has.
    pub fn send_frame(&mut self) -> bool {
        let stream = &mut self.feature_stream;
        let sent = self.features.send_with(|frame| {
            frame.index = stream.next_frame(&mut frame.data);
        });
        let sent_fine = self.fine.send_frame(self.feature_stream.model());
        sent || sent_fine
    }

    /// The model that frames are made of.
    pub fn model(&self) -> &Model {
        self.feature_stream.model()
    }

    /// Fills both rings.
    pub fn top_up(&mut self) {
        while self.send_frame() {}
    }

    /// Goes on with a better network for the same capture.
    pub fn improve(&mut self, model: Model) {
        self.feature_stream.improve(model);
    }
}
