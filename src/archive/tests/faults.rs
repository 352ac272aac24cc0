//! Sources that are slow, that fail, or that break off.

use crash_capture_local::zips::sessions;
use crash_capture_local::zips::writer::{End, Entry as Written, Zip};

use super::*;

/// A zip that takes several requests: its directory is longer than the tail.
fn image() -> Image {
    let mut zip = Zip::default();
    zip.add(&Written::deflated("profile/a.log", &crash_capture_local::zips::content::log(1, 400_000)));
    zip.add(&Written::zeros("application/a", 5 << 20));
    zip.add(&Written::stored("profile/b.log", &b"short"[..]));
    zip.add(&Written::zeros("application/b", 1 << 20));
    for number in 0..9_000 {
        zip.record(&Written::nowhere(format!("application/some/rather/long/path/to/{number:06}.uasset")), 0);
    }
    zip.finish(&End::default())
}

/// All that there is to know of a zip: its entries, and its logs' contents.
async fn all(served: &Served) -> Result<Vec<String>, ArchiveError<Failed>> {
    let mut told = Vec::new();
    let (archive, entries) = open(&served, Some(served.size())).await?;
    told.extend(entries.iter().map(|it| format!("{} {} {:08x}", it.path, it.size, it.crc32)));
    let mut reads = archive.reads();
    for entry in entries.into_iter().filter(|entry| has_extension(entry, "log")) {
        reads.add(Target::stream(entry, u64::MAX, u64::MAX, Digest::new()));
    }
    let mut contents = Vec::new();
    while let Some(read) = reads.next().await {
        let Read { entry, result, sink, .. } = read?;
        contents.push(format!("{} {:?} {:08x}", entry.path, result, sink.0.sum()));
    }
    contents.sort();
    told.extend(contents);
    Ok(told)
}

#[tokio::test]
async fn a_source_that_gives_one_byte_at_a_time_gives_the_same() {
    let slow = Served { piece: Some(1), ..Served::new(image()) };
    assert_eq!(all(&slow).await.unwrap(), all(&Served::new(image())).await.unwrap());
    let slow = Served { piece: Some(1), ..Served::new(sessions::s()) };
    assert_eq!(all(&slow).await.unwrap(), all(&Served::new(sessions::s())).await.unwrap());
}

#[tokio::test]
async fn a_request_that_fails_fails_the_reading_cleanly() {
    let requests = {
        let served = Served::new(image());
        all(&served).await.unwrap();
        served.asked().len()
    };
    assert_eq!(requests, 4);
    for fails_at in 0..requests {
        let served = Served { fails_at: Some(fails_at), ..Served::new(image()) };
        assert_eq!(all(&served).await, Err(ArchiveError::Source(Failed)), "request {fails_at}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_taken_up_where_it_broke_off() {
    let expected = all(&Served::new(image())).await.unwrap();
    for cut_with_error in [false, true] {
        for after in [0, 1, 100, 70_000] {
            let served = Served { cut: Some((1, after)), cut_with_error, ..Served::new(image()) };
            assert_eq!(all(&served).await.unwrap(), expected, "the first, after {after}");
            assert_eq!(served.asked().len(), 5);
            let size = served.size();
            assert_eq!(served.asked()[1], Span::Range(size - TAIL + after..size));
        }
    }
    let served = Served { cut: Some((2, 30_000)), ..Served::new(image()) };
    assert_eq!(all(&served).await.unwrap(), expected);
}

#[tokio::test]
async fn bodies_that_break_off_again_and_again_are_given_up_with_an_error_that_says_so() {
    for (cut_with_error, error) in [(false, ArchiveError::CutOff), (true, ArchiveError::Source(Failed))] {
        let served = Served { cut: Some((usize::MAX, 100)), cut_with_error, ..Served::new(image()) };
        assert_eq!(all(&served).await, Err(error));
        assert_eq!(served.asked().len(), 4);
    }
}

#[tokio::test]
async fn a_file_gives_the_same_as_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export.zip");
    image().write_to(&path).unwrap();
    let (file, memory) = (FileSource::open(&path).unwrap(), image().to_bytes());
    let (from_file, entries) = open(&file, Some(file.size())).await.unwrap();
    let (from_memory, _) = open(&memory, Some(file.size())).await.unwrap();
    for entry in entries.iter().filter(|entry| has_extension(entry, "log")) {
        let a = read_all(&from_file, entry).await.unwrap();
        let b = read_all(&from_memory, entry).await.unwrap();
        assert_eq!((a.result, a.sink.0.sum()), (b.result, b.sink.0.sum()));
        assert!(a.rest.is_none());
    }
}
