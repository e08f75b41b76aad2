//! Where everything lies in the window: its size, the rows of the views, and the grid inside them. All
//! lengths are in points.

use egui::{Rect, Vec2, pos2, vec2};

use super::theme::{GAP, MARGIN, NARROW_GAP, ROW};

/// Size of the window.
pub const WINDOW_SIZE: Vec2 = vec2(800.0, 722.0);

/// Height of the line with the plugin's name.
pub const TITLE_HEIGHT: f32 = 24.0;
/// Height of a level meter.
pub const METER_HEIGHT: f32 = 24.0;
/// Height of a slot's button.
pub const SLOT_HEIGHT: f32 = 42.0;
/// Height of the waveform, and of the buttons beside it.
pub const WAVEFORM_HEIGHT: f32 = 64.0;
/// Height of the line that says what is going on.
const PROGRESS_HEIGHT: f32 = 22.0;
/// Height of a control group's name.
pub const GROUP_TITLE_HEIGHT: f32 = 18.0;
/// Control groups, each a column.
pub const GROUPS: usize = 4;
/// Controls of the longest group.
const GROUP_ROWS: usize = 7;
/// Rows of the group of modulation sources, which is as wide as all others together.
const SOURCE_ROWS: usize = 2;

/// The places of the views.
#[derive(Clone, Copy, Debug)]
pub struct WindowLayout {
    /// The name, the state, and the level meters.
    pub header: Rect,
    /// The four slots, and the details of one.
    pub slots: Rect,
    /// What captures, and how.
    pub capture: Rect,
    /// The line that says what is going on.
    pub progress: Rect,
    /// The controls that play the texture.
    pub controls: Rect,
    /// The line that says what plays.
    pub footer: Rect,
    /// The file browser, over what lies between the slots and the footer.
    pub browser: Rect,
    /// What an error banner may cover, from below.
    pub banner: Rect,
}

impl WindowLayout {
    /// The places in a window that is `window`.
    pub fn of(window: Rect) -> Self {
        let content = window.shrink(MARGIN);
        let mut rows = Rows::new(content);
        let mut row = |height| {
            let row = rows.take(height);
            rows.space(GAP);
            row
        };
        let header = row(TITLE_HEIGHT + GAP + METER_HEIGHT);
        let slots = row(SLOT_HEIGHT + GAP + WAVEFORM_HEIGHT);
        let capture = row(2.0 * ROW + NARROW_GAP);
        let progress = row(PROGRESS_HEIGHT);
        let controls = row(group_height(GROUP_ROWS) + GAP + group_height(SOURCE_ROWS));
        Self {
            header,
            slots,
            capture,
            progress,
            controls,
            footer: rows.rest(),
            browser: controls.with_min_y(slots.bottom() + GAP),
            banner: content,
        }
    }
}

/// Height of a group of so many rows of controls.
fn group_height(rows: usize) -> f32 {
    let rows = rows as f32;
    2.0 * NARROW_GAP + GROUP_TITLE_HEIGHT + rows * (ROW + NARROW_GAP)
}

/// Splits the place of the controls into that of the groups side by side, and that of the modulation sources below.
pub fn groups_and_sources(controls: Rect) -> [Rect; 2] {
    let mut rows = Rows::new(controls);
    let groups = rows.take(group_height(GROUP_ROWS));
    rows.space(GAP);
    [groups, rows.rest()]
}

/// Splits `row` by weight, with a gap between.
pub fn columns<const N: usize>(row: Rect, weights: [f32; N]) -> [Rect; N] {
    let total: f32 = weights.iter().sum();
    let usable = row.width() - GAP * (N - 1) as f32;
    let mut left = row.left();
    weights.map(|weight| {
        let width = usable * weight / total;
        let column = Rect::from_min_size(pos2(left, row.top()), vec2(width, row.height()));
        left += width + GAP;
        column
    })
}

/// Deals an area out in rows, from the top.
pub struct Rows {
    left: Rect,
}

impl Rows {
    /// Rows of `area`, all of which is left.
    pub fn new(area: Rect) -> Self {
        Self { left: area }
    }

    /// The next row.
    pub fn take(&mut self, height: f32) -> Rect {
        let (row, rest) = self.left.split_top_bottom_at_y(self.left.top() + height);
        self.left = rest;
        row
    }

    /// Leaves a row empty.
    pub fn space(&mut self, height: f32) {
        self.take(height);
    }

    /// What is left of the area.
    pub fn rest(self) -> Rect {
        self.left
    }
}

#[cfg(test)]
mod tests {
    use egui::{Pos2, Rangef};

    use super::*;

    fn window() -> Rect {
        Rect::from_min_size(Pos2::ZERO, WINDOW_SIZE)
    }

    #[test]
    fn the_window_is_as_high_as_what_it_shows() {
        let layout = WindowLayout::of(window());
        let footer = layout.footer.height();
        assert!((16.0..=24.0).contains(&footer), "{footer} points are left");
        assert_eq!(layout.footer.bottom(), WINDOW_SIZE.y - MARGIN);
    }

    #[test]
    fn views_lie_below_each_other_with_a_gap_between() {
        let layout = WindowLayout::of(window());
        let views = [
            layout.header,
            layout.slots,
            layout.capture,
            layout.progress,
            layout.controls,
            layout.footer,
        ];
        for pair in views.windows(2) {
            assert_eq!(pair[0].bottom() + GAP, pair[1].top());
            assert_eq!(pair[0].x_range(), pair[1].x_range());
        }
        assert_eq!(layout.browser.top(), layout.capture.top());
        assert_eq!(layout.browser.bottom(), layout.controls.bottom());
    }

    #[test]
    fn columns_fill_their_row() {
        let row = Rect::from_min_size(pos2(10.0, 20.0), vec2(308.0, 5.0));
        let [left, right] = columns(row, [1.0, 2.0]);
        assert_eq!((left.left(), left.width()), (10.0, 100.0));
        assert_eq!((right.left(), right.width()), (118.0, 200.0));
        assert_eq!(right.y_range(), row.y_range());
    }

    #[test]
    fn rows_are_dealt_out_from_the_top() {
        let area = Rect::from_min_size(Pos2::ZERO, vec2(10.0, 100.0));
        let mut rows = Rows::new(area);
        assert_eq!(rows.take(30.0).y_range(), Rangef::new(0.0, 30.0));
        rows.space(5.0);
        assert_eq!(rows.take(10.0).y_range(), Rangef::new(35.0, 45.0));
        assert_eq!(rows.rest().y_range(), Rangef::new(45.0, 100.0));
    }
}
