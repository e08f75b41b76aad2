//! A parameter of a few choices as a bar.

use egui::{Rect, Ui};
use nice_plug::prelude::{Param, ParamSetter};

use super::{set_once, switch};

/// A parameter of a few choices as a bar; a click goes on to the next one. Lights up for all but the
/// first.
pub fn parameter_choice<P: Param>(ui: &Ui, rect: Rect, param: &P, setter: &ParamSetter<'_>) {
    let is_lit = param.modulated_normalized_value() > 0.0;
    if switch(ui, rect, param.name(), &param.to_string(), is_lit) {
        let chosen = param.unmodulated_normalized_value();
        let next = param.next_normalized_step(chosen, false);
        set_once(param, setter, if next > chosen { next } else { 0.0 });
    }
}
