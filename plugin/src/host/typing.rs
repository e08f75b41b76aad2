//! What a person types into a host's field for a parameter. Main thread.
//!
//! nice-plug's own functions know neither what is shown at that moment, nor choices in another case.

use std::collections::HashMap;

use nice_plug::prelude::{ParamPtr, Params};

use crate::instance::Instance;
use crate::parameters::typed;

/// The parameters by the numbers that the formats give them, for text to be read.
pub struct TypedValues {
    params: HashMap<u32, ParamPtr>,
    /// Keeps what `params` points to.
    _instance: Instance,
}

// SAFETY: the pointers lead to parameters of the shared `WeftParams`, which is `Sync`; whoever holds them
// keeps that alive.
unsafe impl Send for TypedValues {}
// SAFETY: as above.
unsafe impl Sync for TypedValues {}

impl TypedValues {
    /// For the parameters of an instance, whose numbers `id_of` finds by their names.
    pub fn new(instance: Instance, id_of: impl Fn(&str) -> Option<u32>) -> Self {
        let map = instance.params.param_map().into_iter();
        let params = map.filter_map(|(_, param, _)| {
            // SAFETY: `instance` keeps it alive.
            let name = unsafe { param.name() };
            Some((id_of(name)?, param))
        });
        Self {
            params: params.collect(),
            _instance: instance,
        }
    }

    /// Whether there is a parameter `id`.
    pub fn has(&self, id: u32) -> bool {
        self.params.contains_key(&id)
    }

    /// The normalized value that `text` means for the parameter `id`, and the number of its steps, if it has
    /// any; `None` if it can't be read, or there is no such parameter. `shown` is the normalized value that
    /// the host shows, if it is another than the parameter has.
    ///
    /// A host does not say which of its fields the text was typed into; a number without a unit is taken for
    /// one in the unit that the parameter shows now, which in the fields of an automation lane may be another.
    pub fn read(&self, id: u32, text: &str, shown: Option<f64>) -> Option<(f64, Option<usize>)> {
        let param = *self.params.get(&id)?;
        // SAFETY: `_instance` keeps it alive.
        unsafe {
            let shown = shown.map_or(param.unmodulated_normalized_value(), |shown| shown as f32);
            let normalized = typed::read_at(param, text, shown)?;
            Some((normalized.into(), param.step_count()))
        }
    }
}
