//! The generator and its model through public doors: streams, determinism, files.

use std::ops::ControlFlow;

use weft_core::clip::Clip;
use weft_core::fit::cpu::Cpu;
use weft_core::fit::{FitError, FitEvent, FitSettings, fit_on, refine_on};
use weft_core::network::{BLOCK_FRAMES, GeneratorScratch, Model};
use weft_core::procedural::{Texture, synthesize};
use weft_core::render::Renderer;

fn settings(steps: u32) -> FitSettings {
    FitSettings {
        steps,
        ..FitSettings::default()
    }
}

fn cpu(threads: usize) -> Cpu {
    Cpu {
        threads,
        ..Cpu::default()
    }
}

fn quick_fit(clip: &Clip, settings: &FitSettings, threads: usize) -> Model {
    fit_on(&cpu(threads), clip, settings, &mut |_| {
        ControlFlow::Continue(())
    })
    .unwrap()
}

fn clip(texture: Texture) -> Clip {
    synthesize(texture, 1, 16_000, 3.0)
}

#[test]
fn streamed_frames_are_the_batch() {
    for texture in [Texture::Rain, Texture::Clock] {
        let model = quick_fit(&clip(texture), &settings(5), 1);
        let (generator, width) = (model.generator(), model.generator().feature_width());
        let mut scratch = GeneratorScratch::default();
        for start in [-3, 0, 1 << 28] {
            let blocks = 7;
            let mut batch = vec![0.0; blocks * BLOCK_FRAMES * width];
            let first = start * BLOCK_FRAMES as i64;
            generator.frames_into(3, first, blocks * BLOCK_FRAMES, &mut scratch, &mut batch);
            let mut worst = 0.0f32;
            for (i, part) in batch.chunks_exact(BLOCK_FRAMES * width).enumerate() {
                let mut block = vec![0.0; part.len()];
                generator.block_into(3, start + i as i64, &mut scratch, &mut block);
                let error = |(a, b): (&f32, &f32)| (a - b).abs();
                worst = block.iter().zip(part).map(error).fold(worst, f32::max);
            }
            println!("{texture:?} from block {start}: largest error {worst:.1e}");
            assert!(worst < 1e-5, "{worst}");
        }
    }
}

#[test]
fn a_render_is_the_same_however_it_is_cut() {
    let model = quick_fit(&clip(Texture::Fire), &settings(5), 1);
    let render = |cuts: &[usize]| {
        let mut renderer = Renderer::new(&model, 5).unwrap();
        let mut out = vec![Vec::new(); renderer.channels()];
        for &cut in cuts {
            let mut part = vec![vec![0.0; cut]; out.len()];
            renderer.render_into(&mut part.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>());
            for (out, part) in out.iter_mut().zip(part) {
                out.extend(part);
            }
        }
        out
    };
    assert_eq!(render(&[20_000]), render(&[1, 777, 0, 12_345, 64, 6_813]));
}

#[test]
fn fits_are_the_same_bits_whatever_the_threads() {
    let capture = clip(Texture::Clock);
    let one = quick_fit(&capture, &settings(8), 1).to_bytes();
    assert_eq!(one, quick_fit(&capture, &settings(8), 3).to_bytes());
    let other_seed = FitSettings {
        seed: 1,
        ..settings(8)
    };
    assert_ne!(one, quick_fit(&capture, &other_seed, 1).to_bytes());
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
    let model = fit_on(&cpu(2), &clip(Texture::Rain), &settings(60), on_event).unwrap();
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
        &clip(Texture::Rain),
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
    let model = quick_fit(&clip(Texture::Rain), &limited, 1);
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
    let start = quick_fit(&clip(Texture::Fire), &settings(80), 1);
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
fn a_model_survives_its_file() {
    let model = quick_fit(&clip(Texture::Clock), &settings(5), 1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clock.weft");
    model.write(&path).unwrap();
    let back = Model::read(&path).unwrap();
    assert_eq!(back.to_bytes(), model.to_bytes());
    assert_eq!(back.fit_record(), model.fit_record());
    assert_eq!(
        back.capture().unwrap().clip().channels(),
        model.capture().unwrap().clip().channels()
    );
    let render = |model: &Model| {
        let mut out = vec![vec![0.0f32; 8_000]; model.output_channels()];
        let slices = &mut out.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>();
        Renderer::new(model, 1).unwrap().render_into(slices);
        out
    };
    assert_eq!(render(&model), render(&back));
    assert!(back.without_capture().to_bytes().len() < model.to_bytes().len());
    assert!(model.write(folder.path()).is_err(), "a folder is no file");
    assert!(Model::read(&folder.path().join("none.weft")).is_err());
}

#[test]
fn bad_settings_and_captures_are_refused_with_their_value() {
    let refuse = |clip: &Clip, settings: &FitSettings| {
        fit_on(&cpu(1), clip, settings, &mut |_| ControlFlow::Continue(()))
            .unwrap_err()
            .to_string()
    };
    let rain = clip(Texture::Rain);
    assert!(refuse(&rain, &settings(0)).contains("0 fit steps"));
    let never = FitSettings {
        max_duration_s: Some(-1.0),
        ..settings(5)
    };
    assert!(refuse(&rain, &never).contains("-1 s"));
    let short = Clip::new(16_000, vec![vec![0.1; 8_000]]).unwrap();
    assert!(refuse(&short, &settings(5)).contains("0.5"));
}

#[test]
fn every_sample_rate_and_channel_count_can_be_fitted() {
    for rate in [8_000, 22_050, 44_100, 96_000, 192_000] {
        let stereo = synthesize(Texture::Rain, 1, rate, 1.2);
        let mono = Clip::new(rate, vec![stereo.channels()[0].clone()]).unwrap();
        for capture in [stereo, mono] {
            let model = quick_fit(&capture, &settings(1), 1);
            let mut out = vec![vec![0.0f32; rate as usize / 10]; capture.channel_count()];
            let slices = &mut out.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>();
            Renderer::new(&model, 1).unwrap().render_into(slices);
            assert!(out.iter().flatten().all(|x| x.is_finite()));
            assert!(out.iter().flatten().any(|x| *x != 0.0));
        }
    }
}
