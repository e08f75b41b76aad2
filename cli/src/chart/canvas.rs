//! Pixels, and what is drawn with them.

use std::io;

use super::glyphs::{GLYPH_SIZE, glyph};

/// Red, green and blue.
pub type Colour = [u8; 3];

/// Pixels for each dot of a letter.
const DOT: usize = 2;

/// A picture.
pub struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    pub fn new(width: usize, height: usize, colour: Colour) -> Self {
        Self {
            width,
            height,
            pixels: colour.repeat(width * height),
        }
    }

    /// Fills a square of `size` pixels around a place; what lies outside the picture is left out.
    fn dot(&mut self, (x, y): (f64, f64), size: usize, colour: Colour) {
        let from = |middle: f64| (middle - (size as f64 - 1.0) / 2.0).round() as i64;
        for y in from(y)..from(y) + size as i64 {
            for x in from(x)..from(x) + size as i64 {
                let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else {
                    continue;
                };
                if x < self.width && y < self.height {
                    self.pixels[3 * (y * self.width + x)..][..3].copy_from_slice(&colour);
                }
            }
        }
    }

    /// A straight line of `size` pixels.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), size: usize, colour: Colour) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let steps = dx.abs().max(dy.abs()).ceil().max(1.0);
        for step in 0..=steps as usize {
            let part = step as f64 / steps;
            self.dot((from.0 + part * dx, from.1 + part * dy), size, colour);
        }
    }

    /// Letters that begin at a place, their upper left corner.
    fn text(&mut self, text: &str, (x, y): (f64, f64), colour: Colour) {
        for (index, letter) in text.chars().enumerate() {
            let left = x + (index * (GLYPH_SIZE.0 + 1) * DOT) as f64;
            for (row, dots) in glyph(letter).into_iter().enumerate() {
                for column in 0..GLYPH_SIZE.0 {
                    if dots >> (GLYPH_SIZE.0 - 1 - column) & 1 == 1 {
                        let place = (left + (column * DOT) as f64, y + (row * DOT) as f64);
                        self.dot(place, DOT, colour);
                    }
                }
            }
        }
    }

    /// Letters whose middle is at a place.
    pub fn centred(&mut self, text: &str, (x, y): (f64, f64), colour: Colour) {
        self.text(text, (x - text_width(text) / 2.0, y), colour);
    }

    /// Letters that end at a place.
    pub fn text_before(&mut self, text: &str, (x, y): (f64, f64), colour: Colour) {
        self.text(text, (x - text_width(text), y), colour);
    }

    /// Letters that end at a place, on a ground of their own.
    pub fn label_before(&mut self, text: &str, (x, y): (f64, f64), colour: Colour, ground: Colour) {
        let size = (GLYPH_SIZE.1 + 2) * DOT;
        let middle = y + (GLYPH_SIZE.1 * DOT) as f64 / 2.0;
        self.line((x - text_width(text), middle), (x, middle), size, ground);
        self.text_before(text, (x, y), colour);
    }

    /// The picture as a PNG file.
    pub fn to_png(&self) -> io::Result<Vec<u8>> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.pixels)?;
        writer.finish()?;
        Ok(file)
    }
}

/// Pixels that letters take.
fn text_width(text: &str) -> f64 {
    (text.chars().count() * (GLYPH_SIZE.0 + 1) * DOT) as f64
}
