//! What becomes of time, requests and memory as exports and sessions become more and larger.

use std::path::Path;
use std::time::Duration;

use crash_capture_local::zips::Image;
use crash_capture_local::zips::content::log;
use crash_capture_local::zips::writer::{End, Entry, Zip};

use super::Failure;
use super::arming::sweeps;
use super::chart::{Chart, Panel};
use super::indexing::{Export, INDEX_EXPORT, forget};
use super::table::{head, median, mib, ms, row};
use super::world::{BUCKET, Programs, World};

/// How often a process is given the event, once it is warm.
const WARM: usize = 3;

/// What one size took.
pub(crate) struct Point {
    pub(crate) at: u64,
    pub(crate) time: Duration,
    pub(crate) requests: usize,
    pub(crate) memory: Option<u64>,
}

/// Measures what grows; prints tables, and writes a chart.
pub(crate) async fn run(programs: &Programs, chart: Option<&Path>) -> Result<(), Failure> {
    let entries = indexed(programs, &[100, 1_000, 10_000, 100_000, 1_000_000], many).await?;
    print("files in the export", &entries);
    let sizes = [100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 5_000_000_000];
    let bytes = indexed(programs, &sizes, large).await?;
    print("bytes of the export", &bytes);
    let mut sessions = Vec::new();
    for number in [10, 100, 1_000, 10_000] {
        let swept = sweeps(programs, number).await?;
        sessions.push(Point {
            at: swept.sessions as u64,
            time: swept.next.took,
            requests: swept.next.requests(),
            memory: swept.next.memory,
        });
    }
    print("live sessions, all of them armed, in a sweep", &sessions);
    if let Some(path) = chart {
        let panels = [
            Panel { title: "index-export: files in the export", points: &entries },
            Panel { title: "index-export: bytes of the export", points: &bytes },
            Panel { title: "start-export: live sessions", points: &sessions },
        ];
        std::fs::write(path, Chart(&panels).to_string())?;
    }
    Ok(())
}

/// A log, and so many empty files.
fn many(entries: u64) -> Image {
    let mut zip = Zip::default();
    for number in 1..entries {
        zip.add(&Entry::stored(format!("profile/AppData/Local/Game/Saved/Cache/{number:08}.bin"), &b""[..]));
    }
    finish(zip)
}

/// A log, and a hundred files that make up the size.
fn large(bytes: u64) -> Image {
    let mut zip = Zip::default();
    for number in 0..100 {
        zip.add(&Entry::zeros(format!("application/Game/Content/Paks/{number:03}.ucas"), bytes / 100));
    }
    finish(zip)
}

fn finish(mut zip: Zip) -> Image {
    zip.add(&Entry::deflated("profile/AppData/Local/Game/Saved/Logs/Game.log", &log(1, 48_000)));
    zip.finish(&End { zip64: true, ..End::default() })
}

async fn indexed(programs: &Programs, sizes: &[u64], image: fn(u64) -> Image) -> Result<Vec<Point>, Failure> {
    let world = World::start(programs, &[INDEX_EXPORT]).await?;
    let mut points = Vec::new();
    for &at in sizes {
        let export = Export::put_image(&world, "growth", &image(at)).await?;
        world.kill(INDEX_EXPORT)?;
        let mut times = Vec::new();
        let (mut requests, mut memory) = (0, None);
        for number in 0..=WARM {
            let it = world.invoke(INDEX_EXPORT, export.event()).await?;
            forget(&world).await?;
            if number > 0 {
                times.push(it.outcome.duration);
            }
            requests = it.reads_of(export.key()).0;
            memory = it.outcome.max_memory;
        }
        world.s3.delete(BUCKET, export.key())?;
        points.push(Point { at, time: median(times).unwrap_or_default(), requests, memory });
    }
    Ok(points)
}

#[expect(clippy::print_stdout, reason = "that is what it is for")]
fn print(what: &str, points: &[Point]) {
    println!("\n{}", head(&[what, "took", "requests", "peak memory"]));
    for point in points {
        println!(
            "{}",
            row(&[point.at.to_string(), ms(point.time), point.requests.to_string(), mib(point.memory)])
        );
    }
}
