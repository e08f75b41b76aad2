//! The three axes on images small enough to be worked by hand, what each keeps in its place, and frequency scales
//! with their way back.

mod gradients;

use candle_core::{DType, Device, Result, Tensor};
use gradients::{assert_gradients, noise};
use weft_core::procedural::{Texture, synthesize};
use weft_core::spectrum::Stft;
use weft_lab::axes::{Axis, Field, FrequencyScale, Scale};
use weft_lab::{EnvelopeLoss, Objective, Term, energy_envelopes};

fn image(frames: usize, values: &[f64]) -> Tensor {
    let shape = (frames, values.len() / frames);
    Tensor::from_slice(values, shape, &Device::Cpu).unwrap()
}

fn rows(tensor: &Tensor) -> Vec<Vec<f64>> {
    tensor.to_vec2().unwrap()
}

#[test]
fn each_axis_sees_the_windows_that_it_slides_along() {
    // Three frames of two bins.
    let image = image(3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let windows = |axis| rows(&Field::of_image(axis, &image).unwrap().windows(2).unwrap());
    assert_eq!(
        windows(Axis::Frequency),
        [[1.0, 2.0, 3.0, 4.0], [3.0, 4.0, 5.0, 6.0]]
    );
    assert_eq!(windows(Axis::Time), [[1.0, 3.0, 5.0, 2.0, 4.0, 6.0]]);
    assert_eq!(
        windows(Axis::Plane),
        [[1.0, 2.0, 3.0, 4.0], [3.0, 4.0, 5.0, 6.0]]
    );
    for (axis, places, channels) in [
        (Axis::Frequency, 2, 4),
        (Axis::Time, 1, 6),
        (Axis::Plane, 2, 4),
    ] {
        let taps = Field::taps(axis, 2) * Field::channels_of(axis, (3, 2));
        assert_eq!(taps, channels, "{axis:?}");
        let field = Field::of_image(axis, &image).unwrap();
        assert_eq!(field.windows(2).unwrap().dims(), [places, channels]);
    }
    let field = Field::of_image(Axis::Plane, &image).unwrap();
    let error = field.windows(3).unwrap_err().to_string();
    assert!(
        error.contains("filters of 3 × 3 places can't see 3 × 2"),
        "{error}"
    );
}

#[test]
fn layers_follow_each_other_and_pool_along_what_their_filters_slide_along() {
    let values: Vec<f64> = (0..20).map(f64::from).collect();
    let image = image(5, &values);
    let pooled = |axis| {
        let field = Field::of_image(axis, &image).unwrap().max_pooled().unwrap();
        (field.extent(), rows(field.values()))
    };
    // Of frames 0 and 1, then 2 and 3; of bins 0 and 1, then 2 and 3.
    let (extent, values) = pooled(Axis::Frequency);
    assert_eq!(extent, (2, 1));
    assert_eq!(values, [[4.0, 5.0, 6.0, 7.0], [12.0, 13.0, 14.0, 15.0]]);
    let (extent, values) = pooled(Axis::Time);
    assert_eq!(extent, (1, 2));
    assert_eq!(
        values,
        [[1.0, 5.0, 9.0, 13.0, 17.0], [3.0, 7.0, 11.0, 15.0, 19.0]]
    );
    let (extent, values) = pooled(Axis::Plane);
    assert_eq!(extent, (2, 2));
    assert_eq!(values, [[5.0], [7.0], [13.0], [15.0]]);
    // A layer of three filters, and the windows of the next.
    let field = Field::of_image(Axis::Plane, &image).unwrap();
    let activations = Tensor::zeros((4 * 3, 3), DType::F64, &Device::Cpu).unwrap();
    let next = field.next(2, activations).unwrap();
    assert_eq!(next.extent(), (4, 3));
    assert_eq!(next.windows(2).unwrap().dims(), [3 * 2, 4 * 3]);
    let few = Tensor::zeros((4, 3), DType::F64, &Device::Cpu).unwrap();
    assert!(field.next(2, few).is_err());
}

/// Gram matrix of 40 random filters of 3 places.
fn gram(axis: Axis, image: &Tensor) -> Result<Tensor> {
    let windows = Field::of_image(axis, image)?.windows(3)?;
    let (places, taps) = windows.dims2()?;
    let filters = Tensor::from_vec(noise(taps * 40, 3), (taps, 40), &Device::Cpu)?;
    let features = windows.matmul(&filters)?.relu()?;
    features.t()?.matmul(&features)? / places as f64
}

fn difference(axis: Axis, a: &Tensor, b: &Tensor) -> f64 {
    let (a, b) = (gram(axis, a).unwrap(), gram(axis, b).unwrap());
    let sum = |x: Tensor| -> f64 { x.sqr().unwrap().sum_all().unwrap().to_scalar().unwrap() };
    (sum((&a - b).unwrap()) / sum(a)).sqrt()
}

#[test]
fn pitch_stays_in_place_with_bins_as_channels_and_time_with_frames_as_channels() {
    // A spot of four frames and four bins in silence, moved by six bins, or by six frames.
    let spot = |frame: usize, bin: usize| {
        let mut values = vec![0.0; 24 * 20];
        for (i, value) in noise(16, 5).into_iter().enumerate() {
            values[(frame + i / 4) * 20 + bin + i % 4] = value.abs();
        }
        image(24, &values)
    };
    let (here, higher, later) = (spot(5, 5), spot(5, 11), spot(11, 5));
    let moved = |axis| {
        (
            difference(axis, &here, &higher),
            difference(axis, &here, &later),
        )
    };
    let (pitch, time) = moved(Axis::Frequency);
    assert!(pitch > 0.3 && time < 1e-9, "frequency: {pitch}, {time}");
    let (pitch, time) = moved(Axis::Time);
    assert!(pitch < 1e-9 && time > 0.3, "time: {pitch}, {time}");
    let (pitch, time) = moved(Axis::Plane);
    assert!(pitch < 1e-9 && time < 1e-9, "plane: {pitch}, {time}");
}

/// Windows, a product, a rectifier and pooling, twice.
struct Layers(Axis);

impl Objective for Layers {
    fn terms(&mut self, image: &Tensor, _iteration: u32) -> Result<Vec<Term>> {
        let mut field = Field::of_image(self.0, image)?;
        for seed in [7, 8] {
            let windows = field.windows(2)?;
            let taps = windows.dim(1)?;
            let filters = Tensor::from_vec(noise(taps * 6, seed), (taps, 6), &Device::Cpu)?;
            field = field
                .next(2, windows.matmul(&filters)?.relu()?)?
                .max_pooled()?;
        }
        Ok(vec![Term {
            name: "sum of cubes",
            weight: 1.0,
            value: field.values().powf(3.0)?.sum_all()?,
        }])
    }
}

#[test]
fn gradients_through_the_axes_are_those_of_finite_differences() {
    let image = image(11, &noise(11 * 9, 2));
    for axis in [Axis::Frequency, Axis::Time, Axis::Plane] {
        assert_gradients(&mut Layers(axis), &image, 1e-7, 1e-6);
    }
}

#[test]
fn energy_envelopes_are_the_roots_of_the_sums_of_the_magnitudes_squares() {
    // Magnitudes of 1 and 2 in the first frame, 3 and 0 in the second.
    let log = image(2, &[2f64.ln(), 3f64.ln(), 4f64.ln(), 0.0]);
    let (over_time, over_frequency) = energy_envelopes(&log).unwrap();
    let near = |tensor: Tensor, expected: [f64; 2]| {
        for (x, y) in tensor.to_vec1::<f64>().unwrap().iter().zip(expected) {
            assert!((x - y).abs() < 1e-12, "{x} for {y}");
        }
    };
    near(over_time, [5f64.sqrt(), 3.0]);
    near(over_frequency, [10f64.sqrt(), 2.0]);
    // Silence is as far away as the content itself: 1 of each.
    let mut loss = EnvelopeLoss::new(&log, 2.0, 3.0).unwrap();
    let silence = log.zeros_like().unwrap();
    for (term, weight) in loss.terms(&silence, 0).unwrap().iter().zip([2.0, 3.0]) {
        assert_eq!(term.weight, weight);
        let value: f64 = term.value.to_scalar().unwrap();
        assert!((value - 1.0).abs() < 1e-5, "{}: {value}", term.name);
    }
    // And an image with the frames of the content the other way round keeps the envelope over frequency.
    let turned = image(2, &[4f64.ln(), 0.0, 2f64.ln(), 3f64.ln()]);
    let values = gradients::terms(&mut loss, &turned);
    assert!(
        values[0].1 < 1e-12 && values[0].0 == "envelope over frequency",
        "{values:?}"
    );
    let expected = 2.0 * (3.0 - 5f64.sqrt()).powi(2) / (5.0 + 9.0);
    assert!((values[1].1 - expected).abs() < 1e-12, "{values:?}");
    assert!(EnvelopeLoss::new(&silence, 1.0, 1.0).is_err());
    let start = image(2, &[0.3, 0.8, 0.2, 1.1]);
    assert_gradients(&mut loss, &start, 1e-5, 1e-7);
}

#[test]
fn scales_keep_what_is_the_same_everywhere_and_put_octaves_at_equal_distances() {
    let flat = Tensor::ones((2, 513), DType::F64, &Device::Cpu).unwrap();
    let mel = FrequencyScale::new(Scale::Mel, 513, 22_050.0).unwrap();
    assert_eq!(mel.rows(), 128);
    for value in &rows(&mel.apply(&flat).unwrap())[1] {
        assert!((value - 1.0).abs() < 1e-12, "{value}");
    }
    let linear = FrequencyScale::new(Scale::Linear, 513, 22_050.0).unwrap();
    assert_eq!(linear.rows(), 513);
    assert_eq!(rows(&linear.apply(&flat).unwrap()), rows(&flat));
    let constant_q = FrequencyScale::new(Scale::ConstantQ, 513, 22_050.0).unwrap();
    assert_eq!(constant_q.rows(), 513);
    let peak = |bin: usize| {
        let mut values = vec![0.0; 513];
        values[bin] = 1.0;
        let row = rows(&constant_q.apply(&image(1, &values)).unwrap()).swap_remove(0);
        let largest = row.iter().copied().fold(0.0, f64::max);
        row.iter().position(|x| *x == largest).unwrap()
    };
    // An octave has ln 2 / ln(513/512) of 2018 rows before they are resampled to 513.
    let octave = 2f64.ln() / (513.0f64 / 512.0).ln() * 513.0 / 2_018.0;
    for bin in [20, 40, 80, 160, 240] {
        let distance = (peak(2 * bin) - peak(bin)) as f64;
        assert!(
            (distance - octave).abs() <= 1.0,
            "bin {bin}: {distance} for {octave:.1}"
        );
    }
    // The first row is the tenth bin.
    assert_eq!(peak(10), 0);
    assert!(FrequencyScale::new(Scale::ConstantQ, 10, 22_050.0).is_err());
}

#[test]
fn inverses_come_as_near_as_the_methods_page_says() {
    // Error of an image from its inverse against the image, in dB, from the tenth bin up; below it constant-Q
    // knows nothing.
    let stft = Stft::new(1_024, 256).unwrap();
    let error_db = |scale: &FrequencyScale, texture| {
        let clip = synthesize(texture, 4, 22_050, 2.0);
        let magnitudes = stft.analyse(&clip.channels()[0]);
        let log = magnitudes.iter().map(|z| f64::from(z.norm().ln_1p()));
        let log = image(magnitudes.len() / 513, &log.collect::<Vec<_>>());
        let back = scale.invert(&scale.apply(&log).unwrap()).unwrap();
        let part = |x: &Tensor| x.narrow(1, 10, 503).unwrap();
        let energy =
            |x: Tensor| -> f64 { x.sqr().unwrap().sum_all().unwrap().to_scalar().unwrap() };
        10.0 * (energy((part(&back) - part(&log)).unwrap()) / energy(part(&log))).log10()
    };
    let mel = FrequencyScale::new(Scale::Mel, 513, 22_050.0).unwrap();
    let authors = FrequencyScale::new(Scale::ConstantQ, 513, 22_050.0).unwrap();
    let nearest = authors.clone().with_least_squares_inverse();
    let linear = FrequencyScale::new(Scale::Linear, 513, 22_050.0).unwrap();
    for texture in [
        Texture::Crickets,
        Texture::Chimes,
        Texture::Fire,
        Texture::Wind,
    ] {
        let [mel, authors, nearest] = [&mel, &authors, &nearest].map(|s| error_db(s, texture));
        println!(
            "{texture:?}: mel {mel:.1} dB, constant-Q as the authors' {authors:.1} dB, by least squares \
             {nearest:.1} dB"
        );
        assert!(
            mel < -10.0 && authors < -14.0 && nearest < -17.0,
            "{texture:?}"
        );
        assert!(nearest < authors, "{texture:?}");
        assert_eq!(error_db(&linear, texture), f64::NEG_INFINITY);
    }
}
