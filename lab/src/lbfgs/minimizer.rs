//! The iterations of L-BFGS, one at a time.

use super::line_search::{Line, Sample, search};
use super::pairs::{Pairs, dot};

/// Moves that are remembered: the usual number (scipy's and Ulyanov & Lebedev's L-BFGS have 10).
const MEMORY: usize = 10;
/// Most evaluations in one line search, as scipy's L-BFGS-B.
const MOST_EVALUATIONS: usize = 20;

/// What all variables lie between.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The least that a variable may be.
    pub least: f64,
    /// The most.
    pub most: f64,
}

impl Bounds {
    /// For what can't be negative, such as magnitudes.
    pub const NOT_NEGATIVE: Self = Self {
        least: 0.0,
        most: f64::INFINITY,
    };
    /// For anything.
    pub const NONE: Self = Self {
        least: f64::NEG_INFINITY,
        most: f64::INFINITY,
    };
}

/// How a minimisation goes about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LbfgsSettings {
    /// What all variables lie between.
    pub bounds: Bounds,
    /// Moves that are remembered.
    pub memory: usize,
    /// Most evaluations of the function in one step.
    pub most_evaluations: usize,
}

impl Default for LbfgsSettings {
    fn default() -> Self {
        Self {
            bounds: Bounds::NONE,
            memory: MEMORY,
            most_evaluations: MOST_EVALUATIONS,
        }
    }
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// It went down.
    Moved,
    /// There is nowhere lower within reach of the numbers: this is a minimum.
    Converged,
}

/// A point on its way to a minimum of a function of many variables.
///
/// # Examples
/// ```
/// use weft_lab::lbfgs::{LbfgsSettings, Minimizer};
///
/// // (x − 1)² + 100 (y + 2)²
/// let mut bowl = |p: &[f64]| {
///     let (x, y) = (p[0] - 1.0, p[1] + 2.0);
///     Ok::<_, ()>((x * x + 100.0 * y * y, vec![2.0 * x, 200.0 * y]))
/// };
/// let mut minimizer = Minimizer::new(vec![0.0, 0.0], LbfgsSettings::default(), &mut bowl)?;
/// for _ in 0..20 {
///     minimizer.step(&mut bowl)?;
/// }
/// assert!((minimizer.point()[0] - 1.0).abs() < 1e-6);
/// assert!((minimizer.point()[1] + 2.0).abs() < 1e-6);
/// # Ok::<(), ()>(())
/// ```
pub struct Minimizer {
    settings: LbfgsSettings,
    point: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
    pairs: Pairs,
}

impl Minimizer {
    /// Begins at `start`, moved into the bounds. `function` gives value and gradient at a point.
    ///
    /// # Errors
    /// Those of `function`.
    pub fn new<E>(
        mut start: Vec<f64>,
        settings: LbfgsSettings,
        function: &mut impl FnMut(&[f64]) -> Result<(f64, Vec<f64>), E>,
    ) -> Result<Self, E> {
        for x in &mut start {
            *x = x.max(settings.bounds.least).min(settings.bounds.most);
        }
        let (value, gradient) = function(&start)?;
        Ok(Self {
            settings,
            point: start,
            value,
            gradient,
            pairs: Pairs::default(),
        })
    }

    /// Where it is.
    pub fn point(&self) -> &[f64] {
        &self.point
    }

    /// The function there.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// The gradient there.
    pub fn gradient(&self) -> &[f64] {
        &self.gradient
    }

    /// Evaluates where it is again, as the function has become another. What is known of the curvature stays.
    ///
    /// # Errors
    /// Those of `function`.
    pub fn evaluate_again<E>(
        &mut self,
        function: &mut impl FnMut(&[f64]) -> Result<(f64, Vec<f64>), E>,
    ) -> Result<(), E> {
        (self.value, self.gradient) = function(&self.point)?;
        Ok(())
    }

    /// One iteration: a direction, and a step along it to a place that is lower.
    ///
    /// # Errors
    /// Those of `function`; the point is still where it was.
    pub fn step<E>(
        &mut self,
        function: &mut impl FnMut(&[f64]) -> Result<(f64, Vec<f64>), E>,
    ) -> Result<StepOutcome, E> {
        let free = self.free();
        loop {
            let mut direction = self.pairs.direction(&self.gradient, &free);
            let mut slope = dot(&direction, &self.gradient);
            if slope >= 0.0 || !slope.is_finite() {
                self.pairs.clear();
                direction = self.pairs.direction(&self.gradient, &free);
                slope = dot(&direction, &self.gradient);
            }
            if slope >= 0.0 {
                return Ok(StepOutcome::Converged);
            }
            // With nothing known of the curvature, the first try moves by a distance of one.
            let first = if self.pairs.is_empty() {
                1.0 / (-slope).sqrt()
            } else {
                1.0
            };
            let mut line = Path {
                from: &self.point,
                direction: &direction,
                bounds: self.settings.bounds,
                function: &mut *function,
            };
            let most = self.settings.most_evaluations;
            let found = search(&mut line, self.value, slope, first, most)?;
            // Near a minimum, enough of a descent may be none in the last digit.
            if let Some(found) = found.filter(|found| found.value < self.value) {
                self.arrive(found);
                return Ok(StepOutcome::Moved);
            }
            if self.pairs.is_empty() {
                return Ok(StepOutcome::Converged);
            }
            // What was known misled: once more, straight down.
            self.pairs.clear();
        }
    }

    /// Which variables may move the way that goes down: not those that stand at a bound and would leave it.
    fn free(&self) -> Vec<bool> {
        let Bounds { least, most } = self.settings.bounds;
        let variables = self.point.iter().zip(&self.gradient);
        variables
            .map(|(x, g)| !(*x <= least && *g >= 0.0 || *x >= most && *g <= 0.0))
            .collect()
    }

    fn arrive(&mut self, found: Sample<Place>) {
        let Place { point, gradient } = found.place;
        let difference = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect();
        let moved = difference(&point, &self.point);
        let changed = difference(&gradient, &self.gradient);
        self.pairs.remember(moved, changed, self.settings.memory);
        self.point = point;
        self.gradient = gradient;
        self.value = found.value;
    }
}

/// The way from a point in a direction, bent where it meets a bound (Bertsekas 1982's projected arc).
struct Path<'a, F> {
    from: &'a [f64],
    direction: &'a [f64],
    bounds: Bounds,
    function: &'a mut F,
}

struct Place {
    point: Vec<f64>,
    gradient: Vec<f64>,
}

impl<E, F: FnMut(&[f64]) -> Result<(f64, Vec<f64>), E>> Line for Path<'_, F> {
    type Place = Place;
    type Error = E;

    fn at(&mut self, step: f64) -> Result<Sample<Place>, E> {
        let Bounds { least, most } = self.bounds;
        let ways = self.from.iter().zip(self.direction);
        let point: Vec<f64> = ways
            .map(|(x, d)| (x + step * d).max(least).min(most))
            .collect();
        let (value, gradient) = (self.function)(&point)?;
        // What has met its bound moves no further.
        let moving = point.iter().zip(self.direction).zip(&gradient);
        let slopes = moving.map(|((x, d), g)| {
            let has_ended = *x <= least && *d < 0.0 || *x >= most && *d > 0.0;
            if has_ended { 0.0 } else { d * g }
        });
        let slope = slopes.sum();
        Ok(Sample {
            step,
            value,
            slope,
            place: Place { point, gradient },
        })
    }
}
