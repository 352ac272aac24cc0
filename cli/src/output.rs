//! The one place that prints: tables for people, JSON for programs, colours for a terminal.

mod progress;
mod table;

pub(crate) use table::{Cell, Column, Table};

use std::borrow::Cow;
use std::env;
use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use crate::failure::Failure;

/// What is wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What may be wrong.
pub(crate) const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
/// What is as it should be.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What matters less.
pub(crate) const DIM: Style = Style::new().dimmed();
/// What the eye should find.
pub(crate) const BOLD: Style = Style::new().bold();
/// Nothing special.
pub(crate) const PLAIN: Style = Style::new();

/// When to use colours. Comments on the variants would make the help long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    // On a terminal, unless `NO_COLOR` is set.
    Auto,
    // Also into files and pipes.
    Always,
    // Not at all.
    Never,
}

/// How results are printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
    colours: bool,
    /// Columns of the terminal; nothing where there is none, and nothing needs to be shortened.
    width: Option<usize>,
}

impl Output {
    /// As the options say, and standard output is.
    pub(crate) fn new(json: bool, colour: Colour) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let colours = match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => {
                is_terminal && !is_set("NO_COLOR") && env::var_os("TERM").is_none_or(|it| it != "dumb")
            }
        };
        Self { json, colours, width: width(is_terminal) }
    }

    /// Whether programs read it.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Whether standard error is looked at by somebody, so that progress is worth showing.
    fn shows_progress(self) -> bool {
        !self.json && io::stderr().is_terminal()
    }

    /// Prints a value as JSON, on one line.
    pub(crate) fn json(self, value: &impl Serialize) -> Result<(), Failure> {
        self.text(&serde_json::to_string(value).map_err(Failure::other)?)
    }

    /// Prints JSON as it was read, on one line: a line end in JSON is but white space.
    pub(crate) fn json_text(self, json: &[u8]) -> Result<(), Failure> {
        self.text(&String::from_utf8_lossy(json).trim().replace(['\n', '\r'], " "))
    }

    /// Prints a table.
    pub(crate) fn table(self, table: &Table) -> Result<(), Failure> {
        table.lines(self.width).into_iter().try_for_each(|line| {
            let painted: String = line.iter().map(|cell| self.paint(cell.style, &cell.text)).collect();
            self.text(painted.trim_end())
        })
    }

    /// Prints a table of these rows.
    pub(crate) fn rows<const N: usize>(
        self,
        columns: [Column; N],
        rows: impl IntoIterator<Item = [Cell; N]>,
    ) -> Result<(), Failure> {
        let mut table = Table::new(columns);
        rows.into_iter().for_each(|row| table.row(row));
        self.table(&table)
    }

    /// Prints a line as it is: what is printed with it has been made [`harmless`].
    #[expect(clippy::unused_self, reason = "whoever prints results has been told how")]
    pub(crate) fn text(self, text: &str) -> Result<(), Failure> {
        writeln!(io::stdout().lock(), "{text}").map_err(|error| Failure::printing(&error))
    }

    /// A text in lines that fit beside so many columns, broken at spaces. What people copy stays whole, however long it is.
    pub(crate) fn lines(self, text: &str, beside: usize) -> Vec<String> {
        let room = self.width.map_or(usize::MAX, |width| width.saturating_sub(beside));
        let mut lines = vec![String::new()];
        for word in text.split(' ') {
            match lines.last_mut() {
                Some(line) if line.is_empty() => line.push_str(word),
                Some(line) if line.width() + 1 + word.width() <= room => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        lines
    }

    /// A text in a style, where there are colours.
    pub(crate) fn paint(self, style: Style, text: &str) -> String {
        if self.colours && style != PLAIN { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// Says something beside the results: on standard error.
pub(crate) fn note(text: impl Display) {
    writeln!(io::stderr(), "{}", harmless(&text.to_string())).ok();
}

/// <https://no-color.org>: set, and not empty.
fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty())
}

/// `COLUMNS` wins, as in other tools.
fn width(is_terminal: bool) -> Option<usize> {
    let told = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let terminal = || {
        let (width, _) = terminal_size::terminal_size_of(io::stdout()).filter(|_| is_terminal)?;
        Some(usize::from(width.0))
    };
    told.or_else(terminal).filter(|&width| width > 0)
}

/// A text without what could disturb a terminal or the reading order: each such character becomes `\u{fffd}`.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    let is_harmful = |c: char| {
        let is_bidirectional = matches!(
            c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        );
        (c.is_control() && c != '\n') || is_bidirectional || matches!(c, '\u{2028}' | '\u{2029}')
    };
    if text.contains(is_harmful) { text.replace(is_harmful, "\u{fffd}").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_broken_at_spaces_where_there_is_a_terminal() {
        let lines =
            |width| Output { json: false, colours: false, width }.lines("a file: s3://bucket/key (2 B)", 4);
        assert_eq!(lines(None), ["a file: s3://bucket/key (2 B)"]);
        assert_eq!(lines(Some(20)), ["a file:", "s3://bucket/key", "(2 B)"]);
        assert_eq!(lines(Some(2)), ["a", "file:", "s3://bucket/key", "(2", "B)"]);
    }

    #[test]
    fn what_could_disturb_a_terminal_is_replaced() {
        assert_eq!(harmless("a\u{1b}[2J\u{202e}b\r"), "a\u{fffd}[2J\u{fffd}b\u{fffd}");
        assert!(matches!(harmless("Spieler Ä\n"), Cow::Borrowed(_)));
    }
}
