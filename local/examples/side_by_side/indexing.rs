//! index-export, and what people would use instead, on the same exports.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crash_capture_local::s3::Shape;
use crash_capture_local::streams::Status;
use crash_capture_local::zips::sessions::Session;
use crash_capture_local::zips::{Image, sessions};
use serde_json::{Value, json};

use super::Failure;
use super::money::of_reading;
use super::table::{head, mb, median, mib, ms, row, times};
use super::world::{APPLICATION, BUCKET, GROUP, Peer, Programs, World};

pub(crate) const INDEX_EXPORT: Peer = Peer::new("index-export", "index-export");
/// What the ratios are to: our own reader of zips, doing what the peers do and no more (`benches/reading`).
pub(crate) const READING: Peer = Peer::new("its reading alone", "reading");
const PEERS: [Peer; 5] = [
    INDEX_EXPORT,
    READING,
    Peer::new("Python, the same plan", "plan"),
    Peer::new("Python, remotezip", "remote"),
    Peer::new("Python, full download", "full"),
];

/// S3 as a Lambda function sees it: assumed, not measured.
pub(crate) const MODEL: Shape =
    Shape { first_byte: Duration::from_millis(20), per_connection: 90_000_000, in_all: 75_000_000 };

/// How often a process is given the event again, once it has answered the first: small exports more often, as the clock of processor
/// time is coarse.
fn warm(size: u64) -> u32 {
    if size < 30_000_000 { 20 } else { 5 }
}

/// Downloads of more than this are measured once: they take long.
const LONG: u64 = 1 << 30;

/// What one process took.
#[derive(Debug, Clone, Copy, Default)]
struct Sample {
    /// From its start to its first answer.
    cold: Duration,
    /// From an event to the record, once it is warm.
    reading: Duration,
    /// From an event to the answer, once it is warm.
    answered: Duration,
    /// Of the processor, for an event, once it is warm.
    cpu_warm: Duration,
    memory: Option<u64>,
    requests: usize,
    bytes: u64,
}

/// Measures all of them on the exports of these names; prints a table for each.
pub(crate) async fn run(
    programs: &Programs,
    names: &[String],
    only: &[String],
    repetitions: u32,
) -> Result<(), Failure> {
    let is_meant = |peer: &Peer| only.is_empty() || only.iter().any(|program| program == peer.program);
    let peers: Vec<_> = PEERS.into_iter().filter(is_meant).collect();
    let world = World::start(programs, &peers).await?;
    for session in sessions::all().into_iter().filter(|it| names.iter().any(|name| name == it.name)) {
        let export = Export::put(&world, &session).await?;
        for shape in [None, Some(MODEL)] {
            world.s3.shape(shape);
            let measured = measure(&world, &peers, &export, repetitions).await?;
            print(&export, shape, &measured);
        }
        world.s3.shape(None);
        world.s3.delete(BUCKET, &export.key)?;
    }
    Ok(())
}

/// An export in the bucket.
pub(crate) struct Export {
    name: &'static str,
    size: u64,
    key: String,
    event: Value,
}

impl Export {
    async fn put(world: &World, session: &Session) -> Result<Self, Failure> {
        Self::put_image(world, session.name, &session.image).await
    }

    /// Tells that it was put there.
    pub(crate) fn event(&self) -> &Value {
        &self.event
    }

    /// Where it lies.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Puts an export into the bucket, whose session has ended.
    pub(crate) async fn put_image(world: &World, name: &'static str, image: &Image) -> Result<Self, Failure> {
        let id = format!("session{name:0>6}");
        world.write_down([id.clone()], Status::Terminated);
        let key = format!("exports/{APPLICATION}/{GROUP}/2026-11-23/{id}.zip");
        let path = world.folder().join("export.zip");
        image.write_to(&path)?;
        world.s3.put(BUCKET, &key, path, "111122223333").await?;
        let etag =
            world.s3.object(BUCKET, &key).map(|object| object.etag.clone()).ok_or("the export is gone")?;
        let event = json!({
            "version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103", "detail-type": "Object Created",
            "source": "aws.s3", "account": "111122223333", "time": "2026-11-23T10:00:00Z", "region": "us-west-2",
            "resources": [format!("arn:aws:s3:::{BUCKET}")],
            "detail": {
                "version": "0", "bucket": {"name": BUCKET}, "reason": "PutObject",
                "object": {"key": key, "size": image.size(), "etag": etag},
            },
        });
        Ok(Self { name, size: image.size(), key, event })
    }
}

async fn measure(
    world: &World,
    peers: &[Peer],
    export: &Export,
    repetitions: u32,
) -> Result<Vec<(Peer, Sample)>, Failure> {
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); peers.len()];
    let mut answers = BTreeSet::new();
    for repetition in 0..repetitions {
        // One after the other, and then again: whatever else the machine does, it does it to all of them.
        for (peer, samples) in peers.iter().zip(&mut samples) {
            let is_long = peer.program == "full" && export.size > LONG;
            if repetition > 0 && is_long {
                continue;
            }
            let (sample, answer) =
                sample(world, *peer, export, if is_long { 1 } else { warm(export.size) }).await?;
            samples.push(sample);
            answers.insert(answer);
        }
    }
    if answers.len() != 1 {
        return Err(format!("{}: they do not agree: {answers:#?}", export.name).into());
    }
    Ok(peers.iter().copied().zip(samples.iter().map(|samples| middle(samples))).collect())
}

/// Starts a process, and gives it the event several times; what it took, and what it found.
async fn sample(world: &World, peer: Peer, export: &Export, warm: u32) -> Result<(Sample, String), Failure> {
    world.kill(peer)?;
    let (mut sample, mut used) = (Sample::default(), Duration::ZERO);
    let mut warmed = Vec::new();
    let mut found = String::new();
    for number in 0..=warm {
        let it = world.invoke(peer, &export.event).await?;
        forget(world).await?;
        found = findings(peer, &it.answer).to_string();
        let cpu = it.outcome.processor_time.unwrap_or_default();
        sample.memory = it.outcome.max_memory;
        (sample.requests, sample.bytes) = it.reads_of(&export.key);
        if number == 0 {
            sample.cold =
                it.outcome.init_duration.ok_or("the process was there before")? + it.outcome.duration;
            used = cpu;
        } else {
            sample.cpu_warm = cpu.saturating_sub(used) / number;
            warmed.push((it.reading().ok_or("no record was written")?, it.outcome.duration));
        }
    }
    sample.reading = median(warmed.iter().map(|it| it.0).collect()).unwrap_or_default();
    sample.answered = median(warmed.iter().map(|it| it.1).collect()).unwrap_or_default();
    Ok((sample, found))
}

/// Deletes what was written, so that each invocation finds what the first one found.
pub(crate) async fn forget(world: &World) -> Result<(), Failure> {
    for prefix in ["index/", "signatures/"] {
        for key in world.s3.list(BUCKET, prefix).await? {
            world.s3.delete(BUCKET, &key)?;
        }
    }
    Ok(())
}

/// What a peer found, in the peers' form.
fn findings(peer: Peer, answer: &Value) -> Value {
    if peer != INDEX_EXPORT {
        return answer.clone();
    }
    let evidence = answer["evidence"].as_array().cloned().unwrap_or_default();
    let mut dumps: Vec<_> = evidence
        .iter()
        .filter_map(|it| it["path"].as_str())
        .filter(|path| Path::new(path).extension().is_some_and(|it| it == "dmp"))
        .map(str::to_owned)
        .collect();
    dumps.sort_unstable();
    json!({"files": answer["files"]["count"], "bytes": answer["files"]["bytes"], "dumps": dumps})
}

/// The medians; the sum of processor time over all warm events, since its clock is coarse.
fn middle(samples: &[Sample]) -> Sample {
    let of = |value: fn(&Sample) -> Duration| median(samples.iter().map(value).collect()).unwrap_or_default();
    let mean = |value: fn(&Sample) -> Duration| {
        samples.iter().map(value).sum::<Duration>() / u32::try_from(samples.len()).unwrap_or(1).max(1)
    };
    Sample {
        cold: of(|it| it.cold),
        reading: of(|it| it.reading),
        answered: of(|it| it.answered),
        cpu_warm: mean(|it| it.cpu_warm),
        memory: samples.iter().filter_map(|it| it.memory).max(),
        requests: samples.iter().map(|it| it.requests).max().unwrap_or(0),
        bytes: samples.iter().map(|it| it.bytes).max().unwrap_or(0),
    }
}

#[expect(clippy::print_stdout, reason = "that is what it is for")]
fn print(export: &Export, shape: Option<Shape>, measured: &[(Peer, Sample)]) {
    let latency = if shape.is_some() { "modelled latency" } else { "no latency" };
    println!("\n**{}**, {}, {latency}\n", export.name, mb(export.size));
    println!(
        "{}",
        head(&[
            "",
            "GETs",
            "read",
            "to the record",
            "ratio",
            "processor",
            "ratio",
            "peak memory",
            "cold, to the answer",
            "ratio",
            "a million",
        ])
    );
    let of = |peer: Peer| measured.iter().find(|(it, _)| *it == peer).or(measured.first()).map(|(_, it)| *it);
    let (ours, reading) = (of(INDEX_EXPORT).unwrap_or_default(), of(READING).unwrap_or_default());
    for (peer, it) in measured {
        let price = shape.map(|_| format!("${:.2}", of_reading(it.requests, it.reading, it.cpu_warm)));
        println!(
            "{}",
            row(&[
                peer.name.to_owned(),
                it.requests.to_string(),
                mb(it.bytes),
                ms(it.reading),
                times(it.reading, reading.reading),
                ms(it.cpu_warm),
                times(it.cpu_warm, reading.cpu_warm),
                mib(it.memory),
                ms(it.cold),
                times(it.cold, reading.cold),
                price.unwrap_or_default(),
            ])
        );
    }
    println!("\nindex-export from the event to its answer: {}", ms(ours.answered));
}
