//! Exports, made up.

use std::io::{Cursor, Write as _};

use zip::write::{SimpleFileOptions, ZipWriter};

/// The export of a game that was ended by an assertion of this number.
pub(crate) fn crashed(assertion: usize) -> Vec<u8> {
    crashed_by(&format!("is_{}", ["zero", "one", "two", "three", "four", "five", "six"][assertion]))
}

/// The export of a game that was ended by the assertion of this condition.
pub(crate) fn crashed_by(condition: &str) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, content) in [
        ("application/Game/Saved/Logs/Game.log", log(condition)),
        ("application/Game/Saved/Crashes/UECC-1/UEMinidump.dmp", "MDMP".to_owned()),
    ] {
        zip.start_file(path, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn log(condition: &str) -> String {
    format!(
        "[2026.11.23-10.15.02:000][  0]LogInit: Build: ++Game+Main-CL-1\n\
         [2026.11.23-10.16.02:000][  9]LogWindows: Error: appError called: Assertion failed: {condition} \
         [File:D:\\build\\Source\\Game\\Pawn.cpp] [Line: 12]\n"
    )
}
