//! Zips that are odd, broken or hostile: read right, or refused cleanly, or flagged; never silently wrong.

use crash_capture_local::zips::odd;

use super::*;

/// What becomes of a zip, on one line: entries, what was found, and what became of the entries that are not simply right.
async fn told(served: &Served) -> String {
    let mut entries = Vec::new();
    let archive = match Archive::open(&served, Some(served.size()), None, |entry| entries.push(entry)).await {
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
    let mut all = Vec::new();
    for case in odd::all() {
        let served = Served::new(case.image);
        let told = told(&served).await;
        all.push(format!("{}: {told}", case.name));
    }
    assert_eq!(all, [""; 0]);
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

#[tokio::test]
async fn pythons_zipfile_makes_the_same_of_them_where_it_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let cases = odd::all();
    for (number, case) in cases.iter().enumerate() {
        case.image.write_to(&folder.path().join(format!("{number:03}"))).unwrap();
    }
    let Some(python) = by_python(folder.path()) else { return };
    let mut differ = Vec::new();
    for (case, python) in cases.into_iter().zip(python.values()) {
        let ours = by_us(case.image).await;
        if &ours != python && !(ours.is_string() && python.is_string()) {
            differ.push((case.name, python.to_string().chars().take(300).collect::<String>(), ours.to_string().chars().take(300).collect::<String>()));
        }
    }
    assert_eq!(differ, []);
}
