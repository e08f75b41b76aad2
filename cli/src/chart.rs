//! Curves as a picture: panels side by side, over a logarithmic axis.

mod canvas;
mod glyphs;

use std::io;
use std::ops::Range;

use canvas::{Canvas, Colour};

/// Size of a panel with its margins, in pixels.
const PANEL: (usize, usize) = (640, 480);
/// Margins of a panel: left, right, top, bottom, in pixels.
const MARGINS: (usize, usize, usize, usize) = (80, 20, 40, 60);
/// What is drawn on.
const WHITE: Colour = [255, 255, 255];
/// Axes and letters.
const BLACK: Colour = [30, 30, 30];
/// Lines of the grid.
const GREY: Colour = [224, 224, 224];
/// Lines of values, one after the other; told apart also by those who don't see red and green apart (Okabe & Ito).
const COLOURS: [Colour; 6] = [
    [0, 0, 0],
    [0, 114, 178],
    [213, 94, 0],
    [0, 158, 115],
    [204, 121, 167],
    [230, 159, 0],
];

/// Some panels side by side.
pub struct Chart {
    pub panels: Vec<Panel>,
}

/// One picture of lines; its horizontal axis is logarithmic.
pub struct Panel {
    pub title: &'static str,
    /// What the horizontal axis shows.
    pub x: &'static str,
    pub y: Scale,
    pub lines: Vec<Line>,
}

/// A vertical axis.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Whole decades that hold all values.
    Logarithmic,
    /// From 0 to 1.
    Unit,
}

/// A line of values, whose places in a panel have the same colour in all.
pub struct Line {
    pub name: &'static str,
    /// Where, and what; what a logarithmic axis has no place for is left out.
    pub points: Vec<(f64, f64)>,
}

impl Chart {
    /// The picture as a PNG file.
    pub fn to_png(&self) -> io::Result<Vec<u8>> {
        let mut canvas = Canvas::new(PANEL.0 * self.panels.len(), PANEL.1, WHITE);
        for (index, panel) in self.panels.iter().enumerate() {
            panel.draw(&mut canvas, index * PANEL.0);
        }
        canvas.to_png()
    }
}

/// Decades of a logarithmic axis, as powers of ten.
fn decades(values: impl Iterator<Item = f64>) -> Range<i32> {
    let shown = values.filter(|value| value.is_finite() && *value > 0.0);
    let (low, high) = shown.fold((f64::INFINITY, 0.0f64), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if high == 0.0 {
        return 0..1;
    }
    let low = low.log10().floor() as i32;
    low..(high.log10().ceil() as i32).max(low + 1)
}

/// Where a panel's values lie on the canvas.
struct Frame {
    left: f64,
    bottom: f64,
    width: f64,
    height: f64,
    x: Range<i32>,
    /// Decades, or none for an axis from 0 to 1.
    y: Option<Range<i32>>,
}

impl Frame {
    fn at(&self, (x, y): (f64, f64)) -> Option<(f64, f64)> {
        let part = |value: f64, decades: &Range<i32>| {
            (value.log10() - f64::from(decades.start)) / f64::from(decades.end - decades.start)
        };
        let x = part(x, &self.x);
        let y = self.y.as_ref().map_or(y, |decades| part(y, decades));
        let is_shown = (0.0..=1.0).contains(&x) && (0.0..=1.0).contains(&y);
        is_shown.then_some((self.left + x * self.width, self.bottom - y * self.height))
    }
}

impl Panel {
    fn draw(&self, canvas: &mut Canvas, left: usize) {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let frame = Frame {
            left: (left + MARGINS.0) as f64,
            bottom: (PANEL.1 - MARGINS.3) as f64,
            width: (PANEL.0 - MARGINS.0 - MARGINS.1) as f64,
            height: (PANEL.1 - MARGINS.2 - MARGINS.3) as f64,
            x: decades(points().map(|p| p.0)),
            y: (self.y == Scale::Logarithmic).then(|| decades(points().map(|p| p.1))),
        };
        self.draw_axes(canvas, &frame);
        for (line, colour) in self.lines.iter().zip(COLOURS.into_iter().cycle()) {
            let mut last = None;
            for place in line.points.iter().map(|point| frame.at(*point)) {
                if let (Some(from), Some(to)) = (last, place) {
                    canvas.line(from, to, 2, colour);
                } else if let Some(place) = place {
                    canvas.line(place, place, 3, colour);
                }
                last = place;
            }
        }
        self.draw_names(canvas, &frame);
    }

    fn draw_axes(&self, canvas: &mut Canvas, frame: &Frame) {
        let (left, bottom) = (frame.left, frame.bottom);
        let (right, top) = (left + frame.width, bottom - frame.height);
        for decade in frame.x.start..=frame.x.end {
            let part = f64::from(decade - frame.x.start) / f64::from(frame.x.end - frame.x.start);
            let x = left + part * frame.width;
            canvas.line((x, bottom), (x, top), 1, GREY);
            canvas.centred(&power_of_ten(decade), (x, bottom + 10.0), BLACK);
        }
        let marks: Vec<(f64, String)> = match &frame.y {
            Some(decades) => (decades.start..=decades.end)
                .map(|decade| {
                    let span = f64::from(decades.end - decades.start);
                    (
                        f64::from(decade - decades.start) / span,
                        power_of_ten(decade),
                    )
                })
                .collect(),
            None => (0..=5)
                .map(|fifths| f64::from(fifths) / 5.0)
                .map(|x| (x, format!("{x:.1}")))
                .collect(),
        };
        for (part, name) in marks {
            let y = bottom - part * frame.height;
            canvas.line((left, y), (right, y), 1, GREY);
            canvas.text_before(&name, (left - 8.0, y - 5.0), BLACK);
        }
        canvas.line((left, bottom), (right, bottom), 1, BLACK);
        canvas.line((left, bottom), (left, top), 1, BLACK);
        canvas.centred(self.title, (left + frame.width / 2.0, top - 24.0), BLACK);
        canvas.centred(self.x, (left + frame.width / 2.0, bottom + 34.0), BLACK);
    }

    /// What each colour is, in the upper right corner.
    fn draw_names(&self, canvas: &mut Canvas, frame: &Frame) {
        let right = frame.left + frame.width - 12.0;
        let mut y = frame.bottom - frame.height + 10.0;
        for (line, colour) in self.lines.iter().zip(COLOURS.into_iter().cycle()) {
            if !line.name.is_empty() {
                canvas.label_before(line.name, (right, y), colour, WHITE);
                y += 18.0;
            }
        }
    }
}

/// A power of ten as it is typed.
fn power_of_ten(decade: i32) -> String {
    match decade {
        0..=4 => 10u32.pow(decade.unsigned_abs()).to_string(),
        _ => format!("1e{decade}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decades_hold_all_values_that_have_a_place() {
        assert_eq!(decades([3.0, 0.0, f64::NAN, 250.0].into_iter()), 0..3);
        assert_eq!(decades([0.001].into_iter()), -3..-2);
        assert_eq!(decades([0.0, -1.0].into_iter()), 0..1);
        assert_eq!(power_of_ten(-5), "1e-5");
        assert_eq!(power_of_ten(3), "1000");
    }

    #[test]
    fn a_line_is_where_its_values_are() {
        let line = Line {
            name: "gram",
            points: vec![(0.0, 5.0), (1.0, 1.0), (10.0, 10.0)],
        };
        let panel = Panel {
            title: "loss",
            x: "iteration",
            y: Scale::Logarithmic,
            lines: vec![line],
        };
        let chart = Chart {
            panels: vec![panel],
        };
        let png = chart.to_png().unwrap();
        let mut reader = png::Decoder::new(io::Cursor::new(png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (640, 480));
        let at = |x: usize, y: usize| &pixels[3 * (y * 640 + x)..][..3];
        // From the lower left to the upper right corner of the frame.
        let (middle_x, middle_y) = (80 + (640 - 100) / 2, 40 + (480 - 100) / 2);
        assert_eq!(at(middle_x, middle_y), COLOURS[0]);
        assert_eq!(at(middle_x, middle_y + 60), WHITE);
    }
}
