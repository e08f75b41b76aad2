//! What a fit has reached after how long: scores and the fit's own quality figure of every snapshot.
//!
//! `cargo run --release -p weft-core --example fit_curve -- RECORDING...`
//!
//! Time counts the analysis and the fit, not the rendering and scoring of snapshots, which come after.

use std::error::Error;
use std::ops::ControlFlow;
use std::time::Instant;

use weft_core::clip::Clip;
use weft_core::fit::{FitEvent, FitSettings, fit};
use weft_core::network::Model;
use weft_core::render::Renderer;
use weft_core::texture::score::{Recording, ScoreSettings, Scores, score};

/// Of the published optimisation methods, what the first reaches (Antognini et al. 2019): dB, and
/// Fréchet distance.
const PUBLISHED: (f64, f64) = (11.6, 4.0);
/// As good as done.
const NEARLY: f64 = 0.95;

fn main() -> Result<(), Box<dyn Error>> {
    for path in std::env::args_os().skip(1) {
        curve(path.as_ref())?;
    }
    Ok(())
}

fn curve(path: &std::path::Path) -> Result<(), Box<dyn Error>> {
    let clip = Clip::read(path)?;
    let reference = Recording::new(&clip)?;
    let start = Instant::now();
    let mut snapshots: Vec<(u32, f64, Model)> = Vec::new();
    let mut steps = 0;
    fit(&clip, &FitSettings::default(), &mut |event| {
        match event {
            FitEvent::Snapshot { step, model, .. } => {
                snapshots.push((step, start.elapsed().as_secs_f64(), model.clone()));
            }
            FitEvent::Progress { step, .. } => steps = step,
            _ => {}
        }
        ControlFlow::Continue(())
    })?;
    let total_s = start.elapsed().as_secs_f64();
    println!("{}: {steps} steps in {total_s:.1} s", path.display());
    println!(
        "{:>6} {:>8} {:>8} {:>8} {:>8}",
        "step", "time s", "stat_snr", "fmel", "quality"
    );
    let mut curve = Vec::new();
    for (step, time_s, model) in &snapshots {
        let scores = scores(&reference, model, clip.len())?;
        let (snr, fmel) = (scores.statistics_snr_db, scores.frechet_mel);
        let quality = model.fit_record().quality_db();
        println!("{step:6} {time_s:8.2} {snr:8.2} {fmel:8.2} {quality:8.2}");
        curve.push((*time_s, snr, fmel));
    }
    let (_, last_snr, last_fmel) = curve[curve.len() - 1];
    let first = |passes: &dyn Fn(f64, f64) -> bool| {
        let found = curve.iter().find(|(_, snr, fmel)| passes(*snr, *fmel));
        found.map_or("never".to_owned(), |c| format!("{:.1} s", c.0))
    };
    println!(
        "published level ({} dB, {}): {}; {:.0} % of the last snapshot's: {}",
        PUBLISHED.0,
        PUBLISHED.1,
        first(&|snr, fmel| snr >= PUBLISHED.0 && fmel <= PUBLISHED.1),
        NEARLY * 100.0,
        first(&|snr, fmel| snr >= NEARLY * last_snr && fmel <= last_fmel / NEARLY),
    );
    Ok(())
}

/// Scores of twice the recording's length of the texture.
fn scores(reference: &Recording, model: &Model, length: usize) -> Result<Scores, Box<dyn Error>> {
    let mut renderer = Renderer::new(model, 0)?;
    let mut channels = vec![vec![0.0; 2 * length]; renderer.channels()];
    let mut out: Vec<&mut [f32]> = channels.iter_mut().map(Vec::as_mut_slice).collect();
    renderer.render_into(&mut out);
    let synthesis = Recording::new(&Clip::new(renderer.sample_rate(), channels)?)?;
    Ok(score(reference, &synthesis, &ScoreSettings::default())?)
}
