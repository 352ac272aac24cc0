//! How far a command is: on standard error, where somebody looks at it.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Output;

/// Counts what was found, until it is dropped.
#[derive(Debug)]
pub(crate) struct Search(ProgressBar);

impl Output {
    /// A bar of bytes.
    pub(crate) fn bytes(self, of: u64) -> ProgressBar {
        let template = "{wide_bar} {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta}";
        self.bar(Some(of), template)
    }

    /// A search, which may take a while.
    pub(crate) fn search(self) -> Search {
        let bar = self.bar(None, "{spinner} {human_pos} found in {elapsed}");
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Search(bar)
    }

    /// Any other, by a template of indicatif's.
    pub(crate) fn bar(self, length: Option<u64>, template: &str) -> ProgressBar {
        let shown =
            if self.shows_progress() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(length, shown);
        // A template that cannot be read leaves the usual bar.
        ProgressStyle::with_template(template).map_or(bar.clone(), |style| bar.with_style(style))
    }
}

impl Search {
    pub(crate) fn found(&self) {
        self.0.inc(1);
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
