//! The command against the whole local cloud, with nothing but the variables that `cargo demo --serve` prints.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::process::Output;

use crash_capture_local::cloud::{APPLICATION, LocalCloud, Options, STREAM_GROUP};
use crash_capture_local::zips::writer::{Entry, Zip};
use serde_json::Value;

use support::{command, ran};

#[tokio::test]
async fn what_the_functions_recorded_is_listed_shown_and_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = LocalCloud::start(Options::new(folder.path().join("cloud"))).await.unwrap();
    let run = async |arguments: &[&str]| -> Output {
        let mut command = command(arguments);
        command.envs(cloud.client_environment()).current_dir(folder.path()).output().await.unwrap()
    };
    let export =
        Zip::of([Entry::deflated("temp/cut.dmp", b"MDMP"), Entry::deflated("temp/Game.log", b"a log\n")]);
    let key = format!("exports/{APPLICATION}/{STREAM_GROUP}/2026-11-23/ABC123def4567.zip");
    cloud.s3.put(&cloud.bucket, &key, export.to_bytes().to_vec(), "111122223333").await.unwrap();
    cloud.bus.settled().await;

    let listed = ran(run(&["list", "--verdict", "crash", "--json"]).await);
    assert_eq!((listed.code, listed.stderr.as_str()), (Some(0), ""));
    let record: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(record["export"]["key"], key);
    let shown = ran(run(&["show", "ABC"]).await);
    assert!(shown.stdout.starts_with("crash  ") && shown.stdout.contains("temp/cut.dmp"), "{}", shown.stdout);
    let got = ran(run(&["get", "ABC", "*.log"]).await);
    assert_eq!(got.stdout, "ABC123def4567/temp/Game.log  6 B\n", "{}", got.stderr);
    assert_eq!(std::fs::read(folder.path().join("ABC123def4567/temp/Game.log")).unwrap(), b"a log\n");
    cloud.stop().await;
}
