//! How convolutions over time and frequency go over planes of one size: which places a patch is made of.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use candle_core::{Result, Tensor};
use weft_core::texture::loss::Layout;

use super::indices::Gather;
use super::machine::Machine;

/// Values of some channels at every place of some planes: `planes × times · bands × channels`.
#[derive(Clone, Debug)]
pub struct Planes {
    pub times: usize,
    pub bands: usize,
    pub values: Tensor,
}

/// The patches of a convolution on planes of one size.
#[derive(Debug)]
struct Patches {
    /// Of every patch, its places in the plane.
    places: Gather,
    /// Of every place, where in the patches it is.
    seen: Gather,
}

/// The patches of convolutions, kept by what they depend on.
#[derive(Debug)]
pub struct PatchTables {
    known: HashMap<(Layout, usize, usize), Patches>,
    machine: Machine,
}

impl PatchTables {
    /// None are known yet.
    pub fn new(machine: &Machine) -> Self {
        Self {
            known: HashMap::new(),
            machine: machine.clone(),
        }
    }

    fn get(&mut self, layout: Layout, planes: &Planes) -> Result<&Patches> {
        Ok(
            match self.known.entry((layout, planes.times, planes.bands)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => {
                    let patches = patches(layout, planes.times, planes.bands, &self.machine)?;
                    unknown.insert(patches)
                }
            },
        )
    }

    /// The patches of planes, a row for each place of the result: `planes · places × patch`.
    pub fn lay_out(&mut self, layout: Layout, planes: &Planes) -> Result<Tensor> {
        let count = planes.values.dim(0)?;
        let (times, bands) = layout.result(planes.times, planes.bands);
        let rows = self.get(layout, planes)?.places.apply(&planes.values)?;
        rows.reshape((count * times * bands, layout.patch()))
    }

    /// The other way round: the gradient by planes like `planes` from that by their patches.
    pub fn gather(&mut self, layout: Layout, planes: &Planes, by_rows: &Tensor) -> Result<Tensor> {
        let (count, _, channels) = planes.values.dims3()?;
        let (times, bands) = layout.result(planes.times, planes.bands);
        let taps = times * bands * layout.kernel.0 * layout.kernel.1;
        let by_rows = by_rows.reshape((count, taps, channels))?;
        self.get(layout, planes)?.seen.apply(&by_rows)
    }
}

fn patches(layout: Layout, times: usize, bands: usize, machine: &Machine) -> Result<Patches> {
    let (result_times, result_bands) = layout.result(times, bands);
    let (kernel_times, kernel_bands) = layout.kernel;
    let mut places = Vec::new();
    let mut seen = vec![Vec::new(); times * bands];
    for place in 0..result_times * result_bands {
        let first_time = place / result_bands * layout.stride;
        let first_band = place % result_bands * layout.stride;
        for tap in 0..kernel_times * kernel_bands {
            let time = first_time + tap / kernel_bands;
            let band = (first_band + tap % kernel_bands).checked_sub(layout.margin);
            // Margins hold nothing.
            let at = band
                .filter(|band| *band < bands)
                .map(|band| time * bands + band);
            if let Some(at) = at {
                seen[at].push(places.len());
            }
            places.push(at.map_or(Vec::new(), |at| vec![at]));
        }
    }
    Ok(Patches {
        places: Gather::new(&places, times * bands, machine)?,
        seen: Gather::new(&seen, places.len(), machine)?,
    })
}
