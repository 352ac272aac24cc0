//! A table that fits the terminal: columns that may be shortened give way, the rest stays whole.

use anstyle::Style;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{DIM, PLAIN, harmless};

/// Between two columns.
const GAP: usize = 2;

/// What a column that may be shortened keeps at least.
const LEAST: usize = 12;

/// What a cell holds, on one line.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) style: Style,
}

impl Cell {
    /// In a style.
    pub(crate) fn styled(style: Style, text: impl AsRef<str>) -> Self {
        Self { text: harmless(text.as_ref()).replace('\n', " "), style }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::styled(PLAIN, text)
    }
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    head: &'static str,
    /// Whether it may be shortened.
    gives_way: bool,
    /// Whether it may be left out where all rows have the same in it.
    is_optional: bool,
    to_the_right: bool,
}

impl Column {
    /// One that is never shortened: what people copy from.
    pub(crate) const fn whole(head: &'static str) -> Self {
        Self { head, gives_way: false, is_optional: false, to_the_right: false }
    }

    /// One that may be shortened.
    pub(crate) const fn text(head: &'static str) -> Self {
        Self { head, gives_way: true, is_optional: false, to_the_right: false }
    }

    /// One that is left out where there is no room, if it does not tell rows apart.
    pub(crate) const fn optional(head: &'static str) -> Self {
        Self { head, gives_way: true, is_optional: true, to_the_right: false }
    }

    /// One of numbers.
    pub(crate) const fn number(head: &'static str) -> Self {
        Self { head, gives_way: false, is_optional: false, to_the_right: true }
    }
}

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty one.
    pub(crate) fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self { columns: columns.into(), rows: Vec::new() }
    }

    /// Adds a row, which has a cell for each column.
    pub(crate) fn row(&mut self, cells: impl Into<Vec<Cell>>) {
        self.rows.push(cells.into());
    }

    /// Whether it has no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Its lines, in pieces that each have a style, no wider than this. Columns that hold nothing are left out.
    pub(super) fn lines(&self, width: Option<usize>) -> Vec<Vec<Cell>> {
        let head: Vec<Cell> = self.columns.iter().map(|column| Cell::styled(DIM, column.head)).collect();
        let widths = self.widths(width);
        let line = |row: &Vec<Cell>| {
            let mut line = Vec::new();
            for ((column, cell), width) in self.columns.iter().zip(row).zip(&widths) {
                let Some(width) = *width else { continue };
                let text = shortened(&cell.text, width);
                let space = " ".repeat(width - text.width());
                let (before, after) =
                    if column.to_the_right { (space, String::new()) } else { (String::new(), space) };
                if !line.is_empty() {
                    line.push(Cell::styled(PLAIN, " ".repeat(GAP)));
                }
                line.push(Cell::styled(PLAIN, before));
                line.push(Cell { text, style: cell.style });
                line.push(Cell::styled(PLAIN, after));
            }
            line
        };
        std::iter::once(&head).chain(&self.rows).map(line).collect()
    }

    /// How wide each column is; nothing where it is empty.
    fn widths(&self, width: Option<usize>) -> Vec<Option<usize>> {
        let needed = |index: usize| {
            let widest =
                self.rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.text.width()).max()?;
            (widest > 0).then(|| widest.max(self.columns[index].head.width()))
        };
        let mut widths: Vec<_> = (0..self.columns.len()).map(needed).collect();
        let Some(width) = width else { return widths };
        let room = |widths: &[Option<usize>]| {
            width.saturating_sub(GAP * widths.iter().flatten().count().saturating_sub(1))
        };
        if widths.iter().flatten().sum::<usize>() > room(&widths) {
            let say_nothing = (0..widths.len()).filter(|&index| self.says_nothing(index));
            say_nothing.for_each(|index| widths[index] = None);
        }
        let room = room(&widths);
        loop {
            let total: usize = widths.iter().flatten().sum();
            let widest = self.columns.iter().zip(&mut widths).filter(|(column, _)| column.gives_way);
            let widest = widest.filter_map(|(_, width)| width.as_mut()).max_by_key(|width| **width);
            match widest {
                Some(widest) if total > room && *widest > LEAST => *widest -= 1,
                _ => return widths,
            }
        }
    }
}

impl Table {
    /// Whether a column may be left out, as all rows have the same in it.
    fn says_nothing(&self, index: usize) -> bool {
        let mut cells = self.rows.iter().filter_map(|row| row.get(index)).map(|cell| &cell.text);
        let first = cells.next();
        self.columns[index].is_optional && cells.all(|cell| Some(cell) == first)
    }
}

/// A text of at most this width, with `…` for what is left out.
fn shortened(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut room = width.saturating_sub(1);
    let mut short: String = text
        .chars()
        .take_while(|c| {
            let needs = c.width().unwrap_or(0);
            let fits = needs <= room;
            room = if fits { room - needs } else { 0 };
            fits
        })
        .collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new([
            Column::whole("id"),
            Column::number("n"),
            Column::text("what"),
            Column::text("none"),
        ]);
        table.row(["abc".into(), "1".into(), "an exception of a long name".into(), "".into()]);
        table.row(["abcdef".into(), "20".into(), "宽宽宽宽宽宽宽宽\u{1b}[2J".into(), "".into()]);
        table
    }

    fn lines(width: Option<usize>) -> Vec<String> {
        let join = |line: Vec<Cell>| line.into_iter().map(|cell| cell.text).collect::<String>();
        table().lines(width).into_iter().map(|line| join(line).trim_end().to_owned()).collect()
    }

    #[test]
    fn without_a_terminal_nothing_is_shortened_and_empty_columns_are_left_out() {
        let expected = [
            "id       n  what",
            "abc      1  an exception of a long name",
            "abcdef  20  宽宽宽宽宽宽宽宽\u{fffd}[2J",
        ];
        assert_eq!(lines(None), expected);
    }

    #[test]
    fn what_is_the_same_in_all_rows_is_left_out_before_anything_is_shortened() {
        let mut table = Table::new([Column::optional("game"), Column::text("what")]);
        table.row(["a-1".into(), "an exception".into()]);
        table.row(["a-1".into(), "another one".into()]);
        let first = |table: &Table, width| {
            table.lines(Some(width))[1].iter().map(|it| it.text.clone()).collect::<String>()
        };
        assert_eq!(first(&table, 18), "a-1   an exception");
        assert_eq!(first(&table, 17), "an exception");
        table.row(["a-2".into(), "a third".into()]);
        assert_eq!(first(&table, 17), "a-1   an exception", "it cannot be made to fit");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_what_people_copy_stays_whole() {
        for width in 24..60 {
            for line in lines(Some(width)) {
                assert!(line.width() <= width, "{width}: {line}");
            }
            assert!(lines(Some(width))[2].starts_with("abcdef  20  宽宽"));
        }
        assert_eq!(lines(Some(24))[1], "abc      1  an exceptio…");
    }
}
