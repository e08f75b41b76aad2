//! How a loss and its terms went in the course of an optimisation.

/// One term of a loss at some moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TermValue {
    /// Its name, as its paper has it.
    pub name: &'static str,
    /// What it is multiplied by in the sum.
    pub weight: f64,
    /// Its value before the weight.
    pub value: f64,
}

/// The loss after an iteration.
#[derive(Clone, Debug, PartialEq)]
pub struct CurvePoint {
    /// Iterations done.
    pub iteration: u32,
    /// Time since the beginning, in seconds.
    pub seconds: f64,
    /// How often the loss and its gradient have been computed.
    pub evaluations: u64,
    /// The sum.
    pub total: f64,
    /// Its terms; those that don't count any more are missing.
    pub terms: Vec<TermValue>,
}

/// The losses of an optimisation, from before the first iteration to after the last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// One point for each iteration, and one for the start.
    pub points: Vec<CurvePoint>,
}

impl Curve {
    /// Names of all terms, in the order in which they came up.
    pub fn terms(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for term in self.points.iter().flat_map(|point| &point.terms) {
            if !names.contains(&term.name) {
                names.push(term.name);
            }
        }
        names
    }

    /// The curves as comma-separated values: a line with names, then one for each point. Terms have two columns: their
    /// value, and what they contribute to the sum; both are empty where they don't count.
    ///
    /// # Examples
    /// ```
    /// use weft_lab::{Curve, CurvePoint, TermValue};
    ///
    /// let term = TermValue { name: "gram", weight: 2.0, value: 0.25 };
    /// let terms = vec![term];
    /// let point = CurvePoint { iteration: 0, seconds: 1.5, evaluations: 1, total: 0.5, terms };
    /// let curve = Curve { points: vec![point] };
    /// let csv = "iteration,seconds,evaluations,total,gram,gram_weighted\n0,1.500,1,5e-1,2.5e-1,5e-1\n";
    /// assert_eq!(curve.to_csv(), csv);
    /// ```
    pub fn to_csv(&self) -> String {
        let names = self.terms();
        let mut csv = "iteration,seconds,evaluations,total".to_owned();
        for name in &names {
            csv += &format!(",{name},{name}_weighted");
        }
        csv += "\n";
        for point in &self.points {
            csv += &format!(
                "{},{:.3},{},{:e}",
                point.iteration, point.seconds, point.evaluations, point.total
            );
            for name in &names {
                csv += &match point.terms.iter().find(|term| term.name == *name) {
                    Some(term) => format!(",{:e},{:e}", term.value, term.weight * term.value),
                    None => ",,".to_owned(),
                };
            }
            csv += "\n";
        }
        csv
    }
}
