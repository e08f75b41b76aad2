//! What wheel, pressure, slide and velocity move, and how far.

use std::sync::Arc;

use nice_plug::prelude::*;
use weft_core::instrument::{Controls, ModulationSource, Route};

use super::choices::Target;
use super::pages::{OnPages, Page, Place};
use crate::text;

/// What the sources of modulation move. Amounts are parts of what a target can be moved by, -1 to 1.
#[derive(Params)]
pub struct SourcesParams {
    /// What the modulation wheel moves.
    #[id = "wheel_to"]
    pub wheel_to: EnumParam<Target>,

    /// How far the modulation wheel moves it.
    #[id = "wheel_amount"]
    pub wheel_amount: FloatParam,

    /// What pressure moves, on a key or on all of a channel.
    #[id = "pressure_to"]
    pub pressure_to: EnumParam<Target>,

    /// How far pressure moves it.
    #[id = "pressure_amount"]
    pub pressure_amount: FloatParam,

    /// What a slide moves, of a note or of a channel.
    #[id = "slide_to"]
    pub slide_to: EnumParam<Target>,

    /// How far a slide moves it.
    #[id = "slide_amount"]
    pub slide_amount: FloatParam,

    /// What the velocity of a note moves.
    #[id = "velocity_to"]
    pub velocity_to: EnumParam<Target>,

    /// How far velocity moves it.
    #[id = "velocity_amount"]
    pub velocity_amount: FloatParam,
}

impl SourcesParams {
    /// The group at its `defaults`.
    pub fn new(defaults: &Controls) -> Self {
        let route = |source: ModulationSource| defaults.routes[source.index()];
        let to = |name, source| EnumParam::new(name, Target::from(route(source).target));
        let amount = |name, source| amount(name, route(source).amount);
        Self {
            wheel_to: to("Wheel To", ModulationSource::Wheel),
            wheel_amount: amount("Wheel Amount", ModulationSource::Wheel),
            pressure_to: to("Pressure To", ModulationSource::Pressure),
            pressure_amount: amount("Pressure Amount", ModulationSource::Pressure),
            slide_to: to("Slide To", ModulationSource::Slide),
            slide_amount: amount("Slide Amount", ModulationSource::Slide),
            velocity_to: to("Velocity To", ModulationSource::Velocity),
            velocity_amount: amount("Velocity Amount", ModulationSource::Velocity),
        }
    }

    /// What each source moves, and how far, in the order of [`ModulationSource::ALL`].
    pub fn routes(&self) -> [(&EnumParam<Target>, &FloatParam); ModulationSource::ALL.len()] {
        [
            (&self.wheel_to, &self.wheel_amount),
            (&self.pressure_to, &self.pressure_amount),
            (&self.slide_to, &self.slide_amount),
            (&self.velocity_to, &self.velocity_amount),
        ]
    }

    /// Writes what the group means into `controls`. Real-time safe.
    pub fn write(&self, controls: &mut Controls) {
        controls.routes = self.routes().map(|(to, amount)| Route {
            target: to.value().into(),
            amount: amount.value(),
        });
    }
}

impl OnPages for SourcesParams {
    fn offer_to<P: RemoteControlsPage>(&self, place: &mut Place<'_, P>) {
        for (number, (to, amount)) in (0..).zip(self.routes()) {
            place.offer(to, &[(Page::Modulation, 2 * number)]);
            place.offer(amount, &[(Page::Modulation, 2 * number + 1)]);
        }
    }
}

/// How far a source moves its target, in percent of what it can.
fn amount(name: &str, default: f32) -> FloatParam {
    let range = FloatRange::Linear {
        min: -1.0,
        max: 1.0,
    };
    FloatParam::new(name, default, range)
        .with_value_to_string(Arc::new(|amount| {
            format!("{} %", text::signed(amount * 100.0, 0))
        }))
        .with_string_to_value(Arc::new(text::parse_percent))
}

#[cfg(test)]
pub mod tests {
    use weft_core::instrument::ModulationTarget;

    use super::*;

    /// The ids that projects refer to, in order.
    pub const IDS: [&str; 8] = [
        "wheel_to",
        "wheel_amount",
        "pressure_to",
        "pressure_amount",
        "slide_to",
        "slide_amount",
        "velocity_to",
        "velocity_amount",
    ];

    #[test]
    fn every_target_can_be_chosen_and_is_the_players_own() {
        let params = SourcesParams::new(&Controls::DEFAULT);
        let last = ModulationTarget::ALL.len() - 1;
        for (at, target) in ModulationTarget::ALL.into_iter().enumerate() {
            for (to, _) in params.routes() {
                let normalized = at as f32 / last as f32;
                let chosen = Target::from(target);
                assert_eq!(to.preview_plain(normalized), chosen);
                assert_eq!(ModulationTarget::from(chosen), target);
                let name = to.normalized_value_to_string(normalized, true);
                assert_eq!(name, format!("{target:?}"));
            }
        }
    }

    #[test]
    fn a_source_moves_what_its_own_parameters_say() {
        for at in 0..ModulationSource::ALL.len() {
            let params = SourcesParams::new(&Controls::DEFAULT);
            let (to, amount) = params.routes()[at];
            let smear = to.preview_normalized(Target::Smear);
            // SAFETY: the pointers are to parameters of `params`.
            unsafe {
                to.as_ptr()._internal_set_normalized_value(smear);
                amount.as_ptr()._internal_set_normalized_value(0.125);
            }
            let mut controls = Controls::DEFAULT;
            params.write(&mut controls);
            let mut expected = Controls::DEFAULT;
            expected.routes[at] = Route {
                target: ModulationTarget::Smear,
                amount: -0.75,
            };
            assert_eq!(controls, expected);
        }
    }
}
