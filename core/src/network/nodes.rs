//! Frames that carry nodes: the features of one frame at several settings of the generator, between which
//! whoever plays the frame interpolates.
//!
//! Today the nodes lie on one axis, the temperature of the generator's noise. A second axis (the corners of a
//! blend of textures) is a second field of [`NodeGrid`] and of [`NodePlace`]: how many nodes there are, which
//! row is whose, which of them lie around a place and how they are mixed ([`NodePlace::mix`]) is worked out in
//! this file alone.

use std::ops::Range;

/// Ascending places on an axis at which something is known; what lies between two of them is interpolated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis(&'static [f32]);

impl Axis {
    /// An axis with these `places`: one or more, ascending.
    pub const fn new(places: &'static [f32]) -> Self {
        assert!(!places.is_empty(), "an axis has a place");
        Self(places)
    }

    /// Number of places.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// The places, ascending.
    pub const fn places(&self) -> &'static [f32] {
        self.0
    }

    /// The interval that `x` lies in; beyond the ends, the outermost one's near end. Real-time safe.
    pub fn locate(&self, x: f32) -> AxisPlace {
        let places = self.0;
        let Some(last) = places.len().checked_sub(2) else {
            return AxisPlace::default();
        };
        let lower = (0..last).find(|&i| x < places[i + 1]).unwrap_or(last);
        let part = (x - places[lower]) / (places[lower + 1] - places[lower]);
        AxisPlace {
            lower,
            upper: lower + 1,
            weight: part.clamp(0.0, 1.0),
        }
    }
}

/// Somewhere on an [`Axis`]: between two of its places.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct AxisPlace {
    /// Numbers of the places on either side.
    pub lower: usize,
    pub upper: usize,
    /// Weight of the upper one, 0 to 1.
    pub weight: f32,
}

/// The settings of the generator at which every frame's features are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct NodeGrid {
    temperature: Axis,
}

impl NodeGrid {
    /// The one node of the texture as it was captured: temperature 1.
    pub const AS_CAPTURED: Self = Self::of_temperatures(&[1.0]);

    /// A node for each of these factors of the generator's noise, ascending.
    pub const fn of_temperatures(temperatures: &'static [f32]) -> Self {
        Self {
            temperature: Axis::new(temperatures),
        }
    }

    /// Number of nodes.
    pub const fn count(&self) -> usize {
        self.temperature.len()
    }

    /// Temperatures of the nodes, in the order of the nodes.
    pub const fn temperatures(&self) -> &'static [f32] {
        self.temperature.places()
    }

    /// Where in the grid a temperature lies. Real-time safe.
    pub fn locate(&self, temperature: f32) -> NodePlace {
        NodePlace {
            temperature: self.temperature.locate(temperature),
        }
    }
}

/// Nodes around a place of a [`NodeGrid`]: two for each of its axes, multiplied.
pub(crate) const NODES_AROUND: usize = 2;

/// Somewhere in a [`NodeGrid`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct NodePlace {
    temperature: AxisPlace,
}

impl NodePlace {
    /// Numbers of the nodes around it.
    pub fn nodes(&self) -> [usize; NODES_AROUND] {
        [self.temperature.lower, self.temperature.upper]
    }

    /// What lies there, from the values at the nodes around it. Real-time safe.
    #[inline(always)]
    pub fn mix(&self, [lower, upper]: [f32; NODES_AROUND]) -> f32 {
        lower + (upper - lower) * self.temperature.weight
    }
}

/// The features of one frame at every node of a [`NodeGrid`]: `[nodes × features]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Nodes {
    features: Vec<f32>,
    width: usize,
}

impl Nodes {
    /// Room for a frame of `width` features at every node of `grid`. Allocates.
    pub fn new(grid: &NodeGrid, width: usize) -> Self {
        Self {
            features: vec![0.0; grid.count() * width],
            width,
        }
    }

    /// The features at `node`.
    ///
    /// # Panics
    /// If the grid has no such node.
    pub fn row(&self, node: usize) -> &[f32] {
        &self.features[node * self.width..(node + 1) * self.width]
    }

    /// The rows of all nodes in their order, to be filled.
    pub fn rows_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.features.chunks_exact_mut(self.width)
    }

    /// The rows around `place`, from which the features there are mixed. Real-time safe.
    pub fn around(&self, place: NodePlace) -> NodeMix<'_> {
        NodeMix {
            place,
            rows: place.nodes().map(|node| self.row(node)),
        }
    }
}

/// The features of a frame somewhere between its nodes, worked out where they are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeMix<'a> {
    place: NodePlace,
    /// Of the nodes around the place.
    rows: [&'a [f32]; NODES_AROUND],
}

impl NodeMix<'_> {
    /// The same of some of the features only.
    #[inline(always)]
    pub fn part(&self, features: Range<usize>) -> Self {
        Self {
            place: self.place,
            rows: self.rows.map(|row| &row[features.clone()]),
        }
    }

    /// Feature number `i` of the part. Real-time safe.
    #[inline(always)]
    pub fn at(&self, i: usize) -> f32 {
        self.place.mix(self.rows.map(|row| row[i]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_between_and_beyond_an_axis_are_found() {
        let axis = Axis::new(&[0.0, 1.0, 3.0]);
        let found = |x: f32| {
            let AxisPlace {
                lower,
                upper,
                weight,
            } = axis.locate(x);
            (lower, upper, weight)
        };
        assert_eq!(found(-1.0), (0, 1, 0.0));
        assert_eq!(found(0.25), (0, 1, 0.25));
        assert_eq!(found(1.0), (1, 2, 0.0));
        assert_eq!(found(2.5), (1, 2, 0.75));
        assert_eq!(found(7.0), (1, 2, 1.0));
        let lone = Axis::new(&[1.0]).locate(5.0);
        assert_eq!((lone.lower, lone.upper, lone.weight), (0, 0, 0.0));
    }

    #[test]
    fn features_between_nodes_lie_on_the_line_between_their_rows() {
        let grid = NodeGrid::of_temperatures(&[0.0, 1.0, 2.0]);
        let mut nodes = Nodes::new(&grid, 4);
        for (node, row) in nodes.rows_mut().enumerate() {
            for (i, x) in row.iter_mut().enumerate() {
                *x = (10 * node + i) as f32;
            }
        }
        assert_eq!(nodes.row(2), [20.0, 21.0, 22.0, 23.0]);
        let mix = nodes.around(grid.locate(1.5));
        assert_eq!((mix.at(0), mix.at(3)), (15.0, 18.0));
        let part = mix.part(2..4);
        assert_eq!((part.at(0), part.at(1)), (17.0, 18.0));
        let at_node = nodes.around(grid.locate(1.0));
        assert_eq!(at_node.at(1), 11.0);
    }
}
