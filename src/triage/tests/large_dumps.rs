//! Dumps that are longer than what may be held of them: the parts that tell what happened are found, and little else is read.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};

use crash_capture_local::zips::writer::{Data, End, Entry as Written, Zip};
use zip::CompressionMethod::{self, Deflated, Stored};

use super::dumps::{self, Dump};
use super::*;
use crate::archive::{Opened, Span, Whole};

const MIB: usize = 1024 * 1024;

/// An archive in memory, and how much is asked of it: requests, and bytes that are spoken for.
struct Counted(Bytes, AtomicU64, AtomicU64);

impl Source for Counted {
    type Error = Infallible;
    type Body = Whole;

    async fn open(&self, span: Span) -> Result<Opened<Whole>, Infallible> {
        let range = span.clone().within(self.0.len() as u64);
        self.1.fetch_add(1, Ordering::Relaxed);
        self.2.fetch_add(range.end - range.start, Ordering::Relaxed);
        self.0.open(span).await
    }
}

fn examined(zip: Vec<u8>) -> (Findings, u64, u64) {
    let source = Counted(zip.into(), AtomicU64::new(0), AtomicU64::new(0));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let size = source.0.len() as u64;
    let found = runtime.block_on(examine(&source, Some(size), None, &Rules::default())).unwrap();
    (found, source.1.into_inner(), source.2.into_inner())
}

/// A zip of one dump, and of something that keeps it from lying in the zip's end.
fn zipped(dump: &[u8], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes, method) in
        [("temp/x.dmp", dump, method), ("application/level", &vec![0; 6 * MIB][..], Stored)]
    {
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn told(found: &Findings) -> (&Found, &Option<crate::record::Build>) {
    (found.crash.as_ref().unwrap_or_else(|| panic!("{:?}", found.problems)), &found.build)
}

#[test]
fn a_dump_of_nearly_64_mib_tells_what_a_small_one_tells() {
    for near in [Dump::windows(0x1_4000_0000, 0x8d_8b1a), Dump::linux(0x5555_0000_0000, 0x1234)] {
        let mut far = near.clone();
        far.gaps.0 = 63 * MIB;
        // The evidence has the size of the file.
        let mut near = near.bytes();
        near.resize(far.bytes().len(), 0);
        let (expected, ..) = examined(zipped(&near, Deflated));
        assert_eq!(told(&expected).0.decision.row.number, 6);
        for method in [Deflated, Stored] {
            let (found, requests, _) = examined(zipped(&far.bytes(), method));
            assert_eq!(told(&found), told(&expected));
            assert!(
                found.problems.iter().all(|problem| problem.code == "absurd-ratio"),
                "{:?}",
                found.problems
            );
            // The end, the beginning, the rest.
            assert_eq!(requests, 3, "{method:?}");
        }
    }
}

#[test]
fn unreals_context_far_behind_in_a_dump_is_found() {
    let mut dump = Dump::windows(0x7ff6_1234_0000, 0x8d_8b1a);
    let context: Vec<u8> = text::utf16(&stories::context(&stories::NULL_READ))[2..].to_vec();
    dump.streams = vec![(dumps::UNREAL_CONTEXT, context)];
    dump.gaps.0 = 20 * MIB;
    let (found, ..) = examined(zipped(&dump.bytes(), Deflated));
    assert_eq!(told(&found).1.as_ref().unwrap().engine.as_deref(), Some("unreal"));
}

#[test]
fn in_a_stored_dump_what_is_not_wanted_is_jumped_over() {
    let mut dump = Dump::windows(0x1_4000_0000, 0x8d_8b1a);
    // Context, six names and records, a thread's name, four streams: 3 MiB apart.
    dump.gaps.1 = 3 * MIB;
    let (found, requests, bytes) = examined(zipped(&dump.bytes(), Stored));
    assert_eq!(told(&found).0.exception.module.as_ref().unwrap(), "skylark-win64-shipping.exe");
    assert_eq!(told(&found).0.exception.offset.as_deref(), Some("0x8d8b1a"));
    assert!(requests <= 10 && bytes < 3 * MIB as u64, "{requests} requests, {bytes} bytes");
}

#[test]
fn behind_64_mib_nothing_is_looked_for() {
    let mut dump = Dump::windows(0x1_4000_0000, 0x8d_8b1a);
    dump.gaps.0 = 65 * MIB;
    for method in [Deflated, Stored] {
        let (found, requests, _) = examined(zipped(&dump.bytes(), method));
        assert_eq!(told(&found).0.decision.row.number, 11);
        assert_eq!(found.problems.last().unwrap().code, "minidump-unreadable");
        assert_eq!(requests, 2);
    }
}

#[test]
fn a_dump_whose_parts_all_came_is_not_read_further_however_little_they_tell() {
    // A jump to nowhere: the instruction pointer lies in no module.
    let mut dump = Dump::windows(0x1_4000_0000, 0x8d_8b1a);
    dump.instruction = 0;
    let mut bytes = dump.bytes();
    bytes.resize(40 * MIB, 0);
    let (found, requests, _) = examined(zipped(&bytes, Deflated));
    assert_eq!(told(&found).0.decision.row.number, 7);
    assert_eq!(requests, 2);
}

#[test]
fn a_dump_that_goes_on_without_holding_anything_is_given_up() {
    let mut dump = Dump::windows(0x1_4000_0000, 0x8d_8b1a);
    dump.gaps.0 = 30 * MIB;
    let dump = dump.bytes();
    let (length, beginning) = (2000_u16, &dump[..2000]);
    // A block that is stored, and then empty ones, which never end (RFC 1951, 3.2.4).
    let header = [&[0][..], &length.to_le_bytes(), &(!length).to_le_bytes()].concat();
    let blocks = [&header, beginning, &[0, 0, 0, 0xff, 0xff].repeat(14_000_000)].concat();
    let mut zip = Zip::default();
    zip.add(&Written::deflated("temp/x.dmp", b"").but(|entry| {
        (entry.size, entry.compressed_size) = (dump.len() as u64, blocks.len() as u64);
        entry.data = Data::Raw(blocks.into());
    }));
    let image = zip.finish(&End::default());
    let (found, requests, _) = examined(image.read(0..image.size()).to_vec());
    let codes: Vec<_> = found.problems.iter().map(|problem| problem.code.as_str()).collect();
    assert_eq!(codes, ["compressed-limit", "minidump-unreadable"]);
    assert_eq!((requests, found.crash.unwrap().evidence.kind.as_str()), (3, "minidump"));
}
