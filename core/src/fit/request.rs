//! A fit as it is asked for: all that somebody needs to know who makes it.

use std::ops::ControlFlow;

use super::run::run;
use super::{
    Device, FitError, FitEvent, FitSettings, Recipe, first_model, fit_capture_on, recipe_of,
    refine_on,
};
use crate::clip::Capture;
use crate::network::{Generator, Model};

/// What a fit starts from.
#[derive(Clone, Debug)]
pub enum FitStart {
    /// A capture of which nothing is known yet.
    Capture(Capture),
    /// This texture is to become better.
    Texture(Box<Model>),
}

/// A fit that is asked for.
#[derive(Clone, Debug)]
pub struct FitRequest {
    /// What it starts from.
    pub start: FitStart,
    /// How it is made.
    pub settings: FitSettings,
}

impl FitRequest {
    /// Makes the fit on a device, as [`fit`](super::fit) and [`refine`](super::refine) do.
    ///
    /// # Errors
    /// [`FitError`]; `Cancelled` if `on_event` broke off.
    pub fn run(
        &self,
        device: &dyn Device,
        on_event: &mut dyn FnMut(FitEvent<'_>) -> ControlFlow<()>,
    ) -> Result<Model, FitError> {
        match &self.start {
            FitStart::Capture(capture) => fit_capture_on(device, capture, &self.settings, on_event),
            FitStart::Texture(model) => refine_on(device, model, &self.settings, on_event),
        }
    }

    /// Steps that lead to what it starts from.
    pub(super) fn steps_before(&self) -> u32 {
        match &self.start {
            FitStart::Capture(_) => 0,
            FitStart::Texture(model) => model.fit_record().steps,
        }
    }

    /// What is heard before the first step.
    pub(super) fn first_model(&self) -> Result<Model, FitError> {
        match &self.start {
            FitStart::Capture(capture) => {
                let recipe = Recipe::new(&capture.used(), &self.settings)?;
                Ok(first_model(&recipe, capture))
            }
            FitStart::Texture(model) if model.capture().is_none() => Err(FitError::NoCapture),
            FitStart::Texture(model) => Ok((**model).clone()),
        }
    }

    /// Makes the fit as [`run`](Self::run) does, of which `first` has been heard before.
    pub(super) fn run_after(
        &self,
        first: &Model,
        device: &dyn Device,
        on_event: &mut dyn FnMut(FitEvent<'_>) -> ControlFlow<()>,
    ) -> Result<Model, FitError> {
        let (recipe, generator) = self.recipe()?;
        run(device, &recipe, first, generator, on_event)
    }

    /// How it is made, and with which network it begins.
    pub(super) fn recipe(&self) -> Result<(Recipe, Generator), FitError> {
        match &self.start {
            FitStart::Capture(capture) => {
                let recipe = Recipe::new(&capture.used(), &self.settings)?;
                let generator = recipe.new_generator();
                Ok((recipe, generator))
            }
            FitStart::Texture(model) => recipe_of(model, &self.settings),
        }
    }
}
