//! Two spectrograms side by side in one PNG: what went in, and what comes out.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::Context;
use weft_core::clip::Clip;
use weft_core::spectrum::Stft;

/// Frame and hop of the spectrograms, in samples: at 48 kHz 12 Hz by 21 ms.
const FFT_SIZE: usize = 4096;
const HOP_SIZE: usize = 1024;

/// Decibels from the darkest to the lightest colour.
const DYNAMIC_RANGE_DB: f32 = 80.0;
/// Lowest frequency shown, in Hz.
const LOWEST_HZ: f32 = 40.0;

const PANEL_HEIGHT: usize = 480;
/// Width of both panels together, shared by duration.
const PANELS_WIDTH: usize = 1280;
const MARGIN_LEFT: usize = 64;
const MARGIN_TOP: usize = 40;
const MARGIN_BOTTOM: usize = 44;
const MARGIN_RIGHT: usize = 96;
const GAP: usize = 24;
const COLOUR_BAR_WIDTH: usize = 16;
const TICK: usize = 5;

type Colour = [u8; 3];

const BACKGROUND: Colour = [250, 250, 250];
const INK: Colour = [40, 40, 40];

/// A colour ramp whose lightness rises evenly (CIE L* 5 to 95), from night blue over violet and
/// orange to pale yellow.
const RAMP: [Colour; 7] = [
    [8, 10, 34],
    [50, 20, 92],
    [113, 31, 117],
    [176, 48, 98],
    [226, 92, 62],
    [247, 164, 66],
    [252, 240, 178],
];

/// Log magnitudes of a clip: its channels' mean power, in dB.
struct Spectrogram {
    frames: usize,
    bins: usize,
    /// Row-major, `frames × bins`.
    level_db: Vec<f32>,
    duration_s: f64,
    sample_rate: f32,
}

impl Spectrogram {
    fn new(clip: &Clip) -> anyhow::Result<Self> {
        let stft = Stft::new(FFT_SIZE, HOP_SIZE)?;
        let bins = stft.bins();
        let mut power = vec![0.0_f32; stft.frame_count(clip.len()) * bins];
        for channel in clip.channels() {
            for (sum, value) in power.iter_mut().zip(stft.analyse(channel)) {
                *sum += value.norm_sqr();
            }
        }
        let channels = clip.channel_count() as f32;
        Ok(Self {
            frames: power.len() / bins,
            bins,
            level_db: power
                .iter()
                .map(|power| 10.0 * (power / channels).max(f32::MIN_POSITIVE).log10())
                .collect(),
            duration_s: clip.duration_s(),
            sample_rate: clip.sample_rate() as f32,
        })
    }

    fn loudest_db(&self) -> f32 {
        self.level_db.iter().copied().fold(f32::MIN, f32::max)
    }

    /// Level at a fraction of the duration, between two frequencies: the loudest of the bins there,
    /// or between two bins their interpolation.
    fn level_db(&self, time: f32, low_hz: f32, high_hz: f32) -> f32 {
        let frame = (time * self.frames as f32) as usize;
        let Some(row) = self
            .level_db
            .chunks_exact(self.bins)
            .nth(frame.min(self.frames.saturating_sub(1)))
        else {
            return f32::MIN;
        };
        let bin = |hz: f32| hz * FFT_SIZE as f32 / self.sample_rate;
        let (low, high) = (bin(low_hz), bin(high_hz));
        let first = low.ceil() as usize;
        let end = (high.ceil() as usize).min(self.bins);
        if first < end {
            return row[first..end].iter().copied().fold(f32::MIN, f32::max);
        }
        let middle = 0.5 * (low + high);
        let below = (middle as usize).min(self.bins - 1);
        let above = (below + 1).min(self.bins - 1);
        let share = middle - below as f32;
        row[below] + share * (row[above] - row[below])
    }
}

/// Where a frequency lies on the logarithmic axis, 0 to 1 from bottom to top.
struct FrequencyAxis {
    highest_hz: f32,
}

impl FrequencyAxis {
    fn hz(&self, position: f32) -> f32 {
        LOWEST_HZ * (self.highest_hz / LOWEST_HZ).powf(position)
    }

    fn position(&self, hz: f32) -> f32 {
        (hz / LOWEST_HZ).ln() / (self.highest_hz / LOWEST_HZ).ln()
    }
}

/// Draws the spectrograms of `capture` and `endless` (of the same sample rate) to a PNG at `path`:
/// time to the right, the same scale in both; frequency upwards, logarithmic; colour for the level
/// below the capture's loudest bin.
pub fn write(path: &Path, capture: &Clip, endless: &Clip) -> anyhow::Result<()> {
    let panels = [
        ("capture", Spectrogram::new(capture)?),
        ("endless", Spectrogram::new(endless)?),
    ];
    let top_db = panels[0].1.loudest_db();
    let axis = FrequencyAxis {
        highest_hz: 0.5 * capture.sample_rate() as f32,
    };
    let total_s: f64 = panels.iter().map(|(_, panel)| panel.duration_s).sum();
    let mut image = Image::new(
        MARGIN_LEFT + PANELS_WIDTH + GAP + MARGIN_RIGHT,
        MARGIN_TOP + PANEL_HEIGHT + MARGIN_BOTTOM,
    );
    let mut left = MARGIN_LEFT;
    for (index, (title, panel)) in panels.iter().enumerate() {
        let share = panel.duration_s / total_s;
        let width = ((share * PANELS_WIDTH as f64).round() as usize).max(1);
        draw_panel(&mut image, panel, &axis, left, width, top_db);
        image.text(title, left, MARGIN_TOP - 8 - GLYPH_HEIGHT * TEXT_SCALE);
        if index == 0 {
            draw_frequency_ticks(&mut image, &axis, left);
        }
        draw_time_ticks(&mut image, panel.duration_s, left, width);
        left += width + GAP;
    }
    draw_colour_bar(&mut image, left);
    image.write_png(path)
}

fn draw_panel(
    image: &mut Image,
    panel: &Spectrogram,
    axis: &FrequencyAxis,
    left: usize,
    width: usize,
    top_db: f32,
) {
    for y in 0..PANEL_HEIGHT {
        let position = |y: usize| 1.0 - y as f32 / PANEL_HEIGHT as f32;
        let (low_hz, high_hz) = (axis.hz(position(y + 1)), axis.hz(position(y)));
        for x in 0..width {
            let time = (x as f32 + 0.5) / width as f32;
            let below_db = top_db - panel.level_db(time, low_hz, high_hz);
            let colour = ramp(1.0 - below_db / DYNAMIC_RANGE_DB);
            image.set(left + x, MARGIN_TOP + y, colour);
        }
    }
}

fn draw_frequency_ticks(image: &mut Image, axis: &FrequencyAxis, left: usize) {
    let marks = [
        50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000,
    ];
    for hz in marks
        .into_iter()
        .filter(|&hz| (hz as f32) < axis.highest_hz)
    {
        let position = axis.position(hz as f32);
        let y = MARGIN_TOP + ((1.0 - position) * PANEL_HEIGHT as f32) as usize;
        image.fill(left - TICK, y, TICK, 1, INK);
        let label = if hz < 1_000 {
            hz.to_string()
        } else {
            format!("{}k", hz / 1_000)
        };
        let x = left - TICK - 3 - text_width(&label);
        image.text(&label, x, y.saturating_sub(GLYPH_HEIGHT * TEXT_SCALE / 2));
    }
    image.text("Hz", left - TICK - 3 - text_width("Hz"), MARGIN_TOP - 22);
}

fn draw_time_ticks(image: &mut Image, duration_s: f64, left: usize, width: usize) {
    // The finest of these steps at which labels keep their distance.
    let label_room = text_width("000 s") as f64 + 24.0;
    let steps_s = [1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0, 600.0];
    let fits = |step_s: &f64| step_s / duration_s * width as f64 >= label_room;
    let step_s = steps_s.into_iter().find(fits).unwrap_or(duration_s);
    let bottom = MARGIN_TOP + PANEL_HEIGHT;
    let mut time_s = 0.0;
    while time_s <= duration_s {
        let x = left + (time_s / duration_s * width as f64) as usize;
        image.fill(x, bottom, 1, TICK, INK);
        let label = format!("{time_s:.0} s");
        // A label at the very end would reach into the next panel's.
        if x + text_width(&label) <= left + width + text_width(" s") {
            image.text(&label, x, bottom + TICK + 4);
        }
        time_s += step_s;
    }
}

fn draw_colour_bar(image: &mut Image, left: usize) {
    for y in 0..PANEL_HEIGHT {
        let level = 1.0 - y as f32 / PANEL_HEIGHT as f32;
        image.fill(left, MARGIN_TOP + y, COLOUR_BAR_WIDTH, 1, ramp(level));
    }
    let right = left + COLOUR_BAR_WIDTH;
    for level_db in (0..=DYNAMIC_RANGE_DB as usize).step_by(20) {
        let share = level_db as f32 / DYNAMIC_RANGE_DB;
        let y = MARGIN_TOP + (share * (PANEL_HEIGHT - 1) as f32) as usize;
        image.fill(right, y, TICK, 1, INK);
        let label = if level_db == 0 {
            "0 dB".to_owned()
        } else {
            format!("-{level_db}")
        };
        let text_top = y - GLYPH_HEIGHT * TEXT_SCALE / 2;
        image.text(&label, right + TICK + 3, text_top);
    }
}

/// The ramp's colour at `level`, clamped to 0..1.
fn ramp(level: f32) -> Colour {
    let place = level.clamp(0.0, 1.0) * (RAMP.len() - 1) as f32;
    let below = (place as usize).min(RAMP.len() - 2);
    let share = place - below as f32;
    std::array::from_fn(|i| {
        let (low, high) = (f32::from(RAMP[below][i]), f32::from(RAMP[below + 1][i]));
        (low + share * (high - low)).round() as u8
    })
}

/// An RGB picture.
struct Image {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Image {
    fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            pixels: BACKGROUND.repeat(width * height),
        }
    }

    /// Colours a pixel; what lies outside is left out.
    fn set(&mut self, x: usize, y: usize, colour: Colour) {
        if x < self.width && y < self.height {
            let start = 3 * (y * self.width + x);
            self.pixels[start..start + 3].copy_from_slice(&colour);
        }
    }

    fn fill(&mut self, left: usize, top: usize, width: usize, height: usize, colour: Colour) {
        for y in top..top + height {
            for x in left..left + width {
                self.set(x, y, colour);
            }
        }
    }

    fn text(&mut self, text: &str, left: usize, top: usize) {
        for (index, character) in text.chars().enumerate() {
            let glyph_left = left + index * GLYPH_ADVANCE * TEXT_SCALE;
            for (row, bits) in glyph(character).into_iter().enumerate() {
                for column in (0..GLYPH_WIDTH).filter(|c| bits >> (GLYPH_WIDTH - 1 - c) & 1 == 1) {
                    let (x, y) = (glyph_left + column * TEXT_SCALE, top + row * TEXT_SCALE);
                    self.fill(x, y, TEXT_SCALE, TEXT_SCALE, INK);
                }
            }
        }
    }

    fn write_png(&self, path: &Path) -> anyhow::Result<()> {
        let file = File::create(path).with_context(|| format!("can't write {}", path.display()))?;
        let size = |length: usize| u32::try_from(length).context("the picture is too large");
        let mut encoder =
            png::Encoder::new(BufWriter::new(file), size(self.width)?, size(self.height)?);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.pixels)?;
        writer
            .finish()
            .with_context(|| format!("can't write {}", path.display()))
    }
}

const GLYPH_WIDTH: usize = 5;
const GLYPH_HEIGHT: usize = 7;
const GLYPH_ADVANCE: usize = 6;
/// Pixels a side of each dot of a glyph.
const TEXT_SCALE: usize = 2;

fn text_width(text: &str) -> usize {
    text.chars().count() * GLYPH_ADVANCE * TEXT_SCALE
}

/// The dots of a character, a row a byte, the left dot highest; none for what labels don't use.
#[rustfmt::skip]
fn glyph(character: char) -> [u8; GLYPH_HEIGHT] {
    match character {
        '0' => [0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110],
        '1' => [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
        '2' => [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111],
        '3' => [0b01110, 0b10001, 0b00001, 0b00110, 0b00001, 0b10001, 0b01110],
        '4' => [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
        '5' => [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
        '6' => [0b01110, 0b10000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
        '7' => [0b11111, 0b00001, 0b00010, 0b00100, 0b00100, 0b01000, 0b01000],
        '8' => [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
        '9' => [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00001, 0b01110],
        '-' => [0b00000, 0b00000, 0b00000, 0b01110, 0b00000, 0b00000, 0b00000],
        'B' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10001, 0b10001, 0b11110],
        'H' => [0b10001, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001],
        'a' => [0b00000, 0b00000, 0b01110, 0b00001, 0b01111, 0b10001, 0b01111],
        'c' => [0b00000, 0b00000, 0b01110, 0b10000, 0b10000, 0b10001, 0b01110],
        'd' => [0b00001, 0b00001, 0b01111, 0b10001, 0b10001, 0b10001, 0b01111],
        'e' => [0b00000, 0b00000, 0b01110, 0b10001, 0b11111, 0b10000, 0b01110],
        'k' => [0b10000, 0b10000, 0b10010, 0b10100, 0b11000, 0b10100, 0b10010],
        'l' => [0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
        'n' => [0b00000, 0b00000, 0b11110, 0b10001, 0b10001, 0b10001, 0b10001],
        'p' => [0b00000, 0b00000, 0b11110, 0b10001, 0b11110, 0b10000, 0b10000],
        'r' => [0b00000, 0b00000, 0b10110, 0b11001, 0b10000, 0b10000, 0b10000],
        's' => [0b00000, 0b00000, 0b01111, 0b10000, 0b01110, 0b00001, 0b11110],
        't' => [0b01000, 0b01000, 0b11100, 0b01000, 0b01000, 0b01001, 0b00110],
        'u' => [0b00000, 0b00000, 0b10001, 0b10001, 0b10001, 0b10011, 0b01101],
        'z' => [0b00000, 0b00000, 0b11111, 0b00010, 0b00100, 0b01000, 0b11111],
        _ => [0; GLYPH_HEIGHT],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ramp_gets_lighter_all_the_way() {
        let luminance = |colour: Colour| {
            0.2126 * f32::from(colour[0])
                + 0.7152 * f32::from(colour[1])
                + 0.0722 * f32::from(colour[2])
        };
        let levels: Vec<_> = (0..=100)
            .map(|i| luminance(ramp(i as f32 / 100.0)))
            .collect();
        assert!(levels.windows(2).all(|pair| pair[1] > pair[0]));
        assert_eq!(ramp(f32::MIN), RAMP[0]);
    }

    #[test]
    fn every_label_can_be_written() {
        let used = "0123456789-kHzdB s capture endless";
        let drawn = used.chars().filter(|&c| c != ' ');
        assert!(drawn.map(glyph).all(|dots| dots != [0; GLYPH_HEIGHT]));
    }

    #[test]
    fn a_tone_is_bright_at_its_frequency() {
        let sample_rate = 48_000;
        let tone = (0..sample_rate)
            .map(|i| (std::f32::consts::TAU * 1_000.0 * i as f32 / sample_rate as f32).sin())
            .collect();
        let clip = Clip::new(sample_rate, vec![tone]).unwrap();
        let spectrogram = Spectrogram::new(&clip).unwrap();
        let at = |low_hz, high_hz| spectrogram.level_db(0.5, low_hz, high_hz);
        assert!(at(980.0, 1_020.0) > at(4_000.0, 8_000.0) + 60.0);
        assert!((at(980.0, 1_020.0) - spectrogram.loudest_db()).abs() < 0.1);
    }
}
