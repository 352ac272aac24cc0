//! Logs: how they end.

/// How much of a log's end is looked at, in bytes.
const TAIL: usize = 64 * 1024;

/// Lines that an engine writes when it was asked to quit, and did.
///
/// Unreal: `LogExit: Exiting.` and `Log file closed` (`FEngineLoop::Exit`, `FOutputDeviceFile::TearDown`).
const CLEAN_EXIT_MARKS: [&str; 2] = ["LogExit: Exiting.", "Log file closed"];

/// Whether a log ends as one of a clean exit does.
pub(super) fn ends_cleanly(log: &[u8]) -> bool {
    let tail = String::from_utf8_lossy(&log[log.len().saturating_sub(TAIL)..]);
    CLEAN_EXIT_MARKS.iter().any(|mark| tail.contains(mark))
}
