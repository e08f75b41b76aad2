//! What a VST3 host sets at the controller while blocks are processed.
//!
//! The same values come with the next block, and only there have they their place in time, so nice-plug
//! takes no notice of the controller's. But a host may ask for them at once, or save, or stop, and some
//! send no further block: until there is one, they are kept here.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nice_plug::prelude::{ParamPtr, Params};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{ParamID, ParamValue};

use crate::instance::Instance;

/// Values of parameters that no block has brought yet. Main thread, but for
/// [`begin_block`](Self::begin_block).
pub struct UnsentEdits {
    is_processing: AtomicBool,
    /// Blocks so far, wrapping.
    blocks: AtomicU32,
    edits: Mutex<Vec<Edit>>,
    params: HashMap<ParamID, ParamPtr>,
    /// Keeps what `params` points to.
    instance: Instance,
}

struct Edit {
    id: ParamID,
    /// Normalized.
    value: f32,
    /// Blocks before it came.
    blocks: u32,
}

// SAFETY: the pointers lead to parameters of the shared `WeftParams`, which is `Sync`; whoever holds them
// keeps that alive.
unsafe impl Send for UnsentEdits {}
// SAFETY: as above.
unsafe impl Sync for UnsentEdits {}

impl UnsentEdits {
    /// For the parameters of an instance, whose numbers `id_of` finds by their names.
    pub fn new(instance: Instance, id_of: impl Fn(&str) -> Option<ParamID>) -> Self {
        let map = instance.params.param_map().into_iter();
        let params = map.filter_map(|(_, param, _)| {
            // SAFETY: `instance` keeps it alive.
            let name = unsafe { param.name() };
            Some((id_of(name)?, param))
        });
        Self {
            is_processing: AtomicBool::new(false),
            blocks: AtomicU32::new(0),
            edits: Mutex::default(),
            params: params.collect(),
            instance,
        }
    }

    /// Counts a block that begins: it brings what was set before. Real-time safe.
    pub fn begin_block(&self) {
        self.blocks.fetch_add(1, Ordering::AcqRel);
    }

    /// The host starts or stops blocks. Those that it has not sent when it stops will never come. On
    /// whichever thread the host does so, no block is processed meanwhile.
    pub fn set_processing(&self, processing: bool) {
        self.is_processing.store(processing, Ordering::Release);
        if !processing {
            self.apply();
        }
    }

    /// Keeps a value, if nice-plug would take no notice of it.
    pub fn keep(&self, id: ParamID, value: ParamValue) -> bool {
        if !self.is_processing.load(Ordering::Acquire)
            || !value.is_finite()
            || !self.params.contains_key(&id)
        {
            return false;
        }
        let mut edits = self.pending();
        edits.retain(|edit| edit.id != id);
        edits.push(Edit {
            id,
            value: value as f32,
            blocks: self.blocks.load(Ordering::Acquire),
        });
        true
    }

    /// The value of a parameter that no block has brought yet.
    pub fn value(&self, id: ParamID) -> Option<ParamValue> {
        let value = self.pending().iter().find(|edit| edit.id == id)?.value;
        let param = self.params.get(&id)?;
        // SAFETY: `instance` keeps it alive.
        let stepped = unsafe { param.preview_normalized(param.preview_plain(value)) };
        Some(stepped.into())
    }

    /// Forgets everything: a state replaces it.
    pub fn clear(&self) {
        self.pending().clear();
    }

    /// Sets the parameters to the values that no block has brought yet.
    pub fn apply(&self) {
        let edits = std::mem::take(&mut *self.pending());
        let sample_rate = self.instance.link.sample_rate();
        for Edit { id, value, .. } in edits {
            if let Some(param) = self.params.get(&id) {
                // SAFETY: `instance` keeps it alive; values and smoothers are atomic.
                unsafe {
                    if param._internal_set_normalized_value(value) && sample_rate > 0.0 {
                        param._internal_update_smoother(sample_rate, false);
                    }
                }
            }
        }
    }

    /// The edits, without those that a block has brought meanwhile.
    fn pending(&self) -> MutexGuard<'_, Vec<Edit>> {
        let blocks = self.blocks.load(Ordering::Acquire);
        let mut edits = self.edits.lock().unwrap_or_else(PoisonError::into_inner);
        edits.retain(|edit| edit.blocks == blocks);
        edits
    }
}
