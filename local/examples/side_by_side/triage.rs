//! What index-export's triage takes: the scan of logs, the parsing of dumps, and the whole of a crash, a typical one and a bad one.

#[path = "../../../tests/fixtures/dumps.rs"]
mod dumps;

use std::fmt::Write as _;
use std::time::Duration;

use crash_capture_local::zips::Image;
use crash_capture_local::zips::content::{log, noise};
use crash_capture_local::zips::writer::{End, Entry, Zip};

use super::Failure;
use super::indexing::{Export, INDEX_EXPORT, MODEL, READING, forget};
use super::table::{head, mb, median, mib, ms, row};
use super::world::{BUCKET, Peer, Programs, World};

use dumps::{Dump, module};

/// A log, inflated, in bytes.
const LOG: usize = 48_000_000;

/// How often a process is given the event, once it is warm.
const WARM: u32 = 5;

/// What an export took.
struct Taken {
    reading: Duration,
    answered: Duration,
    cpu: Duration,
    memory: Option<u64>,
    gets: usize,
    bytes: u64,
}

/// Measures each in turn; prints tables.
pub(crate) async fn run(programs: &Programs, repetitions: u32) -> Result<(), Failure> {
    let world = World::start(programs, &[INDEX_EXPORT, READING]).await?;
    logs(&world, repetitions).await?;
    parsing(&world, repetitions).await?;
    crashes(&world, repetitions).await
}

/// Logs that compress as logs do: what is scanned in a second, without what inflating takes, and with it.
#[expect(clippy::print_stdout, reason = "that is what it is for")]
async fn logs(world: &World, repetitions: u32) -> Result<(), Failure> {
    println!(
        "\n{}",
        head(&[&format!("a log of {}", mb(LOG as u64)), "scanned", "inflated and scanned", "peak memory"])
    );
    let unreal = String::from_utf8(log(1, LOG))?;
    let utf16: Vec<_> = unreal[..LOG / 2].encode_utf16().flat_map(u16::to_le_bytes).collect();
    let unity = lines("Unloading {} unused Assets / (1.2 MB). Loaded Objects now: 4711.");
    let managed = lines("NullReferenceException: Object {} is gone");
    for (name, text) in [
        ("Unreal's", unreal.as_bytes()),
        ("Unreal's, in UTF-16", &utf16),
        ("Unity's", unity.as_bytes()),
        ("of which every line is a managed exception", managed.as_bytes()),
    ] {
        let image = Zip::of([Entry::deflated("profile/Saved/Logs/Game.log", text)]);
        let export = Export::put_image(world, "logs", &image).await?;
        let ours = taken(world, INDEX_EXPORT, &export, repetitions).await?;
        let reading = taken(world, READING, &export, repetitions).await?;
        let a_second = |time: Duration| {
            #[expect(clippy::cast_precision_loss, reason = "megabytes to read")]
            let megabytes = text.len() as f64 / 1e6;
            format!("{:.0} MB/s", megabytes / time.as_secs_f64())
        };
        println!(
            "{}",
            row(&[
                name.to_owned(),
                a_second(ours.cpu.saturating_sub(reading.cpu)),
                a_second(ours.cpu),
                mib(ours.memory),
            ])
        );
        world.s3.delete(BUCKET, export.key())?;
    }
    Ok(())
}

fn lines(line: &str) -> String {
    let mut text = String::with_capacity(LOG + 256);
    while text.len() < LOG {
        let number = text.len().to_string();
        writeln!(text, "{}", line.replace("{}", &number)).ok();
    }
    text
}

/// A dump as games write them: many modules, and memory behind what tells of the crash.
fn dump(memory: usize) -> Dump {
    let mut dump = Dump::windows(0x1_4000_0000, 0x1234);
    for number in 0..160 {
        let path = format!(r"C:\Games\Skylark\Engine\Binaries\Win64\Module-{number:03}.dll");
        dump.modules.push(module(&path, 0x7f00_0000_0000 + 0x1000_0000 * number, 9));
    }
    dump.streams.push((0xffff, noise(1, memory)));
    dump
}

/// Sixteen dumps, and sixteen whose telling parts lie behind 40 MB.
#[expect(clippy::print_stdout, reason = "that is what it is for")]
async fn parsing(world: &World, repetitions: u32) -> Result<(), Failure> {
    println!("\n{}", head(&["16 dumps", "CPU for each", "GETs", "read", "peak memory"]));
    let plain = dump(3_000_000).bytes();
    let mut behind = dump(3_000_000);
    behind.gaps.0 = 40_000_000;
    let behind = behind.bytes();
    for (name, bytes) in [("of 3 MB", plain), ("of 43 MB, with the modules at the end", behind)] {
        let one = Entry::deflated("", &bytes);
        let mut zip = Zip::default();
        for number in 0..16 {
            zip.add(&one.clone().but(|it| it.name = format!("temp/{number}.dmp").into()));
            zip.add(&Entry::zeros(format!("application/{number}"), 1 << 20));
        }
        let export = Export::put_image(world, "dumps", &zip.finish(&End::default())).await?;
        let ours = taken(world, INDEX_EXPORT, &export, repetitions).await?;
        println!(
            "{}",
            row(&[
                name.to_owned(),
                ms(ours.cpu / 16),
                ours.gets.to_string(),
                mb(ours.bytes),
                mib(ours.memory)
            ])
        );
        world.s3.delete(BUCKET, export.key())?;
    }
    Ok(())
}

/// A crash of Unreal: its context, its dump, its log, and what else a session leaves behind.
fn crash(files: u64, dumps: u64, logs: u64, log_length: usize) -> Image {
    let mut zip = Zip::default();
    let bytes = dump(3_000_000).bytes();
    let dump = Entry::deflated("", &bytes);
    let context = Entry::deflated("", CONTEXT.as_bytes());
    let words = [&log(2, log_length)[..], LAST_WORDS.as_bytes()].concat();
    let log = Entry::deflated("", &words);
    let saved = "profile/AppData/Local/Skylark/Saved";
    for number in 0..files {
        let name = format!("application/Skylark/Content/Paks/Chunk/{number:06}.ucas");
        zip.add(&Entry::zeros(name, 97_000));
        let every =
            |count: u64| count > 0 && number % (files / count) == 0 && number / (files / count) < count;
        if every(dumps) {
            let folder = format!("{saved}/Crashes/UECC-Windows-{number:032X}_0000");
            zip.add(&dump.clone().but(|it| it.name = format!("{folder}/UEMinidump.dmp").into()));
            zip.add(&context.clone().but(|it| it.name = format!("{folder}/CrashContext.runtime-xml").into()));
        }
        if every(logs) {
            zip.add(&log.clone().but(|it| it.name = format!("{saved}/Logs/Skylark-{number:06}.log").into()));
        }
    }
    zip.finish(&End::default())
}

const CONTEXT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<FGenericCrashContext>
<RuntimeProperties>
<CrashType>Crash</CrashType>
<ErrorMessage>Unhandled Exception: EXCEPTION_ACCESS_VIOLATION reading address 0x0000000000000020</ErrorMessage>
<EngineVersion>5.3.2-29314046+++UE5+Release-5.3</EngineVersion>
<BuildConfiguration>Shipping</BuildConfiguration>
<PCallStack>
Skylark-Win64-Shipping 0x0000000140000000 + 1234
</PCallStack>
</RuntimeProperties>
</FGenericCrashContext>
"#;

const LAST_WORDS: &str = "\n[2026.11.23-10.16.02:000][  9]LogWindows: Error: === Critical error: ===
[2026.11.23-10.16.02:000][  9]LogWindows: Error:
[2026.11.23-10.16.02:000][  9]LogWindows: Error: Unhandled Exception: EXCEPTION_ACCESS_VIOLATION reading address 0x0000000000000020
";

#[expect(clippy::print_stdout, reason = "that is what it is for")]
async fn crashes(world: &World, repetitions: u32) -> Result<(), Failure> {
    println!(
        "\n{}",
        head(&[
            "",
            "size",
            "GETs",
            "read",
            "latency",
            "to the record",
            "to the answer",
            "CPU",
            "peak memory"
        ])
    );
    for (name, image) in [
        ("a typical crash: 200 files, a dump, 2 logs of 1 MB", crash(200, 1, 2, 1_000_000)),
        ("a bad one: 5,000 files, 16 dumps, 16 logs of 20 MB", crash(4_950, 16, 16, 20_000_000)),
    ] {
        let export = Export::put_image(world, "crash", &image).await?;
        for (latency, shape) in [("none", None), ("modelled", Some(MODEL))] {
            world.s3.shape(shape);
            let it = taken(world, INDEX_EXPORT, &export, repetitions).await?;
            println!(
                "{}",
                row(&[
                    name.to_owned(),
                    mb(image.size()),
                    it.gets.to_string(),
                    mb(it.bytes),
                    latency.to_owned(),
                    ms(it.reading),
                    ms(it.answered),
                    ms(it.cpu),
                    mib(it.memory),
                ])
            );
        }
        world.s3.shape(None);
        world.s3.delete(BUCKET, export.key())?;
    }
    Ok(())
}

/// Starts a process as often, and gives it the event once, and then again: medians, and the mean of processor time.
async fn taken(world: &World, peer: Peer, export: &Export, repetitions: u32) -> Result<Taken, Failure> {
    let (mut reading, mut answered, mut cpu) = (Vec::new(), Vec::new(), Duration::ZERO);
    let (mut memory, mut gets, mut bytes) = (None, 0, 0);
    for _ in 0..repetitions {
        world.kill(peer)?;
        let mut used = Duration::ZERO;
        for number in 0..=WARM {
            let it = world.invoke(peer, export.event()).await?;
            forget(world).await?;
            let now = it.outcome.processor_time.unwrap_or_default();
            if number == 0 {
                used = now;
                continue;
            }
            reading.push(it.reading().ok_or("no record was written")?);
            answered.push(it.outcome.duration);
            memory = memory.max(it.outcome.max_memory);
            (gets, bytes) = it.reads_of(export.key());
            if number == WARM {
                cpu += now.saturating_sub(used) / WARM;
            }
        }
    }
    Ok(Taken {
        reading: median(reading).unwrap_or_default(),
        answered: median(answered).unwrap_or_default(),
        cpu: cpu / repetitions.max(1),
        memory,
        gets,
        bytes,
    })
}
