//! What holds of any zip that the generator writes, from any source.

use crash_capture_local::zips::writer::{Descriptor, End, Entry as Written, Zip, Zip64};
use proptest::prelude::*;

use super::*;

/// A zip, and its files: name and contents.
#[derive(Debug)]
struct Made {
    image: Image,
    files: Vec<(String, Vec<u8>)>,
}

/// A file's contents, how it is written, and what lies behind it that nobody reads, in KiB.
type File = (Vec<u8>, usize, bool, u8, usize, (bool, bool, bool), u64);

fn file() -> impl Strategy<Value = File> {
    let gap = prop_oneof![3 => Just(0), 1 => 0..300_u64, 1 => 300..9_000_u64];
    let text = prop::collection::vec(any::<u8>(), 0..600);
    (text, 1..200_usize, any::<bool>(), 0..4_u8, 0..700_usize, any::<(bool, bool, bool)>(), gap)
}

fn zip() -> impl Strategy<Value = Made> {
    let files = prop::collection::vec(file(), 1..9);
    (files, any::<bool>(), prop::collection::vec(any::<u8>(), 0..200), 0..100_usize, any::<bool>()).prop_map(
        |(files, zip64, comment, prefix, adjusted)| {
            let mut zip = Zip::behind(vec![b'#'; prefix], adjusted);
            let mut made = Vec::new();
            for (number, (text, times, is_deflated, descriptor, extra, places, gap)) in
                files.into_iter().enumerate()
            {
                let (name, content) = (format!("profile/{number}.log"), text.repeat(times));
                let written = if is_deflated {
                    Written::deflated(name.as_str(), &content)
                } else {
                    Written::stored(name.as_str(), content.clone())
                };
                zip.add(&written.but(|it| {
                    it.descriptor =
                        [Descriptor::None, Descriptor::Signed, Descriptor::Unsigned, Descriptor::Zip64]
                            [usize::from(descriptor)];
                    it.local_extra = vec![0; extra];
                    it.zip64 =
                        Zip64 { size: places.0, compressed: places.1, offset: places.2, ..Zip64::default() };
                }));
                zip.skip(gap * 1024);
                made.push((name, content));
            }
            let comment = comment.into_iter().filter(|byte| *byte != b'P').collect();
            // A prefix that nobody knows of cannot be told where zip64 records say where they lie.
            let zip64 = zip64 && (adjusted || prefix == 0);
            Made { image: zip.finish(&End { zip64, comment, ..End::default() }), files: made }
        },
    )
}

/// All files, by name, as they are read.
async fn contents(served: &Served) -> Result<Vec<(String, Vec<u8>)>, ArchiveError<Failed>> {
    let (archive, entries) = open(&served, None).await?;
    assert_eq!(archive.directory().findings, []);
    let mut reads = archive.reads();
    for entry in entries {
        reads.add(Target::stream(entry, u64::MAX, u64::MAX, Vec::new()));
    }
    let mut contents = Vec::new();
    while let Some(read) = reads.next().await {
        let read = read?;
        let outcome = read.result.unwrap();
        assert_eq!((outcome.stop, outcome.crc), (Stop::End, Crc::Verified), "{}", read.entry.path);
        contents.push((read.entry.path, read.sink));
    }
    contents.sort();
    Ok(contents)
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_is_what_is_read_however_it_arrives(
        made in zip(),
        piece in prop_oneof![1 => Just(1), 6 => 500..20_000_usize, 2 => Just(1 << 20)],
        bodies in 0..4_usize,
        after in 0..3_000_u64,
        cut_with_error in any::<bool>(),
    ) {
        let cut = Some((bodies, after));
        let served = Served { piece: Some(piece), cut, cut_with_error, ..Served::new(made.image) };
        prop_assert_eq!(run(contents(&served)), Ok(made.files));
    }

    #[test]
    fn a_request_that_fails_is_a_failure_that_a_retry_may_mend(made in zip(), fails_at in 0..9_usize) {
        let served = Served { fails_at: Some(fails_at), ..Served::new(made.image) };
        let told = run(contents(&served));
        if served.asked().len() > fails_at {
            prop_assert_eq!(told, Err(ArchiveError::Source(Failed)));
        } else {
            prop_assert_eq!(told, Ok(made.files));
        }
    }

    #[test]
    fn bodies_that_all_break_off_are_told_of_and_nothing_wrong_is(made in zip(), after in 0..2_000_u64) {
        let served = Served { cut: Some((usize::MAX, after)), ..Served::new(made.image) };
        match run(contents(&served)) {
            Ok(told) => prop_assert_eq!(told, made.files),
            Err(error) => prop_assert_eq!(error, ArchiveError::CutOff),
        }
    }
}
