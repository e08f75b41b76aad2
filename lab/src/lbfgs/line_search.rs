//! A step along a line that goes down enough and not too short: the strong Wolfe conditions (Nocedal & Wright 2006,
//! algorithms 3.5 and 3.6).

/// How much of the descent that the slope promises a step must bring (section 3.1 there).
const SUFFICIENT: f64 = 1e-4;
/// How much of the slope may be left (the same, for quasi-Newton methods).
const LEFT_OF_SLOPE: f64 = 0.9;
/// How much longer the next step is where the last was too short.
const EXPANSION: f64 = 4.0;
/// How near the ends of a bracket the next step may be, as a part of it.
const MARGIN: f64 = 0.1;
/// A bracket of this part of its outer end is too small to be searched.
const LEAST_BRACKET: f64 = 1e-12;

/// The function along a line.
pub trait Line {
    /// What is kept of a place, such as the point and the gradient there.
    type Place;
    /// Why it can't be evaluated.
    type Error;

    /// Value and slope after a step of this length.
    fn at(&mut self, step: f64) -> Result<Sample<Self::Place>, Self::Error>;
}

/// The function at one place of a line.
pub struct Sample<P> {
    pub step: f64,
    pub value: f64,
    pub slope: f64,
    pub place: P,
}

/// An end of a bracket.
#[derive(Clone, Copy)]
struct End {
    step: f64,
    value: f64,
    slope: f64,
}

impl End {
    fn of<P>(sample: &Sample<P>) -> Self {
        Self {
            step: sample.step,
            value: sample.value,
            slope: sample.slope,
        }
    }
}

/// A place on a line that starts with this `value` and `slope` (below 0) which fulfils the strong Wolfe conditions; or,
/// where `most` evaluations do not find one, the lowest that goes down enough; none where nothing does.
pub fn search<L: Line>(
    line: &mut L,
    value: f64,
    slope: f64,
    first_step: f64,
    most: usize,
) -> Result<Option<Sample<L::Place>>, L::Error> {
    let start = End {
        step: 0.0,
        value,
        slope,
    };
    let goes_down = |s: &End| s.value <= value + SUFFICIENT * s.step * slope;
    let is_flat = |s: &End| s.slope.abs() <= -LEFT_OF_SLOPE * slope;
    let mut best: Option<Sample<L::Place>> = None;
    let (mut low, mut high) = (start, None::<End>);
    let mut step = first_step;
    for _ in 0..most {
        let sample = line.at(step)?;
        let end = End::of(&sample);
        // What is no number is beyond where the function can be followed.
        let is_number = end.value.is_finite() && end.slope.is_finite();
        if is_number && goes_down(&end) && is_flat(&end) {
            return Ok(Some(sample));
        }
        if is_number && goes_down(&end) && best.as_ref().is_none_or(|b| end.value < b.value) {
            best = Some(sample);
        }
        if !is_number || !goes_down(&end) || end.value >= low.value {
            high = Some(end);
        } else {
            if end.slope * (high.map_or(f64::INFINITY, |h| h.step) - low.step) >= 0.0 {
                high = Some(low);
            }
            low = end;
        }
        step = match high {
            None => step * EXPANSION,
            Some(high) => {
                if (high.step - low.step).abs() <= LEAST_BRACKET * high.step.max(low.step) {
                    break;
                }
                between(low, high)
            }
        };
    }
    Ok(best)
}

/// Where a cubic through both ends of a bracket is lowest (eq. 3.59), kept away from the ends; their middle where there
/// is no such place.
fn between(low: End, high: End) -> f64 {
    let width = high.step - low.step;
    let middle = low.step + width / 2.0;
    if !(high.value.is_finite() && high.slope.is_finite()) {
        return low.step + width * MARGIN;
    }
    let a = low.slope + high.slope - 3.0 * (low.value - high.value) / (low.step - high.step);
    let root = (a * a - low.slope * high.slope).sqrt() * width.signum();
    let lowest =
        high.step - width * (high.slope + root - a) / (high.slope - low.slope + 2.0 * root);
    if !lowest.is_finite() {
        return middle;
    }
    let (from, to) = (low.step + MARGIN * width, high.step - MARGIN * width);
    lowest.clamp(from.min(to), from.max(to))
}
