//! What parameters are at first, as a state says it. Main thread.

use nice_plug::params::internals::ParamPtr;
use nice_plug::plugin::ParamValue;
use nice_plug::prelude::*;
use std::sync::Arc;
use weft_core::instrument::Controls;

use super::amp::AmpParams;
use super::capture::CaptureParams;
use super::imprint::ImprintParams;
use super::play::PlayParams;
use super::sound::SoundParams;
use super::sources::SourcesParams;
use super::spectrum::SpectrumParams;

/// Ids of all parameters, and what they are at first; `passes_input`: of the effect.
pub fn defaults(passes_input: bool) -> Vec<(String, ParamValue)> {
    let controls = Controls::DEFAULT;
    let groups: [&dyn Params; 7] = [
        &SoundParams::new(&controls),
        &SpectrumParams::new(&controls),
        &AmpParams::new(&controls, passes_input),
        &PlayParams::new(&controls),
        &CaptureParams::new(Arc::new(|_, _| ())),
        &SourcesParams::new(&controls),
        &ImprintParams::new(),
    ];
    let params = groups.iter().flat_map(|group| group.param_map());
    // SAFETY: the pointers are to parameters of the groups, which live to the end of this function.
    params
        .map(|(id, param, _)| (id, unsafe { value(param) }))
        .collect()
}

/// What a parameter is, as nice-plug writes it into a state.
///
/// # Safety
/// The parameter is alive.
unsafe fn value(param: ParamPtr) -> ParamValue {
    // SAFETY: by the contract above.
    unsafe {
        match param {
            ParamPtr::FloatParam(param) => ParamValue::F32((*param).unmodulated_plain_value()),
            ParamPtr::IntParam(param) => ParamValue::I32((*param).unmodulated_plain_value()),
            ParamPtr::BoolParam(param) => ParamValue::Bool((*param).unmodulated_plain_value()),
            ParamPtr::EnumParam(param) => match (*param).unmodulated_plain_id() {
                Some(id) => ParamValue::String(id.to_owned()),
                None => ParamValue::I32((*param).unmodulated_plain_value()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::WeftParams;
    use crate::session::Session;

    #[test]
    fn every_parameter_has_the_default_that_a_new_instance_has() {
        for passes_input in [false, true] {
            let params = WeftParams::new(Arc::new(Session::new().0), passes_input);
            let map = params.param_map().into_iter();
            // SAFETY: the pointers live as long as `params`.
            let new = map.map(|(id, param, _)| (id, unsafe { value(param) }));
            let text = |(id, value)| format!("{id}: {value:?}");
            let new: Vec<_> = new.map(text).collect();
            let said: Vec<_> = defaults(passes_input).into_iter().map(text).collect();
            assert_eq!(said, new);
        }
    }
}
