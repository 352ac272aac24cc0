//! What the functions write to standard output and standard error.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// A line of a function's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The function's logical id.
    pub function: String,
    /// The log stream: one for each execution environment.
    pub stream: String,
    /// The invocation that was running, or the last one before, as far as can be told from outside; none while the
    /// environment starts.
    pub request_id: Option<String>,
    /// When it was read.
    pub at: Timestamp,
    /// Without the line break; what is no UTF-8 is replaced.
    pub text: String,
}

/// All log lines, in the order in which they were read.
#[derive(Debug, Clone)]
pub(super) struct Logs {
    lines: Arc<Mutex<Vec<LogLine>>>,
    echo: bool,
}

impl Logs {
    pub(super) fn new(echo: bool) -> Self {
        Self { lines: Arc::default(), echo }
    }

    pub(super) fn write(&self, line: LogLine) {
        if self.echo {
            // Nobody is there to hear that standard error is gone.
            writeln!(std::io::stderr(), "[{}] {}", line.function, line.text).ok();
        }
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    pub(super) fn of(&self, function: &str) -> Vec<LogLine> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter(|line| line.function == function).cloned().collect()
    }
}

/// Lines of one of a process's two outputs.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    partial: Vec<u8>,
    pub(super) ended: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(output: R) -> Self {
        Self { reader: BufReader::new(output), partial: Vec::new(), ended: false }
    }

    /// The next line; `None` at the end. Nothing is lost if the future is dropped.
    pub(super) async fn next(&mut self) -> Option<String> {
        let read = self.reader.read_until(b'\n', &mut self.partial).await;
        if !matches!(read, Ok(1..)) {
            self.ended = true;
        }
        if self.ended && self.partial.is_empty() {
            return None;
        }
        let line = String::from_utf8_lossy(&self.partial).trim_end_matches(['\n', '\r']).to_owned();
        self.partial.clear();
        Some(line)
    }
}
