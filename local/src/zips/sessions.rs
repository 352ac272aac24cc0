//! Exports of six sizes, by the shapes in which they were measured: from a game that left two files, to one that left 5.6 GB.

use super::Image;
use super::content::{crc32, deflate, dump, log, noise};
use super::writer::{End, Entry, Zip, Zip64};

/// An export, by its letter.
#[derive(Debug, Clone)]
pub struct Session {
    /// `s`, `m`, `a`, `b`, `c`, `d`.
    pub name: &'static str,
    /// The zip.
    pub image: Image,
}

/// All of them, the small ones first.
#[must_use]
pub fn all() -> Vec<Session> {
    let session = |name, image| Session { name, image };
    vec![
        session("s", s()),
        session("m", m()),
        session("a", a()),
        session("b", b()),
        session("c", c()),
        session("d", d()),
    ]
}

/// A log and the statistics: 15 KB.
#[must_use]
pub fn s() -> Image {
    Zip::of([
        Entry::deflated(LOG, &log(1, 48_000)),
        Entry::deflated("stats/perf_stats_v1.csv", b"timestamp,fps\n1763892000,60\n"),
    ])
}

const LOG: &str = "profile/AppData/Local/Game/Saved/Logs/Game.log";

fn dump_path(number: u64) -> String {
    format!("profile/AppData/Local/Game/Saved/Crashes/UECC-Windows-{number:032X}_0000/UEMinidump.dmp")
}

fn log_path(number: u64) -> String {
    format!("profile/AppData/Local/Game/Saved/Logs/Game-client-2026.11.{number:02}-10.00.00.log")
}

/// A file of the game that nobody reads: zeros where noise would only cost memory.
fn asset(number: u64, size: u64) -> Entry {
    Entry::zeros(
        format!("application/Game/Content/Paks/Chunk/{number:06}/Game-Windows_{number:06}.ucas"),
        size,
    )
}

/// 60 files, 4.5 MB: the largest that is fetched whole.
#[must_use]
pub fn m() -> Image {
    let mut files =
        vec![Entry::deflated(LOG, &log(2, 600_000)), Entry::deflated(log_path(1), &log(3, 200_000))];
    files.push(Entry::deflated(dump_path(1), &dump(4, 300_000)));
    files.extend(
        (0..57).map(|number| Entry::stored(format!("temp/cache/{number:03}.bin"), noise(number, 72_000))),
    );
    Zip::of(files)
}

/// 200 files, 19 MB, two dumps and four logs, the last of which lies in the tail.
#[must_use]
pub fn a() -> Image {
    let mut zip = Zip::default();
    let big = |zip: &mut Zip, number| zip.add(&asset(number, 97_000));
    for number in 0..180 {
        big(&mut zip, number);
        match number {
            20 | 60 => zip.add(&Entry::deflated(dump_path(number), &dump(number, 400_000))),
            90 | 120 | 150 => zip.add(&Entry::deflated(log_path(number / 10), &log(number, 250_000))),
            _ => {}
        }
    }
    for number in 180..194 {
        zip.add(&asset(number, 2_000));
    }
    zip.add(&Entry::deflated(LOG, &log(5, 120_000)));
    zip.finish(&End::default())
}

/// 5,000 files, 500 MB, four dumps, twelve logs.
#[must_use]
pub fn b() -> Image {
    let mut zip = Zip::default();
    for number in 0..4_984 {
        zip.add(&asset(number, 97_000));
        if number % 1_000 == 500 && number < 4_000 {
            let size = if number == 500 { 24_000_000 } else { 900_000 };
            zip.add(&Entry::deflated(dump_path(number), &dump(number, size)));
        }
        if number % 400 == 100 && number < 4_900 {
            zip.add(&Entry::deflated(log_path(number / 400), &log(number, 660_000)));
        }
    }
    zip.finish(&End::default())
}

/// 100,000 small files, 47 MB, of which the directory is 12 MB; a dump and three logs.
#[must_use]
pub fn c() -> Image {
    let mut zip = Zip::default();
    for number in 0..99_996_u64 {
        let name = format!(
            "profile/AppData/Local/Game/Saved/Cache/{:02x}/{number:08x}/shader-{number:06}.bin",
            number % 251
        );
        zip.add(&Entry::stored(name, number.to_le_bytes().repeat(28)));
        match number {
            10_000 => zip.add(&Entry::deflated(dump_path(number), &dump(number, 300_000))),
            30_000 | 50_000 | 70_000 => {
                zip.add(&Entry::deflated(log_path(number / 10_000), &log(number, 500_000)));
            }
            _ => {}
        }
    }
    zip.finish(&End { zip64: true, ..End::default() })
}

/// 7 files, 5.6 GB, zip64: three dumps, one of them stored, a deflated log of 60 MB, a stored one of 20 MB.
#[must_use]
pub fn d() -> Image {
    const GIB: u64 = 1 << 30;
    let mut zip = Zip::default();
    zip.add(&asset(1, 3 * GIB));
    zip.add(&Entry::beginning(dump_path(1), 8, deflate(&dump(6, 4_000_000)), 100_700_000, 318_000_000));
    zip.add(&Entry::beginning(dump_path(2), 0, dump(7, 1_000_000), 69_500_000, 69_500_000));
    zip.add(&asset(2, 2 * GIB - 300_000_000));
    // Behind the first 4 GiB.
    let far = |entry: Entry| entry.but(|it| it.zip64 = Zip64 { offset: true, ..Zip64::default() });
    zip.add(&far(Entry::deflated(LOG, &log(8, 1_000_000).repeat(60))));
    zip.add(&far(stored_log(20_000_000)));
    zip.add(&far(asset(3, 5_000_000)));
    zip.add(&far(Entry::deflated(dump_path(3), &dump(9, 2_900_000))));
    zip.add(&far(asset(4, 5_000_000)));
    zip.finish(&End { zip64: true, ..End::default() })
}

fn stored_log(length: usize) -> Entry {
    let bytes = log(10, length);
    let crc = crc32(&bytes);
    Entry::stored(log_path(31), bytes).but(|entry| entry.crc32 = crc)
}

/// A million files, of which there is nothing but the directory: 117 MB.
#[must_use]
pub fn million() -> Image {
    let mut zip = Zip::default();
    zip.skip(128_000_000);
    for number in 0..1_000_000_u64 {
        let name = format!("profile/AppData/Local/Game/Saved/Cache/Shaders/{number:08x}-{number:07}.bin");
        zip.record(&Entry::nowhere(name), 128 * number);
    }
    zip.add(&Entry::deflated(LOG, &log(11, 50_000)));
    zip.finish(&End { zip64: true, ..End::default() })
}
