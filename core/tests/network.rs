//! The generator and its model through public doors: streams, renders, files.

mod support;

use weft_core::clip::Clip;
use weft_core::network::{BLOCK_FRAMES, GeneratorScratch, Model};
use weft_core::procedural::{Texture, synthesize};
use weft_core::render::Renderer;

use support::clips::texture;
use support::models::{fitted, rendered};

#[test]
fn streamed_frames_are_the_batch() {
    for kind in [Texture::Rain, Texture::Clock] {
        let model = fitted(&texture(kind, 1, 3.0), 5);
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
            println!("{kind:?} from block {start}: largest error {worst:.1e}");
            assert!(worst < 1e-5, "{worst}");
        }
    }
}

#[test]
fn a_render_is_the_same_however_it_is_cut() {
    let model = fitted(&texture(Texture::Fire, 1, 3.0), 5);
    let render = |cuts: &[usize]| {
        let mut renderer = Renderer::new(&model, 5).unwrap();
        let mut out = vec![Vec::new(); renderer.channels()];
        for &cut in cuts {
            for (out, part) in out.iter_mut().zip(rendered(&mut renderer, cut)) {
                out.extend(part);
            }
        }
        out
    };
    assert_eq!(render(&[20_000]), render(&[1, 777, 0, 12_345, 64, 6_813]));
}

#[test]
fn a_model_survives_its_file() {
    let model = fitted(&texture(Texture::Clock, 1, 3.0), 5);
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
        let out = rendered(&mut Renderer::new(model, 1).unwrap(), 8_000);
        assert_eq!(out.len(), model.output_channels());
        out
    };
    assert_eq!(render(&model), render(&back));
    assert!(back.without_capture().to_bytes().len() < model.to_bytes().len());
    assert!(model.write(folder.path()).is_err(), "a folder is no file");
    assert!(Model::read(&folder.path().join("none.weft")).is_err());
}

#[test]
fn every_sample_rate_and_channel_count_can_be_fitted() {
    for rate in [8_000, 22_050, 44_100, 96_000, 192_000] {
        let stereo = synthesize(Texture::Rain, 1, rate, 1.2);
        let mono = Clip::new(rate, vec![stereo.channels()[0].clone()]).unwrap();
        for capture in [stereo, mono] {
            let model = fitted(&capture, 1);
            let out = rendered(&mut Renderer::new(&model, 1).unwrap(), rate as usize / 10);
            assert_eq!(out.len(), capture.channel_count());
            assert!(out.iter().flatten().all(|x| x.is_finite()));
            assert!(out.iter().flatten().any(|x| *x != 0.0));
        }
    }
}
