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

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Beginning,
    End,
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    head: &'static str,
    /// Whether it may be shortened, and what is left out then.
    gives_way: Option<Part>,
    /// Whether it may be left out where all rows have the same in it.
    is_optional: bool,
    to_the_right: bool,
}

impl Column {
    /// One that is never shortened: what people copy from.
    pub(crate) const fn whole(head: &'static str) -> Self {
        Self { head, gives_way: None, is_optional: false, to_the_right: false }
    }

    /// One that may be shortened.
    pub(crate) const fn text(head: &'static str) -> Self {
        Self { head, gives_way: Some(Part::End), is_optional: false, to_the_right: false }
    }

    /// One that may be shortened to its end, which tells most: the names of builds. It gives way before others do.
    pub(crate) const fn ending(head: &'static str) -> Self {
        Self { head, gives_way: Some(Part::Beginning), is_optional: false, to_the_right: false }
    }

    /// One that is left out where there is no room, if it does not tell rows apart.
    pub(crate) const fn optional(head: &'static str) -> Self {
        Self { head, gives_way: Some(Part::End), is_optional: true, to_the_right: false }
    }

    /// One of numbers.
    pub(crate) const fn number(head: &'static str) -> Self {
        Self { head, gives_way: None, is_optional: false, to_the_right: true }
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
                let text = shortened(&cell.text, width, column.gives_way.unwrap_or(Part::End));
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
            if total <= room {
                return widths;
            }
            let wide = self.columns.iter().zip(&mut widths).filter_map(|(column, width)| {
                let (part, width) = (column.gives_way?, width.as_mut().filter(|width| **width > LEAST)?);
                Some((part, width))
            });
            // Where the end will do, half as much does.
            let widest = wide.max_by_key(|(part, width)| **width * if *part == Part::End { 1 } else { 2 });
            match widest {
                Some((_, widest)) => *widest -= 1,
                None => return widths,
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

/// A text of at most this width, with `…` for the part that is left out.
fn shortened(text: &str, width: usize, left_out: Part) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut room = width.saturating_sub(1);
    let fits = |c: &char| {
        let needs = c.width().unwrap_or(0);
        let fits = needs <= room;
        room = if fits { room - needs } else { 0 };
        fits
    };
    match left_out {
        Part::End => text.chars().take_while(fits).chain(['…']).collect(),
        Part::Beginning => {
            let end: Vec<char> = text.chars().rev().take_while(fits).collect();
            ['…'].into_iter().chain(end.into_iter().rev()).collect()
        }
    }
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
    fn of_a_build_the_end_is_kept_and_it_gives_way_first() {
        let mut table = Table::new([Column::ending("build"), Column::text("what")]);
        table.row(["++Skylark+Release-1.2-CL-4711".into(), "an exception of a long name".into()]);
        let line = |width| table.lines(Some(width))[1].iter().map(|it| it.text.clone()).collect::<String>();
        assert_eq!(line(46), "…ease-1.2-CL-4711  an exception of a long name");
        assert_eq!(line(20).trim_end(), "…1.2-CL-4711  an exceptio…");
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
