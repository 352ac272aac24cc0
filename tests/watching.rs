//! The metrics that alarms and dashboard read, and those that the documentation has.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeSet;

use crash_capture_local::executables::workspace;
use serde_json::{Value, json};

use support::exports::crashed;
use support::{Cloud, INDEX_EXPORT, START_EXPORT};

fn read(file: &str) -> String {
    std::fs::read_to_string(workspace().join(file)).unwrap()
}

/// The documented metrics of a function.
fn documented(function: &str) -> BTreeSet<String> {
    let text = read("docs/operations.md");
    let rows = text.lines().filter(|line| line.contains(&format!("` | {function} | ")));
    rows.map(|row| row.split('`').nth(1).unwrap().to_owned()).collect()
}

/// The metrics of ours that alarms and dashboard read.
fn watched() -> BTreeSet<String> {
    let text = read("template.yaml");
    let alarms = text.split("Namespace: CrashCapture\n").skip(1).map(|rest| {
        let (_, rest) = rest.split_once("MetricName: ").unwrap();
        rest.lines().next().unwrap().to_owned()
    });
    let dashboard =
        text.split("[\"CrashCapture\", \"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    alarms.chain(dashboard).collect()
}

/// The metrics that a function has written.
fn written(cloud: &Cloud, function: &str) -> BTreeSet<String> {
    let lines = cloud
        .lambda
        .logs(function)
        .into_iter()
        .filter_map(|line| serde_json::from_str::<Value>(&line.text).ok());
    let directives = lines.filter_map(|line| line.pointer("/_aws/CloudWatchMetrics/0").cloned());
    let names = directives.flat_map(|directive| {
        assert_eq!(directive["Namespace"], "CrashCapture");
        directive["Metrics"].as_array().unwrap().clone()
    });
    names.map(|metric| metric["Name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn alarms_and_dashboard_read_metrics_that_are_documented() {
    let documented: BTreeSet<_> =
        [documented("start-export"), documented("index-export")].into_iter().flatten().collect();
    let watched = watched();
    assert!(watched.len() > 8, "{watched:?}");
    let unknown: Vec<_> = watched.difference(&documented).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[tokio::test]
async fn the_functions_write_the_metrics_that_are_documented() {
    let cloud = Cloud::start().await;
    let key = "exports/a-9ZY8X7Wv6/sg-1AB2C3De4/2026-11-23/ABC123def4567.zip";
    cloud.s3.put(&cloud.bucket, key, crashed(0), "111122223333").await.unwrap();
    cloud.s3.put(&cloud.bucket, "exports/holiday pictures.zip", "PK", "111122223333").await.unwrap();
    cloud.bus.settled().await;
    cloud.sweep().await;
    assert_eq!(written(&cloud, INDEX_EXPORT), documented("index-export"));
    let of_start_export = written(&cloud, START_EXPORT);
    assert!(of_start_export.is_subset(&documented("start-export")), "{of_start_export:?}");
    let log = cloud.lambda.logs(INDEX_EXPORT);
    let crash = log.iter().filter_map(|line| serde_json::from_str::<Value>(&line.text).ok());
    let crashes: Vec<_> = crash.filter(|line| line["crashes"] == 1).collect();
    let [crash] = crashes.as_slice() else { panic!("{crashes:?}") };
    assert_eq!((&crash["Stack"], &crash["level"]), (&json!("crash-capture"), &json!("INFO")));
}
