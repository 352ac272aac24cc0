//! What reading costs: requests and bytes, exactly.

use crash_capture_local::zips::sessions;
use crash_capture_local::zips::writer::{End, Entry as Written, Zip};

use super::*;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// What index-export reads of an entry, by design.
fn target(entry: Entry) -> Option<Target<Digest>> {
    let [is_dump, is_table, is_log] = ["dmp", "csv", "log"].map(|it| has_extension(&entry, it));
    match entry.method {
        _ if is_dump => Some(Target::head(entry, 256 * KIB, MIB, Digest::new())),
        _ if is_table => Some(Target::whole(entry, 4 * MIB, Digest::new())),
        Method::Stored if is_log => Some(Target::tail(entry, 8 * MIB, Digest::new())),
        _ if is_log => Some(Target::stream(entry, 256 * MIB, 2048 * MIB, Digest::new())),
        _ => None,
    }
}

/// Reads what index-export reads, and gives requests and bytes.
async fn cost(served: &Served) -> (usize, u64) {
    let mut targets = Vec::new();
    let archive =
        Archive::open(&served, Some(served.size()), None, |entry| targets.extend(target(entry.clone())))
            .await
            .unwrap();
    assert_eq!(archive.directory().findings, []);
    let mut reads = archive.reads();
    for target in targets {
        reads.add(target);
    }
    while let Some(read) = reads.next().await {
        let Read { entry, result, .. } = read.unwrap();
        let outcome = result.unwrap();
        if has_extension(&entry, "dmp") {
            assert!(matches!(
                outcome.stop,
                Stop::End | Stop::Limit(Limit::Compressed(_) | Limit::Inflated(_))
            ));
        } else {
            assert!(outcome.is_complete(), "{}: {outcome:?}", entry.path);
        }
    }
    drop(reads);
    served.cost()
}

/// A change here is a change of what users pay, and has to be meant. The bytes depend on how well the generator's deflate
/// (the crate zlib-rs) compresses, too.
#[tokio::test]
async fn each_session_costs_these_requests_and_bytes() {
    let mut costs = Vec::new();
    for session in sessions::all() {
        let served = Served::new(session.image);
        let (requests, bytes) = cost(&served).await;
        costs.push((session.name, served.size(), requests, bytes));
    }
    // Size, requests, bytes. What each has to read: s, a log and a table; m, a dump and two logs; a, two dumps and four logs,
    // one of them in the tail; b, four dumps and twelve logs; c, the directory, a dump and three logs; d, three dumps, a
    // deflated log and the end of a stored one.
    assert_eq!(
        costs,
        [
            ("s", 10_844, 1, 10_844),
            ("m", 4_434_955, 1, 4_434_955),
            ("a", 18_123_298, 6, 1_094_690),
            ("b", 499_703_845, 17, 3_501_021),
            ("c", 44_072_202, 6, 11_875_538),
            ("d", 5_283_105_609, 7, 22_427_766),
        ]
    );
}

#[tokio::test]
async fn at_most_eight_requests_are_on_their_way() {
    let served = Served::new(sessions::b());
    cost(&served).await;
    assert_eq!(served.most_open.load(Ordering::Relaxed), 8);
}

#[tokio::test]
async fn neighbours_are_read_with_one_request_and_what_lies_in_the_tail_with_none() {
    let mut zip = Zip::default();
    zip.add(&Written::zeros("application/a", 3 * MIB));
    zip.add(&Written::deflated("profile/1.log", b"one"));
    zip.add(&Written::zeros("application/b", 200 * KIB));
    zip.add(&Written::stored("profile/2.log", &b"two"[..]));
    zip.add(&Written::zeros("application/c", 300 * KIB));
    zip.add(&Written::stored("profile/3.log", &b"three"[..]));
    zip.add(&Written::zeros("application/d", 3 * MIB));
    zip.add(&Written::stored("profile/4.log", &b"four"[..]));
    let offsets = zip.offsets().to_vec();
    let served = Served::new(zip.finish(&End::default()));
    cost(&served).await;
    // Fixed part, name, allowance for an extra field; data.
    let reach = |number: usize, data: u64| offsets[number] + 30 + 13 + 512 + data;
    assert_eq!(
        served.asked(),
        [Span::Suffix(TAIL), Span::Range(offsets[1]..reach(3, 3)), Span::Range(offsets[5]..reach(5, 5)),]
    );
}

#[tokio::test]
async fn of_a_directory_longer_than_the_tail_only_the_missing_part_is_fetched() {
    let served = Served::new(sessions::c());
    let source = &served;
    let (archive, entries) = open(&source, Some(served.size())).await.unwrap();
    assert_eq!((entries.len(), archive.directory().entries), (100_000, 100_000));
    let asked = served.asked();
    let [Span::Suffix(TAIL), Span::Range(missing)] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(missing.end, served.size() - TAIL);
    assert_eq!(&served.image.read(missing.start..missing.start + 4)[..], b"PK\x01\x02");
}

#[tokio::test]
async fn an_unknown_size_costs_no_request_more() {
    let served = Served::new(sessions::s());
    let source = &served;
    let (archive, _) = open(&source, None).await.unwrap();
    assert_eq!(archive.size(), served.size());
    assert_eq!(served.asked(), [Span::Suffix(TAIL)]);
}

#[tokio::test]
async fn the_tail_of_a_long_stored_log_takes_its_header_and_its_end() {
    let text = crash_capture_local::zips::content::log(1, 9_000_000);
    let mut zip = Zip::default();
    zip.add(
        &Written::stored("profile/long.log", text.clone())
            .but(|it| it.local_extra = vec![0xca, 0xfe, 1, 0, 0]),
    );
    zip.add(&Written::zeros("application/x", MIB));
    let served = Served::new(zip.finish(&End::default()));
    let source = &served;
    let (archive, entries) = open(&source, Some(served.size())).await.unwrap();
    let read = read(&archive, Target::tail(entries[0].clone(), 100_000, Digest::new())).await.unwrap();
    assert!(read.sink.is_of(&text[8_900_000..]));
    let outcome = read.result.unwrap();
    assert_eq!((outcome.given.clone(), outcome.crc), (8_900_000..9_000_000, Crc::Unverified));
    assert!(outcome.is_complete());
    let data = 30 + 16 + 5;
    let tail = Span::Range(data + 8_900_000..data + 9_000_000);
    assert_eq!(served.asked(), [Span::Suffix(TAIL), Span::Range(0..30), tail]);
}
