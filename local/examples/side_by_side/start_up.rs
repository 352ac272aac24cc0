//! How long the functions take to start, beside the same work in Python.

use std::fs;
use std::io::Write as _;
use std::time::Duration;

use crash_capture_local::streams::Status;
use crash_capture_local::zips::sessions;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::{Value, json};

use super::Failure;
use super::indexing::{Export, INDEX_EXPORT};
use super::table::{head, mb, median, mib, ms, row, times};
use super::world::{BUCKET, GROUP, Peer, Programs, World};

pub(crate) const START_EXPORT: Peer = Peer::new("start-export", "start-export");
pub(crate) const ARM: Peer = Peer::new("the same in Python", "arm");
const PEERS: [[Peer; 2]; 2] = [[START_EXPORT, ARM], [INDEX_EXPORT, Peer::new("the same in Python", "plan")]];

/// Starts each of them so often; prints a table.
#[expect(clippy::print_stdout, reason = "that is what it is for")]
pub(crate) async fn run(programs: &Programs, repetitions: u32) -> Result<(), Failure> {
    let world = World::start(programs, PEERS.as_flattened()).await?;
    let export = Export::put_image(&world, "s", &sessions::s()).await?;
    println!(
        "\n{}",
        head(&["", "to its first poll", "ratio", "to its first answer", "ratio", "CPU", "peak memory"])
    );
    for pair in PEERS {
        let mut samples = [Vec::new(), Vec::new()];
        for repetition in 0..repetitions {
            for (peer, samples) in pair.iter().zip(&mut samples) {
                let event = event(&world, *peer, &export, repetition).await?;
                world.kill(*peer)?;
                let it = world.invoke(*peer, &event).await?;
                let polled = it.outcome.init_duration.ok_or("the process was there before")?;
                let answered = polled + it.outcome.duration;
                samples.push((polled, answered, it.outcome.processor_time, it.outcome.max_memory));
            }
        }
        let first: Vec<_> = samples.iter().map(|of| median(of.iter().map(|it| it.0).collect())).collect();
        let answer: Vec<_> = samples.iter().map(|of| median(of.iter().map(|it| it.1).collect())).collect();
        for (number, (peer, samples)) in pair.iter().zip(&samples).enumerate() {
            let of = |times: &[Option<Duration>], number: usize| times[number].unwrap_or_default();
            let cpu: Duration = samples.iter().filter_map(|it| it.2).sum();
            println!(
                "{}",
                row(&[
                    peer.name.to_owned(),
                    ms(of(&first, number)),
                    times(of(&first, number), of(&first, 0)),
                    ms(of(&answer, number)),
                    times(of(&answer, number), of(&answer, 0)),
                    ms(cpu / repetitions.max(1)),
                    mib(samples.iter().filter_map(|it| it.3).max()),
                ])
            );
        }
    }
    sizes(programs)
}

/// An event that this peer has not seen.
async fn event(world: &World, peer: Peer, export: &Export, repetition: u32) -> Result<Value, Failure> {
    if PEERS[1].contains(&peer) {
        for key in world.s3.list(BUCKET, "index/").await? {
            world.s3.delete(BUCKET, &key)?;
        }
        return Ok(export.event().clone());
    }
    Ok(arm(world, peer, repetition))
}

/// Tells of a session that lives, and that this peer has not been told of.
pub(crate) fn arm(world: &World, peer: Peer, number: u32) -> Value {
    let id = format!("{}{number:04}", peer.program.replace('-', ""));
    world.write_down([id.clone()], Status::Active);
    json!({"streamGroupId": GROUP, "streamSessionId": id})
}

/// Prints how large the functions are.
#[expect(clippy::print_stdout, reason = "that is what it is for")]
fn sizes(programs: &Programs) -> Result<(), Failure> {
    println!("\n{}", head(&["", "executable", "deflated"]));
    for pair in PEERS {
        let bytes = fs::read(programs.functions.join(pair[0].program))?;
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&bytes)?;
        let deflated = encoder.finish()?.len();
        println!("{}", row(&[pair[0].name.to_owned(), mb(bytes.len() as u64), mb(deflated as u64)]));
    }
    Ok(())
}
