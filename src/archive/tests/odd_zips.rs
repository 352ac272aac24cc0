//! Zips that are odd, broken or hostile: read right, or refused cleanly, or flagged; never silently wrong.

use std::fmt::Write as _;

use crash_capture_local::zips::odd;

use super::*;

/// What becomes of a zip, on one line: entries, what was found, and what became of the entries that are not simply right.
async fn told(served: &Served) -> String {
    let mut entries = Vec::new();
    let archive =
        match Archive::open(&served, Some(served.size()), None, |entry| entries.push(entry.clone())).await {
            Ok(archive) => archive,
            Err(error) => return error.to_string(),
        };
    let codes: Vec<&str> = archive.directory().findings.iter().map(|it| it.code).collect();
    let mut told = vec![entries.len().to_string(), codes.join(" ")];
    for entry in entries.iter().take(20) {
        let read = read_all(&archive, entry).await.unwrap();
        let Ok(outcome) = &read.result else {
            told.push(format!("{}", read.result.unwrap_err()));
            continue;
        };
        if let Some(finding) = outcome.finding() {
            told.push(finding.detail);
        } else if entry.path == odd::LOG {
            assert_eq!(outcome.crc, Crc::Verified);
        }
    }
    told.retain(|part| !part.is_empty());
    told.join("; ")
}

#[tokio::test]
async fn every_odd_zip_is_read_right_or_refused_or_flagged() {
    let mut all = String::new();
    for case in odd::all() {
        let told = told(&Served::new(case.image)).await;
        writeln!(all, "{}: {told}", case.name).unwrap();
    }
    let expected = include_str!("odd_zips.txt");
    for (ours, expected) in all.lines().zip(expected.lines()) {
        assert_eq!(ours, expected);
    }
    assert_eq!(all.lines().count(), expected.lines().count(), "all of them:\n{all}");
}

/// What index-export does at first with any zip costs little, whatever the zip claims: the object, or 5 MiB, if it is not
/// really a directory that is long.
#[tokio::test]
async fn hostile_zips_cost_little() {
    for case in odd::all() {
        let served = Served::new(case.image);
        let source = &served;
        let begun = std::time::Instant::now();
        let opened = open(&source, Some(served.size())).await;
        let (requests, bytes) = served.cost();
        assert!(requests <= 3, "{}: {requests} requests", case.name);
        assert!(bytes <= served.size().min(WHOLE_OBJECT), "{}: {bytes} bytes", case.name);
        drop(opened);
        // Unoptimised, on a machine that others use.
        assert!(begun.elapsed().as_secs() < 10, "{}: {:?}", case.name, begun.elapsed());
    }
}

/// What `zipfile` makes of the zips of a folder, by file name.
fn by_python(folder: &std::path::Path) -> Option<std::collections::BTreeMap<String, serde_json::Value>> {
    let script = include_str!("zipfile_listing.py");
    let output = std::process::Command::new("python3").args(["-c", script]).arg(folder).output();
    let Ok(output) = output else {
        assert!(std::env::var_os("CI").is_none(), "CI must have python3");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    Some(lines.lines().map(|line| serde_json::from_str::<(String, _)>(line).unwrap()).collect())
}

/// The same of ours: the listing, and size and CRC of the first 20 entries' contents.
async fn by_us(image: Image) -> serde_json::Value {
    let served = Served::new(image);
    let source = &served;
    let (archive, entries) = match open(&source, Some(served.size())).await {
        Ok(opened) => opened,
        Err(error) => return error.to_string().into(),
    };
    let mut listing = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        let mut row = serde_json::json!([
            entry.path,
            entry.size,
            entry.compressed_size,
            entry.crc32,
            entry.method.number()
        ]);
        if number < 20 {
            let read = read_all(&archive, entry).await.unwrap();
            let is_complete = read.result.is_ok_and(|outcome| outcome.is_complete());
            row.as_array_mut().unwrap().push(if is_complete {
                serde_json::json!([read.sink.0.amount(), read.sink.0.sum()])
            } else {
                "error".into()
            });
        }
        listing.push(row);
    }
    listing.into()
}

/// Where `zipfile` and we differ, and why that is so.
const DIFFERENCES: [(&str, &str); 27] = [
    ("zip64: no field", "Python takes what the data comes to; we say that it is not what was declared"),
    ("zip64: field too short", "Python refuses the zip; we read it, with a flag"),
    ("name: UTF-8 without flag", "Python takes it for code page 437"),
    ("name: invalid UTF-8 with flag", "Python refuses the zip"),
    ("name: NUL", "we show it without the NUL"),
    ("name: escapes and right-to-left", "we show it without them"),
    ("another name in the local header", "Python refuses the entry"),
    ("a comment with signatures", "Python takes the last signature for the end record, and refuses the zip"),
    ("an empty end record in the comment", "Python takes it, and loses every entry"),
    ("an end record in the comment that points at nothing", "Python takes it, and refuses the zip"),
    ("a comment of end records", "Python takes the last, and refuses the zip"),
    ("an end record in the comment for another directory", "Python refuses the zip; we flag it"),
    ("70,000 bytes behind", "Python looks through the last 64 KiB only"),
    ("the directory's size is too small", "Python refuses the zip"),
    ("the directory's size is too large", "Python refuses the zip"),
    ("the directory's offset is 2^32-2", "Python lists the entries, and finds none of them"),
    ("zip64: the directory's offset is 2^64-1", "Python lists the entries, and finds none of them"),
    ("a digital signature behind the directory", "Python refuses the zip"),
    ("noise between directory and end", "Python refuses the zip"),
    ("noise in the directory", "Python refuses the zip; we flag it, and have what came before"),
    ("a record that promises more than there is", "Python takes half a record; we flag it"),
    ("a comment that looks like zip64", "Python takes it for zip64, and refuses the zip"),
    ("an extra field that overruns", "Python refuses the zip"),
    ("1,000 entries on one local header", "Python reads the first only; we flag all"),
    ("entries that quote each other", "some versions of Python refuse the entries; we flag them"),
    ("claims more than it holds", "Python does not notice"),
    ("stored, with sizes that differ", "Python does not notice"),
];

/// Python changes with its versions: where we differ, it may also do as we do. Elsewhere it may not differ.
#[tokio::test]
async fn pythons_zipfile_makes_the_same_of_them_where_it_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let cases = odd::all();
    for (number, case) in cases.iter().enumerate() {
        case.image.write_to(&folder.path().join(format!("{number:03}"))).unwrap();
    }
    let Some(python) = by_python(folder.path()) else { return };
    assert_eq!(python.len(), cases.len());
    let mut agreed = 0;
    for (case, python) in cases.into_iter().zip(python.values()) {
        let ours = by_us(case.image).await;
        let both_refuse = ours.is_string() && python.is_string();
        if &ours == python || both_refuse {
            agreed += 1;
        } else {
            let is_known = DIFFERENCES.iter().any(|(name, _)| *name == case.name);
            assert!(is_known, "{}: Python: {python:.300}, we: {ours:.300}", case.name);
        }
    }
    assert!(agreed >= 60, "{agreed}");
}
