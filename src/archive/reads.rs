//! Reading what entries hold: which files, how far, several at once, within one budget.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;

use futures_util::stream::{FuturesUnordered, StreamExt};

use super::decoder::{Decoder, Limits, Outcome, Sink, Unreadable};
use super::group::{Group, Job, groups};
use super::{Archive, ArchiveError, BUFFERS, Entry, Method, Source};

/// How many requests are on their way at a time.
const IN_FLIGHT: usize = 8;

/// What a request needs while it is on its way, in bytes: pieces that have arrived, and what is inflated of them.
pub(super) const PER_REQUEST: u64 = 512 * 1024;

/// The most that one file may be collected to, in bytes.
const MAX_COLLECTED: u64 = BUFFERS - PER_REQUEST;

/// Past a gap up to this long, in bytes, it is cheaper to read on than to ask again.
pub(super) const GAP: u64 = 256 * 1024;

/// Something to read: an entry, how far, and who takes what it holds.
///
/// All limits are counted from the entry's beginning, and apply to what is really read.
#[derive(Debug)]
pub struct Target<K> {
    pub(super) entry: Entry,
    pub(super) sink: K,
    pub(super) decoder: Result<Box<Decoder>, Unreadable>,
    /// What the sink keeps, at most, in bytes.
    pub(super) collected: u64,
    /// Whether the sink holds some of that already.
    carries: bool,
}

impl<K> Target<K> {
    /// An entry's beginning, for a sink that keeps it: at most `compressed` bytes of the archive, and `inflated` bytes of
    /// what they come to. The latter is taken out of the budget of [`BUFFERS`], and is never more than that.
    pub fn head(entry: Entry, compressed: u64, inflated: u64, sink: K) -> Self {
        let limits = Limits { compressed, inflated: inflated.min(MAX_COLLECTED) };
        let collected = limits.inflated.min(entry.size);
        let decoder = Decoder::new(&entry, limits, 0, false).map(Box::new);
        Self { entry, sink, decoder, collected, carries: false }
    }

    /// All of a small file, for a sink that keeps it, if it is no longer than `max` bytes; else so much of its beginning.
    pub fn whole(entry: Entry, max: u64, sink: K) -> Self {
        // What does not compress becomes longer by 5 bytes for each 16 KiB, at most (RFC 1951, 3.2.4).
        Self::head(entry, max.saturating_add(max / 1024 + 64), max, sink)
    }

    /// An entry from its beginning, for a sink that keeps little of it: nothing is taken out of the budget.
    pub fn stream(entry: Entry, compressed: u64, inflated: u64, sink: K) -> Self {
        let decoder = Decoder::new(&entry, Limits { compressed, inflated }, 0, false).map(Box::new);
        Self { entry, sink, decoder, collected: 0, carries: false }
    }

    /// The last `length` bytes of an entry that is stored, for a sink that keeps little of it. What is compressed cannot be
    /// read like that: [`Unreadable::Compressed`].
    pub fn tail(entry: Entry, length: u64, sink: K) -> Self {
        let from = entry.compressed_size.saturating_sub(length);
        let limits = Limits { compressed: u64::MAX, inflated: u64::MAX };
        let jumps = from > GAP || (entry.method == Method::Deflate && from > 0);
        let decoder = Decoder::new(&entry, limits, from, jumps).map(Box::new);
        Self { entry, sink, decoder, collected: 0, carries: false }
    }

    /// More of an entry that was read in part, for a sink that keeps little of it: from where its bytes end, or from
    /// somewhere behind that, so that what lies between is not handed on (and not even fetched, where it is stored).
    /// Nothing is read or fetched again. Going back is possible only where it is stored.
    pub fn further(rest: Rest, from: Option<u64>, compressed: u64, inflated: u64, sink: K) -> Self {
        let Rest { entry, mut decoder } = rest;
        let from = from.unwrap_or(decoder.outcome(super::Stop::Enough).given.end);
        let went_on = decoder.go_on(Limits { compressed, inflated }, from);
        Self { entry, sink, decoder: went_on.map(|()| decoder), collected: 0, carries: true }
    }

    /// The same for a sink that keeps what it is given, at most so much in all, which then comes out of the budget.
    #[must_use]
    pub fn kept(mut self, at_most: u64) -> Self {
        self.collected = at_most.min(MAX_COLLECTED);
        self
    }
}

/// Where the reading of an entry stopped; it can be taken up there.
#[derive(Debug)]
pub struct Rest {
    pub(super) entry: Entry,
    pub(super) decoder: Box<Decoder>,
}

impl Rest {
    /// Whether it can be taken up anywhere, and not only from where it stopped on.
    #[must_use]
    pub fn can_jump(&self) -> bool {
        self.entry.method == Method::Stored
    }
}

/// An entry that was read.
#[derive(Debug)]
pub struct Read<K> {
    /// The entry.
    pub entry: Entry,
    /// Who took what it holds.
    pub sink: K,
    /// What was read of it.
    pub result: Result<Outcome, Unreadable>,
    /// Where it can be taken up again, unless all was read or nothing can be.
    pub rest: Option<Rest>,
    pub(super) collected: u64,
}

type Running<'a, K, E> = Pin<Box<dyn Future<Output = Result<Vec<Read<K>>, ArchiveError<E>>> + Send + 'a>>;

/// Entries that are being read: at most 8 requests at a time, one for each target (two for the tail of a long one), neighbours
/// together. What they and the sinks hold stays below [`BUFFERS`], if each [`Read`] is dropped before the next is asked for.
pub struct Reads<'a, S: Source, K> {
    archive: &'a Archive<'a, S>,
    added: Vec<Target<K>>,
    further: Vec<Target<K>>,
    waiting: VecDeque<Group<K>>,
    running: FuturesUnordered<Running<'a, K, S::Error>>,
    finished: VecDeque<Read<K>>,
    /// What is held now, in bytes, and what of it the caller was given last.
    held: u64,
    lent: u64,
}

impl<S: Source> Archive<'_, S> {
    /// Reads entries of the archive.
    pub fn reads<K: Sink>(&self) -> Reads<'_, S, K> {
        Reads {
            archive: self,
            added: Vec::new(),
            further: Vec::new(),
            waiting: VecDeque::new(),
            running: FuturesUnordered::new(),
            finished: VecDeque::new(),
            held: 0,
            lent: 0,
        }
    }
}

impl<'a, S: Source, K: Sink + 'a> Reads<'a, S, K> {
    /// Adds something to read. What is added before the next call of [`next`](Self::next) is planned together, and begun
    /// in this order; but what goes on comes before what is new, so that few files are half read at a time.
    pub fn add(&mut self, target: Target<K>) {
        if target.carries {
            self.held += target.collected;
            self.further.push(target);
        } else {
            self.added.push(target);
        }
    }

    /// The next entry that was read, as they get done; nothing once all were. More may be added at any time.
    pub async fn next(&mut self) -> Option<Result<Read<K>, ArchiveError<S::Error>>> {
        self.held -= std::mem::take(&mut self.lent);
        let (further, hopeless) = groups(self.archive, std::mem::take(&mut self.further));
        self.finished.extend(hopeless);
        for group in further.into_iter().rev() {
            self.waiting.push_front(group);
        }
        let (added, hopeless) = groups(self.archive, std::mem::take(&mut self.added));
        self.finished.extend(hopeless);
        self.waiting.extend(added);
        loop {
            self.begin();
            if let Some(read) = self.finished.pop_front() {
                self.lent = read.collected;
                return Some(Ok(read));
            }
            match self.running.next().await? {
                Ok(reads) => {
                    self.held -= PER_REQUEST;
                    self.finished.extend(reads);
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// Begins what may be begun now.
    fn begin(&mut self) {
        while let Some(next) = self.waiting.front() {
            let needs = PER_REQUEST + next.needs();
            let fits = self.held + needs <= BUFFERS && self.running.len() < IN_FLIGHT;
            // Alone, something always fits: what one file is collected to is limited.
            let is_alone = self.running.is_empty() && self.finished.is_empty();
            if !fits && !is_alone {
                return;
            }
            let Some(group) = self.waiting.pop_front() else { return };
            self.held += needs;
            self.running.push(Box::pin(group.run(self.archive)));
        }
    }
}

impl<K> Target<K> {
    /// As something to do; what cannot be read is done already.
    pub(super) fn into_job(self) -> Result<Job<K>, Box<Read<K>>> {
        let Self { entry, sink, decoder, collected, carries } = self;
        match decoder {
            Ok(decoder) => Ok(Job { entry, sink, decoder, collected, carries }),
            Err(error) => {
                let collected = if carries { collected } else { 0 };
                Err(Box::new(Read { entry, sink, result: Err(error), rest: None, collected }))
            }
        }
    }
}

impl<S: Source, K> std::fmt::Debug for Reads<'_, S, K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reads").field("held", &self.held).finish_non_exhaustive()
    }
}
