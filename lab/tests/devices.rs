//! Each method on a graphics processor beside the processor; where none answers, there is nothing to compare.

use std::sync::atomic::AtomicBool;

use weft_core::procedural::{Texture, synthesize};
use weft_lab::axes::Axis;
use weft_lab::methods::{Antognini, Huzaifah, SynthesisSettings, Synthesizer, Ulyanov};
use weft_lab::{Curve, Device, DeviceChoice, device_name};

/// Largest difference of a term at the same image, as a part of it: both devices compute in single precision.
const SAME: f64 = 2e-4;
/// Largest difference of the loss after some iterations, as a part of what they won: line searches amplify roundings.
const ALIKE: f64 = 5e-2;
const ITERATIONS: u32 = 8;

/// The methods, as small as a test needs them.
fn methods() -> Vec<(&'static str, Box<dyn Synthesizer>)> {
    let antognini = Antognini {
        filters: 24,
        widest: 16,
        ..Antognini::default()
    };
    let stacked = Antognini {
        stacked: true,
        ..antognini.clone()
    };
    let ulyanov = Ulyanov {
        filters: 64,
        ..Ulyanov::default()
    };
    let huzaifah = |axis| Huzaifah {
        axis,
        filters: Some(16),
        ..Huzaifah::default()
    };
    vec![
        ("antognini", Box::new(antognini)),
        ("antognini, stacked", Box::new(stacked)),
        ("ulyanov", Box::new(ulyanov)),
        ("huzaifah, frequency", Box::new(huzaifah(Axis::Frequency))),
        ("huzaifah, time", Box::new(huzaifah(Axis::Time))),
        ("huzaifah, plane", Box::new(huzaifah(Axis::Plane))),
    ]
}

fn curve(method: &dyn Synthesizer, device: &Device) -> Curve {
    let fire = synthesize(Texture::Fire, 1, 16_000, 2.5);
    let settings = SynthesisSettings {
        iterations: Some(ITERATIONS),
        ..SynthesisSettings::default()
    };
    let never = AtomicBool::new(false);
    let made = method.synthesize(&[(&fire, 1.0)], &settings, device, &never, &mut |_| {});
    made.unwrap().curve
}

#[test]
fn methods_on_a_graphics_processor_go_the_same_way() {
    let choices = [DeviceChoice::Cuda, DeviceChoice::Metal];
    let Some(device) = choices.into_iter().find_map(|choice| choice.open().ok()) else {
        println!("no graphics processor answers");
        return;
    };
    for (name, method) in methods() {
        let (here, there) = (curve(&*method, &Device::Cpu), curve(&*method, &device));
        let (first, last) = (&here.points[0], here.points.last().unwrap());
        for (a, b) in first.terms.iter().zip(&there.points[0].terms) {
            let (size, difference) = (a.value.abs(), (a.value - b.value).abs());
            println!(
                "{name}: {} {size:.4e}, on {} {difference:.1e} more or less",
                a.name,
                device_name(&device)
            );
            assert!(
                difference <= SAME * size,
                "{name}: {} {} {}",
                a.name,
                a.value,
                b.value
            );
        }
        let end = there.points.last().unwrap();
        let error = (last.total - end.total).abs() / (first.total - last.total);
        println!(
            "{name}: {:.4e} and {:.4e} after {ITERATIONS} iterations",
            last.total, end.total
        );
        assert!(error < ALIKE, "{name}: {} {}", last.total, end.total);
    }
}
