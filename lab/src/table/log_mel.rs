//! Log mel spectrograms as VGGish was trained on (Hershey et al. 2017, section 2, and the constants of its authors'
//! published program).

use realfft::RealFftPlanner;

/// Sample rate in Hz.
pub const SAMPLE_RATE: u32 = 16_000;
/// Frames of a patch, .96 s.
pub const FRAMES: usize = 96;
/// Mel bands.
pub const BANDS: usize = 64;
/// Samples of a window, 25 ms.
const WINDOW: usize = 400;
/// Samples of the transform, behind the window zeros.
const SIZE: usize = 512;
/// Samples from one frame to the next, 10 ms.
const HOP: usize = 160;
/// Lower end of the first band and upper end of the last, in Hz.
const EDGES_HZ: (f64, f64) = (125.0, 7_500.0);
/// What is added before the logarithm.
const OFFSET: f64 = 0.01;
/// Frames from one patch to the next: half of one, so that a short recording has more than a few.
const PATCH_HOP: usize = FRAMES / 2;

/// The patches of a sound at [`SAMPLE_RATE`], [`FRAMES`] × [`BANDS`] each; none of less than one patch.
pub fn patches(sound: &[f32]) -> Vec<Vec<f32>> {
    let frames = frames(sound);
    let count = frames.len() / BANDS;
    let starts = (0..)
        .step_by(PATCH_HOP)
        .take_while(|start| start + FRAMES <= count);
    starts
        .map(|start| frames[start * BANDS..(start + FRAMES) * BANDS].to_vec())
        .collect()
}

/// Log mel magnitudes, frame after frame.
fn frames(sound: &[f32]) -> Vec<f32> {
    let transform = RealFftPlanner::<f64>::new().plan_fft_forward(SIZE);
    let turn = std::f64::consts::TAU / WINDOW as f64;
    let window: Vec<f64> = (0..WINDOW)
        .map(|i| 0.5 - 0.5 * (turn * i as f64).cos())
        .collect();
    let bands = bands();
    let mut input = transform.make_input_vec();
    let mut spectrum = transform.make_output_vec();
    let mut out = Vec::new();
    for frame in sound.windows(WINDOW).step_by(HOP) {
        input.fill(0.0);
        for ((x, sample), weight) in input.iter_mut().zip(frame).zip(&window) {
            *x = f64::from(*sample) * weight;
        }
        if transform.process(&mut input, &mut spectrum).is_err() {
            unreachable!("both are as long as the transform wants them");
        }
        let magnitudes: Vec<f64> = spectrum.iter().map(|z| z.norm()).collect();
        out.extend(bands.iter().map(|band| {
            let sum: f64 = band.iter().zip(&magnitudes).map(|(w, x)| w * x).sum();
            (sum + OFFSET).ln() as f32
        }));
    }
    out
}

/// The weight of every bin in each band: triangles that are straight on the mel scale.
fn bands() -> Vec<Vec<f64>> {
    let mel = |hz: f64| 1_127.0 * (hz / 700.0).ln_1p();
    let (low, high) = (mel(EDGES_HZ.0), mel(EDGES_HZ.1));
    let edge = |index: usize| low + (high - low) * index as f64 / (BANDS + 1) as f64;
    let weights = |band: usize| {
        let bins = 0..SIZE / 2 + 1;
        bins.map(move |bin| {
            if bin == 0 {
                // The mean of the samples is none of a sound's.
                return 0.0;
            }
            let at = mel(f64::from(SAMPLE_RATE) * bin as f64 / SIZE as f64);
            let (left, middle, right) = (edge(band), edge(band + 1), edge(band + 2));
            let rising = (at - left) / (middle - left);
            let falling = (right - at) / (right - middle);
            rising.min(falling).max(0.0)
        })
    };
    (0..BANDS).map(|band| weights(band).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_loudest_in_its_band_and_silence_is_the_offset() {
        assert!(patches(&[0.0; 15_000]).is_empty());
        let silent = patches(&[0.0; 32_000]);
        // 198 frames: patches at 0, 48 and 96.
        assert_eq!((silent.len(), silent[0].len()), (3, FRAMES * BANDS));
        assert!(silent[0].iter().all(|x| (x - 0.01f32.ln()).abs() < 1e-6));
        let tone = |i: usize| (std::f64::consts::TAU * 1_000.0 * i as f64 / 16_000.0).sin() as f32;
        let patch = &patches(&(0..20_000).map(tone).collect::<Vec<_>>())[0];
        let frame = &patch[40 * BANDS..41 * BANDS];
        let loudest = frame
            .iter()
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(b.1))
            .unwrap()
            .0;
        // 1 kHz is 1000 mel; bands stand 40.2 mel apart from 185 mel on.
        let mel = |hz: f64| 1_127.0 * (hz / 700.0f64).ln_1p();
        let apart = (mel(7_500.0) - mel(125.0)) / 65.0;
        let wanted = ((mel(1_000.0) - mel(125.0)) / apart).round() as usize - 1;
        assert_eq!(loudest, wanted);
    }
}
