//! Exports, made up.

use std::io::{Cursor, Write as _};

use zip::write::{SimpleFileOptions, ZipWriter};

/// The build of the exports that are not of another one.
const BUILD: &str = "++Game+Main-CL-1";

/// The export of a game that was ended by an assertion of this number.
pub(crate) fn crashed(assertion: usize) -> Vec<u8> {
    crashed_in(assertion, BUILD)
}

/// The same of this build.
pub(crate) fn crashed_in(assertion: usize, build: &str) -> Vec<u8> {
    let name = ["zero", "one", "two", "three", "four", "five", "six"][assertion];
    export(&log(&format!("is_{name}"), name, build))
}

/// The export of a game that was ended by the assertion of this condition.
pub(crate) fn crashed_by(condition: &str) -> Vec<u8> {
    export(&log(condition, "Pawn", BUILD))
}

/// The export of a game whose log ends like this.
pub(crate) fn logged(end: &str) -> Vec<u8> {
    zip(&[(LOG, &format!("LogInit: Build: {BUILD}\n{end}"))])
}

const LOG: &str = "application/Game/Saved/Logs/Game.log";

fn export(log: &str) -> Vec<u8> {
    zip(&[(LOG, log), ("application/Game/Saved/Crashes/UECC-1/UEMinidump.dmp", "MDMP")])
}

fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, content) in files {
        zip.start_file(*path, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn log(condition: &str, file: &str, build: &str) -> String {
    format!(
        "[2026.11.23-10.15.02:000][  0]LogInit: Build: {build}\n\
         [2026.11.23-10.16.02:000][  9]LogWindows: Error: appError called: Assertion failed: {condition} \
         [File:D:\\build\\Source\\Game\\{file}.cpp] [Line: 12]\n"
    )
}
