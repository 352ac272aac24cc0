//! The report: what one person needs to know of one session, on one page.
//!
//! From a record and the details beside it to one HTML document that stands by itself: no script, nothing that is loaded, and a
//! Content-Security-Policy that allows nothing but its own style. Whatever it shows is escaped by the template
//! (`templates/report.html`), and bounded: [`MAX_BYTES`] hold whatever a zip holds.
//!
//! ```text
//! Story ─► facts, files, chart, commands, advice: what to say ─► page: the template
//! ```

mod advice;
mod chart;
mod commands;
mod facts;
mod files;
mod page;
mod text;

pub use text::{duration, size};

use jiff::{SignedDuration, Timestamp};

use crate::record::{Record, Verdict};
use crate::session::Id;
use crate::triage::Details;

/// A report is never longer, in bytes.
pub const MAX_BYTES: usize = 300_000;

/// Everything that a report tells of.
#[derive(Debug, Clone, Copy)]
pub struct Story<'a> {
    /// What is kept of the session.
    pub record: &'a Record,
    /// What its files tell beside.
    pub details: &'a Details,
    /// Where its signature was seen first, if it has one.
    pub first_sight: Option<&'a FirstSeen>,
    /// From its creation to its end, where GameLift Streams told that.
    pub lasted: Option<SignedDuration>,
    /// The bucket of the captures.
    pub bucket: &'a str,
}

/// Where a signature was seen first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstSeen {
    /// In which session.
    pub session: Id,
    /// When that was indexed.
    pub at: Option<Timestamp>,
    /// In which build.
    pub build: Option<String>,
}

impl Story<'_> {
    /// The report: an HTML document.
    #[must_use]
    pub fn page(&self) -> String {
        page::render(self)
    }

    fn is_crash(&self) -> bool {
        self.record.judgement.verdict == Some(Verdict::Crash)
    }

    /// When the session ended, as far as that is known.
    fn ended_at(&self) -> Option<Timestamp> {
        self.record.session.created_at?.checked_add(self.lasted?).ok()
    }

    /// When it crashed: by the machine's clock, if that can be; else when the session ended.
    fn crashed_at(&self) -> Option<Timestamp> {
        /// Clocks differ.
        const TOLERANCE: SignedDuration = SignedDuration::from_mins(2);
        /// A session lasts no longer (API reference, `SessionLengthSeconds`).
        const LONGEST: SignedDuration = SignedDuration::from_hours(24);
        let (from, ended_at) = (self.record.session.created_at, self.ended_at());
        let to = ended_at.or_else(|| from?.checked_add(LONGEST).ok());
        let can_be = |at: &Timestamp| {
            from.is_none_or(|from| at.duration_since(from) >= -TOLERANCE)
                && to.is_none_or(|to| at.duration_since(to) <= TOLERANCE)
        };
        self.details.crashed_at.filter(can_be).or(ended_at)
    }
}

#[cfg(test)]
mod tests;
