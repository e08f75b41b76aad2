//! The minimiser on functions whose minima are known.

use weft_lab::lbfgs::{Bounds, LbfgsSettings, Minimizer, StepOutcome};

type Evaluated = Result<(f64, Vec<f64>), String>;

/// Runs to the end, and returns the point, the steps and the evaluations.
fn minimized(
    start: Vec<f64>,
    settings: LbfgsSettings,
    function: impl Fn(&[f64]) -> (f64, Vec<f64>),
) -> (Vec<f64>, usize, usize) {
    let mut evaluations = 0;
    let mut counted = |point: &[f64]| -> Evaluated {
        evaluations += 1;
        Ok(function(point))
    };
    let mut minimizer = Minimizer::new(start, settings, &mut counted).unwrap();
    let mut steps = 0;
    while minimizer.gradient().iter().any(|g| g.abs() > 1e-7) {
        let before = minimizer.value();
        if minimizer.step(&mut counted).unwrap() == StepOutcome::Converged {
            break;
        }
        assert!(minimizer.value() < before, "a step upwards");
        steps += 1;
        assert!(steps < 2_000, "no end");
    }
    (minimizer.point().to_vec(), steps, evaluations)
}

/// Rosenbrock's valley, with its minimum at (1, 1, ...).
fn rosenbrock(x: &[f64]) -> (f64, Vec<f64>) {
    let mut gradient = vec![0.0; x.len()];
    let mut value = 0.0;
    for i in 0..x.len() - 1 {
        let (a, b) = (1.0 - x[i], x[i + 1] - x[i] * x[i]);
        value += a * a + 100.0 * b * b;
        gradient[i] += -2.0 * a - 400.0 * x[i] * b;
        gradient[i + 1] += 200.0 * b;
    }
    (value, gradient)
}

#[test]
fn it_finds_the_end_of_rosenbrocks_valley() {
    for (start, most) in [(vec![-1.2, 1.0], 60), ([-1.2, 1.0].repeat(10), 250)] {
        let (point, steps, evaluations) = minimized(start, LbfgsSettings::default(), rosenbrock);
        println!(
            "Rosenbrock, {} variables: {steps} steps, {evaluations} evaluations",
            point.len()
        );
        assert!(point.iter().all(|x| (x - 1.0).abs() < 1e-6), "{point:?}");
        assert!(steps < most, "{steps} steps");
        assert!(evaluations < 2 * steps + 60, "{evaluations} evaluations");
    }
}

#[test]
fn it_finds_the_bottom_of_a_narrow_quadratic() {
    // Curvatures from 1 to ten thousand, minimum at i.
    let curvature = |i: usize| 10f64.powf(4.0 * i as f64 / 49.0);
    let bowl = |x: &[f64]| {
        let offsets = x.iter().enumerate().map(|(i, x)| (i, x - i as f64));
        let value = offsets
            .clone()
            .map(|(i, d)| curvature(i) * d * d / 2.0)
            .sum();
        (value, offsets.map(|(i, d)| curvature(i) * d).collect())
    };
    let (point, steps, _) = minimized(vec![0.0; 50], LbfgsSettings::default(), bowl);
    println!("a condition of 1e4: {steps} steps");
    let worst = point.iter().enumerate().map(|(i, x)| (x - i as f64).abs());
    assert!(worst.fold(0.0, f64::max) < 1e-5);
    assert!(steps < 1_200, "{steps} steps");
}

#[test]
fn bounds_are_kept_and_the_minimum_within_them_is_found() {
    // Coupled neighbours, with a minimum that would be negative in every other variable.
    let function = |x: &[f64]| {
        let n = x.len();
        let mut gradient = vec![0.0; n];
        let mut value = 0.0;
        for i in 0..n {
            let wanted = if i % 2 == 0 { 2.0 } else { -3.0 };
            value += (x[i] - wanted).powi(2);
            gradient[i] += 2.0 * (x[i] - wanted);
            if i + 1 < n {
                let d = x[i] - x[i + 1];
                value += d * d / 2.0;
                gradient[i] += d;
                gradient[i + 1] -= d;
            }
        }
        assert!(x.iter().all(|x| *x >= 0.0), "left the bounds: {x:?}");
        (value, gradient)
    };
    let settings = LbfgsSettings {
        bounds: Bounds::NOT_NEGATIVE,
        ..LbfgsSettings::default()
    };
    let start = (0..30).map(|i| f64::from(i) - 15.0).collect();
    let (point, ..) = minimized(start, settings, function);
    let (_, gradient) = function(&point);
    for (x, g) in point.iter().zip(&gradient) {
        // The conditions of Karush, Kuhn & Tucker.
        assert!(
            if *x == 0.0 { *g >= 0.0 } else { g.abs() < 1e-5 },
            "{x} {g}"
        );
    }
    assert!(point.iter().filter(|x| **x == 0.0).count() >= 10);

    // The valley's end lies outside: on the bound, at (½, ¼).
    let settings = LbfgsSettings {
        bounds: Bounds {
            least: -2.0,
            most: 0.5,
        },
        ..LbfgsSettings::default()
    };
    let (point, ..) = minimized(vec![-1.2, 1.0], settings, rosenbrock);
    assert_eq!(point[0], 0.5);
    assert!((point[1] - 0.25).abs() < 1e-6, "{point:?}");
}

#[test]
fn where_the_function_is_no_number_it_stays_away() {
    // ln x is none below 0, and the first steps would lead there.
    let function = |x: &[f64]| (x[0] - x[0].ln(), vec![1.0 - 1.0 / x[0]]);
    let (point, ..) = minimized(vec![20.0], LbfgsSettings::default(), function);
    assert!((point[0] - 1.0).abs() < 1e-6, "{point:?}");
}

#[test]
fn an_error_leaves_the_point_where_it_was() {
    let mut function = |x: &[f64]| -> Evaluated { Ok((x[0] * x[0], vec![2.0 * x[0]])) };
    let mut minimizer = Minimizer::new(vec![3.0], LbfgsSettings::default(), &mut function).unwrap();
    let mut broken = |_: &[f64]| -> Evaluated { Err("broken".into()) };
    assert_eq!(minimizer.step(&mut broken), Err("broken".into()));
    assert_eq!((minimizer.point(), minimizer.value()), (&[3.0][..], 9.0));
    let mut steeper = |x: &[f64]| -> Evaluated { Ok((5.0 * x[0] * x[0], vec![10.0 * x[0]])) };
    minimizer.evaluate_again(&mut steeper).unwrap();
    assert_eq!(minimizer.value(), 45.0);
}
