//! The command line of `cargo xtask demo`.

use std::path::PathBuf;

use clap::Args;

/// What the demo captures and plays.
#[derive(Debug, Clone, Args)]
pub struct DemoOptions {
    /// A recording of a texture (WAV, FLAC, OGG, MP3, AIFF); without one, synthesized rain.
    pub audio_file: Option<PathBuf>,
    /// Seed of the endless stream, and of the rain.
    #[arg(long, default_value_t = 0)]
    pub seed: u32,
    /// Optimisation steps of the fit: more is closer, and takes longer.
    #[arg(long, default_value_t = 2000)]
    pub fit_steps: u32,
    /// How many seconds of endless texture to record.
    #[arg(long, default_value_t = 20.0, value_parser = seconds)]
    pub seconds: f64,
    /// How many seconds of the file to capture, at most.
    #[arg(long, default_value_t = 10.0, value_parser = seconds)]
    pub capture_seconds: f64,
}

/// Longest duration that a demo takes, in seconds.
const MAX_S: f64 = 3600.0;

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= MAX_S => Ok(seconds),
        Ok(_) => Err(format!("give more than 0 and at most {MAX_S} seconds")),
        Err(_) => Err("give a number of seconds".into()),
    }
}
