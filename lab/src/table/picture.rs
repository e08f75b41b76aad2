//! A table as a picture: a panel of bars for every figure.

use std::fmt::Write;

use super::document::{Summary, significant};
use super::figures::Column;

/// Sizes in pixels.
const PANEL_WIDTH: usize = 430;
const NAMES_WIDTH: usize = 170;
const BARS_WIDTH: usize = 190;
const ROW_HEIGHT: usize = 18;
const TITLE_HEIGHT: usize = 34;
const PANELS_ABREAST: usize = 2;
/// Decades that a bar spans: what is less has none.
const DECADES: f64 = 4.0;

/// The means of every row as bars, on a logarithmic scale but for decibels.
pub fn to_svg(summary: &Summary) -> String {
    let panel_height = TITLE_HEIGHT + summary.rows.len() * ROW_HEIGHT + ROW_HEIGHT;
    let columns = summary.columns();
    let lines = columns.len().div_ceil(PANELS_ABREAST);
    let (width, height) = (PANEL_WIDTH * PANELS_ABREAST, panel_height * lines);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    for (place, column) in columns.iter().enumerate() {
        let left = place % PANELS_ABREAST * PANEL_WIDTH;
        let top = place / PANELS_ABREAST * panel_height;
        panel(&mut out, summary, column, left, top);
    }
    out + "</svg>\n"
}

fn panel(out: &mut String, summary: &Summary, column: &Column, left: usize, top: usize) {
    let values = summary
        .rows
        .iter()
        .map(|row| row.mean.as_ref().and_then(column.of));
    let most = values.clone().flatten().fold(0.0, f64::max);
    let is_decibels = column.title.ends_with("dB");
    let length = |value: f64| {
        let part = if is_decibels {
            value / most
        } else {
            1.0 + (value / most).log10() / DECADES
        };
        (part.clamp(0.0, 1.0) * BARS_WIDTH as f64).round()
    };
    let (names, bars) = (left + NAMES_WIDTH, left + NAMES_WIDTH + 8);
    let title = top + TITLE_HEIGHT - 14;
    let _ = writeln!(
        out,
        "<text x=\"{bars}\" y=\"{title}\" font-weight=\"bold\">{}</text>",
        column.title
    );
    for (i, (row, value)) in summary.rows.iter().zip(values).enumerate() {
        let base = top + TITLE_HEIGHT + i * ROW_HEIGHT + ROW_HEIGHT / 2;
        let name = escaped(&row.name);
        let _ = writeln!(
            out,
            "<text x=\"{names}\" y=\"{}\" text-anchor=\"end\">{name}</text>",
            base + 4
        );
        let Some(value) = value else { continue };
        let length = length(value);
        let _ = writeln!(
            out,
            "<rect x=\"{bars}\" y=\"{}\" width=\"{length}\" height=\"{}\" fill=\"#3b6ea8\"/>\n\
             <text x=\"{}\" y=\"{}\" fill=\"#444444\">{}</text>",
            base - 6,
            ROW_HEIGHT - 6,
            bars as f64 + length + 5.0,
            base + 4,
            significant(value)
        );
    }
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}
