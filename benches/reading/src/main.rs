//! What the peers of index-export do, by its own reader of zips: the list, the beginnings of the dumps, all of the logs, a record. No
//! triage, no report, no tags, which the peers have not either (`benches/peers/`).

use std::ops::ControlFlow;

use aws_sdk_s3::Client;
use crash_capture::archive::{Archive, Entry, Method, Sink, Target};
use crash_capture::aws::lambda_config;
use crash_capture::store::Store;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

/// As index-export has them (`src/triage/mod.rs`).
const DUMP: (u64, u64) = (256 * 1024, 1024 * 1024);
const LOG: (u64, u64) = (256 * 1024 * 1024, 2 * 1024 * 1024 * 1024);
const LOG_TAIL: u64 = 8 * 1024 * 1024;

/// Who takes what a file holds.
enum Reader {
    Dump(Vec<u8>),
    Log,
}

impl Sink for Reader {
    fn take(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        match self {
            Self::Dump(kept) => kept.take(bytes),
            Self::Log => ControlFlow::Continue(()),
        }
    }

    fn expect(&mut self, at_most: usize) {
        if let Self::Dump(kept) = self {
            kept.expect(at_most);
        }
    }
}

/// How an entry is read, if it is one that the peers read (`kind` in `benches/peers/common.py`).
fn target(entry: &Entry) -> Option<Target<Reader>> {
    let path = entry.path_to_match();
    let name = path.rsplit('/').next().unwrap_or(&path).to_ascii_lowercase();
    let (stem, extension) = name.rsplit_once('.')?;
    let clone = || entry.clone();
    match extension {
        "dmp" => Some(Target::head(clone(), DUMP.0, DUMP.1, Reader::Dump(Vec::new()))),
        "log" if stem.contains("-backup-") || stem.ends_with("-prev") => None,
        "log" if entry.method == Method::Stored => Some(Target::tail(clone(), LOG_TAIL, Reader::Log)),
        "log" => Some(Target::stream(clone(), LOG.0, LOG.1, Reader::Log)),
        "csv" if stem == "perf_stats_v1" => Some(Target::stream(clone(), LOG.0, LOG.1, Reader::Log)),
        _ => None,
    }
}

async fn read(client: &Client, event: &Value) -> Result<Value, Error> {
    let (detail, object) = (&event["detail"], &event["detail"]["object"]);
    let (Some(bucket), Some(key)) = (detail["bucket"]["name"].as_str(), object["key"].as_str()) else {
        return Err("an event of another kind".into());
    };
    let store = Store::new(client.clone(), bucket);
    let reader = store.export_reader(key, None, object["etag"].as_str());
    let (mut files, mut bytes, mut targets) = (0_u64, 0_u64, Vec::new());
    let archive = Archive::open(&reader, object["size"].as_u64(), None, |entry| {
        files += 1;
        bytes += entry.size;
        targets.extend(target(entry));
    });
    let archive = archive.await?;
    let (mut reads, mut dumps) = (archive.reads(), Vec::new());
    for target in targets {
        reads.add(target);
    }
    while let Some(read) = reads.next().await {
        let read = read?;
        let outcome = read.result?;
        match read.sink {
            Reader::Dump(kept) if kept.starts_with(b"MDMP") => dumps.push(read.entry.path),
            Reader::Dump(_) => {}
            Reader::Log if outcome.is_complete() => {}
            Reader::Log => return Err(format!("{}: {outcome:?}", read.entry.path).into()),
        }
    }
    dumps.sort_unstable();
    let found = json!({"files": files, "bytes": bytes, "dumps": dumps});
    let record = key.replacen("exports/", "index/", 1).replace(".zip", ".json");
    let body = found.to_string().into_bytes();
    client.put_object().bucket(bucket).key(record).body(body.into()).send().await?;
    Ok(found)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = Client::new(&lambda_config());
    run(service_fn(async |event: LambdaEvent<Value>| Box::pin(read(&client, &event.payload)).await)).await
}
