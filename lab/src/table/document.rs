//! A table as text: CSV for programs, Markdown and LaTeX for people.

use std::fmt::Write;

use weft_core::texture::score::Better;

use super::figures::{COLUMNS, Column, Figures};
use super::recordings::Entry;
use super::results::Results;

/// Figures by row and class, as they are shown.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Classes, in the order of their names.
    pub classes: Vec<String>,
    /// Rows in the order of the methods.
    pub rows: Vec<SummaryRow>,
}

/// One method's figures.
#[derive(Clone, Debug)]
pub struct SummaryRow {
    /// The method's name.
    pub name: String,
    /// Mean of each class; nothing where no recording of it has a value.
    pub classes: Vec<Option<Figures>>,
    /// Mean of all recordings that have a value.
    pub mean: Option<Figures>,
    /// Recordings that have a value.
    pub count: usize,
}

impl Summary {
    /// Of the named rows for the entries, as far as they are known.
    pub fn new(names: &[String], entries: &[Entry], seed: u32, results: &Results) -> Self {
        let mut classes: Vec<String> = entries.iter().map(|e| e.class.clone()).collect();
        classes.sort();
        classes.dedup();
        let rows = names.iter().map(|name| {
            let known: Vec<_> = entries
                .iter()
                .filter_map(|entry| results.find(name, &entry.name, seed))
                .collect();
            let of_class = |class: &String| {
                let known = known.iter().filter(|outcome| outcome.class == *class);
                Figures::mean(known.map(|outcome| &outcome.figures))
            };
            SummaryRow {
                name: name.clone(),
                classes: classes.iter().map(of_class).collect(),
                mean: Figures::mean(known.iter().map(|outcome| &outcome.figures)),
                count: known.len(),
            }
        });
        Self {
            rows: rows.collect(),
            classes,
        }
    }

    /// The columns that some row has a value in.
    pub fn columns(&self) -> Vec<Column> {
        let has = |column: &Column| {
            let mut means = self.rows.iter().filter_map(|row| row.mean.as_ref());
            means.any(|figures| (column.of)(figures).is_some())
        };
        // A table without values has all that every cell would have.
        let is_empty = self.rows.iter().all(|row| row.mean.is_none());
        let always = |column: &Column| (column.of)(&Figures::default()).is_some();
        let shown = COLUMNS.into_iter();
        shown.filter(|c| has(c) || is_empty && always(c)).collect()
    }

    /// Titles of the groups of figures: the classes, where there is more than one, and the mean.
    pub(super) fn groups(&self) -> Vec<&str> {
        let classes: &[String] = if self.classes.len() > 1 {
            &self.classes
        } else {
            &[]
        };
        classes.iter().map(String::as_str).chain(["mean"]).collect()
    }

    /// Figures of the groups of a row.
    fn figures<'a>(&self, row: &'a SummaryRow) -> Vec<Option<&'a Figures>> {
        let classes = if self.classes.len() > 1 {
            &row.classes[..]
        } else {
            &[]
        };
        let mean = [row.mean.as_ref()];
        classes.iter().map(Option::as_ref).chain(mean).collect()
    }

    /// A cell: the figure of every group, as in Table I of the paper.
    fn cell(&self, row: &SummaryRow, column: &Column, nothing: &str) -> String {
        let figures = self.figures(row).into_iter();
        let shown = figures.map(|f| {
            let value = f.and_then(column.of);
            value.map_or(nothing.into(), significant)
        });
        shown.collect::<Vec<_>>().join(" | ")
    }
}

/// Three significant digits.
pub(super) fn significant(value: f64) -> String {
    const DIGITS: i32 = 3;
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let before_point = value.abs().log10().floor() as i32 + 1;
    let decimals = (DIGITS - before_point).clamp(0, 6) as usize;
    format!("{value:.decimals$}")
}

/// One line for every recording and row, and one for every mean, with all digits.
pub fn to_csv(names: &[String], entries: &[Entry], seed: u32, results: &Results) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let summary = Summary::new(names, entries, seed, results);
    let columns = summary.columns();
    let titles = columns.iter().map(|c| c.name);
    let heads = ["method", "class", "recording"].into_iter().chain(titles);
    let mut write = |fields: Vec<String>| writer.write_record(fields).expect("memory takes it");
    write(heads.map(String::from).collect());
    let line = |method: &str, class: &str, recording: &str, figures: &Figures| {
        let values = columns.iter().map(|c| (c.of)(figures));
        let values = values.map(|value| value.map_or(String::new(), |value| value.to_string()));
        let names = [method, class, recording].map(String::from);
        names.into_iter().chain(values).collect::<Vec<_>>()
    };
    for name in names {
        for entry in entries {
            if let Some(outcome) = results.find(name, &entry.name, seed) {
                write(line(name, &entry.class, &entry.name, &outcome.figures));
            }
        }
    }
    for row in &summary.rows {
        for (class, figures) in summary.classes.iter().zip(&row.classes) {
            if let Some(figures) = figures {
                write(line(&row.name, class, "mean", figures));
            }
        }
        if let Some(figures) = &row.mean {
            write(line(&row.name, "all", "mean", figures));
        }
    }
    let bytes = writer.into_inner().expect("memory takes it");
    String::from_utf8(bytes).expect("made of text")
}

/// A table for reading; each cell has the classes' means and the mean of all.
pub fn to_markdown(summary: &Summary) -> String {
    let columns = summary.columns();
    let mut out = String::new();
    let mut titles = vec![format!("method ({})", summary.groups().join(", "))];
    titles.extend(
        columns
            .iter()
            .map(|c| format!("{} {}", c.title, arrow(c.better))),
    );
    let _ = writeln!(out, "| {} |", titles.join(" | "));
    let _ = writeln!(out, "|{}", " --- |".repeat(titles.len()));
    for row in &summary.rows {
        let cells = columns.iter().map(|c| summary.cell(row, c, "–"));
        // The bar parts cells.
        let cells: Vec<_> = cells.map(|cell| cell.replace(" | ", ", ")).collect();
        let _ = writeln!(out, "| {} | {} |", row.name, cells.join(" | "));
    }
    out
}

fn arrow(better: Better) -> char {
    match better {
        Better::Lower => '↓',
        Better::Higher => '↑',
    }
}

/// A `tabular` with rules of the package booktabs, as Table I of the paper has it.
pub fn to_latex(summary: &Summary) -> String {
    let escaped = |text: &str| {
        let mut out = String::new();
        for c in text.chars() {
            if "&%$#_{}".contains(c) {
                out.push('\\');
            }
            out.push(c);
        }
        out
    };
    let mut out = String::new();
    let _ = writeln!(out, "% {}", summary.groups().join(" | "));
    let columns = summary.columns();
    let _ = writeln!(out, "\\begin{{tabular}}{{l{}}}", "r".repeat(columns.len()));
    let titles = columns.iter().map(|c| escaped(c.title)).collect::<Vec<_>>();
    let _ = writeln!(
        out,
        "\\toprule\nMethod & {} \\\\\n\\midrule",
        titles.join(" & ")
    );
    for row in &summary.rows {
        let cells = columns.iter().map(|c| summary.cell(row, c, "--"));
        let cells: Vec<_> = cells.map(|cell| cell.replace(" | ", " $\\mid$ ")).collect();
        let _ = writeln!(out, "{} & {} \\\\", escaped(&row.name), cells.join(" & "));
    }
    out + "\\bottomrule\n\\end{tabular}\n"
}
