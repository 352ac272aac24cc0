//! How long lists take over ten thousand captures: `cargo bench --package crash-capture-cli --bench list`.
//!
//! S3 is the local cloud's, in this very process, and answers after 20 ms, as S3 does; on two cores it takes as much of them as the command.

#![expect(clippy::print_stdout, reason = "that is what it is for")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Duration;

use crash_capture_local::s3::Shape;

use support::records;
use support::watched::{Watched, watched};

const SHAPE: Shape =
    Shape { first_byte: Duration::from_millis(20), per_connection: 90_000_000, in_all: 75_000_000 };

#[tokio::main]
async fn main() {
    let deployment = records::many().await;
    for shape in [None, Some(SHAPE)] {
        deployment.s3.shape(shape);
        let after = shape.map_or(Duration::ZERO, |shape| shape.first_byte);
        for arguments in
            [&["list", "--limit", "0", "--json"][..], &["list", "--verdict", "crash"], &["top"], &["list"]]
        {
            let mark = deployment.mark();
            let Watched { took, cpu, memory, .. } = watched(deployment.command(arguments)).await;
            let requests = deployment.requests_since(mark, "index/").len();
            println!(
                "{arguments:?}, first byte after {after:?}: {requests} records in {took:.2?}, processor {cpu:.2?}, {} MiB",
                memory / 1024
            );
        }
    }
}
