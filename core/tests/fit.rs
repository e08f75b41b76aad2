//! Fits through their public doors: the same bits, progress, ends, refining, refusals.

mod support;

use std::ops::ControlFlow;

use weft_core::clip::Clip;
use weft_core::fit::cpu::Cpu;
use weft_core::fit::{FitError, FitEvent, FitSettings, LEAST_FRAMES, fit_on, refine_on};
use weft_core::network::Model;
use weft_core::procedural::Texture;

use support::clips::texture;
/// A fit of so many steps.
fn settings(steps: u32) -> FitSettings {
    FitSettings {
        steps,
        ..FitSettings::default()
    }
}

/// The processor, on so many threads.
fn cpu(threads: usize) -> Cpu {
    Cpu {
        threads,
        ..Cpu::default()
    }
}

fn fitted_on(threads: usize, clip: &Clip, settings: &FitSettings) -> Model {
    fit_on(&cpu(threads), clip, settings, &mut |_| {
        ControlFlow::Continue(())
    })
    .unwrap()
}

#[test]
fn fits_are_the_same_bits_whatever_the_threads() {
    let capture = texture(Texture::Clock, 1, 3.0);
    let one = fitted_on(1, &capture, &settings(8)).to_bytes();
    assert_eq!(one, fitted_on(3, &capture, &settings(8)).to_bytes());
    let other_seed = FitSettings {
        seed: 1,
        ..settings(8)
    };
    assert_ne!(one, fitted_on(1, &capture, &other_seed).to_bytes());
}

#[test]
fn a_critic_learns_beside_a_longer_fit_the_same_on_any_threads() {
    // Frames grow once, and the critic learns from the eightieth step on.
    let capture = texture(Texture::Fire, 1, 1.5);
    let longer = FitSettings {
        step_frames: Some(2 * LEAST_FRAMES),
        ..settings(500)
    };
    let model = fitted_on(1, &capture, &longer);
    assert_eq!(model.to_bytes(), fitted_on(3, &capture, &longer).to_bytes());
    let gap = model.fit_record().critic_gap;
    assert!(gap.is_some_and(|gap| (-1.0..4.0).contains(&gap)), "{gap:?}");
    let read = Model::from_bytes(&model.to_bytes()).unwrap();
    assert_eq!(read.fit_record().critic_gap, gap);

    // A fit that goes on begins with a critic of its own; a short one has none.
    assert_eq!(
        fitted_on(1, &capture, &settings(2)).fit_record().critic_gap,
        None
    );
}

#[test]
fn steps_of_too_few_or_too_many_frames_are_refused() {
    let capture = texture(Texture::Rain, 1, 1.5);
    for frames in [0, LEAST_FRAMES - 1, LEAST_FRAMES << 7] {
        let refused = FitSettings {
            step_frames: Some(frames),
            ..settings(2)
        };
        let error = fit_on(&cpu(1), &capture, &refused, &mut |_| {
            ControlFlow::Continue(())
        });
        let said = error.unwrap_err().to_string();
        assert!(said.contains(&format!("{frames} frames")), "{said}");
    }
}

#[test]
fn a_fit_lowers_its_loss_and_reports_snapshots() {
    let (mut losses, mut snapshots) = (Vec::new(), Vec::new());
    let on_event = &mut |event: FitEvent<'_>| {
        match event {
            FitEvent::Progress { step, steps, loss } => {
                assert_eq!((step as usize, steps), (losses.len() + 1, 60));
                losses.push(loss);
            }
            FitEvent::Snapshot { step, model } => {
                assert_eq!(model.fit_record().steps, step);
                snapshots.push(step);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    };
    let model = fit_on(
        &cpu(2),
        &texture(Texture::Rain, 1, 3.0),
        &settings(60),
        on_event,
    )
    .unwrap();
    assert!(
        losses[59] < 0.5 * losses[0],
        "{} to {}",
        losses[0],
        losses[59]
    );
    assert_eq!((snapshots[0], *snapshots.last().unwrap()), (0, 60));
    assert!(snapshots.len() > 8);
    assert_eq!(model.fit_record().steps, 60);
}

#[test]
fn a_fit_can_be_cancelled() {
    let mut steps = 0;
    let result = fit_on(
        &cpu(1),
        &texture(Texture::Rain, 1, 3.0),
        &settings(1000),
        &mut |event| {
            if let FitEvent::Progress { step, .. } = event {
                steps = step;
            }
            if steps == 3 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        },
    );
    assert_eq!(result.unwrap_err().to_string(), "the fit was cancelled");
    assert_eq!(steps, 3);
}

#[test]
fn a_time_limit_ends_a_fit() {
    let limited = FitSettings {
        max_duration_s: Some(0.5),
        ..settings(100_000)
    };
    let model = fitted_on(1, &texture(Texture::Rain, 1, 3.0), &limited);
    assert!((1..100_000).contains(&model.fit_record().steps));
}

#[test]
fn a_texture_can_be_refined_from_where_it_stood() {
    let go_on = |model: &Model, threads| {
        let mut first = None;
        let refined = refine_on(&cpu(threads), model, &settings(40), &mut |event| {
            if let FitEvent::Progress { loss, .. } = event {
                first.get_or_insert(loss);
            }
            ControlFlow::Continue(())
        });
        (refined.unwrap(), first.unwrap())
    };
    let start = fitted_on(1, &texture(Texture::Fire, 1, 3.0), &settings(80));
    let (better, first_loss) = go_on(&start, 1);
    assert_eq!(better.fit_record().steps, 120);
    assert_eq!(better.fit_record().seed, start.fit_record().seed);
    // A fresh network starts at about ten times that.
    assert!(first_loss < 2.0 * start.fit_record().loss, "{first_loss}");
    assert!(better.fit_record().quality_db() > start.fit_record().quality_db());
    // Through a file, and on other threads, it is the same.
    let read = Model::from_bytes(&start.to_bytes()).unwrap();
    assert!(go_on(&read, 3).0.generator() == better.generator());

    let bare = start.without_capture();
    let refused = refine_on(&cpu(1), &bare, &settings(1), &mut |_| {
        ControlFlow::Continue(())
    });
    assert!(matches!(refused, Err(FitError::NoCapture)));
}

#[test]
fn bad_settings_and_captures_are_refused_with_their_value() {
    let refuse = |clip: &Clip, settings: &FitSettings| {
        fit_on(&cpu(1), clip, settings, &mut |_| ControlFlow::Continue(()))
            .unwrap_err()
            .to_string()
    };
    let rain = texture(Texture::Rain, 1, 3.0);
    assert!(refuse(&rain, &settings(0)).contains("0 fit steps"));
    let never = FitSettings {
        max_duration_s: Some(-1.0),
        ..settings(5)
    };
    assert!(refuse(&rain, &never).contains("-1 s"));
    let short = Clip::new(16_000, vec![vec![0.1; 8_000]]).unwrap();
    assert!(refuse(&short, &settings(5)).contains("0.5"));
}
