//! Which version of Weft a state is from, as far as that changes what its parameters mean.

use nice_plug::params::persist::PersistentField;
use nice_plug::prelude::PluginState;

/// Field of the state in which the number stands. Versions that don't know it pass over it.
pub const VERSION_FIELD: &str = "state_version";
/// From this number on, the pitch bend is a setting. Before, the wheel moved it, and what was saved was where a
/// hand had been.
pub const BEND_IS_SET: u32 = 2;
/// The number that this version writes.
const WRITTEN: u32 = BEND_IS_SET;

/// Writes the number into every state that is saved.
pub struct StateVersion;

impl StateVersion {
    /// The number in `state`; 1 where there was none yet, or what stands there is none.
    pub fn of(state: &PluginState) -> u32 {
        let number = state.fields.get(VERSION_FIELD);
        number.and_then(|n| n.trim().parse().ok()).unwrap_or(1)
    }
}

impl PersistentField<'_, u32> for StateVersion {
    /// What was loaded doesn't matter any more: the next state is this version's.
    fn set(&self, _loaded: u32) {}

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&u32) -> R,
    {
        f(&WRITTEN)
    }
}
