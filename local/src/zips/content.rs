//! What files hold: logs, dumps, noise. The same for the same seed.

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Bytes that do not compress.
#[must_use]
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bytes = vec![0; length];
    random.fill(&mut bytes);
    bytes
}

/// A log as Unreal writes it, that compresses some 4:1 and ends as that of a clean exit does.
#[must_use]
pub fn log(seed: u64, length: usize) -> Vec<u8> {
    const FAREWELL: &str = "LogExit: Exiting.\nLog file closed, 11/23/26 10:00:00\n";
    let mut random = fastrand::Rng::with_seed(seed);
    let mut text = String::with_capacity(length + 200);
    let mut frame = 0_u64;
    while text.len() + FAREWELL.len() < length {
        frame += random.u64(1..90);
        let (seconds, thousandths) = (frame / 60 % 60, frame % 1000);
        let category = ["LogNet", "LogStreaming", "LogRenderer", "LogAudio", "LogScript"][random.usize(..5)];
        let word = ["Display", "Warning", "Verbose"][random.usize(..3)];
        let (number, object) = (random.u32(..), random.u16(..));
        writeln!(
            text,
            "[2026.11.23-10.{seconds:02}.07:{thousandths:03}][{frame:3}]{category}: {word}: \
             /Game/Maps/World_{object:05}.World_{object:05} took {number:08x} ms"
        )
        .ok();
    }
    text.truncate(length.saturating_sub(FAREWELL.len()));
    text.push_str(&FAREWELL[FAREWELL.len().saturating_sub(length)..]);
    text.into_bytes()
}

/// The beginning of a minidump, and noise that compresses as little as a process's memory does: a signature, a version, one
/// stream for each thing that a dump of Windows has, and nothing behind them that a parser would take for a crash.
#[must_use]
pub fn dump(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length);
    bytes.extend_from_slice(b"MDMP\x93\xa7\0\0\0\0\0\0\x20\0\0\0");
    let mut random = fastrand::Rng::with_seed(seed);
    // Every other page is one that has been seen: two to one, as memory.
    let mut page = vec![0; 4096];
    while bytes.len() < length {
        random.fill(&mut page);
        bytes.extend_from_slice(&page);
        bytes.extend_from_within(bytes.len() - page.len()..);
    }
    bytes.truncate(length);
    bytes
}

/// What bytes come to by deflate.
#[must_use]
#[expect(clippy::missing_panics_doc, reason = "writing to memory does not fail")]
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes it")
}

/// The CRC-32 of bytes.
#[must_use]
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// The CRC-32 of so many zeros.
#[must_use]
pub fn crc32_of_zeros(length: u64) -> u32 {
    let zeros = vec![0; 1 << 20];
    let mut crc = flate2::Crc::new();
    let mut left = length;
    while left > 0 {
        let piece = left.min(zeros.len() as u64);
        crc.update(&zeros[..usize::try_from(piece).unwrap_or(zeros.len())]);
        left -= piece;
    }
    crc.sum()
}
