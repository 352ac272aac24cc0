//! Entries that are read with one request, because they lie close together.

use std::ops::Range;

use bytes::Bytes;
use tokio::time::Instant;

use super::decoder::{Decoder, Limit, Sink, Stop, Unreadable};
use super::download::{Download, Stopped};
use super::reads::{GAP, PER_REQUEST, Read, Rest, Target};
use super::{Archive, ArchiveError, BUFFERS, Entry, Source, Span};

/// Neighbours are read together up to this much, in bytes of the archive: one after the other would take too long.
const MAX_TOGETHER: u64 = 8 * 1024 * 1024;

/// What is taken out of the window at a time, in bytes.
const PIECE: u64 = 256 * 1024;

/// One entry to read.
#[derive(Debug)]
pub(super) struct Job<K> {
    pub(super) entry: Entry,
    pub(super) sink: K,
    pub(super) decoder: Box<Decoder>,
    /// What the sink keeps, at most, in bytes; and whether that is counted already.
    pub(super) collected: u64,
    pub(super) carries: bool,
}

/// Entries that are read one after the other, in the archive's order.
#[derive(Debug)]
pub(super) struct Group<K> {
    jobs: Vec<Job<K>>,
    /// What is asked for first.
    range: Range<u64>,
}

/// Puts together what lies close together, in the order in which the targets were given; and what cannot be read.
pub(super) fn groups<S, K>(
    archive: &Archive<'_, S>,
    targets: Vec<Target<K>>,
) -> (Vec<Group<K>>, Vec<Read<K>>) {
    let (mut jobs, mut hopeless) = (Vec::new(), Vec::new());
    for (order, target) in targets.into_iter().enumerate() {
        match target.into_job() {
            Ok(job) => jobs.push((order, job)),
            Err(read) => hopeless.push(*read),
        }
    }
    jobs.sort_by_key(|(_, job)| job.decoder.wanted().start);
    let window = archive.window.start();
    let mut groups: Vec<(usize, Group<K>)> = Vec::new();
    for (order, job) in jobs {
        let wanted = job.decoder.wanted();
        // What the window holds need not be asked for.
        let range = wanted.start..wanted.end.min(window).max(wanted.start);
        match groups.last_mut() {
            Some((first, group)) if group.has_room_for(&job, &range) => {
                *first = order.min(*first);
                group.range.end = group.range.end.max(range.end);
                group.jobs.push(job);
            }
            _ => groups.push((order, Group { jobs: vec![job], range })),
        }
    }
    groups.sort_by_key(|(first, _)| *first);
    (groups.into_iter().map(|(_, group)| group).collect(), hopeless)
}

impl<K> Group<K> {
    fn has_room_for(&self, job: &Job<K>, range: &Range<u64>) -> bool {
        !range.is_empty()
            && range.start <= self.range.end.saturating_add(GAP)
            && range.end.max(self.range.end) - self.range.start <= MAX_TOGETHER
            && self.collected() + job.collected <= BUFFERS / 4 - PER_REQUEST
    }

    /// What the sinks keep, at most, in bytes.
    fn collected(&self) -> u64 {
        self.jobs.iter().map(|job| job.collected).sum()
    }

    /// What has to be free for that, in bytes.
    pub(super) fn needs(&self) -> u64 {
        self.jobs.iter().filter(|job| !job.carries).map(|job| job.collected).sum()
    }
}

impl<K: Sink> Group<K> {
    /// Reads all of it.
    pub(super) async fn run<S: Source>(
        self,
        archive: &Archive<'_, S>,
    ) -> Result<Vec<Read<K>>, ArchiveError<S::Error>> {
        let mut feed = Feed { archive, first: self.range, download: None, at: 0, bytes: Bytes::new() };
        let mut reads = Vec::new();
        for job in self.jobs {
            reads.push(job.run(&mut feed).await?);
        }
        feed.give_up().await;
        Ok(reads)
    }
}

impl<K: Sink> Job<K> {
    async fn run<S: Source>(mut self, feed: &mut Feed<'_, '_, S>) -> Result<Read<K>, ArchiveError<S::Error>> {
        if self.collected > 0 {
            self.sink.expect(usize::try_from(self.collected).unwrap_or(0));
        }
        let result = loop {
            let bytes = match feed.at(self.decoder.wanted()).await {
                Ok(bytes) => bytes,
                Err(Stopped::Time) => break Ok(Stop::Limit(Limit::Time)),
                Err(Stopped::Failed(error)) => return Err(error),
            };
            let past_end = bytes.is_none();
            match self.decoder.push(&bytes.unwrap_or_default(), &mut self.sink) {
                Ok(None) if past_end => break Ok(Stop::Damaged("it reaches past the archive's end")),
                Ok(None) => {}
                Ok(Some(stop)) => break Ok(stop),
                Err(error) => break Err(error),
            }
        };
        Ok(self.into_read(result))
    }

    fn into_read(self, result: Result<Stop, Unreadable>) -> Read<K> {
        let Self { entry, sink, decoder, collected, .. } = self;
        let outcome = result.map(|stop| decoder.outcome(stop));
        let can_go_on = matches!(result, Ok(Stop::Limit(_) | Stop::Enough));
        let rest = can_go_on.then(|| Rest { entry: entry.clone(), decoder });
        Read { entry, sink, result: outcome, rest, collected }
    }
}

/// The archive's bytes in the order in which jobs want them: out of the window, or out of one request, or of another.
struct Feed<'g, 'a, S: Source> {
    archive: &'g Archive<'a, S>,
    /// What the first request is to cover.
    first: Range<u64>,
    download: Option<Download<'g, S>>,
    /// The last piece that arrived, and where it begins.
    at: u64,
    bytes: Bytes,
}

impl<S: Source> Feed<'_, '_, S> {
    /// The bytes at the beginning of a range, at least one; nothing if that lies past the archive's end, or is empty.
    async fn at(&mut self, wanted: Range<u64>) -> Result<Option<Bytes>, Stopped<S::Error>> {
        if wanted.is_empty() || wanted.start >= self.archive.size() {
            return Ok(None);
        }
        let window = self.archive.window.start();
        if wanted.start >= window {
            // Not all at once: what little inflates to much must not outlast the deadline.
            if self.archive.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return Err(Stopped::Time);
            }
            let end = wanted.end.min(self.archive.size()).min(wanted.start + PIECE);
            return Ok(self.archive.window.slice(wanted.start..end));
        }
        if !self.reaches(wanted.start) {
            self.ask(wanted.start..wanted.end.min(window)).await?;
        }
        loop {
            let end = self.at + self.bytes.len() as u64;
            if (self.at..end).contains(&wanted.start) {
                let skipped = usize::try_from(wanted.start - self.at).unwrap_or(self.bytes.len());
                return Ok(Some(self.bytes.slice(skipped..)));
            }
            self.at = end;
            self.bytes = Bytes::new();
            let Some(download) = self.download.as_mut() else { return Ok(None) };
            match download.piece().await? {
                Some(bytes) => self.bytes = bytes,
                None => return Err(Stopped::Failed(ArchiveError::CutOff)),
            }
        }
    }

    /// Whether the present request comes by an offset.
    fn reaches(&self, offset: u64) -> bool {
        self.download.as_ref().is_some_and(|download| {
            self.at <= offset && offset < download.end() && offset - download.position().min(offset) <= GAP
        })
    }

    async fn ask(&mut self, range: Range<u64>) -> Result<(), Stopped<S::Error>> {
        let first = std::mem::take(&mut self.first);
        let range = if first.contains(&range.start) { range.start..first.end } else { range };
        self.give_up_present().await;
        let download = Download::open(self.archive.source, Span::Range(range), self.archive.deadline).await?;
        (self.at, self.bytes) = (download.position(), Bytes::new());
        self.download = Some(download);
        Ok(())
    }

    async fn give_up_present(&mut self) {
        if let Some(download) = self.download.take() {
            download.finish().await;
        }
    }

    async fn give_up(mut self) {
        self.give_up_present().await;
    }
}
