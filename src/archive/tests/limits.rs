//! How far entries are read: limits, taking up where one stopped, the budget, the deadline.

use std::time::Duration;

use crash_capture_local::zips::content::{dump, log, noise};
use crash_capture_local::zips::writer::{End, Entry as Written, Zip};

use super::*;

fn served(entries: impl IntoIterator<Item = Written>) -> Served {
    let mut zip = Zip::default();
    entries.into_iter().for_each(|entry| zip.add(&entry));
    // Far enough from the end that nothing comes out of the tail.
    zip.add(&Written::zeros("application/x", 6 << 20));
    Served::new(zip.finish(&End::default()))
}

#[tokio::test]
async fn a_limit_on_what_is_read_and_one_on_what_is_inflated_are_told_apart() {
    let text = log(1, 3_000_000);
    let served = served([Written::deflated("deflated", &text), Written::stored("stored", text.clone())]);
    let source = &served;
    let (archive, entries) = open(&source, None).await.unwrap();
    for (entry, compressed, inflated, stop) in [
        (0, 10_000, u64::MAX, Stop::Limit(Limit::Compressed(10_000))),
        (0, u64::MAX, 10_000, Stop::Limit(Limit::Inflated(10_000))),
        (1, 10_000, u64::MAX, Stop::Limit(Limit::Compressed(10_000))),
        (1, u64::MAX, 10_000, Stop::Limit(Limit::Inflated(10_000))),
        (0, u64::MAX, 3_000_000, Stop::End),
        (1, 3_000_000, 3_000_000, Stop::End),
    ] {
        let entry = entries[entry].clone();
        let read = read(&archive, Target::head(entry, compressed, inflated, Vec::new())).await.unwrap();
        let outcome = read.result.unwrap();
        assert_eq!(outcome.stop, stop);
        assert_eq!(read.sink, text[..read.sink.len()]);
        assert_eq!(outcome.given, 0..read.sink.len() as u64);
        match stop {
            Stop::End => assert_eq!((read.sink.len(), outcome.crc), (text.len(), Crc::Verified)),
            Stop::Limit(Limit::Compressed(_)) => assert!(read.sink.len() >= 10_000),
            _ => assert_eq!(read.sink.len(), 10_000),
        }
        let name = outcome.finding().map(|finding| finding.code);
        assert_eq!(name, if let Stop::Limit(limit) = stop { Some(limit.code()) } else { None });
    }
}

#[tokio::test]
async fn a_dump_is_read_further_from_where_it_stopped() {
    let content = dump(1, 3_000_000);
    for written in [Written::deflated("x.dmp", &content), Written::stored("x.dmp", content.clone())] {
        let served = served([written]);
        let source = &served;
        let (archive, entries) = open(&source, None).await.unwrap();
        let mut reads = archive.reads();
        reads.add(Target::head(entries[0].clone(), 256 << 10, 2 << 20, Vec::new()));
        let first = reads.next().await.unwrap().unwrap();
        assert_eq!(first.result.unwrap().stop, Stop::Limit(Limit::Compressed(256 << 10)));
        let had = first.sink.len() as u64;
        reads.add(Target::further(first.rest.unwrap(), None, 1 << 20, 64 << 20, first.sink));
        let second = reads.next().await.unwrap().unwrap();
        assert_eq!(second.result.unwrap().given.start, had);
        assert_eq!(second.sink, content[..second.sink.len()]);
        reads.add(Target::further(second.rest.unwrap(), None, u64::MAX, 64 << 20, second.sink));
        let last = reads.next().await.unwrap().unwrap();
        assert_eq!(last.result.unwrap().crc, Crc::Verified);
        assert!(last.sink == content && last.rest.is_none());
        // Nothing twice but the allowance for the extra field.
        let (requests, bytes) = served.cost();
        assert_eq!(requests, 4);
        assert!(bytes - TAIL <= entries[0].compressed_size + 30 + 5 + 2 * 512, "{bytes}");
    }
}

#[tokio::test]
async fn what_lies_between_is_read_past_where_it_is_deflated_and_jumped_over_where_it_is_stored() {
    let content = dump(2, 3_000_000);
    for (written, may_go_back) in
        [(Written::deflated("x.dmp", &content), false), (Written::stored("x.dmp", content.clone()), true)]
    {
        let served = served([written]);
        let source = &served;
        let (archive, entries) = open(&source, None).await.unwrap();
        let first =
            read(&archive, Target::head(entries[0].clone(), 1_000, 1 << 20, Vec::new())).await.unwrap();
        let far = Target::further(first.rest.unwrap(), Some(2_000_000), u64::MAX, 2_000_100, Vec::new());
        let second = read(&archive, far).await.unwrap();
        assert_eq!(second.sink, content[2_000_000..2_000_100]);
        assert_eq!(second.result.unwrap().given, 2_000_000..2_000_100);
        let back = Target::further(second.rest.unwrap(), Some(500), u64::MAX, 600, Vec::new());
        let third = read(&archive, back).await.unwrap();
        if may_go_back {
            assert_eq!(third.sink, content[500..600]);
            assert!(served.cost().1 < TAIL + 4_000);
        } else {
            assert_eq!(third.result, Err(Unreadable::Compressed));
        }
    }
}

#[tokio::test]
async fn a_sink_that_has_enough_ends_the_reading() {
    struct Impatient(u64);
    impl Sink for Impatient {
        fn take(&mut self, bytes: &[u8]) -> ControlFlow<()> {
            self.0 += bytes.len() as u64;
            if self.0 > 100_000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    let text = log(3, 5_000_000);
    let served = served([Written::deflated("x.log", &text)]);
    let source = &served;
    let (archive, entries) = open(&source, None).await.unwrap();
    let target = Target::stream(entries[0].clone(), u64::MAX, u64::MAX, Impatient(0));
    let read = read(&archive, target).await.unwrap();
    let outcome = read.result.unwrap();
    assert_eq!((outcome.stop, outcome.crc), (Stop::Enough, Crc::Unverified));
    assert!(read.sink.0 < 200_000 && served.cost().1 < TAIL + 128 * 1024);
}

#[tokio::test]
async fn what_is_held_at_a_time_stays_within_the_budget() {
    let content = noise(4, 100);
    let files = (0..20).flat_map(|number| {
        let head = Written::beginning(format!("{number}.dmp"), 0, content.clone(), 5 << 20, 5 << 20);
        [head, Written::zeros(format!("{number}"), 1 << 20)]
    });
    let served = served(files);
    let source = &served;
    let (archive, entries) = open(&source, None).await.unwrap();
    let mut reads = archive.reads();
    for entry in entries.into_iter().filter(|entry| has_extension(entry, "dmp")) {
        reads.add(Target::head(entry, u64::MAX, u64::MAX, Vec::new()));
    }
    let mut count = 0;
    while let Some(read) = reads.next().await {
        // 5.5 MiB each: two at a time.
        assert_eq!(served.most_open.load(Ordering::Relaxed), 2);
        assert_eq!(read.unwrap().sink.len(), 5 << 20);
        count += 1;
    }
    assert_eq!(count, 20);
}

#[tokio::test]
async fn no_file_is_kept_beyond_the_budget() {
    let served = served([Written::beginning("x.dmp", 0, Vec::new(), 100 << 20, 100 << 20)]);
    let source = &served;
    let (archive, entries) = open(&source, None).await.unwrap();
    let read =
        read(&archive, Target::head(entries[0].clone(), u64::MAX, u64::MAX, Vec::new())).await.unwrap();
    assert!(matches!(read.result.unwrap().stop, Stop::Limit(Limit::Inflated(_))));
    assert!(read.sink.len() as u64 <= BUFFERS && read.sink.capacity() as u64 <= BUFFERS);
}

#[tokio::test]
async fn after_the_deadline_nothing_is_read() {
    let served = served([Written::deflated("x.log", &log(5, 100_000))]);
    let source = &served;
    let over = Some(Instant::now());
    assert_eq!(Archive::open(&source, None, over, |_| ()).await.err(), Some(ArchiveError::OutOfTime));
    assert_eq!(served.asked(), []);

    let soon = Instant::now() + Duration::from_millis(200);
    let mut entries = Vec::new();
    let archive =
        Archive::open(&source, None, Some(soon), |entry| entries.push(entry.clone())).await.unwrap();
    tokio::time::sleep_until(soon).await;
    let asked = served.asked();
    let outcome = read_all(&archive, &entries[0]).await.unwrap().result.unwrap();
    assert_eq!((outcome.stop, outcome.finding().unwrap().code), (Stop::Limit(Limit::Time), "time-limit"));
    assert_eq!(served.asked(), asked);
}

/// A source that takes 10 ms for each piece.
struct Slow<'s>(&'s Served);

struct SlowBody<B>(B);

impl<'s> Source for Slow<'s> {
    type Error = Failed;
    type Body = SlowBody<ServedBody<'s>>;

    async fn open(&self, span: Span) -> Result<Opened<Self::Body>, Failed> {
        let Opened { offset, size, body } = self.0.open(span).await?;
        Ok(Opened { offset, size, body: SlowBody(body) })
    }
}

impl<B: Body> Body for SlowBody<B> {
    type Error = B::Error;

    async fn piece(&mut self) -> Result<Option<Bytes>, B::Error> {
        tokio::time::sleep(Duration::from_millis(10)).await;
        self.0.piece().await
    }
}

#[tokio::test]
async fn what_was_read_of_a_directory_by_the_deadline_counts() {
    let served = Served::new(crash_capture_local::zips::sessions::c());
    let source = Slow(&served);
    // The tail comes in 8 pieces, what is missing of the directory in some 170: that takes at least 1.7 s.
    let deadline = Some(Instant::now() + Duration::from_millis(700));
    let mut entries = 0;
    let archive = Archive::open(&source, None, deadline, |_| entries += 1).await.unwrap();
    assert!((1..100_000).contains(&entries), "{entries}");
    let directory = archive.directory();
    assert_eq!(directory.entries, entries);
    assert_eq!(directory.findings[0].code, "time-limit");
}

#[tokio::test]
async fn what_was_read_of_a_log_by_the_deadline_counts() {
    let text = log(6, 8_000_000);
    let served = served([Written::stored("x.log", text.clone())]);
    let source = Slow(&served);
    // The log comes in 122 pieces.
    let deadline = Some(Instant::now() + Duration::from_millis(700));
    let mut entries = Vec::new();
    let archive = Archive::open(&source, None, deadline, |entry| entries.push(entry.clone())).await.unwrap();
    let target = Target::stream(entries[0].clone(), u64::MAX, u64::MAX, Vec::new());
    let read = read(&archive, target).await.unwrap();
    assert_eq!(read.result.unwrap().stop, Stop::Limit(Limit::Time));
    assert!(!read.sink.is_empty() && read.sink == text[..read.sink.len()]);
}
