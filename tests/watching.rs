//! Metrics, alarms and dashboard: what is told of is counted, and an alarm goes off when it should, and only then.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crash_capture_local::cloud::{APPLICATION, STREAM_GROUP};
use crash_capture_local::executables::workspace;
use crash_capture_local::streams::{ExportStatus, Status, StatusReason, StreamSession};
use jiff::Timestamp;
use serde_json::{Value, json};

use support::exports::crashed;
use support::{
    Cloud, INDEX_EXPORT, START_EXPORT, event, export_on_paper, marker_key, session_on_paper, stack_with,
};

fn read(file: &str) -> String {
    std::fs::read_to_string(workspace().join(file)).unwrap()
}

/// The documented metrics of a function.
fn documented(function: &str) -> BTreeSet<String> {
    let text = read("docs/operations.md");
    let rows = text.lines().filter(|line| line.contains(&format!("` | {function} | ")));
    rows.map(|row| row.split('`').nth(1).unwrap().to_owned()).collect()
}

/// The lines of a function's log in the embedded metric format.
fn lines_of_metrics(cloud: &Cloud, function: &str) -> impl Iterator<Item = Value> {
    let lines = cloud.lambda.logs(function).into_iter();
    let lines = lines.filter_map(|line| serde_json::from_str::<Value>(&line.text).ok());
    lines.filter(|line| line.get("_aws").is_some())
}

/// The metrics that a function has written.
fn written(cloud: &Cloud, function: &str) -> BTreeSet<String> {
    let names = lines_of_metrics(cloud, function).flat_map(|line| {
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], "CrashCapture");
        directive["Metrics"].as_array().unwrap().clone()
    });
    names.map(|metric| metric["Name"].as_str().unwrap().to_owned()).collect()
}

/// A time series: namespace, metric, dimensions.
type Series = (String, String, BTreeMap<String, String>);

/// What CloudWatch has by now.
fn metrics(cloud: &Cloud) -> BTreeMap<Series, Vec<u64>> {
    let mut series = BTreeMap::<Series, Vec<u64>>::new();
    for line in [START_EXPORT, INDEX_EXPORT].iter().flat_map(|function| lines_of_metrics(cloud, function)) {
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        for set in directive["Dimensions"].as_array().unwrap() {
            let text = |name: &Value| name.as_str().unwrap().to_owned();
            let of_line = |name: &Value| (text(name), text(&line[text(name)]));
            let dimensions: BTreeMap<_, _> = set.as_array().unwrap().iter().map(of_line).collect();
            for metric in directive["Metrics"].as_array().unwrap() {
                let name = text(&metric["Name"]);
                let value = line[&name].as_u64().unwrap();
                series.entry(("CrashCapture".to_owned(), name, dimensions.clone())).or_default().push(value);
            }
        }
    }
    // AWS's own.
    let mut add = |namespace: &str, name: &str, dimension: &str, of: &str, value: usize| {
        let dimensions = BTreeMap::from([(dimension.to_owned(), of.to_owned())]);
        let values = series.entry((namespace.to_owned(), name.to_owned(), dimensions)).or_default();
        values.push(value as u64);
    };
    for function in &cloud.stack.functions {
        let failed = cloud.lambda.invocations().into_iter().filter(|invocation| {
            invocation.function == function.logical_id && invocation.outcome.result.is_err()
        });
        add("AWS/Lambda", "Errors", "FunctionName", &function.name, failed.count());
    }
    for queue in &cloud.stack.queues {
        let messages = cloud.dead_letters(&queue.logical_id).len();
        add("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", &queue.name, messages);
    }
    series
}

/// Whether an alarm is in ALARM, if all that there is happened within each of its periods.
fn is_on(alarm: &Value, metrics: &BTreeMap<Series, Vec<u64>>) -> bool {
    let text = |name: &str| alarm[name].as_str().unwrap().to_owned();
    let dimensions = alarm["Dimensions"].as_array().unwrap().iter().map(|dimension| {
        (dimension["Name"].as_str().unwrap().to_owned(), dimension["Value"].as_str().unwrap().to_owned())
    });
    let Some(values) = metrics.get(&(text("Namespace"), text("MetricName"), dimensions.collect())) else {
        return text("TreatMissingData") == "breaching";
    };
    let value = match text("Statistic").as_str() {
        "Sum" => values.iter().sum::<u64>(),
        "Maximum" => *values.iter().max().unwrap(),
        other => panic!("say how to make {other}"),
    };
    let threshold = &alarm["Threshold"];
    let threshold = threshold.as_u64().or_else(|| threshold.as_str()?.parse().ok()).unwrap();
    match text("ComparisonOperator").as_str() {
        "GreaterThanOrEqualToThreshold" => value >= threshold,
        "LessThanThreshold" => value < threshold,
        other => panic!("say how to compare by {other}"),
    }
}

/// The alarms that are in ALARM.
fn on(cloud: &Cloud) -> Vec<&str> {
    let metrics = metrics(cloud);
    let alarms = cloud.stack.alarms.iter().filter(|(_, alarm)| is_on(alarm, &metrics));
    alarms.map(|(name, _)| name.as_str()).collect()
}

#[tokio::test]
async fn the_functions_write_the_metrics_that_are_documented() {
    let cloud = Cloud::start().await;
    let key = "exports/a-9ZY8X7Wv6/sg-1AB2C3De4/2026-11-23/ABC123def4567.zip";
    cloud.s3.put(&cloud.bucket, key, crashed(0), "111122223333").await.unwrap();
    cloud.s3.put(&cloud.bucket, "exports/holiday pictures.zip", "PK", "111122223333").await.unwrap();
    cloud.bus.settled().await;
    cloud.sweep().await;
    for (function, name) in [(INDEX_EXPORT, "index-export"), (START_EXPORT, "start-export")] {
        assert_eq!(written(&cloud, function), documented(name));
    }
    let crashes: Vec<_> =
        lines_of_metrics(&cloud, INDEX_EXPORT).filter(|line| line["crashes"] == 1).collect();
    let [crash] = crashes.as_slice() else { panic!("{crashes:?}") };
    assert_eq!((&crash["Stack"], &crash["level"]), (&json!("crash-capture"), &json!("INFO")));
}

#[test]
fn the_dashboard_shows_metrics_that_are_documented() {
    let documented: BTreeSet<_> =
        [documented("start-export"), documented("index-export")].into_iter().flatten().collect();
    let text = read("template.yaml");
    let shown: BTreeSet<_> =
        text.split("[\"CrashCapture\", \"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(shown.len() > 8, "{shown:?}");
    let unknown: Vec<_> = shown.iter().filter(|name| !documented.contains(**name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// A session that ended an hour ago and has a marker.
async fn ended(cloud: &Cloud, id: &str, change: fn(&mut StreamSession)) {
    let mut session = session_on_paper(STREAM_GROUP, id);
    session.created_at = Timestamp::now() - Duration::from_hours(2);
    session.last_updated_at = Timestamp::now() - Duration::from_hours(1);
    session.status = Status::Terminated;
    session.status_reason = Some(StatusReason::ApplicationExit);
    change(&mut session);
    let marker = json!({
        "schema": 1, "trigger": {"kind": "sweep", "at": session.created_at},
        "session": {
            "id": id, "streamGroupId": STREAM_GROUP, "applicationId": APPLICATION, "createdAt": session.created_at,
        },
    });
    cloud.put_json(&marker_key(&session.id), &marker).await;
    cloud.write_down([session]);
}

#[tokio::test]
async fn each_alarm_goes_off_by_what_it_is_about_and_by_nothing_else() {
    let cloud = Cloud::start_with(|options| {
        options.parameters.insert("CrashBurst".to_owned(), "2".to_owned());
    })
    .await;
    assert_eq!(on(&cloud), ["NoSweepAlarm"], "nothing has happened");
    cloud.sweep().await;
    assert_eq!(on(&cloud), [""; 0], "a sweep");

    let crash = async |id: &str| {
        let key = format!("exports/{APPLICATION}/{STREAM_GROUP}/2026-11-23/{id}.zip");
        cloud.s3.put(&cloud.bucket, &key, crashed(0), "111122223333").await.unwrap();
        cloud.bus.settled().await;
    };
    crash("one").await;
    ended(&cloud, "never-started", |session| session.status = Status::Error).await;
    ended(&cloud, "on-its-way", |session| {
        session.last_updated_at = Timestamp::now();
        session.export = Some(export_on_paper(ExportStatus::Pending, "s3://elsewhere/x.zip"));
    })
    .await;
    cloud.sweep().await;
    assert_eq!(on(&cloud), [""; 0], "what happens every day");

    let mut expected = BTreeSet::new();
    let mut goes_off = |name: &'static str| {
        assert!(expected.insert(name));
        assert_eq!(on(&cloud), expected.iter().copied().collect::<Vec<_>>());
    };
    crash("two").await;
    goes_off("CrashBurstAlarm");
    ended(&cloud, "missed", |_| {}).await;
    cloud.sweep().await;
    goes_off("MissedAlarm");
    ended(&cloud, "failed", |session| {
        session.export = Some(export_on_paper(ExportStatus::Failed, "s3://elsewhere/x.zip"));
    })
    .await;
    cloud.sweep().await;
    goes_off("FailedExportsAlarm");
    ended(&cloud, "stuck", |session| {
        session.export = Some(export_on_paper(ExportStatus::Pending, "s3://elsewhere/x.zip"));
    })
    .await;
    cloud.sweep().await;
    goes_off("OverdueAlarm");
    let wrong = json!({"hello": "world"});
    for (function, alarm) in
        [(START_EXPORT, "StartExportErrorsAlarm"), (INDEX_EXPORT, "IndexExportErrorsAlarm")]
    {
        cloud.lambda.invoke(function, &wrong).await.unwrap().result.unwrap_err();
        goes_off(alarm);
    }
    cloud.lambda.invoke_async(INDEX_EXPORT, wrong).unwrap();
    cloud.bus.settled().await;
    goes_off("FailedInvocationsAlarm");
    cloud.lambda.delete(START_EXPORT).unwrap();
    cloud.events.put_raw(event("start-export/session-event-arn.json", &[]));
    cloud.bus.settled().await;
    goes_off("UndeliveredEventsAlarm");
    // What is left: no sweep, and what only AWS can count.
    let left: Vec<_> = cloud.stack.alarms.keys().filter(|name| !expected.contains(name.as_str())).collect();
    assert_eq!(left, ["LostAnswersAlarm", "NoSweepAlarm"]);
}

/// The alarms of which the documentation says what to do.
fn remedies() -> BTreeSet<String> {
    let text = read("docs/operations.md");
    let (_, rest) = text.split_once("## What to do at each alarm").unwrap();
    let (table, _) = rest.split_once("\n## ").unwrap();
    let cells = table.lines().skip_while(|line| !line.starts_with("| ---")).skip(1);
    let cells = cells.filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    cells.flat_map(|cell| cell.split(", ").map(ToOwned::to_owned)).collect()
}

#[test]
fn every_alarm_is_news_and_none_of_the_stacks_own_arms_sessions() {
    let stack = stack_with(&[("GameMetricsNamespace", "AWS/GameLiftStreams")]);
    let topic = &stack.topics[0].arn;
    let (mut of_games, mut own) = (Vec::new(), BTreeSet::new());
    for (id, alarm) in &stack.alarms {
        assert_eq!(alarm["AlarmActions"], json!([topic]), "{id}");
        let name = alarm["AlarmName"].as_str().unwrap();
        if name.starts_with("gamelift-streams-") {
            of_games.push(id.as_str());
        } else {
            own.insert(name.strip_prefix("CrashCapture crash-capture ").unwrap().to_owned());
        }
    }
    own.extend(["…-no-frames", "…-memory"].map(ToOwned::to_owned));
    assert_eq!(own, remedies());
    assert_eq!(of_games, ["FramesAlarm", "MemoryAlarm"]);
    for id in of_games {
        let query = stack.alarms[id]["Metrics"][0]["Expression"].as_str().unwrap();
        assert!(query.ends_with("GROUP BY StreamGroupId, Location"), "{query}");
        assert!(query.contains("FROM SCHEMA(\"AWS/GameLiftStreams\", StreamGroupId, Location)"), "{query}");
    }
    assert!(stack_with(&[]).alarms.keys().all(|id| id != "FramesAlarm" && id != "MemoryAlarm"));
}
