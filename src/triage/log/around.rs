//! The lines around one of interest, as they are, for people to read.

use std::borrow::Cow;

/// How much is kept of what was looked through, for what comes before a line of interest, in bytes.
const BEFORE: usize = 4 * 1024;

/// How much is kept of a line and what follows it, in bytes.
const AFTER: usize = 8 * 1024;

/// Longer lines are cut, in bytes.
const LONGEST: usize = 512;

/// Whole lines of a log: those before one that tells something, this one, and those that follow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::triage) struct Around {
    text: Vec<u8>,
    /// Where the lines begin that tell of a crash.
    telling: Vec<usize>,
    /// How much of it comes before the first of these, in bytes.
    before: usize,
}

impl Around {
    /// Begins with a line, and with what was looked through before: in earlier blocks, and in the same one.
    pub(super) fn begin(passed: &[u8], same_block: &[u8], line: &[u8]) -> Self {
        let near = last_lines(same_block, BEFORE);
        let far = if near.len() == same_block.len() { last_lines(passed, BEFORE - near.len()) } else { &[] };
        let text = [far, near].concat();
        let mut around = Self { before: text.len(), text, telling: Vec::new() };
        around.push(line, true);
        around
    }

    /// The end of a log.
    pub(super) fn end(passed: &[u8]) -> Self {
        Self { text: passed.to_vec(), telling: Vec::new(), before: passed.len() }
    }

    /// Takes the next line, if there is room for it; `tells` says whether it tells of the crash.
    pub(super) fn push(&mut self, line: &[u8], tells: bool) {
        let line = cut(line);
        if self.text.len() - self.before + line.len() >= AFTER {
            return;
        }
        if tells {
            self.telling.push(self.text.len());
        }
        self.text.extend_from_slice(line);
        self.text.push(b'\n');
    }

    /// Whether there is no line.
    pub(in crate::triage) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// How much it is, in bytes.
    pub(in crate::triage) fn len(&self) -> usize {
        self.text.len()
    }

    /// Its lines, each with whether it tells of the crash.
    pub(in crate::triage) fn lines(&self) -> Vec<(Cow<'_, str>, bool)> {
        let mut at = 0;
        let lines = self.text.split_inclusive(|byte| *byte == b'\n').map(|line| {
            let tells = self.telling.binary_search(&at).is_ok();
            at += line.len();
            (String::from_utf8_lossy(cut(line.trim_ascii_end())), tells)
        });
        lines.collect()
    }
}

/// Keeps the last lines of what was looked through.
pub(super) fn pass(passed: &mut Vec<u8>, block: &[u8]) {
    let last = last_lines(block, BEFORE);
    let kept = if last.len() == block.len() { last_lines(passed, BEFORE - last.len()).len() } else { 0 };
    passed.drain(..passed.len() - kept);
    passed.extend_from_slice(last);
}

/// The last whole lines, of at most so many bytes together.
fn last_lines(lines: &[u8], most: usize) -> &[u8] {
    let Some(start) = lines.len().checked_sub(most).filter(|start| *start > 0) else { return lines };
    // A line may begin just there.
    let end = lines[start - 1..].iter().position(|byte| *byte == b'\n');
    end.map_or(&[], |end| &lines[start + end..])
}

/// A line's beginning. It is cut between words, so that no half of a secret stays, unrecognised.
fn cut(line: &[u8]) -> &[u8] {
    if line.len() <= LONGEST {
        return line;
    }
    let space = line[..LONGEST].iter().rposition(u8::is_ascii_whitespace);
    space.map_or(b"(a long line without a space)", |space| &line[..space])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(around: &Around) -> Vec<(String, bool)> {
        around.lines().into_iter().map(|(line, tells)| (line.into_owned(), tells)).collect()
    }

    #[test]
    fn lines_before_come_from_earlier_blocks_too() {
        let mut passed = Vec::new();
        pass(&mut passed, b"one\n");
        pass(&mut passed, b"two\r\n");
        let mut around = Around::begin(&passed, b"three\n", b"Fatal error!");
        around.push(b"at x", false);
        around.push(b"Unhandled", true);
        let expected = [
            ("one", false),
            ("two", false),
            ("three", false),
            ("Fatal error!", true),
            ("at x", false),
            ("Unhandled", true),
        ];
        assert_eq!(told(&around), expected.map(|(line, tells)| (line.to_owned(), tells)));
    }

    #[test]
    fn what_is_kept_is_bounded_and_begins_with_a_line() {
        let mut passed = Vec::new();
        for n in 0..10_000 {
            pass(&mut passed, format!("line {n:06} of many\n").as_bytes());
            assert!(passed.len() <= BEFORE && passed.starts_with(b"line "));
        }
        assert!(passed.len() > BEFORE - 64 && passed.ends_with(b"line 009999 of many\n"));
        let mut around = Around::begin(&passed, &vec![b'x'; 100_000], b"told");
        assert_eq!(told(&around), [("told".to_owned(), true)], "a line that is too long is no line before");
        for _ in 0..10_000 {
            around.push(b"one that follows", false);
        }
        assert!(around.len() <= AFTER);
        around.push(&vec![b'y'; 100_000], true);
        assert_eq!(told(&Around::end(&passed)).last().unwrap().0, "line 009999 of many");
    }

    #[test]
    fn a_long_line_is_cut_between_words() {
        let line = format!("said {} jane@example.com", "x".repeat(LONGEST - 10));
        assert_eq!(cut(line.as_bytes()), &line.as_bytes()[..LONGEST - 5]);
        assert_eq!(cut(&[b'x'; 1000]), b"(a long line without a space)");
    }
}
