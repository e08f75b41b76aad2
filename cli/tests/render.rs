//! What `weft render` makes of a texture: with the plugin's controls, and as a loop.

mod support;

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use weft_core::clip::Clip;

use support::{folder_with_rain, refuse, succeed};

/// A folder with `in.weft`, a texture of two seconds of rain at 16 kHz.
fn folder_with_texture() -> TempDir {
    let folder = folder_with_rain();
    succeed(folder.path(), "fit in.wav --fit-steps 30 -o in.weft");
    folder
}

/// Renders with these arguments and reads what was written.
fn render(folder: &Path, arguments: &str) -> Clip {
    succeed(
        folder,
        &format!("render in.weft {arguments} --force -o out.wav"),
    );
    let clip = Clip::read(&folder.join("out.wav")).unwrap();
    clip.check_texture().unwrap();
    clip
}

fn db(ratio: f32) -> f32 {
    20.0 * ratio.log10()
}

/// Power of the differences of neighbouring samples over that of the samples: rises with the pitch.
fn roughness(clip: &Clip) -> f32 {
    let sums = clip.channels().iter().flat_map(|c| c.windows(2));
    let difference: f32 = sums.map(|w| (w[1] - w[0]).powi(2)).sum();
    let count = (clip.len() * clip.channel_count()) as f32;
    (difference / count).sqrt() / clip.rms()
}

/// Power of left minus right over that of left plus right.
fn side(clip: &Clip) -> f32 {
    let [left, right] = clip.channels() else {
        panic!("not stereo");
    };
    let power = |sign: f32| -> f32 {
        let both = left.iter().zip(right);
        both.map(|(l, r)| (l + sign * r).powi(2)).sum()
    };
    power(-1.0) / power(1.0)
}

#[test]
fn controls_do_what_the_plugins_do() {
    let folder = folder_with_texture();
    let path = folder.path();
    let plain = render(path, "--seconds 3");
    // An instrument that changes nothing plays the same texture at the same level.
    let played = render(path, "--seconds 3 --density 100");
    assert_eq!(played.len(), plain.len());
    assert_eq!(played.channel_count(), 2);
    assert!(db(played.rms() / plain.rms()).abs() < 1.0);
    assert!(db(side(&played) / side(&plain)).abs() < 2.0);
    assert!((roughness(&played) / roughness(&plain) - 1.0).abs() < 0.1);
    // And the same file every time.
    let bytes = fs::read(path.join("out.wav")).unwrap();
    assert!(render(path, "--seconds 3 --density 100") == played);
    assert!(fs::read(path.join("out.wav")).unwrap() == bytes);
    assert!(render(path, "--seconds 3 --density 100 --seed 1") != played);

    let low = render(path, "--seconds 3 --pitch -12");
    assert!(roughness(&low) < 0.8 * roughness(&played));
    let dark = render(path, "--seconds 3 --brightness -6");
    assert!(roughness(&dark) < 0.8 * roughness(&played));
    let mono = render(path, "--seconds 3 --width 0");
    assert!(side(&mono) < 1e-6);
    let wide = render(path, "--seconds 3 --width 200");
    assert!(db(side(&wide) / side(&played)) > 3.0);
    for other in ["--time 0.25", "--time 0", "--density 0"] {
        let other = render(path, &format!("--seconds 3 {other}"));
        assert!(other != played && db(other.rms() / plain.rms()).abs() < 6.0);
    }
    for (arguments, part) in [
        ("--pitch 25", "-24"),
        ("--pitch NaN", "24"),
        ("--time 0.05", "0.1"),
        ("--brightness 13", "12"),
        ("--width=-1", "200"),
        ("--density 201", "200"),
        ("--loop 3 --seconds 3", "cannot be used with"),
    ] {
        refuse(path, &format!("render in.weft {arguments} -o no.wav"), part);
    }
}

#[test]
fn a_loops_end_leads_into_its_beginning() {
    let folder = folder_with_texture();
    let path = folder.path();
    for arguments in [
        "--loop 1",
        "--loop 2.5",
        "--loop 2 --pitch 3",
        "--loop 1.5 --seed 4",
    ] {
        let clip = render(path, arguments);
        let seconds: f64 = arguments
            .split_whitespace()
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(clip.duration_s(), seconds, "{arguments}");
        for channel in clip.channels() {
            let mut steps: Vec<f32> = channel.windows(2).map(|w| (w[1] - w[0]).abs()).collect();
            let seam = (channel[0] - channel[channel.len() - 1]).abs();
            let most = steps.iter().fold(0.0f32, |a, &b| a.max(b));
            assert!(seam <= most, "{arguments}: {seam} of {most}");
            // Nor is it one of the rarest.
            steps.sort_by(f32::total_cmp);
            assert!(seam <= steps[steps.len() * 995 / 1000], "{arguments}");
        }
        // The level does not sag where the ends overlap.
        let fade_s = 0.5f64.min(seconds / 2.0);
        let end = clip.trimmed(seconds - fade_s, fade_s);
        let level = db(end.rms() / clip.rms());
        assert!(level.abs() < 1.5, "{arguments}: {level} dB");
    }
    // But for the fade, it is the same texture: what a plain render plays after the loop's hidden beginning.
    let plain = render(path, "--seconds 3");
    let looped = render(path, "--loop 2");
    assert!(looped.trimmed(0.0, 1.5) == plain.trimmed(0.5, 1.5));
    // What follows the end in a plain render comes in where the fade begins.
    let first = looped.trimmed(1.5, 0.01);
    let follows = plain.trimmed(2.0, 0.01);
    let both = first.channels()[0].iter().zip(&follows.channels()[0]);
    let difference: f32 = both.map(|(a, b)| (a - b).powi(2)).sum();
    assert!((difference / first.len() as f32).sqrt() < 0.1 * follows.rms());
}
